//! What of a progress decides how it goes on, for telling equal ones apart from others.

use std::hash::{Hash, Hasher};

use super::{Mark, Progress};

impl Progress {
    /// Feeds all that decides how it goes on: not the plan, and not the words of errors.
    pub(crate) fn fingerprint(&self, hasher: &mut impl Hasher) {
        let number = |mark: &Mark| match mark {
            Mark::Open(tries) => 2 + tries,
            Mark::Done => 0,
            Mark::Failed(_) => 1,
        };
        for (id, mark) in &self.tasks {
            (id, number(mark)).hash(hasher);
        }
        for (id, mark) in &self.undos {
            (id, number(mark)).hash(hasher);
        }
        for host in self.left_out.keys().chain(self.lost.keys()).chain(&self.kept_out) {
            host.hash(hasher);
        }
        (self.turned_back.is_some(), self.pivoted, self.closed.is_some()).hash(hasher);
    }
}
