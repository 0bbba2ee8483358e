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

/// What all routers together say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Count {
    /// Connections, of those that can tell.
    open: u32,
    /// Who failed to, and why.
    unsaid: Option<String>,
}

/// What keeps a plan from being begun since it would cut what was to go on.
pub(super) async fn kept_open(
    session: &Session,
    plan: &Plan,
    observed: &Observed,
    live: Option<&LiveRecord>,
) -> Option<Trouble> {
    if !lets_go_on(plan, session.deployment.pipeline.connections) {
        return None;
    }
    match still_open(session, plan, observed, live).await {
        Some(StillOpen::Kept(trouble)) => Some(trouble),
        Some(StillOpen::Cut(_)) | None => None,
    }
}

/// Whether it waits for whatever is open. A rollback is in a hurry.
fn lets_go_on(plan: &Plan, policy: ConnectionPolicy) -> bool {
    policy == ConnectionPolicy::Wait && plan.command != "rollback"
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
    let policy = session.deployment.pipeline.connections;
    let waits = lets_go_on(plan, policy);
    let deadline = Instant::now() + PATIENCE.min(session.deployment.pipeline.drain_timeout);
    loop {
        let count = count(session, color, live).await;
        if count.open == 0 || !waits || Instant::now() >= deadline {
            return judge(plan, policy, &count);
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

async fn count(session: &Session, color: Color, live: Option<&LiveRecord>) -> Count {
    let (deployment, call) = (&session.deployment, observing_call(&session.deployment, live));
    let mut count = Count::default();
    for router in &deployment.router.names {
        let ask = |attempt| {
            let call = HookCall { attempt, ..call.clone() };
            async move { session.hooks.connections(&call, router, color).await }
        };
        match insist(deployment.router.hook.timeout, ask).await {
            Ok(open) => count.open = count.open.saturating_add(open.unwrap_or_default()),
            Err(failure) => {
                let why = failure.trouble.first_line();
                count.unsaid.get_or_insert_with(|| {
                    format!("{router} does not say how many connections {color} still has ({why})")
                });
            }
        }
    }
    count
}

fn judge(plan: &Plan, policy: ConnectionPolicy, count: &Count) -> Option<StillOpen> {
    let (color, open) = (plan.color, count.open);
    let (connections, they) = if open == 1 { ("connection", "it") } else { ("connections", "them") };
    let told = format!("{color} still has {open} {connections} from when it was live");
    let cuts = |text: String| StillOpen::Cut(Note::new("note", text));
    match &count.unsaid {
        Some(unsaid) if open == 0 => Some(cuts(format!("{unsaid}: this cuts those that it has"))),
        None if open == 0 => None,
        _ if lets_go_on(plan, policy) => {
            let message = format!("{told}, and this would cut {they}, since {color} is filled anew");
            let hint = format!(
                "deploy again once nobody has {they} any more; `pipeline.drain = {{ connections = \"cap\" }}` (or \"cut\") does not wait for {they}"
            );
            Some(StillOpen::Kept(Trouble::new("deploy/connections", message).hint(hint)))
        }
        _ => Some(cuts(format!("{told}: this cuts {they}"))),
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

    const fn counted(open: u32) -> Count {
        Count { open, unsaid: None }
    }

    #[test]
    fn who_was_to_go_on_is_not_cut_without_a_word() {
        use ConnectionPolicy::{Cap, Cut, Wait};
        let (deploy, rollback) = (planned("deploy", "r3").0, planned("rollback", "r0").0);
        let Some(StillOpen::Kept(trouble)) = judge(&deploy, Wait, &counted(2)) else { panic!("it is begun") };
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
        let told = |plan, policy, open| match judge(plan, policy, &counted(open)) {
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
        assert_eq!(judge(&deploy, Wait, &counted(0)), None);
        let unsaid = Some("lb1 does not say how many connections green still has (502)".to_owned());
        let Some(StillOpen::Cut(note)) = judge(&deploy, Wait, &Count { open: 0, unsaid: unsaid.clone() })
        else {
            panic!("nothing is told")
        };
        assert_eq!(
            note.text,
            "lb1 does not say how many connections green still has (502): this cuts those that it has"
        );
        let kept = judge(&deploy, Wait, &Count { open: 1, unsaid });
        assert!(matches!(kept, Some(StillOpen::Kept(_))), "{kept:?}");
    }
}
