//! The simulated world as the runner sees it: does actions, as told or as scripted, and holds each against the promises.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::fault::Fault;
use super::moment::broken_by;
use super::state::{Number, ROUTERS, Shown, SimHost, State, bits, index, number};
use crate::model::{Action, Color, End, EventSink, HostName, Plan, Step, Trouble};
use crate::run::execute::interrupts::Interrupts;
use crate::run::execute::performed::{Performed, Summary};
use crate::run::execute::runner::{Way, World};
use crate::run::execute::vigil::{Glance, Verdict, Watched, conclude};
use crate::run::world::performer::Unperformed;

/// An action that was tried.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) action: Action,
    pub(super) way: Way,
    /// Whether it was only asked about.
    pub(super) asked: bool,
    /// Whether it failed because the host that is lost could not be reached.
    pub(super) lost: bool,
    /// Records that were in the journal then.
    pub(super) records: usize,
    /// The world afterwards.
    pub(super) state: State,
}

/// The world.
pub(super) struct Sim {
    state: Mutex<State>,
    performed: Mutex<Vec<Done>>,
    /// By index among what is performed.
    faults: Vec<(usize, Fault)>,
    staying: Mutex<Vec<(Action, Fault)>>,
    /// Whether the last host is lost.
    lost: AtomicBool,
    violations: Mutex<Vec<String>>,
    records: AtomicUsize,
    signal: watch::Sender<Interrupts>,
    pub(super) sink: Arc<dyn EventSink>,
}

impl Sim {
    pub(super) fn new(state: State, faults: &[(usize, Fault)], sink: Arc<dyn EventSink>) -> Self {
        Self {
            state: Mutex::new(state),
            performed: Mutex::default(),
            faults: faults.to_vec(),
            staying: Mutex::default(),
            lost: AtomicBool::new(false),
            violations: Mutex::default(),
            records: AtomicUsize::new(0),
            signal: watch::Sender::new(Interrupts::default()),
            sink,
        }
    }

    pub(super) fn state(&self) -> State {
        *self.state.lock().unwrap()
    }

    pub(super) fn interrupts(&self) -> watch::Receiver<Interrupts> {
        self.signal.subscribe()
    }

    pub(super) fn note_records(&self, records: usize) {
        self.records.store(records, Ordering::Relaxed);
    }

    pub(super) fn take_performed(&self) -> Vec<Done> {
        std::mem::take(&mut self.performed.lock().unwrap())
    }

