//! Steps as they are told, for runs that end in all ways.

use std::sync::{Arc, Mutex};

use super::*;
use crate::model::{
    Color, Deployment, Event, EventSink, HostName, Name, Observation, Observed, ObservedHost,
    ObservedInstance, Release, Routing, Wish,
};
use crate::run::execute::performed::Performed;
use crate::run::execute::reporter::Clock;

/// Lines of what was told.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl EventSink for Heard {
    fn emit(&self, event: &Event) {
        #[expect(clippy::wildcard_enum_match_arm, reason = "steps tell no more")]
        let line = match &event.kind {
            EventKind::StepStarted { step, places, .. } => format!("{step} begins: {}", places.join(" ")),
            EventKind::StepEnded { step, places, end, summary, details, .. } => {
                let details: Vec<String> =
                    details.iter().map(|note| format!(" [{}: {}]", note.label, note.text)).collect();
                format!("{step} {end:?}: {}: {summary}{}", places.join(" "), details.concat())
            }
            EventKind::Interrupted { signal, text } => format!("{signal}: {text}"),
            other => format!("{other:?}"),
        };
        self.0.lock().expect("no panic").push(line);
    }
}

/// A clock that goes on by half a second at each look.
#[derive(Default)]
struct Steady(Mutex<u64>);

impl Clock for Steady {
    fn now(&self) -> Timestamp {
        let mut now = self.0.lock().expect("no panic");
        *now += 500;
        Timestamp(*now)
    }
}

fn names(text: &str) -> Vec<HostName> {
    text.split(' ').map(|name| Name::new(name).expect("a name")).collect()
}

fn release(number: u64) -> Release {
    Release::for_tests(&format!("r{number}"), number)
}

/// Release 3 into green, where release 1 is warm, on two hosts behind one router.
fn plan() -> Plan {
    let deployment = Deployment::for_tests(&names("web1 web2"), &names("lb1"));
    let warm = ObservedInstance {
        link: Some(release(1).id),
        running: true,
        release: Some(release(1).id),
        fit: false,
    };
    let host = || ObservedHost { blue: ObservedInstance::default(), green: warm.clone() };
    let seen = Observation { routing: Some(Routing::all_to(Color::Blue)), settled: true, labels: Vec::new() };
    let observed = Observed {
        hosts: names("web1 web2").into_iter().map(|name| (name, host())).collect(),
        routers: names("lb1").into_iter().map(|name| (name, seen.clone())).collect(),
        recorded: Some((Color::Blue, release(2).id)),
        ..Observed::default()
    };
    let wish = Wish::new("deploy", "d".to_owned(), release(3), false, Timestamp(0));
    Plan::new(&deployment, &wish, &observed).expect("a plan")
}

struct Told {
    plan: Plan,
    heard: Arc<Heard>,
    report: StepReport,
}

impl Told {
    fn new() -> Self {
        let heard = Arc::<Heard>::default();
        let reporter = Reporter::new(Arc::clone(&heard) as Arc<dyn EventSink>, Arc::new(Steady::default()));
        Self { plan: plan(), heard, report: StepReport::new(reporter, Vec::new()) }
    }

    /// Does all actions of a step; those that `fails` names fail, the text being the trouble's.
    fn step(&mut self, step: Step, fails: impl Fn(&Action) -> Option<&'static str>) {
        let plan = self.plan.clone();
        let stages = plan.stages.iter().chain(&plan.retire).filter(|stage| stage.step == step);
        for task in stages.flat_map(|stage| &stage.tasks) {
            self.action(step, &task.action, fails(&task.action));
        }
    }

    fn action(&mut self, step: Step, action: &Action, fails: Option<&'static str>) {
        self.report.begin(&self.plan, step, action, None);
        let performed = match fails {
            None => Performed::done(Summary::Text(said(step, action))),
            Some(text) => Performed::failed(Trouble::new("test/failed", text)),
        };
        let given_up = fails.map(|_| Trouble::new("test/failed", "given up"));
        self.report.end(&Ended { step, action: action.clone(), performed, given_up, is_out: false });
    }

    /// The part of the last step that comes before the drain.
    fn record(&mut self, fails: Option<&'static str>) {
        let plan = self.plan.clone();
        for task in plan.retire[..2].iter().flat_map(|stage| &stage.tasks) {
            let fails = fails.filter(|_| matches!(task.action, Action::RecordLive { .. }));
            self.action(Step::Finish, &task.action, fails);
        }
    }

    /// Undoes what was done, the last first.
    fn undo(&mut self, until: Step) {
        let plan = self.plan.clone();
        for stage in plan.stages.iter().filter(|stage| stage.step <= until).rev() {
            for action in stage.tasks.iter().flat_map(|task| &task.undo) {
                self.action(Step::Undo, action, None);
            }
        }
    }

    fn lines(self) -> Vec<String> {
        self.report.end_all();
        std::mem::take(&mut *self.heard.0.lock().expect("no panic"))
    }
}

/// As the performer says it.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others say nothing")]
fn said(step: Step, action: &Action) -> String {
    match action {
        Action::Start { .. } if step == Step::Undo => "release 1 warm again on :4002".to_owned(),
        Action::Start { color, .. } => format!("{color} on :4002"),
        Action::AwaitHealthy { .. } => "3 of 3".to_owned(),
        Action::Prove { .. } => "20 of 20 probes".to_owned(),
        _ => String::new(),
    }
}

const CTRL_C: Interrupts = Interrupts { count: 1, first: "Ctrl-C" };

