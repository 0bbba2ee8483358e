//! `deploy` and `rollback`: from the wish to the end.

use std::sync::Arc;
use std::time::Duration;

use cutover_host::operation::LockHolder;
use futures_util::future::try_join_all;

use super::Interrupts;
use super::artifact;
use super::build::{self, Built};
use super::closing::{close_leftovers, remember};
use super::ending::Ending;
use super::exclusion;
use super::hooks::Refused;
use super::insist::insist;
use super::interrupts::{self, INTERRUPTED};
use super::journal_log::JournalLog;
use super::lease::{Claimant, Lease, Waiting};
use super::observe::{Staged, observe, observe_what_answers, observing_call};
use super::opening::{Opening, Preflight};
use super::performer::{Performer, store_fault};
use super::readiness::{Ahead, first_of, front_door_obstacles, host_obstacles};
use super::runner::{Runner, Stopped};
use super::session::{Session, spoken_to};
use super::want::Want;
use crate::model::request::{DeployRequest, DeploySource, RollbackRequest};
use crate::model::view::ExitCode;
use crate::model::{
    EventKind, HookCall, LiveRecord, Note, Observed, Outcome, Plan, Progress, Record, Refusal, Release,
    StepEnd, Trouble, Wish,
};
use crate::store::{HomeState, Journal, Lineage, StateDirectory, StoreFault, next_release_number};

/// Everything that is known before anything is changed.
pub(super) struct Ready {
    pub(super) state: HomeState<Record>,
    pub(super) observed: Observed,
    pub(super) staged: Staged,
    pub(super) source: artifact::Resolved,
    /// What keeps it from being begun, though a plan can be made.
    pub(super) obstacles: Vec<Trouble>,
}

/// Puts a release live.
pub async fn deploy(opening: Opening, request: DeployRequest) -> ExitCode {
    whole(opening, Want::deploy(request)).await
}

/// Puts the previous release, or another one that is on the hosts, back.
pub async fn rollback(opening: Opening, request: RollbackRequest) -> ExitCode {
    whole(opening, Want::rollback(request)).await
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
        Ok((ready, release)) => tokio::select! {
            ending = carry_out(session, &want, &deployment, ready, release) => ending,
            trouble = interrupts::second(session.interrupts.clone()) => {
                session.reporter.break_off(&trouble.message);
                Ending::left(trouble)
            }
        },
        Err((trouble, live)) => Ending::before_anything(trouble, live.as_deref()),
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
        Err(trouble) => Ending::before_anything(trouble, ready.state.live.as_ref()),
    }
}

/// Code of the error that a deployment has begun and not ended.
const UNFINISHED: &str = "deploy/unfinished";

type Early = (Trouble, Option<Box<LiveRecord>>);

/// Preflight without the lock: nothing of the application's hosts is changed.
async fn prepare(
    session: &Session,
    want: &Want,
    deployment: &str,
    step: Preflight,
) -> Result<(Ready, Release), Early> {
    let mut first = preflight(session, want).await;
    if first.as_ref().is_err_and(|(trouble, _)| trouble.code == UNFINISHED) {
        // Whoever began it may be at work: then it is the lock that we wait for, or that refuses us.
        first = match pass_lock(session, want, deployment).await {
            Ok(()) => preflight(session, want).await,
            Err(fault) => Err((store_fault(&fault).trouble, first.err().and_then(|(_, live)| live))),
        };
    }
    let checked = match first {
        Ok(mut ready) if !ready.obstacles.is_empty() => {
            Err((first_of(std::mem::take(&mut ready.obstacles)), ready.state.live.map(Box::new)))
        }
        checked => checked,
    };
    let ready = match checked {
        Ok(ready) => ready,
        Err((trouble, live)) => {
            step.end(StepEnd::Failed, Refused::of(trouble.clone()).summary());
            return Err((trouble, live));
        }
    };
    let live = ready.state.live.clone();
    let release = ready.source.release(&ready.state, &ready.staged, session.reporter.now());
    session.reporter.tell(EventKind::Planned {
        deployment: deployment.to_owned(),
        release: release.clone(),
        commits: ready.source.commits,
        live: live.as_ref().map(|record| record.live.clone()),
        color: super::ending::idle_of(live.as_ref()),
        notes: ready.source.notes.clone(),
    });
    step.end(StepEnd::Ok, router_summary(&ready.observed));
    Ok((ready, release))
}

