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
