//! Each finding, by table: a sound world with one thing changed.

use super::*;
use crate::driver::sample;
use crate::model::view::{
    Finding, FrontDoorStatus, HostCheck, InstanceStatus, LiveStatus, LockStatus, RouterStatus,
};
use crate::model::{Color, Driver, Observation, Observed, Origin, Plan, Release, Routing, Wish};
use crate::run::home::examine::sample::{NOW, examined, lineage, state};
use crate::store::Membership;

const OPEN: &str = "01HF00000000000000000000AA";

/// `web1` and `web2` behind `lb1`; green is live.
fn sound() -> Seen {
    let own = || lineage(1);
    let hosts = [
        (sample::name("lb1"), Ok(examined(state(Membership::home(own()), 7)))),
        (sample::name("web1"), Ok(examined(state(Membership::host(own()), 6)))),
        (sample::name("web2"), Ok(examined(state(Membership::host(own()), 6)))),
    ];
    let instance = |host: &str, color, state| InstanceStatus {
        host: sample::name(host),
        color,
        release: Some(43),
        state,
        port: 4002,
        up_since: None,
        health: None,
    };
    let seen =
        Observation { routing: Some(Routing::all_to(Color::Green)), settled: true, labels: Vec::new() };
    let status = StatusView {
        releases: Vec::new(),
        title: "shop/production".to_owned(),
        asked: Timestamp(NOW),
        record_problem: None,
        maintenance: None,
        live: Some(LiveStatus {
            color: Color::Green,
            release: Release::for_tests("r43", 43),
            since: Timestamp(0),
            who: "ann@desk".to_owned(),
            ci: None,
            excluded: Vec::new(),
        }),
        idle: None,
        behind: None,
        lock: LockStatus::Free,
        unfinished: None,
        traffic: Some(Color::Green),
        shares: None,
        instances: vec![
            instance("web1", Color::Green, InstanceState::Live),
            instance("web1", Color::Blue, InstanceState::Stopped),
            instance("web2", Color::Green, InstanceState::Live),
        ],
        routers: vec![RouterStatus {
            name: sample::name("lb1"),
            observation: Some(seen),
            agrees: true,
            problem: None,
        }],
        front_doors: vec![FrontDoorStatus {
            url: "https://shop.example.com/up".to_owned(),
            ok: true,
            says: "says release 43".to_owned(),
        }],
        warnings: Vec::new(),
        drift: Vec::new(),
        too_old: None,
    };
    let confinement = Confinement { landlock: true, seccomp: true };
    Seen { hosts: hosts.into_iter().collect(), checks: Vec::new(), status, dead_holder: false, confinement }
}

fn host<'a>(seen: &'a mut Seen, name: &str) -> &'a mut Examined {
    seen.hosts.get_mut(&sample::name(name)).expect("a host").as_mut().expect("it answered")
}

fn home(seen: &mut Seen) -> &mut StateSight<Record> {
    &mut host(seen, "lb1").states[0]
}

fn held(seen: &mut Seen, silent_ms: u64) {
    let holder = LockHolder {
        who: "ci@runner".into(),
        deployment: OPEN.into(),
        command: "deploy".into(),
        process: None,
    };
    let renewed_ms = NOW - silent_ms;
    let lock =
        Lock { version: 1, epoch: 7, holder: Some(holder), renewed_ms, step: "watch".into(), acquired_ms: 1 };
    home(seen).lock = Ok(lock);
}

