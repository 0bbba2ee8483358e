//! The real planner, runner, journal and recovery in a simulated world: every action fails once in each way, every repeatable effect
//! happens twice, and the engine is killed after (and before) every record.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::performed::{Performed, Summary};
use super::performer::Unperformed;
use super::runner::{Log, Runner, Stopped, Way, World};
use super::{Clock, Interrupts, Reporter};
use crate::model::{
    Action, Ask, Color, Decision, Event, EventKind, EventSink, HostName, Name, Observation, Observed,
    ObservedHost, ObservedInstance, Origin, Outcome, Plan, Progress, Record, Release, ReleaseId, Routing,
    Sight, Step, Timestamp, Trouble, Wish, decide,
};

/// How one action goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    FailsBefore,
    FailsAfter,
    UnknownDidNot,
    UnknownDid,
    /// Did not happen, and is not known again each time that it is tried.
    NeverKnown,
    Twice,
}

const FAULTS: [Fault; 5] =
    [Fault::FailsBefore, Fault::FailsAfter, Fault::UnknownDidNot, Fault::UnknownDid, Fault::Twice];

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct SimHost {
    releases: BTreeSet<ReleaseId>,
    partial: bool,
    link: BTreeMap<Color, ReleaseId>,
    running: BTreeMap<Color, ReleaseId>,
    configured: BTreeSet<(Color, ReleaseId)>,
    enabled: BTreeSet<Color>,
    current: Option<ReleaseId>,
}

/// The world: strict where the real one would only be unlucky.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct State {
    hosts: BTreeMap<HostName, SimHost>,
    routers: BTreeMap<HostName, Option<Routing>>,
    prepared: BTreeSet<HostName>,
    live: Option<(Color, ReleaseId)>,
    migrations: Vec<ReleaseId>,
}

struct Sim {
    state: Mutex<State>,
    performed: Mutex<Vec<Action>>,
    fault: Option<(usize, Fault)>,
    violations: Mutex<Vec<String>>,
    heard: Arc<Heard>,
}

impl Sim {
    fn new(state: State, fault: Option<(usize, Fault)>) -> Self {
        Self {
            state: Mutex::new(state),
            performed: Mutex::default(),
            fault,
            violations: Mutex::default(),
            heard: Arc::default(),
        }
    }

    fn violation(&self, text: String) {
        self.violations.lock().unwrap().push(text);
    }

    /// Does it, or says why it can't be done. Applies the promises that hold at every moment.
    fn effect(&self, action: &Action) -> Result<(), String> {
        let mut state = self.state.lock().unwrap();
        let routed =
            |state: &State, color: Color| state.routers.values().flatten().any(|r| r.share(color) > 0);
        let runs = |state: &State, color: Color| {
            let running: Vec<_> = state.hosts.values().map(|host| host.running.get(&color)).collect();
            running.iter().all(|release| release.is_some() && *release == running[0])
        };
        if let Some(host) = action.host() {
            let shown = matches!(action, Action::Stop { color, .. } | Action::Clear { color, .. } if routed(&state, *color));
            if shown && state.hosts.get(host).is_some_and(|host| !host.running.is_empty()) {
                self.violation(format!("P1: {action} on {host} while a router points to it"));
            }
        }
        match action {
            Action::Stage { host, release } => {
                let host = state.hosts.get_mut(host).unwrap();
                host.partial = false;
                host.releases.insert(release.clone());
            }
            Action::RemovePartial { host } => state.hosts.get_mut(host).unwrap().partial = false,
            Action::Migrate { release, .. } => state.migrations.push(release.clone()),
            Action::Clear { host, color } | Action::Stop { host, color } => {
                state.hosts.get_mut(host).unwrap().running.remove(color);
            }
            Action::Configure { host, color, release } => {
                state.hosts.get_mut(host).unwrap().configured.insert((*color, release.clone()));
            }
            Action::Point { host, color, release } => {
                let link = &mut state.hosts.get_mut(host).unwrap().link;
                match release {
                    Some(release) => link.insert(*color, release.clone()),
                    None => link.remove(color),
                };
            }
            Action::Start { host, color, release } => {
                let host = state.hosts.get_mut(host).unwrap();
                if host.running.get(color).is_some_and(|running| running != release) {
                    return Err("port taken".into());
                }
                if host.link.get(color) != Some(release)
                    || !host.configured.contains(&(*color, release.clone()))
                {
                    return Err("started something else".into());
                }
                host.running.insert(*color, release.clone());
            }
            Action::AwaitHealthy { host, color, release } => {
                if state.hosts[host].running.get(color) != Some(release) {
                    return Err("not healthy".into());
                }
            }
            Action::Smoke { color, .. } | Action::Watch { color, .. } | Action::RequireHealthy { color } => {
                if !runs(&state, *color) {
                    return Err(format!("{color} is not healthy"));
                }
            }
            Action::Enable { host, color } => {
                state.hosts.get_mut(host).unwrap().enabled.insert(*color);
            }
            Action::Disable { host, color } => {
                state.hosts.get_mut(host).unwrap().enabled.remove(color);
            }
            Action::Prepare { router, .. } => {
                state.prepared.insert(router.clone());
            }
            Action::Discard { router } => {
                state.prepared.remove(router);
            }
            Action::Switch { router, want } => {
                if let Some(color) = want.only().filter(|color| !runs(&state, *color)) {
                    self.violation(format!("P1: {router} switched to {color}, which is not healthy"));
                }
                state.prepared.remove(router);
                state.routers.insert(router.clone(), Some(want.clone()));
            }
            Action::Prove { color, .. } => {
                if !state.routers.values().all(|r| r.as_ref().and_then(Routing::only) == Some(*color)) {
                    return Err(format!("the front door does not show {color}"));
                }
            }
            Action::RequireUnrouted { color } => {
                if routed(&state, *color) {
                    return Err(format!("a router points to {color}"));
                }
            }
            Action::Drain { .. } | Action::Prune { .. } => {}
            Action::RecordLive { color, release } => state.live = Some((*color, release.clone())),
            Action::SetCurrent { host, release } => {
                state.hosts.get_mut(host).unwrap().current = Some(release.clone());
            }
        }
        Ok(())
    }

