//! What `status` shows of a sound world, and of one in trouble.

use super::views::name;
use super::{NOW, ago, release};
use crate::model::view::{
    Behind, FrontDoorStatus, IdleStatus, InstanceState, InstanceStatus, LiveStatus, LockStatus, ReleaseState,
    ReleaseStatus, RouterStatus, StatusView, Unfinished,
};
use crate::model::{Color, Observation, Release, Routing};

pub(in crate::report) fn status() -> StatusView {
    let instance =
        |host: &str, color, release, state, port, up: Option<u64>, health: Option<&str>| InstanceStatus {
            host: name(host),
            color,
            release: Some(release),
            state,
            port,
            up_since: up.map(ago),
            health: health.map(str::to_owned),
        };
    let (two_days, nine_days) = (Some(187_200), Some(800_000));
    StatusView {
        title: "shop/production".to_owned(),
        asked: NOW,
        live: Some(LiveStatus {
            color: Color::Green,
            release: release(43),
            since: ago(187_200),
            who: "ann@desk".to_owned(),
            ci: Some("CI run 812".to_owned()),
            excluded: Vec::new(),
        }),
        record_problem: None,
        maintenance: None,
        idle: Some(IdleStatus { color: Color::Blue, release: Some(release(42)), warm: 1, instances: 2 }),
        behind: Some(Behind { branch: "main".to_owned(), commits: 14, oldest: Some(ago(259_200)) }),
        lock: LockStatus::Free,
        unfinished: None,
        traffic: Some(Color::Green),
        shares: None,
        instances: vec![
            instance("web1", Color::Green, 43, InstanceState::Live, 4002, two_days, Some("200, 3 ms")),
            instance("web1", Color::Blue, 42, InstanceState::Warm, 4001, nine_days, Some("200, 2 ms")),
            instance("web2", Color::Green, 43, InstanceState::Live, 4002, two_days, Some("200, 3 ms")),
            instance("web2", Color::Blue, 42, InstanceState::Stopped, 4001, None, None),
        ],
        releases: Vec::new(),
        routers: vec![RouterStatus {
            name: name("lb1"),
            observation: Some(Observation {
                routing: Some(Routing::all_to(Color::Green)),
                settled: true,
                labels: Vec::new(),
            }),
            agrees: true,
            problem: None,
        }],
        front_doors: vec![FrontDoorStatus {
            url: "https://shop.example.com/up".to_owned(),
            ok: true,
            says: "says release 43".to_owned(),
        }],
        warnings: vec!["web2 blue is not warm: rollback must start it first (~6 s)".to_owned()],
        drift: Vec::new(),
        too_old: None,
    }
}

/// With the releases that are on the hosts.
pub(in crate::report) fn status_with_releases() -> StatusView {
    let found = |number, state, size, hosts: &[&str], lacking: &[&str]| {
        let names = |hosts: &[&str]| hosts.iter().map(|host| name(host)).collect();
        let release = Release { size, created: ago((44 - number) * 90_000), ..release(number) };
        ReleaseStatus { release, state, hosts: names(hosts), lacking: names(lacking) }
    };
    let both = &["web1", "web2"];
    StatusView {
        releases: vec![
            found(43, ReleaseState::Live, 48_213_111, both, &[]),
            found(42, ReleaseState::Warm, 48_210_000, both, &[]),
            found(41, ReleaseState::NeverLive, 48_209_000, &["web1"], &["web2"]),
            found(40, ReleaseState::Kept, 47_000_000, both, &[]),
        ],
        ..status()
    }
}

/// Everything that can be wrong is.
pub(in crate::report) fn status_in_trouble() -> StatusView {
    let mut view = status();
    view.behind = None;
    view.lock = LockStatus::Held {
        who: "ci@runner7".to_owned(),
        command: "deploy".to_owned(),
        deployment: "01J9ZQ3N7P8T5V6W7X8Y9Z0A1B".to_owned(),
        since: ago(90),
        step: "watch".to_owned(),
        epoch: 17,
        gone: None,
    };
    view.unfinished = Some(Unfinished {
        deployment: "01J9ZQ3N7P8T5V6W7X8Y9Z0A1B".to_owned(),
        command: "deploy".to_owned(),
        who: "ci@runner7".to_owned(),
        since: ago(90),
        step: "watch".to_owned(),
        color: Color::Blue,
        release: 44,
        ways: "`cutover resume --forward` goes on with it, `cutover abort` puts everything back".to_owned(),
    });
    view.traffic = None;
    view.idle = Some(IdleStatus { color: Color::Blue, release: None, warm: 0, instances: 2 });
    view.instances[2].state = InstanceState::Sick;
    view.instances[2].health = Some("connection refused".to_owned());
    view.instances[3].state = InstanceState::Unknown;
    view.instances[3].release = None;
    view.routers[0].agrees = false;
    view.routers[0].observation =
        Some(Observation { routing: Some(Routing::all_to(Color::Blue)), settled: false, labels: Vec::new() });
    view.routers.push(RouterStatus {
        name: name("lb2"),
        observation: None,
        agrees: false,
        problem: Some("connection timed out".to_owned()),
    });
    view.front_doors[0].ok = false;
    view.front_doors[0].says = "connection refused".to_owned();
    view.warnings = Vec::new();
    view.drift = vec!["router lb1 shows blue, the record says green".to_owned()];
    view.too_old = Some("release 43 has been live for 2 d, allowed are 1 d".to_owned());
    view
}
