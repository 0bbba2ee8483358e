//! The exploration of every scene: a slice in the normal test run, the whole by `cargo xtask prove`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::explorer::Explorer;
use super::scene::Scene;
use super::tally::Tally;

/// A runtime for one thread of an exploration.
pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// Explores these scenes, each with at most so many mishaps, on every processor.
fn explore(work: &[(Scene, u8)]) -> Tally {
    let (next, total) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let runtime = runtime();
                while let Some((scene, mishaps)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut explorer = Explorer::new(scene, &runtime, false);
                    explorer.explore(*mishaps);
                    total.lock().unwrap().add(explorer.tally);
                }
            });
        }
    });
    total.into_inner().unwrap()
}

fn report(tally: &Tally, began: Instant) -> serde_json::Value {
    let points = tally.points.all();
    let visited = points.iter().filter(|(_, count)| *count > 0).count();
    serde_json::json!({
        "histories": tally.histories,
        "merged": tally.merged,
        "steps": tally.steps,
        "ends": tally.ends,
        "commit_points": points.len(),
        "commit_points_visited": visited,
        "seconds": began.elapsed().as_secs_f64(),
        "violations": tally.violations,
    })
}

#[test]
fn with_one_mishap_every_promise_holds() {
    let began = Instant::now();
    let work: Vec<(Scene, u8)> = Scene::small().into_iter().map(|scene| (scene, 1)).collect();
    let tally = explore(&work);
    let report = report(&tally, began);
    assert_eq!(tally.violations, Vec::<String>::new(), "{report:#}");
    assert!(tally.histories > 2_000, "{report:#}");
}

#[cfg(feature = "proof")]
#[test]
#[expect(clippy::print_stdout, reason = "`cargo xtask prove` reads it")]
fn with_two_mishaps_every_promise_holds() {
    let began = Instant::now();
    let mut work: Vec<(Scene, u8)> = Scene::all().into_iter().map(|scene| (scene, 2)).collect();
    // The long ones first, so that no thread is left alone with one of them.
    work.reverse();
    let tally = explore(&work);
    for (point, count) in tally.points.all() {
        println!("{count:>9} {point}");
    }
    println!("proof: {}", report(&tally, began));
    assert_eq!(tally.violations, Vec::<String>::new());
    let missed: Vec<String> =
        tally.points.all().into_iter().filter(|(_, count)| *count == 0).map(|(point, _)| point).collect();
    assert_eq!(missed, Vec::<String>::new(), "commit points that no history reached");
}
