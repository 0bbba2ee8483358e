//! The limits of one hook.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Breach, Limit};

/// An amount for each limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits([u64; Limit::ALL.len()]);

impl Default for Limits {
    fn default() -> Self {
        let mut amounts = [0; Limit::ALL.len()];
        for (amount, limit) in amounts.iter_mut().zip(Limit::ALL) {
            *amount = limit.spec().default;
        }
        Self(amounts)
    }
}

impl Limits {
    /// The amount of a limit: bytes, things or milliseconds.
    #[must_use]
    pub const fn get(&self, limit: Limit) -> u64 {
        self.0[limit as usize]
    }

    /// The amount of a limit, as the number that memory is counted in.
    #[must_use]
    pub fn size(&self, limit: Limit) -> usize {
        usize::try_from(self.get(limit)).unwrap_or(usize::MAX)
    }

    /// The amount of a limit that is a time.
    #[must_use]
    pub const fn time(&self, limit: Limit) -> Duration {
        Duration::from_millis(self.get(limit))
    }

    /// These limits but for one. What can't be set becomes the nearest that can.
    #[must_use]
    pub fn with(mut self, limit: Limit, amount: u64) -> Self {
        let spec = limit.spec();
        self.0[limit as usize] = amount.clamp(spec.least, spec.most);
        self
    }

    /// That a limit was broken.
    #[must_use]
    pub const fn breach(&self, limit: Limit) -> Breach {
        Breach { limit, amount: self.get(limit) }
    }

    /// Those that are not the default, as they are written: `memory = 512 MiB`.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let differs = |limit: &&Limit| self.get(**limit) != limit.spec().default;
        let word = |limit: &Limit| format!("{limit} = {}", limit.text(self.get(*limit)));
        Limit::ALL.iter().filter(differs).map(word).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told() {
        assert_eq!(Limits::default().words(), [""; 0]);
        let limits = Limits::default().with(Limit::Memory, 512 << 20).with(Limit::HttpIdle, 0);
        assert_eq!(limits.words(), ["memory = 512 MiB", "http-idle = 10ms"]);
        assert_eq!(limits.time(Limit::HttpIdle), Duration::from_millis(10));
        let text = serde_json::to_string(&limits).expect("JSON");
        assert_eq!(serde_json::from_str::<Limits>(&text).expect("limits"), limits);
    }
}
