//! What is planned for hosts that get a release in turns, in words: each of them has one place, so that no colour is named.

use crate::model::{Action, HostName, Plan, Step};

/// An action of a turn; none where it says enough of itself without a colour.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are not part of a turn, or name no colour")]
pub(super) fn turn_words(action: &Action) -> Option<String> {
    let names = |hosts: &[HostName]| hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(" ");
    Some(match action {
        // It is said with what makes it so, and the looks before a stop go without saying.
        Action::Prepare { .. } | Action::RequireUnrouted { .. } => String::new(),
        Action::Switch { want, .. } if want.only().is_none() => "route to no host".to_owned(),
        Action::Switch { want, .. } if want.out.is_empty() => "route to all hosts".to_owned(),
        Action::Switch { want, .. } => format!("route without {}", names(&want.out)),
        Action::Configure { .. } => "write its environment".to_owned(),
        Action::Clear { .. } => "stop what runs".to_owned(),
        Action::Stop { .. } => "stop it".to_owned(),
        Action::Point { release: Some(release), .. } => format!("point to {release}"),
        Action::Point { release: None, .. } => "remove the link".to_owned(),
        Action::Start { release, .. } => format!("start {release}"),
        Action::AwaitHealthy { .. } => "wait until it is healthy".to_owned(),
        Action::RequireHealthy { .. } => "make sure that it is healthy".to_owned(),
        Action::Drain { hosts, .. } if hosts.is_empty() => "drain all hosts".to_owned(),
        Action::Prove { .. } => "prove that it answers".to_owned(),
        Action::RecordLive { release, .. } => format!("record {release} as live"),
        _ => return None,
    })
}

/// What the failure of a step leads to.
pub(super) fn on_failure(plan: &Plan, step: Step) -> String {
    match step {
        Step::Stage => "nothing changed".to_owned(),
        Step::Migrate => "rolled back; no host is touched".to_owned(),
        Step::Finish => format!("a warning; release {} stays live", plan.release.number),
        Step::Lock
        | Step::Preflight
        | Step::Build
        | Step::Out
        | Step::Start
        | Step::Health
        | Step::Smoke
        | Step::In
        | Step::Switch
        | Step::Watch
        | Step::Drain
        | Step::Retire
        | Step::Undo => "each host that had its turn goes back; rolled back".to_owned(),
    }
}
