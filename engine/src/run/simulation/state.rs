//! The simulated world as data: small, and compared as a whole.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Color, HostName, Observation, Observed, ObservedHost, ObservedInstance, ReleaseId, Routing,
};

/// Hosts and routers that there can be.
pub(super) const HOSTS: usize = 3;
pub(super) const ROUTERS: usize = 2;

/// A release by its number; 0 is none.
pub(super) type Number = u8;

/// One application host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct SimHost {
    /// Whole releases, a bit for each number.
    pub(super) releases: u8,
    /// Whether an unfinished staging lies there.
    pub(super) partial: bool,
    /// By colour.
    pub(super) link: [Number; 2],
    /// By colour.
    pub(super) running: [Number; 2],
    /// Releases with an environment and a launch, a bit for each number, by colour.
    pub(super) configured: [u8; 2],
    /// Those of them whose launch is that of this deployment, by colour.
    pub(super) renewed: [u8; 2],
    /// Those of them that had another one before, which is kept, by colour.
    pub(super) former: [u8; 2],
    /// Those beside whose launch this deployment wrote one, by colour.
    pub(super) beside: [u8; 2],
    /// By colour: whether what runs was started by the launch of this deployment.
    pub(super) started_anew: [bool; 2],
    /// By colour: whether what runs there answers nobody until it is started again.
    pub(super) hung: [bool; 2],
    /// By colour.
    pub(super) enabled: [bool; 2],
    pub(super) current: Number,
    /// By colour: whether the engine's last look found it healthy, since it started and since the engine did.
    pub(super) passed: [bool; 2],
}

impl SimHost {
    /// What is enabled comes up, with what its link says and by the words that it was started by last; the rest does not.
    pub(super) fn boot(&mut self) {
        for color in Color::ALL.map(|color| color as usize) {
            let stays = self.enabled[color] && self.running[color] == self.link[color];
            self.started_anew[color] &= stays;
            self.hung[color] = false;
            self.running[color] = if self.enabled[color] { self.link[color] } else { 0 };
        }
    }

    /// Whether a release's launch in a colour is that of this deployment.
    pub(super) const fn is_renewed(&self, color: usize, release: Number) -> bool {
        self.renewed[color] & (1 << release) != 0
    }
}

/// What a router does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Shown {
    /// It does not know the application.
    #[default]
    Unknown,
    /// It knows it, and sends it nothing.
    Nothing,
    /// All to one colour.
    Only(Color),
    /// So many percent to green, the rest to blue.
    Both { green: u8 },
}

/// The world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct State {
    pub(super) hosts: [SimHost; HOSTS],
    pub(super) host_count: usize,
    pub(super) routers: [Shown; ROUTERS],
    pub(super) router_count: usize,
    /// By router: the hosts that it leaves out, a bit for each.
    pub(super) out: [u8; ROUTERS],
    /// The release that hosts get in the place of another one; 0 where there are colours.
    pub(super) rolls: Number,
    pub(super) prepared: [bool; ROUTERS],
    /// The record at the home.
    pub(super) live: Option<(Color, Number)>,
    /// Whether the record says that it gets no requests.
    pub(super) maintenance: bool,
    /// How often each release's migration ran.
    pub(super) migrations: [u8; 8],
    /// By colour: whether what runs there is ill. Where hosts have one place each: the release that comes, and what was there.
    pub(super) sick: [bool; 2],
    /// By host: whether the engine leaves it out.
    pub(super) left_out: [bool; HOSTS],
    /// The host that can't be reached.
    pub(super) lost: Option<usize>,
    /// Whether it burnt down in the middle of the deployment.
    pub(super) burnt: bool,
    /// Percent of the requests at which the new colour has stood a watch.
    pub(super) watched: u8,
}

impl State {
    pub(super) fn hosts(&self) -> &[SimHost] {
        &self.hosts[..self.host_count]
    }

    /// From now on the engine leaves these out.
    pub(super) fn leave_out(&mut self, hosts: &BTreeSet<HostName>) {
        self.left_out = [false; HOSTS];
        for host in hosts {
            self.left_out[index(host)] = true;
        }
    }

    /// Those that get requests when the colour has the traffic, where `new` is filled: who is left out still serves as the other one, if
    /// anything answers there.
    pub(super) fn serving(&self, color: Color, new: Color) -> impl Iterator<Item = &SimHost> {
        self.hosts()
            .iter()
            .enumerate()
            .filter(move |(index, host)| {
                let answers = self.lost != Some(*index) || host.running[color as usize] != 0;
                !self.left_out[*index] || (color != new && answers)
            })
            .map(|(_, host)| host)
    }

