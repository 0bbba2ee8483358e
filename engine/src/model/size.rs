//! Amounts of bytes, for people.

use std::fmt;

use super::Transfer;

/// So many bytes of so many, both in the unit of the larger one: `1.3 of 48 MB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    done: Option<u64>,
    total: u64,
}

impl Size {
    /// An amount.
    #[must_use]
    pub const fn bytes(total: u64) -> Self {
        Self { done: None, total }
    }

    /// A part of an amount.
    #[must_use]
    pub const fn of(transfer: Transfer) -> Self {
        Self { done: Some(transfer.done), total: transfer.total }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(&str, u64); 4] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000), ("B", 1)];
        let (unit, size) = UNITS.into_iter().find(|(_, size)| self.total >= *size).unwrap_or(("B", 1));
        let number = |bytes: u64| {
            let tenths = (u128::from(bytes) * 10 + u128::from(size) / 2) / u128::from(size);
            if tenths >= 100 || tenths.is_multiple_of(10) {
                format!("{}", (tenths + 5) / 10)
            } else {
                format!("{}.{}", tenths / 10, tenths % 10)
            }
        };
        match self.done {
            Some(done) => write!(f, "{} of {} {unit}", number(done), number(self.total)),
            None => write!(f, "{} {unit}", number(self.total)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        let text = |done, total| Size::of(Transfer { done, total }).to_string();
        assert_eq!(text(1_300_000, 48_000_000), "1.3 of 48 MB");
        assert_eq!(text(0, 0), "0 of 0 B");
        assert_eq!(text(999, 1_000), "1 of 1 kB");
        assert_eq!(text(5, 12), "5 of 12 B");
        assert_eq!(Size::bytes(2_000_000_000).to_string(), "2 GB");
        assert_eq!(Size::bytes(u64::MAX).to_string(), "18446744074 GB");
        assert_eq!(Size::bytes(48_213_111).to_string(), "48 MB");
    }
}
