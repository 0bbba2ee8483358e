//! What follows the end of a deployment: its line in the history, then its journal is closed.

use super::ending::Ending;
use crate::model::{
    HistoryEntry, HistoryError, HistoryRelease, Maintenance, Origin, Outcome, Progress, Record, Trouble,
};
use crate::run::execute::journal_log::replay;
use crate::run::world::afterwards::Afterwards;
use crate::run::world::lease::Lease;
use crate::run::world::performer::store_fault;
use crate::run::world::session::Session;
use crate::store::{HomeState, StoreFault};

/// An ended deployment whose journal is still open: its history is made sure of, then it is closed. Answers how it had ended;
/// none when there is no such deployment, or it never began.
pub(crate) async fn close_leftovers(
    session: &Session,
    lease: &Lease,
    state: &HomeState<Record>,
) -> Result<Option<Ending>, Trouble> {
    let Some(open) = &state.open else { return Ok(None) };
    let fault = |fault: StoreFault| store_fault(&fault).trouble;
    let mut ending = None;
    if !open.records.is_empty() {
        let progress = replay(&open.deployment, open.entries())?;
        let outcome = progress.outcome().unwrap_or(Outcome::Unfinished);
        let ended =
            ending.insert(Ending::of(&progress, outcome, state.live.as_ref(), &Afterwards::default()));
        let entry = history_entry(open.entries().next(), &progress, ended, session);
        session.home.remember(lease.lock(), session.reporter.now(), &entry).await.map_err(fault)?;
    }
    session.home.close(lease.lock(), &open.deployment).await.map_err(fault)?;
    Ok(ending)
}

/// Keeps how a deployment ended, and closes its journal.
pub(crate) async fn remember(
    session: &Session,
    progress: &Progress,
    ending: &Ending,
    lease: &Lease,
) -> Result<(), Trouble> {
    let fault = |fault: StoreFault| store_fault(&fault).trouble;
    let deployment = &progress.plan().deployment;
    let read = session.home.read_journal::<Record>(deployment).await.map_err(fault)?;
    let entry = history_entry(read.entries().next(), progress, ending, session);
    session.home.remember(lease.lock(), session.reporter.now(), &entry).await.map_err(fault)?;
    session.home.close(lease.lock(), deployment).await.map_err(fault)?;
    // The deployment has ended as it has; what can't be tidied now is tidied after the next one.
    let _ = session.home.forget_journals(lease.lock()).await;
    Ok(())
}

fn history_entry(
    first: Option<&Record>,
    progress: &Progress,
    ending: &Ending,
    session: &Session,
) -> HistoryEntry {
    let plan = progress.plan();
    let origin = match first {
        Some(Record::Planned { origin, .. }) => origin.clone(),
        Some(_) | None => Origin::default(),
    };
    // Maintenance puts no release live, and takes none back.
    let is_new = Maintenance::of(&plan.command).is_none();
    HistoryEntry {
        deployment: plan.deployment.clone(),
        command: plan.command.clone(),
        release: is_new.then(|| HistoryRelease::from(&plan.release)),
        color: is_new.then_some(plan.color),
        who: origin.who,
        ci: origin.ci,
        message: origin.message,
        started: plan.made,
        ended: session.reporter.now(),
        outcome: ending.outcome,
        exit_code: ending.exit_code.code(),
        error: ending
            .error
            .as_ref()
            .map(|trouble| HistoryError { code: trouble.code.clone(), text: trouble.message.clone() }),
        excluded: progress.excluded().into_iter().collect(),
        denied: progress.denied().to_vec(),
        switches: progress.switches().to_vec(),
        settings: origin.settings,
    }
}
