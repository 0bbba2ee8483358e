//! `deploy` and `rollback`: from the wish to the end.

use std::sync::Arc;

use super::already_live::{AlreadyLive, already_live, nothing_to_do};
use super::build::{self, Built};
use super::closing::{close_leftovers, remember};
use super::ending::{Ending, idle_of};
use super::opening::{Opening, Preflight};
use super::preflight::{Early, Ready, before, preflight, wish};
use super::refusal::{SO_ALREADY, UNFINISHED, refused, unfinished};
use super::shown::{router_summary, traffic};
use super::still_open::kept_open;
use super::want::Want;
use crate::model::request::{DeployRequest, MaintenanceRequest, RollbackRequest};
use crate::model::view::ExitCode;
use crate::model::{
    EventKind, Maintenance, Note, Outcome, Plan, Progress, Record, Release, StepEnd, Trouble,
};
use crate::run::execute::interrupts::Interrupts;
use crate::run::execute::interrupts::{self, INTERRUPTED};
use crate::run::execute::journal_log::JournalLog;
use crate::run::execute::runner::{Runner, Stopped};
use crate::run::ready::readiness::first_of;
use crate::run::world::afterwards::Afterwards;
use crate::run::world::claim::{claimant, free, take_lock, told_apart};
use crate::run::world::hooks::Refused;
use crate::run::world::lease::{Lease, Waiting, at_step};
use crate::run::world::observe::{look_at_warm, observe};
use crate::run::world::performer::{Performer, store_fault};
use crate::run::world::session::Session;
use crate::store::{Journal, StoreFault, next_release_number};

/// Puts a release live.
pub async fn deploy(opening: Opening, request: DeployRequest) -> ExitCode {
    whole(opening, Want::deploy(request)).await
}

/// Puts the previous release, or another one that is on the hosts, back.
pub async fn rollback(opening: Opening, request: RollbackRequest) -> ExitCode {
    whole(opening, Want::rollback(request)).await
}

/// Lets nobody get to the application, or lets them again.
pub async fn maintenance(opening: Opening, request: MaintenanceRequest) -> ExitCode {
    whole(opening, Want::maintenance(request)).await
}

async fn whole(opening: Opening, want: Want) -> ExitCode {
    let Opening { session, deployment, preflight } = opening;
    let session = &session;
    let mut interrupts = session.interrupts.clone();
    let prepared = tokio::select! {
        prepared = prepare(session, &want, &deployment, preflight) => prepared,
        Ok(signal) = interrupts.wait_for(Interrupts::any) => Err((signal.trouble(), None)),
    };
    if let Err((trouble, _)) = &prepared
        && trouble.code == INTERRUPTED
    {
        session.reporter.break_off(&trouble.message);
    }
    let ending = match prepared {
        Ok(Prepared::Nothing(ending)) => ending,
        Ok(Prepared::Work(ready, release)) => tokio::select! {
            ending = carry_out(session, &want, &deployment, *ready, *release) => ending,
            trouble = interrupts::second(session.interrupts.clone()) => {
                session.reporter.break_off(&trouble.message);
                Ending::left(trouble)
            }
        },
        Err((trouble, traffic)) => Ending::before_anything(trouble, traffic),
    };
    let exit_code = ending.exit_code;
    session.reporter.tell(ending.event(&session.reporter));
    exit_code
}

/// Builds, and deploys what was built.
async fn carry_out(
    session: &Session,
    want: &Want,
    deployment: &str,
    ready: Ready,
    release: Release,
) -> Ending {
    match build::build(session, &ready.source, release, deployment).await {
        Ok(mut built) => {
            let held = std::mem::take(&mut built.held);
            let ending = locked(session, want, deployment, ready, built).await;
            build::let_go(session, held).await;
            ending
        }
        Err(trouble) => Ending::before_anything(trouble, ready.traffic()),
    }
}

/// What a run comes to before anything is changed.
enum Prepared {
    /// There is something to do.
    Work(Box<Ready>, Box<Release>),
    /// What is wanted is live.
    Nothing(Ending),
}

