//! Taking the lock for a run, and giving it back: who asks for it, and what the hosts are told of it.

use std::time::Duration;

use cutover_host::operation::LockHolder;
use futures_util::future::try_join_all;
use tokio::time::sleep;

use super::lease::{Claimant, Lease, Waiting};
use super::session::{Operator, Session, spoken_to};
use crate::model::EventKind;
use crate::run::execute::moment::{identifier, is_alive};
use crate::store::{HeldLock, Home, Lineage, StateDirectory, StoreFault};

/// For one that takes the lock, between its two writes at the home.
const TAKING: Duration = Duration::from_secs(1);

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
        is_alive,
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
            let fault = told_apart(&session.home, lease.lock(), fault).await;
            free(session, lease).await;
            Err(fault)
        }
    }
}

/// What a refusal of a fence means. Whoever takes over takes the lock at the home, so the home is read: where it has us for the newest
/// holder still, the host claims an epoch that nobody was ever given, and one of the two is not what it claims to be. A home that can't be
/// read leaves it at that someone took over.
pub(crate) async fn told_apart(home: &Home, lock: &HeldLock, fault: StoreFault) -> StoreFault {
    let StoreFault::Fenced { host, message } = fault else { return fault };
    let is_ours = async || {
        let now = home.read_lock().await;
        now.is_ok_and(|now| now.holder.is_some() && now.epoch == lock.epoch())
    };
    if is_ours().await {
        // Who takes it raises the home's fence first, and writes the lock a moment later.
        sleep(TAKING).await;
        if is_ours().await {
            return StoreFault::Behind { host, home: home.directory().host().clone(), message };
        }
    }
    StoreFault::Fenced { host, message }
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
    Lineage::new(identifier(session.reporter.now()))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{HostName, Name};
    use crate::store::fake_host::FakeHost;

    #[tokio::test]
    async fn who_took_over_and_who_only_says_so_are_told_apart() {
        let host = FakeHost::new("lb1", true);
        let home =
            || Home::new(StateDirectory::at(host.link(None) as Arc<_>, "/var/lib/cutover/shop".to_owned()));
        let holder = |who: &str| LockHolder {
            who: who.to_owned(),
            deployment: who.to_owned(),
            command: "deploy".to_owned(),
            process: None,
        };
        let web1: HostName = Name::new("web1").expect("a name");
        let refused =
            || StoreFault::Fenced { host: web1.clone(), message: "epoch 9 holds it, not 1".to_owned() };
        let lock = home().take(holder("ann"), None).await.expect("it is free");
        assert_eq!(
            told_apart(&home(), &lock, refused()).await,
            StoreFault::Behind {
                host: web1.clone(),
                home: Name::new("lb1").expect("a name"),
                message: "epoch 9 holds it, not 1".to_owned()
            }
        );
        // One that takes it has raised the fence, and not yet written the lock.
        let (home, slow) = (home(), home());
        let taking = async {
            sleep(TAKING / 2).await;
            slow.take(holder("bob"), Some(lock.epoch())).await.expect("taken over")
        };
        let (told, _) = tokio::join!(told_apart(&home, &lock, refused()), taking);
        assert_eq!(told, refused());
        assert_eq!(told_apart(&home, &lock, refused()).await, refused());
    }
}
