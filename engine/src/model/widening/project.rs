//! One environment of a project against the same one at another time.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::finding::{Findings, command};
use super::grants::members;
use super::hook::{self, Use};
use super::{Posture, WideningKind, hosts};
use crate::model::grant::{HostGroup, Url, VariableRule};
use crate::model::{
    Application, Build, Color, Deployment, Driver, EnvValue, FrontDoor, HealthCheck, Hook, HostName, Name,
    Router, SecretSource, SmokeTest, SystemdScope, without_password,
};

pub(super) fn compare(
    old: &Posture,
    before: Option<&Deployment>,
    new: &Posture,
    deployment: &Deployment,
    findings: &mut Findings,
) {
    let Deployment {
        app,
        environment: _,
        confirm,
        root,
        state,
        hosts,
        build,
        application,
        health_check,
        smoke_tests,
        router,
        pipeline: _,
        secrets,
    } = deployment;
    if let Some(before) = before {
        if before.confirm && !confirm {
            let text = "nobody is asked to confirm a deployment".to_owned();
            findings.became(WideningKind::Environment, text, Some("`confirm = true`".to_owned()));
        }
        if before.app != *app {
            let text = format!("locks, state and units are those of `{app}`");
            findings.became(WideningKind::Place, text, Some(format!("`{}`", before.app)));
        }
    }
    let kept = |deployment: &Deployment| match &deployment.state {
        Some(state) => format!("at `{state}`"),
        None => format!("on host `{}`", deployment.home()),
    };
    let was = before.map(kept);
    if was.as_ref().map_or(state.is_some(), |was| *was != kept(deployment)) {
        findings.became(WideningKind::Place, format!("the state is kept {}", kept(deployment)), was);
    }
    let no_hosts = BTreeMap::new();
    hosts::compare(before.map_or(&no_hosts, |before| &before.hosts), hosts, findings);
    hosts::compare_keys(old, new, deployment, findings);
    source(before.map(|before| &before.build), build, findings);
    places(before, deployment, findings);
    process(before.map(|before| &before.application), application, findings);
    front_doors(before.map(|before| &before.router), router, findings);
    let no_secrets = BTreeMap::new();
    secret_sources(before.map_or(&no_secrets, |before| &before.secrets), secrets, root, findings);

    let mut compare = |was: Option<&Hook>, hook: &Hook| {
        let was = was.zip(before).map(|(hook, deployment)| Use { posture: old, deployment, hook });
        hook::compare(was, Use { posture: new, deployment, hook }, findings);
    };
    compare(before.map(|before| &before.build.hook), &build.hook);
    let HealthCheck { hook, interval: _, healthy_after: _, deadline: _ } = health_check;
    compare(before.map(|before| &before.health_check.hook), hook);
    for SmokeTest { name, hook, per_instance: _ } in smoke_tests {
        let tests = before.iter().flat_map(|before| &before.smoke_tests);
        let was = tests.filter(|test| test.name == *name).map(|test| &test.hook).next();
        compare(was, hook);
    }
    compare(before.map(|before| &before.router.hook), &router.hook);
}

fn source(old: Option<&Build>, new: &Build, findings: &mut Findings) {
    let Build { hook: _, repository, branch, builder: _ } = new;
    let told = |repository: &Option<String>| match repository {
        Some(url) => format!("`{}`", without_password(url)),
        None => "the remote of the checkout".to_owned(),
    };
    let Some(old) = old else {
        return findings
            .is(WideningKind::Source, format!("branch `{branch}` of {} goes live", told(repository)));
    };
    if old.repository != *repository {
        let text = format!("what goes live comes from {}", told(repository));
        findings.became(WideningKind::Source, text, Some(told(&old.repository)));
    }
    if old.branch != *branch && old.branch != "*" {
        let text = match branch.as_str() {
            "*" => "every branch may go live".to_owned(),
            branch => format!("branch `{branch}` goes live"),
        };
        findings.became(WideningKind::Source, text, Some(format!("`{}`", old.branch)));
    }
}

