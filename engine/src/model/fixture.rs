//! A small valid deployment and a bare release for tests of other modules.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{
    Application, Build, ColorSettings, ConnectionPolicy, Deployment, Driver, HealthCheck, Hook, HookSource,
    Host, HostName, Limits, Location, MaxExcluded, Name, Pipeline, Reach, Retire, Router, Strategy,
    grant::Grants,
};
#[cfg(test)]
use super::{Release, ReleaseId, Timestamp};

impl Deployment {
    /// `shop` on these application hosts and routers, all local, with a migration and every default.
    pub(crate) fn for_tests(hosts: &[HostName], routers: &[HostName]) -> Self {
        let host =
            |name: &HostName| Host { name: name.clone(), reach: Reach::Local, address: "127.0.0.1".into() };
        let color = |port| ColorSettings { port, ..ColorSettings::default() };
        Self {
            app: Name::new("shop").expect("a name"),
            environment: None,
            confirm: false,
            root: "/project".into(),
            state: None,
            hosts: hosts.iter().chain(routers).map(|name| (name.clone(), host(name))).collect(),
            build: Build {
                hook: hook("build", "command-build"),
                repository: None,
                branch: "main".into(),
                builder: hosts[0].clone(),
            },
            application: Application {
                hosts: hosts.to_vec(),
                directory: "/srv/shop".into(),
                linked_dirs: Vec::new(),
                linked_files: Vec::new(),
                keep_releases: 5,
                driver: Driver::Detached,
                start: vec!["bin/shop".into()],
                migrate: Some(vec!["bin/shop".into(), "migrate".into()]),
                user: None,
                stop_timeout: Duration::from_secs(30),
                listen: "127.0.0.1".into(),
                env: BTreeMap::new(),
                env_files: Vec::new(),
                blue: color(4001),
                green: color(4002),
                release_marker: None,
            },
            health_check: HealthCheck {
                hook: hook("health-check", "http-health"),
                interval: Duration::from_secs(1),
                healthy_after: 3,
                deadline: Duration::from_secs(60),
            },
            smoke_tests: Vec::new(),
            router: Router {
                hook: hook("router", "nginx"),
                names: routers.to_vec(),
                front_doors: Vec::new(),
            },
            pipeline: Pipeline {
                timeout: Duration::from_mins(30),
                strategy: Strategy::default(),
                watch: Duration::from_secs(60),
                drain_timeout: Duration::from_secs(30),
                connections: ConnectionPolicy::Wait,
                retire: Retire::KeepWarm,
                parallel: 32,
                max_excluded: MaxExcluded::NONE,
                max_age: None,
            },
            secrets: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
impl Release {
    /// A release of which nothing else is known.
    pub(crate) fn for_tests(id: &str, number: u64) -> Self {
        Self::new(ReleaseId::parse(id).expect("an identifier"), number, Timestamp(0))
    }
}

fn hook(title: &str, name: &str) -> Hook {
    Hook {
        title: title.into(),
        source: HookSource::Builtin(name.into()),
        settings: serde_json::json!({}),
        timeout: Duration::from_secs(5),
        grants: Grants::default(),
        bundled_grants: true,
        limits: Limits::default(),
        location: Location::default(),
        sha256: None,
        locked: None,
    }
}
