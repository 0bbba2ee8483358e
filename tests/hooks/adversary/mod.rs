//! Every bad manner that we know of, one mode each: how it ends, to the word; that the engine grows little by it and is not held up; and that
//! the next hook still runs.
//!
//! `cargo xtask adversary` shows the table. It runs in a process of its own, since it measures that process's memory.

#![expect(clippy::print_stdout, reason = "the figures that `cargo xtask adversary` reads")]

mod components;
mod guests;
mod mode;
mod modules;
mod scripts;
mod servers;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use cutover::model::{Health, HookKind};
use serde_json::json;
use test_support::{Machine, skip};

use self::mode::Mode;
use super::stage::{Stage, call, hook, instance, nothing, stranger};

/// Tells a test process that it is the one to measure.
const ALONE: &str = "CUTOVER_TEST_ADVERSARY";
/// What it is told where it sees mounts of its own.
const WITH_MOUNTS: &str = "with mounts";
/// What begins the line with the figures, and the lines of modes that ended otherwise.
const FOUND: &str = "adversary: ";
/// By which the engine may grow in one mode.
const GROWTH_MIB: u64 = 32;
/// For which the engine may be held up past a deadline.
const DELAY: Duration = Duration::from_secs(1);
/// For a mode that ends too late.
const TRIES: usize = 3;

#[test]
fn every_mode_ends_exactly_and_the_next_hook_runs() {
    if std::env::var_os(ALONE).is_some() {
        return table();
    }
    let name = std::thread::current().name().unwrap().to_owned();
    let this = std::env::current_exe().unwrap();
    let mut alone = match Machine::can_isolate() {
        Ok(()) => {
            let mut unshare = Command::new("unshare");
            unshare.arg("--mount").arg(this).env(ALONE, WITH_MOUNTS);
            unshare
        }
        Err(reason) => {
            skip(&format!("modes with mounts: {reason}"));
            let mut this = Command::new(this);
            this.env(ALONE, "without");
            this
        }
    };
    let ended = alone.args([&name, "--exact", "--nocapture"]).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    let found: Vec<&str> = said.lines().filter_map(|line| Some(&line[line.find(FOUND)?..])).collect();
    println!("{}", found.join("\n"));
    let figures = found.iter().find_map(|line| line.strip_prefix(FOUND).filter(|line| line.starts_with('{')));
    let figures: serde_json::Value = serde_json::from_str(figures.unwrap()).unwrap();
    assert!(ended.status.success(), "{said}\n{}", String::from_utf8_lossy(&ended.stderr));
    assert!(figures["modes"].as_u64() >= Some(30), "{figures}");
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn table() {
    let stage = Stage::new();
    let next = hook(json!({"do": "answer"}), nothing(), Duration::from_secs(30));
    let next = stage.try_load(&next, HookKind::HealthCheck, stranger()).await.unwrap();
    let (mut modes, mut exact, mut most, mut next_ok, mut wrong) = (0, 0, 0, true, Vec::new());
    let mounts = std::env::var(ALONE).is_ok_and(|told| told == WITH_MOUNTS);
    for mode in
        guests::all(stage.place.path(), mounts).into_iter().chain(modules::all()).chain(scripts::all())
    {
        modes += 1;
        let wasm = mode.component.wasm();
        let before = memory_kib("VmRSS:");
        forget_the_peak();
        let (mut ended, mut late) = run(&stage, &mode, wasm).await;
        // A machine that is busy is late now and then; a hook that holds the engine up does it every time.
        for _ in 1..TRIES {
            if late > DELAY {
                (ended, late) = run(&stage, &mode, mode.component.wasm()).await;
            }
        }
        let growth = memory_kib("VmHWM:").saturating_sub(before).div_ceil(1024);
        most = most.max(growth);
        if ended == mode.expected && late <= DELAY && growth <= GROWTH_MIB {
            exact += 1;
        } else {
            let (name, expected) = (mode.name, &mode.expected);
            let text = format!("{name}: {ended}\n  expected: {expected}\n  {growth} MiB, {late:?} late");
            wrong.push(text);
        }
        let answer = next.check_health(&call(Vec::new()), &instance(1), stage.access()).await;
        next_ok &= answer.result == Ok(Health::Starting("answered".to_owned()));
    }
    for line in wrong.iter().flat_map(|text| text.lines()) {
        println!("{FOUND}{line}");
    }
    let figures = json!({"modes": modes, "exact": exact, "max_growth_mib": most, "next_hook_ok": next_ok});
    println!("{FOUND}{figures}");
    assert!(wrong.is_empty() && next_ok);
}

/// How a mode ended, in one line, and for how long after its deadline it went on.
async fn run(stage: &Stage, mode: &Mode, wasm: Vec<u8>) -> (String, Duration) {
    let heard = stage.heard().len();
    let hook = mode.hook();
    let pool = mode.component.pool(stage);
    let loaded = match pool.load(&hook, mode.kind, wasm, stage).await {
        Ok(loaded) => loaded,
        Err(fault) => {
            return (mode.plain(stage, &format!("refused {}: {fault}", fault.code())), Duration::ZERO);
        }
    };
    let begun = Instant::now();
    let (mut ended, denials) = mode.ask(&loaded, stage).await;
    let late = begun.elapsed().saturating_sub(hook.timeout);
    for denied in denials {
        ended.push_str(&format!(" | denied {denied}"));
    }
    for line in stage.heard().iter().skip(heard).filter_map(|line| line.strip_prefix("stranger Warn: ")) {
        ended.push_str(&format!(" | told {line}"));
    }
    (mode.plain(stage, &ended), late)
}

/// A figure of this process.
fn memory_kib(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Has the kernel count the peak of this process's memory anew.
fn forget_the_peak() {
    fs::write("/proc/self/clear_refs", "5").unwrap();
}