/// Reads everything that a plan needs, and finds out what is to be deployed.
pub(super) async fn preflight(session: &Session, want: &Want) -> Result<Ready, Early> {
    let state =
        session.home.read_all::<Record>().await.map_err(|fault| (store_fault(&fault).trouble, None))?;
    let live = state.live.clone().map(Box::new);
    if let Some(trouble) = unfinished(&state) {
        return Err((trouble, live));
    }
    if state.live.is_none() && want.source == DeploySource::Release(String::new()) {
        // Whether the router is in order does not matter: there is nothing to ask it for.
        let nothing =
            Trouble::new("release/no-previous", "nothing was deployed yet, so there is no earlier release")
                .hint("`cutover deploy` puts the first one live");
        return Err((nothing, live));
    }
    let checked = async {
        let seen = observe_what_answers(session, state.live.as_ref()).await;
        let (observed, staged, silent) = match seen {
            // What the host lacks says more than the question that it has no answer to.
            Err(trouble) if trouble.code == "host/failed" => {
                let color = super::ending::idle_of(state.live.as_ref());
                let ahead = Ahead { builds: want.source.is_built(), stages: true, color };
                let lacking = host_obstacles(session, ahead).await;
                return Err(if lacking.is_empty() { trouble } else { first_of(lacking) });
            }
            seen => seen?,
        };
        let source = artifact::resolve(session, want, &state, &staged).await?;
        Ok((observed, staged, silent, source))
    };
    let (observed, staged, silent, source) = checked.await.map_err(|trouble| (trouble, live.clone()))?;
    let asks_front_doors = silent.is_none();
    let mut ready = Ready { state, observed, staged, source, obstacles: silent.into_iter().collect() };
    if ready.state.live.is_none() {
        ready.source.notes.extend(no_way_back(session).await);
    }
    ready.source.notes.extend(exclusion::note(&session.deployment));
    // A plan that can't be made costs no build.
    let wish =
        wish(want, "", ready.source.release(&ready.state, &ready.staged, session.reporter.now()), session);
    let plan = Plan::new(&session.deployment, &wish, &ready.observed)
        .map_err(|refusal| (refused(&refusal), live))?;
    let is_staged = matches!(ready.source.what, artifact::What::Staged(_));
    let ahead = Ahead { builds: want.source.is_built(), stages: !is_staged, color: plan.color };
    ready.obstacles.extend(host_obstacles(session, ahead).await);
    if asks_front_doors {
        let live = ready.state.live.as_ref();
        let (notes, troubles) = front_door_obstacles(session, &plan, live, &ready.staged).await;
        ready.source.notes.extend(notes);
        ready.obstacles.extend(troubles);
    }
    Ok(ready)
}

/// A first deployment goes back by routing to no colour, which not every router can.
async fn no_way_back(session: &Session) -> Option<Note> {
    let call = observing_call(&session.deployment, None);
    let ask = |attempt| {
        let call = HookCall { attempt, ..call.clone() };
        async move { session.hooks.features(&call).await }
    };
    let features = insist(session.deployment.router.hook.timeout, ask).await.ok()?;
    let text =
        "this router can't route to no colour: once switched, a failed first deployment keeps its traffic";
    (!features.iter().any(|feature| feature == "maintenance")).then(|| Note::new("note", text))
}

/// A deployment that has begun and not ended.
pub(super) fn unfinished(state: &HomeState<Record>) -> Option<Trouble> {
    let journal = state.open.as_ref()?;
    let (_, last) = journal.records.last()?;
    if matches!(last, Record::Closed { outcome } if *outcome != Outcome::Stuck) {
        return None;
    }
    let message = format!("deployment {} has not ended", journal.deployment);
    Some(
        Trouble::new(UNFINISHED, message)
            .hint("`cutover resume` goes on with it, `cutover abort` puts everything back"),
    )
}

