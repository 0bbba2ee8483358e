//! `grants` of a hook: what it may do. Absent means denied; all that can be told without looking at a machine is checked here.

use super::format;
use super::hosts::GROUPS;
use super::node::{Node, Value};
use super::own_files::{covers, is_own_link, reaches_own_files};
use super::reader::Reader;
use super::resolve::Resolver;
use super::secret_grants;
use super::shape::{Key, Keys, Shape};
use crate::model::grant::{
    Authorities, ConnectGrant, ExecGrant, Grants, HostGroup, HttpGrant, HttpTarget, LinkGrant, PathGrant,
    VariableRule, is_interpreter,
};

/// The table.
pub(super) static KEYS: Keys = Keys {
    doc: "What the hook may do; what is not written is denied. An empty list: imported, and denied on purpose.",
    keys: &[
        Key::optional("exec", Shape::List(&Shape::Table(&EXEC)), "Programs that it may run on hosts."),
        Key::optional("read", Shape::List(&Shape::Table(&PATH)), "Files and directories that it may read."),
        Key::optional("write", Shape::List(&Shape::Table(&PATH)), "Files that it may write and remove."),
        Key::optional("link", Shape::List(&Shape::Table(&LINK)), "Links that it may point elsewhere."),
        Key::optional(
            "connect",
            Shape::List(&Shape::Table(&CONNECT)),
            "Sockets of hosts that it may talk to.",
        ),
        Key::optional(
            "http",
            Shape::List(&Shape::Either(&[Shape::Table(&HTTP), Shape::Text(&format::WHOLE_NETWORK)])),
            "Origins that it may ask.",
        ),
        Key::optional(
            "secrets",
            Shape::List(&Shape::Either(&[
                Shape::Table(&secret_grants::KEYS),
                Shape::Text(&format::BARE_SECRET),
            ])),
            "Secrets that it may use, each bound to one place.",
        ),
    ],
    advice: &[
        ("network", "`http` grants origins, `connect` sockets"),
        ("files", "`read` and `write` grant paths"),
    ],
};

static HOST: Shape = Shape::Text(&format::NAME);

const HOSTS: Key = Key::required(
    "hosts",
    Shape::OneOrMore(&HOST),
    "Names of hosts, or the group \"app\", \"routers\" or \"builder\".",
    "hosts = \"app\", \"routers\" or \"builder\", or names of hosts",
);

static EXEC: Keys = Keys::new(
    "A program and its arguments.",
    &[
        HOSTS,
        Key::required("program", Shape::Text(&format::PROGRAM), "Absolute path.", "program = \"/usr/bin/…\""),
        Key::optional(
            "args",
            Shape::List(&Shape::Text(&format::TEXT)),
            "Exact texts; `*` is one argument, `**` the rest; neither takes one that begins with `-`.",
        ),
        Key::optional(
            "env",
            Shape::List(&Shape::Text(&format::GRANTED_VARIABLE)),
            "Variables that the hook may set.",
        ),
        Key::optional(
            "directory",
            Shape::OneOrMore(&Shape::Text(&format::GRANTED_PATH)),
            "Directories that it may start in; a build hook may say {checkout} and {output}.",
        ),
        Key::flag("input", "Whether the hook may send an input."),
        Key::flag("as-root", "Through `sudo -n`: exact arguments, no variables."),
        Key::flag("read-only", "Whether it changes nothing, so that `plan` and `status` may run it too."),
        Key::flag("interpreter", "Acknowledges that the program runs code out of its arguments or input."),
    ],
);

static PATH: Keys = Keys::new(
    "A file, or several.",
    &[
        HOSTS,
        Key::required(
            "path",
            Shape::Text(&format::GRANTED_PATH),
            "Absolute; `*` stops at `/` and at a leading dot.",
            "path = \"/etc/…\"",
        ),
    ],
);

static LINK: Keys = Keys::new(
    "A symbolic link.",
    &[
        HOSTS,
        Key::required("path", Shape::Text(&format::GRANTED_PATH), "The link.", "path = \"/etc/…\""),
        Key::required(
            "targets",
            Shape::NonEmpty(&Shape::Text(&format::EXACT)),
            "What it may point to, exact.",
            "targets = [\"…\", \"…\"]",
        ),
    ],
);

static CONNECT: Keys = Keys::new(
    "A socket on a host.",
    &[
        HOSTS,
        Key::required(
            "to",
            Shape::Text(&format::SOCKET),
            "`unix:/path` or `tcp:ADDRESS:PORT`.",
            "to = \"unix:/run/…\"",
        ),
        Key::optional(
            "send",
            Shape::List(&Shape::Text(&format::TEXT)),
            "Lines that may be sent; `*` is any text without `;`.",
        ),
        Key::flag(
            "read-only",
            "Whether these lines change nothing, so that `plan` and `status` may send them too.",
        ),
    ],
);

