//! What was heard of a question that went well, and which of its calls are made to go wrong.

use crate::hook::{Meddler, Memory, Place};

/// Calls that a question made when all went well, and what the world answered.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    /// Those that are made to go wrong.
    pub(super) places: Vec<Place>,
    pub(super) memory: Memory,
}

impl Heard {
    pub(super) fn of(meddler: &Meddler) -> Self {
        Self { places: told_apart(&meddler.calls()), memory: meddler.memory() }
    }

    /// The same without the calls that another way has, too.
    pub(super) fn without(&self, other: &Self) -> Self {
        let is_new = |place: &&Place| other.places.iter().all(|others| others.call != place.call);
        Self { places: self.places.iter().filter(is_new).cloned().collect(), memory: self.memory.clone() }
    }
}

/// Which calls are made to go wrong: of those that are alike, as of a hook that waits, the first and the last.
fn told_apart(calls: &[String]) -> Vec<Place> {
    let mut places = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let nth = calls[..index].iter().filter(|before| *before == call).count();
        let is_last = !calls[index + 1..].contains(call);
        if nth == 0 || is_last {
            places.push(Place { call: call.clone(), nth });
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_calls_that_are_alike_two_are_enough() {
        let found = |text: &str| {
            let calls: Vec<String> = text.split(' ').map(str::to_owned).collect();
            let places = told_apart(&calls);
            places.iter().map(|place| format!("{} {}", place.call, place.nth)).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(found("ask write ask ask ask reload"), "ask 0, write 0, ask 3, reload 0");
        assert_eq!(found("ask"), "ask 0");
        assert_eq!(told_apart(&[]), []);
    }

    #[test]
    fn what_is_asked_on_both_ways_counts_once() {
        let heard = |calls: &[&str]| {
            let calls: Vec<String> = calls.iter().map(|call| (*call).to_owned()).collect();
            Heard { places: told_apart(&calls), memory: Memory::default() }
        };
        let (there, back) = (heard(&["ask", "raise green"]), heard(&["ask", "lower green", "ask"]));
        assert_eq!(back.without(&there).places, heard(&["lower green"]).places);
    }
}
