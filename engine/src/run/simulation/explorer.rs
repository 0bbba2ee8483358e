//! Walks through all histories of one scene.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::action_kind;
use super::aim::Aim;
use super::commit_points::AtAction;
use super::execution::Execution;
use super::judge::{Burden, faults_of_end};
use super::path::{Choice, Path};
use super::scene::{Fleet, Scene};
use super::sim::Done;
use super::state::State;
use super::tally::Tally;
use super::typed::Typed;
use super::{Fault, Happening};
use crate::model::{Ask, EventSink, Origin, Outcome, Plan, Progress, Record};
use crate::run::execute::deaf::Deaf;
use crate::run::execute::runner::Way;

/// After this a switch counts as old.
pub(super) const LATE: u64 = 20 * 60 * 1000;

/// Violations that are kept of one scene.
const KEPT: usize = 5;

/// Walks through all histories of one scene.
pub(super) struct Explorer<'a> {
    pub(super) scene: &'a Scene,
    pub(super) plan: Plan,
    runtime: &'a tokio::runtime::Runtime,
    sink: Arc<dyn EventSink>,
    pub(super) seen: HashSet<u64>,
    pub(super) tally: Tally,
    /// Whether to end at the first violation.
    hasty: bool,
    /// Where to look.
    aim: Option<Aim>,
    /// Whether the first mishap is a crash after which a host is dead for good.
    burns: bool,
}

/// Where a history goes on.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) state: State,
    pub(super) progress: Progress,
    /// Milliseconds since the plan was made.
    pub(super) age: u64,
    /// What was asked for last, when it was a recovery.
    pub(super) ask: Option<Ask>,
    pub(super) burden: Burden,
    /// Mishaps that may still come.
    pub(super) mishaps: u8,
    pub(super) path: Path,
}

impl<'a> Explorer<'a> {
    pub(super) fn new(scene: &'a Scene, runtime: &'a tokio::runtime::Runtime, hasty: bool) -> Self {
        let plan = scene.plan();
        let (sink, tally) = (Arc::new(Deaf), Tally::default());
        Self { scene, plan, runtime, sink, seen: HashSet::new(), tally, hasty, aim: None, burns: false }
    }

    /// Walks through the histories that begin with this mishap, until one breaks a promise.
    pub(super) fn explore_at(&mut self, aim: Aim) {
        self.aim = Some(aim);
        self.explore(Aim::MISHAPS);
    }

    /// Walks through the histories with so many mishaps in which a host burns down once the engine is gone.
    pub(super) fn explore_burning(&mut self, mishaps: u8) {
        self.burns = true;
        self.explore(mishaps);
    }

    /// Whether a host is still to burn down.
    fn is_to_burn(&self, node: &Node) -> bool {
        self.burns && !node.burden.burnt
    }

    /// What may happen of these.
    pub(super) fn happenings(&self, node: &Node, all: &[Happening]) -> Vec<Happening> {
        let fits = |happening: &&Happening| !self.is_to_burn(node) || happening.burns();
        all.iter().filter(fits).copied().collect()
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

    pub(super) fn is_over(&self) -> bool {
        self.hasty && !self.tally.violations.is_empty()
    }

    pub(super) fn violation(&mut self, what: &str, path: &Path) {
        if self.tally.violations.len() < KEPT {
            self.tally.violations.push(format!("{what} ({}{path})", self.scene));
        }
    }

    /// Whether histories came here before, with as much to come.
    pub(super) fn was_here(&mut self, node: &Node) -> bool {
        let mut hasher = DefaultHasher::new();
        (node.state, node.age > 0, node.burden, node.mishaps).hash(&mut hasher);
        node.progress.fingerprint(&mut hasher);
        let is_new = self.seen.insert(hasher.finish());
        self.tally.merged += u64::from(!is_new);
        !is_new
    }

    pub(super) fn execute(&mut self, node: &Node, faults: &[(usize, Fault)]) -> Execution {
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
    pub(super) fn walk(&mut self, node: &Node) {
        if self.is_over() || self.was_here(node) {
            return;
        }
        let run = self.execute(node, &[]);
        self.end(node, &run);
        self.branch(node, &run, 0);
    }

    /// Judges the end of a run. What needs a person gets one; what has ended is followed by the next deployment.
    pub(super) fn end(&mut self, node: &Node, run: &Execution) {
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
            None => {
                let burden = burden.remembered_by(&run.progress);
                self.recover_all(&Node { burden, ..after }, &[Happening::Nothing], &[Typed::Resume]);
            }
            Some(Outcome::Stuck) => self.mend(&after, &[Typed::Resume, Typed::Abort]),
            Some(_) => self.next_deployments(&after),
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
        if !self.is_to_burn(node) {
            self.faults(&left, run, &progresses, from, aim);
        }
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
                self.recover_all(&node, &Happening::ALL, &Typed::PLAIN);
            }
        }
        for (index, done) in run.performed.iter().enumerate().skip(from) {
            let next = run.performed.get(index + 1);
            if next.is_some_and(|next| next.records == done.records) {
                self.tally.points.at_action(&done.action, AtAction::Crash);
                let node = at(done.state, done.records, format!("right after `{}`", done.action));
                self.recover_all(&node, &Happening::ALL, &Typed::PLAIN);
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
                // The time of a deployment ends nothing but the way there. It is over when a run begins, so that nothing else comes before.
                let ends = done.way == Way::There && node.ask.is_none();
                let fits = match fault {
                    Fault::Hangs => ends,
                    _ => done.way != Way::There,
                };
                if fault.is_late() && (!fits || !run.faults.is_empty()) {
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
