//! Walks through all histories of one scene.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::action_kind;
use super::aim::Aim;
use super::commit_points::AtAction;
use super::execution::Execution;
use super::judge::{Burden, faults_of_end};
use super::path::{Choice, Path};
use super::scene::{Fleet, PLANNED, Scene};
use super::sim::Done;
use super::state::{Shown, State};
use super::tally::Tally;
use super::{Fault, Happening};
use crate::model::{
    Ask, Decision, EventSink, Origin, Outcome, Plan, Progress, Record, Sight, Timestamp, decide,
};
use crate::run::execute::deaf::Deaf;
use crate::run::execute::runner::Way;

const ASKS: [Ask; 3] = [Ask::Resume, Ask::ResumeForward, Ask::Abort];

/// After this a switch counts as old.
const LATE: u64 = 20 * 60 * 1000;

/// Violations that are kept of one scene.
const KEPT: usize = 5;

/// Walks through all histories of one scene.
pub(super) struct Explorer<'a> {
    scene: &'a Scene,
    plan: Plan,
    runtime: &'a tokio::runtime::Runtime,
    sink: Arc<dyn EventSink>,
    seen: HashSet<u64>,
    pub(super) tally: Tally,
    /// Whether to end at the first violation.
    hasty: bool,
    /// Where to look.
    aim: Option<Aim>,
}

/// Where a history goes on.
#[derive(Clone)]
struct Node {
    state: State,
    progress: Progress,
    /// Milliseconds since the plan was made.
    age: u64,
    /// What was asked for last, when it was a recovery.
    ask: Option<Ask>,
    burden: Burden,
    /// Mishaps that may still come.
    mishaps: u8,
    path: Path,
}

/// What a recovery came to.
enum Recovery {
    Goes(Box<Node>),
    Person(String),
    Ended(Outcome),
}

impl<'a> Explorer<'a> {
    pub(super) fn new(scene: &'a Scene, runtime: &'a tokio::runtime::Runtime, hasty: bool) -> Self {
        let plan = scene.plan();
        let (sink, tally) = (Arc::new(Deaf), Tally::default());
        Self { scene, plan, runtime, sink, seen: HashSet::new(), tally, hasty, aim: None }
    }

    /// Walks through the histories that begin with this mishap, until one breaks a promise.
    pub(super) fn explore_at(&mut self, aim: Aim) {
        self.aim = Some(aim);
        self.explore(Aim::MISHAPS);
    }

    /// The mishap that has to come first, while none has.
    fn aim(&self, node: &Node) -> Option<Aim> {
        self.aim.filter(|_| node.mishaps == Aim::MISHAPS)
    }

    /// Walks through all histories with at most so many mishaps.
    pub(super) fn explore(&mut self, mishaps: u8) {
        let first = Record::Planned { plan: Box::new(self.plan.clone()), origin: Origin::default() };
        self.tally.points.at_record(&first, true);
        // Without it there is no deployment, and nothing was done.
        self.tally.points.at_record(&first, false);
        let progress = Progress::replay(&[first]).expect("it begins with its plan");
        self.walk(&Node {
            state: self.scene.state,
            progress,
            age: 0,
            ask: None,
            burden: Burden { blind: self.scene.fleet == Fleet::HidesOne, ..Burden::default() },
            mishaps,
            path: Path::default(),
        });
    }

    fn is_over(&self) -> bool {
        self.hasty && !self.tally.violations.is_empty()
    }

    fn violation(&mut self, what: &str, path: &Path) {
        if self.tally.violations.len() < KEPT {
            self.tally.violations.push(format!("{what} ({}{path})", self.scene));
        }
    }

    /// Whether histories came here before, with as much to come.
    fn was_here(&mut self, node: &Node) -> bool {
        let mut hasher = DefaultHasher::new();
        (node.state, node.age > 0, node.burden, node.mishaps).hash(&mut hasher);
        node.progress.fingerprint(&mut hasher);
        let is_new = self.seen.insert(hasher.finish());
        self.tally.merged += u64::from(!is_new);
        !is_new
    }