    fn observed(&self) -> Observed {
        let state = self.state.lock().unwrap();
        let instance = |host: &SimHost, color: Color| ObservedInstance {
            link: host.link.get(&color).cloned(),
            running: host.running.contains_key(&color),
            release: host.running.get(&color).cloned(),
        };
        Observed {
            hosts: state
                .hosts
                .iter()
                .map(|(name, host)| {
                    let (blue, green) = (instance(host, Color::Blue), instance(host, Color::Green));
                    (name.clone(), ObservedHost { blue, green })
                })
                .collect(),
            routers: state
                .routers
                .iter()
                .map(|(name, routing)| {
                    (
                        name.clone(),
                        Observation { routing: routing.clone(), settled: true, labels: Vec::new() },
                    )
                })
                .collect(),
            recorded: state.live.clone(),
        }
    }

    fn sight(&self, plan: &Plan, now: Timestamp) -> Sight {
        let healthy = |color: Color| {
            let state = self.state.lock().unwrap();
            state.hosts.values().all(|host| host.running.contains_key(&color))
        };
        let (new_healthy, old_healthy) = (healthy(plan.color), healthy(plan.color.other()));
        Sight { observed: self.observed(), new_healthy, old_healthy, now }
    }
}

impl World for Sim {
    async fn perform(&self, _: &Plan, action: &Action, _: Way) -> Performed {
        let fault = {
            let mut performed = self.performed.lock().unwrap();
            performed.push(action.clone());
            let again = |(at, fault): &(usize, Fault)| {
                *fault == Fault::NeverKnown && performed.get(*at) == Some(action)
            };
            let hit = |fault: &(usize, Fault)| fault.0 + 1 == performed.len() || again(fault);
            self.fault.filter(hit).map(|(_, fault)| fault)
        };
        let trouble = || Trouble::new("simulated/fault", format!("{action} went wrong"));
        let done = |result: Result<(), String>| match result {
            Ok(()) => Performed::done(Summary::Nothing),
            Err(reason) => Performed::failed(Trouble::new("simulated/world", reason)),
        };
        match fault {
            None => done(self.effect(action)),
            Some(Fault::FailsBefore) => Performed::failed(trouble()),
            Some(Fault::FailsAfter) => {
                let _ = self.effect(action);
                Performed::failed(trouble())
            }
            Some(Fault::UnknownDidNot | Fault::NeverKnown) => unknown(trouble()),
            Some(Fault::UnknownDid) => {
                let _ = self.effect(action);
                unknown(trouble())
            }
            Some(Fault::Twice) if matches!(action, Action::Migrate { .. }) => done(self.effect(action)),
            Some(Fault::Twice) => done(self.effect(action).and_then(|()| self.effect(action))),
        }
    }

