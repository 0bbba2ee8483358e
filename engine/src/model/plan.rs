//! All work after the build, as data, computed before any of it is done: the way there and the way back.

use serde::{Deserialize, Serialize};

mod filling;
mod maintenance;
mod refusal;
mod rolling;
mod switching;
mod task_id;

pub use refusal::Refusal;
pub use rolling::Batch;
pub use task_id::{Part, TaskId};

use super::{
    Action, Color, ConnectionPolicy, Deployment, HostName, Maintenance, Observed, Release, ReleaseId, Retire,
    Step, Timestamp, UndoId, WHOLE,
};

/// What to deploy, once it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Identifier of the deployment.
    pub deployment: String,
    /// `deploy`, `rollback`, or one of [`Maintenance`].
    pub command: String,
    /// What is to be live, or is.
    pub release: Release,
    /// Whether the release's migration is wanted (a rollback never migrates).
    pub migrate: bool,
    /// Whether an idle colour that runs the very release is taken as it is.
    pub reuse_warm: bool,
    /// Whether the release is on the hosts already, so that they may know how it is started.
    pub kept: bool,
    /// Whether the router is right where record and router differ.
    pub adopt: bool,
    /// When the plan was made.
    pub now: Timestamp,
}

impl Wish {
    /// What a command wants: `deploy` migrates and starts anew, `rollback` never migrates and takes a warm colour as it is.
    #[must_use]
    pub fn new(command: &str, deployment: String, release: Release, adopt: bool, now: Timestamp) -> Self {
        let is_rollback = command == "rollback";
        let (migrate, reuse_warm) = (!is_rollback, is_rollback);
        let command = command.to_owned();
        Self { deployment, command, release, migrate, reuse_warm, kept: false, adopt, now }
    }

    /// The same for a release that is on the hosts already.
    #[must_use]
    pub fn of_kept(self, kept: bool) -> Self {
        Self { kept, ..self }
    }
}

/// The whole work of one deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plan {
    /// Format of this record: 1.
    pub version: u32,
    /// Identifier of the deployment.
    pub deployment: String,
    /// `deploy`, `rollback`, or one of [`Maintenance`].
    pub command: String,
    /// What is to be live, or is.
    pub release: Release,
    /// Colour that is filled; the idle one where maintenance begins, the live one where it ends.
    pub color: Color,
    /// What was live when the plan was made; none where maintenance ends, since nothing gets requests then.
    pub live: Option<(Color, Option<ReleaseId>)>,
    /// When the plan was made.
    pub made: Timestamp,
    /// Hosts that have no part in it, since they could not be reached then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<HostName>,
    /// How many hosts may be left out in all, those that fail later included.
    #[serde(default)]
    pub max_excluded: usize,
    /// Work that is undone when any of it fails. After the last one comes the pivot.
    pub stages: Vec<Stage>,
    /// Work after the pivot: goes forward only, failures are warnings.
    pub retire: Vec<Stage>,
}

/// Tasks that are done at the same time, and waited for together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Stage {
    /// Step that people see them as.
    pub step: Step,
    /// The tasks.
    pub tasks: Vec<Task>,
}

/// The smallest journaled thing: an action with its way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Task {
    /// What is done.
    pub action: Action,
    /// Whether it may be done twice.
    pub class: Class,
    /// What undoes it, in order; each accepts that it never happened.
    pub undo: Vec<Action>,
}

/// Whether an action may be done twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Yes: it succeeds when it is so already.
    Repeatable,
    /// Never: an outcome that is not known is asked for.
    Once,
}

