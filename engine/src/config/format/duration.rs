//! Times as people write them: `90s`, `500ms`, `1h 30m`.

use std::time::Duration;

use super::{Complaint, Format};

/// Longer times are mistakes.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Reads a time: whole numbers with `ms`, `s`, `m`, `h` or `d`, the largest unit first; at most a year.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = 0_u64;
    let mut last = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0)?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
        let unit: u64 = match &rest[..letters] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        if unit >= last {
            return None;
        }
        last = unit;
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = rest[letters..].trim_start();
    }
    let duration = Duration::from_millis(total);
    (last != u64::MAX && duration <= LONGEST).then_some(duration)
}

pub(in crate::config) const PATTERN: &str = r"^\s*(\d+d\s*)?(\d+h\s*)?(\d+m\s*)?(\d+s\s*)?(\d+ms\s*)?$";

pub(in crate::config) static DURATION: Format = Format {
    is: "a time such as \"90s\"",
    pattern: Some(PATTERN),
    check: |text| match parse(text) {
        Some(time) if !time.is_zero() => Ok(()),
        Some(_) => Err(Complaint::new(format!("`{text}` is no time to wait: it must be more than nothing"))),
        None => Err(no_duration(text)),
    },
};

pub(in crate::config) static DURATION_OR_ZERO: Format = Format {
    is: "a time such as \"90s\", or \"0s\"",
    pattern: Some(PATTERN),
    check: |text| parse(text).map(drop).ok_or_else(|| no_duration(text)),
};

fn no_duration(text: &str) -> Complaint {
    Complaint::new(format!("`{text}` is not a time"))
        .hint("whole numbers with ms, s, m, h or d, the largest first, at most a year: \"500ms\", \"90s\", \"1h 30m\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, want) in [
            ("15m", Some(900_000)),
            ("90s", Some(90_000)),
            ("500ms", Some(500)),
            ("1h 30m", Some(5_400_000)),
            ("1h30m", Some(5_400_000)),
            ("2d", Some(172_800_000)),
            ("0s", Some(0)),
            ("", None),
            ("5", None),
            ("s", None),
            ("1.5h", None),
            ("-1s", None),
            ("30m 1h", None),
            ("1s 1s", None),
            ("5 s", None),
            ("5S", None),
            ("400d", None),
            ("99999999999999999999d", None),
        ] {
            assert_eq!(parse(text), want.map(Duration::from_millis), "{text}");
        }
    }
}
