//! `plan`: everything that a deployment would do, made by the very planner, with nothing done.

use super::already_live::{AlreadyLive, already_live};
use super::artifact::{self, What};
use super::preflight::{preflight_to_look, wish};
use super::refusal::refused;
use super::testers::testers;
use super::turn_words::{on_failure, turn_words};
use super::want::Want;
use crate::model::request::{DeployRequest, MaintenanceRequest, RollbackRequest};
use crate::model::view::{PlanHeader, PlanView, PlannedHook, PlannedHost, PlannedSecret, PlannedStep};
use crate::model::{
    Action, Color, Deployment, Driver, EnvValue, FrontDoor, HostName, Maintenance, Name, Note, Plan, Reach,
    Release, Retire, SecretSource, Stage, Step, Task, Trouble, WHOLE,
};
use crate::run::ready::needs::builds_directory;
use crate::run::world::hooks::configured;
use crate::run::world::named::{by_number, recorded};
use crate::run::world::probe::probes;
use crate::run::world::session::{Session, spoken_to};

/// What `deploy` with the same request would do.
///
/// # Errors
/// Whatever keeps a plan from being made. What only keeps it from being begun is part of it.
pub async fn plan(session: &Session, request: DeployRequest) -> Result<PlanView, Trouble> {
    planned_for(session, Want::deploy(request)).await
}

/// What `rollback` with the same request would do.
///
/// # Errors
/// As [`plan`].
pub async fn plan_rollback(session: &Session, request: RollbackRequest) -> Result<PlanView, Trouble> {
    planned_for(session, Want::rollback(request)).await
}

/// What `maintenance` with the same request would do.
///
/// # Errors
/// As [`plan`]; also when it is so already.
pub async fn plan_maintenance(session: &Session, request: MaintenanceRequest) -> Result<PlanView, Trouble> {
    planned_for(session, Want::maintenance(request)).await
}

async fn planned_for(session: &Session, mut want: Want) -> Result<PlanView, Trouble> {
    let builds = want.source.is_built();
    let mut ready = preflight_to_look(session, &mut want).await?;
    let already = already_live(&session.deployment, &want, &ready, &session.settings());
    ready.source.notes.extend(already.map(|already| match already {
        AlreadyLive::Again(text) => Note::new("note", text),
        AlreadyLive::Nothing(text) => Note::new(
            "nothing to do",
            format!("{text}; `cutover deploy --again` does what follows all the same"),
        ),
    }));
    let release = ready.source.release(&ready.state, &ready.staged, session.reporter.now());
    let is_staged = matches!(ready.source.what, What::Staged(_));
    let wish = wish(&want, "", release.clone(), is_staged, session);
    let plan =
        Plan::new(&session.deployment, &wish, &ready.observed).map_err(|refusal| refused(&refusal, &wish))?;
    let deployment = &session.deployment;
    ready.source.notes.extend(testers(deployment, &plan));
    ready.source.notes.extend(after_reboot(deployment, &plan));
    let live = ready.live(session.reporter.now());
    let header = header(deployment, &plan, &release, &ready.source, live, ready.observed.maintenance);
    let mut steps = Vec::new();
    steps.extend(build_step(deployment, &plan, &ready.source.what));
    let named = |text: String| by_number(text, recorded(ready.state.live.as_ref()).chain([&release]));
    steps.extend(planned_steps(deployment, &plan).into_iter().map(|step| PlannedStep {
        what: named(step.what),
        undo: step.undo.map(named),
        ..step
    }));
    Ok(PlanView {
        header,
        steps,
        hosts: hosts(deployment, builds),
        hooks: hooks(session),
        irreversible: irreversible(deployment, &plan),
        secrets: secrets(deployment),
        obstacles: ready.obstacles,
    })
}

/// That nothing brings the application up again by itself.
fn after_reboot(deployment: &Deployment, plan: &Plan) -> Option<Note> {
    let text = "driver `detached` starts nothing after a reboot of a host; `systemd` does";
    (deployment.application.driver == Driver::Detached && Maintenance::of(&plan.command).is_none())
        .then(|| Note::new("note", text))
}

