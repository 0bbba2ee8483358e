//! The part of a plan that puts a release in its place on some hosts, and proves it there.

use super::{Planner, Stage, Task, repeatable, stage};
use crate::model::{Action, HostName, ReleaseId, Step};

impl Planner<'_> {
    /// Stops what is in the place of the release on these hosts, starts it there, and proves it.
    pub(super) fn fill(&self, hosts: &[HostName]) -> Vec<Stage> {
        let (color, release) = (self.color, || self.id.clone());
        let cold: Vec<&HostName> = hosts.iter().filter(|host| !self.is_warm(host)).collect();
        let mut stages = Vec::new();
        let clears: Vec<Task> = cold.iter().map(|host| self.clear(host)).collect();
        // What ran when the plan was made is what the undo starts again. A migration may have taken long since.
        let runs = clears.iter().any(|task| !task.undo.is_empty());
        if (runs || self.rolls.is_some()) && !planted!(ClearedUnread) {
            let look = Action::RequireUnrouted { color, hosts: self.named(hosts) };
            let looks = stage(Step::Start, vec![repeatable(look, Vec::new())]);
            stages.extend(Some(looks).filter(|_| !planted!(StoppedWhileIn)));
        }
        stages.push(stage(Step::Start, clears));
        if self.rolls.is_some() {
            stages.push(self.before_start(hosts));
        }
        // Both before it is started, and while nothing of it runs.
        let prepared = cold.iter().flat_map(|host| std::iter::once(self.point(host)).chain(self.renew(host)));
        let prepared =
            prepared.map(|task| if self.rolls.is_some() { Task { undo: Vec::new(), ..task } } else { task });
        stages.push(stage(Step::Start, prepared.collect()));
        stages.push(stage(
            Step::Start,
            cold.iter()
                .map(|host| {
                    let host = || (*host).clone();
                    let stop = || self.unless_routed(Action::Stop { host: host(), color });
                    let undo = if self.rolls.is_some() { Vec::new() } else { stop() };
                    repeatable(Action::Start { host: host(), color, release: release() }, undo)
                })
                .collect(),
        ));
        stages.push(stage(
            Step::Health,
            hosts
                .iter()
                .filter(|_| !planted!(HealthNotAwaited))
                .map(|host| {
                    let action = Action::AwaitHealthy { host: host.clone(), color, release: release() };
                    repeatable(action, Vec::new())
                })
                .collect(),
        ));
        stages.push(self.silence());
        for test in &self.deployment.smoke_tests {
            let (test, hosts) = (test.name.clone(), self.named(hosts));
            let action = Action::Smoke { test, color, release: release(), hosts };
            stages.push(stage(Step::Smoke, vec![repeatable(action, Vec::new())]));
        }
        stages
    }

    /// These hosts, where an action is about some; else it is about the colour.
    fn named(&self, hosts: &[HostName]) -> Vec<HostName> {
        if self.rolls.is_some() { hosts.to_vec() } else { Vec::new() }
    }

    /// An undo that takes something from the new colour, after a look whether any router still points there.
    pub(super) fn unless_routed(&self, undo: Action) -> Vec<Action> {
        let mut undo = vec![Action::RequireUnrouted { color: self.color, hosts: Vec::new() }, undo];
        if planted!(StopsUnread) {
            undo.remove(0);
        }
        undo
    }

    fn clear(&self, host: &HostName) -> Task {
        let color = self.color;
        let mut undo = Vec::new();
        if self.rolls.is_some() {
            // What came is stopped by then, and not before.
            undo.extend(self.renew(host).into_iter().chain([self.point(host)]).flat_map(|task| task.undo));
        }
        if let Some(release) = self.ran_before(host).filter(|_| !planted!(ClearedForGood)) {
            undo.push(Action::Start { host: host.clone(), color, release });
        }
        repeatable(Action::Clear { host: host.clone(), color }, undo)
    }

    /// What runs in the place that is filled.
    pub(super) fn ran_before(&self, host: &HostName) -> Option<ReleaseId> {
        let before = self.instance(host);
        before.release.or(before.link).filter(|_| before.running)
    }

    fn point(&self, host: &HostName) -> Task {
        let point = |release| Action::Point { host: host.clone(), color: self.color, release };
        repeatable(point(Some(self.id.clone())), vec![point(self.instance(host).link)])
    }

    /// Until here the words that the release had are its own, and they are that again on the way back, before what was cleared is started.
    fn renew(&self, host: &HostName) -> Option<Task> {
        let (host, release) = (|| host.clone(), || self.id.clone());
        let revert = Action::Revert { host: host(), release: release() };
        let undo = if planted!(RenewedForGood) { Vec::new() } else { vec![revert] };
        self.wish.kept.then(|| repeatable(Action::Renew { host: host(), release: release() }, undo))
    }
}
