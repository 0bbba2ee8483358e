//! Killed at any change of any host, the engine, what it talks to, or both: one command reaches an end, and nobody notices.
//!
//! The engine halts at the change that a test names (see `transport/halt.rs`): before it is sent, once it is sent, once it is answered. Then
//! it is killed, or its helpers on the hosts are, or both at once.

use std::path::Path;

use rustix::process::Signal;
use test_support::{Behaviour, Ended, Haproxy, Oracle, Running, Test};

use crate::{fleet, haproxy, with_v1};

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Engine,
    Helpers,
    Both,
}

/// Where the engine halts in a change, and who is killed there.
const WAYS: [(&str, Victim); 7] = [
    ("before", Victim::Engine),
    ("sent:3", Victim::Both),
    ("answered", Victim::Engine),
    ("sent:1", Victim::Helpers),
    ("answered", Victim::Both),
    ("sent:9", Victim::Engine),
    ("before", Victim::Helpers),
];

/// By day every so many changes one is tried, each in another way than the one before.
const STRIDE: usize = 3;

/// Behind HAProxy, whose hook differs from nginx's in what it changes and not in how, fewer: of a deployment, and of the way back.
const STRIDES_BEHIND_HAPROXY: [usize; 2] = [6 * STRIDE, 13 * STRIDE];

fn is_night() -> bool {
    std::env::var_os("CUTOVER_TEST_NIGHTLY").is_some()
}

#[test]
fn every_change_of_a_deployment() {
    let Some(mut test) = with_v1(fleet()) else { return };
    let (stride, turns): (_, &[usize]) = if is_night() { (1, &[0, 2, 4, 6]) } else { (STRIDE, &[0]) };
    deployment(&mut test, stride, turns);
}

#[test]
fn every_change_of_the_way_back() {
    let Some(test) = with_v1(fleet()) else { return };
    let (stride, turns): (_, &[usize]) = if is_night() { (2, &[0, 3]) } else { (2 * STRIDE, &[0]) };
    way_back(&test, stride, turns);
}

#[test]
fn every_change_of_a_deployment_behind_haproxy() {
    let Some(mut world) = haproxy::with_v1(fleet()) else { return };
    let (stride, turns): (_, &[usize]) =
        if is_night() { (1, &[0, 3]) } else { (STRIDES_BEHIND_HAPROXY[0], &[0]) };
    deployment(&mut world.test, stride, turns);
}

#[test]
fn every_change_of_the_way_back_behind_haproxy() {
    // What HAProxy's own checks find sick, it has no server for, whoever is at work. So they ask for another page here.
    let settings = |haproxy: &Haproxy| haproxy.settings().replace("\"/up\"", "\"/deployment_id\"");
    let Some(world) = haproxy::live(haproxy::routed_by(fleet(), settings)) else { return };
    let (stride, turns): (_, &[usize]) =
        if is_night() { (2, &[0]) } else { (STRIDES_BEHIND_HAPROXY[1], &[1]) };
    way_back(&world.test, stride, turns);
}

fn deployment(test: &mut Test, stride: usize, turns: &[usize]) {
    test.configure("watch = \"2s\"", "watch = \"500ms\"");
    sweep(test, "", Behaviour::Sound, &[], stride, turns);
}

/// The release is sick soon after the switch.
fn way_back(test: &Test, stride: usize, turns: &[usize]) {
    sweep(test, "sick-", Behaviour::SickAfterVisits(40), &[0, 10, 11, 20], stride, turns);
}

