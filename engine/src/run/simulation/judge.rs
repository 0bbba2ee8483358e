//! The promises that hold at every end.

use super::execution::Execution;
use super::fault::Fault;
use super::scene::Scene;
use super::state::{Shown, SimHost, State, host_name, index};
use crate::model::view::ExitCode;
use crate::model::{
    Action, End, HostName, Maintenance, Outcome, Part, Plan, Progress, Record, TaskId, Trouble,
};
use crate::run::Interrupts;
use crate::run::deployment::ending::Ending;
use crate::run::execute::runner::Way;
use crate::run::world::afterwards::Afterwards;

/// What a history had to bear so far: what it may end as depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Burden {
    /// The world changed while no engine looked on.
    pub(super) changed: bool,
    /// Someone moved a router.
    pub(super) moved: bool,
    /// A colour fell ill, or a host rebooted.
    pub(super) hurt: bool,
    /// Something failed on the way back.
    pub(super) back_failed: bool,
    /// Something failed after the pivot.
    pub(super) retire_failed: bool,
    /// Something failed on the way there.
    pub(super) there_failed: bool,
    /// A signal came before the pivot.
    pub(super) signalled: bool,
    /// The record of what is live was not kept.
    pub(super) unrecorded: bool,
    /// A host burnt down.
    pub(super) burnt: bool,
    /// What serves as the old colour can't be seen, so no traffic can be put back to it.
    pub(super) blind: bool,
}

impl Burden {
    /// With what went wrong in a run.
    pub(super) fn with(mut self, run: &Execution) -> Self {
        for done in run.performed.iter().filter(|done| done.lost) {
            match done.way {
                Way::There => self.there_failed = true,
                Way::Back => self.back_failed = true,
                Way::Retire => self.retire_failed = true,
            }
        }
        for (index, fault) in run.faults.iter().filter(|(_, fault)| *fault != Fault::HostLost) {
            let Some(done) = run.performed.get(*index) else { continue };
            if *fault == Fault::Moved {
                (self.changed, self.moved) = (true, true);
                continue;
            }
            if fault.passes() {
                continue;
            }
            let again = |other: &super::sim::Done| other.way == Way::Back && other.action == done.action;
            self.back_failed |= fault.stays() && run.performed.iter().any(again);
            match done.way {
                Way::There => self.there_failed = true,
                Way::Back => self.back_failed |= !fault.is_signal(),
                Way::Retire => self.retire_failed |= !fault.is_signal(),
            }
            self.signalled |= fault.is_signal() && done.way == Way::There;
            let records = matches!(done.action, Action::RecordLive { .. } | Action::RecordMaintenance);
            self.unrecorded |= records && !fault.is_signal();
        }
        self
    }

    /// What is left of it after a crash: an error or a signal that the journal did not come to know of never was.
    pub(super) fn remembered_by(mut self, progress: &Progress) -> Self {
        let turned = progress.turned_back().is_some();
        self.there_failed &= turned;
        self.signalled &= turned;
        self
    }

    /// Whether a person may be needed.
    pub(super) const fn allows_person(self) -> bool {
        self.changed || self.back_failed || self.blind
    }
}

/// What is wrong with the end of a run.
pub(super) fn faults_of_end(scene: &Scene, plan: &Plan, burden: Burden, run: &Execution) -> Vec<String> {
    let mut wrong = run.violations.clone();
    let state = &run.state;
    let wish = scene.wanted;
    if state.migrations.iter().any(|times| *times > 1) {
        wrong.push("P9, the migration ran twice".to_owned());
    }
    match run.outcome {
        Some(Outcome::Deployed) => deployed(scene, plan, burden, run, wish, &mut wrong),
        Some(Outcome::RolledBack | Outcome::NothingChanged) => {
            if !burden.changed {
                as_it_was(scene, state, &mut wrong);
            } else if !burden.moved
                && (state.routers() != scene.state.routers() || !is_as_out_but_for_lost(scene, state))
                && !left_empty(scene, state)
            {
                wrong.push("P2, put back, and the routers show something else".to_owned());
            }
            if (state.live, state.maintenance) != (scene.state.live, scene.state.maintenance) {
                wrong.push("P2, put back, and the record says something else".to_owned());
            }
            passing_faults_pass(burden, run, &mut wrong);
        }
        Some(Outcome::Stuck) => {
            if !burden.allows_person() && !is_last_batch(plan, state) {
                wrong.push("P4, a person is needed for nothing".to_owned());
            }
            if run.progress.not_undone().is_empty() {
                wrong.push("P3, a person is needed, and is not told for what".to_owned());
            }
        }
        Some(Outcome::Unfinished) => wrong.push("P3, it ended without an end".to_owned()),
        // A signal after the pivot, or a second one.
        None => {
            if !run.faults.iter().any(|(_, fault)| fault.is_signal()) {
                wrong.push("P3, it stopped without an end".to_owned());
            }
        }
    }
    let unharmed = run.faults.is_empty() && !burden.hurt && run.begun.1.turned_back().is_none();
    if unharmed && run.outcome != Some(Outcome::Deployed) {
        wrong.push(format!("P4, nothing went wrong on the way there, and it ended as {:?}", run.outcome));
    }
    if let Some(reason) = wrong_first_error(run) {
        wrong.push(reason);
    }
    wrong.extend(wrong_exit_code(run));
    wrong
}