impl Plan {
    /// Makes the plan.
    ///
    /// # Errors
    /// When routers disagree, when router and record do (unless adopted), or when the release is live already. Without colours, also when
    /// a router leaves hosts out.
    pub fn new(deployment: &Deployment, wish: &Wish, observed: &Observed) -> Result<Self, Refusal> {
        let (live, rests) = live(wish, observed)?;
        if let Some(wanted) = Maintenance::of(&wish.command) {
            return Self::of_maintenance(deployment, wish, observed, live, rests, wanted);
        }
        let rolls = deployment.pipeline.strategy.batch().filter(|_| live.is_some());
        if rolls.is_some() && rests {
            return Err(Refusal::Rests);
        }
        let out = match rolls {
            Some(_) => out(deployment, live.as_ref().map(|(color, _)| *color), observed, wish.adopt)?,
            None => Vec::new(),
        };
        if let Some((color, Some(id))) = &live
            && *id == wish.release.id
        {
            return Err(Refusal::LiveAlready { number: wish.release.number, color: *color });
        }
        let color = deployment.fills(live.as_ref().map(|(color, _)| *color));
        let all = deployment.color_hosts(color);
        let most = deployment.pipeline.max_excluded.of(all.len());
        let hosts = all.iter().filter(|host| !observed.unreachable.contains(*host)).cloned().collect();
        let excluded: Vec<HostName> = observed.unreachable.iter().cloned().collect();
        if excluded.len() > most {
            return Err(Refusal::TooFewHosts { hosts: excluded, most });
        }
        let id = &wish.release.id;
        let planner = Planner { deployment, wish, observed, color, hosts, id, rolls, out, rests };
        Ok(Self {
            version: 1,
            deployment: wish.deployment.clone(),
            command: wish.command.clone(),
            release: wish.release.clone(),
            color,
            made: wish.now,
            excluded,
            max_excluded: most,
            stages: planner.stages(live.is_some()),
            retire: planner.retire(live.is_some()),
            live,
        })
    }

    /// Every task before the pivot with its place in the plan.
    pub fn tasks(&self) -> impl DoubleEndedIterator<Item = (TaskId, &Task)> {
        index(&self.stages, Part::Stages)
    }

    /// Every task after the pivot with its place in the plan.
    pub fn retire_tasks(&self) -> impl DoubleEndedIterator<Item = (TaskId, &Task)> {
        index(&self.retire, Part::Retire)
    }

    /// The shares that the new colour gets before it gets all, the smallest first: each has one proof.
    pub fn shares(&self) -> impl Iterator<Item = u32> {
        let weights = self.tasks().filter_map(|(_, task)| {
            if let Action::Prove { weight, .. } = task.action { Some(weight) } else { None }
        });
        weights.filter(|weight| *weight < WHOLE)
    }

    /// Whether it moves any router: all but a deployment in maintenance do.
    #[must_use]
    pub fn moves(&self) -> bool {
        self.tasks().any(|(_, task)| matches!(task.action, Action::Switch { .. }))
    }

    /// The colour that has all requests when it has ended well: none in maintenance, in which a deployment moves no router.
    #[must_use]
    pub fn target(&self) -> Option<Color> {
        let mut moves = self.tasks().rev().filter_map(|(_, task)| {
            if let Action::Switch { want, .. } = &task.action { Some(want.only()) } else { None }
        });
        moves.next().flatten()
    }

    /// The task at a place, when there is one.
    #[must_use]
    pub fn task(&self, id: TaskId) -> Option<&Task> {
        self.stage(id)?.tasks.get(id.task)
    }

    /// What a task's way back does at a place, when there is one.
    #[must_use]
    pub fn undo(&self, id: UndoId) -> Option<&Action> {
        self.task(id.task)?.undo.get(id.index)
    }

    /// The stage of a place, when there is one.
    #[must_use]
    pub fn stage(&self, id: TaskId) -> Option<&Stage> {
        match id.part {
            Part::Stages => self.stages.get(id.stage),
            Part::Retire => self.retire.get(id.stage),
        }
    }
}

fn index(stages: &[Stage], part: Part) -> impl DoubleEndedIterator<Item = (TaskId, &Task)> {
    stages.iter().enumerate().flat_map(move |(stage, found)| {
        found.tasks.iter().enumerate().map(move |(task, found)| (TaskId { part, stage, task }, found))
    })
}

type Live = Option<(Color, Option<ReleaseId>)>;

