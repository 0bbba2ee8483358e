//! Paths.

use super::{Complaint, Format};

pub(in crate::config) static DIRECTORY: Format = Format {
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

pub(in crate::config) static RELATIVE: Format = Format {
    is: "a relative path",
    pattern: Some("^[^/~-]"),
    check: |text| {
        if text.starts_with(['/', '~']) {
            return Err(Complaint::new(format!("`{text}` is not a relative path"))
                .hint("it begins at the application's directory; what is linked, at `shared/` in it"));
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