/// A deployment whose journal says no more than its plan.
fn open(seen: &mut Seen, deployment: &Deployment, torn: bool) {
    let wish = Wish::new("deploy", OPEN.to_owned(), Release::for_tests("r44", 44), false, Timestamp(NOW));
    let nothing = Observation { routing: Some(Routing::none()), settled: true, labels: Vec::new() };
    let world = Observed { routers: vec![(sample::name("lb1"), nothing)], ..Observed::default() };
    let plan = Plan::new(deployment, &wish, &world).expect("a plan");
    let origin = Origin { who: "ann@desk".to_owned(), ..Origin::default() };
    let records = vec![(Timestamp(NOW), Record::Planned { plan: Box::new(plan), origin })];
    let state = home(seen);
    state.open = Ok(Some(OPEN.to_owned()));
    state.journal =
        Some(Ok(ReadJournal { deployment: OPEN.to_owned(), records, torn: torn.then(|| "{".to_owned()) }));
}

fn found(change: impl FnOnce(&mut Seen)) -> Vec<String> {
    found_for(&sample::deployment(Driver::Detached), change)
}

fn found_for(deployment: &Deployment, change: impl FnOnce(&mut Seen)) -> Vec<String> {
    let mut seen = sound();
    change(&mut seen);
    let view = diagnose(deployment, &seen);
    let line = |finding: &Diagnosis| {
        let place = finding.place.as_deref().unwrap_or("-");
        let fix = finding.fix.as_deref().unwrap_or("-");
        format!("{:?} {} {place}: {} -> {fix}", finding.severity, finding.code, finding.text)
    };
    view.findings.iter().map(line).collect()
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    assert_eq!(found(|_| ()), Vec::<String>::new());
}

#[test]
fn the_lock_and_what_has_no_end() {
    let deployment = sample::deployment(Driver::Detached);
    assert_eq!(
        found(|seen| held(seen, 10_000)),
        [
            "Note lock/held lb1: `deploy` by ci@runner is under way, at step `watch` -> wait for it; `cutover state \
          show` tells how long it has been silent"
        ]
    );
    assert_eq!(
        found(|seen| held(seen, 300_000)),
        ["Warning lock/lapsed lb1: the lock is held by ci@runner: no sign of life for 5 m -> the next \
          run takes it over; to free it now: `cutover unlock --epoch 7`"]
    );
    let shut_out = found(|seen| {
        held(seen, 300_000);
        home(seen).fence = Ok(8);
    });
    assert!(!shut_out.iter().any(|line| line.contains(" lock/")), "{shut_out:?}");
    let unfinished = format!(
        "Problem deploy/unfinished lb1: deploy {OPEN} has not ended, begun by ann@desk, got to lock -> `cutover \
         resume --forward` goes on with it, `cutover abort` puts everything back"
    );
    assert_eq!(found(|seen| open(seen, &deployment, false)), [unfinished.as_str()]);
    let gone = found(|seen| {
        held(seen, 1000);
        seen.dead_holder = true;
        open(seen, &deployment, true);
    });
    let dead = "Warning lock/lapsed lb1: the lock is held by ci@runner: its process is gone -> `cutover resume` \
                takes it over and ends what was begun";
    let torn = format!(
        "Warning journal/torn lb1: the last line of the journal of {OPEN} is torn: nothing was done on its \
         strength -> `cutover resume` sets that line aside and ends the deployment, `cutover abort` puts it back"
    );
    assert_eq!(gone, [unfinished, dead.to_owned(), torn]);
    // A live holder's last line may be half written at any time.
    let at_work = found(|seen| {
        held(seen, 1000);
        open(seen, &deployment, true);
    });
    assert_eq!(at_work.len(), 1, "{at_work:?}");
}

#[test]
fn a_kernel_that_does_not_confine_hooks_of_strangers() {
    let lacking = Confinement { landlock: false, seccomp: false };
    assert_eq!(found(|seen| seen.confinement = lacking), [""; 0], "its hooks came with the program");
    let mut deployment = sample::deployment(Driver::Detached);
    deployment.router.hook.source = HookSource::File("hooks/lb.wasm".into());
    assert_eq!(
        found_for(&deployment, |seen| seen.confinement = lacking),
        [
            "Warning hook/confinement this machine: its kernel has no Landlock and no seccomp: WebAssembly alone \
             keeps hooks in -> run them where the kernel has it: Landlock is in Linux since 5.13, and has to be in its \
             `lsm=` list"
        ]
    );
}

