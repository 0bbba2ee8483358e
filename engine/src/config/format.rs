//! Formats of strings: what is accepted, and why a text is not.

use super::duration;
use crate::model::{Name, placeholder};

/// A format of strings.
#[derive(Debug)]
pub(super) struct Format {
    /// `a duration`, for messages.
    pub(super) is: &'static str,
    /// For editors: a regular expression (ECMA 262), where one says it.
    pub(super) pattern: Option<&'static str>,
    /// Checks a text.
    pub(super) check: fn(&str) -> Result<(), Complaint>,
}

/// Why a text is not of a format.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) message: String,
    pub(super) choices: &'static [&'static str],
    pub(super) hint: Option<String>,
}

impl Complaint {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), choices: &[], hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Placeholders of commands and of values of environment variables.
const COMMAND_PLACEHOLDERS: &[&str] = &["port", "listen", "color", "release", "directory"];

pub(super) static TEXT: Format = Format { is: "a string", pattern: None, check: |_| Ok(()) };

pub(super) static WORD: Format = Format {
    is: "a string that is not empty",
    pattern: Some("."),
    check: |text| if text.is_empty() { Err(Complaint::new("the string is empty")) } else { Ok(()) },
};

pub(super) static NAME: Format = Format {
    is: "a name",
    pattern: Some("^[a-z0-9][a-z0-9_-]{0,62}$"),
    check: |text| Name::new(text).map(drop).map_err(|fault| Complaint::new(fault.to_string())),
};

pub(super) static DURATION: Format = Format {
    is: "a time such as \"90s\"",
    pattern: Some(r"^\s*(\d+d\s*)?(\d+h\s*)?(\d+m\s*)?(\d+s\s*)?(\d+ms\s*)?$"),
    check: |text| match duration::parse(text) {
        Some(time) if !time.is_zero() => Ok(()),
        Some(_) => Err(Complaint::new(format!("`{text}` is no time to wait: it must be more than nothing"))),
        None => Err(no_duration(text)),
    },
};

pub(super) static DURATION_OR_ZERO: Format = Format {
    check: |text| duration::parse(text).map(drop).ok_or_else(|| no_duration(text)),
    ..DURATION_BASE
};

const DURATION_BASE: Format = Format {
    is: "a time such as \"90s\", or \"0s\"",
    pattern: Some(r"^\s*(\d+d\s*)?(\d+h\s*)?(\d+m\s*)?(\d+s\s*)?(\d+ms\s*)?$"),
    check: |_| Ok(()),
};

fn no_duration(text: &str) -> Complaint {
    Complaint::new(format!("`{text}` is not a time"))
        .hint("whole numbers with ms, s, m, h or d, the largest first, at most a year: \"500ms\", \"90s\", \"1h 30m\"")
}

pub(super) static COMMAND_WORD: Format =
    Format { is: "a string", pattern: None, check: |text| placeholders(text, COMMAND_PLACEHOLDERS) };

pub(super) static LISTEN: Format = Format {
    is: "an address",
    pattern: None,
    check: |text| {
        placeholders(text, &["address"])?;
        if text == "{address}" || text.parse::<std::net::IpAddr>().is_ok() {
            return Ok(());
        }
        Err(Complaint::new(format!("`{text}` is not an address to listen on"))
            .hint("an IP address such as \"127.0.0.1\" or \"0.0.0.0\", or \"{address}\" for the host's own"))
    },
};

pub(super) static ANSWER: Format =
    Format { is: "a string", pattern: None, check: |text| placeholders(text, &["color", "release"]) };

fn placeholders(text: &str, known: &'static [&'static str]) -> Result<(), Complaint> {
    match placeholder::names(text).into_iter().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Complaint {
            message: format!("unknown placeholder `{{{name}}}`"),
            choices: known,
            hint: Some(format!("for the text itself write `{{{{{name}}}}}`")),
        }),
    }
}

pub(super) static VARIABLE: Format = Format {
    is: "the name of an environment variable",
    pattern: Some("^[A-Za-z_][A-Za-z0-9_]*$"),
    check: |text| {
        let first = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if first && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            Ok(())
        } else {
            Err(Complaint::new(format!("`{text}` is not the name of an environment variable")))
        }
    },
};

pub(super) static APP_VARIABLE: Format = Format {
    check: |text| {
        (VARIABLE.check)(text)?;
        if matches!(text, "CUTOVER_RELEASE" | "CUTOVER_COLOR" | "PORT") {
            return Err(Complaint::new(format!("`{text}` is set by cutover for every process"))
                .hint("leave it out, or give the value under another name by a placeholder: `{release}`, `{color}`, `{port}`"));
        }
        Ok(())
    },
    ..VARIABLE_BASE
};

const VARIABLE_BASE: Format = Format {
    is: "the name of an environment variable",
    pattern: Some("^[A-Za-z_][A-Za-z0-9_]*$"),
    check: |_| Ok(()),
};

