//! `exec` and `logs`: at an instance of the application.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::look::Asked;
use super::performer::{driver_failure, host_failure, store_fault};
use super::session::Setting;
use super::{ChosenInstance, HostLine, HostSight, LogSource, choose, exec, follow_logs, past, tail_logs};
use crate::driver::Slot;
use crate::model::request::{ExecRequest, InstanceChoice, LogsRequest};
use crate::model::{HostName, LiveRecord, Trouble};
use crate::transport::Chunk;

/// Runs a program in the environment of a release, on the first instance that is meant. Answers its exit status.
///
/// # Errors
/// When there is no such instance, or its host broke off.
pub async fn exec_in(
    setting: Setting,
    request: ExecRequest,
    input: mpsc::Receiver<Vec<u8>>,
    output: impl FnMut(Chunk) + Send,
) -> Result<i32, Trouble> {
    let asked = Asked::all(&setting, false).await;
    let (live, sights) = look(&setting, &asked).await?;
    let chosen = choose(&setting.deployment, live.as_ref(), &sights, &request.instance)?;
    let Some(ChosenInstance { host, color, release }) = chosen.into_iter().next() else {
        return Err(Trouble::new("instance/none", "no instance is meant"));
    };
    let Some(site) = asked.sites.get(&host) else {
        return Err(Trouble::new("host/unknown", format!("`{host}` did not answer")));
    };
    let slot = Slot::new(&setting.deployment, &host, color, &site.facts)
        .map_err(|failure| driver_failure(&host, &failure).trouble)?;
    let ended = exec(site.link.as_ref(), &slot, &release, &request.argv, input, output).await;
    ended.map_err(|failure| host_failure(&host, &failure).trouble)
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
    let asked = Asked::all(&setting, false).await;
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
    let mut interrupts = setting.interrupts.clone();
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
    let (live, sights) = look(setting, asked).await?;
    let missing = match choose(deployment, live.as_ref(), &sights, choice) {
        Ok(chosen) => return Ok(chosen),
        Err(missing) => missing,
    };
    let history = asked.home(deployment)?.history(usize::MAX).await;
    let history = history.map_err(|fault| store_fault(&fault).trouble)?;
    let past = past(deployment, &history, &sights, choice);
    if past.is_empty() { Err(missing) } else { Ok(past) }
}

/// What is live by the record, and what the hosts hold.
async fn look(
    setting: &Setting,
    asked: &Asked,
) -> Result<(Option<LiveRecord>, BTreeMap<HostName, HostSight>), Trouble> {
    let deployment = &setting.deployment;
    let live = asked.home(deployment)?.live().await.map_err(|fault| store_fault(&fault).trouble)?;
    let mut sights = BTreeMap::new();
    for host in super::observe::all_app_hosts(deployment) {
        let Some(site) = asked.sites.get(&host) else { continue };
        let sight = HostSight::look(site.link.as_ref(), deployment, &host, &site.facts).await;
        let sight = sight.map_err(|problem| Trouble::new("host/failed", format!("{host}: {problem}")))?;
        sights.insert(host, sight);
    }
    Ok((live, sights))
}
