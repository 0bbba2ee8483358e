//! Whether a plan that was read could have been made here: a journal supplies state, never authority.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::{
    Action, CanaryStep, Color, ConnectionPolicy, Deployment, HostName, Maintenance, MaxExcluded, Observation,
    Observed, ObservedHost, ObservedInstance, Part, Plan, Refusal, ReleaseId, Retire, Routing, SmokeTest,
    Strategy, Task, Wish,
};

/// How a plan differs from every one that the configuration can lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overreach {
    /// It was made for another command than those that plan.
    Command(String),
    /// In the world that it tells of, no plan is made.
    Unplanned(Refusal),
    /// It does something that is not planned here.
    Does(Action),
    /// It leaves out something that is planned here.
    Omits(Action),
    /// It routes in a way that no router could have shown.
    Routes(Routing),
    /// It leaves out what is no host of the application.
    Excludes(HostName),
    /// Its order, its steps or its ways back are others.
    Shape,
}

impl fmt::Display for Overreach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => write!(f, "`{command}` is no command that makes a plan"),
            Self::Unplanned(refusal) => write!(f, "no plan is made where {refusal}"),
            Self::Does(action) => write!(f, "it would {action} on `{}`", action.place()),
            Self::Omits(action) => write!(f, "it leaves out to {action} on `{}`", action.place()),
            Self::Routes(routing) => write!(f, "no router shows `{routing}`"),
            Self::Excludes(host) => write!(f, "it leaves out `{host}`, which is no host of the application"),
            Self::Shape => f.write_str("it does things in another order, or goes back another way"),
        }
    }
}

/// Where a plan departs from the configuration in what only going forward needs: it has no way back of its own, so all that is done
/// on the way back lies within the configuration all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// The key in `cutover.toml`.
    pub key: &'static str,
    /// The part of the plan that differs.
    pub part: Part,
}

impl Plan {
    /// Where this plan departs from the configuration; nowhere, as a rule.
    ///
    /// # Errors
    /// With a difference that is more than a departure, as [`Self::check_authority`].
    pub fn departures(&self, deployment: &Deployment) -> Result<Vec<Departure>, Overreach> {
        let Err(overreach) = self.check_authority(deployment) else { return Ok(Vec::new()) };
        let (then, departures) = Told { plan: self, deployment }.departed();
        match self.check_authority(&then) {
            Ok(()) => Ok(departures),
            Err(_) => Err(overreach),
        }
    }

    /// Whether this configuration leads to exactly this plan, in the world that the plan tells of.
    ///
    /// A plan is a function of configuration, wish and world. What it took from wish and world can be read out of it again: the
    /// release, what was live, which links pointed where, what ran, what routers showed. Made once more from only that, it must be
    /// the same, so a plan that was read can name nothing that the configuration does not, leave no check out, and go back on no
    /// way of its own.
    ///
    /// # Errors
    /// With a difference.
    pub fn check_authority(&self, deployment: &Deployment) -> Result<(), Overreach> {
        let is_known = matches!(self.command.as_str(), "deploy" | "rollback");
        if !is_known && Maintenance::of(&self.command).is_none() {
            return Err(Overreach::Command(self.command.clone()));
        }
        let told = Told { plan: self, deployment };
        if let Some(routing) = told.routings().find(|routing| !told.is_possible(routing)) {
            return Err(Overreach::Routes(routing.clone()));
        }
        let (id, release) = (self.deployment.clone(), self.release.clone());
        // Whether record and routers agreed is not told; if they did, it makes no difference.
        let kept = self.tasks().any(|(_, task)| matches!(task.action, Action::Renew { .. }));
        let wish = Wish::new(&self.command, id, release, true, self.made).of_kept(kept);
        if let Some(host) = self.excluded.iter().find(|host| !told.is_known(host)) {
            return Err(Overreach::Excludes(host.clone()));
        }
        let planned = Self::new(deployment, &wish, &told.observed()).map_err(Overreach::Unplanned)?;
        if planned == *self { Ok(()) } else { Err(self.difference(&planned)) }
    }

