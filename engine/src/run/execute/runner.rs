//! The loop: next, journal, perform, journal, event. The only writer of the journal.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::interrupts::Interrupts;
use super::performed::{Performed, Summary};
use super::reporter::Reporter;
use super::standing::Standing;
use super::step_report::StepReport;
use crate::model::{
    Action, End, EventKind, HostName, Next, Outcome, Plan, Progress, Record, Step, TaskId, Trouble, UndoId,
};

#[cfg(test)]
mod tests;

/// Which way an action is done: what is a failure on the way there may be none on the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Before the pivot.
    There,
    /// Undoing.
    Back,
    /// After the pivot.
    Retire,
}

/// What actions are done to.
pub(crate) trait World: Send + Sync + 'static {
    /// Does one action. Never panics, always returns in bounded time.
    fn perform(&self, plan: &Plan, action: &Action, way: Way) -> impl Future<Output = Performed> + Send;

    /// Finds out whether an action of class "once" took effect, without doing it.
    fn ask(&self, plan: &Plan, action: &Action) -> impl Future<Output = Performed> + Send;

    /// From now on, these hosts have no part in the new colour.
    fn leave_out(&self, hosts: BTreeSet<HostName>);

    /// How long an action of a step may wait, for displays.
    fn wait(&self, step: Step, action: &Action) -> Option<Duration>;

    /// All hosts, where each has one place, which is called nothing.
    fn turns(&self) -> Vec<HostName>;
}

/// Where records go. A record that `append` returned for is on disk.
pub(crate) trait Log: Send {
    /// Why no record can be kept any more.
    type Lost: Send;

    /// Appends one record.
    fn append(&mut self, record: &Record) -> impl Future<Output = Result<(), Self::Lost>> + Send;

    /// Appends several; a crash leaves any number of the first ones.
    fn append_all(&mut self, records: &[Record]) -> impl Future<Output = Result<(), Self::Lost>> + Send {
        async move {
            for record in records {
                self.append(record).await?;
            }
            Ok(())
        }
    }
}

/// Why a run ended before its deployment did.
#[derive(Debug)]
pub(crate) enum Stopped<L> {
    /// The journal is out of reach, or another holder took over.
    Lost(L),
    /// A signal, and the time that it gives is over.
    Interrupted,
}

/// How long the way back may take after a signal: CI systems kill after 7.5 s.
const GRACE: Duration = Duration::from_secs(5);

/// Does a deployment's work.
pub(crate) struct Runner<W, L> {
    pub(crate) world: Arc<W>,
    pub(crate) log: L,
    pub(crate) reporter: Reporter,
    pub(crate) interrupts: watch::Receiver<Interrupts>,
    /// Whether our lock is still surely ours: no action is begun while it is not.
    pub(crate) standing: Standing,
    /// Tasks at once.
    pub(crate) parallel: usize,
    /// When a deployment that has not reached its pivot turns back.
    pub(crate) deadline: tokio::time::Instant,
}

/// What ends a wait for a batch early.
enum Wake {
    Joined,
    Signal(Trouble),
    Deadline,
    Grace,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Task(TaskId),
    Undo(UndoId),
}

/// What is known and not yet kept: ends of actions, until the write that keeps them. The next intent goes into the same write, since
/// nothing is done on its strength before; and what ended meanwhile, so that one wait for the disk serves all.
#[derive(Default)]
struct Unkept {
    records: Vec<Record>,
    ended: Vec<Ended>,
}

/// What is told of an action once its record is kept.
pub(crate) struct Ended {
    pub(crate) step: Step,
    pub(crate) action: Action,
    pub(crate) performed: Performed,
    /// Why it is not tried any more, when it is not.
    pub(crate) given_up: Option<Trouble>,
    /// Whether its host is left out.
    pub(crate) is_out: bool,
}

impl<W: World, L: Log> Runner<W, L> {
    /// Goes on until the deployment has ended.
    ///
    /// # Errors
    /// When the journal is lost, or a signal left no time for more.
    pub(crate) async fn run(&mut self, progress: &mut Progress) -> Result<Outcome, Stopped<L::Lost>> {
        let mut report = StepReport::new(self.reporter.clone(), self.world.turns());
        let result = self.drive(progress, &mut report).await;
        if result.is_err() {
            report.interrupt();
        }
        report.end_all();
        result
    }

