//! What to do with a deployment that did not end: the resume table, as a pure function over journal, world and clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Color, Observed, Progress, Timestamp, Trouble};

/// Within this time after it was planned, a switch that was not watched to its end is taken back without asking. Later, the new version
/// may have written what the old one can't read.
const FRESH: Duration = Duration::from_mins(15);

/// What a person asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// `cutover resume`: what the table says.
    Resume,
    /// `cutover resume --forward`: forward where the table offers the choice.
    ResumeForward,
    /// `cutover abort`: always back.
    Abort,
}

/// What recovery does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "go", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Decision {
    /// Undo all that was done.
    Back {
        /// What is said to people.
        why: Trouble,
    },
    /// Go on where it stopped.
    Forward,
    /// Touch nothing.
    Person {
        /// What is said to people.
        why: Trouble,
    },
}

/// What recovery looks at beside the journal: the world, never inferred from the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// Hosts and routers as they are.
    pub observed: Observed,
    /// Whether every instance of the new colour is healthy now.
    pub new_healthy: bool,
    /// Whether every instance of the old colour is healthy now.
    pub old_healthy: bool,
    /// The clock.
    pub now: Timestamp,
}

/// Decides what to do with a deployment that has not ended.
#[must_use]
pub fn decide(progress: &Progress, sight: &Sight, ask: Ask) -> Decision {
    let plan = progress.plan();
    let (new, old) = (plan.color, plan.live.as_ref().map(|(color, _)| *color));
    let shown = sight.observed.live_color();
    if progress.is_pivoted() {
        return match (ask, shown) {
            (Ask::Abort, _) => person(
                "abort/too-late",
                format!(
                    "release {} is live since the pivot, so there is nothing to abort",
                    plan.release.number
                ),
                "`cutover rollback` puts the release before it back, `cutover resume` finishes the clean-up",
            ),
            (_, Ok(Some(color))) if color == new => Decision::Forward,
            _ => moved(new),
        };
    }
    if progress.turned_back().is_some() {
        return back_again(progress);
    }
    let back = || Decision::Back { why: Trouble::new("deploy/abandoned", "the deployment did not end") };
    let Ok(shown) = shown else {
        return if old.is_none() || sight.old_healthy { back() } else { sick(sight, old) };
    };
    if shown != Some(new) {
        // The routers show what they showed before, or nothing where nothing was: no traffic is on the new colour.
        return match ask {
            Ask::ResumeForward => Decision::Forward,
            Ask::Resume | Ask::Abort => back(),
        };
    }
    match (sight.new_healthy, old.is_none() || sight.old_healthy) {
        (false, false) => sick(sight, old),
        (false, true) => back(),
        (true, false) if ask != Ask::ResumeForward => sick(sight, old),
        (true, _) if ask == Ask::ResumeForward => Decision::Forward,
        (true, _) if ask == Ask::Abort || sight.now.since(plan.made) < FRESH => back(),
        (true, _) => person(
            "resume/old-switch",
            format!(
                "{new} has had the traffic for a while: its release may have written what the old one can't read"
            ),
            "`cutover resume --forward` keeps it and watches again, `cutover abort` switches back",
        ),
    }
}

fn back_again(progress: &Progress) -> Decision {
    let why = progress.first_error().cloned().unwrap_or_default();
    Decision::Back { why }
}

fn moved(new: Color) -> Decision {
    person(
        "resume/moved",
        format!(
            "the deployment had switched to {new}, and the routers show something else now: someone moved them"
        ),
        "look at `cutover status`, put the routers where they should be, then `cutover resume`",
    )
}

fn sick(sight: &Sight, old: Option<Color>) -> Decision {
    let health = match (sight.new_healthy, old) {
        (true, Some(old)) => format!("{old} is not healthy and can't take the traffic back"),
        _ => "no colour is healthy".to_owned(),
    };
    person(
        "resume/no-way",
        format!("{health}, so the traffic stays where it is"),
        "mend one colour (`cutover logs`, `cutover exec`), then `cutover abort` or `cutover resume --forward`",
    )
}

fn person(code: &str, message: String, hint: &str) -> Decision {
    Decision::Person { why: Trouble::new(code, message).hint(hint) }
}