/// How the end is told to whoever called, where one thing went wrong in a run that nothing had gone wrong before: a signal before the pivot
/// puts everything back, one after it leaves the rest to `resume`, and a second one leaves all of it; the time of the deployment is a
/// failure like any other before the pivot, and ends nothing after it.
fn wrong_exit_code(run: &Execution) -> Option<String> {
    let (begun, [(at, fault)]) = (&run.begun.1, run.faults.as_slice()) else { return None };
    if begun.turned_back().is_some() || begun.first_error().is_some() {
        return None;
    }
    let way = run.performed.get(*at)?.way;
    let expected: &[ExitCode] = match (fault, way) {
        // What is over but for its last word is not broken off.
        (Fault::Signal | Fault::SignalAfter | Fault::TwoSignals, Way::Retire)
            if run.outcome == Some(Outcome::Deployed) =>
        {
            &[ExitCode::Done]
        }
        (Fault::TwoSignals, _) | (Fault::Signal | Fault::SignalAfter, Way::Retire) => {
            &[ExitCode::InterruptedUnfinished]
        }
        (Fault::Signal | Fault::SignalAfter, _) => &[ExitCode::InterruptedPutBack, ExitCode::Stuck],
        (Fault::Hangs, _) => &[ExitCode::RolledBack, ExitCode::NothingChanged, ExitCode::Stuck],
        (Fault::Overdue, Way::Retire) => &[ExitCode::Done],
        _ => return None,
    };
    let ended = match run.outcome {
        Some(outcome) => Ending::of(&run.progress, outcome, None, &Afterwards::default()),
        None => Ending::unfinished(&run.progress, Interrupts { count: 1, first: "SIGTERM" }.trouble()),
    };
    let is_right = expected.contains(&ended.exit_code);
    (!is_right).then(|| format!("P3, {fault:?} on the way {way:?} ends with {:?}", ended.exit_code))
}

fn deployed(scene: &Scene, plan: &Plan, burden: Burden, run: &Execution, wish: u8, wrong: &mut Vec<String>) {
    let state = &run.state;
    let color = plan.color;
    // One that failed may have been left out.
    if burden.there_failed && run.progress.excluded().is_empty() {
        wrong.push("P3, deployed although something failed".to_owned());
    }
    if burden.signalled {
        wrong.push("P8, deployed although a signal came".to_owned());
    }
    if !state.is_all_to(plan.target()) || !state.is_whole() {
        wrong.push("P2, deployed, and the routers show something else".to_owned());
    }
    if burden.retire_failed {
        let guards =
            |action: &Action| matches!(action, Action::Drain { .. } | Action::RequireUnrouted { .. });
        let unguarded = run.progress.warnings().iter().any(|(action, _)| guards(action));
        let old = color.other() as usize;
        let was_stopped = |(was, is): (&SimHost, &SimHost)| was.running[old] != 0 && is.running[old] == 0;
        // What burnt down was stopped by nobody.
        let is_there = |host: &usize| state.burnt() != Some(*host);
        let hosts = (0..state.host_count).filter(is_there);
        let stopped = hosts.map(|host| (&scene.state.hosts()[host], &state.hosts()[host])).any(was_stopped);
        if unguarded && stopped && plan.live.is_some() && !burden.changed {
            wrong.push("P1, the old colour was stopped without proof that it has no traffic".to_owned());
        }
        return;
    }
    if let Some(wanted) = Maintenance::of(&plan.command) {
        let mut begun = scene.clone();
        (begun.state.maintenance, begun.state.routers) = (wanted == Maintenance::On, state.routers);
        if !burden.changed {
            as_it_was(&begun, state, wrong);
        } else if (state.live, state.maintenance) != (begun.state.live, begun.state.maintenance) {
            wrong.push("P2, moved, and the record says something else".to_owned());
        }
        return;
    }
    if state.live != Some((color, wish)) || state.maintenance != scene.state.maintenance {
        wrong.push("P2, deployed, and the record says something else".to_owned());
    }
    let (new, old) = (color as usize, color.other() as usize);
    if run.progress.excluded().len() > plan.max_excluded {
        wrong.push("P3, deployed, and more hosts are left out than may be".to_owned());
    }
    if state.excluded().any(|host| host.running[new] != 0) {
        wrong.push("P1, deployed, and something has traffic on a host that is left out".to_owned());
    }
    for host in state.counted() {
        let right = host.link[new] == wish && host.enabled[new] && !host.enabled[old] && host.current == wish;
        let keeps = scene.retire == crate::model::Retire::KeepWarm || plan.live.is_none();
        // What burnt down was left as it was, with a warning, and may be back.
        if !burden.burnt && (!right || (!keeps && host.running[old] != 0)) {
            wrong.push("P3, deployed, and not all of it was done".to_owned());
        }
        if !burden.changed && !burden.burnt && host.running[new] != wish {
            wrong.push("P3, deployed, and it does not run".to_owned());
        }
        if plan.command == "deploy" && !(0..2).all(|color| host.is_renewed(color, wish)) {
            wrong.push("P3, deployed, and the release is not started by the words of now".to_owned());
        }
        if !burden.changed && host.started_anew[new] != host.is_renewed(new, wish) {
            wrong.push("P3, deployed, and it was started by other words than its own".to_owned());
        }
    }
}