    async fn drive(
        &mut self,
        progress: &mut Progress,
        report: &mut StepReport,
    ) -> Result<Outcome, Stopped<L::Lost>> {
        let mut grace: Option<tokio::time::Instant> = None;
        let mut unkept = Unkept::default();
        loop {
            unkept.note_denials(progress, &self.reporter);
            // What is over but for its last word is not broken off.
            let is_over = matches!(progress.next(), Next::Close(_) | Next::Ended(_));
            if !is_over && self.interrupts.borrow().count > 0 && grace.is_none() {
                grace = Some(tokio::time::Instant::now() + GRACE);
                self.tell_signal(progress, report);
                let why = self.interrupts.borrow().trouble();
                self.keep(&mut unkept, report).await?;
                if progress.is_pivoted() {
                    return Err(Stopped::Interrupted);
                }
                if progress.turned_back().is_none() && !planted!(SignalForgets) {
                    report.cut_off(&why);
                    unkept.note(progress, Record::TurnedBack { why });
                    self.keep(&mut unkept, report).await?;
                }
            }
            match progress.next() {
                Next::Ended(outcome) => return self.keep(&mut unkept, report).await.map(|()| outcome),
                Next::Close(outcome) => unkept.note(progress, Record::Closed { outcome }),
                Next::Pivot => {
                    self.keep(&mut unkept, report).await?;
                    report.finish();
                    unkept.note(progress, Record::Pivot);
                    self.keep(&mut unkept, report).await?;
                    let (release, maintenance) =
                        (progress.plan().release.number, progress.plan().target().is_none());
                    self.reporter.tell(EventKind::Pivot { release, maintenance });
                }
                Next::Run(tasks) => {
                    unkept.note(progress, Record::Started { tasks: tasks.clone() });
                    let places = tasks.into_iter().map(Place::Task).collect();
                    self.batch(progress, &mut unkept, places, false, report, &mut grace).await?;
                }
                Next::Ask(tasks) => {
                    let places = tasks.into_iter().map(Place::Task).collect();
                    self.batch(progress, &mut unkept, places, true, report, &mut grace).await?;
                }
                Next::Undo(undos) => {
                    unkept.note(progress, Record::UndoStarted { undos: undos.clone() });
                    let places = undos.into_iter().map(Place::Undo).collect();
                    self.batch(progress, &mut unkept, places, false, report, &mut grace).await?;
                }
            }
        }
    }

    /// Keeps what is not kept, then does these actions. What the last of them came to is left to be kept with what follows.
    async fn batch(
        &mut self,
        progress: &mut Progress,
        unkept: &mut Unkept,
        places: Vec<Place>,
        ask: bool,
        report: &mut StepReport,
        grace: &mut Option<tokio::time::Instant>,
    ) -> Result<(), Stopped<L::Lost>> {
        let way = match (progress.is_pivoted(), progress.turned_back()) {
            (true, _) => Way::Retire,
            (false, Some(_)) => Way::Back,
            (false, None) => Way::There,
        };
        self.keep(unkept, report).await?;
        let plan = Arc::clone(progress.plan());
        self.world.leave_out(progress.excluded());
        let limit = Arc::new(Semaphore::new(self.parallel.max(1)));
        let mut set = JoinSet::new();
        let mut open: Vec<Place> = places.clone();
        for place in places {
            let Some((step, action)) = find(progress, place) else { continue };
            report.begin(&plan, step, &action, self.world.wait(step, &action));
            let (world, plan, limit) = (Arc::clone(&self.world), Arc::clone(&plan), Arc::clone(&limit));
            let mut standing = self.standing.clone();
            set.spawn(async move {
                let _permit = limit.acquire_owned().await;
                let performed = if !standing.is_sure().await {
                    lapsed()
                } else if ask {
                    world.ask(&plan, &action).await
                } else {
                    world.perform(&plan, &action, way).await
                };
                (place, step, action, performed)
            });
        }
        let mut turn: Option<Trouble> = None;
        loop {
            let wake = tokio::select! {
                biased;
                joined = set.join_next() => match joined {
                    None => Wake::Joined,
                    Some(joined) => {
                        let more = std::iter::from_fn(|| set.try_join_next());
                        // A task that panicked is kept as open: what it did is not known.
                        for (place, step, action, performed) in std::iter::once(joined).chain(more).flatten() {
                            open.retain(|other| !other.is(place));
                            if let Some(switch) = performed.switched {
                                unkept.note(progress, Record::Switched { switch });
                            }
                            unkept.note(progress, ended(place, performed.end.clone()));
                            let given_up = place.given_up(progress).cloned();
                            let is_out = action.host().is_some_and(|host| progress.why_left_out(host).is_some());
                            unkept.ended.push(Ended { step, action, performed, given_up, is_out });
                        }
                        if !open.is_empty() {
                            unkept.note_denials(progress, &self.reporter);
                            self.keep(unkept, report).await?;
                        }
                        continue;
                    }
                },
                why = signal(self.interrupts.clone()), if grace.is_none() => Wake::Signal(why),
                () = tokio::time::sleep_until(self.deadline), if way == Way::There => Wake::Deadline,
                () = no_time_left(self.interrupts.clone(), *grace) => Wake::Grace,
            };
            match wake {
                Wake::Joined => break,
                Wake::Grace => return Err(Stopped::Interrupted),
                Wake::Signal(why) => {
                    self.tell_signal(progress, report);
                    match way {
                        Way::There => turn = Some(why),
                        // The way back goes on as it is, within what time the signal gives.
                        Way::Back => {
                            *grace = Some(tokio::time::Instant::now() + GRACE);
                            continue;
                        }
                        Way::Retire => return Err(Stopped::Interrupted),
                    }
                }
                Wake::Deadline => {
                    turn = Some(Trouble::new(
                        "deploy/timeout",
                        "the deployment took longer than `pipeline.timeout`",
                    ));
                }
            }
            break;
        }
        set.shutdown().await;
        for place in open {
            let why = turn
                .clone()
                .unwrap_or_else(|| Trouble::new("internal/panic", "a task ended without an answer"));
            unkept.note(progress, ended(place, End::Unknown(why)));
        }
        if let Some(why) = turn {
            self.keep(unkept, report).await?;
            report.cut_off(&why);
            if progress.turned_back().is_none() && !planted!(SignalForgets) {
                unkept.note(progress, Record::TurnedBack { why });
                self.keep(unkept, report).await?;
            }
        }
        Ok(())
    }

