//! Commands that look: status, history, check, setup. Each asks everyone it can reach and says who did not answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::history::history_view;
use super::history::open_entry;
use super::instance_choice::no_host;
use super::status::status_view;
use super::status_facts::{is_dead_here, look_around};
use crate::hook::Confinement;
use crate::model::view::{
    Behind, CheckView, CheckedHook, DoctorView, Finding, HistoryView, HostCheck, HostChecks, HostSetup,
    SetupPart, SetupView, StateView, StatusView, Verdict,
};
use crate::model::{Deployment, HostName, LiveRecord, Reach, Record, Routing, Trouble};
use crate::run::home::diagnose::{Seen, diagnose};
use crate::run::home::examine::examine;
use crate::run::home::state_view::state_view;
use crate::run::ready::check_hosts::check_hosts;
use crate::run::ready::needs::Needs;
use crate::run::ready::readiness::{LiveSight, feature_finding, front_door_findings, judge_router};
use crate::run::ready::setup::host_setup;
use crate::run::world::asked::Asked;
use crate::run::world::before::Before;
use crate::run::world::claim::claimant_of;
use crate::run::world::components::unlocked;
use crate::run::world::front_doors::FrontDoors;
use crate::run::world::hooks::{Hooks, Refused, configured};
use crate::run::world::lease::occupied;
use crate::run::world::observe::observing_call;
use crate::run::world::performer::store_fault;
use crate::run::world::session::{Setting, hook_secrets, spoken_to};
use crate::run::world::site::Site;
use crate::source::{Checkout, Git, Mirror, Repository, SourceFailure};
use crate::store::ReadJournal;
use crate::transport::Link;

/// What is live, as hosts and routers tell it, against the record. What can't be asked says why, and the rest is told all the same.
pub async fn status(setting: Setting, max_age: Option<Duration>) -> StatusView {
    let mut facts = look_around(&setting).await;
    facts.max_age = max_age.or(setting.deployment.pipeline.max_age);
    let live = facts.record.as_ref().map(|(record, _)| record);
    facts.behind = behind(&setting, live).await.ok().flatten();
    status_view(&setting.deployment, facts)
}

/// Where the state is kept, and what is in it. What can't be asked says why.
pub async fn state(setting: Setting) -> StateView {
    let asked = setting.reporter.now();
    let seen =
        examine(&setting.deployment, &setting.links, setting.bucket.as_ref(), &setting.reporter.clock())
            .await;
    state_view(&setting.deployment, asked, &seen)
}

/// Everything that is not as it should be, with what to do about each.
pub async fn doctor(setting: Setting) -> DoctorView {
    let deployment = &setting.deployment;
    let links: BTreeMap<HostName, Arc<dyn Link>> = spoken_to(deployment, true)
        .into_iter()
        .filter_map(|name| Some((name.clone(), setting.links.get(&name)?)))
        .collect();
    let clock = setting.reporter.clock();
    let (hosts, facts, checks) = tokio::join!(
        examine(deployment, &setting.links, setting.bucket.as_ref(), &clock),
        look_around(&setting),
        check_hosts(deployment, &links, &clock)
    );
    let dead_holder = matches!(&facts.lock, Some(Ok(lock)) if is_dead_here(&setting, lock));
    let status = status_view(deployment, facts);
    let confinement = Confinement::of_this_machine();
    diagnose(deployment, &Seen { hosts, checks, status, dead_holder, confinement })
}

async fn behind(setting: &Setting, live: Option<&LiveRecord>) -> Result<Option<Behind>, SourceFailure> {
    let deployment = &setting.deployment;
    let Some(revision) = live.and_then(|record| record.live.release.revision.as_deref()) else {
        return Ok(None);
    };
    let git = || Git::new(setting.here.as_ref(), setting.operator.ssh_agent.as_deref());
    let repository = match &deployment.build.repository {
        Some(text) => Repository::parse(text, &deployment.root)?,
        None => Checkout::new(git(), &deployment.root).remote().await?,
    };
    let branch = match deployment.build.branch.as_str() {
        "*" => return Ok(None),
        branch => branch,
    };
    let mirror = Mirror::fetch(git(), &repository, branch, setting.workspace.as_str()).await?;
    let newest = mirror.revision(None).await?;
    let distance = mirror.distance(revision, &newest.id).await?;
    Ok(distance.map(|distance| Behind {
        branch: branch.to_owned(),
        commits: distance.commits,
        oldest: distance.oldest,
    }))
}

