//! The exploration of every scene: a slice in the normal test run, the whole by `cargo xtask prove`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

#[cfg(feature = "proof")]
use super::Fault;
#[cfg(feature = "proof")]
use super::aim::Aim;
use super::explorer::Explorer;
#[cfg(feature = "proof")]
use super::scene::Kind;
use super::scene::Scene;
use super::tally::Tally;
#[cfg(feature = "proof")]
use crate::model::Retire;

/// A runtime for one thread of an exploration.
pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// How far one scene is explored.
#[derive(Debug, Clone, Copy)]
enum Depth {
    /// With at most so many mishaps.
    Mishaps(u8),
    /// With this mishap, and at most one more.
    #[cfg(feature = "proof")]
    At(Aim),
    /// With a crash after which a host is dead for good, and at most one mishap more.
    #[cfg(feature = "proof")]
    Burning,
}

/// Explores these scenes on every processor.
fn explore(work: &[(Scene, Depth)]) -> Tally {
    let (next, total) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let runtime = runtime();
                while let Some((scene, depth)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut explorer = Explorer::new(scene, &runtime, false);
                    match *depth {
                        Depth::Mishaps(mishaps) => explorer.explore(mishaps),
                        #[cfg(feature = "proof")]
                        Depth::At(aim) => explorer.explore_at(aim),
                        #[cfg(feature = "proof")]
                        Depth::Burning => explorer.explore_burning(2),
                    }
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
        "history_seconds": began.elapsed().as_secs_f64(),
        "violations": tally.violations,
    })
}

#[test]
fn with_one_mishap_every_promise_holds() {
    let began = Instant::now();
    let work: Vec<(Scene, Depth)> =
        Scene::small().into_iter().map(|scene| (scene, Depth::Mishaps(1))).collect();
    let tally = explore(&work);
    let report = report(&tally, began);
    assert_eq!(tally.violations, Vec::<String>::new(), "{report:#}");
    assert!(tally.histories > 20_000, "{report:#}");
}

#[test]
fn where_hosts_take_turns_every_promise_holds_with_one_mishap() {
    let began = Instant::now();
    let rolls = Scene::all().into_iter().filter(|scene| scene.batch.is_some());
    let work: Vec<(Scene, Depth)> = rolls.map(|scene| (scene, Depth::Mishaps(1))).collect();
    let tally = explore(&work);
    let report = report(&tally, began);
    assert_eq!(tally.violations, Vec::<String>::new(), "{report:#}");
    assert!(tally.histories > 1_000, "{report:#}");
}

/// One mishap in every scene, two in those with one host and one router and in the smallest with turns, and two in the middle of what is done and undone on several of
/// them at once: that is the shortest work that reaches every commit point.
#[cfg(feature = "proof")]
#[test]
fn with_two_mishaps_every_promise_holds() {
    let alone = |scene: &Scene| scene.state.host_count == 1 && scene.state.router_count == 1;
    let (lone, several): (Vec<Scene>, Vec<Scene>) = Scene::all().into_iter().partition(alone);
    // The long ones first, so that no thread is left alone with one of them.
    let mut work: Vec<(Scene, Depth)> =
        lone.into_iter().rev().map(|scene| (scene, Depth::Mishaps(2))).collect();
    let wide = Scene::new(Kind::WarmIdle, Retire::KeepWarm, 2, 2);
    for action in ["stage", "watch"] {
        work.push((wide.clone(), Depth::At(Aim { action, fault: Fault::FailsBefore })));
    }
    let again = Scene::new(Kind::WarmAgain, Retire::KeepWarm, 2, 1);
    work.push((again, Depth::At(Aim { action: "start", fault: Fault::FailsBefore })));
    // Turns take two hosts at least.
    work.push((Scene::rolling(Kind::Second, 2, 1, 1), Depth::Mishaps(2)));
    for burning in [
        Scene::rolling(Kind::Second, 3, 1, 1),
        Scene::rolling(Kind::Second, 2, 1, 1),
        Scene::rolling(Kind::Second, 2, 1, 1).adopting(),
        Scene::new(Kind::WarmIdle, Retire::KeepWarm, 2, 1),
        Scene::new(Kind::Second, Retire::KeepWarm, 2, 1).sharing(),
    ] {
        work.push((burning, Depth::Burning));
    }
    work.extend(several.into_iter().rev().map(|scene| (scene, Depth::Mishaps(1))));
    prove(&work);
}

#[cfg(feature = "proof")]
#[test]
fn nightly_with_two_mishaps_in_every_scene_every_promise_holds() {
    let work: Vec<(Scene, Depth)> =
        Scene::all().into_iter().rev().map(|scene| (scene, Depth::Mishaps(2))).collect();
    prove(&work);
}

#[cfg(feature = "proof")]
#[expect(clippy::print_stdout, reason = "`cargo xtask prove` reads it")]
fn prove(work: &[(Scene, Depth)]) {
    let began = Instant::now();
    let tally = explore(work);
    for (point, count) in tally.points.all() {
        println!("{count:>9} {point}");
    }
    println!("proof: {}", report(&tally, began));
    assert_eq!(tally.violations, Vec::<String>::new());
    let missed: Vec<String> =
        tally.points.all().into_iter().filter(|(_, count)| *count == 0).map(|(point, _)| point).collect();
    assert_eq!(missed, Vec::<String>::new(), "commit points that no history reached");
}
