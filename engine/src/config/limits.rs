//! `limits` of a hook: made from the model's own table of them.

use super::format::{self, Complaint};
use super::reader::Reader;
use super::shape::{Key, Keys, Presence, Shape};
use crate::model::{Limit, Limits, Unit};

/// The table.
pub(super) static KEYS: Keys = Keys::new(
    "What the hook may use. Each has a default; a hook that wants more is told which it broke.",
    &[
        key(Limit::File),
        key(Limit::CompileTime),
        key(Limit::CompileMemory),
        key(Limit::Memory),
        key(Limit::Memories),
        key(Limit::Instances),
        key(Limit::Tables),
        key(Limit::TableElements),
        key(Limit::Stack),
        key(Limit::Handles),
        key(Limit::Random),
        key(Limit::CallBytes),
        key(Limit::Request),
        key(Limit::Answer),
        key(Limit::Imports),
        key(Limit::Output),
        key(Limit::LogLine),
        key(Limit::LogLines),
        key(Limit::ExecCalls),
        key(Limit::ExecOutput),
        key(Limit::HttpRequests),
        key(Limit::HttpConnect),
        key(Limit::HttpFirstByte),
        key(Limit::HttpIdle),
        key(Limit::HttpTotal),
        key(Limit::HttpBody),
        key(Limit::HttpHeaders),
        key(Limit::AtOnce),
    ],
);

const fn key(limit: Limit) -> Key {
    let spec = limit.spec();
    let (shape, presence) = match spec.unit {
        Unit::Bytes | Unit::Time => (Shape::Limit(limit), Presence::Text(spec.written)),
        // The highest of them is far below what an integer holds.
        Unit::Count => (
            Shape::Integer(spec.least.cast_signed(), spec.most.cast_signed()),
            Presence::Integer(spec.default.cast_signed()),
        ),
    };
    Key { name: spec.key, shape, presence, doc: spec.doc }
}

/// The limits of a table; what is not written, or was found wrong, is the default.
pub(super) fn read(table: &Reader<'_>) -> Limits {
    Limit::ALL.iter().fold(Limits::default(), |limits, limit| {
        let spec = limit.spec();
        let amount = match spec.unit {
            Unit::Count => Some(table.integer(spec.key)),
            Unit::Bytes | Unit::Time => table.text(spec.key).and_then(|text| parse(*limit, text)),
        };
        limits.with(*limit, amount.unwrap_or(spec.default))
    })
}

/// # Errors
/// When a text is no amount of the limit's kind, or out of its range.
pub(super) fn check(limit: Limit, text: &str, path: &str) -> Result<(), Complaint> {
    let spec = limit.spec();
    let range = || format!("from {} to {}", limit.text(spec.least), limit.text(spec.most));
    match parse(limit, text) {
        Some(amount) if (spec.least..=spec.most).contains(&amount) => Ok(()),
        Some(_) => Err(Complaint::new(format!("`{path}` is {text}: it must be {}", range()))),
        None => {
            let kind = if spec.unit == Unit::Time { "a time" } else { "an amount of bytes" };
            Err(Complaint::new(format!("`{text}` is not {kind}")).hint(format!(
                "{}, such as \"{}\"",
                range(),
                spec.written
            )))
        }
    }
}

/// What is accepted, in words.
pub(super) fn describe(limit: Limit) -> String {
    let kind = if limit.spec().unit == Unit::Time { "a time" } else { "an amount of bytes" };
    format!("{kind} such as \"{}\"", limit.spec().written)
}

/// What a bare number seems to lack.
pub(super) const fn unit(limit: Limit) -> &'static str {
    if matches!(limit.spec().unit, Unit::Time) { "s" } else { " MiB" }
}

/// For editors.
pub(super) const fn pattern(limit: Limit) -> &'static str {
    if matches!(limit.spec().unit, Unit::Time) {
        format::DURATION_PATTERN
    } else {
        r"^\s*\d+\s*(B|KiB|MiB|GiB)\s*$"
    }
}

fn parse(limit: Limit, text: &str) -> Option<u64> {
    match limit.spec().unit {
        Unit::Time => u64::try_from(format::parse_duration(text)?.as_millis()).ok(),
        Unit::Bytes | Unit::Count => bytes(text.trim()),
    }
}

/// `512 MiB`; the unit is never left out.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let size: u64 = match unit.trim_start() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_has_its_key() {
        let keys: Vec<&str> = KEYS.keys.iter().map(|key| key.name).collect();
        let limits: Vec<&str> = Limit::ALL.iter().map(|limit| limit.spec().key).collect();
        assert_eq!(keys, limits);
    }

    #[test]
    fn amounts_of_bytes_are_read_as_people_write_them() {
        for (text, want) in [
            ("512 MiB", Some(512 << 20)),
            ("512MiB", Some(512 << 20)),
            (" 1 GiB ", Some(1 << 30)),
            ("64 KiB", Some(64 << 10)),
            ("0 B", Some(0)),
            ("512", None),
            ("512 MB", None),
            ("1.5 GiB", None),
            ("-1 B", None),
            ("MiB", None),
            ("", None),
            ("99999999999999999999 B", None),
            ("99999999999 GiB", None),
        ] {
            assert_eq!(parse(Limit::Memory, text), want, "{text}");
        }
        assert_eq!(parse(Limit::HttpIdle, "1m 30s"), Some(90_000));
    }
}
