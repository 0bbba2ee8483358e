//! What every table of a hook has: `hook`, `settings`, `timeout`, `grants`, `limits`.

use super::fault::closest;
use super::format::{self, Complaint, Format};
use super::grants;
use super::hook_settings;
use super::limits;
use super::node::Value;
use super::reader::Reader;
use super::resolve::Resolver;
use super::shape::{Key, Shape};
use crate::model::grant::{Grants, Url};
use crate::model::{ComponentDigest, Hook, HookSource, OciReference, SCRIPT};

/// The scheme of hooks that ship with the program.
const BUILTIN: &str = "builtin:";

static SOURCE: Format = Format {
    is: "a hook",
    pattern: Some("^(builtin:[a-z0-9-]+|script:.+|https://.+|oci://.+|[^:]+)$"),
    check: |text| {
        let scheme = text.split_once(':').map(|(scheme, _)| scheme);
        match scheme {
            None | Some("builtin") if !text.is_empty() => Ok(()),
            Some("script") if text != SCRIPT => Ok(()),
            Some("https") => Url::parse(text).map(drop).map_err(|fault| Complaint::new(fault.to_string())),
            Some("oci") => {
                OciReference::parse(text).map(drop).map_err(|fault| Complaint::new(fault.to_string()))
            }
            Some("http") => Err(Complaint::new(format!("`{text}` is not a hook"))
                .hint("hooks are fetched over `https://` only")),
            _ => Err(Complaint::new(format!("`{text}` is not a hook")).choices(&[
                "builtin:NAME",
                "the path of a component (.wasm)",
                "script:FILE (.js)",
                "https://…",
                "oci://REGISTRY/REPOSITORY:TAG",
            ])),
        }
    },
};

/// Why a text names no hook, in words, and what to do; none when it names one.
#[must_use]
pub fn not_a_hook(text: &str) -> Option<(String, Option<String>)> {
    let complaint = (SOURCE.check)(text).err()?;
    let choices =
        (!complaint.choices.is_empty()).then(|| format!("a hook is {}", complaint.choices.join(", ")));
    Some((complaint.message, complaint.hint.or(choices)))
}

static DIGEST: Format = Format {
    is: "a SHA-256",
    pattern: Some("^(sha256:)?[0-9A-Fa-f]{64}$"),
    check: |text| match ComponentDigest::parse(text) {
        Some(_) => Ok(()),
        None => Err(Complaint::new(format!("`{text}` is no SHA-256: 64 hexadecimal digits"))
            .hint("`cutover hook inspect FILE` prints that of a component")),
    },
};

/// `hook`.
pub(super) const fn source(default: &'static str) -> Key {
    Key::text(
        "hook",
        Shape::Text(&SOURCE),
        default,
        "The hook: `builtin:NAME`, the path of a component, `script:FILE` (JavaScript), or `https://…` or `oci://REGISTRY/REPOSITORY:TAG`, which `cutover hook fetch` brings.",
    )
}

/// `sha256`.
pub(super) const SHA256: Key = Key::optional(
    "sha256",
    Shape::Text(&DIGEST),
    "SHA-256 of the hook's component, where cutover.lock is not to say it. Another one is refused.",
);

/// `timeout`.
pub(super) const fn timeout(default: &'static str, doc: &'static str) -> Key {
    Key::text("timeout", Shape::Text(&format::DURATION), default, doc)
}

/// `settings`.
pub(super) const SETTINGS: Key =
    Key::optional("settings", Shape::Settings, "What the hook itself wants to know.");

/// `grants`.
pub(super) const GRANTS: Key = Key::optional("grants", Shape::Table(&grants::KEYS), grants::KEYS.doc);

/// `limits`.
pub(super) const LIMITS: Key = Key::optional("limits", Shape::Table(&limits::KEYS), limits::KEYS.doc);

