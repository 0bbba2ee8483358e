//! How the words by which a release starts are exchanged: never before those of now are all there, and never for good before they held.

use std::collections::{BTreeMap, BTreeSet};

use cutover_host::operation::{Answer, FaultKind, Guard, Operation};

use super::drive::{SHORT, nonsense};
use super::{DriverFailure, Launch, Slot};
use crate::model::{Color, ReleaseId};
use crate::transport::{Failure, Link};

/// One deployment's words for a release in one slot.
///
/// | file in `env/` | what it is |
/// |---|---|
/// | `RELEASE-COLOR.json` | the release's own launch: whatever starts it reads this one |
/// | `RELEASE-COLOR.DEPLOYMENT.env` | the environment that the deployment wrote; its launch names it, so one rename exchanges both |
/// | `RELEASE-COLOR.DEPLOYMENT.json` | the candidate: how the deployment wants to start a release that has a launch of its own |
/// | `RELEASE-COLOR.DEPLOYMENT.former.json` | what was the release's own before, until the deployment ends well |
///
/// Each of the three does the same when it is done again, also after it was cut off anywhere; and each file is replaced as a whole. At every
/// moment the release has a launch of its own whose environment is there.
#[derive(Debug)]
pub struct Renewal<'a> {
    /// The slot's host.
    pub link: &'a dyn Link,
    /// What changes there are made under.
    pub guard: &'a Guard,
    /// The slot.
    pub slot: &'a Slot<'a>,
    /// The release.
    pub release: &'a ReleaseId,
    /// The deployment.
    pub deployment: &'a str,
}

impl Renewal<'_> {
    /// The operations that write a launch with its environment: as the release's own where it has none yet, else beside it.
    ///
    /// # Errors
    /// When the host does not answer, or the launch is too long.
    pub async fn writes(
        &self,
        launch: Launch,
        environment: Vec<u8>,
    ) -> Result<[Operation; 2], DriverFailure> {
        let launch = launch.written_by(self.deployment);
        let own = Launch::kept(self.link, self.slot, self.release).await?;
        let path = match own {
            Some(own) if own.written != launch.written => {
                self.slot.candidate_file(self.release, self.deployment)
            }
            _ => self.slot.launch_file(self.release),
        };
        let (file, content) = (self.slot.env_file(self.release, &launch), environment.into());
        let write = Operation::Write { path: file, beneath: None, content, mode: Some(0o600) };
        Ok([write, launch.write(path)?])
    }

    /// What the deployment starts the release by: its candidate, else the release's own, else the configuration.
    ///
    /// # Errors
    /// As [`Launch::kept`].
    pub async fn words(&self) -> Result<Launch, DriverFailure> {
        match Launch::read(self.link, self.slot.candidate_file(self.release, self.deployment)).await? {
            Some(candidate) => Ok(candidate),
            None => Launch::of(self.link, self.slot, self.release).await,
        }
    }

    /// Makes the candidate the release's own, and keeps what was that before.
    ///
    /// # Errors
    /// When the host does not answer, or what it has can't be read.
    pub async fn take(&self) -> Result<(), DriverFailure> {
        let file = self.slot.candidate_file(self.release, self.deployment);
        let Some(candidate) = Launch::read(self.link, file.clone()).await? else { return Ok(()) };
        let own = Launch::kept(self.link, self.slot, self.release).await?;
        if let Some(own) = own.filter(|own| own.written != candidate.written) {
            self.change(own.write(self.former())?).await?;
        }
        self.change(candidate.write(self.slot.launch_file(self.release))?).await?;
        self.change(self.slot.remove(file)).await
    }

    /// Makes what was the release's own before that again.
    ///
    /// # Errors
    /// As [`Renewal::take`].
    pub async fn put_back(&self) -> Result<(), DriverFailure> {
        if let Some(former) = Launch::read(self.link, self.former()).await? {
            self.change(former.write(self.slot.launch_file(self.release))?).await?;
            self.change(self.slot.remove(self.former())).await?;
        }
        self.change(self.slot.remove(self.slot.candidate_file(self.release, self.deployment))).await
    }

    fn former(&self) -> String {
        self.slot.former_file(self.release, self.deployment)
    }

    async fn change(&self, operation: Operation) -> Result<(), DriverFailure> {
        let call = operation.call().within(SHORT).under(Some(self.guard.clone()));
        Ok(self.link.perform(call).await.map(drop)?)
    }
}

/// Removes launches and environments that nobody needs any more: of releases that are not among `kept`, and of deployments whose words are no
/// release's own. To be asked for only while no deployment is between its first write and its end.
///
/// # Errors
/// When the host does not answer, or what it has can't be read.
pub async fn spare_launches(
    link: &dyn Link,
    slots: &[Slot<'_>],
    kept: &BTreeSet<ReleaseId>,
) -> Result<Vec<Operation>, DriverFailure> {
    let Some(first) = slots.first() else { return Ok(Vec::new()) };
    let list = Operation::ListNames { path: first.env_directory(), beneath: None };
    let names = match link.perform(list.call().within(SHORT)).await {
        Ok(Answer::Names(names)) => names,
        Ok(other) => return Err(nonsense("names of files", &other)),
        Err(Failure::Fault(fault)) if fault.kind == FaultKind::NotFound => return Ok(Vec::new()),
        Err(failure) => return Err(failure.into()),
    };
    let mut owns = BTreeMap::new();
    for (release, color) in doubtful(&names) {
        let Some(slot) = slots.iter().find(|slot| slot.color() == color) else { continue };
        if kept.contains(&release) {
            let own = Launch::kept(link, slot, &release).await?;
            owns.insert((release, color), own.and_then(|own| own.written));
        }
    }
    let path = |name: &String| format!("{}/{name}", first.env_directory());
    let spare = names.iter().filter(|name| is_spare(name, kept, &owns));
    Ok(spare.map(|name| first.remove(path(name))).collect())
}

/// A release in a colour.
type Place = (ReleaseId, Color);

/// Places with more than a launch and one environment.
fn doubtful(names: &[String]) -> BTreeSet<Place> {
    let mut counts: BTreeMap<Place, usize> = BTreeMap::new();
    for (place, _) in names.iter().filter_map(|name| parsed(name)) {
        *counts.entry(place).or_default() += 1;
    }
    counts.into_iter().filter(|(_, files)| *files > 2).map(|(place, _)| place).collect()
}

/// Whether a file is needed by nobody. `owns` tells of the doubtful places who wrote the release's own launch.
fn is_spare(name: &str, kept: &BTreeSet<ReleaseId>, owns: &BTreeMap<Place, Option<String>>) -> bool {
    let Some((place, rest)) = parsed(name) else { return false };
    if !kept.contains(&place.0) {
        return true;
    }
    let Some(written) = owns.get(&place) else { return false };
    let needed = written.as_ref().map_or_else(|| "env".to_owned(), |deployment| format!("{deployment}.env"));
    rest != "json" && rest != needed
}

/// `RELEASE-COLOR.rest`.
fn parsed(name: &str) -> Option<(Place, &str)> {
    let (place, rest) = name.split_once('.')?;
    let (release, color) = place.rsplit_once('-')?;
    let color = Color::ALL.into_iter().find(|known| known.as_str() == color)?;
    Some(((ReleaseId::parse(release)?, color), rest))
}

#[cfg(test)]
mod tests;
