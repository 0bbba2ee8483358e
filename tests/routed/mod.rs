//! Every router behind one face, for what has to hold behind each of them.

mod apis;
mod peers;

use std::path::PathBuf;

use rustix::process::Signal;
use test_support::{Behaviour, Ended, Haproxy, KubernetesStyle, Load, Running, Test};

use crate::{
    apache, aws_alb, caddy, canary, cloud_foundry, haproxy, kubernetes, local, nginx_sites, proxy, told,
    traefik, with_v1,
};
use apis::Api;
use peers::{ByMap, ByServers, Nginx, NginxStyle};

/// A router and its style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    NginxByFile,
    NginxByLink,
    NginxByUpstream,
    HaproxyByMap,
    HaproxyByServers,
    Apache,
    Caddy,
    Traefik,
    AwsAlb,
    CloudFoundry,
    KubernetesByService,
    KubernetesByRoute,
    OwnProxy,
}

/// What happens to a router while cutover is at work.
pub(crate) trait Peer {
    /// Ends it as a crash would; where it is an API, that answers nobody.
    fn stop(&mut self, test: &mut Test);

    /// Starts it again, as it is configured.
    fn start(&mut self, test: &mut Test);

    /// Has it stand still, or go on.
    fn freeze(&self, test: &Test, still: bool);

    /// Somebody changes it by hand, while blue is live.
    fn edit(&self, test: &Test);

    /// Has it say yes to every change, and make none; or make what it is asked for from now on.
    ///
    /// # Panics
    /// Where nothing is known that has it do so.
    fn pretend(&self, _pretends: bool) {
        panic!("it does not pretend");
    }

    /// What `edit` has changed beside the choice of the colour is still so.
    ///
    /// # Panics
    /// When it is not.
    fn assert_kept(&self) {}

    /// Puts right what `edit` has changed, where that stands in the way.
    fn mend(&self, _test: &Test) {}

    /// Has it refuse changes to whoever may look, or take them again.
    ///
    /// # Panics
    /// Where nothing is known that has it do so.
    fn deny(&self, _denies: bool) {
        panic!("it denies nothing");
    }

    /// Has it find the new colour sick by its own checks, whatever that says of itself, or look again.
    ///
    /// # Panics
    /// Where nothing is known that has it do so.
    fn find_sick(&self, _test: &Test, _sick: bool) {
        panic!("it checks nothing by itself");
    }

    /// What the configuration says of where it is asked, and the same with `PORT` for a port.
    ///
    /// # Panics
    /// Where that can't be another port.
    fn asked_at(&self, _test: &Test) -> (String, &'static str) {
        panic!("it is not asked at a port");
    }

    /// The directory in which it is told what to do.
    ///
    /// # Panics
    /// Where there is none.
    fn directory(&self, _test: &Test) -> PathBuf {
        panic!("it is told nothing by files");
    }

    /// What differs from run to run, with what stands for it.
    fn names(&self) -> Vec<(String, &'static str)> {
        Vec::new()
    }
}

/// A world and its router.
pub(crate) struct Routed {
    kind: Kind,
    pub(crate) test: Test,
    pub(crate) peer: Box<dyn Peer>,
}

/// `check`, a function of a [`Kind`], as a test of each.
macro_rules! behind_each {
    ($check:ident) => {
        mod $check {
            use super::$check as check;
            use crate::routed::Kind;

            #[test]
            fn nginx_by_a_file() {
                check(Kind::NginxByFile);
            }

            #[test]
            fn nginx_by_a_link() {
                check(Kind::NginxByLink);
            }

            #[test]
            fn nginx_by_an_upstream() {
                check(Kind::NginxByUpstream);
            }

            #[test]
            fn haproxy_by_a_map() {
                check(Kind::HaproxyByMap);
            }

            #[test]
            fn haproxy_by_servers() {
                check(Kind::HaproxyByServers);
            }

            #[test]
            fn apache() {
                check(Kind::Apache);
            }

            #[test]
            fn caddy() {
                check(Kind::Caddy);
            }

            #[test]
            fn traefik() {
                check(Kind::Traefik);
            }

            #[test]
            fn aws_alb() {
                check(Kind::AwsAlb);
            }

            #[test]
            fn cloud_foundry() {
                check(Kind::CloudFoundry);
            }

            #[test]
            fn kubernetes_by_a_service() {
                check(Kind::KubernetesByService);
            }

            #[test]
            fn kubernetes_by_a_route() {
                check(Kind::KubernetesByRoute);
            }

            #[test]
            fn our_own_proxy() {
                check(Kind::OwnProxy);
            }
        }
    };
}
pub(crate) use behind_each;

