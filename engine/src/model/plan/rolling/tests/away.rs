//! Hosts that are out before it begins, and hosts that are given up on the way back.

use super::*;
use crate::model::{Decision, Origin};

/// Whoever was taken out by hand, or given up, comes first where that is adopted: it is let in with what is new, or is as it was.
#[test]
fn who_is_out_already_comes_first() {
    for (out, routers) in [(["web2"].as_slice(), 1), (&["web2"], 2), (&["web1", "web3"], 1)] {
        let (deployment, mut seen) = (deployment(4, routers, 1), observed(4, routers));
        let mut begun = Fleet::new(4, routers, out.len());
        // The last router alone leaves them out.
        let router = &mut seen.routers[routers - 1];
        let names: Vec<HostName> = out.iter().map(|name| Name::new(*name).expect("a name")).collect();
        router.1.routing = Some(Routing { out: names.clone(), ..Routing::all_to(Color::Blue) });
        begun.out.insert(router.0.clone(), names.iter().cloned().collect());
        begun.away = names.iter().cloned().collect();
        assert!(matches!(planned(&deployment, &seen), Err(Refusal::HostsOut { .. })));
        let plan = planned_as(&deployment, &seen, true).expect("a plan");
        assert_eq!(plan.check_authority(&deployment), Ok(()));
        assert_eq!(plan.batches()[0].hosts, names);
        let mut fleet = begun.clone();
        assert_eq!(run(&plan, &mut fleet, usize::MAX), Outcome::Deployed);
        assert!(fleet.out.values().all(BTreeSet::is_empty));
        assert!(fleet.runs.values().all(|runs| *runs == Some(id("r2"))));
        for fails in 0..plan.stages.len() {
            let clears = |task: &Task| matches!(task.action, Action::Clear { .. });
            if plan.stages[fails].tasks.iter().any(clears) {
                continue;
            }
            let mut fleet = begun.clone();
            let outcome = run(&plan, &mut fleet, fails);
            assert!(matches!(outcome, Outcome::RolledBack | Outcome::NothingChanged), "{outcome:?}");
            assert_eq!(fleet, begun, "{out:?}, {routers} routers, stage {fails}");
        }
    }
    let (deployment, mut seen) = (deployment(2, 1, 1), observed(2, 1));
    seen.routers[0].1.routing = Some(Routing { out: names("web", 2), ..Routing::all_to(Color::Blue) });
    let refused = planned_as(&deployment, &seen, true).expect_err("nobody has the requests");
    assert_eq!(refused.to_string(), "lb1 has web1 web2 out: all hosts have to be in first");
}

/// Up to the first task of this stage, then back without these hosts; answers how it ended and who is still out.
fn back_without(
    plan: &Plan,
    fleet: &mut Fleet,
    until: usize,
    lost: &[HostName],
) -> (Outcome, BTreeSet<HostName>) {
    fleet.away = lost.iter().cloned().collect();
    let mut progress = Progress::new(plan.clone());
    while let Next::Run(tasks) = progress.next() {
        progress.apply(&Record::Started { tasks: tasks.clone() }).expect("it begins");
        if tasks[0].stage == until {
            break;
        }
        for task in tasks {
            fleet.apply(&plan.task(task).expect("a task").action);
            progress.apply(&Record::Ended { task, end: End::Done }).expect("it ends");
        }
    }
    let why = |host: &HostName| (host.clone(), Trouble::new("test/burnt", "no way"));
    let decision = Decision::Back { why: Trouble::new("test/aborted", "a person said so") };
    let lost = lost.iter().map(why).collect();
    let recovered = Record::Recovered {
        decision,
        origin: Origin::default(),
        lost,
        kept_out: BTreeSet::new(),
        share: None,
    };
    progress.apply(&recovered).expect("it goes back");
    loop {
        match progress.next() {
            Next::Undo(undos) => {
                progress.apply(&Record::UndoStarted { undos: undos.clone() }).expect("it begins");
                for undo in undos {
                    fleet.apply(&progress.undo(undo).expect("an undo"));
                    progress.apply(&Record::UndoEnded { undo, end: End::Done }).expect("it ends");
                }
            }
            Next::Close(outcome) => return (outcome, fleet.out.values().flatten().cloned().collect()),
            next @ (Next::Run(_) | Next::Ask(_) | Next::Pivot | Next::Ended(_)) => unreachable!("{next:?}"),
        }
    }
}

/// A host that burns down in its turn, or after it, is not let in again: what comes up there some day is the wrong release.
#[test]
fn who_is_given_up_stays_out_if_its_turn_was_begun() {
    let plan = planned(&deployment(3, 1, 1), &observed(3, 1)).expect("a plan");
    let web = names("web", 3);
    let batches = plan.batches();
    let starts = |batch: usize| {
        let starts = |stage: &usize| matches!(plan.stages[*stage].tasks[0].action, Action::Start { .. });
        batches[batch].stages.clone().find(starts).expect("it is started")
    };
    let back = |until: usize, lost: &HostName| {
        let mut fleet = Fleet::new(3, 1, 2);
        let (outcome, out) = back_without(&plan, &mut fleet, until, std::slice::from_ref(lost));
        assert_eq!(outcome, Outcome::RolledBack);
        let others = web.iter().filter(|host| *host != lost);
        assert!(others.into_iter().all(|host| fleet.runs[host] == Some(id("r1"))), "{fleet:?}");
        out.into_iter().map(|host| host.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(back(starts(1), &web[1]), "web2", "in its turn");
    assert_eq!(back(starts(1), &web[0]), "web1", "after it");
    assert_eq!(back(starts(1), &web[2]), "", "before it: it has what it had");
}

/// Where the other one of two burnt down after its turn, that stays in until someone else is: a router sends to nobody in no case.
#[test]
fn who_is_given_up_is_taken_out_once_another_one_is_in() {
    let plan = planned(&deployment(2, 1, 1), &observed(2, 1)).expect("a plan");
    let (web, stages) = (names("web", 2), plan.batches().remove(1).stages);
    let starts = |stage: &usize| matches!(plan.stages[*stage].tasks[0].action, Action::Start { .. });
    let until = stages.clone().find(starts).expect("it is started");
    let mut fleet = Fleet::new(2, 1, 1);
    let (outcome, out) = back_without(&plan, &mut fleet, until, &web[..1]);
    assert_eq!((outcome, out), (Outcome::RolledBack, web[..1].iter().cloned().collect()));
    assert_eq!(fleet.runs[&web[1]], Some(id("r1")));
}
