//! `grants` of a hook: what it may do. Absent means denied; all that can be told without looking at a machine is checked here.

use super::format::{self, Complaint, Format};
use super::hosts::GROUPS;
use super::interpreters::is_interpreter;
use super::node::{Node, Value};
use super::reader::Reader;
use super::resolve::Resolver;
use super::shape::{Key, Keys, Shape};
use crate::model::grant::{
    ConnectGrant, ExecGrant, Grants, HostGroup, HttpGrant, HttpTarget, LinkGrant, PathGrant,
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
            Shape::List(&Shape::Either(&[Shape::Table(&HTTP), Shape::Text(&WHOLE_NETWORK)])),
            "Origins that it may ask.",
        ),
        Key::optional(
            "secrets",
            Shape::List(&Shape::Text(&NO_SECRET)),
            "Secrets that it may use: none so far, so only the empty list.",
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
        Key::required("program", Shape::Text(&PROGRAM), "Absolute path.", "program = \"/usr/bin/…\""),
        Key::optional(
            "args",
            Shape::List(&Shape::Text(&format::TEXT)),
            "Exact texts; `*` is one argument, `**` the rest; neither takes one that begins with `-`.",
        ),
        Key::optional(
            "env",
            Shape::List(&Shape::Text(&GRANTED_VARIABLE)),
            "Variables that the hook may set.",
        ),
        Key::optional(
            "directory",
            Shape::OneOrMore(&Shape::Text(&START_DIRECTORY)),
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
            Shape::Text(&GRANTED_PATH),
            "Absolute; `*` stops at `/` and at a leading dot.",
            "path = \"/etc/…\"",
        ),
    ],
);

static LINK: Keys = Keys::new(
    "A symbolic link.",
    &[
        HOSTS,
        Key::required("path", Shape::Text(&GRANTED_PATH), "The link.", "path = \"/etc/…\""),
        Key::required(
            "targets",
            Shape::NonEmpty(&Shape::Text(&EXACT)),
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
            Shape::Text(&SOCKET),
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
            Shape::Text(&ORIGIN),
            "`https://name[:port]`, or \"instances\" for those of the call.",
            "to = \"instances\" or \"https://name\"",
        ),
        Key::flag("private", "Whether its address may be a private or loopback one."),
        Key::optional(
            "via",
            Shape::OneOrMore(&Shape::Text(&format::NAME)),
            "Hosts that the request may start from, beside cutover's own machine.",
        ),
    ],
);

static PROGRAM: Format = Format {
    is: "the absolute path of a program",
    pattern: Some("^[^*]+$"),
    check: |text| {
        if text.contains('*') {
            return Err(complaint(
                format!("`{text}` would allow any program"),
                "one entry for each program, with its absolute path",
            ));
        }
        if text.is_empty()
            || text.starts_with('-')
            || text.ends_with('/')
            || text.contains("/../")
            || text.chars().any(char::is_control)
        {
            return Err(complaint(
                format!("`{text}` is not a program"),
                "an absolute path, such as \"/usr/sbin/nginx\"",
            ));
        }
        match text.rsplit('/').next() {
            Some(word @ ("sudo" | "su" | "doas" | "pkexec" | "runuser" | "setpriv")) => Err(complaint(
                format!("`{word}` can't be granted"),
                "name the program itself, with `as-root = true`",
            )),
            _ => Ok(()),
        }
    },
};

