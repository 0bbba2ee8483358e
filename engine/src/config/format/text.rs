//! Names and other short texts.

use super::{Complaint, Format};
use crate::model::Name;

pub(in crate::config) static TEXT: Format = Format { is: "a string", pattern: None, check: |_| Ok(()) };

pub(in crate::config) static WORD: Format = Format {
    is: "a string that is not empty",
    pattern: Some("."),
    check: |text| if text.is_empty() { Err(Complaint::new("the string is empty")) } else { Ok(()) },
};

pub(in crate::config) static NAME: Format = Format {
    is: "a name",
    pattern: Some("^[a-z0-9][a-z0-9_-]{0,62}$"),
    check: |text| Name::new(text).map(drop).map_err(|fault| Complaint::new(fault.to_string())),
};

pub(in crate::config) static USER: Format = Format {
    is: "the name of a user",
    pattern: Some("^[a-z_][a-z0-9_-]*$"),
    check: |text| {
        let fine = text.len() <= 32
            && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
        if fine { Ok(()) } else { Err(Complaint::new(format!("`{text}` is not the name of a user"))) }
    },
};

pub(in crate::config) static PERCENT: Format = Format {
    is: "a share such as \"25%\"",
    pattern: Some("^(100|[0-9]{1,2})%$"),
    check: |text| match parse_percent(text) {
        Some(_) => Ok(()),
        None => Err(Complaint::new(format!("`{text}` is no share: write whole percent, \"0%\" to \"100%\""))),
    },
};

/// Reads whole percent, at most 100.
pub(in crate::config) fn parse_percent(text: &str) -> Option<usize> {
    let digits = text.strip_suffix('%').filter(|digits| digits.chars().all(|c| c.is_ascii_digit()))?;
    digits.parse().ok().filter(|percent| *percent <= 100)
}

pub(in crate::config) static HEADER: Format = Format {
    is: "the name of a header",
    pattern: Some("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"),
    check: |text| {
        let fine = !text.is_empty()
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+.^_`|~-".contains(c));
        if fine { Ok(()) } else { Err(Complaint::new(format!("`{text}` is not the name of a header"))) }
    },
};

pub(in crate::config) static POINTER: Format = Format {
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
