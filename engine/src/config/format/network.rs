//! What is reached over the network.

use super::{Complaint, Format};
use crate::model::grant::{Authorities, Url};
use crate::model::{BucketUrl, Destination, is_branch_name};

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
        if Destination::parse(text).is_some() { Ok(()) } else { Err(complaint()) }
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

/// The host part of `[user@]host[:port]`.
pub(in crate::config) fn host_of(destination: &str) -> &str {
    Destination::parse(destination).map_or(destination, |parsed| parsed.host)
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

pub(in crate::config) static AUTHORITIES: Format = Format {
    is: "certificates in PEM",
    pattern: Some("-----BEGIN CERTIFICATE-----"),
    check: |text| {
        Authorities::parse(text).map(drop).map_err(|why| {
            let line = text.lines().next().unwrap_or_default();
            Complaint::new(format!("`{line}` is not the certificate of an authority: {why}"))
                .hint("paste the text of the file: it begins with `-----BEGIN CERTIFICATE-----`")
        })
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
        if text == "*" || is_branch_name(text) {
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