#[test]
fn a_journal_that_is_broken_or_foreign() {
    let broken = found(|seen| {
        let state = home(seen);
        state.open = Ok(Some(OPEN.to_owned()));
        state.journal = Some(Err(StoreFault::JournalBroken {
            host: sample::name("lb1"),
            path: "/state/journal/x.jsonl".to_owned(),
            line: 3,
            reason: "is damaged".to_owned(),
        }));
    });
    assert_eq!(
        broken,
        [
            "Problem state/journal-broken lb1: line 3 of `/state/journal/x.jsonl` on `lb1` is damaged -> `cutover \
          state recover` sets the file aside and goes by what hosts and routers show; until then only `cutover \
          status` and `cutover doctor` work"
        ]
    );
    let mut other = sample::deployment(Driver::Detached);
    other.application.hosts.push(sample::name("db1"));
    other.hosts.insert(sample::name("db1"), other.hosts[&sample::name("web1")].clone());
    let foreign = found(|seen| open(seen, &other, false));
    assert_eq!(foreign.len(), 1, "{foreign:?}");
    assert!(foreign[0].starts_with("Problem journal/foreign lb1: the journal of"), "{foreign:?}");
}

#[test]
fn lines_homes_and_fences_that_do_not_agree() {
    let other = found(|seen| host(seen, "web1").states = vec![state(Membership::host(lineage(2)), 3)]);
    assert_eq!(other.len(), 1);
    assert!(other[0].starts_with("Problem state/lineage web1: "), "{other:?}");
    let second = found(|seen| host(seen, "web1").states = vec![state(Membership::home(lineage(1)), 3)]);
    assert!(second[0].starts_with("Problem state/second-home lb1: "), "{second:?}");
    // The home under another name.
    assert!(
        found(|seen| host(seen, "web1").states = vec![state(Membership::home(lineage(1)), 7)]).is_empty()
    );
    let both = found(|seen| {
        let twice = StateSight { path: "/other".to_owned(), ..state(Membership::host(lineage(1)), 6) };
        host(seen, "web1").states.push(twice);
    });
    assert!(both[0].starts_with("Problem state/two-states web1: "), "{both:?}");
    let lost = found(|seen| host(seen, "lb1").states.clear());
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert!(lost[0].starts_with("Problem state/lost lb1: `web1`, `web2` belong to lineage `"), "{lost:?}");
    assert_eq!(
        found(|seen| host(seen, "web2").states[0].fence = Ok(40)),
        [
            "Problem fence/beyond web2: it was fenced with epoch 40, and the lock on `lb1` is at 7: the home was put \
          back to an older state -> `cutover state recover` begins above every epoch that a host has seen"
        ]
    );
    let silent = found(|seen| {
        let trouble =
            Trouble::new("host/unreachable", "host `web2` can't be reached: refused").hint("turn it on");
        seen.hosts.insert(sample::name("web2"), Err(trouble));
    });
    assert_eq!(
        silent,
        ["Problem host/unreachable web2: host `web2` can't be reached: refused -> turn it on"]
    );
}

#[test]
fn a_file_of_the_host_side_that_is_spoilt() {
    let spoilt = found(|seen| {
        let message = "`/state/fence` is not what cutover wrote there".to_owned();
        let (host, kind) = (sample::name("lb1"), cutover_host::operation::FaultKind::Failed);
        home(seen).fence = Err(StoreFault::Refused { host, kind, message });
    });
    assert_eq!(
        spoilt,
        [
            "Problem state/refused lb1: `lb1`: `/state/fence` is not what cutover wrote there -> look at the file on \
          the host; where it is spoilt, move it away: of `fence` and `lock.json` each tells the epoch alone"
        ]
    );
}