/// Where the application runs, is built and is routed to.
fn places(old: Option<&Deployment>, new: &Deployment, findings: &mut Findings) {
    let added = |group: &HostGroup| {
        let before: BTreeSet<HostName> =
            old.map(|old| members(group, old)).unwrap_or_default().into_iter().collect();
        members(group, new).into_iter().filter(move |host| !before.contains(host))
    };
    for host in added(&HostGroup::Builder) {
        let was = old.map(|old| format!("`{}`", old.build.builder));
        let text = format!("host `{host}` builds, and grants for \"builder\" are for it");
        findings.became(WideningKind::Source, text, was);
    }
    for host in added(&HostGroup::App) {
        let text = format!("the application runs on host `{host}`, and grants for \"app\" are for it too");
        findings.is(WideningKind::Process, text);
    }
    for name in new.router.names.iter().filter(|name| old.is_none_or(|old| !old.router.names.contains(name)))
    {
        let text = if new.hosts.contains_key(name) {
            format!("host `{name}` routes, and grants for \"routers\" are for it too")
        } else {
            format!("router `{name}` is switched")
        };
        findings.is(WideningKind::Routing, text);
    }
}

fn process(old: Option<&Application>, new: &Application, findings: &mut Findings) {
    let Application {
        hosts: _,
        directory,
        linked_dirs: _,
        linked_files: _,
        keep_releases: _,
        driver,
        start,
        migrate,
        user,
        stop_timeout: _,
        listen,
        env: _,
        env_files,
        blue: _,
        green: _,
        release_marker: _,
    } = new;
    let mut changed = |kind, what: &str, is: String, was: Option<String>| {
        if was.as_ref() != Some(&is) {
            findings.became(kind, format!("{what} {is}"), was);
        }
    };
    changed(
        WideningKind::Place,
        "releases lie in",
        format!("`{directory}`"),
        old.map(|old| format!("`{}`", old.directory)),
    );
    let as_user = |user: &Option<String>| {
        user.as_ref().map_or("the user that cutover logs in as".to_owned(), |user| format!("`{user}`"))
    };
    changed(WideningKind::Process, "processes run as", as_user(user), old.map(|old| as_user(&old.user)));
    changed(
        WideningKind::Process,
        "processes are started by",
        command(start),
        old.map(|old| command(&old.start)),
    );
    if let Some(migrate) = migrate {
        let was = old.and_then(|old| old.migrate.as_deref()).map(command);
        changed(WideningKind::Process, "migrations are done by", command(migrate), was);
    }
    if !matches!(listen.as_str(), "127.0.0.1" | "::1" | "localhost") {
        let was = old.map(|old| format!("`{}`", old.listen));
        changed(WideningKind::Process, "instances listen on", format!("`{listen}`"), was);
    }
    let files = |application: &Application| application.env_files.iter().cloned().collect::<BTreeSet<_>>();
    let before = old.map(files).unwrap_or_default();
    for file in env_files.iter().filter(|file| !before.contains(*file)) {
        changed(WideningKind::Process, "processes get the variables of", format!("`{file}`"), None);
    }
    drivers(old.map(|old| &old.driver), driver, findings);
    for color in Color::ALL {
        let (is, was) = (new.color(color).port, old.map(|old| old.color(color).port));
        if let Some(was) = was.filter(|was| *was != is) {
            let text = format!("{color} instances are at port {is}, and grants for \"instances\" are for it");
            findings.became(WideningKind::Process, text, Some(was.to_string()));
        }
        environment(old.map(|old| (old, color)), (new, color), findings);
    }
}

