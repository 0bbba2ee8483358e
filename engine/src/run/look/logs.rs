//! `cutover logs`: what instances printed, and what they print.

use std::sync::Arc;

use cutover_host::operation::Facts;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::instance_choice::ChosenInstance;
use crate::driver::{self, DriverFailure, LogLine, Slot};
use crate::model::{Deployment, HostName};
use crate::transport::Link;

/// An instance whose log is wanted, with the way to its host.
#[derive(Debug, Clone)]
pub struct LogSource {
    /// Which.
    pub instance: ChosenInstance,
    /// Its host.
    pub link: Arc<dyn Link>,
    /// What the host said of itself.
    pub facts: Facts,
}

/// A line with the host that it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostLine {
    /// The host.
    pub host: HostName,
    /// The line, not yet escaped.
    pub line: LogLine,
}

/// The last `count` lines of each source: in the order of their times where all have one, else host by host.
///
/// # Errors
/// With the first host whose log can't be read.
pub async fn tail_logs(
    deployment: &Arc<Deployment>,
    sources: Vec<LogSource>,
    count: u32,
) -> Result<Vec<HostLine>, (HostName, DriverFailure)> {
    let mut reading = JoinSet::new();
    for (place, source) in sources.into_iter().enumerate() {
        let deployment = Arc::clone(deployment);
        reading.spawn(async move {
            let ChosenInstance { host, color, release } = source.instance;
            let lines = async {
                let slot = Slot::new(&deployment, &host, color, &source.facts)?;
                driver::log_tail(source.link.as_ref(), &slot, &release, count).await
            };
            let lines = lines.await;
            (place, host, lines)
        });
    }
    let mut read = reading.join_all().await;
    read.sort_by_key(|(place, ..)| *place);
    let mut all = Vec::new();
    for (_, host, lines) in read {
        let lines = lines.map_err(|failure| (host.clone(), failure))?;
        all.extend(lines.into_iter().map(|line| HostLine { host: host.clone(), line }));
    }
    if all.iter().all(|line| line.line.at.is_some()) {
        all.sort_by_key(|line| line.line.at);
    }
    Ok(all)
}

/// Sends the lines of each source as they come, `count` old ones first, until the returned future is dropped.
///
/// # Errors
/// With the first host whose log can't be read, or whose connection breaks.
pub async fn follow_logs(
    deployment: &Arc<Deployment>,
    sources: Vec<LogSource>,
    count: u32,
    lines: mpsc::Sender<HostLine>,
) -> Result<(), (HostName, DriverFailure)> {
    let mut following = JoinSet::new();
    for source in sources {
        let (deployment, lines) = (Arc::clone(deployment), lines.clone());
        following.spawn(async move {
            let ChosenInstance { host, color, release } = source.instance;
            let followed = async {
                let slot = Slot::new(&deployment, &host, color, &source.facts)?;
                let mut log = driver::open_log(source.link.as_ref(), &slot, &release, count, true).await?;
                while let Some(line) = log.next().await? {
                    if lines.send(HostLine { host: host.clone(), line }).await.is_err() {
                        break;
                    }
                }
                Ok(())
            };
            let followed: Result<(), DriverFailure> = followed.await;
            followed.map_err(|failure| (host.clone(), failure))
        });
    }
    drop(lines);
    // One that fails ends all: half of the hosts would look like all of them.
    while let Some(followed) = following.join_next().await {
        if let Ok(Err(failure)) = followed {
            return Err(failure);
        }
    }
    Ok(())
}
