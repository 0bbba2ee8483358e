//! Whether a plan that was read could have been made here: a journal supplies state, never authority.

use std::collections::BTreeMap;
use std::fmt;

use super::{
    Action, Color, Deployment, HostName, Observation, Observed, ObservedHost, ObservedInstance, Plan,
    Refusal, ReleaseId, Routing, Task, Wish,
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
            Self::Shape => f.write_str("it does things in another order, or goes back another way"),
        }
    }
}

impl Plan {
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
        if !matches!(self.command.as_str(), "deploy" | "rollback") {
            return Err(Overreach::Command(self.command.clone()));
        }
        let told = Told { plan: self, deployment };
        if let Some(routing) = told.routings().find(|routing| !told.is_possible(routing)) {
            return Err(Overreach::Routes(routing.clone()));
        }
        let (id, release) = (self.deployment.clone(), self.release.clone());
        // Whether record and routers agreed is not told; if they did, it makes no difference.
        let wish = Wish::new(&self.command, id, release, true, self.made);
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
        for host in self.deployment.color_hosts(self.plan.color) {
            *instance(hosts.entry(host.clone()).or_default(), self.plan.color) = self.filled(host);
        }
        let recorded = self.recorded();
        if let (Some((live, id)), None) = (&self.plan.live, &recorded) {
            // Where the record does not know what is live, the links of its hosts do.
            for host in hosts.values_mut() {
                instance(host, *live).link.clone_from(id);
            }
        }
        let routers = self.deployment.router.names.iter();
        Observed {
            hosts,
            routers: routers.map(|router| (router.clone(), self.shown(router))).collect(),
            recorded,
        }
    }

    /// The colour that is filled, as it was on a host.
    fn filled(&self, host: &HostName) -> ObservedInstance {
        let starts = |task: &Task| matches!(&task.action, Action::Start { host: on, .. } if on == host);
        if !self.tasks().any(starts) {
            let id = Some(self.plan.release.id.clone());
            return ObservedInstance { link: id.clone(), running: true, release: id };
        }
        let mut found = ObservedInstance::default();
        for task in self.tasks() {
            match (&task.action, task.undo.first()) {
                (Action::Clear { host: on, .. }, Some(Action::Start { release, .. })) if on == host => {
                    (found.running, found.release) = (true, Some(release.clone()));
                }
                (Action::Point { host: on, .. }, Some(Action::Point { release, .. })) if on == host => {
                    found.link.clone_from(release);
                }
                _ => {}
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
        self.tasks().flat_map(|task| &task.undo).find_map(|action| {
            if let Action::Prove { color, release } = action { Some((*color, release.clone())) } else { None }
        })
    }

    fn routings(&self) -> impl Iterator<Item = &Routing> {
        self.tasks().flat_map(|task| &task.undo).filter_map(switched_to)
    }

    fn is_possible(&self, routing: &Routing) -> bool {
        let known = |host| Color::ALL.iter().any(|color| self.deployment.color_hosts(*color).contains(host));
        routing.is_valid() && routing.out.iter().all(known)
    }

    fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.plan.tasks().map(|(_, task)| task)
    }
}

const fn instance(host: &mut ObservedHost, color: Color) -> &mut ObservedInstance {
    match color {
        Color::Blue => &mut host.blue,
        Color::Green => &mut host.green,
    }
}

const fn switched_to(action: &Action) -> Option<&Routing> {
    if let Action::Switch { want, .. } = action { Some(want) } else { None }
}

#[cfg(test)]
mod tests;
