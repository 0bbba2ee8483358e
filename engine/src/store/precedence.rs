//! Where a directory of turns stands in the order that everybody takes turns in.

use cutover_host::operation::{FaultKind, Operation};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::state_directory::TRIES;
use super::versioned;
use super::{StateDirectory, StoreFault};

/// Name of the file.
const PRECEDENCE: &str = "precedence";

/// Content of the file: who is asked first has the lower one. Random, and never changed once it is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Precedence {
    place: String,
}

impl Precedence {
    /// A new one: `place` is fresh and random.
    #[must_use]
    pub fn new(place: Ulid) -> Self {
        Self { place: place.to_string() }
    }
}

impl StateDirectory {
    /// The one that was settled for this directory, by whoever came first; `fresh` is settled where nobody came yet.
    ///
    /// Nobody holds anything before it is known, so this is the one file that is written under no epoch: created where there is none, by
    /// one append to what must be empty, and only read from then on.
    ///
    /// # Errors
    /// What the host or the way to it may meet.
    pub async fn settle_precedence(&self, fresh: Precedence) -> Result<Precedence, StoreFault> {
        let written =
            versioned::encode(&fresh).map_err(|error| self.malformed(PRECEDENCE, error.to_string()))?;
        for _ in 0..TRIES {
            // Between creation and content, it is empty.
            if self.read_bytes(PRECEDENCE, 1 << 10).await?.is_some_and(|text| !text.is_empty())
                && let Some(settled) = self.read(PRECEDENCE).await?
            {
                return Ok(settled);
            }
            let make = Operation::MakeDirectory { path: self.path().to_owned(), mode: 0o700 };
            let answer = self.repeat(None, make).await?;
            self.done(&answer)?;
            let append =
                Operation::Append { path: self.file(PRECEDENCE), at: 0, content: written.clone().into() };
            match self.repeat(None, append).await {
                // Another one was faster, or this one's own first try has taken effect.
                Ok(_) | Err(StoreFault::Refused { kind: FaultKind::Conflict, .. }) => {}
                Err(fault) => return Err(fault),
            }
        }
        Err(self.malformed(PRECEDENCE, "it is empty".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::fake_host::{FakeHost, Mishap};
    use super::*;

    #[tokio::test]
    async fn who_comes_first_settles_it_for_all_whatever_breaks() {
        for mishap in
            [None, Some(Mishap::BreaksBefore), Some(Mishap::BreaksAfter), Some(Mishap::BreaksLate(1))]
        {
            for at in 0..5 {
                let host = FakeHost::new("lb1", false);
                let of = |link| StateDirectory::at(link, "/home/deploy/.router".to_owned());
                let first = of(host.link(mishap.map(|mishap| (at, mishap))) as Arc<_>);
                let settled = first.settle_precedence(Precedence::new(Ulid(7))).await;
                let second = of(host.link(None) as Arc<_>);
                let found = second.settle_precedence(Precedence::new(Ulid(8))).await;
                assert_eq!(settled, Ok(Precedence::new(Ulid(7))), "{mishap:?} at {at}");
                assert_eq!(found, settled, "{mishap:?} at {at}");
            }
        }
    }
}
