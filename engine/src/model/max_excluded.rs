//! How many hosts a deployment may leave out.

/// `pipeline.max-excluded`: hosts that can't be reached, or that fail before the switch, are left out up to this bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxExcluded {
    /// So many.
    Hosts(usize),
    /// Percent of the application's hosts, rounded down.
    Percent(usize),
}

impl MaxExcluded {
    /// All or nothing.
    pub const NONE: Self = Self::Hosts(0);

    /// How many of so many hosts; one always remains.
    #[must_use]
    pub const fn of(self, hosts: usize) -> usize {
        let most = match self {
            Self::Hosts(most) => most,
            Self::Percent(percent) => hosts.saturating_mul(percent) / 100,
        };
        let others = hosts.saturating_sub(1);
        if most < others { most } else { others }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down_and_one_host_remains() {
        let of = |bound: MaxExcluded| [1, 2, 3, 4, 7, 100].map(|hosts| bound.of(hosts));
        assert_eq!(of(MaxExcluded::NONE), [0; 6]);
        assert_eq!(of(MaxExcluded::Hosts(2)), [0, 1, 2, 2, 2, 2]);
        assert_eq!(of(MaxExcluded::Percent(25)), [0, 0, 0, 1, 1, 25]);
        assert_eq!(of(MaxExcluded::Percent(100)), [0, 1, 2, 3, 6, 99]);
    }
}