    fn execute(&mut self, node: &Node, faults: &[(usize, Fault)]) -> Execution {
        let run = Execution::run(node.state, &node.progress, faults, Arc::clone(&self.sink), None);
        let run = self.runtime.block_on(run);
        self.tally.steps += (run.records.len() + run.performed.len()) as u64;
        for (index, done) in run.performed.iter().enumerate() {
            let fault = run.faults.iter().find(|(at, _)| *at == index);
            let what = fault.map_or(AtAction::Ok, |(_, fault)| AtAction::Fault(*fault));
            self.tally.points.at_action(&done.action, what);
        }
        run
    }

    /// One history to its end, judged; then all that could have gone otherwise on the way.
    fn walk(&mut self, node: &Node) {
        if self.is_over() || self.was_here(node) {
            return;
        }
        let run = self.execute(node, &[]);
        self.end(node, &run);
        self.branch(node, &run, 0);
    }

    /// Judges the end of a run. What needs a person gets one; what has ended is followed by the next deployment.
    fn end(&mut self, node: &Node, run: &Execution) {
        self.tally.histories += 1;
        let burden = node.burden.with(run);
        for wrong in faults_of_end(self.scene, &self.plan, burden, run) {
            self.violation(&wrong, &node.path);
        }
        let end = run.outcome.map_or_else(|| "cut off".to_owned(), |outcome| format!("{outcome:?}"));
        *self.tally.ends.entry(end).or_default() += 1;
        let after = Node { state: run.state, progress: run.progress.clone(), burden, ..node.clone() };
        match run.outcome {
            // A signal cut it off, and one command brings it to its end.
            None => self.recover_all(&after, &[Happening::Nothing], &[Ask::Resume]),
            Some(Outcome::Stuck) => self.mend(&after, &[Ask::Resume, Ask::Abort]),
            Some(_) => self.next_deployment(&after),
        }
    }

    /// All that could have gone otherwise from the action of index `from` on.
    fn branch(&mut self, node: &Node, run: &Execution, from: usize) {
        if node.mishaps == 0 || self.is_over() {
            return;
        }
        let progresses = match run.progresses() {
            Ok(progresses) => progresses,
            Err(reason) => return self.violation(&reason, &node.path),
        };
        if progresses.last() != Some(&run.progress) {
            self.violation("P7, the journal tells another story than the run", &node.path);
        }
        let aim = self.aim(node);
        let left = Node { mishaps: node.mishaps - 1, ..node.clone() };
        if aim.is_none() {
            self.crashes(&left, run, &progresses, from);
        }
        self.faults(&left, run, &progresses, from, aim);
    }

    fn crashes(&mut self, node: &Node, run: &Execution, progresses: &[Progress], from: usize) {
        // From what became of the action before on: that it went wrong may be in the journal or not.
        let first =
            from.checked_sub(1).and_then(|last| run.performed.get(last)).map_or(0, |done| done.records);
        let borne = node.burden.with(run);
        let at = |state: State, records: usize, what: String| Node {
            state,
            progress: progresses[records].clone(),
            burden: borne.remembered_by(&progresses[records]),
            path: node.path.then(Choice::Crash(what)),
            ..node.clone()
        };
        for (index, record) in run.records.iter().enumerate().skip(first) {
            self.tally.points.at_record(record, false);
            self.tally.points.at_record(record, true);
            let state = run.state_before(index);
            // Lost, it is the same as if the record before it had been the last one, but for what was done since.
            for (records, word) in [(index, "before"), (index + 1, "after")] {
                let node = at(state, records, format!("{word} record {index}, {}", brief(record)));
                self.recover_all(&node, &Happening::ALL, &ASKS);
            }
        }
        for (index, done) in run.performed.iter().enumerate().skip(from) {
            let next = run.performed.get(index + 1);
            if next.is_some_and(|next| next.records == done.records) {
                self.tally.points.at_action(&done.action, AtAction::Crash);
                let node = at(done.state, done.records, format!("right after `{}`", done.action));
                self.recover_all(&node, &Happening::ALL, &ASKS);
            }
        }
    }

