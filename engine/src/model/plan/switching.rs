//! The part of a plan that moves the traffic: all at once, or in shares that rise, each of them proven and watched.
//!
//! The first move of each router has the way back, and the later ones have none of their own: whatever share was reached, that leads straight
//! to what was observed before, once, from the last router to the first one.

use super::{Planner, Stage, repeatable, stage};
use crate::model::{Action, Routing, Step, WHOLE};

impl Planner<'_> {
    /// What the new colour gets, one after the other. Where nothing was live there is nobody to share with, and a rollback is in a hurry.
    fn weights(&self, replaces: bool) -> Vec<u32> {
        let steps = self.deployment.pipeline.strategy.steps().iter().map(|step| step.weight);
        steps.filter(|_| replaces && self.wish.command != "rollback").chain([WHOLE]).collect()
    }

    pub(super) fn switch(&self, replaces: bool) -> Vec<Stage> {
        let (color, weights) = (self.color, self.weights(replaces));
        let enable = self.hosts().iter().filter(|_| !planted!(EnabledAfterPivot)).map(|host| {
            // Someone may have moved a router that the deployment did not get to.
            let undo = self.unless_routed(Action::Disable { host: host.clone(), color });
            repeatable(Action::Enable { host: host.clone(), color }, undo)
        });
        let mut stages = vec![stage(Step::Switch, enable.collect())];
        if weights.len() > 1 && !planted!(SharedUnread) {
            // Where someone has moved a router to the new colour, a share would take from it.
            let look = repeatable(Action::RequireUnrouted { color }, Vec::new());
            stages.push(stage(Step::Switch, vec![look]));
        }
        for (index, weight) in weights.iter().enumerate() {
            let leads_back = if planted!(WayBackAtEnd) { *weight == WHOLE } else { index == 0 };
            stages.extend(self.move_to(*weight, leads_back, replaces));
            let watch = Action::Watch { color, release: self.id.clone(), weight: *weight };
            if *weight == WHOLE || !planted!(ShareUnwatched) {
                stages.push(stage(Step::Watch, vec![repeatable(watch, Vec::new())]));
            }
        }
        stages
    }

    /// Every router at one weight of the new colour, and the proof of it.
    fn move_to(&self, weight: u32, leads_back: bool, replaces: bool) -> Vec<Stage> {
        let (color, want) = (self.color, || Routing::shared(self.color, weight));
        let prepare = self.observed.routers.iter().map(|(router, _)| {
            let undo = Action::Discard { router: router.clone() };
            let undo = Some(undo).filter(|_| leads_back).into_iter().collect();
            repeatable(Action::Prepare { router: router.clone(), want: want() }, undo)
        });
        let mut stages = vec![stage(Step::Switch, prepare.collect())];
        for (index, (router, _)) in self.observed.routers.iter().enumerate() {
            let undo = if leads_back { self.way_back(index, replaces) } else { Vec::new() };
            let switch = repeatable(Action::Switch { router: router.clone(), want: want() }, undo);
            stages.push(stage(Step::Switch, vec![switch]));
        }
        let prove = Action::Prove { color, release: self.id.clone(), weight };
        stages.push(stage(Step::Switch, vec![repeatable(prove, Vec::new())]));
        stages
    }

    /// What puts a router back to what it showed.
    fn way_back(&self, index: usize, replaces: bool) -> Vec<Action> {
        let (color, (router, seen)) = (self.color, &self.observed.routers[index]);
        let mut undo = Vec::new();
        if replaces && !planted!(PutBackUnchecked) {
            undo.push(Action::RequireHealthy { color: color.other() });
        }
        let back = seen.routing.clone().unwrap_or_else(Routing::none);
        undo.push(Action::Switch { router: router.clone(), want: back });
        // The way back goes from the last router to the first one, so this one is put back last.
        if index == 0 {
            let recorded = self.observed.recorded.clone();
            if let Some((old, release)) = recorded.filter(|(old, _)| replaces && *old != color) {
                undo.push(Action::Prove { color: old, release, weight: WHOLE });
            }
            undo.push(Action::Drain { color });
        }
        undo
    }
}
