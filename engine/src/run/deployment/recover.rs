//! `resume` and `abort`: lock, fence, reap, replay, observe, decide, then the same loop.

use std::collections::BTreeSet;

use super::closing::close_leftovers;
use super::deploy::{drive, not_taken};
use super::ending::{Ending, serving};
use super::opening::{Opening, Preflight};
use super::shown::{remembered_traffic, router_summary};
use crate::model::request::RecoverRequest;
use crate::model::view::ExitCode;
use crate::model::{
    Ask, Basis, Decision, Departure, Deployment, EventKind, HostName, LiveRecord, Maintenance, Note, Outcome,
    Part, Plan, Progress, Record, Sight, StepEnd, Trouble, decide, kept_out, shown_share,
};
use crate::run::execute::interrupts::Interrupts;
use crate::run::execute::interrupts::{self, INTERRUPTED};
use crate::run::execute::journal_log::replay;
use crate::run::execute::runner::World as _;
use crate::run::world::basis::basis;
use crate::run::world::before::Before;
use crate::run::world::claim::{free, take_lock};
use crate::run::world::exclusion::{given_up, keeps_out, left_out, not_forward, stays_out, what_follows};
use crate::run::world::hooks::Refused;
use crate::run::world::lease::Lease;
use crate::run::world::observe::{all_app_hosts, observe};
use crate::run::world::performer::{Performer, store_fault};
use crate::run::world::session::Session;
use crate::store::{HomeState, Journal, StoreFault};

/// Brings an unfinished deployment to its end.
pub async fn recover(opening: Opening, request: RecoverRequest) -> ExitCode {
    let Opening { session, preflight, .. } = opening;
    let session = &session;
    let mut interrupts = session.interrupts.clone();
    let sought = tokio::select! {
        sought = find(session) => sought,
        Ok(signal) = interrupts.wait_for(Interrupts::any) => Err(signal.trouble()),
    };
    let ending = match sought {
        Ok(Some((deployment, traffic))) => tokio::select! {
            ending = found(session, request, &deployment, traffic, preflight) => ending,
            trouble = interrupts::second(session.interrupts.clone()) => {
                session.reporter.break_off(&trouble.message);
                Ending::left(trouble)
            }
        },
        Ok(None) => {
            let live = session.home.live().await.ok().flatten();
            preflight.end(StepEnd::Ok, "no deployment is unfinished".to_owned());
            nothing_open(session, live.as_ref())
        }
        Err(trouble) => failed(preflight, trouble, None),
    };
    let exit_code = ending.exit_code;
    session.reporter.tell(ending.event(&session.reporter));
    exit_code
}

async fn found(
    session: &Session,
    request: RecoverRequest,
    deployment: &str,
    traffic: Option<String>,
    preflight: Preflight,
) -> Ending {
    let (ask, gives_up) = (request.ask, !request.without.is_empty());
    let command = if ask == Ask::Abort { "abort" } else { "resume" };
    let taking = take_lock(session, command, deployment, request.lock_wait);
    let lease = match session.reporter.for_lock(taking).await {
        Ok(lease) => lease,
        Err(fault) => return failed(preflight, not_taken(session, &fault), traffic),
    };
    let ending = match take_up(session, request, &lease).await {
        Ok(Taken::Up { performer, journal, progress, seen, without }) => {
            preflight.end(StepEnd::Ok, seen);
            let (maintenance, rolls) =
                (Maintenance::of(&progress.plan().command), progress.plan().is_rolling());
            let mut ending =
                drive(session, performer, journal, progress, &lease).await.asked(ask, maintenance);
            if matches!(ending.outcome, Outcome::RolledBack | Outcome::NothingChanged) {
                ending.hint = what_follows(&without, rolls).filter(|_| gives_up || rolls).or(ending.hint);
            }
            ending
        }
        Ok(Taken::Ended(ending, maintenance)) => {
            preflight.end(StepEnd::Ok, "the deployment had ended".to_owned());
            ending.asked(ask, maintenance)
        }
        Err(trouble) => failed(preflight, trouble, traffic),
    };
    free(session, lease).await;
    ending
}

fn failed(preflight: Preflight, trouble: Trouble, traffic: Option<String>) -> Ending {
    let end = if trouble.code == INTERRUPTED { StepEnd::Interrupted } else { StepEnd::Failed };
    preflight.end(end, Refused::of(trouble.clone()).summary());
    Ending::before_anything(trouble, traffic)
}

