//! `exec` and `logs`: at an instance of the application.

use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use cutover_host::operation::{FaultKind, Operation, Program};
use tokio::sync::mpsc;

use super::exec::exec;
use super::instance_choice::{ChosenInstance, choose, past};
use super::logs::{HostLine, LogSource, follow_logs, tail_logs};
use crate::driver::{Launch, Slot};
use crate::model::request::{ExecRequest, InstanceChoice, LogsRequest};
use crate::model::{Color, EventKind, HostName, Observed, Record, Trouble};
use crate::run::execute::interrupts::Interrupts;
use crate::run::world::asked::Asked;
use crate::run::world::hooks::Hooks;
use crate::run::world::host_sight::HostSight;
use crate::run::world::observe::{all_app_hosts, observe_routers};
use crate::run::world::performer::{driver_failure, host_failure, store_fault};
use crate::run::world::session::Setting;
use crate::run::world::site::Site;
use crate::transport::{Chunk, Console, Failure};

/// How long a host may take to say that it has ended what was given up.
const HEARD: Duration = Duration::from_secs(2);

/// Runs a program in the environment of a release, on the first instance that is meant. Answers its exit status: when a signal came
/// first, the program is ended, and the status is that of one that the signal has ended.
///
/// # Errors
/// When there is no such instance, or its host broke off.
pub async fn exec_in(
    setting: Setting,
    request: ExecRequest,
    input: mpsc::Receiver<Vec<u8>>,
    output: impl FnMut(Chunk) + Send,
) -> Result<i32, Trouble> {
    let mut interrupts = setting.interrupts.clone();
    let asked = tokio::select! {
        asked = Asked::all(&setting, false) => asked,
        Ok(signal) = interrupts.wait_for(Interrupts::any) => return Ok(128 + signal.number()),
    };
    let Meant { instance, site, .. } = first(&setting, &asked, &request.instance).await?;
    let program = program(&setting, &instance, site, request.argv).await?;
    let running = exec(site.link.as_ref(), program, input, output);
    let signal = tokio::select! {
        ended = running => return ended.map_err(|failure| not_run(&instance.host, &failure)),
        Ok(signal) = interrupts.wait_for(Interrupts::any) => signal.number(),
    };
    // Giving up is heard in order, so that whoever answers this has ended the program.
    let asking = Operation::Facts { paths: Vec::new() };
    let _ = site.link.perform(asking.call().within(HEARD)).await;
    Ok(128 + signal)
}

/// Why a program was not run, or what became of it is not known. One that is not there has a code of its own, as shells have it.
fn not_run(host: &HostName, failure: &Failure) -> Trouble {
    let mut trouble = host_failure(host, failure).trouble;
    if matches!(failure, Failure::Fault(fault) if fault.kind == FaultKind::NotFound) {
        NO_PROGRAM.clone_into(&mut trouble.code);
    }
    trouble
}

/// Code of the error that the program of `exec` is not there.
pub const NO_PROGRAM: &str = "exec/no-program";

/// A program at a terminal, ready to be run on the first instance that is meant.
#[derive(Debug)]
pub struct OpenConsole {
    /// Where: `web1, blue, release 42`.
    pub place: String,
    /// The program.
    pub console: Console,
}

/// Prepares what [`exec_in`] runs, for a terminal of this machine of the given kind (`TERM`).
///
/// # Errors
/// When there is no such instance, or its host does not answer.
pub async fn open_console(
    setting: &Setting,
    request: ExecRequest,
    terminal: Option<&str>,
) -> Result<OpenConsole, Trouble> {
    let asked = Asked::all(setting, false).await;
    let Meant { instance, site, release } = first(setting, &asked, &request.instance).await?;
    let program = program(setting, &instance, site, request.argv).await?;
    let console = setting.links.console(&instance.host, &program, terminal).await;
    let console = console.map_err(|failure| host_failure(&instance.host, &failure).trouble)?;
    Ok(OpenConsole { place: format!("{}, {}, release {release}", instance.host, instance.color), console })
}

/// Ends a console: the program's own exit status, out of that of the command.
///
/// # Errors
/// When the connection broke before the program had ended.
pub async fn console_ended(opened: &OpenConsole, status: ExitStatus) -> Result<i32, Trouble> {
    opened.console.ended(status).await.map_err(|failure| {
        let hint = "a program at a terminal is told that the terminal is gone (SIGHUP), which ends most";
        Trouble::new("host/broken", failure.to_string()).hint(hint)
    })
}

/// An instance that was meant, with its host.
struct Meant<'a> {
    instance: ChosenInstance,
    site: &'a Site,
    /// Number of its release, or its identifier when nobody knows the number.
    release: String,
}

/// The first instance that is meant.
async fn first<'a>(
    setting: &Setting,
    asked: &'a Asked,
    choice: &InstanceChoice,
) -> Result<Meant<'a>, Trouble> {
    let (live, sights) = look(setting, asked, choice).await?;
    let chosen = choose(&setting.deployment, live, &sights, choice)?;
    let Some(instance) = chosen.into_iter().next() else {
        return Err(Trouble::new("instance/none", "no instance is meant"));
    };
    let Some(site) = asked.sites.get(&instance.host) else {
        return Err(Trouble::new("host/unknown", format!("`{}` did not answer", instance.host)));
    };
    let number = sights.get(&instance.host).and_then(|sight| sight.release(&instance.release));
    let release = number.map_or_else(|| instance.release.to_string(), |release| release.number.to_string());
    Ok(Meant { instance, site, release })
}

fn slot<'a>(setting: &'a Setting, instance: &'a ChosenInstance, site: &Site) -> Result<Slot<'a>, Trouble> {
    Slot::new(&setting.deployment, &instance.host, instance.color, &site.facts)
        .map_err(|failure| driver_failure(&instance.host, &failure).trouble)
}