    fn faults(
        &mut self,
        node: &Node,
        run: &Execution,
        progresses: &[Progress],
        from: usize,
        aim: Option<Aim>,
    ) {
        for (index, done) in run.performed.iter().enumerate().skip(from) {
            for fault in Fault::ALL {
                if self.is_over() {
                    return;
                }
                if aim.is_some_and(|aim| !aim.is_at(&done.action, fault)) {
                    continue;
                }
                // The time of a deployment ends nothing but the way there; waiting for it takes real time, so it does so once.
                if fault == Fault::Hangs
                    && (done.way != Way::There || !run.faults.is_empty() || node.ask.is_some())
                {
                    continue;
                }
                if fault == Fault::Moved && !can_be_moved_before(done) {
                    continue;
                }
                let path = node.path.then(Choice::Fault(done.action.to_string(), fault));
                let begun = self.shortcut(node, run, progresses, index);
                let (node, faults, skipped) = match begun {
                    Some((node, first)) => (node, vec![(index - first, fault)], first),
                    None => {
                        let faults = run.faults.iter().copied().chain([(index, fault)]).collect();
                        (node.clone(), faults, 0)
                    }
                };
                let node = Node { path, ..node };
                let other = self.execute(&node, &faults);
                self.end(&node, &other);
                self.branch(&node, &other, index + 1 - skipped);
            }
        }
    }

    /// Where a run without faults can be taken up just before the batch of an action, instead of from its beginning.
    fn shortcut(
        &self,
        node: &Node,
        run: &Execution,
        progresses: &[Progress],
        index: usize,
    ) -> Option<(Node, usize)> {
        let done = &run.performed[index];
        if !run.faults.is_empty() {
            return None;
        }
        let first = run.performed.iter().position(|other| other.records == done.records)?;
        // A batch that is only asked about has no record before it.
        let records = if done.asked { done.records } else { done.records.checked_sub(1)? };
        let node =
            Node { state: run.state_before(records), progress: progresses[records].clone(), ..node.clone() };
        Some((node, first))
    }

    /// The engine is gone. Whatever happens meanwhile, whatever is typed then.
    fn recover_all(&mut self, node: &Node, happenings: &[Happening], asks: &[Ask]) {
        for happening in happenings {
            for ask in asks {
                if self.is_over() {
                    return;
                }
                let path = node.path.then(Choice::Recovery(*happening, *ask));
                let mut after = Node { path, ..node.clone() };
                happening.apply(&mut after.state, self.scene, self.plan.color);
                if happening.changes() && after.state == node.state {
                    continue;
                }
                after.age += if *happening == Happening::Late { LATE } else { 0 };
                after.burden.changed |= happening.changes();
                after.burden.moved |= happening.moves();
                after.burden.hurt |= happening.changes() && !happening.moves();
                self.recover_one(after, *ask);
            }
        }
    }

    fn recover_one(&mut self, node: Node, ask: Ask) {
        let (state, age, pivoted) = (node.state, node.age, node.progress.is_pivoted());
        let (burden, path) = (node.burden, node.path.clone());
        let left = node.clone();
        match self.recover(node, ask) {
            Err(reason) => self.violation(&reason, &path),
            Ok(Recovery::Goes(node)) => self.walk(&node),
            Ok(Recovery::Ended(outcome)) => {
                self.tally.histories += 1;
                *self.tally.ends.entry(format!("{outcome:?} before")).or_default() += 1;
            }
            Ok(Recovery::Person(code)) => {
                self.tally.histories += 1;
                let expected = match code.as_str() {
                    "abort/too-late" => ask == Ask::Abort && pivoted,
                    "resume/old-switch" => age > 0 && state.is_routed(self.plan.color),
                    "resume/moved" => burden.moved,
                    _ => burden.allows_person(),
                };
                if !expected {
                    self.violation(&format!("P4, a person is needed for nothing: {code}"), &path);
                }
                *self.tally.ends.entry(code.clone()).or_default() += 1;
                let asks: &[Ask] = match code.as_str() {
                    "resume/old-switch" => &[Ask::ResumeForward, Ask::Abort],
                    _ if pivoted => &[Ask::Resume],
                    _ => &[Ask::ResumeForward, Ask::Abort],
                };
                self.mend(&left, asks);
            }
        }
    }

