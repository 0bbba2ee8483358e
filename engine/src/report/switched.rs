//! A switch in words.

use crate::model::Switched;

/// What is worth saying of a switch: how far apart several routers were, and what came from the old release although it was over.
#[must_use]
pub fn switched(switch: &Switched) -> Option<String> {
    let Switched { routers, requests, .. } = *switch;
    let late = match (switch.late, switch.last_late_ms) {
        (Some(late @ 1..), last) => {
            let when = last.map(|ms| format!(", the last {} after it began", seconds(ms)));
            Some(format!("the old release answered {late} of {requests} since{}", when.unwrap_or_default()))
        }
        (Some(0), _) => Some(format!("the old release answered none of {requests} since")),
        (None, _) => None,
    };
    let apart = match switch.skew_ms {
        _ if routers < 2 => return late.filter(|_| switch.late != Some(0)),
        Some(ms) => format!("{routers} routers within {}", seconds(ms)),
        None => format!("{routers} routers; how far apart is not known"),
    };
    Some([Some(apart), late].into_iter().flatten().collect::<Vec<_>>().join("; "))
}

/// Tenths of a second, rounded up: it was no longer.
fn seconds(ms: u64) -> String {
    let tenths = ms.div_ceil(100);
    format!("{}.{} s", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_is_not_said() {
        let one = Switched {
            weight: 100,
            routers: 1,
            skew_ms: Some(0),
            requests: 83,
            late: Some(0),
            last_late_ms: None,
        };
        let two = Switched { routers: 2, skew_ms: Some(241), requests: 143, ..one };
        let late = |switch: Switched| Switched { late: Some(4), last_late_ms: Some(620), ..switch };
        let unknown = Switched { skew_ms: None, ..two };
        let table = [
            (one, None),
            (Switched { late: None, ..one }, None),
            (late(one), Some("the old release answered 4 of 83 since, the last 0.7 s after it began")),
            (two, Some("2 routers within 0.3 s; the old release answered none of 143 since")),
            (Switched { late: None, requests: 0, ..two }, Some("2 routers within 0.3 s")),
            (
                late(two),
                Some(
                    "2 routers within 0.3 s; the old release answered 4 of 143 since, the last 0.7 s after it began",
                ),
            ),
            (
                unknown,
                Some("2 routers; how far apart is not known; the old release answered none of 143 since"),
            ),
            (
                Switched { last_late_ms: None, ..late(unknown) },
                Some("2 routers; how far apart is not known; the old release answered 4 of 143 since"),
            ),
        ];
        for (switch, words) in table {
            assert_eq!(switched(&switch).as_deref(), words);
        }
    }
}
