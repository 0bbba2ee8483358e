//! `resume` and `abort`: lock, fence, reap, replay, observe, decide, then the same loop.

use std::time::Duration;

use super::closing::close_leftovers;
use super::deploy::{drive, free, performer, router_summary, take_lock};
use super::ending::{Ending, serving};
use super::hooks::Refused;
use super::journal_log::replay;
use super::lease::Lease;
use super::observe::observe;
use super::opening::{Opening, Preflight};
use super::performer::{Performer, store_fault};
use super::session::Session;
use crate::model::view::ExitCode;
use crate::model::{
    Ask, Decision, EventKind, LiveRecord, Note, Outcome, Progress, Record, Sight, StepEnd, Trouble, decide,
};
use crate::store::{HomeState, Journal, StoreFault};

/// Brings an unfinished deployment to its end.
pub async fn recover(opening: Opening, ask: Ask) -> ExitCode {
    let Opening { session, preflight, .. } = opening;
    let session = &session;
    let ending = match find(session).await {
        Ok(Some((deployment, live))) => found(session, ask, &deployment, live.as_ref(), preflight).await,
        Ok(None) => {
            let live = session.home.live().await.ok().flatten();
            preflight.end(StepEnd::Ok, "no deployment is unfinished".to_owned());
            nothing_open(live.as_ref())
        }
        Err(trouble) => failed(preflight, trouble, None),
    };
    let exit_code = ending.exit_code;
    session.reporter.tell(ending.event(session.reporter.elapsed()));
    exit_code
}

async fn found(
    session: &Session,
    ask: Ask,
    deployment: &str,
    live: Option<&LiveRecord>,
    preflight: Preflight,
) -> Ending {
    let command = if ask == Ask::Abort { "abort" } else { "resume" };
    let lease = match take_lock(session, command, deployment, Duration::ZERO).await {
        Ok(lease) => lease,
        Err(fault) => return failed(preflight, store_fault(&fault).trouble, live),
    };
    let ending = match take_up(session, ask, &lease).await {
        Ok(Taken::Up { performer, journal, progress, seen }) => {
            preflight.end(StepEnd::Ok, seen);
            drive(session, performer, journal, progress, &lease).await
        }
        Ok(Taken::Ended(ending)) => {
            preflight.end(StepEnd::Ok, "the deployment had ended".to_owned());
            ending
        }
        Err(trouble) => failed(preflight, trouble, live),
    };
    free(session, lease).await;
    ending
}

fn failed(preflight: Preflight, trouble: Trouble, live: Option<&LiveRecord>) -> Ending {
    preflight.end(StepEnd::Failed, Refused::of(trouble.clone()).summary());
    Ending::before_anything(trouble, live)
}

/// The deployment that has not ended, with what is live.
async fn find(session: &Session) -> Result<Option<(String, Option<LiveRecord>)>, Trouble> {
    let state = session.home.read_all::<Record>().await.map_err(|fault| store_fault(&fault).trouble)?;
    Ok(state.open.map(|open| (open.deployment, state.live)))
}

/// There is nothing to take up, which is what was wanted.
fn nothing_open(live: Option<&LiveRecord>) -> Ending {
    let traffic = live.map(|record| Note::new("traffic", serving(record)));
    let facts = traffic
        .into_iter()
        .chain([Note::new("unfinished", "no deployment, so there is nothing to do")])
        .collect();
    Ending { outcome: Outcome::Deployed, error: None, facts, hint: None, exit_code: ExitCode::Done }
}

/// What became of taking a deployment up.
#[expect(clippy::large_enum_variant, reason = "there is one a run")]
enum Taken {
    /// It is ready to be driven to its end.
    Up {
        performer: Performer,
        journal: Journal<Record>,
        progress: Progress,
        /// What was seen, in a few words.
        seen: String,
    },
    /// It had ended, and this is how.
    Ended(Ending),
}

/// Under the lock: what is there, and what to do.
async fn take_up(session: &Session, ask: Ask, lease: &Lease) -> Result<Taken, Trouble> {
    let fault = |fault: StoreFault| store_fault(&fault).trouble;
    let state: HomeState<Record> = session.home.read_all().await.map_err(fault)?;
    let Some(open) = &state.open else {
        return Ok(Taken::Ended(nothing_open(state.live.as_ref())));
    };
    let ended = matches!(open.records.last(), None | Some((_, Record::Closed { .. })))
        && !matches!(open.records.last(), Some((_, Record::Closed { outcome: Outcome::Stuck })));
    if ended {
        let ending = close_leftovers(session, lease, &state).await?;
        return Ok(Taken::Ended(ending.unwrap_or_else(|| nothing_open(state.live.as_ref()))));
    }
    let (mut journal, read) =
        Journal::<Record>::reopen(&session.home, lease.lock(), &open.deployment).await.map_err(fault)?;
    let records: Vec<Record> = read.records.into_iter().map(|(_, record)| record).collect();
    let mut progress = replay(&open.deployment, &records)?;
    authority(session, &progress)?;
    session.hooks.allow_changes(lease.lock().epoch());
    let performer = performer(session, lease, None, state.live.clone());
    let (observed, _) = observe(session, state.live.as_ref()).await?;
    let plan = progress.plan().clone();
    let (new_healthy, old_healthy) = tokio::join!(
        performer.is_healthy(&plan, plan.color),
        performer.is_healthy(&plan, plan.color.other())
    );
    let seen = router_summary(&observed);
    let sight = Sight { observed, new_healthy, old_healthy, now: session.reporter.now() };
    let decision = decide(&progress, &sight, ask);
    if let Decision::Person { why } = decision {
        return Err(why);
    }
    session.reporter.tell(EventKind::Planned {
        deployment: plan.deployment.clone(),
        release: plan.release.clone(),
        commits: None,
        live: state.live.as_ref().map(|record| record.live.clone()),
        color: plan.color,
        notes: vec![Note::new("recovery", direction(&decision))],
    });
    let record = Record::Recovered { decision, origin: session.origin(None) };
    progress.apply(&record).map_err(|reason| Trouble::new("state/journal-broken", reason))?;
    journal.append(session.reporter.now(), &record).await.map_err(fault)?;
    Ok(Taken::Up { performer, journal, progress, seen })
}

/// The journal supplies state, never authority.
fn authority(session: &Session, progress: &Progress) -> Result<(), Trouble> {
    progress.plan().check_authority(&session.deployment).map_err(|overreach| {
        let message = format!("the journal's plan is not one that this configuration leads to: {overreach}");
        Trouble::new("resume/authority", message)
            .hint("use the configuration that the deployment was begun with; if it is the same, the journal was forged, or written by another version of cutover")
    })
}

fn direction(decision: &Decision) -> String {
    match decision {
        Decision::Back { why } => format!("puts everything back ({})", why.message),
        Decision::Forward => "goes on where it stopped".to_owned(),
        Decision::Person { why } => why.message.clone(),
    }
}
