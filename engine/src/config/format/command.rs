//! Commands, their environment, and texts with placeholders.

use super::{Complaint, Format};
use crate::model::{Placeholders, placeholder};

pub(in crate::config) static COMMAND_WORD: Format =
    Format { is: "a string", pattern: None, check: |text| placeholders(text, &Placeholders::NAMES) };

pub(in crate::config) static LISTEN: Format = Format {
    is: "an address",
    pattern: None,
    check: |text| {
        placeholders(text, &["{address}"])?;
        if text == "{address}" || text.parse::<std::net::IpAddr>().is_ok() {
            return Ok(());
        }
        Err(Complaint::new(format!("`{text}` is not an address to listen on"))
            .hint("an IP address such as \"127.0.0.1\" or \"0.0.0.0\", or \"{address}\" for the host's own"))
    },
};

pub(in crate::config) static ANSWER: Format =
    Format { is: "a string", pattern: None, check: |text| placeholders(text, &["{color}", "{release}"]) };

fn placeholders(text: &str, known: &'static [&'static str]) -> Result<(), Complaint> {
    let mut names = placeholder::names(text).into_iter().map(|name| format!("{{{name}}}"));
    match names.find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(Complaint::new(format!("unknown placeholder `{name}`"))
            .choices(known)
            .hint(format!("for the text itself write `{{{name}}}`"))),
    }
}

const VARIABLE_IS: &str = "the name of an environment variable";
const VARIABLE_PATTERN: &str = "^[A-Za-z_][A-Za-z0-9_]*$";

pub(in crate::config) static VARIABLE: Format = Format {
    is: VARIABLE_IS,
    pattern: Some(VARIABLE_PATTERN),
    check: |text| {
        let first = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if first && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            Ok(())
        } else {
            Err(Complaint::new(format!("`{text}` is not the name of an environment variable")))
        }
    },
};

pub(in crate::config) static APP_VARIABLE: Format = Format {
    is: VARIABLE_IS,
    pattern: Some(VARIABLE_PATTERN),
    check: |text| {
        (VARIABLE.check)(text)?;
        if matches!(text, "CUTOVER_RELEASE" | "CUTOVER_COLOR" | "PORT") {
            return Err(Complaint::new(format!("`{text}` is set by cutover for every process"))
                .hint("leave it out: every process gets it"));
        }
        Ok(())
    },
};

pub(in crate::config) static UNIT_LINE: Format = Format {
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
