//! Turns of any size in any fleet, turned back at any stage.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::model::{
    Color, Departure, Deployment, End, Name, Next, Observation, Observed, ObservedHost, ObservedInstance,
    Outcome, Part, Progress, Record, Refusal, Release, ReleaseId, Strategy, Timestamp, Trouble, Wish,
};

fn names(kind: &str, count: usize) -> Vec<HostName> {
    (1..=count).map(|number| Name::new(format!("{kind}{number}")).expect("a name")).collect()
}

fn id(text: &str) -> ReleaseId {
    ReleaseId::parse(text).expect("an identifier")
}

fn deployment(hosts: usize, routers: usize, batch: usize) -> Deployment {
    let mut deployment = Deployment::for_tests(&names("web", hosts), &names("lb", routers));
    deployment.pipeline.strategy = Strategy::Rolling { batch };
    deployment
}

/// Each host runs `r1`, which gets all requests.
fn observed(hosts: usize, routers: usize) -> Observed {
    let blue = ObservedInstance { link: Some(id("r1")), running: true, release: Some(id("r1")), fit: false };
    let host = ObservedHost { blue, green: ObservedInstance::default() };
    let seen =
        || Observation { routing: Some(Routing::all_to(Color::Blue)), settled: true, labels: Vec::new() };
    Observed {
        hosts: names("web", hosts).into_iter().map(|name| (name, host.clone())).collect(),
        routers: names("lb", routers).into_iter().map(|name| (name, seen())).collect(),
        recorded: Some((Color::Blue, id("r1"))),
        ..Observed::default()
    }
}

fn planned(deployment: &Deployment, observed: &Observed) -> Result<Plan, Refusal> {
    planned_as(deployment, observed, false)
}

fn planned_as(deployment: &Deployment, observed: &Observed, adopt: bool) -> Result<Plan, Refusal> {
    let wish = Wish::new("deploy", "d1".into(), Release::for_tests("r2", 2), adopt, Timestamp(5));
    Plan::new(deployment, &wish, observed)
}

/// Who is out of which router, and what runs where.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fleet {
    out: BTreeMap<HostName, BTreeSet<HostName>>,
    link: BTreeMap<HostName, Option<ReleaseId>>,
    runs: BTreeMap<HostName, Option<ReleaseId>>,
    batch: usize,
    /// Who may be out all the while.
    away: BTreeSet<HostName>,
}

impl Fleet {
    fn new(hosts: usize, routers: usize, batch: usize) -> Self {
        let old: BTreeMap<_, _> =
            names("web", hosts).into_iter().map(|name| (name, Some(id("r1")))).collect();
        let out = names("lb", routers).into_iter().map(|name| (name, BTreeSet::new())).collect();
        Self { out, link: old.clone(), runs: old, batch, away: BTreeSet::new() }
    }

    fn is_out(&self, host: &HostName) -> bool {
        self.out.values().all(|out| out.contains(host))
    }

    /// Does it, and holds it against what the module promises.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others change nothing of it")]
    fn apply(&mut self, action: &Action) {
        match action {
            Action::Switch { router, want } => {
                assert_eq!(want.only(), Some(Color::Blue));
                let out: BTreeSet<HostName> = want.out.iter().cloned().collect();
                for host in self.out[router].difference(&out) {
                    assert_ne!(self.runs[host], None, "{host} is let in and does not run");
                    assert_eq!(self.runs[host], self.link[host], "a reboot of {host} would bring up another");
                }
                self.out.insert(router.clone(), out);
                let all: BTreeSet<&HostName> = self.out.values().flatten().collect();
                assert!(all.len() <= self.batch && all.len() < self.runs.len(), "out: {all:?}");
            }
            Action::RequireUnrouted { hosts, .. } => {
                assert!(!hosts.is_empty() && hosts.iter().all(|host| self.is_out(host)), "{action}");
            }
            Action::Clear { host, .. } | Action::Stop { host, .. } => {
                assert!(self.is_out(host), "{action} on {host}, which is in");
                self.runs.insert(host.clone(), None);
            }
            Action::Point { host, release, .. } => {
                assert!(self.is_out(host), "{action} on {host}, which is in");
                self.link.insert(host.clone(), release.clone());
            }
            Action::Start { host, release, .. } => {
                assert_eq!(self.link[host].as_ref(), Some(release));
                assert_eq!(self.runs[host], None, "{host} runs something");
                self.runs.insert(host.clone(), Some(release.clone()));
            }
            Action::AwaitHealthy { host, release, .. } => {
                assert_eq!(self.runs[host].as_ref(), Some(release), "{action} on {host}");
            }
            Action::Prove { release, .. } => {
                let mut here = self.runs.iter().filter(|(host, _)| !self.away.contains(*host));
                assert!(here.all(|(_, runs)| runs.as_ref() == Some(release)), "{action}");
                assert!(self.out.values().all(|out| out.is_subset(&self.away)), "{action}");
            }
            _ => {}
        }
    }
}