impl Kind {
    /// What its golden files are called.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NginxByFile => "nginx-file",
            Self::NginxByLink => "nginx-link",
            Self::NginxByUpstream => "nginx-upstream",
            Self::HaproxyByMap => "haproxy-map",
            Self::HaproxyByServers => "haproxy-servers",
            Self::Apache => "apache",
            Self::Caddy => "caddy",
            Self::Traefik => "traefik",
            Self::AwsAlb => "aws-alb",
            Self::CloudFoundry => "cloud-foundry",
            Self::KubernetesByService => "kubernetes-service",
            Self::KubernetesByRoute => "kubernetes-route",
            Self::OwnProxy => "proxy",
        }
    }

    /// Everything on one machine, with version `v1` live. Hooks have three seconds for an answer.
    pub(crate) fn with_v1(self) -> Option<Routed> {
        let kubernetes = |style| {
            let (test, cluster) = kubernetes::with_v1(style)?;
            Some((test, Box::new(Api(cluster)) as Box<dyn Peer>))
        };
        let (mut test, peer): (Test, Box<dyn Peer>) = match self {
            Self::NginxByFile => (with_v1(local())?, Box::new(Nginx(NginxStyle::File))),
            Self::NginxByLink => (nginx_sites::with_sites()?, Box::new(Nginx(NginxStyle::Link))),
            Self::NginxByUpstream => {
                (with_v1(canary::behind_upstream())?, Box::new(Nginx(NginxStyle::Upstream)))
            }
            Self::HaproxyByMap => {
                let world = haproxy::with_v1(local())?;
                (world.test, Box::new(ByMap(world.haproxy)))
            }
            Self::HaproxyByServers => {
                let world = haproxy::live(haproxy::routed_by(local(), Haproxy::servers_settings))?;
                (world.test, Box::new(ByServers(world.haproxy)))
            }
            Self::Apache => apache::with_v1(local()).map(boxed)?,
            Self::Caddy => caddy::with_v1(local()).map(boxed)?,
            Self::Traefik => traefik::with_v1(local()).map(boxed)?,
            Self::AwsAlb => aws_alb::with_v1(local()).map(boxed)?,
            Self::CloudFoundry => cloud_foundry::with_v1().map(|(test, api)| boxed((test, Api(api))))?,
            Self::KubernetesByService => kubernetes(KubernetesStyle::Service)?,
            Self::KubernetesByRoute => kubernetes(KubernetesStyle::Gateway)?,
            Self::OwnProxy => {
                let world = proxy::with_v1(local())?;
                (world.test, Box::new(world.proxy))
            }
        };
        if !test.config.contains("[router]\ntimeout") {
            test.configure("[router]\n", "[router]\ntimeout = \"3s\"\n");
        }
        Some(Routed { kind: self, test, peer })
    }
}

fn boxed(world: (Test, impl Peer + 'static)) -> (Test, Box<dyn Peer>) {
    (world.0, Box::new(world.1))
}

impl Routed {
    pub(crate) fn stop(&mut self) {
        self.peer.stop(&mut self.test);
    }

    pub(crate) fn start(&mut self) {
        self.peer.start(&mut self.test);
    }

    /// Has it asked at this port of the same machine.
    pub(crate) fn ask_at(&mut self, port: u16) {
        let (own, other) = self.peer.asked_at(&self.test);
        self.test.configure(&own, &other.replace("PORT", &port.to_string()));
    }

    /// A load at its front door. An nginx that reloads resets idle connections now and then, so there none is kept.
    pub(crate) fn load(&self) -> Load {
        let reloads = matches!(self.kind, Kind::NginxByLink | Kind::NginxByUpstream);
        let start = if reloads { Load::start_without_keep_alive } else { Load::start };
        let load = start(self.test.door());
        load.wait_for(20);
        load
    }

    /// A deployment of `v2` that has prepared the router, and halts before it moves it.
    pub(crate) fn prepared(&self) -> Running {
        self.test.repository.push("v2", Behaviour::Sound);
        let running = Running::halting(&self.test, &["deploy"], "route:before");
        assert!(running.wait_until_halted());
        running
    }

    /// Lets one go on that was prepared. Where it could neither move the router nor put it back, it is resumed once somebody has mended that.
    /// How that ended, and what a person has read.
    pub(crate) fn go_on(&self, running: Running, mend: impl FnOnce()) -> (i32, String) {
        running.signal(Signal::CONT);
        let ended = running.finish();
        let (status, told) = (ended.status, self.told(ended));
        if status != 40 {
            return (status, told);
        }
        assert_eq!(self.test.live(), "v1 blue");
        mend();
        let resumed = self.test.cutover(&["resume"]);
        (resumed.status, told + &self.told(resumed))
    }

    /// What a person reads, with names for the router's own ports.
    pub(crate) fn told(&self, ended: Ended) -> String {
        let named = |text: String, (own, name): &(String, &str)| text.replace(own, name);
        self.peer.names().iter().fold(told(&self.test, ended), named)
    }
}