    async fn ask(&self, plan: &Plan, action: &Action) -> Performed {
        let Action::Migrate { .. } = action else { panic!("only migrations are asked about, not {action}") };
        let mut answer = Performed::done(Summary::Nothing);
        if !self.state.lock().unwrap().migrations.contains(&plan.release.id) {
            answer.end = crate::model::End::NeverBegan;
        }
        answer
    }

    fn wait(&self, _: Step) -> Option<std::time::Duration> {
        None
    }
}

fn unknown(trouble: Trouble) -> Performed {
    Performed::from(Unperformed { trouble, unknown: true, details: Vec::new() })
}

/// A journal in memory that breaks at one record: before it is on disk, or right after.
struct Journal {
    records: Vec<Record>,
    crash: Option<(usize, bool)>,
}

impl Log for Journal {
    type Lost = ();

    async fn append(&mut self, record: &Record) -> Result<(), ()> {
        // A journal must survive its own format.
        let line = serde_json::to_string(record).unwrap();
        let read: Record = serde_json::from_str(&line).unwrap();
        assert_eq!(&read, record);
        match self.crash {
            Some((at, kept)) if at == self.records.len() => {
                if kept {
                    self.records.push(read);
                }
                self.crash = None;
                Err(())
            }
            _ => {
                self.records.push(read);
                Ok(())
            }
        }
    }
}

/// Events, each as one line.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl EventSink for Heard {
    fn emit(&self, event: &Event) {
        #[expect(clippy::wildcard_enum_match_arm, reason = "a runner tells no others")]
        let line = match &event.kind {
            EventKind::StepStarted { step, places, .. } => format!("{step} {}", places.join(" ")),
            EventKind::StepEnded { step, end, summary, details, .. } => {
                let details: String =
                    details.iter().map(|note| format!(" | {}: {}", note.label, note.text)).collect();
                format!("{step} {end:?} {summary}{details}").trim_end().to_owned()
            }
            EventKind::Pivot { release } => format!("pivot {release}"),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(line);
    }
}

struct Still;
impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp(1_000_000)
    }
}

async fn drive(sim: &Arc<Sim>, journal: Journal, progress: &mut Progress) -> (Journal, Option<Outcome>) {
    let (_sender, interrupts) = watch::channel(Interrupts::default());
    let reporter = Reporter::new(Arc::clone(&sim.heard) as Arc<dyn EventSink>, Arc::new(Still));
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(3600);
    let mut runner =
        Runner { world: Arc::clone(sim), log: journal, reporter, interrupts, parallel: 8, deadline };
    match runner.run(progress).await {
        Ok(outcome) => (runner.log, Some(outcome)),
        Err(Stopped::Lost(())) => (runner.log, None),
        Err(Stopped::Interrupted) => panic!("no signal was sent"),
    }
}

/// One whole history: the first run, then as many recoveries as it takes.
async fn history(
    scene: &Scene,
    fault: Option<(usize, Fault)>,
    crashes: &[(usize, bool)],
    ask: Ask,
) -> History {
    let sim = Arc::new(Sim::new(scene.state.clone(), fault));
    let plan = Plan::new(&scene.deployment(), &scene.wish, &sim.observed()).expect("a plan can be made");
    assert_eq!(plan.check_authority(&scene.deployment()), Ok(()), "{}", scene.name);
    let first = Record::Planned { plan: Box::new(plan), origin: Origin::default() };
    let mut crashes = crashes.iter().copied();
    let mut journal = Journal { records: vec![first], crash: crashes.next() };
    let mut progress = Progress::replay(&journal.records).expect("replays");
    let mut outcome;
    loop {
        (journal, outcome) = drive(&sim, journal, &mut progress).await;
        if outcome.is_some() {
            break;
        }
        progress = Progress::replay(&journal.records)
            .unwrap_or_else(|error| panic!("{error}: {:#?}", journal.records));
        if progress.outcome().is_some() {
            outcome = progress.outcome();
            break;
        }
        let decision = decide(&progress, &sim.sight(progress.plan(), Timestamp(1_000_000)), ask);
        if let Decision::Person { why } = decision {
            return History { sim, outcome: None, person: Some(why), records: journal.records };
        }
        journal.crash = crashes.next();
        let record = Record::Recovered { decision, origin: Origin::default() };
        progress
            .apply(&record)
            .unwrap_or_else(|reason| panic!("{reason}: {record:?} after {:#?}", journal.records));
        journal.records.push(record);
    }
    // Whoever reads the journal later comes to the same end.
    let replayed = Progress::replay(&journal.records).expect("replays");
    assert_eq!(replayed.outcome(), outcome);
    History { sim, outcome, person: None, records: journal.records }
}