    pub(super) fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.violations.lock().unwrap())
    }

    /// Does it, or says why it can't be done. Applies the promises that hold at every moment.
    fn effect(&self, plan: &Plan, action: &Action, way: Way) -> Result<(), String> {
        let mut state = self.state.lock().unwrap();
        self.violations.lock().unwrap().extend(broken_by(&state, plan, action, way));
        perform(&mut state, plan, action)
    }

    /// What goes wrong with the action of this index.
    fn fault(&self, at: usize, action: &Action) -> Option<Fault> {
        let mut staying = self.staying.lock().unwrap();
        if let Some((_, fault)) = staying.iter().find(|(stays, _)| stays == action) {
            return Some(*fault);
        }
        let (_, fault) = *self.faults.iter().find(|(index, _)| *index == at)?;
        if fault.stays() {
            staying.push((action.clone(), fault));
        }
        Some(fault)
    }

    async fn attempt(&self, plan: &Plan, action: &Action, way: Way, asked: bool) -> Performed {
        let at = {
            let mut performed = self.performed.lock().unwrap();
            let records = self.records.load(Ordering::Relaxed);
            performed.push(Done {
                action: action.clone(),
                way,
                asked,
                lost: false,
                records,
                state: State::default(),
            });
            performed.len() - 1
        };
        let fault = self.fault(at, action);
        if fault == Some(Fault::HostLost) {
            self.lost.store(true, Ordering::Relaxed);
        }
        let lost = self.lost.load(Ordering::Relaxed).then(|| self.without_last_host(action, asked)).flatten();
        let burnt = if lost.is_none() { self.on_burnt_host(action, asked) } else { None };
        // On the way back nothing has to be tried there, so that it is no excuse for anything.
        let excuses = burnt.is_none() || way != Way::Back;
        let lost = lost.or(burnt);
        let is_lost = lost.as_ref().is_some_and(|performed| performed.end != End::Done);
        let fault = fault.filter(|fault| *fault != Fault::HostLost);
        let performed = match lost {
            // What goes on without the host may go wrong all the same.
            Some(performed) if is_lost || fault.is_none() => performed,
            Some(_) | None => self.outcome(plan, action, way, asked, fault).await,
        };
        let done = &mut self.performed.lock().unwrap()[at];
        (done.state, done.lost) = (self.state(), is_lost && excuses);
        performed
    }

    /// What becomes of an action that needs the host that is lost, when it does.
    fn without_last_host(&self, action: &Action, asked: bool) -> Option<Performed> {
        let state = self.state();
        let lost = state.host_count - 1;
        let place = || action.host().map_or_else(String::new, ToString::to_string);
        let unreached = || Trouble::new("simulated/lost", format!("no way to {action}")).hint(place());
        match action {
            Action::Watch { color, weight, .. } if !holds(&state, *color, *weight, lost) => {
                Some(Performed::failed(unreached()))
            }
            // Whether it ran is not known.
            Action::Migrate { host, .. } if asked && index(host) == lost => Some(unknown(unreached())),
            Action::Smoke { hosts, .. } if !hosts.is_empty() && bits(hosts) & (1 << lost) == 0 => None,
            Action::RequireHealthy { .. } | Action::Smoke { .. } => Some(Performed::failed(unreached())),
            // Whether it answers can't be seen.
            Action::RequireOthers { color, hosts } => {
                let is_other = |host: &usize| *host != lost && bits(hosts) & (1 << host) == 0;
                let sees = (0..lost).filter(is_other).any(|host| state.answers(host, *color));
                let ours = (0..lost).filter(|host| !is_other(host)).any(|host| state.answers(host, *color));
                (!sees && ours).then(|| Performed::failed(unreached()))
            }
            Action::Watch { weight, .. } => {
                self.state.lock().unwrap().stood_watch(*weight);
                Some(Performed::done(Summary::Nothing))
            }
            _ if action.host().is_some_and(|host| index(host) == lost) => {
                Some(Performed::failed(unreached()))
            }
            _ => None,
        }
    }

    /// What becomes of an action on the host that burnt down.
    fn on_burnt_host(&self, action: &Action, asked: bool) -> Option<Performed> {
        let state = self.state();
        let is_there = action.host().is_none_or(|host| state.burnt() != Some(index(host)));
        if is_there || matches!(action, Action::Silence { .. }) {
            return None;
        }
        let unreached = Trouble::new("simulated/burnt", format!("no way to {action}"));
        Some(if asked { unknown(unreached) } else { Performed::failed(unreached) })
    }

    async fn outcome(
        &self,
        plan: &Plan,
        action: &Action,
        way: Way,
        asked: bool,
        fault: Option<Fault>,
    ) -> Performed {
        // Two of one batch must be told apart.
        let place = || action.host().map_or_else(String::new, ToString::to_string);
        let trouble = || Trouble::new("simulated/fault", format!("{action} went wrong")).hint(place());
        let effect = || if asked { self.answer(plan) } else { done(self.effect(plan, action, way)) };
        match fault {
            None => effect(),
            Some(Fault::Moved) => {
                let mut state = self.state.lock().unwrap();
                state.routers_mut().fill(Shown::Only(plan.color));
                state.out = [0; ROUTERS];
                drop(state);
                effect()
            }
            Some(Fault::FailsBefore) => Performed::failed(trouble()),
            Some(Fault::FailsAfter) => {
                effect();
                Performed::failed(trouble())
            }
            Some(Fault::UnknownDidNot | Fault::NeverKnown) => unknown(trouble()),
            Some(Fault::UnknownDid | Fault::NeverKnownDid) => {
                if !asked {
                    effect();
                }
                unknown(trouble())
            }
            Some(Fault::Twice) => {
                if !asked && !matches!(action, Action::Migrate { .. }) {
                    effect();
                }
                effect()
            }
            Some(signal @ (Fault::Signal | Fault::SignalAfter)) => {
                let performed = (signal == Fault::SignalAfter || way != Way::There).then(effect);
                self.signal.send_replace(Interrupts { count: 1, first: "SIGTERM" });
                match performed {
                    // What is under way on the way back is waited for.
                    Some(performed) if way != Way::There => performed,
                    _ => std::future::pending().await,
                }
            }
            Some(Fault::TwoSignals) => {
                effect();
                self.signal.send_replace(Interrupts { count: 2, first: "SIGTERM" });
                std::future::pending().await
            }
            Some(Fault::Overdue) => {
                // The runner looks at the clock before it looks at this.
                tokio::task::yield_now().await;
                effect()
            }
            Some(Fault::Hangs) => std::future::pending().await,
            Some(Fault::HostLost) => unreachable!("who needs the host was told before"),
        }
    }

    fn answer(&self, plan: &Plan) -> Performed {
        let mut answer = Performed::done(Summary::Nothing);
        if self.state().migrations[usize::from(number(&plan.release.id))] == 0 {
            answer.end = End::NeverBegan;
        }
        answer
    }
}

