//! Starting worlds, each with a wish.

use std::time::Duration;

use super::state::{Number, Shown, SimHost, State, host_name, release, router_name};
use crate::model::{
    CanaryStep, Color, Deployment, Hook, HookSource, HostName, Limits, Location, Maintenance, MaxExcluded,
    Name, Plan, Refusal, Release, Retire, SmokeTest, Strategy, Timestamp, Wish, grant::Grants,
};

/// When a deployment is planned.
pub(super) const PLANNED: Timestamp = Timestamp(1_000_000);

/// The release that the next deployment puts live.
pub(super) const NEXT: Number = 4;

/// What is there before, and what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// There is nothing, release 3 is wanted.
    First,
    /// Blue runs release 2, green is empty.
    Second,
    /// Blue runs release 2, green still runs release 1.
    WarmIdle,
    /// Blue runs release 2, green holds release 1 and does not run; release 1 is deployed again.
    Again,
    /// Blue runs release 2, green still runs release 1, which is deployed again.
    WarmAgain,
    /// Blue runs release 2, green still runs release 1: back to it.
    WarmRollback,
    /// The same, but release 1 answers nobody.
    HungRollback,
    /// Blue runs release 2, green still runs release 1; no colour is to get requests.
    Close,
    /// The same, and no colour gets requests; blue is to get them again.
    Open,
    /// The same, and release 3 is wanted meanwhile.
    Closed,
}

/// What the new colour gets, one after the other, where the traffic is shared before it has all of it. In percent.
pub(super) const SHARES: [u32; 2] = [5, 50];

impl Kind {
    const ALL: [Self; 10] = [
        Self::First,
        Self::Second,
        Self::WarmIdle,
        Self::Again,
        Self::WarmAgain,
        Self::WarmRollback,
        Self::HungRollback,
        Self::Close,
        Self::Open,
        Self::Closed,
    ];

    /// Whether release 1, which is there, is wanted.
    const fn wants_kept(self) -> bool {
        matches!(self, Self::Again | Self::WarmAgain | Self::WarmRollback | Self::HungRollback)
    }

    const fn command(self) -> &'static str {
        match self {
            Self::WarmRollback | Self::HungRollback => "rollback",
            Self::Close => Maintenance::On.command(),
            Self::Open => Maintenance::Off.command(),
            Self::First | Self::Second | Self::WarmIdle | Self::Again | Self::WarmAgain | Self::Closed => {
                "deploy"
            }
        }
    }

    /// Whether what becomes of the old colour makes a difference.
    const fn retires(self) -> bool {
        !matches!(self, Self::First | Self::Close | Self::Open)
    }

    const fn is_closed(self) -> bool {
        matches!(self, Self::Open | Self::Closed)
    }
}

/// What of several hosts may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fleet {
    /// Nothing.
    Whole,
    /// Any one of them.
    MayLoseOne,
    /// The last one, which is dead.
    HasLostOne,
    /// The last one, which the engine can't reach, and routers can.
    HidesOne,
}

/// A starting world and a wish.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) kind: Kind,
    pub(super) retire: Retire,
    pub(super) fleet: Fleet,
    /// Whether the traffic is shared first.
    pub(super) shares: bool,
    /// How many hosts are taken out at a time, where there are no colours.
    pub(super) batch: Option<usize>,
    pub(super) state: State,
    pub(super) wanted: Number,
    deployment: Deployment,
}