/// The deployment that has not ended, and what has the traffic.
async fn find(session: &Session) -> Result<Option<(String, Option<String>)>, Trouble> {
    let state = session.home.read_all::<Record>().await.map_err(|fault| store_fault(&fault).trouble)?;
    let traffic = remembered_traffic(&state, session.deployment.has_turns());
    Ok(state.open.map(|open| (open.deployment, traffic)))
}

/// There is nothing to take up, which is what was wanted.
fn nothing_open(session: &Session, live: Option<&LiveRecord>) -> Ending {
    let traffic = live.map(|record| serving(record, session.deployment.has_turns()));
    let traffic = traffic.map(|text| Note::new("traffic", text));
    let nothing = Note::new("unfinished", "no deployment, so there is nothing to do");
    let facts = std::iter::once(nothing).chain(traffic).collect();
    Ending { outcome: Outcome::NothingChanged, error: None, facts, hint: None, exit_code: ExitCode::Done }
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
        /// Hosts that it goes back without.
        without: BTreeSet<HostName>,
    },
    /// It had ended, and this is how; and whether it was about maintenance.
    Ended(Ending, Option<Maintenance>),
}

/// Under the lock: what is there, and what to do.
async fn take_up(session: &Session, request: RecoverRequest, lease: &Lease) -> Result<Taken, Trouble> {
    let fault = |fault: StoreFault| store_fault(&fault).trouble;
    let state: HomeState<Record> = session.home.read_all().await.map_err(fault)?;
    let Some(open) = &state.open else {
        return Ok(Taken::Ended(nothing_open(session, state.live.as_ref()), None));
    };
    let ended = matches!(open.records.last(), None | Some((_, Record::Closed { .. })))
        && !matches!(open.records.last(), Some((_, Record::Closed { outcome: Outcome::Stuck })));
    if ended {
        let ending = close_leftovers(session, lease, &state).await?;
        let progress = Progress::replay(open.entries());
        let maintenance = progress.ok().and_then(|progress| Maintenance::of(&progress.plan().command));
        let ending = ending.unwrap_or_else(|| nothing_open(session, state.live.as_ref()));
        return Ok(Taken::Ended(ending, maintenance));
    }
    let (mut journal, read) =
        Journal::<Record>::reopen(&session.home, lease.lock(), &open.deployment).await.map_err(fault)?;
    let records: Vec<Record> = read.records.into_iter().map(|(_, record)| record).collect();
    let mut progress = replay(&open.deployment, &records)?;
    let departures = authority(session, &progress)?;
    let app_hosts = all_app_hosts(&session.deployment);
    let lost = given_up(&progress, &session.excluded, &request.without, &app_hosts)?;
    if !request.accept_changes {
        as_begun(&records, &basis(&session.deployment))?;
    }
    session.hooks.allow_changes(lease.lock().epoch());
    let performer = Performer::new(session, lease, progress.plan(), None, &state);
    performer.takes_up(progress.asked_of_routers());
    performer.leave_out(progress.excluded().into_iter().chain(lost.keys().cloned()).collect());
    let (observed, _) = observe(session, state.live.as_ref(), Before::Else).await?;
    let plan = progress.plan().clone();
    let (new_healthy, old_healthy) = tokio::join!(
        performer.is_healthy(&plan, plan.color),
        performer.is_healthy(&plan, plan.color.other())
    );
    let (seen, share) =
        (router_summary(&session.deployment, &observed, false), shown_share(&plan, &observed));
    let kept_out = kept_out(&progress, &observed, &lost);
    let sight = Sight { observed, new_healthy, old_healthy, now: session.reporter.now() };
    let decision = decide(&progress, &sight, request.ask);
    match &decision {
        Decision::Person { why } => return Err(why.clone()),
        Decision::Forward => {
            can_go_on(&progress, &departures)?;
            not_forward(&lost).map_or(Ok(()), Err)?;
        }
        Decision::Back { .. } => {}
    }
    let has_no_part = |host: &HostName| lost.contains_key(host) || progress.excluded().contains(host);
    for (host, trouble) in session.excluded.iter().filter(|(host, _)| has_no_part(host)) {
        session.reporter.tell(if plan.is_rolling() {
            stays_out(host, trouble)
        } else {
            left_out(host, trouble)
        });
    }
    for host in &kept_out {
        session.reporter.tell(keeps_out(host));
    }
    session.reporter.tell(EventKind::Planned {
        deployment: plan.deployment.clone(),
        release: plan.release.clone(),
        commits: None,
        live: state.live.as_ref().map(|record| record.live.clone()),
        color: plan.color,
        maintenance: state.live.as_ref().is_some_and(|record| record.maintenance.is_some()),
        rolling: session.deployment.has_turns(),
        notes: vec![Note::new("recovery", direction(&decision, progress.turned_back().is_some()))],
    });
    let (origin, without) = (session.origin(None), lost.keys().chain(&kept_out).cloned().collect());
    let record = Record::Recovered { decision, origin, lost, kept_out, share };
    progress.apply(&record).map_err(|reason| Trouble::new("state/journal-broken", reason))?;
    journal.append(session.reporter.now(), &record).await.map_err(fault)?;
    Ok(Taken::Up { performer, journal, progress, seen, without })
}