struct History {
    sim: Arc<Sim>,
    outcome: Option<Outcome>,
    person: Option<Trouble>,
    records: Vec<Record>,
}

impl History {
    /// The promises that hold at every end.
    fn check(&self, scene: &Scene, stuck_allowed: bool, what: &str) {
        let state = self.sim.state.lock().unwrap();
        let wish = &scene.wish.release.id;
        let fail = |text: &str| panic!("{what} of {}: {text}\n{state:#?}\n{:#?}", scene.name, self.records);
        let violations = self.sim.violations.lock().unwrap();
        if !violations.is_empty() {
            fail(&violations.join("; "));
        }
        if state.migrations.iter().filter(|id| *id == wish).count() > 1 {
            fail("P9: the migration ran twice");
        }
        match self.outcome {
            Some(Outcome::Deployed) => {
                let shown = self.sim_live(&state);
                if shown.as_ref().map(|(_, id)| id) != Some(wish) {
                    fail("deployed, but something else is routed to");
                }
                let retired = self.records.iter().any(|record| {
                    matches!(record, Record::Ended { task, end: crate::model::End::Failed(_) } if task.part == crate::model::Part::Retire)
                });
                if !retired && state.live != shown {
                    fail("P2: the record is not what the router shows");
                }
            }
            Some(Outcome::RolledBack | Outcome::NothingChanged) => {
                let mut left = state.clone();
                left.migrations.clone_from(&scene.state.migrations);
                for (name, host) in &mut left.hosts {
                    host.releases.clone_from(&scene.state.hosts[name].releases);
                    host.configured.clone_from(&scene.state.hosts[name].configured);
                }
                // A first deployment leaves a router that knows the application and sends it nothing.
                for (name, routing) in &mut left.routers {
                    if scene.state.routers[name].is_none() && *routing == Some(Routing::none()) {
                        *routing = None;
                    }
                }
                if left != scene.state {
                    fail("put back, but not as it was");
                }
            }
            Some(Outcome::Stuck) if stuck_allowed => {}
            None if self.person.is_some() && stuck_allowed => {}
            _ => fail(&format!("ended as {:?}, {:?}", self.outcome, self.person)),
        }
    }

    fn sim_live(&self, state: &State) -> Option<(Color, ReleaseId)> {
        let color = self.sim_color(state)?;
        let mut releases = state.hosts.values().map(|host| host.running.get(&color));
        let first = releases.next().flatten()?;
        releases.all(|release| release == Some(first)).then(|| (color, first.clone()))
    }

    fn sim_color(&self, state: &State) -> Option<Color> {
        let mut colors = state.routers.values().map(|routing| routing.as_ref().and_then(Routing::only));
        let first = colors.next().flatten();
        colors.all(|color| color == first).then_some(first).flatten()
    }
}

/// A starting world and a wish.
struct Scene {
    name: String,
    hosts: Vec<HostName>,
    routers: Vec<HostName>,
    state: State,
    wish: Wish,
}

impl Scene {
    fn deployment(&self) -> crate::model::Deployment {
        crate::model::Deployment::for_tests(&self.hosts, &self.routers)
    }

    fn all() -> Vec<Self> {
        let mut scenes = Vec::new();
        for (hosts, routers) in [(1, 1), (2, 1), (1, 2), (2, 2)] {
            for kind in ["first", "second", "warm idle", "again", "warm rollback"] {
                scenes.push(Self::new(kind, hosts, routers));
            }
        }
        scenes
    }

