//! The turn at a router: applications that share one change it one after the other.
//!
//! A router's host keeps a lock beside those of its applications, by the same protocol in a directory of its own: taking it raises an
//! epoch there, and what the router's hook changes is performed under the application's epoch and under this one. So a holder that slept
//! changes nothing under another's turn. It is held from the first `prepare` to the last `apply` that the router was seen to follow, over
//! all routers, since what one application has checked must still be so when it is applied; never while anything else is waited for.
//!
//! **What is applied was prepared in the same round.** A turn can be lost: its holder sleeps for a minute, another application takes it,
//! changes the router, gives it back. What was prepared before was checked against a router that is no more. So each unbroken hold of
//! all turns is a [`Round`]; losing any of them, or giving them back, begins another. `apply` on the way there looks whether the router
//! was prepared in the round of this very moment, and else reads what the router shows, and has it prepared again. A run that goes on with
//! another one's deployment begins in a new round too. People take no turns: what is prepared is looked at once more right before any of it is
//! applied, and one look is for one move.
//!
//! **Nobody waits in a circle.** Everybody takes the turns of several routers in one order, and holds those that come first while waiting
//! for the next. In a circle of waiting applications, each holds one that comes before the one that it waits for, and that one is held
//! by the next of them; so around the circle each turn would come before itself. The order has to be the same for all who share the
//! routers, and they share nothing but these: names are each one's own, and containers on one kernel tell the same of it. So each
//! directory of turns keeps its own place in the order, settled once by chance ([`Precedence`]). Two with the same place are one directory,
//! or copies of one disk: those are told apart by machine and home, and if even these are the same, the wait for one another ends by the
//! patience of whoever has waited longest, which gives all turns back and says so.
//!
//! **A turn that hangs on another's lease ends with it.** Two routers on one machine have one directory, so only the first takes the lock,
//! and the other follows: the lock there is ours, and nobody else has taken it. Whose lease that is, its epoch tells, unless two have the
//! same by chance; then it follows both, and ends with either. That costs one more look.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cutover_host::operation::{Lock, LockHolder, Turn};
use futures_util::future::try_join_all;
use tokio::sync::{Mutex, OnceCell};

use super::claim::claimant;
use super::lease::{Claimant, Lease, SWITCH, Waiting};
use super::performer::store_fault;
use super::session::Session;
use crate::model::{Action, EventKind, HostName, Level, Trouble};
use crate::run::execute::moment::identifier;
use crate::run::execute::reporter::Reporter;
use crate::store::{Home, Precedence, StateDirectory, StoreFault, turn_path, turn_words};

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
            Action::RequireHealthy { .. } | Action::RequireOthers { .. } => Self::Keeps,
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
            | Action::ProveClosed
            | Action::Watch { .. }
            | Action::RequireUnrouted { .. }
            | Action::Drain { .. }
            | Action::RecordLive { .. }
            | Action::RecordMaintenance
            | Action::SetCurrent { .. }
            | Action::Prune { .. } => Self::Ends,
        }
    }
}

/// Tells hooks under which turn they change a router's host from now on; under none, when there is none.
type Give = Box<dyn Fn(HostName, Option<Turn>) + Send + Sync>;

/// The turns at all routers of a deployment that are hosts.
pub(crate) struct Turns {
    routers: Vec<Place>,
    /// The same in the order in which everybody takes them; settled when they are taken first.
    order: OnceCell<Vec<Place>>,
    claimant: Claimant,
    give: Give,
    reporter: Reporter,
    state: Mutex<State>,
}

/// Where the turn at a router is kept.
#[derive(Debug, Clone)]
struct Place {
    router: HostName,
    directory: StateDirectory,
    /// Tells machines apart whose disks are copies of one another.
    machine: (String, String),
}

/// One unbroken hold of all turns: what was checked in it is still so. Another one begins when any of them was lost or given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Round(u64);

#[derive(Default)]
struct State {
    held: Vec<Held>,
    round: Round,
    /// By router: the round in which it was prepared last.
    prepared: BTreeMap<HostName, Round>,
    /// Those that were looked at since, in this round, and not moved.
    looked: BTreeSet<HostName>,
}

