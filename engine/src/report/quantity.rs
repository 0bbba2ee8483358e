//! Lengths of time, points in time and sizes in the words of people.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::model::{Timestamp, Transfer};

/// Formats of quantities. They have no state; the type is a name for them.
#[derive(Debug)]
pub struct Quantity;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl Quantity {
    /// How long something took: `0.9 s`, `60.0 s`, `1 m 53 s`, `2 h 5 m`.
    #[must_use]
    pub fn took(duration: Duration) -> String {
        let tenths = (duration.as_millis() + 50) / 100;
        if tenths < 900 {
            format!("{}.{} s", tenths / 10, tenths % 10)
        } else {
            Self::two_units(duration.saturating_add(Duration::from_millis(500)).as_secs())
        }
    }

    /// How long something may take, or is left: `60 s`, `5 m`, `1 m 30 s`, `0.5 s`.
    #[must_use]
    pub fn wait(duration: Duration) -> String {
        if duration.as_secs() == 0 && !duration.is_zero() {
            return Self::took(duration);
        }
        let seconds = duration.as_secs();
        if seconds < 90 { format!("{seconds} s") } else { Self::two_units(seconds) }
    }

    /// How old something is, or how long it runs: `3 s`, `12 m`, `5 h 10 m`, `2 d 4 h`, `9 d`.
    #[must_use]
    pub fn age(duration: Duration) -> String {
        match duration.as_secs() {
            seconds if seconds < MINUTE => format!("{seconds} s"),
            seconds if seconds < HOUR => format!("{} m", seconds / MINUTE),
            seconds if seconds < 7 * DAY => Self::two_units(seconds),
            seconds => format!("{} d", seconds / DAY),
        }
    }

    /// The two largest units; the second is left out when it is zero.
    fn two_units(seconds: u64) -> String {
        let (large, large_name, small, small_name) = match seconds {
            s if s < HOUR => (s / MINUTE, "m", s % MINUTE, "s"),
            s if s < DAY => (s / HOUR, "h", s % HOUR / MINUTE, "m"),
            s => (s / DAY, "d", s % DAY / HOUR, "h"),
        };
        if small == 0 {
            format!("{large} {large_name}")
        } else {
            format!("{large} {large_name} {small} {small_name}")
        }
    }

    /// A size: `512 B`, `1.3 MB`, `48 MB`. Powers of ten.
    #[must_use]
    pub fn bytes(bytes: u64) -> String {
        let unit = Unit::for_size(bytes);
        format!("{} {}", unit.number(bytes), unit.name)
    }

    /// A transfer: `1.3 of 48 MB`.
    #[must_use]
    pub fn transfer(transfer: Transfer) -> String {
        let unit = Unit::for_size(transfer.total);
        format!("{} of {} {}", unit.number(transfer.done), unit.number(transfer.total), unit.name)
    }

    /// UTC: `2026-03-01 14:02:11`.
    #[must_use]
    pub fn date_time(at: Timestamp) -> String {
        Self::zoned(at, "%Y-%m-%d %H:%M:%S")
    }

    /// UTC: `14:02:11`.
    #[must_use]
    pub fn time(at: Timestamp) -> String {
        Self::zoned(at, "%H:%M:%S")
    }

    fn zoned(at: Timestamp, format: &str) -> String {
        // Times come from hosts too: one that no calendar knows is shown as it came.
        let known = i64::try_from(at.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        match known {
            Some(time) => time.to_zoned(TimeZone::UTC).strftime(format).to_string(),
            None => format!("{} ms", at.0),
        }
    }
}

/// A unit of size.
struct Unit {
    name: &'static str,
    bytes: u64,
}

impl Unit {
    fn for_size(bytes: u64) -> Self {
        let (name, bytes) = match bytes {
            0..1_000 => ("B", 1),
            1_000..999_500 => ("kB", 1_000),
            999_500..999_500_000 => ("MB", 1_000_000),
            999_500_000..999_500_000_000 => ("GB", 1_000_000_000),
            _ => ("TB", 1_000_000_000_000),
        };
        Self { name, bytes }
    }

    /// One decimal below ten.
    fn number(&self, bytes: u64) -> String {
        let tenths = (u128::from(bytes) * 10 + u128::from(self.bytes) / 2) / u128::from(self.bytes);
        if self.bytes == 1 || tenths == 0 || tenths >= 100 || tenths.is_multiple_of(10) {
            format!("{}", (tenths + 5) / 10)
        } else {
            format!("{}.{}", tenths / 10, tenths % 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_say_them() {
        let table = [
            (40, "0.0 s"),
            (940, "0.9 s"),
            (41_200, "41.2 s"),
            (60_000, "60.0 s"),
            (89_940, "89.9 s"),
            (113_000, "1 m 53 s"),
            (7_500_000, "2 h 5 m"),
            (180_000, "3 m"),
            // A host whose clock is broken, or that lies.
            (u64::MAX, "213503982334 d 14 h"),
        ];
        for (ms, text) in table {
            assert_eq!(Quantity::took(Duration::from_millis(ms)), text);
        }
        let ages = [(3, "3 s"), (725, "12 m"), (18_600, "5 h 10 m"), (187_200, "2 d 4 h"), (800_000, "9 d")];
        for (seconds, text) in ages {
            assert_eq!(Quantity::age(Duration::from_secs(seconds)), text);
        }
        assert_eq!(Quantity::wait(Duration::from_secs(60)), "60 s");
        assert_eq!(Quantity::wait(Duration::from_secs(300)), "5 m");
        assert_eq!(Quantity::wait(Duration::from_millis(500)), "0.5 s");
    }

    #[test]
    fn sizes_share_their_unit() {
        let table = [
            (0, "0 B"),
            (999, "999 B"),
            (1_500, "1.5 kB"),
            (48_000_000, "48 MB"),
            (999_600, "1 MB"),
            (2_130_000_000, "2.1 GB"),
        ];
        for (bytes, text) in table {
            assert_eq!(Quantity::bytes(bytes), text);
        }
        let transfer = |done, total| Quantity::transfer(Transfer { done, total });
        assert_eq!(transfer(1_300_000, 48_000_000), "1.3 of 48 MB");
        assert_eq!(transfer(0, 48_000_000), "0 of 48 MB");
        assert_eq!(transfer(12, 700), "12 of 700 B");
    }

    #[test]
    fn points_in_time_are_utc() {
        assert_eq!(Quantity::date_time(Timestamp(1_772_373_731_000)), "2026-03-01 14:02:11");
        assert_eq!(Quantity::time(Timestamp(0)), "00:00:00");
        assert_eq!(Quantity::time(Timestamp(u64::MAX)), "18446744073709551615 ms");
    }
}