static HTTP: Keys = Keys::new(
    "An origin.",
    &[
        Key::required(
            "to",
            Shape::Text(&format::ORIGIN),
            "`https://name[:port]`, or \"instances\" for those of the call.",
            "to = \"instances\" or \"https://name\"",
        ),
        Key::flag("private", "Whether its address may be a private or loopback one."),
        Key::optional(
            "via",
            Shape::OneOrMore(&Shape::Text(&format::NAME)),
            "Hosts that the request may start from, beside cutover's own machine.",
        ),
        Key::optional(
            "ca",
            Shape::Text(&format::AUTHORITIES),
            "Certificates, in PEM, of the authorities by which the server's has to be, instead of those that the system trusts.",
        ),
    ],
);

/// What differs between hooks.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// Whether `{checkout}` and `{output}` mean something.
    pub(super) build: bool,
    /// Whether programs may be named without their directory (they are found on the builder's PATH).
    pub(super) bare_programs: bool,
}

impl Resolver<'_> {
    /// Reads the table.
    pub(super) fn grants(&mut self, table: &Reader<'_>, rules: Rules) -> Grants {
        let several = |key, keys| table.has(key).then(|| table.tables(key, keys));
        let mut grants = Grants {
            exec: several("exec", &EXEC)
                .map(|entries| entries.iter().map(|entry| self.exec_grant(entry, rules)).collect()),
            read: several("read", &PATH)
                .map(|entries| entries.iter().map(|entry| self.path_grant(entry, rules)).collect()),
            write: several("write", &PATH)
                .map(|entries| entries.iter().map(|entry| self.path_grant(entry, rules)).collect()),
            link: several("link", &LINK)
                .map(|entries| entries.iter().map(|entry| self.link_grant(entry, rules)).collect()),
            connect: several("connect", &CONNECT)
                .map(|entries| entries.iter().map(|entry| self.connect_grant(entry)).collect()),
            http: several("http", &HTTP)
                .map(|entries| entries.iter().map(|entry| self.http_grant(entry)).collect()),
            secrets: None,
        };
        grants.secrets = table.has("secrets").then(|| self.secret_grants(table, &grants));
        self.own_links(table);
        self.own_programs(table, &grants);
        grants
    }

    /// What moves traffic or releases is cutover's: no hook changes the links of the application's directory.
    fn own_links(&mut self, table: &Reader<'_>) {
        for (key, keys) in [("write", &PATH), ("link", &LINK)] {
            for entry in table.tables(key, keys) {
                let path = entry.string("path");
                if is_own_link(&path, &self.directory) {
                    let message =
                        format!("`{path}` would reach links of `{}` that are cutover's own", self.directory);
                    self.fault(&entry.span("path"), "config/grant", message, |fault| fault);
                }
            }
        }
    }

    /// A hook that may write a program that it may run may run anything.
    fn own_programs(&mut self, table: &Reader<'_>, grants: &Grants) {
        let written: Vec<&str> = grants.write.iter().flatten().map(|grant| grant.path.as_str()).collect();
        for entry in table.tables("exec", &EXEC) {
            let program = entry.string("program");
            let place = if written.iter().any(|pattern| covers(pattern, &program)) {
                "the hook itself may write it"
            } else if reaches_own_files(&program, &self.directory) {
                "it comes with a release or is cutover's own"
            } else {
                continue;
            };
            self.fault(
                &entry.span("program"),
                "config/grant",
                format!("`{program}` can't be granted: {place}"),
                |fault| fault.hint("grant programs that only the host's administrator can change"),
            );
        }
    }

    fn exec_grant(&mut self, entry: &Reader<'_>, rules: Rules) -> ExecGrant {
        let program = entry.string("program");
        let granted = (format::PROGRAM.check)(&program).is_ok();
        self.places(entry, "program", rules);
        self.places(entry, "directory", rules);
        let bare = !program.starts_with('/') && format::build_place(&program).is_none();
        let fits = if bare { rules.bare_programs && !program.contains('/') } else { true };
        if granted && !fits {
            let message = format!("`{program}` is not an absolute path");
            self.fault(&entry.span("program"), "config/grant", message, |fault| {
                fault.hint("only builtin:command-build finds programs on the builder's PATH")
            });
        }
        let interpreter = entry.boolean("interpreter");
        if granted && is_interpreter(&program, entry.boolean("input")) && !interpreter {
            let message = format!("`{program}` runs code out of its arguments or input");
            self.fault(&entry.span("program"), "config/grant", message, |fault| {
                fault.hint("grant the program that is meant; or acknowledge it by `interpreter = true`")
            });
        }
        if entry.boolean("as-root") {
            self.as_root(entry);
        }
        for item in entry.several("env").into_iter().filter(|_| !rules.build) {
            if let Some(name) = item.text().filter(|name| VariableRule::of(name) == VariableRule::Build) {
                let message = format!("`{name}` can't be granted");
                self.fault(&item.span, "config/grant", message, |fault| {
                    fault.hint("it decides which code programs run: for build hooks alone")
                });
            }
        }
        ExecGrant {
            hosts: self.host_group(entry, "hosts"),
            program,
            args: entry.strings("args"),
            env: entry.strings("env"),
            directory: entry.strings("directory"),
            input: entry.boolean("input"),
            as_root: entry.boolean("as-root"),
            read_only: entry.boolean("read-only"),
            interpreter,
        }
    }

    /// The directories of a build have a meaning in the grants of a build hook alone.
    fn places(&mut self, entry: &Reader<'_>, key: &str, rules: Rules) {
        for item in entry.several(key).into_iter().filter(|_| !rules.build) {
            if let Some(place) = item.text().and_then(format::build_place) {
                let message = format!("`{place}` has a meaning for build hooks alone");
                self.fault(&item.span, "config/grant", message, |fault| fault.hint("write an absolute path"));
            }
        }
    }

    /// What runs as root is exact: nothing in it is the hook's choice.
    fn as_root(&mut self, entry: &Reader<'_>) {
        for item in entry.several("args") {
            // Each is a word of a line in the sudoers file.
            if item.text().is_some_and(|text| text.chars().any(char::is_control)) {
                let message = "a program that runs as root takes no control characters".to_owned();
                self.fault(&item.span, "config/grant", message, |fault| fault);
            }
            if item.text().is_some_and(|text| text == "*" || text == "**") {
                self.fault(
                    &item.span,
                    "config/grant",
                    "a program that runs as root takes no wildcard".into(),
                    |fault| fault.hint("one entry for each list of arguments"),
                );
            }
        }
        let choice = |node: &Node| !node.items().is_empty() || matches!(node.value, Value::Boolean(true));
        for key in ["env", "input"] {
            if entry.node(key).is_some_and(choice) {
                self.fault(
                    &entry.key_span(key),
                    "config/grant",
                    format!("a program that runs as root takes no `{key}`"),
                    |fault| fault,
                );
            }
        }
    }

    fn path_grant(&mut self, entry: &Reader<'_>, rules: Rules) -> PathGrant {
        self.foreign(entry);
        self.places(entry, "path", rules);
        PathGrant { hosts: self.host_group(entry, "hosts"), path: entry.string("path") }
    }

    /// Releases, environments, processes, state and helper are cutover's own.
    fn foreign(&mut self, entry: &Reader<'_>) {
        let path = entry.string("path");
        if reaches_own_files(&path, &self.directory) {
            self.fault(
                &entry.span("path"),
                "config/grant",
                format!("`{path}` would reach cutover's own files"),
                |fault| fault.hint("releases, environments, processes, state and helper are never granted"),
            );
        }
    }

    fn link_grant(&mut self, entry: &Reader<'_>, rules: Rules) -> LinkGrant {
        self.foreign(entry);
        self.places(entry, "path", rules);
        let hosts = self.host_group(entry, "hosts");
        LinkGrant { hosts, path: entry.string("path"), targets: entry.strings("targets") }
    }

    fn connect_grant(&mut self, entry: &Reader<'_>) -> ConnectGrant {
        let hosts = self.host_group(entry, "hosts");
        let read_only = entry.boolean("read-only");
        ConnectGrant { hosts, to: entry.string("to"), send: entry.strings("send"), read_only }
    }

    fn http_grant(&mut self, entry: &Reader<'_>) -> HttpGrant {
        let to = match entry.text("to") {
            Some("instances") | None => HttpTarget::Instances,
            Some(origin) => HttpTarget::Origin(origin.to_owned()),
        };
        let via = entry.has("via").then(|| self.host_group(entry, "via"));
        let authorities = entry.text("ca").and_then(|text| Authorities::parse(text).ok());
        if authorities.is_some() && entry.string("to").starts_with("http://") {
            let message = "`ca` is for `https://` alone".to_owned();
            self.fault(&entry.span("ca"), "config/grant", message, |fault| fault.hint("leave it out"));
        }
        HttpGrant { to, private: entry.boolean("private"), via, authorities }
    }

    /// A group, or hosts by name.
    fn host_group(&mut self, entry: &Reader<'_>, key: &str) -> HostGroup {
        match entry.text(key) {
            Some("app") => return HostGroup::App,
            Some("routers") => return HostGroup::Routers,
            Some("builder") => return HostGroup::Builder,
            _ => {}
        }
        let mut names = Vec::new();
        for item in entry.several(key) {
            let Some(text) = item.text() else { continue };
            if GROUPS.contains(&text) {
                self.fault(&item.span, "config/grant", format!("the group `{text}` stands alone"), |fault| {
                    fault.hint(format!("{key} = \"{text}\", in an entry of its own"))
                });
            } else {
                names.extend(self.host_or(text, &item.span, &GROUPS));
            }
        }
        HostGroup::Named(names)
    }
}
