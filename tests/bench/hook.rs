//! What a hook costs, beside the shell that other tools start: the start of its child process with compiled code, which happens once, and a
//! fresh instance of the bundled health hook in it with its answer, against `bash -c true`, in turns, in one run. `cargo xtask bench hook` builds and runs it.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement ends, loudly, at what it can't measure"
)]

mod stage;

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use cutover::bundled;
use cutover::hook::{HookPool, LoadedHook};
use cutover::model::{Health, HookKind, HookSource};
use serde_json::json;

use stage::{RELEASE, Silence, Stage, median};

/// Turns; in each, every subject is measured this many times.
const ROUNDS: usize = 40;
const IN_A_ROUND: usize = 10;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let figures = runtime.block_on(measure());
    if std::env::args().any(|arg| arg == "--json") {
        println!("{}", figures.json());
    } else {
        print!("{}", figures.table());
    }
}

/// Medians, in microseconds.
struct Figures {
    start: f64,
    call: f64,
    probe: f64,
    shell: f64,
}

impl Figures {
    fn json(&self) -> serde_json::Value {
        json!({
            "calls": ROUNDS * IN_A_ROUND,
            "sandbox_start_us": self.start,
            "hook_call_us": self.call,
            "health_check_us": self.probe,
            "bash_us": self.shell,
            "start_ratio": self.start / self.shell,
            "ratio": self.call / self.shell,
            "health_check_ratio": self.probe / self.shell,
        })
    }

    fn table(&self) -> String {
        let line = |what: &str, time: f64| format!("| {what} | {time:.0} µs | {:.3} |\n", time / self.shell);
        let mut text = "| median of 400 | time | of `bash -c true` |\n|---|---|---|\n".to_owned();
        text += &line("sandbox: compiled code out of the cache, process started, code taken", self.start);
        text += &line("health hook: fresh instance, call, answer", self.call);
        text += &line("the same with the HTTP request that it makes", self.probe);
        text += &line("`bash -c true`", self.shell);
        text
    }
}

async fn measure() -> Figures {
    let bench = Bench::new().await;
    let [mut starts, mut calls, mut probes, mut shells] = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for _ in 0..IN_A_ROUND {
            let begun = Instant::now();
            let started = bench.start().await;
            starts.push(begun.elapsed());
            drop(started);
        }
        for _ in 0..IN_A_ROUND {
            let begun = Instant::now();
            bench.call().await;
            calls.push(begun.elapsed());
        }
        for _ in 0..IN_A_ROUND {
            let begun = Instant::now();
            bench.probe().await;
            probes.push(begun.elapsed());
        }
        for _ in 0..IN_A_ROUND {
            let begun = Instant::now();
            let ended = Command::new("bash").args(["-c", "true"]).status().expect("bash");
            assert!(black_box(ended).success());
            shells.push(begun.elapsed());
        }
    }
    Figures { start: micros(starts), call: micros(calls), probe: micros(probes), shell: micros(shells) }
}

fn micros(times: Vec<Duration>) -> f64 {
    median(times).as_secs_f64() * 1e6
}

/// The hook, in a world of one machine with one instance.
struct Bench {
    stage: Stage,
    pool: HookPool,
    /// Of the compiled code.
    _cache: tempfile::TempDir,
    hook: LoadedHook,
}

impl Bench {
    async fn new() -> Self {
        let place = tempfile::tempdir().expect("a directory");
        let pool = stage::pool(place.path());
        let hook = load(&pool).await;
        Self { stage: Stage::new(), pool, _cache: place, hook }
    }

    /// A new sandbox, ready to be asked.
    async fn start(&self) -> LoadedHook {
        load(&self.pool).await
    }

    /// A question that makes the hook read its settings and nothing else.
    async fn call(&self) {
        let faults = self.hook.validate(self.stage.access()).await.result.expect("an answer");
        assert!(faults.is_empty());
    }

    /// The question that a deployment asks.
    async fn probe(&self) {
        let call = &self.stage.call;
        let health = self.hook.check_health(call, &call.instances[0], self.stage.access()).await;
        assert_eq!(health.result, Ok(Health::Healthy(Some(RELEASE.to_owned()))));
    }
}

async fn load(pool: &HookPool) -> LoadedHook {
    let hook = stage::hook(HookSource::Builtin("http-health".to_owned()));
    let wasm = bundled::hook("http-health").expect("bundled").wasm.to_vec();
    pool.load(&hook, HookKind::HealthCheck, wasm, &Silence).await.expect("the hook")
}