impl State {
    fn begin_round(&mut self) {
        self.round = Round(self.round.0 + 1);
        self.looked.clear();
    }
}

/// A turn at one router.
struct Held {
    router: HostName,
    epoch: u64,
    by: By,
}

/// What a turn is held by.
enum By {
    /// A lease of its own.
    Lease(Lease),
    /// That of one of these routers, on the same machine: those whose lease has the same epoch. It ends with any of them.
    Another(Vec<HostName>),
}

impl Turns {
    /// No turn is held yet. `deployment` is the identifier of what is deployed.
    pub(crate) fn new(session: &Session, command: &str, deployment: &str) -> Self {
        let names = session.deployment.router.names.iter();
        let places = names.filter_map(|name| {
            let site = session.sites.get(name)?;
            Some(Place {
                router: name.clone(),
                directory: StateDirectory::at(site.link.clone(), turn_path(&site.facts.home)),
                machine: (site.facts.boot_id.clone(), site.facts.home.clone()),
            })
        });
        let of_run = claimant(session, command, deployment);
        let title = session.deployment.title();
        let holder =
            LockHolder { deployment: format!("{title}, deployment {deployment}"), ..of_run.holder.clone() };
        let hooks = session.hooks.clone();
        Self {
            routers: places.collect(),
            order: OnceCell::new(),
            claimant: Claimant { holder, ..of_run },
            give: Box::new(move |router, turn| hooks.give_turn(router, turn)),
            reporter: session.reporter.clone(),
            state: Mutex::default(),
        }
    }

    /// Takes the turn at every router, or sees that it is still ours. Waits so long where another application has it.
    ///
    /// # Errors
    /// When it is not ours; then none is held.
    pub(crate) async fn take(&self, patience: Duration) -> Result<Round, Trouble> {
        let mut state = self.state.lock().await;
        for place in self.order().await? {
            if let Err(fault) = self.take_one(&mut state, place, patience).await {
                self.free(&mut state).await;
                return Err(trouble(&place.router, &fault));
            }
        }
        Ok(state.round)
    }

    /// Notes that a router was prepared in this round.
    pub(crate) async fn note_prepared(&self, router: &HostName, round: Round) {
        let mut state = self.state.lock().await;
        state.prepared.insert(router.clone(), round);
        state.looked.remove(router);
    }