    /// What `resume` and `abort` do before the loop goes on: look, decide, write it down.
    fn recover(&mut self, mut node: Node, ask: Ask) -> Result<Recovery, String> {
        match node.progress.outcome() {
            None | Some(Outcome::Stuck) => {}
            Some(outcome) => return Ok(Recovery::Ended(outcome)),
        }
        node.state.forget_looks();
        node.state.leave_out(&node.progress.excluded());
        let observed = node.state.observed();
        let new = self.plan.color;
        let new_healthy = node.state.look(new, new);
        let old_healthy = node.state.look(new.other(), new);
        // What was seen then has to be seen again before anything is moved on the strength of it.
        node.state.forget_looks();
        let now = Timestamp(PLANNED.0 + node.age);
        let decision = decide(&node.progress, &Sight { observed, new_healthy, old_healthy, now }, ask);
        if let Decision::Person { why } = decision {
            return Ok(Recovery::Person(why.code));
        }
        let record = Record::Recovered { decision, origin: Origin::default(), lost: BTreeMap::new() };
        self.tally.points.at_record(&record, true);
        // Lost, the next one decides again.
        self.tally.points.at_record(&record, false);
        let refused = |reason| format!("P4, the decision can't be written down: {reason}");
        node.progress.apply(&record).map_err(refused)?;
        Ok(Recovery::Goes(Box::new(Node { ask: Some(ask), ..node })))
    }

    /// A person mends all that is wrong with the world; then one command comes to an end.
    fn mend(&mut self, node: &Node, asks: &[Ask]) {
        let mut mended = Node { mishaps: 0, path: node.path.then(Choice::Mended), ..node.clone() };
        let state = &mut mended.state;
        state.sick = [false; 2];
        state.last_is_lost &= self.scene.fleet != Fleet::HidesOne;
        let new = self.plan.color;
        if node.progress.is_pivoted() {
            state.routers_mut().fill(Shown::Only(new));
            let left_out = state.left_out;
            for (host, _) in state.hosts_mut().iter_mut().zip(left_out).filter(|(_, is_out)| !is_out) {
                host.running[new as usize] = host.link[new as usize];
            }
        } else {
            state.routers = self.scene.state.routers;
            let old = new.other() as usize;
            for (host, was) in state.hosts_mut().iter_mut().zip(self.scene.state.hosts()) {
                host.running[old] = was.running[old];
            }
        }
        for ask in asks {
            let mut node = mended.clone();
            node.burden.changed = true;
            let path = node.path.clone();
            // One that goes backward goes on backward, whatever is asked for.
            match self.recover(node, *ask) {
                Err(reason) => self.violation(&reason, &path),
                Ok(Recovery::Goes(node)) => {
                    if self.was_here(&node) {
                        continue;
                    }
                    let run = self.execute(&node, &[]);
                    if run.outcome == Some(Outcome::Stuck) || run.outcome.is_none() {
                        self.violation(&format!("P4, mended, and {:?}", run.outcome), &path);
                    } else {
                        self.end(&node, &run);
                    }
                }
                Ok(Recovery::Person(code)) => self.violation(&format!("P4, mended, and {code}"), &path),
                Ok(Recovery::Ended(_)) => {}
            }
        }
    }

    /// The next deployment comes through, whatever this one came to.
    fn next_deployment(&mut self, node: &Node) {
        let mut state = node.state;
        state.sick = [false; 2];
        // What runs there keeps it from being left out, until someone has made the way to it.
        state.last_is_lost &= self.scene.fleet != Fleet::HidesOne;
        state.forget_looks();
        let mut hasher = DefaultHasher::new();
        ("next", state).hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) || node.burden.unrecorded {
            return;
        }
        let path = node.path.then(Choice::Next);
        let plan = match self.scene.next_plan(&state) {
            Ok(plan) => plan,
            // Someone moved it, and is told so.
            Err(_) if node.burden.moved => return,
            Err(refusal) => return self.violation(&format!("P2, no next deployment: {refusal}"), &path),
        };
        let color = plan.color;
        let next = Node { state, progress: Progress::new(plan), ..node.clone() };
        let run = self.execute(&next, &[]);
        for wrong in &run.violations {
            self.violation(wrong, &path);
        }
        let live = run.state.only_color() == Some(color) && run.state.live == Some((color, 4));
        if run.outcome != Some(Outcome::Deployed) || !live {
            self.violation(&format!("P4, the next deployment ends as {:?}", run.outcome), &path);
        }
    }
}

/// Whether someone may move the routers just before it. Between a look at them and what is done on the strength of it nobody may: there is
/// no world in which that can be seen.
fn can_be_moved_before(done: &Done) -> bool {
    let action = action_kind::NAMES[action_kind::kind(&done.action)];
    done.way == Way::There && Fault::MOVED_BEFORE.contains(&action)
}

fn brief(record: &Record) -> &'static str {
    super::record_kind::NAMES[super::record_kind::kind(record)]
}