    fn new(kind: &str, hosts: usize, routers: usize) -> Self {
        let names = |prefix: &str, count: usize| -> Vec<HostName> {
            (1..=count).map(|index| Name::new(format!("{prefix}{index}")).unwrap()).collect()
        };
        let id = |number: u64| ReleaseId::parse(&format!("r{number}")).unwrap();
        let (host_names, router_names) = (names("web", hosts), names("lb", routers));
        let mut host = SimHost::default();
        let mut put = |color: Color, number: u64, running: bool| {
            host.releases.insert(id(number));
            host.link.insert(color, id(number));
            host.configured.insert((color, id(number)));
            if running {
                host.running.insert(color, id(number));
            }
        };
        let mut wanted = 3;
        if kind != "first" {
            put(Color::Blue, 2, true);
        }
        match kind {
            "warm idle" => put(Color::Green, 1, true),
            "again" => {
                put(Color::Green, 1, false);
                wanted = 1;
            }
            "warm rollback" => {
                put(Color::Green, 1, true);
                wanted = 1;
            }
            _ => {}
        }
        if kind != "first" {
            host.enabled.insert(Color::Blue);
            host.current = Some(id(2));
        }
        let live = (kind != "first").then(|| (Color::Blue, id(2)));
        let routing = live.as_ref().map(|(color, _)| Routing::all_to(*color));
        let state = State {
            hosts: host_names.iter().map(|name| (name.clone(), host.clone())).collect(),
            routers: router_names.iter().map(|name| (name.clone(), routing.clone())).collect(),
            live,
            ..State::default()
        };
        let release = Release::for_tests(id(wanted).as_str(), wanted);
        let rollback = kind == "warm rollback";
        let command = if rollback { "rollback" } else { "deploy" };
        let wish = Wish::new(command, "d1".into(), release, false, Timestamp(1_000_000));
        Self {
            name: format!("{kind}, {hosts} hosts, {routers} routers"),
            hosts: host_names,
            routers: router_names,
            state,
            wish,
        }
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

const ASKS: [Ask; 3] = [Ask::Resume, Ask::ResumeForward, Ask::Abort];

#[test]
fn without_faults_every_deployment_ends_well() {
    block_on(async {
        for scene in Scene::all() {
            let history = history(&scene, None, &[], Ask::Resume).await;
            assert_eq!(history.outcome, Some(Outcome::Deployed), "{}", scene.name);
            history.check(&scene, false, "the plain run");
        }
    });
}

#[test]
fn every_action_fails_once_in_every_way() {
    block_on(async {
        let mut histories = 0;
        for scene in Scene::all() {
            let plain = history(&scene, None, &[], Ask::Resume).await.sim.performed.lock().unwrap().len();
            for fault in FAULTS {
                for at in 0..plain {
                    let run = history(&scene, Some((at, fault)), &[], Ask::Resume).await;
                    run.check(&scene, false, &format!("{fault:?} at {at}"));
                    if matches!(fault, Fault::Twice | Fault::UnknownDid | Fault::UnknownDidNot) {
                        assert_eq!(
                            run.outcome,
                            Some(Outcome::Deployed),
                            "{fault:?} at {at} of {}",
                            scene.name
                        );
                    }
                    histories += 1;
                }
            }
        }
        assert!(histories > 1500, "only {histories} histories");
    });
}

#[test]
fn every_undo_fails_once_and_names_what_is_left() {
    block_on(async {
        let mut stuck = 0;
        for scene in Scene::all() {
            // Watching fails in the world itself: the new colour dies after the switch.
            let plain = history(&scene, None, &[], Ask::Resume).await;
            let watch = plain
                .sim
                .performed
                .lock()
                .unwrap()
                .iter()
                .position(|a| matches!(a, Action::Watch { .. }))
                .unwrap();
            let back = history(&scene, Some((watch, Fault::FailsBefore)), &[], Ask::Resume).await;
            let count = back.sim.performed.lock().unwrap().len();
            for at in watch + 1..count {
                let run = two_faults(&scene, at).await;
                run.check(&scene, true, &format!("undo {at} failing"));
                if run.outcome == Some(Outcome::Stuck) {
                    let progress = Progress::replay(&run.records).expect("replays");
                    assert!(!progress.not_undone().is_empty());
                    stuck += 1;
                }
            }
        }
        assert!(stuck > 40, "only {stuck} stuck ends");
    });
}

/// The watch fails, and so does the action at `at`.
async fn two_faults(scene: &Scene, at: usize) -> History {
    let sim = Arc::new(Sim::new(scene.state.clone(), Some((at, Fault::FailsBefore))));
    let mut plan = Plan::new(&scene.deployment(), &scene.wish, &sim.observed()).expect("a plan can be made");
    // A watch that can only fail: of a colour that does not run.
    for stage in plan.stages.iter_mut().filter(|stage| stage.step == Step::Watch) {
        for task in &mut stage.tasks {
            task.action = Action::AwaitHealthy {
                host: scene.hosts[0].clone(),
                color: plan.color,
                release: ReleaseId::parse("never").unwrap(),
            };
        }
    }
    let journal = Journal {
        records: vec![Record::Planned { plan: Box::new(plan), origin: Origin::default() }],
        crash: None,
    };
    let mut progress = Progress::replay(&journal.records).expect("replays");
    let (journal, outcome) = drive(&sim, journal, &mut progress).await;
    History { sim, outcome, person: None, records: journal.records }
}

#[test]
fn a_crash_at_every_record_ends_well() {
    block_on(async {
        let mut histories = 0;
        for scene in Scene::all() {
            let records = history(&scene, None, &[], Ask::Resume).await.records.len();
            for ask in ASKS {
                for kept in [true, false] {
                    for at in 1..records {
                        let run = history(&scene, None, &[(at, kept)], ask).await;
                        let late = run.person.as_ref().is_some_and(|why| why.code == "abort/too-late");
                        run.check(
                            &scene,
                            late && ask == Ask::Abort,
                            &format!("crash at record {at} ({kept}), {ask:?}"),
                        );
                        histories += 1;
                    }
                }
            }
        }
        assert!(histories > 3000, "only {histories} histories");
    });
}

#[test]
fn two_crashes_end_like_one() {
    block_on(async {
        for scene in Scene::all().into_iter().filter(|scene| scene.hosts.len() + scene.routers.len() < 4) {
            let records = history(&scene, None, &[], Ask::Resume).await.records.len();
            for at in (1..records).step_by(2) {
                for again in (at + 1..at + 20).step_by(3) {
                    let run = history(&scene, None, &[(at, true), (again, false)], Ask::Resume).await;
                    run.check(&scene, false, &format!("crashes at {at} and {again}"));
                }
            }
        }
    });
}

#[test]
fn a_fault_and_a_crash_end_well() {
    block_on(async {
        let scene = Scene::new("warm idle", 2, 2);
        let plain = history(&scene, None, &[], Ask::Resume).await;
        let (actions, records) = (plain.sim.performed.lock().unwrap().len(), plain.records.len());
        for fault in [Fault::FailsAfter, Fault::UnknownDid] {
            for at in (0..actions).step_by(2) {
                for crash in (1..records + 10).step_by(3) {
                    let run = history(&scene, Some((at, fault)), &[(crash, true)], Ask::Resume).await;
                    // The fault may hit the way back itself.
                    run.check(
                        &scene,
                        fault == Fault::FailsAfter,
                        &format!("{fault:?} at {at}, crash at {crash}"),
                    );
                }
            }
        }
    });
}

/// Chooses the action that goes wrong.
type Pick = fn(&Action) -> bool;

/// What is told of one deployment to two hosts, with a fault at the first action of a kind.
fn told(fault: Option<(Pick, Fault)>) -> Vec<String> {
    block_on(async {
        let scene = Scene::new("warm idle", 2, 1);
        let plain = history(&scene, None, &[], Ask::Resume).await;
        let at =
            |is_it: fn(&Action) -> bool| plain.sim.performed.lock().unwrap().iter().position(is_it).unwrap();
        let fault = fault.map(|(is_it, fault)| (at(is_it), fault));
        let told = history(&scene, fault, &[], Ask::Resume).await;
        told.sim.heard.0.lock().unwrap().clone()
    })
}

const UP_TO_START: [&str; 5] =
    ["stage web1 web2", "stage Ok", "migrate web1", "migrate Ok", "start web1 web2"];

const FROM_HEALTH_TO_SWITCH: [&str; 4] = ["health web1 web2", "health Ok", "switch lb1", "switch Ok"];

const FROM_WATCH_ON: [&str; 11] = [
    "watch green",
    "watch Ok",
    "pivot 3",
    "finish web1 web2",
    "finish Ok",
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
        "undo Ok green stopped; green started again as it was",
    ];
    assert_eq!(told, [&UP_TO_START[..], &then].concat());
}

#[test]
fn what_is_told_of_one_that_fails_its_watch() {
    let told = told(Some((|action| matches!(action, Action::Watch { .. }), Fault::FailsBefore)));
    let then = [
        "watch green",
        "watch Failed watch green went wrong",
        "undo ",
        "undo Ok traffic back: blue 100 %; green stopped; green started again as it was",
    ];
    assert_eq!(told, [&UP_TO_START[..], &["start Ok"], &FROM_HEALTH_TO_SWITCH, &then].concat());
}

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
    let then = [failed.as_str(), "undo ", "undo Ok green stopped; green started again as it was"];
    assert_eq!(told, [&UP_TO_START[..], &then].concat());
}