fn drivers(old: Option<&Driver>, new: &Driver, findings: &mut Findings) {
    let lines = |driver: Option<&Driver>| match driver {
        Some(Driver::Systemd { unit, .. }) => unit.clone(),
        Some(Driver::Detached | Driver::Command { .. }) | None => Vec::new(),
    };
    let (had, has) = (lines(old), lines(Some(new)));
    let kept: Vec<&String> = has.iter().filter(|line| had.contains(line)).collect();
    for line in had.iter().filter(|line| !has.contains(line)) {
        findings.is(WideningKind::Process, format!("units do not have the line `{line}` any more"));
    }
    if had.iter().filter(|line| has.contains(line)).ne(kept) {
        findings.is(WideningKind::Process, "units have their lines in another order".to_owned());
    }
    match new {
        Driver::Systemd { scope, unit } => {
            let (was_system, lines) = match old {
                Some(Driver::Systemd { scope, unit }) => (*scope == SystemdScope::System, unit.as_slice()),
                Some(Driver::Detached | Driver::Command { .. }) | None => (false, &[][..]),
            };
            if *scope == SystemdScope::System && !was_system {
                findings.is(WideningKind::Process, "processes are units of the system's systemd".to_owned());
            }
            for line in unit.iter().filter(|line| !lines.contains(line)) {
                findings.is(WideningKind::Process, format!("units have the line `{line}`"));
            }
        }
        Driver::Detached => {}
        Driver::Command { start, stop, status } => {
            let before = match old {
                Some(Driver::Command { start, stop, status }) => [Some(start), Some(stop), Some(status)],
                Some(Driver::Systemd { .. } | Driver::Detached) | None => [None; 3],
            };
            let words = [("started", start), ("stopped", stop), ("looked for", status)];
            for ((verb, command), was) in words.into_iter().zip(before) {
                if was != Some(command) {
                    let text = format!("processes are {verb} by the driver's {}", self::command(command));
                    let was = was.map(|was| self::command(was));
                    findings.became(WideningKind::Process, text, was);
                }
            }
        }
    }
}

/// Variables of the processes of one colour: secrets, and what decides which code is loaded.
fn environment(
    old: Option<(&Application, Color)>,
    (new, color): (&Application, Color),
    findings: &mut Findings,
) {
    let all = |(application, color): (&'_ Application, Color)| -> BTreeMap<String, EnvValue> {
        let own = &application.color(color).env;
        let both = application.env.iter().chain(own);
        both.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let before = old.map(all).unwrap_or_default();
    for (variable, value) in all((new, color)) {
        if before.get(&variable) == Some(&value) {
            continue;
        }
        match value {
            EnvValue::Secret(name) => {
                let text = format!("processes get the secret `{name}` as `{variable}`");
                findings.is(WideningKind::Process, text);
            }
            EnvValue::Text(text) if VariableRule::of(&variable) != VariableRule::Free => {
                let text = format!("processes run with `{variable}={text}`");
                findings.is(WideningKind::Process, text);
            }
            EnvValue::Text(_) => {}
        }
    }
}

fn front_doors(old: Option<&Router>, new: &Router, findings: &mut Findings) {
    let Router { hook: _, names: _, front_doors } = new;
    let place = |door: &FrontDoor| {
        let FrontDoor { url, via, body: _, each_router: _ } = door;
        let origin = Url::parse(url).map_or_else(|_| url.clone(), |url| url.origin.to_string());
        let from = via.as_ref().map_or("cutover's own machine".to_owned(), |host| format!("host `{host}`"));
        format!("`{origin}` is asked from {from}")
    };
    let before: BTreeSet<String> = old.iter().flat_map(|old| &old.front_doors).map(place).collect();
    for text in front_doors.iter().map(place).filter(|text| !before.contains(text)) {
        findings.is(WideningKind::Routing, text);
    }
}

fn secret_sources(
    old: &BTreeMap<Name, SecretSource>,
    new: &BTreeMap<Name, SecretSource>,
    root: &Utf8Path,
    findings: &mut Findings,
) {
    let told = |source: &SecretSource| match source {
        SecretSource::Env(variable) => format!("the variable `{variable}`"),
        SecretSource::File(path) => format!("the file `{}`", path.strip_prefix(root).unwrap_or(path)),
        SecretSource::Command(words) => format!("the program {} on this machine", command(words)),
    };
    for (name, source) in new.iter().filter(|(name, source)| old.get(*name) != Some(*source)) {
        let text = format!("secret `{name}` comes from {}", told(source));
        findings.became(WideningKind::Secret, text, old.get(name).map(told));
    }
}