pub(super) static DIRECTORY: Format = Format {
    is: "an absolute path",
    pattern: Some("^(/|~/)."),
    check: |text| {
        let inner = text.strip_prefix("~/").or_else(|| text.strip_prefix('/'));
        match inner {
            None => Err(Complaint::new(format!("`{text}` is not an absolute path"))
                .hint("begin it with `/`, or with `~/` for the home directory on the host")),
            Some("") => Err(Complaint::new(format!("`{text}` is a whole tree, not a directory of its own"))),
            Some(inner) if !plain(inner) => Err(not_plain(text)),
            Some(_) => Ok(()),
        }
    },
};

pub(super) static RELATIVE: Format = Format {
    is: "a relative path",
    pattern: Some("^[^/~-]"),
    check: |text| {
        if text.starts_with(['/', '~']) {
            return Err(Complaint::new(format!("`{text}` is not a relative path")));
        }
        if plain(text) { Ok(()) } else { Err(not_plain(text)) }
    },
};

/// Whether a path has no empty, `.` or `..` part and no character that is not to be shown.
fn plain(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    !path.starts_with('-')
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
        && !path.chars().any(char::is_control)
}

fn not_plain(text: &str) -> Complaint {
    Complaint::new(format!("`{text}` is not a plain path"))
        .hint("write it without `.`, `..`, `//` and without a leading `-`")
}

pub(super) static DESTINATION: Format = Format {
    is: "an SSH destination",
    pattern: Some("^[^-]"),
    check: |text| {
        let complaint = || {
            Complaint::new(format!("`{text}` is not an SSH destination"))
                .hint("write `[user@]host[:port]`, or an alias of your SSH configuration")
        };
        if text.starts_with('-') {
            return Err(
                complaint().hint("a destination never begins with `-`: ssh would take it as an option")
            );
        }
        let harmless = |word: &str, more: &str| {
            !word.is_empty()
                && !word.starts_with('-')
                && word.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let (user, host, port) = parts(text).ok_or_else(complaint)?;
        let port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        if port && user.is_none_or(|user| harmless(user, "._-+")) && harmless(host, "._-:%") {
            Ok(())
        } else {
            Err(complaint())
        }
    },
};

/// User, host and port of `[user@]host[:port]`; an IPv6 address with a port stands in brackets.
fn parts(destination: &str) -> Option<(Option<&str>, &str, Option<&str>)> {
    let (user, rest) = match destination.split_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, destination),
    };
    if let Some(bracketed) = rest.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']')?;
        let port = after.strip_prefix(':');
        return (port.is_some() || after.is_empty()).then_some((user, host, port));
    }
    match rest.split_once(':') {
        Some((host, port)) if !port.contains(':') => Some((user, host, Some(port))),
        _ => Some((user, rest, None)),
    }
}

/// The host part of `[user@]host[:port]`.
pub(super) fn host_of(destination: &str) -> &str {
    parts(destination).map_or(destination, |(_, host, _)| host)
}

pub(super) static ADDRESS: Format = Format {
    is: "a host name or IP address",
    pattern: Some("^[A-Za-z0-9]"),
    check: |text| {
        let fine = text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
            && text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if fine || text.parse::<std::net::IpAddr>().is_ok() {
            return Ok(());
        }
        Err(Complaint::new(format!("`{text}` is not a host name or IP address"))
            .hint("write it without a port, scheme or path"))
    },
};

pub(super) static REPOSITORY: Format = Format {
    is: "a git URL or path",
    pattern: Some("^[^-]"),
    check: |text| {
        let complaint = Complaint {
            message: format!("`{text}` is not a repository that cutover fetches from"),
            choices: &["https://…", "ssh://…", "user@host:path", "file://…", "a path"],
            hint: None,
        };
        let odd =
            text.is_empty() || text.starts_with('-') || text.chars().any(|c| c.is_control() || c == ' ');
        let fine = match text.split_once("://") {
            Some((scheme, rest)) => matches!(scheme, "https" | "ssh" | "file") && !rest.starts_with('-'),
            None => !text.contains("::"),
        };
        if fine && !odd { Ok(()) } else { Err(complaint) }
    },
};

pub(super) static BRANCH: Format = Format {
    is: "a branch, or \"*\"",
    pattern: Some("^[^-]"),
    check: |text| {
        let odd = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
        let fine = !text.is_empty()
            && !text.starts_with(['-', '/', '.'])
            && !text.ends_with(['/', '.'])
            && !text.ends_with(".lock")
            && !text.contains("..")
            && !text.contains("//")
            && !text.contains("@{")
            && !text.contains(odd);
        if fine || text == "*" {
            return Ok(());
        }
        Err(Complaint::new(format!("`{text}` is not the name of a branch"))
            .hint("one branch, or \"*\" where any branch may go live"))
    },
};

pub(super) static USER: Format = Format {
    is: "the name of a user",
    pattern: Some("^[a-z_][a-z0-9_-]*$"),
    check: |text| {
        let fine = text.len() <= 32
            && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
        if fine { Ok(()) } else { Err(Complaint::new(format!("`{text}` is not the name of a user"))) }
    },
};