    /// Notes that these routers were looked at in this round, right before the first of them is moved.
    pub(crate) async fn note_looked<'a>(
        &self,
        routers: impl Iterator<Item = &'a HostName> + Send,
        round: Round,
    ) {
        let mut state = self.state.lock().await;
        if state.round == round {
            state.looked.extend(routers.cloned());
        }
    }

    /// Whether a router was looked at since it was prepared. That holds for one move: whoever tries again looks again.
    pub(crate) async fn take_look(&self, router: &HostName) -> bool {
        self.state.lock().await.looked.remove(router)
    }

    /// Whether what was prepared at a router is still as it was checked, since nobody else had a turn in between.
    pub(crate) async fn is_prepared(&self, router: &HostName) -> bool {
        let state = self.state.lock().await;
        state.prepared.get(router) == Some(&state.round)
    }

    async fn order(&self) -> Result<&[Place], Trouble> {
        let settle = async || {
            let ([] | [_]) = self.routers.as_slice() else {
                let asked = self.routers.iter().map(async |place| {
                    let fresh = identifier(self.reporter.now());
                    let settled = place.directory.settle_precedence(Precedence::new(fresh)).await;
                    settled
                        .map(|settled| (settled, place.clone()))
                        .map_err(|fault| trouble(&place.router, &fault))
                });
                return Ok(in_order(try_join_all(asked).await?));
            };
            Ok(self.routers.clone())
        };
        self.order.get_or_try_init(settle).await.map(Vec::as_slice)
    }

    async fn take_one(&self, state: &mut State, place: &Place, patience: Duration) -> Result<(), StoreFault> {
        let Place { router, directory, .. } = place;
        let home = Home::new(directory.clone());
        if let Some(held) = state.held.iter().find(|held| held.router == *router) {
            let By::Lease(lease) = &held.by else { return Ok(()) };
            match home.renew(lease.lock(), SWITCH).await {
                // We slept, and another one had its turn meanwhile.
                Err(StoreFault::Fenced { .. }) => self.lose(state, router),
                other => return other,
            }
        }
        if !state.held.is_empty() {
            let lock = home.read_lock().await?;
            let is_ours = lock.holder.as_ref() == Some(&self.claimant.holder);
            let leads = |held: &&Held| held.epoch == lock.epoch && matches!(held.by, By::Lease(_));
            let leaders = state.held.iter().filter(leads).map(|held| held.router.clone());
            let leaders: Vec<HostName> = leaders.filter(|_| is_ours).collect();
            if !leaders.is_empty() {
                self.allow(router, directory, lock.epoch);
                let by = By::Another(leaders);
                state.held.push(Held { router: router.clone(), epoch: lock.epoch, by });
                return Ok(());
            }
        }
        let waiting = Waiting::at_router(&self.claimant, router.clone(), patience, &self.reporter);
        let lease = Lease::take(&home, waiting).await?;
        let epoch = lease.lock().epoch();
        state.held.push(Held { router: router.clone(), epoch, by: By::Lease(lease) });
        // What the one before us has begun there ends first.
        directory.fence(epoch).await?;
        self.allow(router, directory, epoch);
        Ok(())
    }

    fn allow(&self, router: &HostName, directory: &StateDirectory, epoch: u64) {
        let turn = Turn { state: directory.path().to_owned(), epoch };
        (self.give)(router.clone(), Some(turn));
    }

    /// The turn at a router is another's, and so are those that were held by the same lease.
    fn lose(&self, state: &mut State, lost: &HostName) {
        let is_lost = |held: &Held| {
            held.router == *lost || matches!(&held.by, By::Another(leaders) if leaders.contains(lost))
        };
        for held in state.held.extract_if(.., |held| is_lost(held)) {
            (self.give)(held.router, None);
        }
        state.begin_round();
    }

    /// Lets others have their turn.
    pub(crate) async fn let_go(&self) {
        let mut state = self.state.lock().await;
        self.free(&mut state).await;
    }

    async fn free(&self, state: &mut State) {
        state.begin_round();
        for Held { router, by, .. } in state.held.drain(..) {
            (self.give)(router.clone(), None);
            let By::Lease(lease) = by else { continue };
            // What is not freed lapses.
            if let Err(fault) = lease.free().await {
                let message = format!("the turn was not given back: {fault}");
                let source = router.to_string();
                self.reporter.tell(EventKind::Log { source, level: Level::Debug, message });
            }
        }
    }
}