/// Goes on until the first task of this stage has failed, and from there back; or to the pivot where there is no such stage.
fn run(plan: &Plan, fleet: &mut Fleet, fails: usize) -> Outcome {
    let mut progress = Progress::new(plan.clone());
    loop {
        match progress.next() {
            Next::Run(tasks) => {
                progress.apply(&Record::Started { tasks: tasks.clone() }).expect("it begins");
                for id in tasks {
                    let fails = id.part == Part::Stages && id.stage == fails;
                    if !fails {
                        fleet.apply(&plan.task(id).expect("a task").action);
                    }
                    let end = if fails { End::Failed(Trouble::new("test/fails", "no")) } else { End::Done };
                    progress.apply(&Record::Ended { task: id, end }).expect("it ends");
                }
            }
            Next::Undo(undos) => {
                progress.apply(&Record::UndoStarted { undos: undos.clone() }).expect("it begins");
                for undo in undos {
                    // What failed may have stopped half-way: to stop again what does not run is no harm.
                    fleet.apply(&plan.task(undo.task).expect("a task").undo[undo.index]);
                    progress.apply(&Record::UndoEnded { undo, end: End::Done }).expect("it ends");
                }
            }
            Next::Pivot => progress.apply(&Record::Pivot).expect("the pivot"),
            Next::Close(outcome) => return outcome,
            next @ (Next::Ask(_) | Next::Ended(_)) => unreachable!("{next:?}"),
        }
    }
}

#[test]
fn any_fleet_in_turns_of_any_size_goes_there_and_from_anywhere_back() {
    for hosts in 2..=5 {
        for (batch, routers) in (1..hosts).flat_map(|batch| [(batch, 1), (batch, 2)]) {
            let deployment = deployment(hosts, routers, batch);
            let plan = planned(&deployment, &observed(hosts, routers)).expect("a plan");
            assert_eq!(plan.check_authority(&deployment), Ok(()));
            let turns: Vec<HostName> = plan.batches().into_iter().flat_map(|batch| batch.hosts).collect();
            assert_eq!(turns, names("web", hosts));
            let begun = Fleet::new(hosts, routers, batch);
            let mut fleet = begun.clone();
            assert_eq!(run(&plan, &mut fleet, usize::MAX), Outcome::Deployed);
            assert!(fleet.runs.values().all(|runs| *runs == Some(id("r2"))));
            for fails in 0..plan.stages.len() {
                let starts =
                    plan.stages[fails].tasks.iter().any(|task| matches!(task.action, Action::Clear { .. }));
                let mut fleet = begun.clone();
                if starts {
                    // A stop that failed and came to pass all the same is what the simulation has.
                    continue;
                }
                let outcome = run(&plan, &mut fleet, fails);
                assert!(matches!(outcome, Outcome::RolledBack | Outcome::NothingChanged), "{outcome:?}");
                assert_eq!(fleet, begun, "{hosts} hosts by {batch}, {routers} routers, stage {fails}");
            }
        }
    }
}

/// What is done with the first batch, and how it is put back.
#[test]
fn a_turn_and_its_way_back() {
    let plan = planned(&deployment(3, 1, 1), &observed(3, 1)).expect("a plan");
    let stages = plan.batches().remove(0).stages;
    let tasks = || plan.tasks().filter(|(id, _)| stages.contains(&id.stage)).map(|(_, task)| task);
    let there: Vec<String> = tasks().map(|task| task.action.to_string()).collect();
    assert_eq!(
        there,
        [
            "make sure that someone answers without web1",
            "prepare blue 100 %, out: web1",
            "route blue 100 %, out: web1",
            "drain web1",
            "make sure that no router points to web1",
            "stop what runs as blue",
            "make sure that no router points to web1",
            "point blue to r2",
            "start blue from r2",
            "wait until blue is healthy",
            "prepare blue 100 %",
            "route blue 100 %",
        ]
    );
    let back: Vec<String> = tasks().rev().flat_map(|task| &task.undo).map(ToString::to_string).collect();
    assert_eq!(
        back,
        [
            "drop what was prepared",
            "make sure that someone answers without web1",
            "route blue 100 %, out: web1",
            "drain web1",
            "make sure that no router points to web1",
            "stop blue",
            "point blue to r1",
            "start blue from r1",
            "wait until blue is healthy",
            "route blue 100 %",
            "prove that blue answers",
            "drop what was prepared",
        ]
    );
}