#[test]
fn what_is_put_back_is_said_once_and_where() {
    let mut told = Told::new();
    told.step(Step::Stage, |_| None);
    told.step(Step::Start, |_| None);
    told.step(Step::Health, |action| (action.place() == "web2").then_some("web2: green ended"));
    told.undo(Step::Start);
    assert_eq!(
        told.lines(),
        [
            "stage begins: web1 web2",
            "stage Ok: web1 web2: ",
            "start begins: web1 web2",
            "start Ok: web1 web2: green on :4002",
            "health begins: web1 web2",
            "health Failed: web1 web2: web2: green ended",
            "undo begins: ",
            "undo Ok: web1 web2: green stopped; release 1 warm again on :4002; release 3 kept",
        ]
    );
}

#[test]
fn a_failed_migration_has_a_place_and_something_to_say() {
    let mut told = Told::new();
    told.step(Step::Stage, |_| None);
    told.step(Step::Migrate, |_| Some("web1: ended with status 1"));
    told.undo(Step::Stage);
    assert_eq!(told.lines()[4..], ["undo begins: web1", "undo Ok: web1 web2: release 3 kept"]);

    // What did not become whole is not there to be kept.
    let mut told = Told::new();
    told.step(Step::Stage, |action| (action.place() == "web2").then_some("web2: no room"));
    told.undo(Step::Stage);
    assert_eq!(
        told.lines()[1..],
        ["stage Failed: web1 web2: web2: no room", "undo begins: web1", "undo Ok: web1 web2: "]
    );
}

#[test]
fn a_signal_ends_the_step_as_interrupted_and_is_told_once() {
    let mut told = Told::new();
    let watch = Action::Watch { color: Color::Green, release: release(3).id, weight: WHOLE };
    told.report.begin(&told.plan, Step::Watch, &watch, None);
    told.report.interrupted(&CTRL_C, "all is put back");
    told.report.cut_off(&CTRL_C.trouble());
    told.report.interrupted(&CTRL_C, "all is put back");
    told.undo(Step::Start);
    assert_eq!(
        told.lines()[..3],
        ["watch begins: green", "Ctrl-C: all is put back", "watch Interrupted: green: interrupted by Ctrl-C"]
    );

    // Between two actions of one step.
    let mut told = Told::new();
    told.step(Step::Switch, |_| None);
    told.report.cut_off(&CTRL_C.trouble());
    assert_eq!(told.lines()[1..], ["switch Interrupted: lb1: 20 of 20 probes; interrupted by Ctrl-C"]);

    // The deadline of the whole deployment is no signal.
    let mut told = Told::new();
    told.report.begin(&told.plan, Step::Watch, &watch, None);
    told.report.cut_off(&Trouble::new("deploy/timeout", "the deployment took too long"));
    assert_eq!(told.lines()[1..], ["watch Failed: green: the deployment took too long"]);
}

#[test]
fn after_the_pivot_a_signal_leaves_the_step_as_it_is() {
    let mut told = Told::new();
    told.record(Some("the home is full"));
    told.report.begin(
        &told.plan,
        Step::Drain,
        &Action::Drain { color: Color::Blue, hosts: Vec::new() },
        None,
    );
    told.report.interrupted(&CTRL_C, "the new release stays live");
    told.report.interrupt();
    assert_eq!(
        told.lines(),
        [
            "drain begins: blue",
            "Ctrl-C: the new release stays live",
            "drain Interrupted: blue: ",
            "finish begins: web1 web2",
            "finish Warning: web1 web2: the home is full",
        ]
    );
}

#[test]
fn the_last_step_is_announced_once() {
    let mut told = Told::new();
    told.record(Some("the home is full"));
    told.step(Step::Drain, |_| None);
    told.step(Step::Retire, |_| None);
    for host in names("web1 web2") {
        told.action(Step::Finish, &Action::Prune { host }, None);
    }
    assert_eq!(
        told.lines(),
        [
            "drain begins: blue",
            "drain Ok: blue: ",
            "retire begins: web1 web2",
            "retire Ok: web1 web2: kept warm: `cutover rollback`",
            "finish begins: web1 web2",
            "finish Warning: web1 web2: the home is full",
        ]
    );
}

#[test]
fn the_way_back_is_as_long_as_what_was_measured() {
    let mut told = Told::new();
    let preflight = |kind| told.report.reporter.tell(kind);
    let (step, places) = (Step::Preflight, Vec::new());
    preflight(EventKind::StepStarted { step, places: places.clone(), weight: None, wait: None });
    preflight(EventKind::StepEnded {
        weight: None,
        step,
        places,
        end: StepEnd::Ok,
        summary: String::new(),
        details: Vec::new(),
        took: Duration::from_millis(900),
    });
    told.step(Step::Health, |_| None);
    told.step(Step::Switch, |_| None);
    told.step(Step::Retire, |_| None);
    let lines = told.lines();
    assert_eq!(
        lines.last().map(String::as_str),
        Some("retire Ok: web1 web2: kept warm: `cutover rollback`, ~3 s")
    );
}

#[test]
fn what_is_called_warm_runs() {
    let mut told = Told::new();
    let plan = told.plan.clone();
    let retire = plan.retire.iter().filter(|stage| stage.step == Step::Retire);
    let dead = Summary::Warning("web2: blue does not run any more".to_owned());
    for (task, summary) in retire.flat_map(|stage| &stage.tasks).zip([Summary::Nothing, dead]) {
        let (step, action) = (Step::Retire, task.action.clone());
        told.report.begin(&plan, step, &action, None);
        let performed = Performed::done(summary);
        told.report.end(&Ended { step, action, performed, given_up: None, is_out: false });
    }
    assert_eq!(
        told.lines(),
        [
            "retire begins: web1 web2",
            "retire Warning: web1 web2: kept warm: `cutover rollback`; web2: blue does not run any more; \
             `cutover rollback` starts it first"
        ]
    );
}