/// What a person typed, in the environment of an instance's release.
async fn program(
    setting: &Setting,
    instance: &ChosenInstance,
    site: &Site,
    argv: Vec<String>,
) -> Result<Program, Trouble> {
    let slot = slot(setting, instance, site)?;
    let launch = Launch::of(site.link.as_ref(), &slot, &instance.release).await;
    let launch = launch.map_err(|failure| driver_failure(&instance.host, &failure).trouble)?;
    Ok(slot.program_as_typed(&instance.release, &launch, argv))
}

/// Shows what instances have written, and what they write while `follow`.
///
/// # Errors
/// When there is no such instance, or a host broke off.
pub async fn logs(
    setting: Setting,
    request: LogsRequest,
    line: impl Fn(&HostLine) + Send,
) -> Result<(), Trouble> {
    let mut interrupts = setting.interrupts.clone();
    let asked = tokio::select! {
        asked = Asked::all(&setting, false) => asked,
        Ok(_) = interrupts.wait_for(Interrupts::any) => return Ok(()),
    };
    let chosen = written(&setting, &asked, &request.instances).await?;
    let sources = chosen.into_iter().filter_map(|instance| {
        let site = asked.sites.get(&instance.host)?;
        Some(LogSource { instance, link: Arc::clone(&site.link), facts: site.facts.clone() })
    });
    let sources: Vec<LogSource> = sources.collect();
    let trouble = |(host, failure)| driver_failure(&host, &failure).trouble;
    if !request.follow {
        let lines = tail_logs(&setting.deployment, sources, request.lines).await.map_err(trouble)?;
        lines.iter().for_each(line);
        return Ok(());
    }
    let (sender, mut receiver) = mpsc::channel(64);
    let following = follow_logs(&setting.deployment, sources, request.lines, sender);
    let printing = async {
        while let Some(found) = receiver.recv().await {
            line(&found);
        }
    };
    tokio::select! {
        (followed, ()) = async { tokio::join!(following, printing) } => followed.map_err(trouble),
        _ = interrupts.wait_for(|interrupts| interrupts.count > 0) => Ok(()),
    }
}

/// Instances whose logs are meant: also those of a release that was put back, whose logs are told of when it fails.
async fn written(
    setting: &Setting,
    asked: &Asked,
    choice: &InstanceChoice,
) -> Result<Vec<ChosenInstance>, Trouble> {
    let deployment = &setting.deployment;
    let (live, sights) = look(setting, asked, choice).await?;
    let missing = match choose(deployment, live, &sights, choice) {
        Ok(chosen) => return Ok(chosen),
        Err(missing) => missing,
    };
    let history = asked.home(deployment)?.history(usize::MAX).await;
    let history = history.map_err(|fault| store_fault(&fault).trouble)?;
    let past = past(deployment, &history, &sights, choice);
    if past.is_empty() { Err(missing) } else { Ok(past) }
}

/// The colour that has the traffic, and what the hosts hold that may be meant. Of those that don't answer it is told, unless one of them is
/// what was asked for.
async fn look(
    setting: &Setting,
    asked: &Asked,
    choice: &InstanceChoice,
) -> Result<(Option<Color>, BTreeMap<HostName, HostSight>), Trouble> {
    let deployment = &setting.deployment;
    let live = live_color(setting, asked).await?;
    let mut sights = BTreeMap::new();
    let hosts = all_app_hosts(deployment);
    let silent: Vec<&Trouble> = hosts.iter().filter_map(|host| asked.silent.get(host)).collect();
    let wanted = choice.host.as_ref().and_then(|host| asked.silent.get(host));
    if let Some(trouble) = wanted.or(silent.first().copied().filter(|_| silent.len() == hosts.len())) {
        return Err(trouble.clone());
    }
    for trouble in silent.into_iter().filter(|_| choice.host.is_none()) {
        let text = format!("left out: {}", trouble.message);
        setting.reporter.tell(EventKind::Warning { text, hint: trouble.hint.clone() });
    }
    for host in hosts {
        let Some(site) = asked.sites.get(&host) else { continue };
        let sight = HostSight::look(site.link.as_ref(), deployment, &host, &site.facts).await;
        let sight = sight.map_err(|problem| Trouble::new("host/failed", format!("{host}: {problem}")))?;
        sights.insert(host, sight);
    }
    Ok((live, sights))
}

/// The colour that has the traffic: by the record, or while a deployment is open, which may have moved it, by the routers.
async fn live_color(setting: &Setting, asked: &Asked) -> Result<Option<Color>, Trouble> {
    let deployment = &setting.deployment;
    let home = asked.home(deployment)?;
    let fault = |fault| store_fault(&fault).trouble;
    let record = home.live().await.map_err(fault)?;
    let recorded = record.as_ref().map(|record| record.live.color);
    if home.open_journal::<Record>().await.map_err(fault)?.is_none() {
        return Ok(recorded);
    }
    let (pool, http, reporter) = (&setting.hooks, Arc::clone(&setting.http), setting.reporter.clone());
    let secrets = Arc::clone(&setting.secrets);
    let mut hooks = Hooks::load_to_look(deployment, pool, http, secrets, reporter).await;
    hooks.reach(&asked.sites);
    let routers = observe_routers(deployment, &hooks, record.as_ref()).await;
    let shown = routers.map(|routers| Observed { routers, ..Observed::default() }.live_color());
    if let Ok(Ok(color)) = shown {
        return Ok(color);
    }
    let text = "a deployment is open, and the routers do not show one colour: what the record says is taken for live";
    setting.reporter.tell(EventKind::Warning { text: text.to_owned(), hint: None });
    Ok(recorded)
}