static GRANTED_VARIABLE: Format = Format {
    is: "the name of an environment variable",
    pattern: Some("^[A-Za-z_][A-Za-z0-9_]*$"),
    check: |text| {
        const FIXED: [&str; 4] = ["PATH", "HOME", "LANG", "USER"];
        const LOADERS: [&str; 16] = [
            "BASH_ENV",
            "ENV",
            "IFS",
            "SHELLOPTS",
            "PYTHONPATH",
            "PYTHONHOME",
            "PYTHONSTARTUP",
            "PERL5LIB",
            "PERL5OPT",
            "PERL5DB",
            "RUBYLIB",
            "RUBYOPT",
            "NODE_OPTIONS",
            "NODE_PATH",
            "JAVA_TOOL_OPTIONS",
            "GCONV_PATH",
        ];
        (format::VARIABLE.check)(text)?;
        if ["LD_", "GIT_", "DYLD_"].iter().any(|prefix| text.starts_with(prefix)) || LOADERS.contains(&text) {
            return Err(complaint(
                format!("`{text}` can't be granted"),
                "it makes programs load or run other code",
            ));
        }
        if FIXED.contains(&text) {
            return Err(complaint(format!("`{text}` can't be granted"), "it has a fixed value"));
        }
        Ok(())
    },
};

static START_DIRECTORY: Format = Format {
    is: "an absolute path",
    pattern: Some("^(/|\\{checkout\\}|\\{output\\})"),
    check: |text| {
        let inner = ["{checkout}", "{output}"].iter().find_map(|word| text.strip_prefix(word));
        match inner {
            Some("") => Ok(()),
            Some(inner) if inner.starts_with('/') => (GRANTED_PATH.check)(inner),
            _ => (GRANTED_PATH.check)(text),
        }
    },
};

static GRANTED_PATH: Format = Format {
    is: "an absolute path",
    pattern: Some("^/"),
    check: |text| {
        let inner = text.strip_prefix('/').map(|inner| inner.strip_suffix('/').unwrap_or(inner));
        let odd = |part: &str| part.is_empty() || part == "." || part == "..";
        match inner {
            Some("**" | "*") => {
                Err(complaint(format!("`{text}` would allow too much"), "name the directory that is meant"))
            }
            Some(inner) if !inner.split('/').any(odd) && !inner.chars().any(char::is_control) => {
                let keys = inner.split('/').any(|part| part == ".ssh");
                if keys {
                    Err(complaint(format!("`{text}` can't be granted"), "no hook comes near SSH keys"))
                } else {
                    Ok(())
                }
            }
            _ => Err(complaint(
                format!("`{text}` is not an absolute path"),
                "begin with `/`, without `.`, `..` and `//`",
            )),
        }
    },
};

static EXACT: Format = Format {
    is: "a path",
    pattern: Some("^[^*]+$"),
    check: |text| {
        let fine = !text.is_empty() && !text.contains('*') && !text.chars().any(char::is_control);
        if fine {
            Ok(())
        } else {
            Err(complaint(format!("`{text}` is not exact"), "targets of links are named one by one"))
        }
    },
};

static SOCKET: Format = Format {
    is: "a socket",
    pattern: Some("^(unix:/|tcp:.+:[0-9]+$)"),
    check: |text| {
        let fine = match text.split_once(':') {
            Some(("unix", path)) => (GRANTED_PATH.check)(path).is_ok() && !path.contains('*'),
            Some(("tcp", rest)) => {
                rest.parse::<std::net::SocketAddr>().is_ok_and(|address| address.port() > 0)
            }
            _ => false,
        };
        let choices = &["unix:/path", "tcp:ADDRESS:PORT"];
        if fine {
            Ok(())
        } else {
            Err(Complaint { message: format!("`{text}` is not a socket"), choices, hint: None })
        }
    },
};

static ORIGIN: Format = Format {
    is: "an origin, or \"instances\"",
    pattern: Some("^(instances$|https?://[^/]+$)"),
    check: |text| {
        if text.contains('*') {
            return (WHOLE_NETWORK.check)(text);
        }
        let origin = format::http_url(text)
            .is_some_and(|(scheme, authority)| text == format!("{scheme}://{authority}"));
        if origin || text == "instances" {
            return Ok(());
        }
        let choices = &["instances", "https://name[:port]", "http://name[:port]"];
        Err(Complaint { message: format!("`{text}` is not an origin"), choices, hint: None })
    },
};

