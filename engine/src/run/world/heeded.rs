//! Whether a router has heeded what it was asked for. Pure.

use crate::model::{Observation, Routing};

/// What follows from what a router shows that was asked for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is so.
    Done,
    /// It failed, and the router says so too.
    Fail,
    /// It was away meanwhile, as in a restart: what it was asked for may not have got there, or is forgotten.
    AskAgain,
    /// It is on its way, or does not say.
    LookAgain,
}

impl Next {
    /// `seen` is what it shows, where it says so; `failed`, whether it answered with an error; `away`, whether a look since then got no
    /// answer.
    pub(crate) fn of(seen: Option<&Observation>, want: &Routing, failed: bool, away: bool) -> Self {
        if planted!(SwitchBelieved) && !failed {
            return Self::Done;
        }
        match seen {
            Some(seen) if !seen.settled => Self::LookAgain,
            Some(seen) if seen.routing.as_ref() == Some(want) => Self::Done,
            Some(_) if away => Self::AskAgain,
            Some(_) if failed => Self::Fail,
            Some(_) | None => Self::LookAgain,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::Color;

    /// Where another rule holds than that the router is believed alone, and an error counts from who was there all the time.
    pub(crate) fn broken() -> Option<String> {
        let [blue, green] = Color::ALL.map(Routing::all_to);
        let shows = |routing: Option<&Routing>, settled| {
            Some(Observation { routing: routing.cloned(), settled, labels: Vec::new() })
        };
        // What it shows; then what follows: after a yes, after an error, and the same of one that was away since.
        let table = [
            (shows(Some(&green), true), [Next::Done; 4]),
            (shows(Some(&green), false), [Next::LookAgain; 4]),
            (shows(Some(&blue), false), [Next::LookAgain; 4]),
            (None, [Next::LookAgain; 4]),
            (shows(Some(&blue), true), [Next::LookAgain, Next::Fail, Next::AskAgain, Next::AskAgain]),
            (shows(None, true), [Next::LookAgain, Next::Fail, Next::AskAgain, Next::AskAgain]),
        ];
        let cases = [(false, false), (true, false), (false, true), (true, true)];
        table.into_iter().find_map(|(seen, expected)| {
            let found = cases.map(|(failed, away)| Next::of(seen.as_ref(), &green, failed, away));
            (found != expected).then(|| format!("where a router shows {seen:?}: {found:?}, not {expected:?}"))
        })
    }

    #[test]
    fn the_router_is_believed_and_nobody_else() {
        assert_eq!(broken(), None);
    }
}