/// By what is kept in the directories themselves; the same for whoever knows them, under whatever names.
fn in_order(mut places: Vec<(Precedence, Place)>) -> Vec<Place> {
    places.sort_by(|(a, one), (b, other)| (a, &one.machine).cmp(&(b, &other.machine)));
    places.into_iter().map(|(_, place)| place).collect()
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
        CanaryStep, Color, Deployment, Name, Observation, Observed, Plan, Release, ReleaseId, Routing,
        Strategy, Timestamp, Wish,
    };

    fn plan() -> Plan {
        plan_of(Strategy::BlueGreen)
    }

    fn plan_of(strategy: Strategy) -> Plan {
        let name = |text: &str| Name::new(text).expect("a name");
        let mut deployment =
            Deployment::for_tests(&[name("web1"), name("web2")], &[name("lb1"), name("lb2")]);
        deployment.pipeline.strategy = strategy;
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
    fn others_have_their_turn_while_a_share_is_watched() {
        let step = |weight| CanaryStep { weight, watch: Duration::from_secs(60) };
        let plan = plan_of(Strategy::Canary([5, 50].map(step).into()));
        let there = plan.tasks().map(|(_, task)| &task.action);
        let turns: Vec<AtTurn> =
            there.filter(|action| action.weight(plan.color).is_some()).map(AtTurn::of).collect();
        let (needs, ends) = (AtTurn::Needs(PATIENCE), AtTurn::Ends);
        assert_eq!(turns, [needs, needs, needs, needs, ends, ends].repeat(3));
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

    use crate::run::execute::deaf::Deaf;
    use crate::store::fake_host::FakeHost;
    use crate::transport::Link;
    use std::sync::{Arc, Mutex as Shared};

    /// What hooks were told last, by router.
    type Told = Arc<Shared<BTreeMap<String, u64>>>;

    /// The turns of an application at routers on these machines.
    fn turns(app: &str, routers: &[(&str, &FakeHost)]) -> (Turns, Told) {
        let told = Told::default();
        let given = Arc::clone(&told);
        let place = |(router, machine): &(&str, &FakeHost)| Place {
            router: Name::new(*router).expect("a name"),
            directory: StateDirectory::at(machine.link(None) as Arc<dyn Link>, turn_path("/home/deploy")),
            machine: ("one kernel".to_owned(), "/home/deploy".to_owned()),
        };
        let holder = LockHolder {
            who: format!("{app}@here pid 1"),
            deployment: app.to_owned(),
            command: "deploy".to_owned(),
            process: None,
        };
        let turns = Turns {
            routers: routers.iter().map(place).collect(),
            order: OnceCell::new(),
            claimant: Claimant { holder, place: None, is_alive: |_| true },
            give: Box::new(move |router, turn| {
                let mut told = given.lock().expect("no test panicked");
                match turn {
                    Some(turn) => drop(told.insert(router.to_string(), turn.epoch)),
                    None => drop(told.remove(router.as_str())),
                }
            }),
            reporter: Reporter::new(Arc::new(Deaf), Arc::new(Deaf)),
            state: Mutex::default(),
        };
        (turns, told)
    }

    fn told(told: &Told) -> Vec<(String, u64)> {
        told.lock().expect("no test panicked").clone().into_iter().collect()
    }

    fn at(turns: &[(&str, u64)]) -> Vec<(String, u64)> {
        turns.iter().map(|(router, epoch)| ((*router).to_owned(), *epoch)).collect()
    }

    /// Another application takes the turn on a machine, as from a holder that sleeps, and gives it back.
    async fn taken_and_given_back(machine: &FakeHost) {
        let home =
            Home::new(StateDirectory::at(machine.link(None) as Arc<dyn Link>, turn_path("/home/deploy")));
        let epoch = home.read_lock().await.expect("a lock").epoch;
        home.unlock(epoch).await.expect("it was held");
    }

    const LONG: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn who_follows_a_lost_lease_loses_the_turn_with_it() {
        let (one, other) = (FakeHost::new("one", false), FakeHost::new("other", false));
        // Two routers on one machine; the third has the same epoch by chance.
        let (turns, given) = turns("shop", &[("lb1", &one), ("lb2", &one), ("lb3", &other)]);
        let first = turns.take(LONG).await.expect("it is free");
        assert_eq!(told(&given), at(&[("lb1", 1), ("lb2", 1), ("lb3", 1)]));
        assert_eq!(turns.take(LONG).await, Ok(first), "it is ours still");

        taken_and_given_back(&one).await;
        let again = turns.take(LONG).await.expect("it is free again");
        assert_ne!(again, first, "what was prepared was prepared in another round");
        // Unlocking and taking raise it by one each.
        assert_eq!(told(&given), at(&[("lb1", 3), ("lb2", 3), ("lb3", 1)]));
        turns.let_go().await;
        assert_eq!(told(&given), at(&[]));
        assert_eq!(
            [&one, &other].map(|machine| machine.disk().locks.values().all(|lock| lock.holder.is_none())),
            [true; 2]
        );
    }

    #[tokio::test]
    async fn what_was_prepared_in_a_lost_turn_is_not_prepared() {
        let machine = FakeHost::new("one", false);
        let (turns, _) = turns("shop", &[("lb1", &machine), ("lb2", &machine)]);
        let [lb1, lb2] = ["lb1", "lb2"].map(|name| Name::new(name).expect("a name"));
        let round = turns.take(LONG).await.expect("it is free");
        assert!(!turns.is_prepared(&lb1).await, "nothing is before it was");
        turns.note_prepared(&lb1, round).await;
        assert!(turns.is_prepared(&lb1).await && !turns.is_prepared(&lb2).await);

        taken_and_given_back(&machine).await;
        let again = turns.take(LONG).await.expect("it is free again");
        assert!(!turns.is_prepared(&lb1).await, "another application may have changed the router");
        // One that was under way while the turn was lost ends after that.
        turns.note_prepared(&lb2, round).await;
        assert!(!turns.is_prepared(&lb2).await);
        turns.note_prepared(&lb2, again).await;
        assert!(turns.is_prepared(&lb2).await);
        turns.let_go().await;
        let _ = turns.take(LONG).await.expect("it is free");
        assert!(!turns.is_prepared(&lb2).await, "others may have had their turn");
    }

    #[tokio::test]
    async fn a_look_is_for_one_move_of_what_was_prepared_before_it() {
        let machine = FakeHost::new("one", false);
        let (turns, _) = turns("shop", &[("lb1", &machine), ("lb2", &machine)]);
        let [lb1, lb2] = ["lb1", "lb2"].map(|name| Name::new(name).expect("a name"));
        let round = turns.take(LONG).await.expect("it is free");
        assert!(!turns.take_look(&lb2).await, "nobody has looked");
        turns.note_looked([&lb1, &lb2].into_iter(), round).await;
        assert!(turns.take_look(&lb2).await && !turns.take_look(&lb2).await);
        turns.note_prepared(&lb1, round).await;
        assert!(!turns.take_look(&lb1).await, "it was prepared since");

        turns.note_looked([&lb1].into_iter(), round).await;
        turns.let_go().await;
        let again = turns.take(LONG).await.expect("it is free");
        assert!(!turns.take_look(&lb1).await, "others may have had their turn");
        turns.note_looked([&lb1].into_iter(), round).await;
        assert!(!turns.take_look(&lb1).await, "the look was of a round before");
        turns.note_looked([&lb1].into_iter(), again).await;
        assert!(turns.take_look(&lb1).await);
    }

    /// Takes by one application after another, each as far as it gets, in every order of their steps. Whether all always come through.
    fn comes_through(orders: &[Vec<u32>], taken: &mut Vec<usize>) -> bool {
        let holds = |app: usize, turn: u32| {
            taken[app] < orders[app].len() && orders[app][..taken[app]].contains(&turn)
        };
        let may: Vec<usize> = (0..orders.len())
            .filter(|app| {
                let next = orders[*app].get(taken[*app]);
                next.is_some_and(|next| (0..orders.len()).all(|other| other == *app || !holds(other, *next)))
            })
            .collect();
        if may.is_empty() {
            // Who has all of them gives all back.
            return orders.iter().zip(&*taken).all(|(order, taken)| *taken == order.len());
        }
        may.into_iter().all(|app| {
            taken[app] += 1;
            let through = comes_through(orders, taken);
            taken[app] -= 1;
            through
        })
    }

    #[tokio::test]
    async fn all_take_turns_in_one_order_whatever_they_call_the_routers() {
        let machines = ["m0", "m1", "m2"].map(|name| FakeHost::new(name, false));
        // Containers on one kernel, with the same home: each application knows them by names of its own.
        let namings: [[usize; 3]; 3] = [[0, 1, 2], [1, 2, 0], [2, 1, 0]];
        let mut orders = Vec::new();
        for (app, naming) in namings.iter().enumerate() {
            let routers: Vec<(&str, &FakeHost)> = ["lb1", "lb2", "lb3"]
                .into_iter()
                .zip(naming.iter().map(|machine| &machines[*machine]))
                .collect();
            let (turns, _) = turns(&format!("app{app}"), &routers);
            let order = turns.order().await.expect("it is settled");
            let machine =
                |place: &Place| place.directory.host().as_str()[1..].parse::<u32>().expect("a number");
            orders.push(order.iter().map(machine).collect::<Vec<u32>>());
        }
        assert_eq!(orders, vec![orders[0].clone(); 3]);
        assert!(comes_through(&orders, &mut vec![0; 3]));
        // In the order of their names, two of them wait for each other.
        let by_name =
            namings.map(|naming| naming.iter().map(|machine| *machine as u32).collect::<Vec<u32>>());
        assert!(!comes_through(&by_name, &mut vec![0; 3]));
    }
}
