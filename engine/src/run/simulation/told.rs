//! What people are told of some deployments, as a whole.

use std::sync::{Arc, Mutex};

use super::Fault;
use super::execution::Execution;
use super::proof::runtime;
use super::scene::{Kind, Scene};
use crate::model::{Action, Event, EventKind, EventSink, Progress, Retire};

/// Events, each as one line.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl EventSink for Heard {
    fn emit(&self, event: &Event) {
        let line = match &event.kind {
            EventKind::StepStarted { step, places, weight, .. } => {
                let weight = weight.map(|weight| format!(" ({weight})")).unwrap_or_default();
                format!("{step} {}{weight}", places.join(" "))
            }
            EventKind::StepEnded { step, end, summary, details, .. } => {
                let details: String =
                    details.iter().map(|note| format!(" | {}: {}", note.label, note.text)).collect();
                format!("{step} {end:?} {summary}{details}").trim_end().to_owned()
            }
            EventKind::Pivot { release, .. } => format!("pivot {release}"),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(line);
    }
}

/// Chooses the action that goes wrong.
type Pick = fn(&Action) -> bool;

/// What is told of one deployment to two hosts, with a fault at the first action of a kind.
fn told(fault: Option<(Pick, Fault)>) -> Vec<String> {
    told_of(&Scene::new(Kind::WarmIdle, Retire::KeepWarm, 2, 1), fault)
}

fn told_of(scene: &Scene, fault: Option<(Pick, Fault)>) -> Vec<String> {
    let (runtime, progress) = (runtime(), Progress::new(scene.plan()));
    let run = |faults: &[(usize, Fault)]| {
        let heard = Arc::new(Heard::default());
        let sink: Arc<dyn EventSink> = Arc::clone(&heard) as _;
        let run = runtime.block_on(Execution::run(scene.state, &progress, faults, sink, None));
        let lines = heard.0.lock().unwrap().clone();
        (run, lines)
    };
    let (plain, lines) = run(&[]);
    let Some((is_it, fault)) = fault else { return lines };
    let at = plain.performed.iter().position(|done| is_it(&done.action)).expect("it is done");
    run(&[(at, fault)]).1
}

const UP_TO_START: [&str; 5] =
    ["stage web1 web2", "stage Ok", "migrate web1", "migrate Ok", "start web1 web2"];

const FROM_HEALTH_TO_SWITCH: [&str; 6] =
    ["health web1 web2", "health Ok", "smoke checkout", "smoke Ok", "switch lb1", "switch Ok"];

const FROM_WATCH_ON: [&str; 9] = [
    "watch green",
    "watch Ok",
    "pivot 3",
    "drain blue",
    "drain Ok",
    "retire web1 web2",
    "retire Ok kept warm: `cutover rollback`",
    "finish web1 web2",
    "finish Ok",
];

#[test]
fn what_is_told_of_a_deployment() {
    assert_eq!(
        told(None),
        [&UP_TO_START[..], &["start Ok"], &FROM_HEALTH_TO_SWITCH, &FROM_WATCH_ON].concat()
    );
}

#[test]
fn what_is_told_of_one_that_fails_before_the_switch() {
    let told = told(Some((|action| matches!(action, Action::AwaitHealthy { .. }), Fault::FailsBefore)));
    let then = [
        "start Ok",
        "health web1 web2",
        "health Failed wait until green is healthy went wrong",
        "undo ",
        "undo Ok green stopped; release 3 kept",
    ];
    assert_eq!(told, [&UP_TO_START[..], &then].concat());
}

#[test]
fn what_is_told_of_one_that_fails_its_watch() {
    let told = told(Some((|action| matches!(action, Action::Watch { .. }), Fault::FailsBefore)));
    let then = ["watch green", "watch Failed watch green went wrong", "undo ", BACK];
    assert_eq!(told, [&UP_TO_START[..], &["start Ok"], &FROM_HEALTH_TO_SWITCH, &then].concat());
}

const SHARES: [&str; 8] = [
    "switch lb1 (5)",
    "switch Ok",
    "watch green 5 % (5)",
    "watch Ok",
    "switch lb1 (50)",
    "switch Ok",
    "watch green 50 % (50)",
    "watch Ok",
];

#[test]
fn what_is_told_of_one_that_goes_in_shares() {
    let scene = Scene::new(Kind::WarmIdle, Retire::KeepWarm, 2, 1).sharing();
    let (before, whole) = FROM_HEALTH_TO_SWITCH.split_at(4);
    assert_eq!(
        told_of(&scene, None),
        [&UP_TO_START[..], &["start Ok"], before, &SHARES, whole, &FROM_WATCH_ON].concat()
    );
    let second = |action: &Action| matches!(action, Action::Watch { weight: 50, .. });
    let then = ["watch Failed watch green at 50 % went wrong", "undo ", BACK];
    assert_eq!(
        told_of(&scene, Some((second, Fault::FailsBefore))),
        [&UP_TO_START[..], &["start Ok"], before, &SHARES[..7], &then].concat()
    );
}

const BACK: &str = "undo Ok traffic back: blue 100 %; green stopped; release 3 kept";

#[test]
fn what_is_told_of_an_outcome_that_was_unknown_once() {
    let told = told(Some((|action| matches!(action, Action::Start { .. }), Fault::UnknownDid)));
    let start = ["start Ok  | web1: start green from r3 went wrong; asked again"];
    assert_eq!(told, [&UP_TO_START[..], &start, &FROM_HEALTH_TO_SWITCH, &FROM_WATCH_ON].concat());
}

#[test]
fn what_is_told_of_an_outcome_that_stays_unknown() {
    let told = told(Some((|action| matches!(action, Action::Start { .. }), Fault::NeverKnown)));
    let asked = "| web1: start green from r3 went wrong; asked again";
    let failed = format!("start Failed start green from r3 went wrong {asked} {asked}");
    let then = [failed.as_str(), "undo ", "undo Ok green stopped; release 3 kept"];
    assert_eq!(told, [&UP_TO_START[..], &then].concat());
}

#[test]
fn a_journal_that_breaks_ends_the_run() {
    let scene = Scene::new(Kind::Second, Retire::KeepWarm, 1, 1);
    let (runtime, progress) = (runtime(), Progress::new(scene.plan()));
    let run = |breaks_at| {
        let sink = Arc::new(Heard::default());
        runtime.block_on(Execution::run(scene.state, &progress, &[], sink, breaks_at))
    };
    let whole = run(None);
    for at in 0..whole.records.len() {
        let broken = run(Some(at));
        assert_eq!(broken.outcome, None);
        assert_eq!(broken.records, whole.records[..at]);
        assert_eq!(broken.state, whole.states[at], "nothing is done after a record that was not kept");
    }
}
