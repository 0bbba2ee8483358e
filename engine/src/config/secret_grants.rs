//! `grants.secrets` of a hook: each entry binds one secret to one place.

use super::format;
use super::node::{Node, Value};
use super::reader::Reader;
use super::resolve::Resolver;
use super::shape::{Key, Keys, Shape};
use crate::model::grant::{Grants, HttpTarget, Origin, SecretGrant, SecretTarget};

/// An entry.
pub(super) static KEYS: Keys = Keys::new(
    "A secret, and the one place where it may go: `to` with `header` or `body`, `exec` with `env` or `input`, `hmac`, or `reveal`.",
    &[
        Key::required(
            "name",
            Shape::Text(&format::NAME),
            "A name in `[secrets]`.",
            "name = \"…\", as in [secrets]",
        ),
        Key::optional("to", Shape::Text(&format::SECRET_ORIGIN), "An origin, which `http` grants too."),
        Key::optional("header", Shape::Text(&format::HEADER), "The header of requests to that origin."),
        Key::flag("body", "The body of requests to that origin."),
        Key::optional(
            "exec",
            Shape::Text(&format::PROGRAM),
            "A program, which `exec` grants too, with this variable or an input.",
        ),
        Key::optional("env", Shape::Text(&format::GRANTED_VARIABLE), "The variable of that program."),
        Key::flag("input", "The input of that program."),
        Key::optional("hmac", Shape::Table(&HMAC), HMAC.doc),
        Key::flag(
            "reveal",
            "The hook sees it as plain text, and may pass it on to whatever else it reaches.",
        ),
    ],
);

static HMAC: Keys = Keys::new(
    "HMAC-SHA-256: the first key is `prefix` and the secret, each text of `chain` makes the next out of the one before.",
    &[
        Key::text(
            "prefix",
            Shape::Text(&format::TEXT),
            "",
            "What stands before the secret in the first key.",
        ),
        Key::required(
            "chain",
            Shape::List(&Shape::Text(&format::LINK_OF_CHAIN)),
            "Exact texts; `{date}` is a date within a day of now, YYYYMMDD.",
            "chain = [\"{date}\", …], or [] to sign with the secret itself",
        ),
    ],
);

/// What an entry can be.
const PLACES: [&str; 6] = [
    "{ name, to, header }",
    "{ name, to, body = true }",
    "{ name, exec, env }",
    "{ name, exec, input = true }",
    "{ name, hmac }",
    "{ name, reveal = true }",
];

impl Resolver<'_> {
    /// Reads the entries. `grants` is what else the hook may do: a secret goes only where it may go itself.
    pub(super) fn secret_grants(&mut self, table: &Reader<'_>, grants: &Grants) -> Vec<SecretGrant> {
        // What is no such table has been told of.
        let is_whole = |node: &&Node| {
            matches!(node.value, Value::Table(_))
                && node.entries().iter().all(|entry| KEYS.find(&entry.key).is_some())
        };
        let entries = table.several("secrets").into_iter().filter(is_whole);
        let entries = entries.map(|node| Reader::new(Some(node), &KEYS, node.span.clone()));
        entries.filter_map(|entry| self.secret_grant(&entry, grants)).collect()
    }

    fn secret_grant(&mut self, entry: &Reader<'_>, grants: &Grants) -> Option<SecretGrant> {
        let name = entry.text("name").filter(|text| (format::NAME.check)(text).is_ok());
        let name = name.and_then(|text| self.secret(text, &entry.span("name")));
        let written: Vec<&str> = ["to", "header", "body", "exec", "env", "input", "hmac", "reveal"]
            .into_iter()
            .filter(|key| entry.has(key))
            .collect();
        let to = match written[..] {
            ["to", "header"] => {
                let header = entry.string("header").to_ascii_lowercase();
                SecretTarget::Header { origin: entry.string("to"), header }
            }
            ["to", "body"] if entry.boolean("body") => SecretTarget::Body { origin: entry.string("to") },
            ["exec", "env"] => {
                SecretTarget::Variable { program: entry.string("exec"), variable: entry.string("env") }
            }
            ["exec", "input"] if entry.boolean("input") => {
                SecretTarget::Input { program: entry.string("exec") }
            }
            ["hmac"] => {
                let hmac = entry.table("hmac", &HMAC);
                SecretTarget::Hmac { prefix: hmac.string("prefix"), chain: hmac.strings("chain") }
            }
            ["reveal"] if entry.boolean("reveal") => SecretTarget::Reveal,
            _ => {
                let message = "an entry of `secrets` binds a secret to exactly one place".to_owned();
                self.fault(&entry.at, "config/grant", message, |fault| fault.choices("valid", PLACES));
                return None;
            }
        };
        self.goes_where_the_hook_goes(entry, &to, grants);
        Some(SecretGrant { name: name?, to })
    }

    /// An entry for a place that the hook itself can't reach is a mistake, and would be found only when a secret is wanted there.
    fn goes_where_the_hook_goes(&mut self, entry: &Reader<'_>, to: &SecretTarget, grants: &Grants) {
        match to {
            SecretTarget::Header { origin, .. } | SecretTarget::Body { origin } => {
                let Ok(origin) = Origin::parse(origin) else { return };
                let mut granted = grants.http.iter().flatten().filter_map(|grant| match &grant.to {
                    HttpTarget::Origin(text) => Origin::parse(text).ok(),
                    HttpTarget::Instances => None,
                });
                if !granted.any(|other| other == origin) {
                    let message = format!("`http` does not grant {origin}, so no secret gets there");
                    self.fault(&entry.span("to"), "config/grant", message, |fault| {
                        fault.hint(format!("http = [{{ to = \"{origin}\" }}]"))
                    });
                }
            }
            SecretTarget::Variable { program, variable } => {
                let mut granted = grants.exec.iter().flatten();
                if !granted.any(|grant| grant.program == *program && grant.env.contains(variable)) {
                    let message =
                        format!("`exec` grants no `{program}` with `{variable}`, so no secret gets there");
                    self.fault(&entry.span("exec"), "config/grant", message, |fault| {
                        fault.hint(format!(
                            "exec = [{{ hosts = …, program = \"{program}\", args = …, env = [\"{variable}\"] }}]"
                        ))
                    });
                }
            }
            SecretTarget::Input { program } => {
                let mut granted = grants.exec.iter().flatten();
                if !granted.any(|grant| grant.program == *program && grant.input) {
                    let message =
                        format!("`exec` grants no `{program}` with an input, so no secret gets there");
                    self.fault(&entry.span("exec"), "config/grant", message, |fault| {
                        fault.hint(format!(
                            "exec = [{{ hosts = …, program = \"{program}\", args = …, input = true }}]"
                        ))
                    });
                }
            }
            SecretTarget::Hmac { .. } | SecretTarget::Reveal => {}
        }
    }
}