impl World for Sim {
    fn turns(&self) -> Vec<HostName> {
        Vec::new()
    }

    async fn perform(&self, plan: &Plan, action: &Action, way: Way) -> Performed {
        self.attempt(plan, action, way, false).await
    }

    async fn ask(&self, plan: &Plan, action: &Action) -> Performed {
        assert!(matches!(action, Action::Migrate { .. }), "only migrations are asked about, not {action}");
        self.attempt(plan, action, Way::There, true).await
    }

    fn leave_out(&self, hosts: BTreeSet<HostName>) {
        self.state.lock().unwrap().leave_out(&hosts);
    }

    fn wait(&self, _: Step, _: &Action) -> Option<std::time::Duration> {
        None
    }
}

fn done(result: Result<(), String>) -> Performed {
    match result {
        Ok(()) => Performed::done(Summary::Nothing),
        Err(reason) => Performed::failed(Trouble::new("simulated/world", reason)),
    }
}

fn unknown(trouble: Trouble) -> Performed {
    Performed::from(Unperformed { trouble, unknown: true, details: Vec::new() })
}

/// Does one action, as a strict world does it.
fn perform(state: &mut State, plan: &Plan, action: &Action) -> Result<(), String> {
    match action {
        Action::Stage { host, release } => {
            let host = &mut state.hosts[index(host)];
            host.partial = false;
            host.releases |= 1 << number(release);
        }
        Action::RemovePartial { host } => state.hosts[index(host)].partial = false,
        Action::Migrate { release, .. } => state.migrations[usize::from(number(release))] += 1,
        Action::Clear { host, color } | Action::Stop { host, color } => {
            stop(&mut state.hosts[index(host)], *color as usize);
        }
        Action::Silence { host, color } => {
            let is_lost = state.lost == Some(index(host));
            let (host, color) = (&mut state.hosts[index(host)], *color as usize);
            if is_lost {
                return require(host.running[color] == 0, "it answers, and can't be stopped");
            }
            stop(host, color);
            host.enabled[color] = false;
        }
        Action::Configure { host, color, release } => {
            // A rollback may fill the other colour some day; it keeps what it finds itself.
            let (deploys, bit) = (plan.command == "deploy", 1 << number(release));
            let host = &mut state.hosts[index(host)];
            for each in
                Color::ALL.into_iter().filter(|each| deploys || each == color).map(|each| each as usize)
            {
                if host.configured[each] & bit == 0 || host.renewed[each] & bit != 0 {
                    host.configured[each] |= bit;
                    host.renewed[each] |= bit;
                } else if deploys {
                    host.beside[each] |= bit;
                }
            }
        }
        Action::Renew { host, release } => {
            let (host, bit) = (&mut state.hosts[index(host)], 1 << number(release));
            for color in 0..2 {
                let beside = host.beside[color] & bit;
                host.former[color] |= beside;
                host.renewed[color] |= beside;
                host.beside[color] &= !bit;
            }
        }
        Action::Revert { host, release } => {
            let (host, bit) = (&mut state.hosts[index(host)], 1 << number(release));
            for color in 0..2 {
                host.renewed[color] &= !(host.former[color] & bit);
                host.former[color] &= !bit;
                host.beside[color] &= !bit;
            }
        }
        Action::Point { host, color, release } => {
            state.hosts[index(host)].link[*color as usize] = release.as_ref().map_or(0, number);
        }
        Action::Start { host, color, release } => {
            return start(state, index(host), *color, number(release));
        }
        Action::AwaitHealthy { host, color, release } => {
            let well = !state.is_sick(*color, number(release));
            let host = &mut state.hosts[index(host)];
            let answers = !host.hung[*color as usize] && host.running[*color as usize] == number(release);
            host.passed[*color as usize] = well && answers;
            return require(host.passed[*color as usize], "not healthy");
        }
        Action::Smoke { color, release, hosts, .. } if !hosts.is_empty() => {
            let passes = |host: &HostName| {
                let host = index(host);
                state.answers(host, *color) && state.hosts[host].running[*color as usize] == number(release)
            };
            return require(hosts.iter().all(passes), "not healthy");
        }
        Action::Smoke { color, .. } => return require(state.is_healthy(*color, plan.color), "not healthy"),
        Action::Watch { color, weight, .. } => {
            require(state.is_healthy(*color, plan.color), "not healthy")?;
            state.stood_watch(*weight);
        }
        Action::RequireOthers { color, hosts } => {
            let ours = bits(hosts);
            let out = &state.out[..state.router_count];
            let unsent = out.iter().fold(ours, |all, out| all | out);
            let mut answers = (0..state.host_count).filter(|host| state.answers(*host, *color));
            let is_other = |host: usize| unsent & (1 << host) == 0 && !state.left_out[host];
            let others = answers.clone().any(is_other);
            let serves = answers.any(|host| ours & (1 << host) != 0);
            let is_out = out.iter().all(|out| out & ours == ours);
            return require(others || !serves || is_out, "nobody else answers");
        }
        Action::RequireHealthy { color } => return require(state.look(*color, plan.color), "not healthy"),
        Action::Enable { host, color } => state.hosts[index(host)].enabled[*color as usize] = true,
        Action::Disable { host, color } => state.hosts[index(host)].enabled[*color as usize] = false,
        Action::Prepare { router, .. } => state.prepared[index(router)] = true,
        Action::Discard { router } => state.prepared[index(router)] = false,
        Action::Switch { router, want } => {
            state.prepared[index(router)] = false;
            state.routers[index(router)] = Shown::of(want);
            state.out[index(router)] = bits(&want.out);
        }
        Action::Prove { color, weight, .. } => {
            return require(state.is_shared(*color, *weight), "front door");
        }
        Action::RequireUnrouted { color, hosts } if !hosts.is_empty() => {
            let is_routed = hosts.iter().any(|host| state.is_routed_to(*color, index(host)));
            return require(!is_routed, "it is routed to");
        }
        Action::RequireUnrouted { color, .. } => return require(!state.is_routed(*color), "it is routed to"),
        Action::Drain { .. } => {}
        Action::Prune { host } => {
            let host = &mut state.hosts[index(host)];
            (host.former, host.beside) = ([0; 2], [0; 2]);
        }
        Action::ProveClosed => return require(state.is_all_to(None), "front door"),
        Action::RecordLive { color, release } => {
            state.live = Some((*color, number(release)));
            state.maintenance &= plan.target().is_none();
        }
        Action::RecordMaintenance => state.maintenance = true,
        Action::SetCurrent { host, release } => state.hosts[index(host)].current = number(release),
    }
    Ok(())
}