static WHOLE_NETWORK: Format = Format {
    is: "no text",
    pattern: Some("^$a"),
    check: |text| {
        let advice = "grant what it needs: [{ to = \"instances\" }] or [{ to = \"https://name\" }]";
        let message = if text.contains('*') {
            format!("`{text}` would allow the whole network")
        } else {
            format!("`{text}` stands alone: an entry is a table")
        };
        Err(complaint(message, advice))
    },
};

static NO_SECRET: Format = Format {
    is: "no text",
    pattern: Some("^$a"),
    check: |_| {
        Err(complaint(
            "secrets can't be granted to hooks".to_owned(),
            "secrets = [] lets a hook import the interface; each use is denied",
        ))
    },
};

fn complaint(message: String, hint: &str) -> Complaint {
    Complaint { message, choices: &[], hint: Some(hint.to_owned()) }
}

/// What differs between hooks.
pub(super) struct Rules {
    /// Whether programs may be named without their directory (they are found on the builder's PATH).
    pub(super) bare_programs: bool,
}

impl Resolver<'_> {
    /// Reads the table.
    pub(super) fn grants(&mut self, table: &Reader<'_>, rules: &Rules) -> Grants {
        let several = |key, keys| table.has(key).then(|| table.tables(key, keys));
        Grants {
            exec: several("exec", &EXEC)
                .map(|entries| entries.iter().map(|entry| self.exec_grant(entry, rules)).collect()),
            read: several("read", &PATH)
                .map(|entries| entries.iter().map(|entry| self.path_grant(entry)).collect()),
            write: several("write", &PATH)
                .map(|entries| entries.iter().map(|entry| self.path_grant(entry)).collect()),
            link: several("link", &LINK)
                .map(|entries| entries.iter().map(|entry| self.link_grant(entry)).collect()),
            connect: several("connect", &CONNECT)
                .map(|entries| entries.iter().map(|entry| self.connect_grant(entry)).collect()),
            http: several("http", &HTTP)
                .map(|entries| entries.iter().map(|entry| self.http_grant(entry)).collect()),
            secrets: table.has("secrets").then(Vec::new),
        }
    }

    fn exec_grant(&mut self, entry: &Reader<'_>, rules: &Rules) -> ExecGrant {
        let program = entry.string("program");
        if !program.is_empty()
            && !program.starts_with('/')
            && !rules.bare_programs
            && (PROGRAM.check)(&program).is_ok()
        {
            self.fault(
                &entry.span("program"),
                "config/grant",
                format!("`{program}` is not an absolute path"),
                |fault| fault.hint("only builtin:command-build finds programs on the builder's PATH"),
            );
        }
        let interpreter = entry.boolean("interpreter");
        if is_interpreter(&program) && !interpreter {
            let message = format!("`{program}` runs code out of its arguments or input");
            self.fault(&entry.span("program"), "config/grant", message, |fault| {
                fault.hint("grant the program that is meant; or acknowledge it by `interpreter = true`")
            });
        }
        if entry.boolean("as-root") {
            self.as_root(entry);
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

    /// What runs as root is exact: nothing in it is the hook's choice.
    fn as_root(&mut self, entry: &Reader<'_>) {
        for item in entry.several("args") {
            if item.text().is_some_and(|text| text == "*" || text == "**") {
                self.fault(
                    &item.span,
                    "config/grant",
                    "a program that runs as root takes no wildcard".into(),
                    |fault| fault.hint("one entry for each list of arguments"),
                );
            }
        }
        let choice = |node: &Node| match &node.value {
            Value::Array(items) => !items.is_empty(),
            Value::Boolean(value) => *value,
            _ => false,
        };
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

    fn path_grant(&mut self, entry: &Reader<'_>) -> PathGrant {
        PathGrant { hosts: self.host_group(entry, "hosts"), path: entry.string("path") }
    }

    fn link_grant(&mut self, entry: &Reader<'_>) -> LinkGrant {
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
        HttpGrant { to, private: entry.boolean("private"), via }
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
                names.extend(self.host(text, &item.span));
            }
        }
        HostGroup::Named(names)
    }
}