/// Preflight without the lock: nothing of the application's hosts is changed.
async fn prepare(
    session: &Session,
    want: &Want,
    deployment: &str,
    mut step: Preflight,
) -> Result<Prepared, Early> {
    let mut first = preflight(session, want).await;
    if first.as_ref().is_err_and(|(trouble, _)| trouble.code == UNFINISHED) {
        // Whoever began it may be at work: then it is the lock that we wait for, or that refuses us.
        first = match pass_lock(session, want, deployment).await {
            Ok(()) => preflight(session, want).await,
            Err(fault) => Err((store_fault(&fault).trouble, first.err().and_then(|(_, traffic)| traffic))),
        };
    }
    let checked = match first {
        Ok(mut ready) if !ready.obstacles.is_empty() => {
            step = step.about(ready.silent.as_ref());
            Err((first_of(std::mem::take(&mut ready.obstacles)), ready.traffic()))
        }
        checked => checked,
    };
    let mut ready = match checked {
        Ok(ready) => ready,
        Err((trouble, traffic)) if trouble.code == SO_ALREADY => {
            step.end(StepEnd::Ok, traffic.unwrap_or_default());
            return Ok(Prepared::Nothing(Ending::so_already(trouble)));
        }
        Err((trouble, traffic)) => {
            step.end(StepEnd::Failed, Refused::of(trouble.clone()).summary());
            return Err((trouble, traffic));
        }
    };
    match already_live(&session.deployment, want, &ready, &session.settings()) {
        Some(AlreadyLive::Nothing(text)) => {
            step.end(StepEnd::Ok, router_summary(&session.deployment, &ready.observed, want.adopt));
            return Ok(Prepared::Nothing(nothing_to_do(text, ready.source.notes)));
        }
        Some(AlreadyLive::Again(text)) => ready.source.notes.push(Note::new("note", text)),
        None => {}
    }
    let live = ready.live(session.reporter.now());
    let release = ready.source.release(&ready.state, &ready.staged, session.reporter.now());
    session.reporter.tell(EventKind::Planned {
        deployment: deployment.to_owned(),
        release: release.clone(),
        commits: ready.source.commits,
        color: match (Maintenance::of(want.command), live.as_ref().map(|live| live.color)) {
            (Some(Maintenance::Off), Some(color)) => color,
            (Some(Maintenance::On), Some(color)) => color.other(),
            (_, color) => session.deployment.fills(color),
        },
        maintenance: ready.observed.maintenance,
        rolling: session.deployment.has_turns(),
        live,
        notes: ready.source.notes.clone(),
    });
    step.end(StepEnd::Ok, router_summary(&session.deployment, &ready.observed, want.adopt));
    Ok(Prepared::Work(Box::new(ready), Box::new(release)))
}

/// Lock, fence, reap, read, plan, run.
async fn locked(session: &Session, want: &Want, deployment: &str, ready: Ready, built: Built) -> Ending {
    let known = ready.traffic();
    let early = |trouble: Trouble| Ending::before_anything(trouble, known.clone());
    let taking = take_lock(session, want.command, deployment, want.lock_wait);
    let lease = match session.reporter.for_lock(taking).await {
        Ok(lease) => lease,
        Err(fault) => return early(not_taken(session, &fault)),
    };
    let ending = match begin(session, want, deployment, built, &lease).await {
        Ok((performer, journal, progress)) => drive(session, performer, journal, progress, &lease).await,
        // Somebody else did it, while we waited.
        Err((trouble, _)) if trouble.code == SO_ALREADY => Ending::so_already(trouble),
        Err((trouble, traffic)) => Ending::before_anything(trouble, traffic.or(known)),
    };
    free(session, lease).await;
    ending
}

/// What it is that the lock was not taken: whoever waits for it may be told to stop.
pub(super) fn not_taken(session: &Session, fault: &StoreFault) -> Trouble {
    let interrupts = session.interrupts.borrow();
    if interrupts.count > 0 { interrupts.trouble() } else { store_fault(fault).trouble }
}

/// Waits until nobody holds the lock, as long as was asked for. It is not taken: a holder that only seems to be gone may go on.
async fn pass_lock(session: &Session, want: &Want, deployment: &str) -> Result<(), StoreFault> {
    let claimant = claimant(session, want.command, deployment);
    let waiting = Waiting::new(&claimant, want.lock_wait, &session.reporter, session.interrupts.clone());
    match waiting.pass(&session.home).await {
        Err(StoreFault::Locked { host, directory, lock }) => {
            let open = session.home.open_journal::<Record>().await.ok().flatten();
            Err(StoreFault::Locked { host, directory, lock: Box::new(at_step(*lock, open.as_ref())) })
        }
        passed => passed,
    }
}

