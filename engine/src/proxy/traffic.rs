//! Requests that are open, by application and colour: what a drain waits for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::model::{Color, Name};

/// The requests of one application.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    /// How many there were.
    pub(super) number: AtomicU64,
    blue: AtomicU64,
    green: AtomicU64,
}

/// One request, from its first byte to its last, or to the end of its websocket.
#[derive(Debug)]
pub(super) struct Open {
    traffic: Arc<Traffic>,
    color: Color,
}

/// How many requests are open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenCounts {
    /// At blue.
    pub blue: u64,
    /// At green.
    pub green: u64,
}

/// By application; those with none may be left out.
pub(super) type AllOpen = BTreeMap<Name, OpenCounts>;

/// The requests of all applications.
#[derive(Debug, Default)]
pub(super) struct Traffics {
    by_name: Mutex<BTreeMap<Name, Arc<Traffic>>>,
}

impl Traffic {
    const fn of(&self, color: Color) -> &AtomicU64 {
        match color {
            Color::Blue => &self.blue,
            Color::Green => &self.green,
        }
    }

    pub(super) fn open(self: &Arc<Self>, color: Color) -> Open {
        self.of(color).fetch_add(1, Ordering::SeqCst);
        Open { traffic: Arc::clone(self), color }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.traffic.of(self.color).fetch_sub(1, Ordering::SeqCst);
    }
}

impl OpenCounts {
    /// Of both colours.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.blue + self.green
    }
}

impl std::ops::Add for OpenCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        // One side is what another process says.
        Self { blue: self.blue.saturating_add(other.blue), green: self.green.saturating_add(other.green) }
    }
}

impl Traffics {
    pub(super) fn of(&self, name: &Name) -> Arc<Traffic> {
        let mut all = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(name.clone()).or_default())
    }

    pub(super) fn open(&self) -> AllOpen {
        let all = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |traffic: &Traffic| OpenCounts {
            blue: traffic.blue.load(Ordering::SeqCst),
            green: traffic.green.load(Ordering::SeqCst),
        };
        all.iter().map(|(name, traffic)| (name.clone(), count(traffic))).collect()
    }
}
