//! The part of a plan that moves the traffic: all at once, or in shares that rise, each of them proven and watched.
//!
//! The first move of each router has the way back, and the later ones have none of their own: whatever share was reached, that leads straight
//! to what was observed before, once, and for the first router last.
//!
//! All routers are prepared before any is moved. The first one is moved alone: where that can't be done, no other has been touched. Then all
//! others are, at the same time, so that they are no farther apart than the slowest of them takes, however many they are.

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
        if self.rests {
            stages.extend(self.stay_closed());
            return stages;
        }
        if weights.len() > 1 && !planted!(SharedUnread) {
            // Where someone has moved a router to the new colour, a share would take from it.
            let look = repeatable(Action::RequireUnrouted { color, hosts: Vec::new() }, Vec::new());
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
        let (color, want) = (self.color, Routing::shared(self.color, weight));
        let mut stages = self.route_all(&want, leads_back, |index| self.way_back(index, replaces));
        let prove = Action::Prove { color, release: self.id.clone(), weight };
        stages.push(stage(Step::Switch, vec![repeatable(prove, Vec::new())]));
        stages
    }

    /// Every router at one routing, prepared on all before the first is moved.
    pub(super) fn route_all(
        &self,
        want: &Routing,
        leads_back: bool,
        way_back: impl Fn(usize) -> Vec<Action>,
    ) -> Vec<Stage> {
        let prepare = self.observed.routers.iter().map(|(router, _)| {
            let undo = Action::Discard { router: router.clone() };
            let undo = Some(undo).filter(|_| leads_back).into_iter().collect();
            repeatable(Action::Prepare { router: router.clone(), want: want.clone() }, undo)
        });
        let mut stages = vec![stage(Step::Switch, prepare.collect())];
        let mut switches = self.observed.routers.iter().enumerate().map(|(index, (router, _))| {
            let undo = if leads_back { way_back(index) } else { Vec::new() };
            repeatable(Action::Switch { router: router.clone(), want: want.clone() }, undo)
        });
        stages.push(stage(Step::Switch, switches.next().into_iter().collect()));
        stages.push(stage(Step::Switch, switches.collect()));
        stages.retain(|stage| !stage.tasks.is_empty());
        stages
    }

    /// What puts a router back to what it showed.
    pub(super) fn way_back(&self, index: usize, replaces: bool) -> Vec<Action> {
        let (color, (router, seen)) = (self.color, &self.observed.routers[index]);
        let mut undo = Vec::new();
        if replaces && !planted!(PutBackUnchecked) {
            undo.push(Action::RequireHealthy { color: color.other() });
        }
        let back = seen.routing.clone().unwrap_or_else(Routing::none);
        undo.push(Action::Switch { router: router.clone(), want: back });
        // The way back is the reverse of the way there, so this one is put back last.
        if index == 0 {
            let recorded = self.observed.recorded.clone();
            if let Some((old, release)) = recorded.filter(|(old, _)| replaces && *old != color) {
                undo.push(Action::Prove { color: old, release, weight: WHOLE });
            }
            undo.push(Action::Drain { color, hosts: Vec::new() });
        }
        undo
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{
        Action, Color, Deployment, Name, Observation, Observed, Plan, Release, ReleaseId, Routing, Timestamp,
        Wish,
    };

    #[test]
    fn the_first_router_is_moved_alone_and_all_others_at_once() {
        let name = |text: &str| Name::new(text).expect("a name");
        let routers = ["lb1", "lb2", "lb3", "lb4"].map(name);
        let saw = |router: &Name| {
            let routing = Some(Routing::all_to(Color::Blue));
            (router.clone(), Observation { routing, settled: true, labels: Vec::new() })
        };
        let observed = Observed {
            routers: routers.iter().map(saw).collect(),
            recorded: Some((Color::Blue, ReleaseId::parse("r42").expect("an identifier"))),
            ..Observed::default()
        };
        let deployment = Deployment::for_tests(&[name("web1")], &routers);
        let wish = Wish::new("deploy", "d1".into(), Release::for_tests("r43", 43), false, Timestamp(5));
        let plan = Plan::new(&deployment, &wish, &observed).expect("a plan");
        let of_routers = plan.stages.iter().map(|stage| {
            let actions = stage.tasks.iter().map(|task| &task.action);
            let moves = actions.filter(|action| {
                matches!(action, Action::Prepare { .. } | Action::Switch { .. } | Action::Prove { .. })
            });
            moves.map(|action| format!("{} {action}", action.place())).collect::<Vec<_>>().join("; ")
        });
        let expected = [
            "lb1 prepare green 100 %; lb2 prepare green 100 %; lb3 prepare green 100 %; lb4 prepare green 100 %",
            "lb1 route green 100 %",
            "lb2 route green 100 %; lb3 route green 100 %; lb4 route green 100 %",
            "front door prove that green answers",
        ];
        assert_eq!(of_routers.filter(|stage| !stage.is_empty()).collect::<Vec<_>>(), expected);
        // The way back is the reverse: all others at once, then the first one and the proof.
        let back = plan.tasks().filter(|(_, task)| matches!(task.action, Action::Switch { .. }));
        let back: Vec<usize> = back.map(|(_, task)| task.undo.len()).collect();
        assert_eq!(back, [4, 2, 2, 2]);
    }
}