/// Whether all that answer would have to be taken out at the same time, since another one burnt down: that is for a person to say.
fn is_last_batch(plan: &Plan, state: &State) -> bool {
    let answers = |host: &HostName| state.answers(index(host), plan.color);
    let has_all = |batch: Vec<HostName>| {
        let mut rest = (0..state.host_count).map(host_name).filter(|host| !batch.contains(host));
        batch.iter().any(answers) && !rest.any(|host| answers(&host) && !state.left_out[index(&host)])
    };
    state.burnt().is_some() && plan.batches().into_iter().any(|batch| has_all(batch.hosts))
}

/// Whether nobody is out but who was before, or was given up: what was begun there may come up when it is back.
fn is_as_out_but_for_lost(scene: &Scene, state: &State) -> bool {
    let is_left_out = |host: usize| state.left_out[host] || state.burnt() == Some(host);
    let lost = (0..state.host_count).filter(|host| is_left_out(*host)).fold(0, |bits, host| bits | 1 << host);
    state.out.iter().zip(scene.state.out).all(|(out, was)| (out ^ was) & !lost == 0)
}

/// A first deployment leaves a router that knows the application and sends it nothing.
fn left_empty(scene: &Scene, state: &State) -> bool {
    let same = |(was, is): (&Shown, &Shown)| was == is || (*was == Shown::Unknown && *is == Shown::Nothing);
    scene.state.routers().iter().zip(state.routers()).all(same)
}

fn as_it_was(scene: &Scene, state: &State, wrong: &mut Vec<String>) {
    let mut left = *state;
    left.migrations = scene.state.migrations;
    left.forget_looks();
    left.left_out = scene.state.left_out;
    left.watched = scene.state.watched;
    if is_as_out_but_for_lost(scene, state) {
        left.out = scene.state.out;
    }
    (left.lost, left.burnt) = (scene.state.lost, scene.state.burnt);
    let (hosts, burnt) = (left.hosts_mut().iter_mut().zip(scene.state.hosts()), state.burnt());
    for (index, ((host, was), is_out)) in hosts.zip(state.left_out).enumerate() {
        // What was kept warm there may be stopped, and is told.
        if is_out || burnt == Some(index) {
            *host = *was;
        }
        host.releases = was.releases;
        for color in 0..2 {
            // What is new may keep what it was started by, for another try.
            host.renewed[color] &= was.configured[color];
            host.configured[color] = was.configured[color];
            // What lies beside is removed with the next deployment.
            host.beside[color] = was.beside[color];
            // What was cleared was started again.
            host.hung[color] &= was.hung[color];
            if host.running[color] == was.running[color] && !host.hung[color] {
                host.hung[color] = was.hung[color];
            }
        }
    }
    if left_empty(scene, state) {
        left.routers = scene.state.routers;
    }
    if left != scene.state {
        wrong.push("P3, put back, and not as it was".to_owned());
    }
}

/// An answer that was lost once, and an effect that came twice, are no reason to go back.
fn passing_faults_pass(burden: Burden, run: &Execution, wrong: &mut Vec<String>) {
    let passing = !run.faults.is_empty() && run.faults.iter().all(|(_, fault)| fault.passes());
    let went_there = run.begun.1.turned_back().is_none();
    if passing && went_there && burden == Burden::default() {
        wrong.push("P9, an answer that was lost once ended the deployment".to_owned());
    }
}

/// The first error is the one that is told.
fn wrong_first_error(run: &Execution) -> Option<String> {
    if run.begun.1.first_error().is_some() {
        return None;
    }
    let is_exclusion = |task: TaskId, trouble: &Trouble| {
        let host = run.progress.plan().task(task).and_then(|task| task.action.host());
        host.is_some_and(|host| run.progress.why_left_out(host) == Some(trouble))
    };
    let error = |record: &Record| -> Option<Trouble> {
        match record {
            Record::Ended { task, end: End::Failed(trouble) }
                if task.part == Part::Stages && !is_exclusion(*task, trouble) =>
            {
                Some(trouble.clone())
            }
            Record::TurnedBack { why } => Some(why.clone()),
            _ => None,
        }
    };
    let stays = run
        .faults
        .iter()
        .any(|(_, fault)| matches!(fault, Fault::NeverKnown | Fault::NeverKnownDid | Fault::HostLost));
    let first = run.records.iter().find_map(error);
    let told = run.progress.first_error();
    (!stays && first.as_ref() != told).then(|| format!("P3, {told:?} is told, and {first:?} came first"))
}