    fn difference(&self, planned: &Self) -> Overreach {
        let (own, other) = (self.actions(), planned.actions());
        let first_beyond = |these: &[&Action], those: &[&Action]| {
            these.iter().find(|action| !those.contains(*action)).map(|action| (*action).clone())
        };
        first_beyond(&own, &other)
            .map(Overreach::Does)
            .or_else(|| first_beyond(&other, &own).map(Overreach::Omits))
            .unwrap_or(Overreach::Shape)
    }

    fn actions(&self) -> Vec<&Action> {
        let tasks = self.tasks().chain(self.retire_tasks());
        tasks.flat_map(|(_, task)| std::iter::once(&task.action).chain(&task.undo)).collect()
    }
}

/// The world that a plan tells of.
struct Told<'a> {
    plan: &'a Plan,
    deployment: &'a Deployment,
}

impl Told<'_> {
    fn observed(&self) -> Observed {
        let mut hosts: BTreeMap<HostName, ObservedHost> = BTreeMap::new();
        let has_part = |host: &&HostName| !self.plan.excluded.contains(*host);
        for host in self.deployment.color_hosts(self.plan.color).iter().filter(has_part) {
            *hosts.entry(host.clone()).or_default().instance_mut(self.plan.color) = self.filled(host);
        }
        let recorded = self.recorded();
        let apart = self.plan.live.as_ref().filter(|_| !self.plan.is_rolling());
        if let (Some((live, id)), None) = (apart, &recorded) {
            // Where the record does not know what is live, the links of its hosts do.
            for host in hosts.values_mut() {
                host.instance_mut(*live).link.clone_from(id);
            }
        }
        let routers = self.deployment.router.names.iter();
        Observed {
            hosts,
            routers: routers.map(|router| (router.clone(), self.shown(router))).collect(),
            unreachable: self.plan.excluded.iter().cloned().collect(),
            recorded,
            maintenance: self.rests(),
        }
    }

    /// Whether the record said that no colour gets requests, and the routers showed it. A plan that moves nothing tells so: it makes sure
    /// of it by itself.
    fn rests(&self) -> bool {
        match Maintenance::of(&self.plan.command) {
            Some(wanted) => wanted == Maintenance::Off,
            None => !self.plan.moves(),
        }
    }

    /// The colour that is filled, as it was on a host.
    fn filled(&self, host: &HostName) -> ObservedInstance {
        let starts = |task: &Task| matches!(&task.action, Action::Start { host: on, .. } if on == host);
        if !self.tasks().any(starts) {
            let id = Some(self.plan.release.id.clone());
            return ObservedInstance { link: id.clone(), running: true, release: id, fit: true };
        }
        let mut found = ObservedInstance::default();
        for undo in self.tasks().flat_map(|task| &task.undo) {
            if let Action::Start { host: on, release, .. } = undo
                && on == host
            {
                (found.running, found.release) = (true, Some(release.clone()));
            }
            if let Action::Point { host: on, release, .. } = undo
                && on == host
            {
                found.link.clone_from(release);
            }
        }
        found
    }

    /// What a router showed.
    fn shown(&self, router: &HostName) -> Observation {
        let switches =
            |task: &&Task| matches!(&task.action, Action::Switch { router: of, .. } if of == router);
        let mut back =
            self.tasks().filter(switches).filter_map(|task| task.undo.iter().find_map(switched_to));
        Observation { routing: back.next().cloned(), settled: true, labels: Vec::new() }
    }

    /// What the record said, when it said the same as the routers.
    fn recorded(&self) -> Option<(Color, ReleaseId)> {
        if self.rests() {
            let (color, id) = match &self.plan.live {
                Some((color, id)) => (*color, id.clone()?),
                None => (self.plan.color, self.plan.release.id.clone()),
            };
            return Some((color, id));
        }
        self.tasks().flat_map(|task| &task.undo).find_map(|action| {
            if let Action::Prove { color, release, .. } = action {
                Some((*color, release.clone()))
            } else {
                None
            }
        })
    }

    /// The configuration as the plan tells of it in what has no way back, and what that changes.
    fn departed(&self) -> (Deployment, Vec<Departure>) {
        let mut then = self.deployment.clone();
        let mut departures = Vec::new();
        let tests = self.tasks().filter_map(|task| {
            if let Action::Smoke { test, .. } = &task.action { Some(test.clone()) } else { None }
        });
        let any = |name| SmokeTest { name, hook: then.health_check.hook.clone(), per_instance: false };
        let tests: Vec<SmokeTest> = tests.map(any).collect();
        let names = |tests: &[SmokeTest]| tests.iter().map(|test| test.name.clone()).collect::<Vec<_>>();
        if names(&tests) != names(&then.smoke_tests) {
            then.smoke_tests = tests;
            departures.push(Departure { key: "smoke-test", part: Part::Stages });
        }
        let migrates = self.tasks().any(|task| matches!(task.action, Action::Migrate { .. }));
        if self.plan.command == "deploy" && migrates != then.application.migrate.is_some() {
            then.application.migrate = migrates.then(Vec::new);
            departures.push(Departure { key: "app.migrate", part: Part::Stages });
        }
        self.departed_in_batches(&mut then, &mut departures);
        let shares: Vec<u32> = self.plan.shares().collect();
        let shared = self.plan.command == "deploy" && self.plan.live.is_some() && !self.plan.is_rolling();
        let now = then.pipeline.strategy.steps().iter().map(|step| step.weight);
        if shared && Strategy::are_weights(&shares) && now.ne(shares.iter().copied()) {
            // How long each is watched is nothing that a plan tells.
            let step = |weight| CanaryStep { weight, watch: Duration::ZERO };
            then.pipeline.strategy = Strategy::Canary(shares.into_iter().map(step).collect());
            departures.push(Departure { key: "pipeline.strategy", part: Part::Stages });
        }
        // Who may leave out more hosts now might have left out fewer then; who may leave out fewer has to stay with that.
        let hosts = then.color_hosts(self.plan.color).len();
        if self.plan.max_excluded < then.pipeline.max_excluded.of(hosts) {
            then.pipeline.max_excluded = MaxExcluded::Hosts(self.plan.max_excluded);
            departures.push(Departure { key: "pipeline.max-excluded", part: Part::Stages });
        }
        let mut retiring = self.plan.retire_tasks();
        let stops = retiring.any(|(_, task)| matches!(task.action, Action::Stop { .. }));
        let pipeline = &mut then.pipeline;
        let keys = [
            ("pipeline.retire", pipeline.retire == Retire::Stop),
            ("pipeline.drain", pipeline.connections != ConnectionPolicy::Wait),
        ];
        if self.plan.live.is_some()
            && !self.plan.is_rolling()
            && stops != keys.iter().any(|(_, stops)| *stops)
        {
            // Where it stops now and did not then, each key that says so; else either may have said so.
            let changed = keys.into_iter().filter(|(_, says)| stops || *says);
            departures.extend(changed.map(|(key, _)| Departure { key, part: Part::Retire }));
            pipeline.retire = if stops { Retire::Stop } else { Retire::KeepWarm };
            pipeline.connections = ConnectionPolicy::Wait;
        }
        (then, departures)
    }

    /// How many hosts were out at a time.
    fn departed_in_batches(&self, then: &mut Deployment, departures: &mut Vec<Departure>) {
        // Who was out already came first, however many those were.
        let was_out = !self.plan.found_out().is_empty();
        let batches = self.plan.batches();
        let size = batches.iter().skip(usize::from(was_out)).map(|batch| batch.hosts.len()).max();
        if let (Some(now), Some(size)) = (then.pipeline.strategy.batch(), size)
            && now != size
        {
            then.pipeline.strategy = Strategy::Rolling { batch: size };
            departures.push(Departure { key: "pipeline.strategy", part: Part::Stages });
        }
    }

    fn routings(&self) -> impl Iterator<Item = &Routing> {
        self.tasks().flat_map(|task| &task.undo).filter_map(switched_to)
    }

    fn is_possible(&self, routing: &Routing) -> bool {
        routing.is_valid() && routing.out.iter().all(|host| self.is_known(host))
    }

    fn is_known(&self, host: &HostName) -> bool {
        Color::ALL.iter().any(|color| self.deployment.color_hosts(*color).contains(host))
    }

    fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.plan.tasks().map(|(_, task)| task)
    }
}

const fn switched_to(action: &Action) -> Option<&Routing> {
    if let Action::Switch { want, .. } = action { Some(want) } else { None }
}

#[cfg(test)]
mod tests;