/// The journal supplies state, never authority.
fn authority(session: &Session, progress: &Progress) -> Result<Vec<Departure>, Trouble> {
    progress.plan().departures(&session.deployment).map_err(|overreach| {
        let message = format!("the journal's plan is not one that this configuration leads to: {overreach}");
        let gone = gone(progress.plan(), &session.deployment);
        let hint = if gone.is_empty() {
            "use the configuration that the deployment was begun with; if it is the same, the journal was forged, or \
             written by another version of cutover"
                .to_owned()
        } else {
            let without: String = gone.iter().map(|host| format!(" --without {host}")).collect();
            format!(
                "`cutover.toml` has to be as it was until the deployment has ended; then, where that host is gone for \
                 good, `cutover abort{without}` does not need it"
            )
        };
        Trouble::new("resume/authority", message).hint(hint)
    })
}

/// Hosts of a plan that the application does not have any more.
fn gone<'a>(plan: &'a Plan, deployment: &Deployment) -> BTreeSet<&'a HostName> {
    let now = all_app_hosts(deployment);
    plan.tasks().filter_map(|(_, task)| task.action.host()).filter(|host| !now.contains(host)).collect()
}

/// Code of an error: the configuration is another than the one that was begun with.
const CHANGED: &str = "config/changed";

/// What was begun under one directory, driver or address must not go on under another: it would look in the wrong place, find
/// nothing there, and call that done.
fn as_begun(records: &[Record], now: &Basis) -> Result<(), Trouble> {
    // Whoever accepted changes did so for those who come after, too.
    let begun = records.iter().rev().find_map(|record| {
        if let Record::Planned { origin, .. } | Record::Recovered { origin, .. } = record {
            origin.basis.as_ref()
        } else {
            None
        }
    });
    let changes = begun.map(|begun| begun.changes(now)).unwrap_or_default();
    if changes.is_empty() {
        return Ok(());
    }
    let mut message = "the configuration has changed since the deployment began".to_owned();
    for change in changes.iter().take(MOST_CHANGES) {
        message.push_str(&format!("\n{change}"));
    }
    if changes.len() > MOST_CHANGES {
        message.push_str(&format!("\nand {} more", changes.len() - MOST_CHANGES));
    }
    Err(Trouble::new(CHANGED, message).hint(
        "set it back until the deployment has ended; where the same host or place only has another name now, \
         `--accept-changes` goes on with it",
    ))
}

/// Changes that are named one by one.
const MOST_CHANGES: usize = 8;

/// Going forward takes all that is still to be done out of the plan, so that must be what this configuration says.
fn can_go_on(progress: &Progress, departures: &[Departure]) -> Result<(), Trouble> {
    // After the pivot, what came before it is the past.
    let matter = |departure: &&Departure| departure.part == Part::Retire || !progress.is_pivoted();
    let keys: Vec<String> =
        departures.iter().filter(matter).map(|departure| format!("`{}`", departure.key)).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let message = format!("the configuration has changed since the deployment began: {}", keys.join(", "));
    let back = if progress.is_pivoted() { "" } else { "; `cutover abort` goes back as it is" };
    Err(Trouble::new(CHANGED, message).hint(format!("set it back until the deployment has ended{back}")))
}

/// Which way it goes on; `again` says whether it had turned back before. What it had turned back for may be over since.
fn direction(decision: &Decision, again: bool) -> String {
    match decision {
        Decision::Back { why } if again => {
            format!("goes on putting everything back (it had turned back since: {})", why.first_line())
        }
        Decision::Back { why } => format!("puts everything back ({})", why.message),
        Decision::Forward => "goes on where it stopped".to_owned(),
        Decision::Person { why } => why.message.clone(),
    }
}