/// Where nothing says what to build from, and the configuration lies in no checkout that does: as a warning, since what was built elsewhere
/// can be deployed all the same.
async fn no_source(setting: &Setting) -> Option<String> {
    if setting.deployment.build.repository.is_some() {
        return None;
    }
    let git = Git::new(setting.here.as_ref(), setting.operator.ssh_agent.as_deref());
    let failure = Checkout::new(git, &setting.deployment.root).remote().await.err()?;
    Some(warning("source/none", &failure.to_string(), failure.hint().map(str::to_owned)))
}

/// As it is shown.
fn warning(code: &str, text: &str, hint: Option<String>) -> String {
    let hint = hint.map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
    format!("warning[{code}]: {text}{hint}")
}

/// Past deployments, newest first.
///
/// # Errors
/// When the home does not answer.
pub async fn history(setting: Setting, limit: usize) -> Result<HistoryView, Trouble> {
    let asked = Asked::home_only(&setting).await;
    let home = asked.home(&setting.deployment)?;
    let fault = |fault| store_fault(&fault).trouble;
    // All of it: what was live before the oldest that is shown is told by those before it.
    let entries = home.history(usize::MAX).await.map_err(fault)?;
    let live = home.live().await.map_err(|fault| store_fault(&fault).trouble)?;
    let open = home.open_journal::<Record>().await.map_err(fault)?;
    let lock = home.read_lock().await.map_err(fault)?;
    let nobody = claimant_of(&setting.operator, "history", "");
    let holds = |open: &ReadJournal<Record>| {
        lock.holder.as_ref().is_some_and(|holder| holder.deployment == open.deployment)
    };
    let is_held = open.as_ref().is_some_and(holds);
    let under_way = is_held && occupied(&home, lock, &nobody).await.is_some();
    let open = open.and_then(|open| open_entry(&open, under_way));
    let mut view = history_view(&setting.deployment, setting.reporter.now(), entries, live.as_ref(), open);
    view.entries.truncate(limit);
    Ok(view)
}

/// Whether hooks and, when asked for, hosts are ready for a deployment.
///
/// # Errors
/// With every hook that can't be used and every fault of settings.
pub async fn check(
    setting: Setting,
    file: &str,
    warnings: Vec<String>,
    hosts: bool,
) -> Result<CheckView, Refused> {
    let deployment = Arc::clone(&setting.deployment);
    let (http, secrets) = (Arc::clone(&setting.http), Arc::clone(&setting.secrets));
    let mut hooks =
        Hooks::load(&deployment, &setting.hooks, http, secrets, setting.reporter.clone(), None).await?;
    let digests = hooks.digests();
    let mut warnings = [warnings, hooks.idle_grants()].concat();
    let unlocked = unlocked(&deployment).into_iter();
    warnings.extend(unlocked.map(|found| warning(&found.code, &found.message, found.hint)));
    warnings.extend(no_source(&setting).await);
    let mut wanted = deployment.environments_secrets();
    wanted.extend(hook_secrets(&deployment, |_| true));
    let faults = setting.secrets.faults(wanted, false).await;
    warnings.extend(faults.iter().map(|fault| warning(fault.code(), &fault.to_string(), fault.hint())));
    let checked = configured(&deployment).into_iter().map(|(hook, _)| CheckedHook {
        title: hook.title.clone(),
        source: hook.source.to_string(),
        digest: digests
            .iter()
            .find(|(title, _)| *title == hook.title)
            .map(|(_, digest)| digest.clone())
            .unwrap_or_default(),
    });
    let (host_checks, front_doors) = if hosts {
        let links: BTreeMap<HostName, Arc<dyn Link>> = spoken_to(&deployment, true)
            .into_iter()
            .filter_map(|name| Some((name.clone(), setting.links.get(&name)?)))
            .collect();
        let mut checks = check_hosts(&deployment, &links, &setting.reporter.clock()).await;
        let asked = Asked::all(&setting, true).await;
        hooks.reach(&asked.sites);
        check_routers(&deployment, &hooks, &asked, &mut checks).await;
        let doors = check_front_doors(&deployment, &hooks, &asked).await;
        (checks, doors)
    } else {
        (Vec::new(), Vec::new())
    };
    Ok(CheckView {
        title: deployment.title(),
        file: file.to_owned(),
        hosts: deployment.hosts.keys().map(ToString::to_string).collect(),
        hooks: checked.collect(),
        warnings,
        host_checks,
        front_doors,
    })
}

/// What the front doors show, where it can be known what they should.
async fn check_front_doors(deployment: &Deployment, hooks: &Hooks, asked: &Asked) -> Vec<Finding> {
    // Who does not answer is told of with its host.
    let Ok(home) = asked.home(deployment) else { return Vec::new() };
    let Ok(live) = home.live().await else { return Vec::new() };
    if live.as_ref().is_some_and(|record| record.maintenance.is_some()) {
        let text = "not asked: in maintenance, until `cutover maintenance off`".to_owned();
        return vec![Finding { what: "front door".to_owned(), verdict: Verdict::Ok, text, fix: None }];
    }
    let sight =
        live.as_ref().map(|LiveRecord { live, .. }| LiveSight { color: live.color, release: &live.release });
    let doors = FrontDoors { deployment, sites: &asked.sites, hooks };
    front_door_findings(doors, sight, &observing_call(deployment, live.as_ref())).await
}

