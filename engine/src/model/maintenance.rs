//! Maintenance: no colour gets requests, until a person ends it.

use super::{HistoryEntry, Outcome};

/// What a person asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maintenance {
    /// From now on no colour gets requests.
    On,
    /// The live colour gets them again.
    Off,
}

impl Maintenance {
    /// As it stands in journal and history.
    #[must_use]
    pub const fn command(self) -> &'static str {
        match self {
            Self::On => "maintenance on",
            Self::Off => "maintenance off",
        }
    }

    /// What a command of a journal or a history asked for, where it was about that.
    #[must_use]
    pub fn of(command: &str) -> Option<Self> {
        [Self::On, Self::Off].into_iter().find(|wanted| wanted.command() == command)
    }
}

/// The entry of a history by which maintenance began last.
#[must_use]
pub fn maintenance_begun(history: &[HistoryEntry]) -> Option<&HistoryEntry> {
    let began = |entry: &&HistoryEntry| {
        entry.outcome == Outcome::Deployed && Maintenance::of(&entry.command) == Some(Maintenance::On)
    };
    history.iter().rfind(began)
}
