//! Every planted bug is caught, and it is known by what.

use super::Fault;
use super::aim::Aim;
use super::explorer::Explorer;
use super::proof::runtime;
use super::scene::Scene;
use crate::planted::Bug;
use crate::run::world::{heeded, planned_for, probe};

/// The first of the two mishaps that it takes to show a bug; none where one mishap, whichever it is, is enough.
fn aim(bug: Bug) -> Option<Aim> {
    let action = match bug {
        Bug::UndoNotBlocked | Bug::GuardsKept => "watch",
        Bug::LastErrorTold => "await-healthy",
        _ => return None,
    };
    Some(Aim { action, fault: Fault::FailsBefore })
}

/// Whether it only shows where hosts have their turns.
const fn is_of_turns(bug: Bug) -> bool {
    matches!(
        bug,
        Bug::StoppedWhileIn
            | Bug::NextBeforeIn
            | Bug::BatchesGoneForGood
            | Bug::OthersUnasked
            | Bug::LetInUnasked
            | Bug::WayBackGoesOn
            | Bug::BatchKept
            | Bug::OutNotSeen
            | Bug::LostLetIn
            | Bug::LostTrusted
            | Bug::LostEndsBatch
    )
}

/// The check that catches a bug: the beginning of its words. What is learned of the world is decided where the simulated one has nothing to
/// say.
fn caught(bug: Bug) -> Option<String> {
    match bug {
        Bug::SwitchBelieved => bug.during(heeded::tests::broken),
        Bug::EditOverruled => bug.during(planned_for::tests::broken),
        Bug::OtherReleaseTaken => bug.during(probe::tests::broken),
        _ => caught_by_histories(bug),
    }
}

fn caught_by_histories(bug: Bug) -> Option<String> {
    let (runtime, mut scenes, aim) = (runtime(), Scene::small(), aim(bug));
    // With some of the others, a plan of turns is none that this configuration could have made: nothing comes of it.
    scenes.retain(|scene| is_of_turns(bug) == scene.batch.is_some());
    bug.during(|| {
        for mishaps in 0..=1 {
            for scene in &scenes {
                let mut explorer = Explorer::new(scene, &runtime, true);
                match aim {
                    Some(aim) => explorer.explore_at(aim),
                    None if bug == Bug::LostTrusted => explorer.explore_burning(2),
                    None => explorer.explore(mishaps),
                }
                if let Some(violation) = explorer.tally.violations.first() {
                    return Some(violation.clone());
                }
            }
        }
        None
    })
}

#[test]
#[expect(clippy::print_stdout, reason = "`cargo xtask prove` reads it")]
fn every_planted_bug_is_caught() {
    let mut missed = Vec::new();
    for bug in Bug::ALL {
        let violation = caught(*bug);
        let name = format!("{bug:?}");
        let said = serde_json::json!({"bug": name, "says": bug.says().trim(), "caught_by": violation});
        println!("planted: {said}");
        if violation.is_none() {
            missed.push(*bug);
        }
    }
    assert_eq!(missed, Vec::<Bug>::new());
}
