//! Connections that are still open where a release is to be put: `pipeline.drain` let them go on there.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::model::{Action, Color, ConnectionPolicy, HookCall, LiveRecord, Note, Observed, Plan, Trouble};
use crate::run::world::insist::insist;
use crate::run::world::observe::observing_call;
use crate::run::world::session::Session;

/// How long those that are about to end are waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Between two counts.
const COUNT_AGAIN: Duration = Duration::from_millis(250);

/// What is said of connections that a plan would cut before anything is moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StillOpen {
    /// They are cut, as the configuration has it, or whoever is in a hurry.
    Cut(Note),
    /// They were to go on, so that nothing is begun.
    Kept(Trouble),
}

/// Counts what a plan would cut; none where no router counts, or nothing is open.
pub(super) async fn still_open(
    session: &Session,
    plan: &Plan,
    observed: &Observed,
    live: Option<&LiveRecord>,
) -> Option<StillOpen> {
    let color = plan.color;
    if !clears(plan, observed) {
        return None;
    }
    let deadline = Instant::now() + PATIENCE.min(session.deployment.pipeline.drain_timeout);
    loop {
        let open = count(session, color, live).await;
        if open == 0 || Instant::now() >= deadline {
            return judge(plan, session.deployment.pipeline.connections, open);
        }
        sleep(COUNT_AGAIN).await;
    }
}

/// Whether it stops what runs and gets no new requests. What hosts have in turns is drained by each turn.
fn clears(plan: &Plan, observed: &Observed) -> bool {
    let runs = |action: &Action| {
        let Action::Clear { host, color } = action else { return false };
        observed.hosts.get(host).is_some_and(|seen| seen.instance(*color).running)
    };
    !plan.is_rolling() && plan.tasks().any(|(_, task)| runs(&task.action))
}

/// Connections of all routers that can tell.
async fn count(session: &Session, color: Color, live: Option<&LiveRecord>) -> u32 {
    let (deployment, call) = (&session.deployment, observing_call(&session.deployment, live));
    let mut open = 0_u32;
    for router in &deployment.router.names {
        let ask = |attempt| {
            let call = HookCall { attempt, ..call.clone() };
            async move { session.hooks.connections(&call, router, color).await }
        };
        let count = insist(deployment.router.hook.timeout, ask).await.ok().flatten();
        open = open.saturating_add(count.unwrap_or_default());
    }
    open
}

fn judge(plan: &Plan, policy: ConnectionPolicy, open: u32) -> Option<StillOpen> {
    let color = plan.color;
    let (connections, they) = if open == 1 { ("connection", "it") } else { ("connections", "them") };
    let told = format!("{color} still has {open} {connections} from when it was live");
    match open {
        0 => None,
        // A rollback is in a hurry.
        _ if policy == ConnectionPolicy::Wait && plan.command != "rollback" => {
            let message = format!("{told}, and this would cut {they}, since {color} is filled anew");
            let hint = format!(
                "deploy again once nobody has {they} any more; `pipeline.drain = {{ connections = \"cap\" }}` (or \"cut\") does not wait for {they}"
            );
            Some(StillOpen::Kept(Trouble::new("deploy/connections", message).hint(hint)))
        }
        _ => Some(StillOpen::Cut(Note::new("note", format!("{told}: this cuts {they}")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Deployment, Name, Observation, ObservedHost, ObservedInstance, Release, ReleaseId, Routing,
        Timestamp, Wish,
    };

    /// Blue is live, and green runs the release before; a plan of this command for it.
    fn planned(command: &str, release: &str) -> (Plan, Observed) {
        let name = |text: &str| Name::new(text).expect("a name");
        let id = |text: &str| ReleaseId::parse(text).expect("an identifier");
        let runs = |text: &str| {
            let release = Some(id(text));
            ObservedInstance { link: release.clone(), running: true, release, fit: true }
        };
        let host = ObservedHost { blue: runs("r2"), green: runs("r1") };
        let routing = Some(Routing::all_to(Color::Blue));
        let observed = Observed {
            hosts: [(name("web1"), host)].into(),
            routers: vec![(name("lb1"), Observation { routing, settled: true, labels: Vec::new() })],
            recorded: Some((Color::Blue, id("r2"))),
            ..Observed::default()
        };
        let deployment = Deployment::for_tests(&[name("web1")], &[name("lb1")]);
        let wish = Wish::new(command, "d1".into(), Release::for_tests(release, 1), false, Timestamp(5))
            .of_kept(true);
        (Plan::new(&deployment, &wish, &observed).expect("a plan"), observed)
    }

    #[test]
    fn only_what_is_stopped_and_started_anew_cuts_anything() {
        for (command, release, cuts) in [
            ("deploy", "r3", true),
            ("deploy", "r1", true),
            ("rollback", "r1", false),
            ("rollback", "r0", true),
        ] {
            let (plan, mut observed) = planned(command, release);
            assert_eq!(clears(&plan, &observed), cuts, "{command} {release}");
            for host in observed.hosts.values_mut() {
                host.green.running = false;
            }
            assert!(!clears(&plan, &observed), "nothing runs there");
        }
    }

    #[test]
    fn who_was_to_go_on_is_not_cut_without_a_word() {
        use ConnectionPolicy::{Cap, Cut, Wait};
        let (deploy, rollback) = (planned("deploy", "r3").0, planned("rollback", "r0").0);
        let Some(StillOpen::Kept(trouble)) = judge(&deploy, Wait, 2) else { panic!("it is begun") };
        assert_eq!(
            (trouble.code.as_str(), trouble.message.as_str(), trouble.hint.as_deref()),
            (
                "deploy/connections",
                "green still has 2 connections from when it was live, and this would cut them, since green is filled anew",
                Some(
                    "deploy again once nobody has them any more; `pipeline.drain = { connections = \"cap\" }` (or \"cut\") does not wait for them"
                )
            )
        );
        let told = |plan, policy, open| match judge(plan, policy, open) {
            Some(StillOpen::Cut(note)) => note.text,
            other => format!("{other:?}"),
        };
        for policy in [Cap, Cut] {
            assert_eq!(
                told(&deploy, policy, 1),
                "green still has 1 connection from when it was live: this cuts it"
            );
        }
        assert_eq!(
            told(&rollback, Wait, 2),
            "green still has 2 connections from when it was live: this cuts them"
        );
        assert_eq!(judge(&deploy, Wait, 0), None);
    }
}