#[test]
fn a_fleet_that_is_not_whole_has_no_turns() {
    let deployment = deployment(3, 2, 1);
    let refused = |change: &dyn Fn(&mut Observed)| {
        let mut observed = observed(3, 2);
        change(&mut observed);
        planned(&deployment, &observed).expect_err("a refusal").to_string()
    };
    assert_eq!(
        refused(&|observed| {
            let routing = Routing { out: names("web", 1), ..Routing::all_to(Color::Blue) };
            observed.routers[1].1.routing = Some(routing);
        }),
        "lb2 has web1 out: all hosts have to be in first"
    );
    assert_eq!(
        refused(&|observed| {
            observed.recorded = Some((Color::Green, id("r1")));
            observed
                .routers
                .iter_mut()
                .for_each(|(_, seen)| seen.routing = Some(Routing::all_to(Color::Green)));
        }),
        "green is live, and where hosts are taken out one after the other, each has one place, which is blue"
    );
}

#[test]
fn the_first_release_needs_no_turns() {
    let mut observed = observed(3, 1);
    observed.recorded = None;
    observed.routers[0].1.routing = None;
    let plan = planned(&deployment(3, 1, 1), &observed).expect("a plan");
    assert!(!plan.is_rolling() && plan.batches().is_empty());
    assert_eq!(plan.color, Color::Blue);
}

#[test]
fn another_size_of_turns_is_a_departure_and_no_turns_are_another_plan() {
    let plan = planned(&deployment(4, 1, 2), &observed(4, 1)).expect("a plan");
    let departure = Departure { key: "pipeline.strategy", part: Part::Stages };
    assert_eq!(plan.departures(&deployment(4, 1, 1)), Ok(vec![departure]));
    let mut colors = deployment(4, 1, 2);
    colors.pipeline.strategy = Strategy::BlueGreen;
    assert!(plan.departures(&colors).is_err());
}

/// The way back of a turn stops at what fails: nobody else is taken out then.
#[test]
fn a_turn_that_can_not_be_put_back_is_the_last_one() {
    let plan = planned(&deployment(3, 1, 1), &observed(3, 1)).expect("a plan");
    let mut progress = Progress::new(plan.clone());
    let mut fleet = Fleet::new(3, 1, 1);
    let last = plan.batches().remove(1).stages.end - 1;
    loop {
        match progress.next() {
            Next::Run(tasks) => {
                progress.apply(&Record::Started { tasks: tasks.clone() }).expect("it begins");
                for task in tasks {
                    let fails = task.stage == last;
                    fleet.apply(&plan.task(task).expect("a task").action);
                    let end = if fails { End::Failed(Trouble::new("test/fails", "no")) } else { End::Done };
                    progress.apply(&Record::Ended { task, end }).expect("it ends");
                }
            }
            Next::Undo(undos) => {
                progress.apply(&Record::UndoStarted { undos: undos.clone() }).expect("it begins");
                for undo in undos {
                    let action = &plan.task(undo.task).expect("a task").undo[undo.index];
                    let fails = matches!(action, Action::AwaitHealthy { .. });
                    fleet.apply(action);
                    let end = if fails { End::Failed(Trouble::new("test/sick", "sick")) } else { End::Done };
                    progress.apply(&Record::UndoEnded { undo, end }).expect("it ends");
                }
            }
            Next::Close(outcome) => {
                assert_eq!(outcome, Outcome::Stuck);
                break;
            }
            next @ (Next::Ask(_) | Next::Pivot | Next::Ended(_)) => unreachable!("{next:?}"),
        }
    }
    assert_eq!(
        fleet.runs.values().flatten().map(ToString::to_string).collect::<Vec<_>>(),
        ["r2", "r1", "r1"]
    );
    assert_eq!(progress.out(), names("web", 2)[1..]);
    let left: Vec<String> =
        progress.not_undone().iter().map(|(action, why)| format!("{action}: {why}")).collect();
    assert_eq!(left[0], "wait until blue is healthy: sick");
    assert!(left[1..].iter().all(|left| left.ends_with(": not tried")), "{left:#?}");
}

mod away;
