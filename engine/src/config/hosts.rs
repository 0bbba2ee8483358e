//! `[hosts]`.

use std::collections::BTreeMap;

use super::format;
use super::node::{Node, quoted};
use super::reader::Reader;
use super::resolve::Resolver;
use super::shape::{Key, Keys, Shape};
use super::source::Span;
use crate::model::{Host, HostName, Reach};

/// One host.
pub(super) static KEYS: Keys = Keys {
    doc: "A machine, and how it is reached.",
    keys: &[
        Key::optional(
            "ssh",
            Shape::Text(&format::DESTINATION),
            "`[user@]host[:port]`, or an alias of the user's SSH configuration.",
        ),
        Key::flag("local", "Whether it is the machine that cutover runs on."),
        Key::optional(
            "address",
            Shape::Text(&format::ADDRESS),
            "How the other hosts reach it. Default: the host part of `ssh`; 127.0.0.1 for this machine.",
        ),
        Key::optional(
            "identity-file",
            Shape::Text(&format::WORD),
            "Private key; relative to the file, or `~/…`.",
        ),
        Key::text(
            "helper-directory",
            Shape::Text(&format::DIRECTORY),
            "~/.cache/cutover",
            "Where the helper program is kept on the host.",
        ),
    ],
    advice: &[
        ("host", "`ssh = \"user@host\"` says how it is reached"),
        ("user", "part of `ssh`: `ssh = \"user@host\"`"),
        ("port", "part of `ssh`: `ssh = \"user@host:2222\"`"),
    ],
};

/// Name of this machine where the file gives it none.
const LOCAL: &str = "local";

/// Names that mean groups of hosts in grants.
pub(super) const GROUPS: [&str; 3] = ["app", "routers", "builder"];

impl Resolver<'_> {
    /// Fills in the inventory.
    pub(super) fn hosts(&mut self, root: &Reader<'_>) {
        let mut reached: BTreeMap<String, HostName> = BTreeMap::new();
        for entry in root.map("hosts") {
            let table = Reader::new(Some(&entry.node), &KEYS, entry.key_span.clone());
            let Ok(name) = HostName::new(entry.key.as_str()) else { continue };
            self.spans.insert(name.clone(), entry.key_span.clone());
            if self.is_spare(&entry.node) {
                self.used_hosts.insert(name.clone());
            }
            if GROUPS.contains(&name.as_str()) {
                self.fault(
                    &entry.key_span,
                    "config/value",
                    format!("`{name}` can't be the name of a host"),
                    |fault| fault.hint("in grants it means a group of hosts; choose another name"),
                );
            }
            let (reach, own_address, key) = match (table.text("ssh"), table.boolean("local")) {
                (Some(ssh), false) => (self.ssh(&table, ssh), format::host_of(ssh), ssh.to_owned()),
                (None, true) => {
                    for key in ["identity-file", "helper-directory"].into_iter().filter(|key| table.has(key))
                    {
                        let message = format!("`hosts.{name}.{key}` is of no use: `{name}` is this machine");
                        self.fault(&table.key_span(key), "config/conflict", message, |fault| fault);
                    }
                    (Reach::Local, "127.0.0.1", String::new())
                }
                (None, false) if table.has("ssh") => continue,
                (ssh, _) => {
                    let how = if ssh.is_some() { "two ways" } else { "no way" };
                    let message = format!("host `{name}` has {how} to be reached");
                    self.fault(&entry.key_span, "config/host", message, |fault| {
                        fault.hint("either `ssh = \"user@host\"`, or `local = true` for this machine")
                    });
                    continue;
                }
            };
            if name.as_str() == LOCAL && reach != Reach::Local {
                let message = "`local` is always this machine".to_owned();
                self.fault(&entry.key_span, "config/host", message, |fault| {
                    fault.hint("choose another name")
                });
            }
            if let Some(other) = reached.insert(key, name.clone()) {
                let message = format!("`{name}` is the same machine as `{other}`");
                self.fault(
                    &table.span(if reach == Reach::Local { "local" } else { "ssh" }),
                    "config/host",
                    message,
                    |fault| fault.hint("declare each machine once"),
                );
            }
            if !table.has("address") {
                self.computed(&format!("hosts.{name}.address"), quoted(own_address));
            }
            let address = table.text("address").unwrap_or(own_address).to_owned();
            self.hosts.insert(name.clone(), Host { name, reach, address });
        }
        if root.map("hosts").is_empty() {
            self.this_machine();
        }
    }

    fn ssh(&self, table: &Reader<'_>, destination: &str) -> Reach {
        let identity = table.text("identity-file");
        let identity_file =
            identity.map(|path| if path.starts_with("~/") { path.into() } else { self.root.join(path) });
        Reach::Ssh {
            destination: destination.to_owned(),
            identity_file,
            helper_directory: table.string("helper-directory"),
        }
    }

    /// This machine: the host that the file declares so, else one named `local`, declared now.
    pub(super) fn this_machine(&mut self) -> HostName {
        if let Some(host) = self.hosts.values().find(|host| host.reach == Reach::Local) {
            return host.name.clone();
        }
        let Ok(name) = HostName::new(LOCAL) else { unreachable!("`local` is a name") };
        let host = Host { name: name.clone(), reach: Reach::Local, address: "127.0.0.1".to_owned() };
        self.hosts.insert(name.clone(), host);
        name
    }

    /// A declared host.
    pub(super) fn host(&mut self, text: &str, span: &Span) -> Option<HostName> {
        self.host_or(text, span, &[])
    }

    /// A declared host, where some other words would do too.
    pub(super) fn host_or(&mut self, text: &str, span: &Span, words: &[&str]) -> Option<HostName> {
        let name = HostName::new(text).ok()?;
        if self.hosts.contains_key(&name) || self.spans.contains_key(&name) {
            self.used_hosts.insert(name.clone());
            return Some(name);
        }
        let words = words.iter().map(|word| (*word).to_owned());
        let choices: Vec<String> = words.chain(self.hosts.keys().map(HostName::to_string)).collect();
        self.fault(span, "config/unknown-host", format!("unknown host `{text}`"), |fault| {
            fault.choices("valid", choices).did_you_mean(text)
        });
        None
    }

    /// Declared hosts, each once.
    pub(super) fn host_list(&mut self, items: &[&Node]) -> Vec<HostName> {
        let mut names = Vec::new();
        for item in items {
            let Some(name) = item.text().and_then(|text| self.host(text, &item.span)) else { continue };
            if names.contains(&name) {
                self.fault(&item.span, "config/value", format!("host `{name}` is named twice"), |fault| {
                    fault
                });
            } else {
                names.push(name);
            }
        }
        names
    }
}
