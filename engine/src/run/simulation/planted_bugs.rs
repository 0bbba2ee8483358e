//! Every planted bug is caught, and it is known by what.

use super::explorer::Explorer;
use super::proof::runtime;
use super::scene::Scene;
use crate::planted::Bug;

/// The check that catches a bug: the beginning of its words.
fn caught(bug: Bug) -> Option<String> {
    let runtime = runtime();
    bug.during(|| {
        let scenes = Scene::all();
        for mishaps in 0..=2 {
            for scene in scenes.iter().filter(|scene| scene.state.host_count + scene.state.router_count <= 3)
            {
                let mut explorer = Explorer::new(scene, &runtime, true);
                explorer.explore(mishaps);
                if let Some(violation) = explorer.tally.violations.first() {
                    return Some(violation.clone());
                }
            }
        }
        None
    })
}

#[test]
fn every_planted_bug_is_caught() {
    let mut missed = Vec::new();
    for bug in Bug::ALL {
        match caught(*bug) {
            Some(violation) => println!("{bug:?}:{} Caught: {violation}", bug.says()),
            None => missed.push(*bug),
        }
    }
    assert_eq!(missed, Vec::<Bug>::new());
}