impl Resolver<'_> {
    /// Reads the hook of a table. `path` names the table.
    pub(super) fn hook(&mut self, table: &Reader<'_>, title: &str, path: &str) -> Hook {
        let source = self.hook_source(table);
        let builtin = match &source {
            HookSource::Builtin(name) => Some(name.as_str()),
            HookSource::File(_) | HookSource::Script(_) | HookSource::Https(_) | HookSource::Oci(_) => None,
        };
        let written = table.has("grants");
        let rules =
            grants::Rules { build: title == "build", bare_programs: builtin == Some("command-build") };
        let fits = self.settings_fit(table, &source, path);
        let grants = if written {
            self.grants(&table.table("grants", &grants::KEYS), rules)
        } else if !fits {
            // What the settings mean can't be told.
            Grants::default()
        } else {
            builtin.map_or_else(Grants::default, |name| self.bundled_grants(table, title, name, rules))
        };
        let sha256 = self.hook_digest(table, builtin.is_some());
        self.hook_tables.insert(title.to_owned(), table.at.clone());
        Hook {
            title: title.to_owned(),
            bundled_grants: !written && builtin.is_some(),
            source,
            settings: settings(table),
            timeout: table.duration("timeout"),
            grants,
            limits: limits::read(&table.table("limits", &limits::KEYS)),
            location: self.source.location(table.at.start),
            sha256,
            locked: None,
        }
    }

    /// Whether the settings of a bundled hook have the form that it takes.
    fn settings_fit(&mut self, table: &Reader<'_>, source: &HookSource, path: &str) -> bool {
        let HookSource::Builtin(name) = source else { return true };
        let Some(schema) = self.surroundings.settings_schema(name) else { return true };
        let settings = table.node("settings").filter(|node| matches!(node.value, Value::Table(_)));
        let path = format!("{path}.settings");
        let found = hook_settings::faults(&self.source, settings, &schema, &table.at, &path);
        let fits = found.is_empty();
        self.faults.extend(found);
        fits
    }

    fn hook_digest(&mut self, table: &Reader<'_>, bundled: bool) -> Option<ComponentDigest> {
        if bundled && table.has("sha256") {
            let message = "`sha256` is for hooks that do not come with cutover".to_owned();
            self.fault(&table.key_span("sha256"), "config/conflict", message, |fault| {
                fault.hint("leave it out: the hook changes with the program, and only so")
            });
        }
        ComponentDigest::parse(table.text("sha256")?)
    }

    fn hook_source(&mut self, table: &Reader<'_>) -> HookSource {
        let text = table.string("hook");
        if let Some(name) = text.strip_prefix(BUILTIN) {
            let known = self.surroundings.builtins();
            if !known.contains(&name) {
                let choices = known.iter().map(|name| format!("{BUILTIN}{name}"));
                self.fault(
                    &table.span("hook"),
                    "config/unknown-hook",
                    format!("no hook `{text}` ships with cutover"),
                    |fault| fault.choices("bundled hooks", choices).did_you_mean(&text),
                );
            }
            return HookSource::Builtin(name.to_owned());
        }
        if let Some(remote) = HookSource::remote(&text) {
            return remote;
        }
        let script = text.strip_prefix(SCRIPT);
        let named = script.unwrap_or(&text);
        let path = self.root.join(named);
        let well_formed = (SOURCE.check)(&text).is_ok();
        if table.text("hook").is_some() && well_formed && !self.surroundings.is_file(&path) {
            let known = self.surroundings.builtins();
            let meant = closest(&text, known).filter(|_| !text.contains(['/', '.']));
            self.fault(
                &table.span("hook"),
                "config/hook-file",
                format!("there is no file `{named}`"),
                |fault| match meant {
                    Some(name) => fault.hint(format!("did you mean `{BUILTIN}{name}`?")),
                    None if script.is_some() => {
                        fault.hint("paths begin at the directory of the configuration file")
                    }
                    None => fault.hint(
                        "paths begin at the directory of the configuration file; build the component first",
                    ),
                },
            );
        } else if script.is_none() && is_javascript(named) {
            self.fault(
                &table.span("hook"),
                "config/hook-file",
                format!("`{text}` is a script, and named as a component"),
                |fault| fault.hint(format!("write `{SCRIPT}{text}`: the interpreter inside cutover runs it")),
            );
        }
        if script.is_some() { HookSource::Script(path) } else { HookSource::File(path) }
    }
}

/// Whether a path is a script's, by its name.
#[must_use]
pub fn is_javascript(path: &str) -> bool {
    path.ends_with(".js") || path.ends_with(".mjs")
}

/// The `settings` of a table, as the hook gets them.
pub(super) fn settings(table: &Reader<'_>) -> serde_json::Value {
    match table.node("settings") {
        Some(node) if matches!(node.value, Value::Table(_)) => node.json(),
        _ => serde_json::Value::Object(serde_json::Map::new()),
    }
}