#[test]
fn traffic_that_is_not_as_recorded() {
    let drift = found(|seen| {
        seen.status.routers[0].agrees = false;
        let routing = Some(Routing::all_to(Color::Blue));
        seen.status.routers[0].observation = Some(Observation { routing, settled: true, labels: Vec::new() });
    });
    assert_eq!(
        drift,
        [
            "Problem router/drift lb1: the router shows blue 100 %, the record says green -> put it back by hand, or \
          take its word for it: `cutover deploy --adopt`"
        ]
    );
    let sick = found(|seen| {
        seen.status.instances[2].state = InstanceState::Sick;
        seen.status.instances[2].health = Some("answers 500".to_owned());
    });
    assert_eq!(
        sick,
        [
            "Problem instance/sick web2: green is live by the record and not healthy: answers 500 -> `cutover logs \
          --host web2`; or go back: `cutover rollback`"
        ]
    );
    let left_out = found(|seen| {
        seen.status.live.as_mut().expect("something is live").excluded = vec![sample::name("web2")];
        let is_it = |it: &&mut InstanceStatus| it.color == Color::Green && it.host.as_str() == "web2";
        let it = seen.status.instances.iter_mut().find(is_it).expect("it is there");
        (it.state, it.release) = (InstanceState::Stopped, Some(41));
    });
    assert_eq!(
        left_out,
        [
            "Problem instance/left-out web2: it was left out when release 43 went live, and does not run that -> `cutover \
          deploy` brings it up to date"
        ]
    );
    let all_sick =
        found(|seen| seen.status.instances.iter_mut().for_each(|it| it.state = InstanceState::Sick));
    assert_eq!(all_sick.len(), 3, "{all_sick:?}");
    assert!(
        all_sick[0].starts_with("Problem colors/sick green: no instance of either colour"),
        "{all_sick:?}"
    );
    let unread = found(|seen| {
        seen.status.lock = LockStatus::Unknown { reason: "no answer".to_owned() };
        seen.status.live = None;
        seen.status.routers[0].agrees = false;
    });
    assert_eq!(unread, Vec::<String>::new(), "against a record that can't be read nothing can be held");
}

#[test]
fn clocks_room_and_leftovers() {
    let findings = found(|seen| {
        host(seen, "web1").ahead_ms = -86_400_000;
        host(seen, "web2").ahead_ms = 4000;
        host(seen, "web2").helpers = 3;
        host(seen, "web2").partials = vec!["01H".to_owned(), "01J".to_owned()];
        let told = |what: &str, verdict, text: &str, fix: Option<&str>| Finding {
            what: what.to_owned(),
            verdict,
            text: text.to_owned(),
            fix: fix.map(str::to_owned),
        };
        let findings = vec![
            told("clock", Verdict::Warning, "is told already", None),
            told("room", Verdict::Missing, "the file system is full", None),
            told("linger", Verdict::Missing, "processes end", Some("loginctl enable-linger deploy")),
            told("unit template", Verdict::Warning, "is old", Some("a\nb")),
        ];
        seen.checks = vec![HostCheck { host: "web1".to_owned(), facts: None, findings }];
    });
    assert_eq!(
        findings,
        [
            "Problem setup/room web1: room: the file system is full -> make room on the host",
            "Problem setup/linger web1: linger: processes end -> on web1: loginctl enable-linger deploy",
            "Warning clock/apart web1: its clock is 24 h behind this machine's -> set one of them right, as root: \
             `timedatectl set-ntp true`",
            "Warning setup/unit-template web1: unit template: is old -> `cutover setup` prints what to do on web1",
            "Note release/partial web2: 2 parts of releases were left behind by runs that were cut off -> the next \
             `cutover deploy` removes it",
            "Note helper/several web2: 3 builds of cutover were at work here lately -> use one version everywhere; \
             helpers that nobody uses are removed after a while",
        ]
    );
}
