//! Lengths of time on the command line: `90s`, `15m`, `2h`, `7d`.

use std::time::Duration;

/// Reads one, for clap.
///
/// # Errors
/// A text for the user.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let fault = || "use a whole number with a unit: `500ms`, `90s`, `15m`, `2h`, `7d`".to_owned();
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(fault)?;
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| fault())?;
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(fault()),
    };
    number.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit() {
        assert_eq!(parse("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("7d"), Ok(Duration::from_secs(604_800)));
        for bad in ["", "15", "m", "1.5h", "-1s", "1 s", "1y", "99999999999999999999d"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
