//! A step that has begun and not ended: what is known of how far it is.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::line::{Line, Tone};
use super::quantity::Quantity;
use crate::model::{Step, Transfer};

/// Over which time the rate of a transfer is taken.
const RATE_WINDOW: Duration = Duration::from_secs(4);
/// Columns of a bar.
const BAR: usize = 16;

/// A running step.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub(super) step: Step,
    pub(super) places: Vec<String>,
    pub(super) wait: Option<Duration>,
    /// On the clock of the run.
    pub(super) since: Duration,
    /// When something was last said of it in plain output.
    pub(super) told: Duration,
    text: String,
    transfers: BTreeMap<Option<String>, Transfer>,
    samples: VecDeque<(Duration, u64)>,
}

impl Running {
    pub(super) fn new(step: Step, places: &[String], wait: Option<Duration>, now: Duration) -> Self {
        Self {
            step,
            places: places.to_vec(),
            wait,
            since: now,
            told: now,
            text: String::new(),
            transfers: BTreeMap::new(),
            samples: VecDeque::new(),
        }
    }

    /// Whether news of a step and one of its places is about this one.
    pub(super) fn is(&self, step: Step, place: Option<&String>) -> bool {
        self.step == step && place.is_none_or(|place| self.places.is_empty() || self.places.contains(place))
    }

    pub(super) fn progress(
        &mut self,
        now: Duration,
        place: Option<&String>,
        text: &str,
        transfer: Option<Transfer>,
    ) {
        self.text = match place {
            Some(place) if self.places.len() > 1 && transfer.is_none() => format!("{place}: {text}"),
            Some(_) | None => text.to_owned(),
        };
        if let Some(transfer) = transfer {
            self.transfers.insert(place.cloned(), transfer);
            self.samples.push_back((now, self.moved().done));
            while self.samples.len() > 2 && now.saturating_sub(self.samples[0].0) > RATE_WINDOW {
                self.samples.pop_front();
            }
        }
    }

    /// Bytes over all places.
    fn moved(&self) -> Transfer {
        self.transfers.values().fold(Transfer { done: 0, total: 0 }, |sum, one| Transfer {
            done: sum.done.saturating_add(one.done),
            total: sum.total.saturating_add(one.total),
        })
    }

    /// Bytes a second over the last moments.
    fn rate(&self) -> Option<u64> {
        let ((from, before), (to, after)) = (self.samples.front()?, self.samples.back()?);
        let time = u64::try_from(to.saturating_sub(*from).as_millis()).ok().filter(|ms| *ms >= 200)?;
        after.saturating_sub(*before).saturating_mul(1000).checked_div(time)
    }

    /// In words: `1.3 of 48 MB, 12 MB/s`, `2 of 3 healthy`, `42 s left`.
    pub(super) fn words(&self, now: Duration) -> String {
        let mut words = Vec::new();
        if !self.transfers.is_empty() {
            words.push(Quantity::transfer(self.moved()));
            words.extend(self.rate().map(|rate| format!("{}/s", Quantity::bytes(rate))));
        } else if !self.text.is_empty() {
            words.push(self.text.clone());
        }
        if let Some(left) = self.left(now) {
            words.push(format!(
                "{} left",
                Quantity::wait(Duration::from_secs(left.as_millis().div_ceil(1000) as u64))
            ));
        }
        words.join(", ")
    }

    /// A bar for what has a known end, where there is room for one, then the words.
    pub(super) fn live(&self, now: Duration, bar: bool) -> Line {
        let moved = self.moved();
        let share = match (moved.total, self.wait) {
            (1.., _) => Some((u128::from(moved.done), u128::from(moved.total))),
            (0, Some(wait)) if self.step == Step::Watch => {
                Some((now.saturating_sub(self.since).as_millis(), wait.as_millis()))
            }
            (0, _) => None,
        };
        let bar = share.filter(|_| bar).map_or_else(Line::new, |(done, total)| {
            let full = (done.min(total) * BAR as u128 / total.max(1)) as usize;
            Line::of(Tone::Accent, &"━".repeat(full)).with(Tone::Dim, &"─".repeat(BAR - full)).text("  ")
        });
        bar.text(&self.words(now))
    }

    fn left(&self, now: Duration) -> Option<Duration> {
        let wait = self.wait.filter(|_| matches!(self.step, Step::Watch | Step::Drain | Step::Health))?;
        Some(wait.saturating_sub(now.saturating_sub(self.since)))
    }
}