/// What is live, and whether it gets no requests since that is wanted.
fn live(wish: &Wish, observed: &Observed) -> Result<(Live, bool), Refusal> {
    let shown = observed.live_color().map_err(|found| {
        let each = found.answers.iter().map(|(name, said)| format!("{name}: {said}"));
        let answers = each.collect::<Vec<_>>().join("; ");
        match observed.shares() {
            Some(_) => Refusal::Shared { answers },
            None => Refusal::RoutersDisagree { answers },
        }
    })?;
    let recorded = observed.recorded.as_ref().map(|(color, _)| *color);
    if observed.maintenance && shown.is_none() {
        let live = observed.recorded.clone().map(|(color, id)| (color, Some(id)));
        return Ok((live, true));
    }
    let said = recorded.filter(|_| !observed.maintenance);
    if shown != said && !wish.adopt {
        let name =
            |color: Option<Color>| color.map_or_else(|| "no colour".to_owned(), |color| color.to_string());
        let maintenance = if observed.maintenance { ", for maintenance" } else { "" };
        return Err(Refusal::Drift { router: name(shown), record: format!("{}{maintenance}", name(said)) });
    }
    let live = shown.map(|color| {
        let known =
            observed.recorded.as_ref().filter(|(recorded, _)| *recorded == color).map(|(_, id)| id.clone());
        let linked = || {
            let mut links = observed.hosts.values().map(|host| host.instance(color).link.clone());
            links.next().flatten().filter(|first| links.all(|link| link.as_ref() == Some(first)))
        };
        (color, known.or_else(linked))
    });
    Ok((live, false))
}

/// Hosts that some router does not send to. Without colours, all have to be in, in the one place that each of them has; unless whoever deploys
/// takes the routers' word for it, and not all are out.
fn out(
    deployment: &Deployment,
    live: Option<Color>,
    observed: &Observed,
    adopt: bool,
) -> Result<Vec<HostName>, Refusal> {
    if let Some(color) = live.filter(|live| !deployment.colors().contains(live)) {
        return Err(Refusal::NoPlace { color });
    }
    let shown =
        || observed.routers.iter().filter_map(|(router, seen)| Some((router, seen.routing.as_ref()?)));
    let Some((router, routing)) = shown().find(|(_, routing)| !routing.out.is_empty()) else {
        return Ok(Vec::new());
    };
    let all = deployment.color_hosts(live.unwrap_or(Color::Blue));
    let is_out = |host: &&HostName| shown().any(|(_, routing)| routing.out.contains(host));
    let out: Vec<HostName> = all.iter().filter(is_out).cloned().collect();
    if !adopt || out.len() == all.len() {
        return Err(Refusal::HostsOut { router: router.clone(), hosts: routing.out.clone() });
    }
    Ok(out)
}

struct Planner<'a> {
    deployment: &'a Deployment,
    wish: &'a Wish,
    observed: &'a Observed,
    color: Color,
    /// Those that are not left out.
    hosts: Vec<HostName>,
    id: &'a ReleaseId,
    /// How many hosts are out at a time, where they are.
    rolls: Option<usize>,
    /// Those that are out already.
    out: Vec<HostName>,
    /// Whether no colour gets requests, before and after.
    rests: bool,
}