    /// Whether an engine can look at every one of them.
    fn is_seen(&self, color: Color, new: Color) -> bool {
        let Some(lost) = self.lost.map(|lost| &self.hosts[lost]) else { return true };
        self.serving(color, new).all(|host| !std::ptr::eq(host, lost))
    }

    /// Those that are there and not left out.
    pub(super) fn counted(&self) -> impl Iterator<Item = &SimHost> {
        let hosts = self.hosts().iter().zip(self.left_out).enumerate();
        hosts
            .filter(|(index, (_, is_out))| !is_out && self.burnt() != Some(*index))
            .map(|(_, (host, _))| host)
    }

    /// Whether a host gets requests with another release than the one that is live.
    pub(super) fn serves_another(&self) -> bool {
        let runs = |color: Color, host: &SimHost| host.running[color as usize];
        let is_other = |color, host| ![0, self.live.map_or(0, |(_, live)| live)].contains(&runs(color, host));
        let mut each = self.hosts().iter().enumerate();
        each.any(|(index, host)| {
            Color::ALL.into_iter().any(|color| self.is_routed_to(color, index) && is_other(color, host))
        })
    }

    /// The last host, which burnt down, is no host of the application any more, and no router knows it.
    pub(super) fn shrink(&mut self) {
        self.host_count -= 1;
        (self.lost, self.burnt) = (None, false);
        self.hosts[self.host_count] = SimHost::default();
        self.left_out[self.host_count] = false;
        for out in &mut self.out {
            *out &= !(1 << self.host_count);
        }
    }

    /// The host that burnt down.
    pub(super) fn burnt(&self) -> Option<usize> {
        self.lost.filter(|_| self.burnt)
    }

    /// A host is gone, with all that ran there. What is on its disk may come back.
    pub(super) fn burn(&mut self, host: usize) {
        (self.lost, self.burnt) = (Some(host), true);
        let host = &mut self.hosts[host];
        (host.running, host.passed) = ([0; 2], [false; 2]);
        (host.started_anew, host.hung) = ([false; 2], [false; 2]);
    }

    /// It is back, with what comes up by itself.
    pub(super) fn come_back(&mut self) {
        if let Some(host) = self.burnt() {
            (self.lost, self.burnt) = (None, false);
            self.hosts[host].boot();
        }
    }

    /// Those that are.
    pub(super) fn excluded(&self) -> impl Iterator<Item = &SimHost> {
        self.hosts().iter().zip(self.left_out).filter(|(_, is_out)| *is_out).map(|(host, _)| host)
    }

    pub(super) fn hosts_mut(&mut self) -> &mut [SimHost] {
        &mut self.hosts[..self.host_count]
    }

    pub(super) fn routers(&self) -> &[Shown] {
        &self.routers[..self.router_count]
    }

    pub(super) fn routers_mut(&mut self) -> &mut [Shown] {
        &mut self.routers[..self.router_count]
    }

    /// Whether any router sends anything to the colour.
    pub(super) fn is_routed(&self, color: Color) -> bool {
        self.routers().iter().any(|shown| shown.share(color) > 0)
    }

    /// Whether a release is ill that runs as this colour.
    pub(super) const fn is_sick(&self, color: Color, release: Number) -> bool {
        let place = if self.rolls == 0 { color as usize } else { (self.rolls != release) as usize };
        self.sick[place]
    }

    /// Whether any router sends anything to the colour on this host.
    pub(super) fn is_routed_to(&self, color: Color, host: usize) -> bool {
        let mut shown = self.routers().iter().zip(self.out);
        shown.any(|(shown, out)| shown.share(color) > 0 && out & (1 << host) == 0)
    }

    /// Whether what runs on a host answers.
    pub(super) fn answers(&self, host: usize, color: Color) -> bool {
        let (place, host) = (color as usize, &self.hosts[host]);
        let runs = host.running[place];
        runs != 0 && !host.hung[place] && !self.is_sick(color, runs)
    }

    /// Whether nobody takes anything from anyone: all to one colour, on every host.
    pub(super) fn is_whole(&self) -> bool {
        self.out == [0; ROUTERS]
    }

    /// Whether all routers send so many percent to the colour.
    pub(super) fn is_shared(&self, color: Color, weight: u32) -> bool {
        self.routers().iter().all(|shown| shown.share(color) == weight)
    }

    /// The colour that all routers send everything to.
    pub(super) fn only_color(&self) -> Option<Color> {
        let Shown::Only(color) = self.routers[0] else { return None };
        self.routers().iter().all(|shown| *shown == Shown::Only(color)).then_some(color)
    }

    /// Whether the routers send everything to this colour; without one, nothing to any.
    pub(super) fn is_all_to(&self, target: Option<Color>) -> bool {
        let is_shut = Color::ALL.into_iter().all(|color| !self.is_routed(color));
        target.map_or(is_shut, |color| self.only_color() == Some(color))
    }

