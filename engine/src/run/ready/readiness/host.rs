//! One host: what it needs, asked for, and judged.

use std::sync::Arc;

use cutover_host::operation::Facts;

use super::super::needs::Needs;
use super::judge::{
    describe, judge_directory, judge_file, judge_linger, judge_port, judge_presence, judge_programs,
    judge_room, judge_sudoers, judge_user, judge_written, skew,
};
use super::obstacles::Concern;
use super::questions::Questions;
use crate::driver::{self, Launch, Noted, Slot};
use crate::model::view::{Finding, Verdict};
use crate::model::{Color, Deployment, HostName, Timestamp};
use crate::run::execute::reporter::Clock;
use crate::transport::Link;

/// What one host was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostReadiness {
    /// Who and what it is, in a few words.
    pub(crate) facts: String,
    /// What was looked at, in order, each with what it concerns.
    pub(super) found: Vec<(Concern, Finding)>,
}

impl HostReadiness {
    /// Everything that was looked at, whatever it concerns.
    pub(crate) fn into_findings(self) -> Vec<Finding> {
        self.found.into_iter().map(|(_, finding)| finding).collect()
    }
}

/// Asks one host. Changes nothing.
///
/// # Errors
/// In words, when it does not answer or answers nonsense.
pub(crate) async fn host_readiness(
    deployment: &Deployment,
    host: &HostName,
    link: &Arc<dyn Link>,
    clock: &dyn Clock,
) -> Result<HostReadiness, String> {
    let asked = Questions { link: Arc::clone(link) };
    let before = clock.now();
    let first = asked.facts(Vec::new()).await?;
    let skew = skew(before, clock.now(), Timestamp(first.now_ms));
    let slots: Vec<Slot<'_>> = Color::ALL
        .into_iter()
        .filter(|color| deployment.color_hosts(*color).contains(host))
        .map(|color| Slot::new(deployment, host, color, &first).map_err(|failure| failure.to_string()))
        .collect::<Result<_, _>>()?;
    let needs = Needs::of(deployment, host, &first).map_err(|failure| failure.to_string())?;
    let mut found = vec![(Concern::Everything, skew)];
    let described = look_at_paths(&asked, &slots, &needs, &first, &mut found).await?;
    look_at_system(&asked, deployment, &needs, &mut found).await?;
    if !blocked(&found) {
        look_at_ports(&asked, deployment, &slots, &mut found).await?;
    }
    if let Some(build) = &needs.build {
        // The checkout is made on this machine, wherever it is built.
        let git = build.directory.is_none().then_some("git").map(str::to_owned);
        let programs: Vec<String> = git.into_iter().chain(build.programs.iter().cloned()).collect();
        let judged = judge_programs(&programs, &asked.absent(&programs).await?);
        found.extend(judged.map(|finding| (Concern::Building, finding)));
    }
    Ok(HostReadiness { facts: described, found })
}

/// Whether the application's directory can't be: then what runs from it can't be asked for.
fn blocked(found: &[(Concern, Finding)]) -> bool {
    found.iter().any(|(_, finding)| finding.what == "directory" && finding.verdict == Verdict::Missing)
}

/// The application's directory, files that only the operator can provide, and what hooks write to.
async fn look_at_paths(
    asked: &Questions,
    slots: &[Slot<'_>],
    needs: &Needs,
    first: &Facts,
    found: &mut Vec<(Concern, Finding)>,
) -> Result<String, String> {
    let top = slots.first().map(|slot| slot.directory().to_owned());
    let files = slots.first().map(Slot::own_env_files).unwrap_or_default();
    let wanted: Vec<String> = needs.shared_files.iter().cloned().chain(files).collect();
    let paths = top.iter().cloned().chain(wanted.iter().cloned()).chain(needs.written.iter().cloned());
    let facts = asked.facts(paths.collect()).await?;
    let (tops, rest) = facts.room.split_at(facts.room.len().min(usize::from(top.is_some())));
    let (files, written) = rest.split_at(rest.len().min(wanted.len()));
    found.extend(tops.iter().flat_map(judge_room).map(|finding| (Concern::Staging, finding)));
    found.extend(files.iter().map(|room| (Concern::Staging, judge_presence(room))));
    found.extend(written.iter().map(|room| (Concern::Everything, judge_written(&needs.login, room))));
    Ok(describe(first, tops.first()))
}

/// Users, rights and files of root's.
async fn look_at_system(
    asked: &Questions,
    deployment: &Deployment,
    needs: &Needs,
    found: &mut Vec<(Concern, Finding)>,
) -> Result<(), String> {
    let mut tell = |concern, finding| found.push((concern, finding));
    if let Some(user) = &needs.process_user {
        tell(Concern::Everything, judge_user(user, asked.run("id", &["-u", user]).await? == 0));
    }
    for directory in needs.directories.iter().filter(|directory| directory.group.is_some()) {
        let owner = asked.owner(&directory.path).await?;
        tell(Concern::Everything, judge_directory(directory, owner.as_deref()));
    }
    let refused = asked.refused_commands(&needs.privileged).await?;
    if let Some(finding) = judge_sudoers(deployment, needs, &refused) {
        tell(Concern::Everything, finding);
    }
    for file in &needs.files {
        let there = asked.read(&file.path).await?;
        // One that is there and differs keeps nobody from going back to a release that ran with it.
        let concern = if there.is_some() { Concern::Staging } else { Concern::Everything };
        tell(concern, judge_file(file, there.as_deref()));
    }
    if needs.linger {
        tell(Concern::Everything, judge_linger(&needs.login, asked.lingers(&needs.login).await?));
    }
    Ok(())
}

async fn look_at_ports(
    asked: &Questions,
    deployment: &Deployment,
    slots: &[Slot<'_>],
    found: &mut Vec<(Concern, Finding)>,
) -> Result<(), String> {
    for slot in slots {
        let state = driver::state(asked.link.as_ref(), slot).await.map_err(|failure| failure.to_string())?;
        let placeholders = slot.placeholders("");
        let port = deployment.application.color(slot.color()).port;
        let listened = asked.port(placeholders.listen(), port).await?;
        // What was started by other words listens elsewhere: whoever listens on this port is another.
        let noted = Noted::of(asked.link.as_ref(), slot).await.map_err(|failure| failure.to_string())?;
        let launch = noted.and_then(|noted| noted.launch);
        let moved = launch.is_some_and(|launch| launch.has_other_port(&Launch::configured(slot)));
        let finding = judge_port(slot.color(), port, &state, &listened, moved);
        found.push((Concern::Starting(slot.color()), finding));
    }
    Ok(())
}