fn header(
    deployment: &Deployment,
    plan: &Plan,
    release: &Release,
    source: &artifact::Resolved,
    live: Option<crate::model::LiveRelease>,
    maintenance: bool,
) -> PlanHeader {
    PlanHeader {
        title: deployment.title(),
        command: plan.command.clone(),
        release: release.number,
        revision: release.revision.clone(),
        subject: release.subject.clone(),
        branch: release.branch.clone(),
        commits: source.commits,
        live,
        color: plan.color,
        maintenance,
        rolling: deployment.has_turns(),
        notes: source.notes.clone(),
    }
}

fn build_step(deployment: &Deployment, plan: &Plan, what: &What) -> Option<PlannedStep> {
    let number = plan.release.number;
    let place = what.place(deployment);
    let what = match what {
        What::Staged(_) => return None,
        What::Artifact(path) => format!("take `{path}` in as release {number}"),
        What::Build { .. } => {
            let below = builds_directory(deployment).map(|path| format!(" below {path}")).unwrap_or_default();
            format!("hook `{}` makes release {number}{below}", deployment.build.hook.title)
        }
    };
    Some(PlannedStep {
        step: Step::Build,
        places: vec![place],
        what,
        undo: None,
        on_failure: "nothing changed".to_owned(),
    })
}

/// The plan's stages as the steps that people see, each with its way back and what its failure leads to.
fn planned_steps(deployment: &Deployment, plan: &Plan) -> Vec<PlannedStep> {
    let mut steps: Vec<PlannedStep> = Vec::new();
    for (stage, retiring) in
        plan.stages.iter().map(|stage| (stage, false)).chain(plan.retire.iter().map(|stage| (stage, true)))
    {
        let step = planned(deployment, plan, stage, retiring);
        match steps.last_mut().filter(|last| last.step == step.step) {
            Some(last) => join(last, step),
            None => steps.push(step),
        }
    }
    steps
}

fn planned(deployment: &Deployment, plan: &Plan, stage: &Stage, retiring: bool) -> PlannedStep {
    let distinct = |texts: &mut dyn Iterator<Item = String>| {
        let mut found: Vec<String> = Vec::new();
        for text in texts.filter(|text| !text.is_empty()) {
            if !found.contains(&text) {
                found.push(text);
            }
        }
        found
    };
    // A look at the routers is nowhere.
    let is_somewhere = |task: &&Task| !matches!(task.action, Action::RequireUnrouted { .. });
    let moves = Maintenance::of(&plan.command);
    let turns = plan.is_rolling() || (moves.is_some() && deployment.has_turns());
    let hosts = || deployment.application.hosts.iter().map(ToString::to_string).collect();
    let is_everywhere = |action: &Action| matches!(action, Action::Watch { .. }) || action.is_everywhere();
    let place = |Task { action, .. }: &Task| {
        if turns && is_everywhere(action) { hosts() } else { vec![action.place()] }
    };
    let places = distinct(&mut stage.tasks.iter().filter(is_somewhere).flat_map(place));
    let turn = |action: &Action| turns.then(|| turn_words(action)).flatten();
    // How it is proven and how long it is awaited says more.
    let is_more = |action: &Action| matches!(action, Action::AwaitHealthy { .. } | Action::Prove { .. });
    let what = |task: &Task| {
        let own = turn(&task.action).filter(|_| !is_more(&task.action));
        own.unwrap_or_else(|| words(deployment, &task.action))
    };
    let what = distinct(&mut stage.tasks.iter().map(what)).join(", ");
    let undo = stage.tasks.iter().flat_map(|task| way_back(plan, task));
    let undo = undo.map(|action| turn(action).unwrap_or_else(|| undo_words(deployment, action)));
    let undo = distinct(&mut undo.into_iter()).join(", ");
    let on_failure = match (stage.step, retiring, &plan.live) {
        _ if plan.is_rolling() => on_failure(plan, stage.step),
        (_, true, _) if plan.target().is_none() => "a warning; no colour gets requests".to_owned(),
        (Step::Health, ..) if moves.is_some() => "nothing changed".to_owned(),
        (Step::Switch, ..) if turns => "the routers go back; rolled back".to_owned(),
        (_, true, _) if turns => on_failure(plan, stage.step),
        (_, true, _) => format!("a warning; {} stays live", plan.color),
        (Step::Stage, ..) => "nothing changed".to_owned(),
        (Step::Switch, _, Some((old, _))) if plan.target().is_none() && moves.is_none() => {
            format!("rolled back; {old} is never touched")
        }
        (Step::Switch | Step::Watch, _, Some((old, _))) => format!("traffic back to {old}, rolled back"),
        (Step::Switch | Step::Watch, _, None) => "traffic to nothing, as before; rolled back".to_owned(),
        (_, _, Some((old, _))) => format!("rolled back; {old} is never touched"),
        (_, _, None) => "rolled back; nothing was live".to_owned(),
    };
    PlannedStep { step: stage.step, places, what, undo: (!undo.is_empty()).then_some(undo), on_failure }
}