pub(super) fn router_summary(observed: &Observed) -> String {
    let recorded = observed.recorded.as_ref().map(|(color, _)| *color);
    match observed.live_color() {
        Ok(None) => "no colour is routed to yet".to_owned(),
        Ok(Some(color)) if Some(color) == recorded => format!("router {color} 100 %, as recorded"),
        Ok(Some(color)) => format!("router {color} 100 %, adopted"),
        Err(_) => "routers disagree".to_owned(),
    }
}

/// A refusal as an error.
pub(super) fn refused(refusal: &Refusal) -> Trouble {
    match refusal {
        Refusal::RoutersDisagree { .. } => Trouble::new("deploy/routers-disagree", refusal.to_string())
            .hint("put them on one colour, then deploy again; `cutover status` shows each"),
        Refusal::Drift { .. } => Trouble::new("deploy/drift", refusal.to_string())
            .hint("find out who moved it; `cutover deploy --adopt` takes the router's word for it"),
        Refusal::TooFewHosts { .. } => Trouble::new("deploy/too-few-hosts", refusal.to_string())
            .hint("`cutover check --hosts` says what keeps them from being reached"),
        Refusal::LiveAlready { .. } => Trouble::new("deploy/live-already", refusal.to_string())
            .hint("`cutover deploy` makes a new release, `cutover status` shows what is live"),
    }
}

fn wish(want: &Want, deployment: &str, release: Release, session: &Session) -> Wish {
    Wish::new(want.command, deployment.to_owned(), release, want.adopt, session.reporter.now())
}

/// Lock, fence, reap, read, plan, run.
async fn locked(session: &Session, want: &Want, deployment: &str, ready: Ready, built: Built) -> Ending {
    let live = ready.state.live.clone();
    let early = |trouble: Trouble| Ending::before_anything(trouble, live.as_ref());
    let taking = take_lock(session, want.command, deployment, want.lock_wait);
    let lease = match session.reporter.for_lock(taking).await {
        Ok(lease) => lease,
        Err(_) if session.interrupts.borrow().count > 0 => {
            return early(session.interrupts.borrow().trouble());
        }
        Err(fault) => return early(store_fault(&fault).trouble),
    };
    let ending = match begin(session, want, deployment, built, &lease).await {
        Ok((performer, journal, progress)) => drive(session, performer, journal, progress, &lease).await,
        Err(trouble) => early(trouble),
    };
    free(session, lease).await;
    ending
}

pub(super) async fn free(session: &Session, lease: Lease) {
    if let Err(fault) = session.reporter.for_lock(lease.free()).await {
        session.reporter.tell(EventKind::Warning {
            text: format!("the lock was not freed: {fault}"),
            hint: fault.hint(),
        });
    }
}

/// Waits until nobody holds the lock, as long as was asked for. It is not taken: a holder that only seems to be gone may go on.
async fn pass_lock(session: &Session, want: &Want, deployment: &str) -> Result<(), StoreFault> {
    let claimant = claimant(session, want.command, deployment);
    Waiting::new(&claimant, want.lock_wait, &session.reporter, session.interrupts.clone())
        .pass(&session.home)
        .await
}

pub(super) fn claimant(session: &Session, command: &str, deployment: &str) -> Claimant {
    let operator = &session.operator;
    Claimant {
        holder: LockHolder {
            who: format!("{}@{} pid {}", operator.user, operator.machine, operator.pid),
            deployment: deployment.to_owned(),
            command: command.to_owned(),
        },
        machine: operator.machine.clone(),
        is_alive: super::is_alive,
    }
}

