//! The turn at a router: applications that share one change it one after the other.
//!
//! A router's host keeps a lock beside those of its applications, by the same protocol in a directory of its own: taking it raises an
//! epoch there, and what the router's hook changes is performed under the application's epoch and under this one. So a holder that slept
//! changes nothing under another's turn. It is held from the first `prepare` to the last `apply` that the router was seen to follow, over
//! all routers, since what one application has checked must still be so when it is applied; never while anything else is waited for.

use std::time::Duration;

use cutover_host::operation::{Lock, LockHolder, Turn};
use tokio::sync::Mutex;

use super::claim::claimant;
use super::hooks::Hooks;
use super::lease::{Claimant, Lease, SWITCH, Waiting};
use super::performer::store_fault;
use super::session::Session;
use super::site::Site;
use crate::model::{Action, EventKind, HostName, Level, Trouble};
use crate::run::execute::reporter::Reporter;
use crate::store::{Home, StateDirectory, StoreFault, turn_path, turn_words};

/// How long others are waited for: longer than a turn lasts whose holder is gone, since that is taken away after 60 s.
const PATIENCE: Duration = Duration::from_secs(120);

/// The same for what has no effect on traffic, and can be left undone.
const LITTLE_PATIENCE: Duration = Duration::from_secs(1);

/// What an action has to do with the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtTurn {
    /// It needs the turn, and waits so long for it.
    Needs(Duration),
    /// It goes on between two that need it.
    Keeps,
    /// Others may have the turn now.
    Ends,
}

impl AtTurn {
    /// What this action has to do with it.
    pub(crate) const fn of(action: &Action) -> Self {
        match action {
            Action::Prepare { .. } | Action::Switch { .. } => Self::Needs(PATIENCE),
            Action::Discard { .. } => Self::Needs(LITTLE_PATIENCE),
            // Asked before each router that is switched back.
            Action::RequireHealthy { .. } => Self::Keeps,
            Action::Stage { .. }
            | Action::RemovePartial { .. }
            | Action::Migrate { .. }
            | Action::Clear { .. }
            | Action::Configure { .. }
            | Action::Renew { .. }
            | Action::Revert { .. }
            | Action::Point { .. }
            | Action::Start { .. }
            | Action::Stop { .. }
            | Action::AwaitHealthy { .. }
            | Action::Silence { .. }
            | Action::Smoke { .. }
            | Action::Enable { .. }
            | Action::Disable { .. }
            | Action::Prove { .. }
            | Action::Watch { .. }
            | Action::RequireUnrouted { .. }
            | Action::Drain { .. }
            | Action::RecordLive { .. }
            | Action::SetCurrent { .. }
            | Action::Prune { .. } => Self::Ends,
        }
    }
}

/// The turns at all routers of a deployment that are hosts.
pub(crate) struct Turns {
    /// In the order in which everybody takes them.
    routers: Vec<(HostName, StateDirectory)>,
    claimant: Claimant,
    hooks: Hooks,
    reporter: Reporter,
    held: Mutex<Vec<Held>>,
}

/// A turn at one router.
struct Held {
    router: HostName,
    epoch: u64,
    /// None where the router is on the machine of another one whose turn is held.
    lease: Option<Lease>,
}

impl Turns {
    /// No turn is held yet. `deployment` is the identifier of what is deployed.
    pub(crate) fn new(session: &Session, command: &str, deployment: &str) -> Self {
        let names = session.deployment.router.names.iter();
        let mut sites: Vec<(&HostName, &Site)> =
            names.filter_map(|name| session.sites.get_key_value(name)).collect();
        // Two applications may know the same routers by different names, so these settle no order among them.
        sites.sort_by_key(|(_, site)| (&site.facts.boot_id, &site.facts.home));
        let directory = |site: &Site| StateDirectory::at(site.link.clone(), turn_path(&site.facts.home));
        let routers = sites.into_iter().map(|(name, site)| (name.clone(), directory(site))).collect();
        let of_run = claimant(session, command, deployment);
        let title = session.deployment.title();
        let holder =
            LockHolder { deployment: format!("{title}, deployment {deployment}"), ..of_run.holder.clone() };
        Self {
            routers,
            claimant: Claimant { holder, ..of_run },
            hooks: session.hooks.clone(),
            reporter: session.reporter.clone(),
            held: Mutex::default(),
        }
    }

    /// Takes the turn at every router, or sees that it is still ours. Waits so long where another application has it.
    ///
    /// # Errors
    /// When it is not ours; then none is held.
    pub(crate) async fn take(&self, patience: Duration) -> Result<(), Trouble> {
        let mut held = self.held.lock().await;
        for (router, directory) in &self.routers {
            if let Err(fault) = self.take_one(&mut held, router, directory, patience).await {
                self.free(&mut held).await;
                return Err(trouble(router, &fault));
            }
        }
        Ok(())
    }

