//! The same where hosts are taken out one after the other, and both releases have had their turn in one place.

use super::{Ask, Decision, FRESH, Sight, back_again, cut_off, moved, old_switch, too_late};
use crate::model::{Color, HostName, Progress, Routing};

/// Decides for a plan that fills the colour that is live. Whether a release answers on a host is asked there, right before it is let in: the
/// way back ends where the old one does not.
pub(super) fn decide(progress: &Progress, sight: &Sight, ask: Ask) -> Decision {
    let plan = progress.plan();
    if progress.is_pivoted() {
        return match ask {
            Ask::Abort => too_late(plan),
            _ if is_routed(sight, plan.color) => Decision::Forward,
            Ask::Resume | Ask::ResumeForward => {
                moved("the deployment had let all hosts in, and the routers show something else now")
            }
        };
    }
    if let Some((router, host)) = foreign(progress, sight).filter(|_| !planted!(OutNotSeen)) {
        return moved(&format!("{router} shows {host} out, and the deployment has not taken it out"));
    }
    if progress.turned_back().is_some() {
        return back_again(progress);
    }
    let late = sight.now.since(plan.made) >= FRESH && progress.has_let_in();
    match ask {
        Ask::ResumeForward => Decision::Forward,
        Ask::Resume if late => old_switch("some hosts have run the new release for a while: it"),
        Ask::Resume | Ask::Abort => cut_off(),
    }
}

fn routings(sight: &Sight) -> impl Iterator<Item = (&HostName, &Routing)> {
    let routers = sight.observed.routers.iter();
    routers.filter_map(|(router, seen)| Some((router, seen.routing.as_ref()?)))
}

/// Whether all routers send to every host.
fn is_routed(sight: &Sight, color: Color) -> bool {
    routings(sight).count() == sight.observed.routers.len()
        && routings(sight).all(|(_, routing)| *routing == Routing::all_to(color))
}