impl Planner<'_> {
    fn stages(&self, replaces: bool) -> Vec<Stage> {
        let (color, release) = (self.color, || self.id.clone());
        let cold: Vec<&HostName> = self.hosts().iter().filter(|host| !self.is_warm(host)).collect();
        let mut stages = vec![stage(
            Step::Stage,
            self.hosts()
                .iter()
                .map(|host| {
                    let undo = vec![Action::RemovePartial { host: host.clone() }];
                    repeatable(Action::Stage { host: host.clone(), release: release() }, undo)
                })
                .collect(),
        )];
        // Before the migration, which runs in the same environment as the processes.
        stages.push(stage(
            Step::Stage,
            cold.iter()
                .map(|host| {
                    let action = Action::Configure { host: (*host).clone(), color, release: release() };
                    repeatable(action, Vec::new())
                })
                .collect(),
        ));
        if self.wish.migrate && self.deployment.application.migrate.is_some() {
            let action = Action::Migrate { host: self.hosts()[0].clone(), release: release(), color };
            stages.push(stage(Step::Migrate, vec![Task { action, class: Class::Once, undo: Vec::new() }]));
        }
        if let Some(size) = self.rolls {
            stages.extend(self.roll(size));
            stages.retain(|stage| !stage.tasks.is_empty());
            return stages;
        }
        stages.extend(self.fill(self.hosts()));
        if planted!(OldStoppedBeforeSwitch) && replaces {
            stages.push(self.stop(color.other()));
        }
        stages.extend(self.switch(replaces));
        if planted!(RetiredBeforePivot) && replaces {
            stages.push(self.disable(color.other()));
        }
        stages.retain(|stage| !stage.tasks.is_empty());
        stages
    }

    fn retire(&self, replaces: bool) -> Vec<Stage> {
        let (color, old) = (self.color, self.color.other());
        let last = |action| repeatable(action, Vec::new());
        let record = last(Action::RecordLive { color, release: self.id.clone() });
        let current = self
            .hosts()
            .iter()
            .map(|host| last(Action::SetCurrent { host: host.clone(), release: self.id.clone() }));
        let mut stages = vec![stage(Step::Finish, vec![record]), stage(Step::Finish, current.collect())];
        if replaces && self.rolls.is_none() {
            let pipeline = &self.deployment.pipeline;
            stages.push(stage(Step::Drain, vec![last(Action::Drain { color: old, hosts: Vec::new() })]));
            stages.push(self.disable(old));
            if pipeline.retire == Retire::Stop || pipeline.connections != ConnectionPolicy::Wait {
                if !planted!(StopsUnread) {
                    let look = Action::RequireUnrouted { color: old, hosts: Vec::new() };
                    stages.push(stage(Step::Retire, vec![last(look)]));
                }
                stages.push(self.stop(old));
            }
        }
        let prune = self.hosts().iter().map(|host| last(Action::Prune { host: host.clone() }));
        stages.push(stage(Step::Finish, prune.collect()));
        stages
    }

    fn disable(&self, color: Color) -> Stage {
        self.retire_on(color, |host| Action::Disable { host, color })
    }

    fn stop(&self, color: Color) -> Stage {
        self.retire_on(color, |host| Action::Stop { host, color })
    }

    /// The same on every host of a colour, with no way back.
    fn retire_on(&self, color: Color, action: impl Fn(HostName) -> Action) -> Stage {
        let hosts = self.deployment.color_hosts(color).iter().cloned();
        let hosts = hosts.filter(|host| !self.observed.unreachable.contains(host));
        stage(Step::Retire, hosts.map(|host| repeatable(action(host), Vec::new())).collect())
    }

    fn hosts(&self) -> &[HostName] {
        &self.hosts
    }

    /// What is to be done on a host once it is left out, for each that may be.
    fn silence(&self) -> Stage {
        let all = self.deployment.color_hosts(self.color);
        let may_be = all.iter().filter(|_| self.deployment.pipeline.max_excluded.of(all.len()) > 0);
        let silence = |host: &HostName| Action::Silence { host: host.clone(), color: self.color };
        stage(Step::Health, may_be.map(|host| repeatable(silence(host), Vec::new())).collect())
    }

    fn instance(&self, host: &HostName) -> super::ObservedInstance {
        self.observed.hosts.get(host).map(|host| host.instance(self.color).clone()).unwrap_or_default()
    }

    fn is_warm(&self, host: &HostName) -> bool {
        let instance = self.instance(host);
        let runs = instance.release.as_ref().or(instance.link.as_ref());
        self.wish.reuse_warm
            && self.rolls.is_none()
            && instance.running
            && (instance.fit || planted!(UnfitReused))
            && runs == Some(self.id)
            && instance.link.as_ref() == Some(self.id)
    }
}

const fn repeatable(action: Action, undo: Vec<Action>) -> Task {
    Task { action, class: Class::Repeatable, undo }
}

