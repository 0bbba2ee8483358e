//! What hosts could say, for tests of what is made of it.

use cutover_host::operation::{Facts, Lock};

use super::Examined;
use crate::driver::sample;
use crate::model::Record;
use crate::store::{Lineage, Membership, StateSight};

/// What the clocks of hosts show.
pub(crate) const NOW: u64 = 1_000_000_000;

pub(crate) fn lineage(id: u128) -> Lineage {
    Lineage::new(ulid::Ulid(id))
}

/// A sound state directory at an epoch; the lock is free.
pub(crate) fn state(membership: Membership, epoch: u64) -> StateSight<Record> {
    StateSight {
        path: "/state".to_owned(),
        membership: Ok(Some(membership)),
        fence: Ok(epoch),
        lock: Ok(Lock { version: 1, epoch, ..Lock::default() }),
        live: Ok(None),
        open: Ok(None),
        journal: None,
        history: Ok(1),
        journals: 1,
        bytes: 100,
    }
}

pub(crate) fn examined(state: StateSight<Record>) -> Examined {
    let facts = Facts { now_ms: NOW, ..sample::facts("deploy", 1000) };
    Examined { facts, ahead_ms: 0, states: vec![state], partials: Vec::new(), helpers: 1 }
}