/// Takes the lock, fences every host that it concerns, and ends what earlier holders left running.
pub(super) async fn take_lock(
    session: &Session,
    command: &str,
    deployment: &str,
    wait: Duration,
) -> Result<Lease, StoreFault> {
    let claimant = claimant(session, command, deployment);
    let interrupts = session.interrupts.clone();
    let waiting = Waiting::new(&claimant, wait, &session.reporter, interrupts);
    let lease = Lease::take(&session.home, waiting).await?;
    let epoch = lease.lock().epoch();
    let shut_out = async {
        let directories = shut_out(session, epoch).await?;
        let fresh = fresh_line(session);
        session.home.settle_lineage(lease.lock(), &directories, fresh).await?;
        Ok(())
    };
    match shut_out.await {
        Ok(()) => Ok(lease),
        Err(fault) => {
            free(session, lease).await;
            Err(fault)
        }
    }
}

/// Fences every host that the lock concerns, and ends what earlier holders left running there.
pub(super) async fn shut_out(session: &Session, epoch: u64) -> Result<Vec<StateDirectory>, StoreFault> {
    // A host that only builds has no part in what the lock is about.
    let concerned = spoken_to(&session.deployment, false);
    let sites = session.sites.iter().filter(|(name, _)| concerned.contains(*name));
    let directories: Vec<StateDirectory> = sites.map(|(_, site)| site.state.clone()).collect();
    let fenced = directories.iter().map(async |directory| {
        directory.fence(epoch).await?;
        directory.reap(epoch).await
    });
    try_join_all(fenced).await?;
    Ok(directories)
}

/// A name for a new line of deployments.
pub(super) fn fresh_line(session: &Session) -> Lineage {
    Lineage::new(ulid::Ulid::from_parts(session.reporter.now().0, super::random()))
}

async fn begin(
    session: &Session,
    want: &Want,
    deployment: &str,
    built: Built,
    lease: &Lease,
) -> Result<(Performer, Journal<Record>, Progress), Trouble> {
    let fault = |fault: StoreFault| store_fault(&fault).trouble;
    let state = session.home.read_all::<Record>().await.map_err(fault)?;
    if let Some(trouble) = unfinished(&state) {
        return Err(trouble);
    }
    close_leftovers(session, lease, &state).await?;
    let (observed, staged) = observe(session, state.live.as_ref()).await?;
    let mut release = built.release;
    if built.is_new {
        let number = next_release_number(&state.history, state.live.as_ref(), staged.numbers());
        if number != release.number {
            let text = format!("another deployment took number {}: this release is {number}", release.number);
            session.reporter.tell(EventKind::Warning { text, hint: None });
            release.number = number;
        }
    }
    let wish = wish(want, deployment, release, session);
    let plan = Plan::new(&session.deployment, &wish, &observed).map_err(|refusal| refused(&refusal))?;
    let first =
        Record::Planned { plan: Box::new(plan.clone()), origin: session.origin(want.message.clone()) };
    let journal = Journal::create(&session.home, lease.lock(), deployment, session.reporter.now(), &first);
    let journal = session.reporter.for_journal(journal).await.map_err(fault)?;
    session.hooks.allow_changes(lease.lock().epoch());
    let performer = Performer::new(session, lease, &plan, built.made, state.live);
    Ok((performer, journal, Progress::new(plan)))
}

/// Runs to the end, and keeps it.
pub(super) async fn drive(
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
        Err(Stopped::Lost(fault)) => return Ending::unfinished(&progress, store_fault(&fault).trouble),
    };
    // After a signal there is no time for questions.
    let asked = matches!(outcome, Outcome::RolledBack | Outcome::NothingChanged)
        && !session.interrupts.borrow().any()
        && progress.plan().live.is_some();
    let old = if asked { performer.old_health(progress.plan()).await } else { Vec::new() };
    let ending = Ending::of(&progress, outcome, live.as_ref(), &old);
    // A deployment that needs a person stays open: `resume` takes it up again.
    if outcome != Outcome::Stuck
        && let Err(trouble) = session.reporter.for_journal(remember(session, &progress, &ending, lease)).await
    {
        let text = format!("the end was not kept in the history: {}", trouble.message);
        session.reporter.tell(EventKind::Warning { text, hint: trouble.hint });
    }
    ending
}