impl Scene {
    /// Every kind on 1 to 3 hosts and 1 to 2 routers, the old colour kept warm and stopped; the smallest first.
    pub(super) fn all() -> Vec<Self> {
        let mut scenes = Vec::new();
        for (hosts, routers) in [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)] {
            for kind in Kind::ALL {
                for retire in [Retire::KeepWarm, Retire::Stop] {
                    if kind.retires() || retire == Retire::KeepWarm {
                        scenes.push(Self::new(kind, retire, hosts, routers));
                    }
                }
            }
        }
        for (hosts, routers) in [(2, 1), (3, 1)] {
            for kind in [Kind::Second, Kind::WarmIdle, Kind::WarmAgain, Kind::WarmRollback] {
                for fleet in [Fleet::MayLoseOne, Fleet::HasLostOne] {
                    scenes.push(Self::new(kind, Retire::KeepWarm, hosts, routers).with(fleet));
                }
            }
            scenes.push(Self::new(Kind::Second, Retire::KeepWarm, hosts, routers).with(Fleet::HidesOne));
        }
        for (hosts, routers) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
            scenes.push(Self::new(Kind::Second, Retire::KeepWarm, hosts, routers).sharing());
        }
        scenes.push(Self::new(Kind::WarmIdle, Retire::Stop, 1, 2).sharing());
        for kind in [Kind::Second, Kind::Again, Kind::WarmRollback] {
            scenes.push(Self::rolling(kind, 2, 1, 1));
        }
        for (hosts, routers, batch) in [(2, 2, 1), (3, 1, 1), (3, 1, 2), (3, 2, 2)] {
            scenes.push(Self::rolling(Kind::Second, hosts, routers, batch));
        }
        scenes.push(Self::rolling(Kind::Second, 2, 1, 1).adopting());
        scenes.push(Self::rolling(Kind::Second, 3, 2, 1).adopting());
        scenes
    }

    /// Those with at most three hosts and routers.
    pub(super) fn small() -> Vec<Self> {
        let is_small = |scene: &Self| scene.state.host_count + scene.state.router_count <= 3;
        Self::all().into_iter().filter(is_small).collect()
    }

    pub(super) fn new(kind: Kind, retire: Retire, hosts: usize, routers: usize) -> Self {
        let (blue, green) = (Color::Blue as usize, Color::Green as usize);
        let mut host = SimHost::default();
        let mut put = |color: usize, number: Number, running: bool| {
            host.releases |= 1 << number;
            host.link[color] = number;
            host.configured[color] |= 1 << number;
            host.running[color] = if running { number } else { 0 };
        };
        let replaces = kind != Kind::First;
        if replaces {
            put(blue, 2, true);
        }
        match kind {
            Kind::First | Kind::Second => {}
            Kind::WarmIdle
            | Kind::WarmAgain
            | Kind::WarmRollback
            | Kind::HungRollback
            | Kind::Close
            | Kind::Open
            | Kind::Closed => put(green, 1, true),
            Kind::Again => put(green, 1, false),
        }
        host.hung[green] = kind == Kind::HungRollback;
        if replaces {
            host.enabled[blue] = true;
            host.current = 2;
        }
        let mut state = State {
            host_count: hosts,
            router_count: routers,
            live: replaces.then_some((Color::Blue, 2)),
            maintenance: kind.is_closed(),
            ..State::default()
        };
        state.hosts_mut().fill(host);
        state.routers_mut().fill(match kind {
            Kind::First => Shown::Unknown,
            _ if kind.is_closed() => Shown::Nothing,
            _ => Shown::Only(Color::Blue),
        });
        let wanted = match kind {
            Kind::Close | Kind::Open => 2,
            _ if kind.wants_kept() => 1,
            _ => 3,
        };
        let deployment = deployment(hosts, routers, retire);
        Self { kind, retire, fleet: Fleet::Whole, shares: false, batch: None, state, wanted, deployment }
    }

    /// The same where one host may be left out.
    fn with(mut self, fleet: Fleet) -> Self {
        self.deployment.pipeline.max_excluded = MaxExcluded::Hosts(1);
        let is_lost = matches!(fleet, Fleet::HasLostOne | Fleet::HidesOne);
        self.state.lost = is_lost.then(|| self.state.host_count - 1);
        if fleet == Fleet::HasLostOne {
            self.state.hosts[self.state.host_count - 1].running = [0; 2];
        }
        Self { fleet, ..self }
    }

    /// The same where the new colour gets the traffic in shares.
    pub(super) fn sharing(mut self) -> Self {
        let step = |weight| CanaryStep { weight, watch: Duration::from_secs(60) };
        self.deployment.pipeline.strategy = Strategy::Canary(SHARES.map(step).into());
        Self { shares: true, ..self }
    }

    /// Blue runs release 2 on hosts that have no other place, which may hold release 1.
    pub(super) fn rolling(kind: Kind, hosts: usize, routers: usize, batch: usize) -> Self {
        let mut scene = Self::new(Kind::Second, Retire::KeepWarm, hosts, routers);
        let wanted = if kind.wants_kept() { 1 } else { 3 };
        for host in scene.state.hosts_mut().iter_mut().filter(|_| kind.wants_kept()) {
            host.releases |= 1 << 1;
            host.configured[Color::Blue as usize] |= 1 << 1;
        }
        scene.state.rolls = wanted;
        scene.deployment.pipeline.strategy = Strategy::Rolling { batch };
        Self { kind, wanted, batch: Some(batch), ..scene }
    }

    /// The same where the last router leaves the last host out.
    pub(super) fn adopting(mut self) -> Self {
        self.state.out[self.state.router_count - 1] = 1 << (self.state.host_count - 1);
        self
    }

    /// Whether someone has taken hosts out.
    pub(super) fn adopts(&self) -> bool {
        self.state.out.iter().any(|out| *out != 0)
    }

    /// The plan that is made in this world.
    pub(super) fn plan(&self) -> Plan {
        let plan =
            self.plan_for(&self.deployment, &self.state, self.kind.command(), self.wanted, self.adopts());
        let plan = plan.expect("a plan can be made");
        assert_eq!(plan.check_authority(&self.deployment), Ok(()), "{self}");
        plan
    }

    /// The plan of the next deployment, in the world that this one left.
    pub(super) fn next_plan(&self, state: &State, adopt: bool) -> Result<Plan, Refusal> {
        let mut now = self.deployment.clone();
        now.application.hosts.truncate(state.host_count);
        let plan = self.plan_for(&now, state, "deploy", NEXT, adopt)?;
        assert_eq!(plan.check_authority(&now), Ok(()), "{self}");
        Ok(plan)
    }

    /// Whether the application may have one host less than it has, which is the last one and burnt down.
    pub(super) fn can_shrink(&self, state: &State) -> bool {
        let remain = state.host_count - 1;
        state.burnt() == Some(remain) && remain > self.batch.unwrap_or_default()
    }

    fn plan_for(
        &self,
        deployment: &Deployment,
        state: &State,
        command: &str,
        wanted: Number,
        adopt: bool,
    ) -> Result<Plan, Refusal> {
        let release = Release::new(release(wanted).expect("a release"), wanted.into(), Timestamp(0));
        let kept = state.hosts().iter().any(|host| host.releases & (1 << wanted) != 0);
        let wish = Wish::new(command, "d1".into(), release, adopt, PLANNED).of_kept(kept);
        Plan::new(deployment, &wish, &state.observed())
    }
}