/// A host that a router leaves out, where the deployment is not at it.
fn foreign<'a>(progress: &Progress, sight: &'a Sight) -> Option<(&'a HostName, &'a HostName)> {
    let ours = progress.out();
    routings(sight).find_map(|(router, routing)| {
        routing.out.iter().find(|host| !ours.contains(host)).map(|host| (router, host))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{
        Action, Deployment, End, Name, Next, Observation, Observed, Origin, Plan, Record, Release, ReleaseId,
        Strategy, Timestamp, Trouble, Wish, kept_out,
    };

    fn names(text: &str) -> Vec<HostName> {
        text.split_whitespace().map(|name| Name::new(name).expect("a name")).collect()
    }

    /// Two routers, and who is out of each.
    fn observed(out: [&str; 2]) -> Observed {
        let seen = |out| {
            let routing = Some(Routing { out: names(out), ..Routing::all_to(Color::Blue) });
            Observation { routing, settled: true, labels: Vec::new() }
        };
        let recorded = Some((Color::Blue, ReleaseId::parse("r1").expect("an identifier")));
        let routers = names("lb1 lb2").into_iter().zip(out.map(seen)).collect();
        Observed { routers, recorded, ..Observed::default() }
    }

    /// Three hosts in turns, up to the action that this names first.
    fn progress(is_over: impl Fn(&Action) -> bool) -> Progress {
        let mut deployment = Deployment::for_tests(&names("web1 web2 web3"), &names("lb1 lb2"));
        deployment.pipeline.strategy = Strategy::Rolling { batch: 1 };
        let wish = Wish::new("deploy", "d".into(), Release::for_tests("r2", 2), false, Timestamp(0));
        let plan = Plan::new(&deployment, &wish, &observed(["", ""])).expect("a plan");
        let mut progress = Progress::new(plan);
        loop {
            let tasks = match progress.next() {
                Next::Run(tasks) => tasks,
                Next::Pivot => {
                    progress.apply(&Record::Pivot).expect("the pivot");
                    return progress;
                }
                next @ (Next::Ask(_) | Next::Undo(_) | Next::Close(_) | Next::Ended(_)) => {
                    unreachable!("{next:?}")
                }
            };
            progress.apply(&Record::Started { tasks: tasks.clone() }).expect("begins");
            if is_over(&progress.plan().task(tasks[0]).expect("a task").action) {
                return progress;
            }
            for task in tasks {
                progress.apply(&Record::Ended { task, end: End::Done }).expect("ends");
            }
        }
    }

    /// For `resume`, `resume --forward` and `abort`.
    fn decisions(progress: &Progress, out: [&str; 2], minutes: u64) -> [String; 3] {
        let now = Timestamp(minutes * 60_000);
        // Whether anybody is healthy is asked host by host, later.
        let sight = Sight { observed: observed(out), new_healthy: false, old_healthy: false, now };
        [Ask::Resume, Ask::ResumeForward, Ask::Abort].map(|ask| match decide(progress, &sight, ask) {
            Decision::Back { .. } => "back".to_owned(),
            Decision::Forward => "forward".to_owned(),
            Decision::Person { why } => why.code,
        })
    }

    fn stages(host: &str) -> impl Fn(&Action) -> bool {
        move |action| matches!(action, Action::Start { host: on, .. } if on.as_str() == host)
    }

    #[test]
    fn a_turn_goes_either_way_and_who_was_taken_out_by_others_stays_so() {
        let moved = ["resume/moved", "resume/moved", "resume/moved"];
        let second = progress(stages("web2"));
        for out in [["web2", "web2"], ["web2", ""], ["", ""]] {
            assert_eq!(decisions(&second, out, 0), ["back", "forward", "back"], "{out:?}");
            assert_eq!(decisions(&second, out, 15), ["resume/old-switch", "forward", "back"], "{out:?}");
        }
        for out in [["web1", "web2"], ["web2", "web2 web3"], ["", "web3"]] {
            assert_eq!(decisions(&second, out, 0), moved, "{out:?}");
        }
        // Nobody was let in yet, so that nothing was written.
        assert_eq!(decisions(&progress(stages("web1")), ["web1", "web1"], 99), ["back", "forward", "back"]);
        // Between two turns, nobody is out.
        let between = progress(
            |action| matches!(action, Action::RequireOthers { hosts, .. } if *hosts == names("web2")),
        );
        assert_eq!(decisions(&between, ["", ""], 0), ["back", "forward", "back"]);
        assert_eq!(decisions(&between, ["web2", "web2"], 0), moved);
    }

    #[test]
    fn on_the_way_back_the_turn_is_that_of_who_is_put_back() {
        let mut progress = progress(stages("web2"));
        progress.apply(&Record::TurnedBack { why: Trouble::new("test/fails", "no") }).expect("it turns");
        assert_eq!(decisions(&progress, ["web2", ""], 99), ["back"; 3]);
        assert_eq!(decisions(&progress, ["web1", ""], 0), ["resume/moved"; 3]);
        while progress.out() == names("web2") {
            let Next::Undo(undos) = progress.next() else { unreachable!("it goes back") };
            progress.apply(&Record::UndoStarted { undos: undos.clone() }).expect("begins");
            for undo in undos {
                progress.apply(&Record::UndoEnded { undo, end: End::Done }).expect("ends");
            }
        }
        assert_eq!(decisions(&progress, ["web1", "web1"], 0), ["back"; 3]);
        assert_eq!(decisions(&progress, ["web2", "web1"], 0), ["resume/moved"; 3]);
    }

    #[test]
    fn who_was_given_up_stays_out_while_a_router_leaves_it_out() {
        let mut progress = progress(stages("web2"));
        let web1: HostName = names("web1").remove(0);
        let back = |kept_out: &str| Record::Recovered {
            decision: Decision::Back { why: Trouble::new("test/aborted", "a person said so") },
            origin: Origin::default(),
            lost: BTreeMap::new(),
            kept_out: names(kept_out).into_iter().collect(),
            share: None,
        };
        assert!(progress.apply(&back("web1")).is_err(), "nobody has given it up");
        let lost = BTreeMap::from([(web1.clone(), Trouble::new("test/burnt", "no way"))]);
        let mut without = back("");
        if let Record::Recovered { lost: gone, .. } = &mut without {
            gone.clone_from(&lost);
        }
        progress.apply(&without).expect("it goes back");
        let kept = |out: [&str; 2], lost| kept_out(&progress, &observed(out), lost).into_iter().next();
        let none = BTreeMap::new();
        assert_eq!(kept(["web1 web2", "web1 web2"], &none), Some(web1.clone()));
        assert_eq!(kept(["web2", "web1 web2"], &none), Some(web1.clone()));
        assert_eq!(kept(["web2", "web2"], &none), None, "all send to it");
        assert_eq!(kept(["web1 web2", "web1 web2"], &lost), None, "it is away still");
        progress.apply(&back("web1")).expect("it goes on");
        assert!(progress.is_given_up(&web1) && progress.out().contains(&web1));
        progress.apply(&back("")).expect("it goes on");
        assert!(!progress.is_given_up(&web1));
    }

    #[test]
    fn after_the_last_turn_all_stay_in() {
        let ended = progress(|_| false);
        assert_eq!(decisions(&ended, ["", ""], 99), ["forward", "forward", "abort/too-late"]);
        assert_eq!(decisions(&ended, ["", "web1"], 0), ["resume/moved", "resume/moved", "abort/too-late"]);
    }
}