/// A release that is warm is deployed again by other words each time. In whatever way that ends, each release is started by the words of the
/// deployment that put it live last.
#[test]
fn every_change_of_a_release_that_is_deployed_again() {
    let Some(mut test) = fleet() else { return };
    test.configure("watch = \"2s\"", "watch = \"500ms\"")
        .configure("\nblue = ", "\nenv = { ROUND = \"first\" }\nblue = ");
    let Some(mut test) = with_v1(Some(test)) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    let mut words = ["first", "first"].map(str::to_owned);
    let mut configured = "first".to_owned();
    for (round, change) in (0..).step_by(if is_night() { 1 } else { 3 * STRIDE }).enumerate() {
        let (moment, victim) = WAYS[round % WAYS.len()];
        let before = test.live();
        let other = usize::from(before.starts_with("v1 "));
        let (version, number) = (format!("v{}", other + 1), (other + 1).to_string());
        let next = format!("{change}-{moment}-{victim:?}").to_lowercase();
        test.configure(&format!("ROUND = \"{configured}\""), &format!("ROUND = \"{next}\""));
        configured = next;
        let load = test.load();
        let running = Running::halting(
            &test,
            &["deploy", "--release", &number, "--json"],
            &format!("{change}:{moment}"),
        );
        let reached = running.wait_until_halted();
        let ended = kill(&test, running, reached, victim);
        if reached {
            recover(&test, &before, &version, victim, &ended, &[]);
        }
        load.finish().assert_none_failed();
        if test.live() != before {
            words[other].clone_from(&configured);
        }
        for (release, expected) in ["1", "2"].into_iter().zip(&words) {
            for host in ["web1", "web2"] {
                let args = ["exec", "--release", release, "--host", host, "--", "printenv", "ROUND"];
                assert_eq!(
                    test.cutover(&args).expect(0).stdout.trim_end(),
                    expected,
                    "{configured}: {release} {host}"
                );
            }
        }
        let _ = test
            .cutover(&["rollback", "--to", if test.live().starts_with("v1 ") { "2" } else { "1" }])
            .expect(0);
        if !reached {
            assert!(round > 3, "only {change} changes: {ended:?}");
            break;
        }
    }
}

/// Deploys again and again, halted at one change after the other, until a deployment has no more of them.
fn sweep(test: &Test, prefix: &str, behaviour: Behaviour, ends: &[i32], stride: usize, turns: &[usize]) {
    for turn in turns {
        for (round, change) in (0..).step_by(stride).enumerate() {
            let (moment, victim) = WAYS[(round + turn) % WAYS.len()];
            let way = format!("{moment}-{victim:?}").to_lowercase().replace(':', "-");
            let version = format!("{prefix}{change}-{way}");
            let before = test.live();
            test.repository.push(&version, behaviour);
            let (load, oracle) = (test.load(), Oracle::start(test));
            let running = Running::halting(test, &["deploy", "--json"], &format!("{change}:{moment}"));
            let reached = running.wait_until_halted();
            let ended = kill(test, running, reached, victim);
            if reached {
                recover(test, &before, &version, victim, &ended, ends);
            }
            load.finish().assert_none_failed();
            let seen = oracle.finish();
            assert!(seen.looks > 0 && seen.violations.is_empty(), "{version}: {:?}", seen.violations);
            if !reached {
                assert!(change > 24, "only {change} changes: {ended:?}");
                break;
            }
        }
    }
}

fn kill(test: &Test, running: Running, halted: bool, victim: Victim) -> Ended {
    if !halted {
        return running.finish();
    }
    if victim != Victim::Engine {
        for (machine, _) in &test.hosts {
            // The supervisors of instances are the same program, and live on.
            let _ = machine
                .command("pkill", Path::new("/"))
                .args(["-KILL", "-f", "^[^ ]*cutover[^ ]* serve$"])
                .status();
        }
    }
    if victim == Victim::Helpers {
        running.signal(Signal::CONT);
        running.finish()
    } else {
        running.kill()
    }
}

/// At the end of one command, if one is needed at all, everything is as it was, or as it was to be.
#[expect(clippy::print_stdout, reason = "`cargo xtask prove` counts them")]
fn recover(test: &Test, before: &str, version: &str, victim: Victim, ended: &Ended, ends: &[i32]) {
    let whole = [0, 10, 11, 20];
    if victim == Victim::Helpers {
        // It connects again and goes on; or else says that someone has to.
        assert!(whole.contains(&ended.status) || ended.status == 21, "{version}: {ended:?}");
        if ended.status == 21 {
            println!("{version}: {}", ended.last_event());
        }
    }
    let mut status = ended.status;
    if !whole.contains(&status) {
        let resumed = test.cutover(&["resume"]);
        assert!(whole.contains(&resumed.status), "{version}: {ended:?} {resumed:?}");
        status = resumed.status;
    }
    assert!(ends.is_empty() || ends.contains(&status), "{version}: {status}");
    let live = test.live();
    assert!(
        live == before || (ends.is_empty() && live.starts_with(&format!("{version} "))),
        "{version}: {live}"
    );
    let again = test.cutover(&["resume"]).expect(0);
    assert!(again.stdout.contains("no deployment"), "{version}: {again:?}");
    assert_eq!(test.live(), live);
    let _ = test.cutover(&["status", "--check"]).expect(0);
    println!("killed: {version}, {}", ended.status);
}