impl std::fmt::Display for Scene {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let State { host_count, router_count, .. } = self.state;
        write!(
            f,
            "{:?}, {:?}, {:?}, {host_count} hosts, {router_count} routers",
            self.kind, self.retire, self.fleet
        )?;
        if let Some(batch) = self.batch {
            write!(f, ", rolling by {batch}")?;
        }
        if self.adopts() {
            f.write_str(", one of them out")?;
        }
        f.write_str(if self.shares { ", in shares" } else { "" })
    }
}

fn deployment(hosts: usize, routers: usize, retire: Retire) -> Deployment {
    let hosts: Vec<HostName> = (0..hosts).map(host_name).collect();
    let routers: Vec<HostName> = (0..routers).map(router_name).collect();
    let mut deployment = Deployment::for_tests(&hosts, &routers);
    deployment.pipeline.retire = retire;
    let name = Name::new("checkout").expect("a name");
    let hook = Hook {
        title: name.to_string(),
        source: HookSource::Builtin("http-smoke".into()),
        settings: serde_json::json!({}),
        timeout: Duration::from_secs(5),
        grants: Grants::default(),
        bundled_grants: true,
        limits: Limits::default(),
        location: Location::default(),
        sha256: None,
        locked: None,
    };
    deployment.smoke_tests = vec![SmokeTest { name, hook, per_instance: false }];
    deployment
}
