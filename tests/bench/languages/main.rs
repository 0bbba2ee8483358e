//! What a hook costs by its language: the health check that `cutover hook new` writes in each, built by `cutover hook build`, beside processes
//! that do the same check, in turns, in one run. `cargo xtask bench languages` builds and runs it.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement ends, loudly, at what it can't measure"
)]

mod contender;
mod figures;
mod noise;
#[path = "../stage.rs"]
mod stage;

use std::time::Instant;

use contender::{PROCESSES, hooks};
use figures::{Figures, Row};
use noise::Noise;
use stage::Stage;

/// Turns, unless `--rounds` says otherwise; in each, every contender is measured this many times.
const ROUNDS: usize = 20;
const IN_A_ROUND: usize = 10;

/// Times that a component is compiled: the largest take half a minute each.
const COMPILED: usize = 3;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let rounds = args.iter().position(|arg| arg == "--rounds").and_then(|at| args.get(at + 1)?.parse().ok());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let figures = runtime.block_on(measure(rounds.unwrap_or(ROUNDS)));
    if args.iter().any(|arg| arg == "--json") {
        println!("{}", figures.json());
    } else {
        print!("{}", figures.table());
    }
}

async fn measure(rounds: usize) -> Figures {
    let (stage, place) = (Stage::new(), tempfile::tempdir().expect("a directory"));
    let noise = Noise::listen();
    let mut measured = Vec::new();
    for hook in hooks(place.path()) {
        eprintln!("compiling the hook in {}", hook.language);
        let mut row = Row::new(&hook.language);
        row.size = Some(hook.wasm.len());
        for _ in 0..COMPILED {
            let empty = tempfile::tempdir().expect("a directory");
            let pool = stage::pool(empty.path());
            let begun = Instant::now();
            hook.load(&pool).await;
            row.compiles.push(begun.elapsed());
        }
        let cache = place.path().join("cache").join(&hook.language);
        std::fs::create_dir_all(&cache).expect("a directory");
        let pool = stage::pool(&cache);
        let before = contender::children();
        let loaded = hook.load(&pool).await;
        hook.check(&loaded, &stage).await;
        row.memory = contender::memory_beyond(&before);
        measured.push((hook, pool, loaded, row));
    }
    let mut processes: Vec<Row> = PROCESSES.iter().map(|process| Row::new(process.name)).collect();
    for _ in 0..rounds {
        for (hook, pool, loaded, row) in &mut measured {
            let begun = Instant::now();
            // Another than the one that is asked, and gone at once.
            drop(hook.load(pool).await);
            row.loads.push(begun.elapsed());
            for _ in 0..IN_A_ROUND {
                let begun = Instant::now();
                hook.read(loaded, &stage).await;
                row.instances.push(begun.elapsed());
            }
            for _ in 0..IN_A_ROUND {
                let begun = Instant::now();
                hook.check(loaded, &stage).await;
                row.checks.push(begun.elapsed());
            }
        }
        for (process, row) in PROCESSES.iter().zip(&mut processes) {
            for _ in 0..IN_A_ROUND {
                let begun = Instant::now();
                process.check(&stage);
                row.checks.push(begun.elapsed());
            }
        }
    }
    let rows = measured.into_iter().map(|(.., row)| row).chain(processes).collect();
    Figures { rows, noise: noise.heard() }
}
