//! Words of the command line that stand for something.

use std::time::Duration;

use crate::config::parse_duration;

/// A time: `90s`, `15m`, `1h 30m`.
///
/// # Errors
/// A text for the user.
pub(super) fn time(text: &str) -> Result<Duration, &'static str> {
    parse_duration(text).ok_or("use whole numbers with ms, s, m, h or d: `90s`, `15m`, `1h 30m`")
}

/// A number of lines, or of entries.
///
/// # Errors
/// A text for the user.
pub(super) fn count(text: &str) -> Result<u32, &'static str> {
    text.parse().map_err(|_| "use a whole number, such as `50`")
}

/// A number of lines, or of entries, of at least one.
///
/// # Errors
/// A text for the user.
pub(super) fn some(text: &str) -> Result<u32, &'static str> {
    count(text).ok().filter(|count| *count > 0).ok_or("use a whole number from 1, such as `50`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_told_what_is() {
        assert_eq!((count("0"), some("7")), (Ok(0), Ok(7)));
        for wrong in ["abc", "-1", "1.5", "", "99999999999"] {
            assert_eq!(count(wrong), Err("use a whole number, such as `50`"), "{wrong}");
        }
        assert_eq!(some("0"), Err("use a whole number from 1, such as `50`"));
    }
}
