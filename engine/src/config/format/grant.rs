//! What may be granted.

use super::command::VARIABLE;
use super::{Complaint, Format};
use crate::model::grant::{DATE, Origin, VariableRule};

pub(in crate::config) static PROGRAM: Format = Format {
    is: "the absolute path of a program",
    pattern: Some("^[^*]+$"),
    check: |text| {
        if text.contains('*') {
            return Err(Complaint::advised(
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
            return Err(Complaint::advised(
                format!("`{text}` is not a program"),
                "an absolute path, such as \"/usr/sbin/nginx\"",
            ));
        }
        match text.rsplit('/').next() {
            Some(word @ ("sudo" | "su" | "doas" | "pkexec" | "runuser" | "setpriv")) => {
                Err(Complaint::advised(
                    format!("`{word}` can't be granted"),
                    "name the program itself, with `as-root = true`",
                ))
            }
            _ => Ok(()),
        }
    },
};

pub(in crate::config) static GRANTED_VARIABLE: Format = Format {
    is: "the name of an environment variable",
    pattern: Some("^[A-Za-z_][A-Za-z0-9_]*$"),
    check: |text| {
        (VARIABLE.check)(text)?;
        if VariableRule::of(text) == VariableRule::Never {
            let hint = "it has a fixed value, or decides which code every program loads";
            return Err(Complaint::advised(format!("`{text}` can't be granted"), hint));
        }
        Ok(())
    },
};

pub(in crate::config) static GRANTED_PATH: Format = Format {
    is: "an absolute path",
    pattern: Some("^(/|\\{checkout\\}|\\{output\\})"),
    check: |text| {
        let place = build_place(text);
        let inner = &text[place.map_or(0, str::len)..];
        if place.is_some() && inner.is_empty() {
            return Ok(());
        }
        let Some(inner) = inner.strip_prefix('/') else { return Err(no_path(text)) };
        if place.is_none() && matches!(inner, "" | "*" | "**") {
            let message = format!("`{text}` would allow too much");
            return Err(Complaint::advised(message, "name the directory that is meant"));
        }
        if inner.split('/').any(|part| matches!(part, "" | "." | "..")) || inner.chars().any(char::is_control)
        {
            return Err(no_path(text));
        }
        if inner.split('/').any(|part| part == ".ssh") {
            return Err(Complaint::advised(
                format!("`{text}` can't be granted"),
                "no hook comes near SSH keys",
            ));
        }
        Ok(())
    },
};

fn no_path(text: &str) -> Complaint {
    Complaint::advised(
        format!("`{text}` is not an absolute path"),
        "begin with `/`, without `.`, `..`, `//` and without a `/` at the end",
    )
}

/// `{checkout}` or `{output}` at the beginning of a text: directories of a build, known only when it runs.
pub(in crate::config) fn build_place(text: &str) -> Option<&'static str> {
    ["{checkout}", "{output}"].into_iter().find(|place| text.starts_with(place))
}

pub(in crate::config) static EXACT: Format = Format {
    is: "a path",
    pattern: Some("^[^*]+$"),
    check: |text| {
        let fine = !text.is_empty() && !text.contains('*') && !text.chars().any(char::is_control);
        if fine {
            Ok(())
        } else {
            Err(Complaint::advised(format!("`{text}` is not exact"), "targets of links are named one by one"))
        }
    },
};

pub(in crate::config) static SOCKET: Format = Format {
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
        if fine {
            return Ok(());
        }
        let complaint = Complaint::new(format!("`{text}` is not a socket"));
        let complaint = complaint.choices(&["unix:/path", "tcp:ADDRESS:PORT"]);
        let meant = format!("unix:{text}");
        Err(if text.starts_with('/') && (SOCKET.check)(&meant).is_ok() {
            complaint.hint(format!("did you mean `{meant}`?"))
        } else {
            complaint
        })
    },
};

pub(in crate::config) static ORIGIN: Format = Format {
    is: "an origin, or \"instances\"",
    pattern: Some("^(instances$|https?://[^/]+$)"),
    check: |text| {
        if text.contains('*') {
            return (WHOLE_NETWORK.check)(text);
        }
        let origin = Origin::parse(text).is_ok() && !text.ends_with('/');
        if origin || text == "instances" {
            return Ok(());
        }
        let choices = &["instances", "https://name[:port]", "http://name[:port]"];
        Err(Complaint::new(format!("`{text}` is not an origin")).choices(choices))
    },
};

pub(in crate::config) static WHOLE_NETWORK: Format = Format {
    is: "no text",
    pattern: Some("^$a"),
    check: |text| {
        let advice = "grant what it needs: [{ to = \"instances\" }] or [{ to = \"https://name\" }]";
        let message = if text.contains('*') {
            format!("`{text}` would allow the whole network")
        } else {
            format!("`{text}` stands alone: an entry is a table")
        };
        Err(Complaint::advised(message, advice))
    },
};

pub(in crate::config) static SECRET_ORIGIN: Format = Format {
    is: "an origin",
    pattern: Some("^https?://[^/]+$"),
    check: |text| {
        if text == "instances" {
            let advice = "a release that is being tried gets no secret: name the origin, in `http` too, if that is meant";
            return Err(Complaint::advised("`instances` get no secrets", advice));
        }
        if text.contains('*') {
            let advice = "a secret goes to origins that are named: an entry for each";
            return Err(Complaint::advised(format!("`{text}` is not one origin"), advice));
        }
        let choices = &["https://name[:port]", "http://name[:port]"];
        (ORIGIN.check)(text).map_err(|complaint| complaint.choices(choices))
    },
};

pub(in crate::config) static LINK_OF_CHAIN: Format = Format {
    is: "a text of a chain",
    pattern: Some("."),
    check: |text| {
        let advice = "`{date}` is the one that may change, a text by itself: a date within a day of now";
        let odd = text.contains('*') || (text != DATE && text.contains(['{', '}']));
        if odd {
            Err(Complaint::advised(format!("`{text}` is not exact"), advice))
        } else if text.is_empty() {
            Err(Complaint::new("the string is empty"))
        } else {
            Ok(())
        }
    },
};

pub(in crate::config) static BARE_SECRET: Format = Format {
    is: "no text",
    pattern: Some("^$a"),
    check: |text| {
        let advice = format!(
            "bind it to where it may go: [{{ name = \"{text}\", to = \"https://name\", header = \"authorization\" }}]"
        );
        Err(Complaint::new(format!("`{text}` stands alone: an entry is a table")).hint(advice))
    },
};
