//! One deployment to many hosts: how long it takes, in how much memory, and how many connections wait to be let in at once.
//!
//! One SSH server leads to all of them, since what it refuses is what counts: beyond `MaxStartups` (10:30:100 by default) it drops
//! connections that have not been let in yet.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use test_support::{Running, Test, demo_program};

use crate::world::configure;

/// What one deployment came to.
struct Deployment {
    took: Duration,
    /// The most that the engine's process had in memory.
    memory_kib: u64,
    /// The most that waited at once to be let in.
    startups: usize,
}

/// Deploys twice, and prints the figures.
pub(crate) fn measure(hosts: u8, as_json: bool) {
    let Some(mut test) = Test::crowd(env!("CARGO_BIN_EXE_cutover"), hosts) else { return };
    configure(&mut test);
    test.configure("deadline = \"15s\"", "deadline = \"60s\"");
    test.set_up();
    let tree = test.scratch().directory("tree");
    fs::create_dir(tree.join("bin")).expect("a directory");
    fs::copy(demo_program(), tree.join("bin/shop")).expect("the program");
    let deploy = |version: &str| {
        fs::write(tree.join("behaviour"), format!("version = {version}\n")).expect("written");
        let deployment = deploy(&test, &tree.display().to_string());
        let page = test.front_door("/");
        assert!(page.body.starts_with(version), "{}", page.body);
        deployment
    };
    let (first, next) = (deploy("v1"), deploy("v2"));
    let log = test.hosts[0].1.log();
    let refused = log.lines().filter(|line| line.contains("MaxStartups")).count();
    if as_json {
        let figures = |of: &Deployment| {
            let memory = of.memory_kib;
            json!({ "took_ms": of.took.as_millis(), "memory_kib": memory, "startups_at_once": of.startups })
        };
        let (first, next) = (figures(&first), figures(&next));
        println!(
            "{}",
            json!({ "hosts": hosts, "first": first, "next": next, "connections_refused": refused })
        );
        return;
    }
    println!(
        "| {hosts} hosts | time | memory of the engine | waiting to be let in at once |\n|---|---|---|---|"
    );
    for (name, Deployment { took, memory_kib, startups }) in
        [("first deployment, which brings the helper", first), ("next one", next)]
    {
        println!("| {name} | {:.1} s | {} MiB | {startups} |", took.as_secs_f64(), memory_kib / 1024);
    }
    println!("\nconnections that the SSH server refused: {refused}");
}

fn deploy(test: &Test, tree: &str) -> Deployment {
    let command = test.command(&["--json", "deploy", "--artifact", tree]);
    let begun = Instant::now();
    let running = Running::start(&test.desk, command);
    let engine = running.id().expect("it runs");
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let (mut memory, mut startups) = (0, 0);
            while !ended.load(Ordering::Relaxed) {
                memory = memory_kib(engine).unwrap_or(memory).max(memory);
                startups = test.hosts[0].1.startups().unwrap_or_default().max(startups);
                thread::sleep(Duration::from_millis(1));
            }
            (memory, startups)
        });
        let _ = running.finish().expect(0);
        let took = begun.elapsed();
        ended.store(true, Ordering::Relaxed);
        let (memory_kib, startups) = looking.join().expect("it looks");
        Deployment { took, memory_kib, startups }
    })
}

/// The most that a process has had in memory so far.
fn memory_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
