//! End-to-end tests: the program as people run it, against real peers on simulated machines. One file a promise.

#![expect(clippy::unwrap_used, reason = "a test ends, loudly, at what its set-up can't do")]

mod against;
mod already_live;
mod apache;
mod attending;
mod author;
mod aws_alb;
mod bad_days;
mod builder;
mod caddy;
mod canary;
mod canary_routers;
mod changed_configuration;
mod cloud_foundry;
mod command_driver;
mod commit_points;
mod conformance;
mod console;
mod deploy_user;
mod every_router;
mod failed_releases;
mod faults_of_hosts;
mod faults_of_instances;
mod faults_of_routers;
mod first_deployment;
mod fleet;
mod foreign_journal;
mod guide;
mod haproxy;
mod haproxy_faults;
mod haproxy_servers;
mod hook_cases;
mod hook_lock;
mod hooks;
mod hosts_with_systemd;
mod interrupt;
mod kubernetes;
mod launch;
mod lock;
mod maintenance;
mod never_settles;
mod nginx_sites;
mod object_store;
mod odd_hosts;
mod openings;
mod partial_fleet;
mod partitions;
mod peers;
mod proxy;
mod proxy_life;
mod proxy_protocols;
mod python_hook;
mod readiness;
mod readme;
mod recording;
mod registry;
mod resume;
mod rollback;
mod rolling;
mod routed;
mod routers_away;
mod routers_meanwhile;
mod routers_refuse;
mod scripts;
mod secrets;
mod shared_router;
mod smoke_test;
mod state_home;
mod systemd;
mod traefik;
mod trust;
mod two_routers;
mod unreachable_hosts;
mod varnish;
mod watch;
mod websockets;
mod zero_lost_requests;

use test_support::{Behaviour, Ended, Test};

/// Everything on one machine.
fn local() -> Option<Test> {
    Test::local(env!("CARGO_BIN_EXE_cutover"))
}

/// Two machines for the application, one for the router, over SSH.
fn fleet() -> Option<Test> {
    Test::fleet(env!("CARGO_BIN_EXE_cutover"))
}

/// The same, set up, and with version `v1` live.
fn with_v1(world: Option<Test>) -> Option<Test> {
    let mut test = world?;
    test.set_up();
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v1 blue");
    Some(test)
}

/// What a person reads, without nginx's own times and process numbers.
fn told(test: &Test, ended: Ended) -> String {
    let text = test.normalise(&(ended.stdout + &ended.stderr));
    let line = |line: &str| match line.split_once("[emerg]") {
        Some((_, said)) => format!("  [emerg] {}\n", said.split_once(": ").unwrap().1),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}