async fn begin(
    session: &Session,
    want: &Want,
    deployment: &str,
    built: Built,
    lease: &Lease,
) -> Result<(Performer, Journal<Record>, Progress), Early> {
    let fault = |fault: StoreFault| (store_fault(&fault).trouble, None);
    let early = |trouble: Trouble| (trouble, None);
    let state = session.home.read_all::<Record>().await.map_err(fault)?;
    if let Some(trouble) = unfinished(&state) {
        return Err(early(trouble));
    }
    close_leftovers(session, lease, &state).await.map_err(early)?;
    let (mut observed, staged) =
        observe(session, state.live.as_ref(), before(want, &state)).await.map_err(early)?;
    let mut release = built.release;
    if built.is_new {
        let number = next_release_number(&state.history, state.live.as_ref(), staged.numbers());
        if number != release.number {
            let text = format!("another deployment took number {}: this release is {number}", release.number);
            session.reporter.tell(EventKind::Warning { text, hint: None });
            release.number = number;
        }
    }
    let wish = wish(want, deployment, release, !built.is_new, session);
    if wish.reuse_warm {
        // What is not taken as it is was told of before the lock.
        let live = state.live.as_ref();
        let _ = look_at_warm(session, live, idle_of(&session.deployment, live), &mut observed, &wish.release)
            .await;
    }
    let turns = session.deployment.has_turns();
    let plan = Plan::new(&session.deployment, &wish, &observed).map_err(|refusal| {
        (refused(&refusal, &wish), traffic(&observed, &staged, state.live.as_ref(), turns))
    })?;
    // Whoever had the lock before may have left some there.
    let live = state.live.as_ref();
    if let Some(trouble) = kept_open(session, &plan, &observed, live).await {
        return Err((trouble, traffic(&observed, &staged, live, turns)));
    }
    let first =
        Record::Planned { plan: Box::new(plan.clone()), origin: session.origin(want.message.clone()) };
    let journal = Journal::create(&session.home, lease.lock(), deployment, session.reporter.now(), &first);
    let journal = session.reporter.for_journal(journal).await.map_err(fault)?;
    session.hooks.allow_changes(lease.lock().epoch());
    let performer = Performer::new(session, lease, &plan, built.made, &state);
    Ok((performer, journal, Progress::new(plan)))
}

/// Runs to the end, and keeps it.
pub(crate) async fn drive(
    session: &Session,
    performer: Performer,
    journal: Journal<Record>,
    mut progress: Progress,
    lease: &Lease,
) -> Ending {
    let live = performer.live.clone();
    let log = JournalLog {
        journal,
        reporter: session.reporter.clone(),
        plan: Arc::clone(progress.plan()),
        step: lease.step(),
    };
    let performer = Arc::new(performer);
    let mut runner = Runner {
        world: Arc::clone(&performer),
        log,
        reporter: session.reporter.clone(),
        interrupts: session.interrupts.clone(),
        standing: lease.standing(),
        parallel: session.deployment.pipeline.parallel,
        deadline: tokio::time::Instant::now() + session.deployment.pipeline.timeout,
    };
    let ran = runner.run(&mut progress).await;
    performer.turns.let_go().await;
    let outcome = match ran {
        Ok(outcome) => outcome,
        Err(Stopped::Interrupted) => {
            return Ending::unfinished(&progress, session.interrupts.borrow().trouble());
        }
        Err(Stopped::Lost(fault)) => {
            let fault = told_apart(&session.home, lease.lock(), fault).await;
            return Ending::unfinished(&progress, store_fault(&fault).trouble);
        }
    };
    // After a signal there is no time for questions.
    let moved = progress.first_error().is_some_and(|trouble| trouble.code == Trouble::MOVED);
    let seen = match session.interrupts.borrow().any() {
        true => Afterwards::default(),
        false => performer.afterwards(progress.plan(), outcome, moved).await,
    };
    let ending = Ending::of(&progress, outcome, live.as_ref(), &seen);
    // A deployment that needs a person stays open: `resume` takes it up again.
    if outcome != Outcome::Stuck
        && let Err(trouble) = session.reporter.for_journal(remember(session, &progress, &ending, lease)).await
    {
        let text = format!("the end was not kept in the history: {}", trouble.message);
        session.reporter.tell(EventKind::Warning { text, hint: trouble.hint });
    }
    ending
}