/// Adds how each router answers to the checks of its host. One whose host did not answer is told of there already.
async fn check_routers(deployment: &Deployment, hooks: &Hooks, asked: &Asked, checks: &mut HostChecks) {
    let mut call = observing_call(deployment, None);
    call.facts.extend(Before::Switch.fact());
    let weights = feature_finding(deployment, hooks).await;
    for router in deployment.router.names.iter().filter(|name| !asked.silent.contains_key(*name)) {
        let seen = hooks.observe(&call, router).await.map_err(|failure| failure.trouble);
        let findings = std::iter::once(judge_router(seen)).chain(weights.clone());
        match checks.iter_mut().find(|check| check.host == router.as_str()) {
            Some(check) => check.findings.extend(findings),
            None => {
                checks.push(HostCheck {
                    host: router.to_string(),
                    facts: None,
                    findings: findings.collect(),
                });
            }
        }
    }
}

/// What each host needs once, or one of them.
///
/// # Errors
/// With every hook that can't be used; when there is no such host.
pub async fn setup(setting: Setting, only: Option<&HostName>) -> Result<SetupView, Refused> {
    let deployment = Arc::clone(&setting.deployment);
    let mut names = spoken_to(&deployment, true);
    if let Some(only) = only {
        if !names.contains(only) {
            return Err(Refused::of(no_host(&deployment, only, &names)));
        }
        names.retain(|name| name == only);
    }
    let (http, secrets) = (Arc::clone(&setting.http), Arc::clone(&setting.secrets));
    let loading = Hooks::load(&deployment, &setting.hooks, http, secrets, setting.reporter.clone(), None);
    let (asked, hooks) = tokio::join!(Asked::these(&setting, names.clone()), loading);
    let hooks = hooks?;
    let mut hosts = Vec::new();
    for name in names {
        let reach = match deployment.hosts.get(&name).map(|host| &host.reach) {
            Some(Reach::Ssh { destination, .. }) => destination.clone(),
            Some(Reach::Local) | None => "this machine".to_owned(),
        };
        let (parts, problem, hint) = match (asked.sites.get(&name), asked.silent.get(&name)) {
            (Some(site), _) => match parts(&deployment, &hooks, &name, site).await {
                Ok(parts) => (parts, None, None),
                Err(problem) => (Vec::new(), Some(problem), None),
            },
            (None, Some(trouble)) => (Vec::new(), Some(trouble.message.clone()), trouble.hint.clone()),
            (None, None) => (Vec::new(), Some("it is no host of this configuration".to_owned()), None),
        };
        hosts.push(HostSetup { host: name.to_string(), reach, parts, problem, hint });
    }
    Ok(SetupView { title: deployment.title(), hosts })
}

async fn parts(
    deployment: &Deployment,
    hooks: &Hooks,
    name: &HostName,
    site: &Site,
) -> Result<Vec<SetupPart>, String> {
    let needs = Needs::of(deployment, name, &site.facts).map_err(|failure| failure.to_string())?;
    let mut parts = host_setup(deployment, &needs);
    if deployment.router.names.contains(name) {
        let user = &site.facts.user;
        if !is_user_name(user) {
            // Hooks write it into a script that root is to run.
            return Err(format!("`{}` is no user name that a script can have", user.escape_debug()));
        }
        let mut call = observing_call(deployment, None);
        call.facts.push(("setup".to_owned(), user.clone()));
        let script =
            hooks.prepare(&call, name, &Routing::none()).await.map_err(|failure| failure.trouble.message)?;
        if !script.trim().is_empty() {
            parts.push(SetupPart { title: "router".to_owned(), script });
        }
    }
    Ok(parts)
}

/// Whether a name that a host says is its user's means itself in any shell.
fn is_user_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._@+-".contains(c);
    !name.starts_with(['-', '.', '@', '+']) && !name.is_empty() && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_host_writes_into_a_script_by_its_name() {
        for name in ["deploy", "www-data", "_x1", "ann@example.com", "svc+a.b"] {
            assert!(is_user_name(name), "{name}");
        }
        for name in ["", "-x", "a b", "a;b", "$(id)", "a\nb", "../x", "é", "a\\b", "'"] {
            assert!(!is_user_name(name), "{name}");
        }
    }
}