fn start(state: &mut State, host: usize, color: Color, release: Number) -> Result<(), String> {
    let (host, color) = (&mut state.hosts[host], color as usize);
    require(host.running[color] == 0 || host.running[color] == release, "port taken")?;
    let ready = host.link[color] == release && host.configured[color] & (1 << release) != 0;
    require(ready && host.releases & (1 << release) != 0, "started something else")?;
    if host.running[color] == 0 {
        (host.running[color], host.passed[color]) = (release, false);
        host.started_anew[color] = host.is_renewed(color, release);
    }
    Ok(())
}

fn stop(host: &mut SimHost, color: usize) {
    (host.running[color], host.passed[color]) = (0, false);
    (host.started_anew[color], host.hung[color]) = (false, false);
}

/// Whether a watch holds that can't look at one host: by the rule of the real one, over one look at each.
fn holds(state: &State, color: Color, weight: u32, lost: usize) -> bool {
    let look = |glance: Glance| {
        let mut watched = Watched::new(1);
        watched.note(glance).is_none().then_some(watched)
    };
    let wrong = || Glance::Wrong("not healthy".to_owned());
    let of_host = |host: usize| match host == lost {
        true => Glance::Unreached("lost".to_owned()),
        false if state.is_healthy(color, color) => Glance::Well,
        false => wrong(),
    };
    let serves = state.is_shared(color, weight) && state.is_healthy(color, color);
    let door = if serves { Glance::Well } else { wrong() };
    let looks: Option<Vec<Watched>> = (0..state.host_count).map(of_host).chain([door]).map(look).collect();
    looks.is_some_and(|looks| matches!(conclude(looks.iter()), Verdict::Holds | Verdict::HoldsAsSeen))
}

fn require(holds: bool, reason: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(reason.to_owned()) }
}