/// What undoes a task: of several moves of one router, the way back of the first.
fn way_back<'a>(plan: &'a Plan, task: &'a Task) -> &'a [Action] {
    let Action::Switch { router, .. } = &task.action else { return &task.undo };
    if plan.is_rolling() {
        return &task.undo;
    }
    let moves = |task: &Task| matches!(&task.action, Action::Switch { router: of, .. } if of == router);
    let mut undos = plan.tasks().filter(|(_, task)| moves(task)).map(|(_, task)| task.undo.as_slice());
    undos.find(|undo| !undo.is_empty()).unwrap_or_default()
}

fn join(last: &mut PlannedStep, next: PlannedStep) {
    for place in next.places {
        if !last.places.contains(&place) {
            last.places.push(place);
        }
    }
    last.what = [std::mem::take(&mut last.what), next.what]
        .into_iter()
        .filter(|what| !what.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    // The way back goes from the last to the first.
    last.undo = match (last.undo.take(), next.undo) {
        (Some(first), Some(then)) => Some(format!("{then}, {first}")),
        (first, then) => first.or(then),
    };
}

/// Whether a reboot of a host brings up what was enabled there.
const fn has_boot(deployment: &Deployment) -> bool {
    matches!(deployment.application.driver, Driver::Systemd { .. })
}

fn undo_words(deployment: &Deployment, action: &Action) -> String {
    let is_nothing = matches!(action, Action::Disable { .. }) && !has_boot(deployment);
    if is_nothing { String::new() } else { action.to_string() }
}

fn words(deployment: &Deployment, action: &Action) -> String {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others say enough of themselves")]
    match action {
        Action::Migrate { .. } => deployment.application.migrate.clone().unwrap_or_default().join(" "),
        Action::Start { color, .. } => format!("{color} on :{}", deployment.application.color(*color).port),
        Action::AwaitHealthy { .. } => {
            let check = &deployment.health_check;
            format!("{} in a row within {} s", check.healthy_after, check.deadline.as_secs())
        }
        Action::Watch { .. } if deployment.has_turns() => {
            format!("all hosts for {} s", deployment.pipeline.watch.as_secs())
        }
        Action::Watch { color, weight, .. } => {
            let time = deployment.pipeline.watch_at(*weight).as_secs();
            let share = if *weight < WHOLE { format!(" at {weight} %") } else { String::new() };
            format!("{color}{share} for {time} s")
        }
        Action::Enable { .. } if !has_boot(deployment) => String::new(),
        Action::Disable { color, .. } if !has_boot(deployment) => match deployment.pipeline.retire {
            Retire::KeepWarm => format!("keep {color} warm"),
            Retire::Stop => String::new(),
        },
        Action::ProveClosed => closed_proof(deployment),
        Action::Prove { weight: WHOLE, .. } => proof(deployment),
        Action::Prove { .. } => share_proof(deployment),
        other => other.to_string(),
    }
}

/// How a share is proven: either colour may answer.
fn share_proof(deployment: &Deployment) -> String {
    match deployment.router.front_doors.len() {
        0 => "not proven: no front door".to_owned(),
        1 => "either colour may answer at 1 front door".to_owned(),
        doors => format!("either colour may answer at {doors} front doors"),
    }
}

/// How it is proven that nobody gets to the application.
fn closed_proof(deployment: &Deployment) -> String {
    match deployment.router.front_doors.len() {
        0 => "not proven: no front door".to_owned(),
        1 => "proven at 1 front door: nobody gets to the application".to_owned(),
        doors => format!("proven at {doors} front doors: nobody gets to the application"),
    }
}

/// How the switch is proven.
fn proof(deployment: &Deployment) -> String {
    let doors = deployment.router.front_doors.len();
    if doors == 0 {
        return "not proven: no front door".to_owned();
    }
    let asked = |router: &&HostName| probes(deployment).iter().any(|probe| probe.router == Some(*router));
    let routers: Vec<&str> = deployment.router.names.iter().filter(asked).map(HostName::as_str).collect();
    let each =
        if routers.is_empty() { String::new() } else { format!(", {} each by itself", routers.join(" ")) };
    let doors = format!("{doors} front door{}{each}", if doors == 1 { "" } else { "s" });
    let is_told = |door: &FrontDoor| deployment.application.release_marker.is_some() || door.body.is_some();
    if deployment.router.front_doors.iter().all(is_told) {
        format!("proven at {doors}")
    } else {
        format!("answers at {doors}; not proven: no release marker")
    }
}

fn hosts(deployment: &Deployment, builds: bool) -> Vec<PlannedHost> {
    let role = |name: &HostName| {
        let mut roles = Vec::new();
        if Color::ALL.iter().any(|color| deployment.color_hosts(*color).contains(name)) {
            roles.push("app".to_owned());
        }
        if deployment.router.names.contains(name) {
            roles.push("router".to_owned());
        }
        if deployment.build.builder == *name {
            roles.push("builder".to_owned());
        }
        if deployment.state.is_none() && deployment.home() == name {
            roles.push("home".to_owned());
        }
        roles
    };
    let named = spoken_to(deployment, builds).into_iter().filter_map(|name| deployment.hosts.get(&name));
    named
        .map(|host| PlannedHost {
            name: host.name.to_string(),
            reach: match &host.reach {
                Reach::Local => "this machine".to_owned(),
                Reach::Ssh { destination, .. } => destination.clone(),
            },
            roles: role(&host.name),
        })
        .collect()
}

/// Every hook with what it may do.
pub(crate) fn hooks(session: &Session) -> Vec<PlannedHook> {
    let digests = session.hooks.digests();
    let digest =
        |title: &str| digests.iter().find(|(known, _)| known == title).map(|(_, digest)| digest.clone());
    configured(&session.deployment)
        .into_iter()
        .map(|(hook, kind)| PlannedHook {
            title: hook.title.clone(),
            kind: kind.to_string(),
            source: hook.source.to_string(),
            digest: digest(&hook.title).unwrap_or_default(),
            bundled_grants: hook.bundled_grants,
            grants: hook.grants.words(),
            dangers: hook.grants.dangers(),
            limits: hook.limits.words(),
        })
        .collect()
}

fn irreversible(deployment: &Deployment, plan: &Plan) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut actions = plan.tasks().map(|(_, task)| &task.action);
    if actions.any(|action| matches!(action, Action::Migrate { .. })) {
        let command = deployment.application.migrate.clone().unwrap_or_default().join(" ");
        sentences.push(format!("migrate: `{command}` stays, whatever comes after it"));
    }
    let stops = plan.retire_tasks().any(|(_, task)| matches!(task.action, Action::Stop { .. }));
    if deployment.pipeline.retire == Retire::Stop && stops {
        sentences
            .push(format!("retire: {} is stopped, so a rollback has to start it first", plan.color.other()));
    }
    sentences
}

fn secrets(deployment: &Deployment) -> Vec<PlannedSecret> {
    let used_by = |name: &Name| {
        let mut uses = Vec::new();
        let application = &deployment.application;
        let environments = [
            ("app", &application.env),
            ("app.blue", &application.blue.env),
            ("app.green", &application.green.env),
        ];
        for (table, variables) in environments {
            for (variable, value) in variables {
                if matches!(value, EnvValue::Secret(secret) if secret == name) {
                    uses.push(format!("{table} environment {variable}"));
                }
            }
        }
        let hooks = configured(deployment).into_iter().map(|(hook, _)| hook);
        let hooks = hooks.filter(|hook| hook.grants.secret_names().any(|granted| granted == name));
        uses.extend(hooks.map(|hook| format!("hook {}", hook.title)));
        uses
    };
    let described = deployment.secrets.iter().map(|(name, source)| PlannedSecret {
        name: name.to_string(),
        source: match source {
            SecretSource::Env(variable) => format!("environment {variable}"),
            SecretSource::File(path) => format!("file {path}"),
            SecretSource::Command(argv) => format!("command {}", argv.first().cloned().unwrap_or_default()),
        },
        used_by: used_by(name),
    });
    described.collect()
}
