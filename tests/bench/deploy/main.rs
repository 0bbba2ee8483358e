//! What a deployment costs beside a script that does the same over SSH without lock, journal and verification: in turns, in one run, on
//! simulated machines. `cargo xtask bench deploy` builds and runs it.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement ends, loudly, at what it can't measure"
)]

mod crowd;
mod figures;
mod world;

use figures::{Contender, Figures, Upkeep};
use world::World;

/// Hosts of the application.
const HOSTS: u8 = 4;
/// Turns; in each, every contender deploys once.
const ROUNDS: usize = 10;

/// Hosts of the other measurement: of one deployment to many.
const MANY: u8 = 100;

fn main() {
    let asked = |option: &str| std::env::args().any(|arg| arg == option);
    if asked("--many") { crowd::measure(MANY, asked("--json")) } else { compare(asked("--json")) }
}

fn compare(as_json: bool) {
    let Some(mut world) = World::new(HOSTS) else { return };
    // First deployments, which bring the helper and compile hooks, are not measured; nor are second ones, which fill the other colour.
    for _ in 0..2 {
        let _ = (world.cutover(), world.script());
    }
    let (mut cutover, mut script) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        cutover.push(world.cutover());
        script.push(world.script());
    }
    let figures = Figures {
        hosts: HOSTS,
        release_bytes: world.release_bytes(),
        cutover: Contender::new(cutover.iter().map(|deployed| deployed.took)),
        script: Contender::new(script),
        upkeep: Upkeep::new(&cutover),
        steps: figures::steps(&cutover),
    };
    if as_json {
        println!("{}", figures.json());
    } else {
        print!("{}", figures.table());
    }
}
