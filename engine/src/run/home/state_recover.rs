//! `cutover state recover`: looks, says what it would write, and writes it under the lock if it is still so.
//!
//! A crash in between leaves a home that is none yet (it becomes one by its last write of its own), or one whose other hosts still
//! belong to the line before: the next deployment lets those join. So the same command goes on after a crash at any point.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::examine::{Examination, examine};
use super::rebuild::{Rebuild, World, highest, rebuild};
use crate::model::view::{ExitCode, RecoveryView};
use crate::model::{Color, HistoryEntry, HistoryRelease, HostName, Outcome, ReleaseId, Timestamp, Trouble};
use crate::run::execute::interrupts::Interrupts;
use crate::run::execute::moment::identifier;
use crate::run::world::before::Before;
use crate::run::world::claim::{claimant, free, fresh_line, shut_out};
use crate::run::world::hooks::Refused;
use crate::run::world::lease::{Lease, Waiting};
use crate::run::world::observe::{all_app_hosts, observe};
use crate::run::world::performer::{host_failure, store_fault};
use crate::run::world::session::{Session, Setting};
use crate::store::{HeldLock, StoreFault};
use crate::transport::{Link, Links};

/// For one question to a host.
const QUESTION: Duration = Duration::from_secs(20);

/// A recovery that was proposed.
#[derive(Debug)]
pub struct StateRecovery {
    session: Session,
    ways: Ways,
    proposed: Option<Rebuild>,
    /// The highest epoch that a host has seen.
    highest: u64,
}

/// Ways to whoever may keep the state.
#[derive(Debug)]
struct Ways {
    links: Arc<Links>,
    bucket: Option<Arc<dyn Link>>,
}

impl StateRecovery {
    /// Looks at everything, and says what would be written. Touches nothing.
    ///
    /// # Errors
    /// With every host and hook that failed; when another command is the way, or what is seen contradicts itself.
    pub async fn propose(setting: Setting) -> Result<Self, Refused> {
        let ways = Ways { links: Arc::clone(&setting.links), bucket: setting.bucket.clone() };
        let session = Session::open_anywhere(setting, false).await?;
        let (proposed, highest) = look(&session, &ways).await.map_err(Refused::of)?;
        Ok(Self { session, ways, proposed, highest })
    }

    /// What would be written.
    #[must_use]
    pub fn view(&self) -> RecoveryView {
        let notes = self.proposed.as_ref().map(|rebuild| rebuild.notes(self.highest));
        RecoveryView {
            title: self.session.deployment.title(),
            home: self.session.deployment.keeper(),
            changes: notes.unwrap_or_default(),
        }
    }

    /// Waits for a signal.
    pub async fn interrupted(&self) {
        Interrupts::one(self.session.interrupts.clone()).await;
    }

    /// Writes it.
    ///
    /// # Errors
    /// When it is not so any more, and what writing may meet.
    pub async fn carry_out(self) -> Result<(), Trouble> {
        let Self { session, ways, proposed, .. } = self;
        let Some(proposed) = proposed else { return Ok(()) };
        let deployment = identifier(session.reporter.now()).to_string();
        let fault = |fault: StoreFault| store_fault(&fault).trouble;
        let mut lease = take(&session, &deployment).await.map_err(fault)?;
        let seen = look(&session, &ways).await;
        let beyond = seen.as_ref().map_or(0, |(_, highest)| *highest);
        if beyond > lease.lock().epoch() {
            // Nobody holds the lock: a holder of that epoch can't be one of this home.
            lease.free().await.map_err(fault)?;
            session.home.directory().fence(beyond).await.map_err(fault)?;
            lease = take(&session, &deployment).await.map_err(fault)?;
        }
        let written = match seen {
            Ok((Some(now), _)) if now == proposed => {
                write(&session, lease.lock(), &deployment, &proposed).await
            }
            Ok(_) => {
                Err(Trouble::new("state/changed", "hosts or routers show something else since it was shown")
                    .hint("look again: `cutover state recover`"))
            }
            Err(trouble) => Err(trouble),
        };
        free(&session, lease).await;
        written
    }
}

async fn take(session: &Session, deployment: &str) -> Result<Lease, StoreFault> {
    let claimant = claimant(session, "state recover", deployment);
    let interrupts = session.interrupts.clone();
    let waiting = Waiting::new(&claimant, Duration::ZERO, &session.reporter, interrupts);
    Lease::take(&session.home, waiting).await
}

/// What would be written by what is seen now, and the highest epoch that a host has seen.
async fn look(session: &Session, ways: &Ways) -> Result<(Option<Rebuild>, u64), Trouble> {
    let (deployment, clock) = (&session.deployment, session.reporter.clock());
    let seen: Examination = examine(deployment, &ways.links, ways.bucket.as_ref(), &clock).await;
    let (observed, staged) = observe(session, None, Before::Else).await?;
    let current = current(session).await?;
    let world = World { observed: &observed, staged: &staged, current: &current };
    Ok((rebuild(deployment, &seen, &world)?, highest(&seen)))
}

/// What `current` points to on each host that answers.
async fn current(session: &Session) -> Result<BTreeMap<HostName, ReleaseId>, Trouble> {
    let mut current = BTreeMap::new();
    for host in all_app_hosts(&session.deployment) {
        let Some(site) = session.sites.get(&host) else { continue };
        let slot = site.slot(&session.deployment, &host, Color::Blue)?;
        let found = site.application(slot.directory(), QUESTION).await;
        let found = found.map_err(|failure| host_failure(&host, &failure).trouble)?;
        // What is no identifier is none of ours.
        if let Some(release) = found.current.and_then(|id| ReleaseId::parse(&id)) {
            current.insert(host, release);
        }
    }
    Ok(current)
}

/// Under the lock: what makes the host a home comes last, so that until then it is none.
async fn write(
    session: &Session,
    lock: &HeldLock,
    deployment: &str,
    rebuild: &Rebuild,
) -> Result<(), Trouble> {
    let fault = |fault: StoreFault| store_fault(&fault).trouble;
    let home = &session.home;
    let directories = shut_out(session, lock.epoch()).await.map_err(fault)?;
    for name in &rebuild.aside {
        home.set_aside(lock, name).await.map_err(fault)?;
    }
    if let Some(record) = &rebuild.live {
        home.rewrite_live(lock, record).await.map_err(fault)?;
    }
    let now = session.reporter.now();
    home.remember(lock, now, &entry(session, deployment, rebuild, now)).await.map_err(fault)?;
    let fresh = fresh_line(session);
    if let Some(replaces) = &rebuild.replaces {
        home.begin_line(lock, fresh.clone(), replaces.clone()).await.map_err(fault)?;
    }
    home.settle_lineage(lock, &directories, fresh).await.map_err(fault)?;
    Ok(())
}

/// The history tells that the record was rebuilt, and by whom.
fn entry(session: &Session, deployment: &str, rebuild: &Rebuild, now: Timestamp) -> HistoryEntry {
    let origin = session.origin(None);
    let live = rebuild.live.as_ref().map(|record| &record.live);
    HistoryEntry {
        deployment: deployment.to_owned(),
        command: "state recover".to_owned(),
        release: live.map(|live| HistoryRelease::from(&live.release)),
        color: live.map(|live| live.color),
        who: origin.who,
        ci: origin.ci,
        message: None,
        started: now,
        ended: now,
        outcome: Outcome::Deployed,
        exit_code: ExitCode::Done.code(),
        error: None,
        excluded: Vec::new(),
        denied: Vec::new(),
        switches: Vec::new(),
        settings: None,
    }
}
