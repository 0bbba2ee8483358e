//! A deployment for tests: two hosts behind a router of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_host::operation::Facts;

use crate::model::grant::Grants;
use crate::model::{
    Application, Build, ColorSettings, ConnectionPolicy, Deployment, Driver, HealthCheck, Hook, HookSource,
    Host, HostName, Location, Pipeline, Reach, ReleaseId, Retire, Router,
};

/// `shop/production` with the given driver.
pub(crate) fn deployment(driver: Driver) -> Deployment {
    let hook = |title: &str, builtin: &str| Hook {
        title: title.to_owned(),
        source: HookSource::Builtin(builtin.to_owned()),
        settings: serde_json::json!({}),
        timeout: Duration::from_secs(5),
        grants: Grants::default(),
        bundled_grants: true,
        location: Location::default(),
    };
    let host = |text: &str, address: &str| Host {
        name: name(text),
        reach: Reach::Ssh {
            destination: format!("deploy@{text}.example.com"),
            identity_file: None,
            helper_directory: "~/.cache/cutover".to_owned(),
        },
        address: address.to_owned(),
    };
    let hosts = [host("web1", "10.0.0.11"), host("web2", "10.0.0.12"), host("lb1", "10.0.0.1")];
    let color = |port| ColorSettings { port, ..ColorSettings::default() };
    Deployment {
        app: name("shop"),
        environment: Some(name("production")),
        confirm: false,
        root: "/home/me/shop".into(),
        hosts: hosts.into_iter().map(|host| (host.name.clone(), host)).collect(),
        build: Build {
            hook: hook("build", "command-build"),
            repository: None,
            branch: "main".to_owned(),
            builder: name("web1"),
        },
        application: Application {
            hosts: vec![name("web1"), name("web2")],
            directory: "/srv/shop".to_owned(),
            linked_dirs: Vec::new(),
            linked_files: Vec::new(),
            keep_releases: 5,
            driver,
            start: ["bin/shop", "--port", "{port}"].map(str::to_owned).to_vec(),
            migrate: None,
            user: None,
            stop_timeout: Duration::from_secs(30),
            listen: "{address}".to_owned(),
            env: BTreeMap::new(),
            env_files: vec!["shared/.env".to_owned()],
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
        router: Router { hook: hook("router", "nginx"), names: vec![name("lb1")], front_doors: Vec::new() },
        pipeline: Pipeline {
            timeout: Duration::from_secs(1800),
            watch: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(30),
            connections: ConnectionPolicy::Wait,
            retire: Retire::KeepWarm,
            parallel: 32,
            max_age: None,
        },
        secrets: BTreeMap::new(),
    }
}

pub(crate) fn name(text: &str) -> HostName {
    HostName::new(text).expect("a name")
}

pub(crate) fn release() -> ReleaseId {
    ReleaseId::parse("20260101T000000Z-0a1b2c3d-wxyz").expect("an identifier")
}

/// What a host says of which `user` is the login.
pub(crate) fn facts(user: &str, uid: u32) -> Facts {
    let home = if uid == 0 { "/root".to_owned() } else { format!("/home/{user}") };
    Facts { user: user.to_owned(), uid, home, systemd: true, ..Facts::default() }
}
