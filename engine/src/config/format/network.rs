//! What is reached over the network.

use super::{Complaint, Format};
use crate::model::BucketUrl;
use crate::model::grant::Url;

pub(in crate::config) static DESTINATION: Format = Format {
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

pub(in crate::config) static BUCKET: Format = Format {
    is: "the URL of an object store",
    pattern: Some("^(s3|gs|az)://[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*/?$"),
    check: |text| {
        BucketUrl::parse(text).map(drop).map_err(|why| {
            let hint = "leave `state` out and the first router host keeps it";
            Complaint::new(format!("`{text}` {why}"))
                .choices(&["s3://BUCKET/PREFIX", "gs://BUCKET/PREFIX", "az://CONTAINER/PREFIX"])
                .hint(hint)
        })
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
pub(in crate::config) fn host_of(destination: &str) -> &str {
    parts(destination).map_or(destination, |(_, host, _)| host)
}

pub(in crate::config) static ADDRESS: Format = Format {
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

pub(in crate::config) static REPOSITORY: Format = Format {
    is: "a git URL or path",
    pattern: Some("^[^-]"),
    check: |text| {
        let choices = &["https://…", "ssh://…", "user@host:path", "file://…", "a path"];
        let complaint = Complaint::new(format!("`{text}` is not a repository that cutover fetches from"))
            .choices(choices);
        let odd =
            text.is_empty() || text.starts_with('-') || text.chars().any(|c| c.is_control() || c == ' ');
        let fine = match text.split_once("://") {
            Some((scheme, rest)) => matches!(scheme, "https" | "ssh" | "file") && !rest.starts_with('-'),
            None => !text.contains("::"),
        };
        if fine && !odd { Ok(()) } else { Err(complaint) }
    },
};

pub(in crate::config) static BRANCH: Format = Format {
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

pub(in crate::config) static URL: Format = Format {
    is: "a URL",
    pattern: Some("^https?://"),
    check: |text| match Url::parse(text) {
        Ok(_) => Ok(()),
        Err(fault) => Err(Complaint::new(fault.to_string())
            .hint("write `https://name[:port]/path` or `http://…`, without a user and without a fragment")),
    },
};
