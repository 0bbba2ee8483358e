//! `resume` and `abort`: lock, fence, reap, replay, observe, decide, then the same loop.

use std::time::Duration;

use super::closing::{close_leftovers, replay};
use super::deploy::{drive, free, performer, take_lock};
use super::ending::Ending;
use super::lease::Lease;
use super::observe::observe;
use super::performer::store_fault;
use super::session::Session;
use crate::model::request::Recovery;
use crate::model::view::ExitCode;
use crate::model::{
    Ask, Decision, EventKind, LiveRecord, Note, Outcome, Progress, Record, Sight, Trouble, decide,
};
use crate::store::{HomeState, Journal, StoreFault};

/// Brings an unfinished deployment to its end.
pub async fn recover(session: &Session, recovery: Recovery) -> ExitCode {
    let command = if recovery == Recovery::Abort { "abort" } else { "resume" };
    let ending = match find(session).await {
        Ok((deployment, live)) => {
            session.reporter.tell(EventKind::Started {
                command: command.to_owned(),
                title: session.deployment.title(),
                deployment: deployment.clone(),
            });
            match take_lock(session, command, &deployment, Duration::ZERO).await {
                Ok(lease) => {
                    let ending = match take_up(session, recovery, &lease).await {
                        Ok(ending) => ending,
                        Err(trouble) => Ending::before_anything(trouble, live.as_ref()),
                    };
                    free(session, lease).await;
                    ending
                }
                Err(fault) => Ending::before_anything(store_fault(&fault).trouble, live.as_ref()),
            }
        }
        Err(ending) => {
            session.reporter.tell(EventKind::Started {
                command: command.to_owned(),
                title: session.deployment.title(),
                deployment: String::new(),
            });
            *ending
        }
    };
    let exit_code = ending.exit_code;
    session.reporter.tell(ending.event(session.reporter.elapsed()));
    exit_code
}

/// The deployment that has not ended.
async fn find(session: &Session) -> Result<(String, Option<LiveRecord>), Box<Ending>> {
    let early = |trouble, live: Option<&LiveRecord>| Box::new(Ending::before_anything(trouble, live));
    let state =
        session.home.read_all::<Record>().await.map_err(|fault| early(store_fault(&fault).trouble, None))?;
    let live = state.live.clone();
    match state.open {
        Some(open) => Ok((open.deployment, live)),
        None => Err(Box::new(nothing_open(live.as_ref()))),
    }
}

/// There is nothing to take up, which is what was wanted.
fn nothing_open(live: Option<&LiveRecord>) -> Ending {
    let traffic = live.map(|record| Note::new("traffic", super::ending::serving(record)));
    let facts = traffic.into_iter().chain([Note::new("unfinished", "no deployment")]).collect();
    Ending { outcome: Outcome::Deployed, error: None, facts, hint: None, exit_code: ExitCode::Done }
}

/// Under the lock: what is there, what to do, and doing it.
async fn take_up(session: &Session, recovery: Recovery, lease: &Lease) -> Result<Ending, Trouble> {
    let fault = |fault: StoreFault| store_fault(&fault).trouble;
    let state: HomeState<Record> = session.home.read_all().await.map_err(fault)?;
    let Some(open) = &state.open else {
        return Ok(nothing_open(state.live.as_ref()));
    };
    let ended = matches!(open.records.last(), None | Some((_, Record::Closed { .. })))
        && !matches!(open.records.last(), Some((_, Record::Closed { outcome: Outcome::Stuck })));
    if ended {
        let ending = close_leftovers(session, lease, &state).await?;
        return Ok(ending.unwrap_or_else(|| nothing_open(state.live.as_ref())));
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
    let sight = Sight { observed, new_healthy, old_healthy, now: session.reporter.now() };
    let ask = match recovery {
        Recovery::Resume => Ask::Resume,
        Recovery::ResumeForward => Ask::ResumeForward,
        Recovery::Abort => Ask::Abort,
    };
    let decision = decide(&progress, &sight, ask);
    if let Decision::Person { why } = decision {
        return Err(why);
    }
    session.reporter.tell(EventKind::Planned {
        release: plan.release.clone(),
        commits: None,
        live: state.live.as_ref().map(|record| record.live.clone()),
        color: plan.color,
        notes: vec![Note::new("recovery", direction(&decision))],
    });
    let record = Record::Recovered { decision, origin: session.origin(None) };
    progress.apply(&record).map_err(|reason| Trouble::new("state/journal-broken", reason))?;
    journal.append(session.reporter.now(), &record).await.map_err(fault)?;
    Ok(drive(session, performer, journal, progress, lease).await)
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
