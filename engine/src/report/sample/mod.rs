//! Runs and views to look at, for tests: the same shop in each.

mod runs;
mod script;
mod status;
mod views;

pub(super) use runs::{
    crowded, deployed, interrupted, nothing_changed, smoke_failed, stuck, unfinished, unproven,
};
pub(super) use script::Script;
pub(super) use status::{status, status_in_trouble, status_with_releases};
pub(super) use views::{check, doctor, history, moved, plan, recovery, setup, state};

use crate::model::{Color, LiveRelease, Release, ReleaseId, Timestamp};

/// 2026-03-01 14:02:11 UTC.
const NOW: Timestamp = Timestamp(1_772_373_731_000);

fn ago(seconds: u64) -> Timestamp {
    Timestamp(NOW.0 - seconds * 1000)
}

fn live(color: Color, number: u64, seconds: u64) -> LiveRelease {
    LiveRelease { color, release: release(number), since: ago(seconds), excluded: Vec::new() }
}

fn release(number: u64) -> Release {
    let (revision, subject) = match number {
        43 => ("9f3c2a17d0", "Fix checkout"),
        _ => ("77b01de0aa", "Sell socks"),
    };
    Release {
        id: ReleaseId::parse(&format!("20260301T140211Z-{}-a1b{}", &revision[..8], number % 10))
            .expect("an identifier"),
        number,
        revision: Some(revision.to_owned()),
        subject: Some(subject.to_owned()),
        branch: Some("main".to_owned()),
        repository: Some("example.com/shop".to_owned()),
        version: None,
        digest: format!("sha256:{}", "1c4e".repeat(16)),
        size: 48_000_000,
        created: ago(600),
        labels: Vec::new(),
    }
}