    /// Whether every instance is healthy that gets requests when the colour has the traffic, and all run the same.
    pub(super) fn is_healthy(&self, color: Color, new: Color) -> bool {
        let index = color as usize;
        let mut running = self.serving(color, new).map(|host| host.running[index]);
        let first = running.next().unwrap_or(0);
        let hangs = self.serving(color, new).any(|host| host.hung[index]);
        first != 0 && !self.is_sick(color, first) && !hangs && running.all(|release| release == first)
    }

    /// What an engine sees that asks all hosts and routers.
    pub(super) fn observed(&self) -> Observed {
        let instance = |host: &SimHost, color: Color| {
            let index = color as usize;
            let number = host.running[index];
            ObservedInstance {
                link: release(host.link[index]),
                running: number != 0,
                release: release(number),
                fit: number != 0
                    && !self.is_sick(color, number)
                    && !host.hung[index]
                    && host.started_anew[index] == host.is_renewed(index, number),
            }
        };
        let hosts = self.hosts().iter().enumerate().map(|(index, host)| {
            let (blue, green) = (instance(host, Color::Blue), instance(host, Color::Green));
            (host_name(index), ObservedHost { blue, green })
        });
        let routers = self.routers().iter().enumerate().map(|(index, shown)| {
            let out = (0..self.host_count).filter(|host| self.out[index] & (1 << host) != 0).map(host_name);
            let routing = shown.routing().map(|routing| Routing { out: out.collect(), ..routing });
            (router_name(index), Observation { routing, settled: true, labels: Vec::new() })
        });
        let recorded = self.live.and_then(|(color, number)| Some((color, release(number)?)));
        let mut hosts: BTreeMap<HostName, ObservedHost> = hosts.collect();
        let lost = self.lost.map(host_name);
        hosts.retain(|host, _| Some(host) != lost.as_ref());
        let (routers, unreachable) = (routers.collect(), lost.into_iter().collect());
        Observed { hosts, routers, unreachable, recorded, maintenance: self.maintenance }
    }

    /// A look at the health of a colour, which the engine takes note of.
    pub(super) fn look(&mut self, color: Color, new: Color) -> bool {
        let healthy = self.is_seen(color, new) && self.is_healthy(color, new);
        for host in self.hosts_mut() {
            host.passed[color as usize] = healthy;
        }
        healthy
    }

    /// The new colour was well through its watch at this weight.
    pub(super) fn stood_watch(&mut self, weight: u32) {
        self.watched = self.watched.max(u8::try_from(weight).expect("percent"));
    }

    /// What a colour stood while it had more than it has now proves nothing.
    pub(super) fn forget_watches(&mut self, color: Color) {
        let least = self.routers().iter().map(|shown| shown.share(color)).min().unwrap_or_default();
        self.watched = self.watched.min(u8::try_from(least).expect("percent"));
    }

    /// The engine is gone, and with it what it had seen.
    pub(super) fn forget_looks(&mut self) {
        for host in self.hosts_mut() {
            host.passed = [false; 2];
        }
    }
}

impl Shown {
    pub(super) fn routing(self) -> Option<Routing> {
        match self {
            Self::Unknown => None,
            Self::Nothing => Some(Routing::none()),
            Self::Only(color) => Some(Routing::all_to(color)),
            Self::Both { green } => Some(Routing::shared(Color::Green, green.into())),
        }
    }

    pub(super) fn share(self, color: Color) -> u32 {
        self.routing().map_or(0, |routing| routing.share(color))
    }

    pub(super) fn of(want: &Routing) -> Self {
        match want.only() {
            Some(color) => Self::Only(color),
            None if want.blue + want.green == 0 => Self::Nothing,
            None => Self::Both { green: u8::try_from(want.green).expect("percent") },
        }
    }
}

/// Hosts as bits.
pub(super) fn bits(hosts: &[HostName]) -> u8 {
    hosts.iter().fold(0, |bits, host| bits | 1 << index(host))
}

pub(super) fn host_name(index: usize) -> HostName {
    HostName::new(format!("web{}", index + 1)).expect("a name")
}

pub(super) fn router_name(index: usize) -> HostName {
    HostName::new(format!("lb{}", index + 1)).expect("a name")
}

/// The index in the name of a host or router.
pub(super) fn index(name: &HostName) -> usize {
    let digit = name.as_str().bytes().last().expect("a name");
    usize::from(digit - b'1')
}

pub(super) fn release(number: Number) -> Option<ReleaseId> {
    (number != 0).then(|| ReleaseId::parse(&format!("r{number}")).expect("an identifier"))
}

pub(super) fn number(release: &ReleaseId) -> Number {
    release.as_str().bytes().last().expect("an identifier") - b'0'
}