pub(super) static HEADER: Format = Format {
    is: "the name of a header",
    pattern: Some("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"),
    check: |text| {
        let fine = !text.is_empty()
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+.^_`|~-".contains(c));
        if fine { Ok(()) } else { Err(Complaint::new(format!("`{text}` is not the name of a header"))) }
    },
};

pub(super) static POINTER: Format = Format {
    is: "a JSON pointer",
    pattern: Some("^/"),
    check: |text| {
        if text.starts_with('/') {
            return Ok(());
        }
        Err(Complaint::new(format!("`{text}` is not a JSON pointer"))
            .hint(format!("write `/{}`", text.replace('.', "/"))))
    },
};

pub(super) static URL: Format = Format {
    is: "a URL",
    pattern: Some("^https?://"),
    check: |text| match http_url(text) {
        Some(_) => Ok(()),
        None => Err(Complaint::new(format!("`{text}` is not a URL that can be probed"))
            .hint("write `https://name[:port]/path` or `http://…`, without a user and without a fragment")),
    },
};

pub(super) static UNIT_LINE: Format = Format {
    is: "a line of a unit",
    pattern: Some("^[A-Z][A-Za-z0-9]*="),
    check: |text| {
        let ours = [
            "Exec",
            "Environment",
            "Type",
            "User",
            "WorkingDirectory",
            "KillMode",
            "KillSignal",
            "TimeoutStop",
        ];
        let key = text.split_once('=').map(|(key, _)| key);
        let fine = |key: &str| {
            key.starts_with(|c: char| c.is_ascii_uppercase())
                && key.chars().all(|c| c.is_ascii_alphanumeric())
        };
        match key.filter(|key| fine(key) && !text.chars().any(char::is_control)) {
            None => Err(Complaint::new(format!("`{text}` is not a line of a unit"))
                .hint("lines of the `[Service]` section, such as \"LimitNOFILE=65536\"")),
            Some(key) if ours.iter().any(|word| key.starts_with(word)) => {
                Err(Complaint::new(format!("`{key}` is set by cutover")))
            }
            Some(_) => Ok(()),
        }
    },
};

/// Scheme and authority of an `http` or `https` URL.
pub(super) fn http_url(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
    let (host, port) = match authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let fine = matches!(scheme, "http" | "https")
        && !host.is_empty()
        && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_[]:".contains(c))
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
        && !text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '#');
    fine.then_some((scheme, authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sort(format: &Format, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!((format.check)(text), Ok(()), "{}: {text}", format.is);
        }
        for text in bad {
            assert!((format.check)(text).is_err(), "{}: {text}", format.is);
        }
    }

    #[test]
    fn what_reaches_a_command_line_is_harmless() {
        sort(
            &DESTINATION,
            &["web1", "deploy@web1.example.com", "deploy@web1:2222", "u@[::1]:22", "::1", "[fe80::1%eth0]"],
            &[
                "",
                "-oProxyCommand=x",
                "u@-x",
                "-u@x",
                "@x",
                "u@",
                "a b",
                "x:",
                "x:0",
                "x:99999",
                "x:22:y;",
                "ssh://x",
                "x;y",
                "[::1",
            ],
        );
        sort(
            &REPOSITORY,
            &["git@example.com:shop.git", "https://example.com/x", "../shop", "/srv/git/shop", "file:///x"],
            &["", "-x", "ext::sh -c x", "git://x", "http://x", "ssh://-x", "a b"],
        );
        sort(
            &BRANCH,
            &["main", "*", "release/1.2"],
            &["", "-x", "a b", "a..b", "feature/*", "a/", "x.lock", "a@{1}"],
        );
        sort(&ADDRESS, &["10.0.0.1", "web1.example.com", "::1"], &["", "-x", "a:80", "http://a", "a/b"]);
    }

    #[test]
    fn paths_stay_where_they_are_said_to_be() {
        sort(
            &DIRECTORY,
            &["/srv/shop", "~/apps/shop", "/srv/shop/"],
            &["", "/", "~", "~/", "srv", "/srv/../etc", "/a//b", "/./a"],
        );
        sort(
            &RELATIVE,
            &["log", "config/master.key"],
            &["", "/etc", "../x", "a/../b", "~/x", "-x", "a//b", "."],
        );
    }

    #[test]
    fn other_formats() {
        sort(
            &URL,
            &["https://shop.example.com/up", "http://127.0.0.1:8080", "http://[::1]:80/x?y"],
            &[
                "",
                "shop.example.com",
                "ftp://x",
                "https://",
                "http://u@x/",
                "http://x:y/",
                "http://x/#f",
                "http://x y",
            ],
        );
        sort(&COMMAND_WORD, &["", "--port={port}", "{\"a\":1}", "{{word}}"], &["{prot}", "{address}"]);
        sort(&LISTEN, &["127.0.0.1", "{address}", "::"], &["", "localhost", "{listen}", "1.2.3.4:80"]);
        sort(
            &UNIT_LINE,
            &["LimitNOFILE=65536"],
            &["", "x", "[Install]", "ExecStart=/x", "A=1\nExecStart=/x", "User=root"],
        );
        sort(&APP_VARIABLE, &["RUST_LOG", "_x"], &["", "1A", "A-B", "PORT", "CUTOVER_COLOR"]);
        sort(&POINTER, &["/release"], &["release", ""]);
    }
}
