//! Taking the lock for a run, and giving it back: who asks for it, and what the hosts are told of it.

use std::time::Duration;

use cutover_host::operation::LockHolder;
use futures_util::future::try_join_all;

use super::lease::{Claimant, Lease, Waiting};
use super::session::{Operator, Session, spoken_to};
use crate::model::EventKind;
use crate::store::{Lineage, StateDirectory, StoreFault};

/// Who asks, as those read it whom the lock keeps waiting.
pub(crate) fn claimant(session: &Session, command: &str, deployment: &str) -> Claimant {
    claimant_of(&session.operator, command, deployment)
}

/// The same, for who only looks.
pub(crate) fn claimant_of(operator: &Operator, command: &str, deployment: &str) -> Claimant {
    Claimant {
        holder: LockHolder {
            who: format!("{}@{} pid {}", operator.user, operator.machine, operator.pid),
            deployment: deployment.to_owned(),
            command: command.to_owned(),
            process: operator.place.as_ref().map(|place| format!("{place} {}", operator.pid)),
        },
        place: operator.place.clone(),
        is_alive: crate::run::execute::moment::is_alive,
    }
}

/// Takes the lock, fences every host that it concerns, and ends what earlier holders left running.
pub(crate) async fn take_lock(
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
            let fault = behind(session, &lease, fault).await;
            free(session, lease).await;
            Err(fault)
        }
    }
}

/// What a refusal of a host's fence means: that someone took over, or, where the home has us for the newest holder, that one of the two is
/// not what it claims to be.
async fn behind(session: &Session, lease: &Lease, fault: StoreFault) -> StoreFault {
    let StoreFault::Fenced { host, message } = fault else { return fault };
    if session.home.renew(lease.lock(), "lock").await.is_err() {
        return StoreFault::Fenced { host, message };
    }
    StoreFault::Behind { host, home: session.home.directory().host().clone(), message }
}

/// Fences every host that the lock concerns, and ends what earlier holders left running there.
pub(crate) async fn shut_out(session: &Session, epoch: u64) -> Result<Vec<StateDirectory>, StoreFault> {
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
pub(crate) fn fresh_line(session: &Session) -> Lineage {
    Lineage::new(ulid::Ulid::from_parts(session.reporter.now().0, crate::run::execute::moment::random()))
}

/// Gives the lock back; that it could not be is told, and changes nothing of what came before.
pub(crate) async fn free(session: &Session, lease: Lease) {
    if let Err(fault) = session.reporter.for_lock(lease.free()).await {
        session.reporter.tell(EventKind::Warning {
            text: format!("the lock was not freed: {fault}"),
            hint: fault.hint(),
        });
    }
}
