//! `cutover state move`: brings the state to the host that the configuration names as the home.
//!
//! | write | a crash after it leaves |
//! |---|---|
//! | 1. the lock at the old home, every host fenced | the old home as it was; the lock lapses |
//! | 2. copies of all files, each read back | the old home as it was, and copies that nobody reads |
//! | 3. at the old home: moved to the new one | no home: nobody can take a lock anywhere, until the same command is given again |
//! | 4. at the new home: is the home | nothing |
//!
//! The lock is never freed at the old home: no one can take it there any more, and the next holder at the new home raises the fence
//! beyond it.

use std::sync::Arc;
use std::time::Duration;

use super::examine::{Examination, Examined, examine};
use super::state_view::placement;
use crate::model::view::MoveView;
use crate::model::{HostName, Record, Trouble};
use crate::run::deployment::refusal::unfinished;
use crate::run::execute::moment::identifier;
use crate::run::world::claim::{claimant, shut_out};
use crate::run::world::hooks::Refused;
use crate::run::world::lease::{Lease, Waiting};
use crate::run::world::performer::store_fault;
use crate::run::world::session::{Session, Setting};
use crate::store::{Home, Misplaced, StateDirectory, StoreFault};
use crate::transport::{Link, Links};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    /// The home is where it should be.
    Nothing,
    /// Bring it from that host.
    From(HostName),
    /// It was brought from that host, but for the last write.
    Finish(HostName),
}

/// Brings the state to the home that the configuration names; `from` is an object store that it does not name, and that may have it.
///
/// # Errors
/// With every host and hook that failed, and when the state is not in order where it is.
pub async fn move_state(setting: Setting, from: Option<Arc<dyn Link>>) -> Result<MoveView, Refused> {
    let links = Arc::clone(&setting.links);
    let bucket = setting.bucket.clone().or(from);
    let session = Session::open_anywhere(setting, false).await?;
    moved(&session, &Ways { links: &links, bucket: bucket.as_ref() }).await.map_err(Refused::of)
}

/// How whatever may have the state is reached.
struct Ways<'a> {
    links: &'a Links,
    /// The object store that has it, or is to have it.
    bucket: Option<&'a Arc<dyn Link>>,
}

async fn moved(session: &Session, ways: &Ways<'_>) -> Result<MoveView, Trouble> {
    let fault = |fault: StoreFault| store_fault(&fault).trouble;
    let deployment = &session.deployment;
    let seen = examine(deployment, ways.links, ways.bucket, &session.reporter.clock()).await;
    let keeper = deployment.keeper();
    let mut view =
        MoveView { title: deployment.title(), home: keeper.clone(), from: None, files: 0, bytes: 0 };
    let from = match way(&keeper, &seen)? {
        Way::Nothing => return Ok(view),
        Way::Finish(from) => {
            session.home.arrive(&old_home(session, ways, &seen, &from)?).await.map_err(fault)?;
            view.from = Some(from);
            return Ok(view);
        }
        Way::From(from) => from,
    };
    let old = old_home(session, ways, &seen, &from)?;
    let id = identifier(session.reporter.now()).to_string();
    let claimant = claimant(session, "state move", &id);
    let interrupts = session.interrupts.clone();
    let lease =
        Lease::take(&old, Waiting::new(&claimant, Duration::ZERO, &session.reporter, interrupts)).await;
    let lease = lease.map_err(fault)?;
    match carry(session, &old, &lease).await {
        Ok((files, bytes)) => {
            (view.from, view.files, view.bytes) = (Some(from), files, bytes);
            Ok(view)
        }
        Err((trouble, left)) => {
            if !left {
                // What keeps it from being freed is what went wrong already.
                let _ = lease.free().await;
            }
            Err(trouble)
        }
    }
}

/// Under the lock. Answers how many files and bytes were brought; with an error, whether the old home has given the state away.
async fn carry(session: &Session, old: &Home, lease: &Lease) -> Result<(usize, u64), (Trouble, bool)> {
    let stays = |fault: StoreFault| (store_fault(&fault).trouble, false);
    let gone = |fault: StoreFault| (store_fault(&fault).trouble, true);
    let lock = lease.lock();
    shut_out(session, lock.epoch()).await.map_err(stays)?;
    if session.deployment.state.is_some() {
        session.home.directory().fence(lock.epoch()).await.map_err(stays)?;
    }
    let state = old.read_all::<Record>().await.map_err(stays)?;
    if let Some(trouble) = unfinished(&state) {
        let from = old.directory().host();
        let hint = format!(
            "name `{from}` first in `router.hosts` again, `cutover resume` or `cutover abort`, then move"
        );
        return Err((trouble.hint(hint), false));
    }
    let brought = old.copy_to(&session.home, lock).await.map_err(stays)?;
    old.give_to(lock, session.home.directory().host()).await.map_err(stays)?;
    session.home.arrive(old).await.map_err(gone)?;
    Ok(brought)
}

/// Where the state is, and what is to be done.
fn way(home: &HostName, seen: &Examination) -> Result<Way, Trouble> {
    match placement(home, seen).into_iter().next() {
        None => Ok(Way::Nothing),
        Some(StoreFault::Misplaced(Misplaced::Elsewhere { kept_on, .. })) => Ok(Way::From(kept_on)),
        Some(StoreFault::Misplaced(Misplaced::UnderWay { from, .. })) => Ok(Way::Finish(from)),
        Some(fault) => Err(store_fault(&fault).trouble),
    }
}

fn old_home(
    session: &Session,
    ways: &Ways<'_>,
    seen: &Examination,
    from: &HostName,
) -> Result<Home, Trouble> {
    if let Some(bucket) = ways.bucket.filter(|bucket| bucket.name() == from) {
        let (app, environment) = (&session.deployment.app, session.deployment.environment.as_ref());
        return Ok(Home::new(StateDirectory::in_bucket(Arc::clone(bucket), app, environment)));
    }
    let examined = seen.get(from).and_then(|examined| examined.as_ref().ok());
    match (ways.links.get(from), examined.and_then(Examined::state)) {
        (Some(link), Some(state)) => Ok(Home::new(StateDirectory::at(link, state.path.clone()))),
        _ => Err(Trouble::new("host/unknown", format!("there is no way to `{from}`"))),
    }
}