    fn tell_signal(&self, progress: &Progress, report: &mut StepReport) {
        let text = match (progress.is_pivoted(), progress.turned_back()) {
            (true, _) => "the new release stays live; `cutover resume` finishes the clean-up",
            (false, Some(_)) => {
                "all is being put back already; what is not after 5 s is left to `cutover resume`"
            }
            (false, None) => "all is put back; a second signal leaves at once",
        };
        report.interrupted(&self.interrupts.borrow(), text);
    }

    /// Keeps what is not kept yet, and only then tells of it.
    async fn keep(&mut self, unkept: &mut Unkept, report: &mut StepReport) -> Result<(), Stopped<L::Lost>> {
        let Unkept { records, ended } = std::mem::take(unkept);
        if !records.is_empty() {
            self.log.append_all(&records).await.map_err(Stopped::Lost)?;
        }
        for ended in &ended {
            if let Some(switch) = ended.performed.switched {
                self.reporter.tell(EventKind::Switched(switch));
            }
            report.end(ended);
        }
        Ok(())
    }
}

impl Unkept {
    /// A record that can't follow would make the journal unreadable, so it is checked before it is written.
    fn note(&mut self, progress: &mut Progress, record: Record) {
        if let Err(reason) = progress.apply(&record) {
            unreachable!("the runner wrote {record:?} out of order: {reason}");
        }
        if planted!(NoIntent) && matches!(record, Record::Started { .. }) {
            return;
        }
        self.records.push(record);
    }

    /// What hooks were denied was told when it happened; here it is kept.
    fn note_denials(&mut self, progress: &mut Progress, reporter: &Reporter) {
        if progress.outcome().is_some() {
            return;
        }
        let denials = progress.not_kept(&reporter.take_denials());
        if !denials.is_empty() {
            self.note(progress, Record::Denied { denials });
        }
    }
}

impl Place {
    /// Why this is not tried any more, when it is not.
    fn given_up(self, progress: &Progress) -> Option<&Trouble> {
        match self {
            Self::Task(id) => progress.given_up(id),
            Self::Undo(id) => progress.given_up_undo(id),
        }
    }

    fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Task(a), Self::Task(b)) => a == b,
            (Self::Undo(a), Self::Undo(b)) => a == b,
            (Self::Task(_), Self::Undo(_)) | (Self::Undo(_), Self::Task(_)) => false,
        }
    }
}

fn find(progress: &Progress, place: Place) -> Option<(Step, Action)> {
    let plan = progress.plan();
    match place {
        Place::Task(id) => Some((plan.stage(id)?.step, plan.task(id)?.action.clone())),
        Place::Undo(id) => Some((Step::Undo, progress.undo(id)?)),
    }
}

const fn ended(place: Place, end: End) -> Record {
    match place {
        Place::Task(task) => Record::Ended { task, end },
        Place::Undo(undo) => Record::UndoEnded { undo, end },
    }
}

/// What becomes of an action that was not begun because nobody confirms our lock. It is tried again, and the next record that can't be kept
/// ends the run.
fn lapsed() -> Performed {
    let message = "the lock was not renewed for 45 s, so nothing more was begun";
    Performed {
        end: End::Unknown(Trouble::new("state/lapsed", message)),
        ..Performed::done(Summary::Nothing)
    }
}

async fn signal(mut interrupts: watch::Receiver<Interrupts>) -> Trouble {
    if let Ok(seen) = interrupts.wait_for(|interrupts| interrupts.count > 0).await {
        return seen.trouble();
    }
    std::future::pending().await
}

/// A second signal, or the end of the time after the first one.
async fn no_time_left(mut interrupts: watch::Receiver<Interrupts>, grace: Option<tokio::time::Instant>) {
    let second = async {
        if interrupts.wait_for(|interrupts| interrupts.count > 1).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let late = async {
        match grace {
            Some(instant) => tokio::time::sleep_until(instant).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! { () = second => {}, () = late => {} }
}
