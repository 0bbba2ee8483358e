//! What follows once an engine is gone: what happens meanwhile, what is typed then, who mends the world, and the next deployment.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::Happening;
use super::explorer::{Explorer, LATE, Node};
use super::judge::Burden;
use super::path::Choice;
use super::scene::{Fleet, NEXT, PLANNED};
use super::state::{ROUTERS, Shown, State, host_name};
use super::typed::Typed;
use crate::model::{
    Ask, Decision, HostName, Origin, Outcome, Progress, Record, Refusal, Sight, Timestamp, Trouble, decide,
    kept_out, shown_share,
};
use crate::run::world::exclusion::{given_up, not_forward};

/// Code of the refusal to go on without a host.
const AWAY: &str = "simulated/away";

/// What becomes of a host that burnt down before the next deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Then {
    /// There is none.
    Whole,
    /// It is back, with what comes up there by itself.
    ComesBack,
    /// It is still away.
    Away,
    /// It is no host of the application any more.
    Gone,
}

/// What a recovery came to.
enum Recovery {
    Goes(Box<Node>),
    Person(String),
    Ended(Outcome),
}

impl Explorer<'_> {
    /// The engine is gone. Whatever happens meanwhile, whatever is typed then.
    pub(super) fn recover_all(&mut self, node: &Node, happenings: &[Happening], typed: &[Typed]) {
        for happening in self.happenings(node, happenings) {
            for typed in typed.iter().copied().chain([Typed::AbortWithout]) {
                if self.is_over() {
                    return;
                }
                let path = node.path.then(Choice::Recovery(happening, typed));
                let mut after = Node { path, ..node.clone() };
                happening.apply(&mut after.state, self.scene, self.plan.color);
                // Nobody gives up who is there.
                if typed == Typed::AbortWithout && after.state.burnt().is_none() {
                    continue;
                }
                if happening.changes() && after.state == node.state {
                    continue;
                }
                after.age += if happening == Happening::Late { LATE } else { 0 };
                after.burden.changed |= happening.changes() && !happening.burns();
                if happening.burns() {
                    after.burden.burnt = true;
                    after.burden.changed |= after.state.lost.is_none();
                }
                after.burden.moved |= happening.moves();
                after.burden.hurt |= happening.changes() && !happening.moves();
                self.recover_one(after, typed);
            }
        }
    }

    fn recover_one(&mut self, node: Node, typed: Typed) {
        let ask = typed.ask();
        let (state, age, pivoted) = (node.state, node.age, node.progress.is_pivoted());
        let (burden, path) = (node.burden, node.path.clone());
        let left = node.clone();
        match self.recover(node, typed) {
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
                    // Who gives a host up goes on without it.
                    AWAY => state.burnt().is_some() && typed != Typed::AbortWithout,
                    _ => burden.allows_person(),
                };
                if !expected {
                    self.violation(&format!("P4, a person is needed for nothing: {code}"), &path);
                }
                *self.tally.ends.entry(code.clone()).or_default() += 1;
                let typed: &[Typed] = match code.as_str() {
                    // That is gone through by itself.
                    AWAY => return,
                    _ if pivoted => &[Typed::Resume],
                    _ => &[Typed::ResumeForward, Typed::Abort],
                };
                self.mend(&left, typed);
            }
        }
    }

    /// What `resume` and `abort` do before the loop goes on: look, decide, write it down.
    fn recover(&mut self, mut node: Node, typed: Typed) -> Result<Recovery, String> {
        let ask = typed.ask();
        match node.progress.outcome() {
            None | Some(Outcome::Stuck) => {}
            Some(outcome) => return Ok(Recovery::Ended(outcome)),
        }
        node.state.forget_looks();
        let lost = match lost(&node, typed) {
            Ok(lost) => lost,
            Err(trouble) => return Ok(Recovery::Person(trouble.code)),
        };
        node.state.leave_out(&node.progress.excluded().into_iter().chain(lost.keys().cloned()).collect());
        let observed = node.state.observed();
        let kept_out = kept_out(&node.progress, &observed, &lost);
        let new = self.plan.color;
        let new_healthy = node.state.look(new, new);
        let old_healthy = node.state.look(new.other(), new);
        // What was seen then has to be seen again before anything is moved on the strength of it.
        node.state.forget_looks();
        let (now, share) = (Timestamp(PLANNED.0 + node.age), shown_share(&self.plan, &observed));
        let decision = decide(&node.progress, &Sight { observed, new_healthy, old_healthy, now }, ask);
        match &decision {
            Decision::Person { why } => return Ok(Recovery::Person(why.code.clone())),
            Decision::Forward => {
                if let Some(trouble) = not_forward(&lost) {
                    return Ok(Recovery::Person(trouble.code));
                }
            }
            Decision::Back { .. } => {}
        }
        let record = Record::Recovered { decision, origin: Origin::default(), lost, kept_out, share };
        self.tally.points.at_record(&record, true);
        // Lost, the next one decides again.
        self.tally.points.at_record(&record, false);
        let refused = |reason| format!("P4, the decision can't be written down: {reason}");
        node.progress.apply(&record).map_err(refused)?;
        Ok(Recovery::Goes(Box::new(Node { ask: Some(ask), ..node })))
    }

    /// A person mends all that is wrong with the world; then one command comes to an end. Where nothing is wrong but that a host is away, it
    /// is enough to bring that back.
    pub(super) fn mend(&mut self, node: &Node, typed: &[Typed]) {
        let mut mended = Node { mishaps: 0, path: node.path.then(Choice::Mended), ..node.clone() };
        let state = &mut mended.state;
        state.sick = [false; 2];
        state.come_back();
        self.find_hidden(state);
        let Burden { moved, hurt, back_failed, .. } = node.burden;
        if node.state.burnt().is_some()
            && node.progress.turned_back().is_some()
            && !(moved || hurt || back_failed)
        {
            self.end_with(
                &Node { path: node.path.then(Choice::BroughtBack), ..mended.clone() },
                &[Typed::Resume],
            );
        }
        let state = &mut mended.state;
        let new = self.plan.color;
        if node.progress.is_pivoted() {
            state.routers_mut().fill(self.plan.target().map_or(Shown::Nothing, Shown::Only));
            let left_out = state.left_out;
            for (host, _) in state.hosts_mut().iter_mut().zip(left_out).filter(|(_, is_out)| !is_out) {
                host.running[new as usize] = host.link[new as usize];
            }
            state.out = [0; ROUTERS];
        } else {
            // Who was out before is left so until turns begin, and let in then: others have to go out.
            let begun = node.progress.switch_begun();
            state.routers = self.scene.state.routers;
            state.out = if begun { [0; ROUTERS] } else { self.scene.state.out };
            let old = new.other() as usize;
            for (host, was) in state.hosts_mut().iter_mut().zip(self.scene.state.hosts()) {
                host.running[old] = was.running[old];
            }
        }
        self.end_with(&mended, typed);
    }

    /// Each of these commands comes to an end in a world that a person has mended.
    fn end_with(&mut self, mended: &Node, typed: &[Typed]) {
        for typed in typed {
            let mut node = mended.clone();
            node.burden.changed = true;
            let path = node.path.clone();
            // One that goes backward goes on backward, whatever is asked for.
            match self.recover(node, *typed) {
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

    /// What runs on a host that nobody gets to keeps it from being left out, until someone has made the way to it.
    fn find_hidden(&self, state: &mut State) {
        if self.scene.fleet == Fleet::HidesOne {
            state.lost = None;
        }
    }

    /// The next deployment comes through, whatever this one came to and whoever is there for it.
    pub(super) fn next_deployments(&mut self, node: &Node) {
        if node.state.burnt().is_none() {
            return self.next_deployment(node, Then::Whole);
        }
        self.next_deployment(node, Then::ComesBack);
        if self.scene.fleet == Fleet::MayLoseOne {
            self.next_deployment(node, Then::Away);
        }
        if self.scene.can_shrink(&node.state) {
            self.next_deployment(node, Then::Gone);
        }
    }

    fn next_deployment(&mut self, node: &Node, then: Then) {
        let mut state = node.state;
        state.sick = [false; 2];
        self.find_hidden(&mut state);
        state.forget_looks();
        state.watched = 0;
        if state.rolls != 0 {
            state.rolls = NEXT;
        }
        let path = node.path.then(Choice::Next(then));
        match then {
            Then::Whole | Then::Away => {}
            Then::ComesBack => {
                state.come_back();
                if state.serves_another() && !node.burden.changed && !node.burden.unrecorded {
                    self.violation("P1, what comes back gets requests, and is not what is live", &path);
                }
            }
            Then::Gone => state.shrink(),
        }
        let mut hasher = DefaultHasher::new();
        ("next", then, state).hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) || node.burden.unrecorded {
            return;
        }
        let plan = match self.scene.next_plan(&state, false) {
            Ok(plan) => plan,
            // Someone moved it, and is told so.
            Err(_) if node.burden.moved => return,
            // Who was given up is let in with what is new, once someone says so.
            Err(Refusal::HostsOut { .. }) if node.burden.burnt || self.scene.adopts() => {
                match self.scene.next_plan(&state, true) {
                    Ok(plan) => plan,
                    Err(refusal) => {
                        return self.violation(&format!("P2, nothing can be adopted: {refusal}"), &path);
                    }
                }
            }
            Err(refusal) => return self.violation(&format!("P2, no next deployment: {refusal}"), &path),
        };
        let (color, target) = (plan.color, plan.target());
        let next = Node { state, progress: Progress::new(plan), ..node.clone() };
        let run = self.execute(&next, &[]);
        for wrong in &run.violations {
            self.violation(wrong, &path);
        }
        let live =
            run.state.is_all_to(target) && run.state.is_whole() && run.state.live == Some((color, NEXT));
        if run.outcome != Some(Outcome::Deployed) || !live {
            self.violation(&format!("P4, the next deployment ends as {:?}", run.outcome), &path);
        }
    }
}

/// Hosts that it goes back without, by the rule of the real one.
fn lost(node: &Node, typed: Typed) -> Result<BTreeMap<HostName, Trouble>, Trouble> {
    let silent: BTreeMap<HostName, Trouble> =
        node.state.lost.map(|lost| (host_name(lost), Trouble::new(AWAY, "no way"))).into_iter().collect();
    let without: Vec<HostName> =
        if typed == Typed::AbortWithout { silent.keys().cloned().collect() } else { Vec::new() };
    let all: BTreeSet<HostName> = (0..node.state.host_count).map(host_name).collect();
    given_up(&node.progress, &silent, &without, &all.into_iter().collect::<Vec<_>>())
}
