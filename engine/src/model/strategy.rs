//! How traffic moves to the new release: all at once, or a share of it at a time with a watch in between, or from host to host.

use std::time::Duration;

/// Weight of a colour that gets every request, in percent.
pub const WHOLE: u32 = 100;

/// `pipeline.strategy`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Strategy {
    /// All at once.
    #[default]
    BlueGreen,
    /// These shares one after the other, then all.
    Canary(Vec<CanaryStep>),
    /// Without colours: so many hosts at a time are taken out, and get the new release in the place of the old one.
    Rolling {
        /// At least 1, and fewer than there are.
        batch: usize,
    },
}

/// A share of the requests that the new colour gets before it gets all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CanaryStep {
    /// Percent of new requests, 1 to 99.
    pub weight: u32,
    /// How long the new colour is watched at this weight.
    pub watch: Duration,
}

impl Strategy {
    /// The shares before the whole, the smallest first.
    #[must_use]
    pub fn steps(&self) -> &[CanaryStep] {
        match self {
            Self::BlueGreen | Self::Rolling { .. } => &[],
            Self::Canary(steps) => steps,
        }
    }

    /// How many hosts are taken out at a time, where they are.
    #[must_use]
    pub const fn batch(&self) -> Option<usize> {
        match self {
            Self::BlueGreen | Self::Canary(_) => None,
            Self::Rolling { batch } => Some(*batch),
        }
    }

    /// Whether weights can be those of steps: each a share, and more than the one before.
    #[must_use]
    pub fn are_weights(weights: &[u32]) -> bool {
        weights.iter().all(|weight| (1..WHOLE).contains(weight))
            && weights.is_sorted_by(|one, next| one < next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_shares_that_rise() {
        for fine in [&[][..], &[1], &[99], &[5, 50], &[1, 2, 99]] {
            assert!(Strategy::are_weights(fine), "{fine:?}");
        }
        for wrong in [&[0][..], &[100], &[5, 5], &[50, 5], &[5, 101]] {
            assert!(!Strategy::are_weights(wrong), "{wrong:?}");
        }
    }
}