    async fn take_one(
        &self,
        held: &mut Vec<Held>,
        router: &HostName,
        directory: &StateDirectory,
        patience: Duration,
    ) -> Result<(), StoreFault> {
        let home = Home::new(directory.clone());
        if let Some(index) = held.iter().position(|held| held.router == *router) {
            let Some(lease) = &held[index].lease else { return Ok(()) };
            match home.renew(lease.lock(), SWITCH).await {
                // We slept, and another one had its turn meanwhile.
                Err(StoreFault::Fenced { .. }) => drop(held.remove(index)),
                other => return other,
            }
        }
        if !held.is_empty() {
            let lock = home.read_lock().await?;
            let is_ours = lock.holder.as_ref() == Some(&self.claimant.holder);
            if is_ours && held.iter().any(|held| held.epoch == lock.epoch) {
                self.allow(router, directory, lock.epoch);
                held.push(Held { router: router.clone(), epoch: lock.epoch, lease: None });
                return Ok(());
            }
        }
        let waiting = Waiting::at_router(&self.claimant, router.clone(), patience, &self.reporter);
        let lease = Lease::take(&home, waiting).await?;
        let epoch = lease.lock().epoch();
        held.push(Held { router: router.clone(), epoch, lease: Some(lease) });
        // What the one before us has begun there ends first.
        directory.fence(epoch).await?;
        self.allow(router, directory, epoch);
        Ok(())
    }

    fn allow(&self, router: &HostName, directory: &StateDirectory, epoch: u64) {
        let turn = Turn { state: directory.path().to_owned(), epoch };
        self.hooks.give_turn(router.clone(), Some(turn));
    }

    /// Lets others have their turn.
    pub(crate) async fn let_go(&self) {
        let mut held = self.held.lock().await;
        self.free(&mut held).await;
    }

    async fn free(&self, held: &mut Vec<Held>) {
        for Held { router, lease, .. } in held.drain(..) {
            self.hooks.give_turn(router.clone(), None);
            let Some(lease) = lease else { continue };
            // What is not freed lapses.
            if let Err(fault) = lease.free().await {
                let message = format!("the turn was not given back: {fault}");
                let source = router.to_string();
                self.reporter.tell(EventKind::Log { source, level: Level::Debug, message });
            }
        }
    }
}

/// What is said while another application's turn at a router is waited for.
pub(crate) fn waiting_words(router: &HostName, lock: &Lock) -> String {
    format!("waiting for the turn at {router} of {}", turn_words(lock))
}

fn trouble(router: &HostName, fault: &StoreFault) -> Trouble {
    if let StoreFault::Locked { lock, .. } = fault {
        let message = format!("{router}: it is still the turn of {}", turn_words(lock));
        return Trouble::new("router/busy", message)
            .hint("deploy again when that is done; who gives no sign of life loses the turn after 60 s");
    }
    store_fault(fault).trouble
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Color, Deployment, Name, Observation, Observed, Plan, Release, ReleaseId, Routing, Timestamp, Wish,
    };

    fn plan() -> Plan {
        let name = |text: &str| Name::new(text).expect("a name");
        let deployment = Deployment::for_tests(&[name("web1"), name("web2")], &[name("lb1"), name("lb2")]);
        let seen = |router| {
            let routing = Some(Routing::all_to(Color::Blue));
            (name(router), Observation { routing, settled: true, labels: Vec::new() })
        };
        let id = |text: &str| ReleaseId::parse(text).expect("an identifier");
        let observed = Observed {
            routers: ["lb1", "lb2"].map(seen).into(),
            recorded: Some((Color::Blue, id("r42"))),
            ..Observed::default()
        };
        let release = Release::new(id("r43"), 43, Timestamp(0));
        let wish = Wish::new("deploy", "d1".into(), release, false, Timestamp(5));
        Plan::new(&deployment, &wish, &observed).expect("a plan")
    }

    #[test]
    fn a_turn_lasts_from_the_first_check_to_the_last_change_and_no_longer() {
        let plan = plan();
        let there: Vec<&Action> = plan.tasks().map(|(_, task)| &task.action).collect();
        let needs = |action: &&Action| matches!(AtTurn::of(action), AtTurn::Needs(_));
        let first = there.iter().position(needs).expect("it is needed");
        let last = there.iter().rposition(needs).expect("it is needed");
        let held: Vec<String> = there[first..=last].iter().map(ToString::to_string).collect();
        let (prepare, route) = ("prepare green 100 %", "route green 100 %");
        assert_eq!(held, [prepare, prepare, route, route]);
        assert_eq!(AtTurn::of(there[last + 1]), AtTurn::Ends, "{}", there[last + 1]);
        assert!(plan.retire_tasks().all(|(_, task)| AtTurn::of(&task.action) == AtTurn::Ends));

        let back = plan.tasks().rev().flat_map(|(_, task)| &task.undo);
        let back: Vec<(String, AtTurn)> = back.map(|undo| (undo.to_string(), AtTurn::of(undo))).collect();
        let at = |text: &str, turn| (text.to_owned(), turn);
        let moved_back = [
            at("make sure that blue is healthy", AtTurn::Keeps),
            at("route blue 100 %", AtTurn::Needs(PATIENCE)),
        ];
        let after = [at("prove that blue answers", AtTurn::Ends), at("drain green", AtTurn::Ends)];
        let discarded = [at("drop what was prepared", AtTurn::Needs(LITTLE_PATIENCE))];
        let expected = [&moved_back[..], &moved_back, &after, &discarded, &discarded].concat();
        assert_eq!(back[..expected.len()], expected);
    }
}
