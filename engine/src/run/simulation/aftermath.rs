//! What follows once an engine is gone: what happens meanwhile, what is typed then, who mends the world, and the next deployment.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::Happening;
use super::explorer::{Explorer, LATE, Node};
use super::path::Choice;
use super::scene::{Fleet, NEXT, PLANNED};
use super::state::Shown;
use crate::model::{Ask, Decision, Origin, Outcome, Progress, Record, Sight, Timestamp, decide};

/// What a recovery came to.
enum Recovery {
    Goes(Box<Node>),
    Person(String),
    Ended(Outcome),
}

impl Explorer<'_> {
    /// The engine is gone. Whatever happens meanwhile, whatever is typed then.
    pub(super) fn recover_all(&mut self, node: &Node, happenings: &[Happening], asks: &[Ask]) {
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
    pub(super) fn mend(&mut self, node: &Node, asks: &[Ask]) {
        let mut mended = Node { mishaps: 0, path: node.path.then(Choice::Mended), ..node.clone() };
        let state = &mut mended.state;
        state.sick = [false; 2];
        state.last_is_lost &= self.scene.fleet != Fleet::HidesOne;
        let new = self.plan.color;
        if node.progress.is_pivoted() {
            state.routers_mut().fill(self.plan.target().map_or(Shown::Nothing, Shown::Only));
            let left_out = state.left_out;
            for (host, _) in state.hosts_mut().iter_mut().zip(left_out).filter(|(_, is_out)| !is_out) {
                host.running[new as usize] = host.link[new as usize];
            }
            state.out = self.scene.state.out;
        } else {
            (state.routers, state.out) = (self.scene.state.routers, self.scene.state.out);
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
    pub(super) fn next_deployment(&mut self, node: &Node) {
        let mut state = node.state;
        state.sick = [false; 2];
        // What runs there keeps it from being left out, until someone has made the way to it.
        state.last_is_lost &= self.scene.fleet != Fleet::HidesOne;
        state.forget_looks();
        state.watched = 0;
        if state.rolls != 0 {
            state.rolls = NEXT;
        }
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
        let (color, target) = (plan.color, plan.target());
        let next = Node { state, progress: Progress::new(plan), ..node.clone() };
        let run = self.execute(&next, &[]);
        for wrong in &run.violations {
            self.violation(wrong, &path);
        }
        let live = run.state.is_all_to(target) && run.state.live == Some((color, NEXT));
        if run.outcome != Some(Outcome::Deployed) || !live {
            self.violation(&format!("P4, the next deployment ends as {:?}", run.outcome), &path);
        }
    }
}