const fn stage(step: Step, tasks: Vec<Task>) -> Stage {
    Stage { step, tasks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Name, Observation, Routing};

    fn name(text: &str) -> HostName {
        Name::new(text).expect("a name")
    }

    /// What becomes of the wish to deploy `wanted` where two routers show these colours and the record says that.
    fn planned(
        wanted: &str,
        adopt: bool,
        shown: [Option<Color>; 2],
        recorded: Option<(Color, &str)>,
    ) -> Result<Color, String> {
        let id = |text: &str| ReleaseId::parse(text).expect("an identifier");
        let deployment = Deployment::for_tests(&[name("web1")], &[name("lb1"), name("lb2")]);
        let saw = |(router, color): (&str, Option<Color>)| {
            let routing = Some(color.map_or_else(Routing::none, Routing::all_to));
            (name(router), Observation { routing, settled: true, labels: Vec::new() })
        };
        let observed = Observed {
            routers: ["lb1", "lb2"].into_iter().zip(shown).map(saw).collect(),
            recorded: recorded.map(|(color, release)| (color, id(release))),
            ..Observed::default()
        };
        let release = Release::new(id(wanted), 43, Timestamp(0));
        let wish = Wish::new("deploy", "d1".into(), release, adopt, Timestamp(5));
        let plan = Plan::new(&deployment, &wish, &observed);
        plan.map(|plan| plan.color).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn no_plan_is_made_for_a_world_that_contradicts_itself() {
        let (blue, green) = (Some(Color::Blue), Some(Color::Green));
        let record = Some((Color::Blue, "r42"));
        assert_eq!(planned("r43", false, [blue, blue], record), Ok(Color::Green));
        assert_eq!(planned("r43", false, [None, None], None), Ok(Color::Blue));
        for adopt in [false, true] {
            assert_eq!(
                planned("r43", adopt, [blue, green], record),
                Err("the routers disagree: lb1: blue 100 %; lb2: green 100 %".to_owned())
            );
            assert_eq!(
                planned("r42", adopt, [blue, blue], record),
                Err("release 43 is live already, on blue".to_owned())
            );
        }
    }

    #[test]
    fn no_plan_is_made_where_somebody_shares_the_requests() {
        let deployment = Deployment::for_tests(&[name("web1")], &[name("lb1"), name("lb2")]);
        let refused = |green: [u32; 2]| {
            let saw = |(router, green): (&str, u32)| {
                let routing = Some(Routing::shared(Color::Green, green));
                (name(router), Observation { routing, settled: true, labels: Vec::new() })
            };
            let recorded = Some((Color::Blue, ReleaseId::parse("r42").expect("an identifier")));
            let routers = ["lb1", "lb2"].into_iter().zip(green).map(saw).collect();
            let observed = Observed { routers, recorded, ..Observed::default() };
            let wish = Wish::new("deploy", "d1".into(), Release::for_tests("r43", 43), true, Timestamp(5));
            Plan::new(&deployment, &wish, &observed).expect_err("a refusal").to_string()
        };
        assert_eq!(
            refused([5, 5]),
            "requests are shared between the colours: lb1: blue 95 %, green 5 %; lb2: blue 95 %, green 5 %"
        );
        assert_eq!(refused([5, 0]), "the routers disagree: lb1: blue 95 %, green 5 %; lb2: blue 100 %");
    }

    #[test]
    fn a_router_that_was_moved_is_believed_only_when_asked_for() {
        let (blue, green) = (Some(Color::Blue), Some(Color::Green));
        let record = Some((Color::Blue, "r42"));
        let table = [
            ([green, green], record, "the router shows green, the record says blue", Color::Blue),
            ([None, None], record, "the router shows no colour, the record says blue", Color::Blue),
            ([blue, blue], None, "the router shows blue, the record says no colour", Color::Green),
        ];
        for (shown, recorded, refusal, filled) in table {
            assert_eq!(planned("r43", false, shown, recorded), Err(refusal.to_owned()));
            assert_eq!(planned("r43", true, shown, recorded), Ok(filled), "{refusal}");
        }
    }
}
