//! What an application host says of releases and instances, for those commands that show rather than change.

use std::time::Duration;

use cutover_host::operation::{Answer, Application, Facts, Operation};

use crate::driver::{self, InstanceState, Slot};
use crate::model::{Color, Deployment, HostName, Release, ReleaseId};
use crate::transport::Link;

/// For one question.
const DEADLINE: Duration = Duration::from_secs(20);

/// An application host, as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostSight {
    /// Whole releases whose records make sense, oldest first.
    pub releases: Vec<Release>,
    /// The colours that belong on this host.
    pub instances: Vec<InstanceSight>,
}

/// One colour on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceSight {
    /// The colour.
    pub color: Color,
    /// Release that the colour's link points to.
    pub link: Option<ReleaseId>,
    /// What its driver says.
    pub state: InstanceState,
}

impl HostSight {
    /// Asks a host.
    ///
    /// # Errors
    /// In words, when it does not answer or answers nonsense.
    pub async fn look(
        link: &dyn Link,
        deployment: &Deployment,
        host: &HostName,
        facts: &Facts,
    ) -> Result<Self, String> {
        let mut sight = Self::default();
        let here = Color::ALL.into_iter().filter(|color| deployment.color_hosts(*color).contains(host));
        let slots: Result<Vec<Slot<'_>>, _> =
            here.map(|color| Slot::new(deployment, host, color, facts)).collect();
        let slots = slots.map_err(|failure| failure.to_string())?;
        let Some(first) = slots.first() else { return Ok(sight) };
        let inspect = Operation::InspectApplication { directory: first.directory().to_owned() };
        let answer = link.perform(inspect.call().within(DEADLINE)).await;
        let Answer::Application(found) = answer.map_err(|failure| failure.to_string())? else {
            return Err("host was asked for its releases and answered something else".to_owned());
        };
        sight.releases = records(&found);
        for slot in slots {
            let color = slot.color();
            let state = driver::state(link, &slot).await.map_err(|failure| failure.to_string())?;
            let target = match color {
                Color::Blue => &found.blue,
                Color::Green => &found.green,
            };
            let target = target.as_deref().and_then(ReleaseId::parse);
            sight.instances.push(InstanceSight { color, link: target, state });
        }
        Ok(sight)
    }

    /// One of its instances.
    #[must_use]
    pub fn instance(&self, color: Color) -> Option<&InstanceSight> {
        self.instances.iter().find(|instance| instance.color == color)
    }

    /// Whether a process runs in a colour.
    #[must_use]
    pub fn is_running(&self, color: Color) -> bool {
        let state = self.instance(color).map(|instance| &instance.state);
        matches!(state, Some(InstanceState::Running { .. }))
    }

    /// The record of a release.
    #[must_use]
    pub fn release(&self, id: &ReleaseId) -> Option<&Release> {
        self.releases.iter().find(|release| release.id == *id)
    }
}

impl InstanceSight {
    /// The release that runs, or would if it were started.
    #[must_use]
    pub fn release(&self) -> Option<&ReleaseId> {
        match &self.state {
            InstanceState::Running { release: Some(release), .. } => Some(release),
            InstanceState::Running { release: None, .. }
            | InstanceState::Stopped
            | InstanceState::Failed { .. } => self.link.as_ref(),
        }
    }
}

/// Bytes of the record of a release; an honest one has a tenth of that. What is believed goes into journal and live record.
const LONGEST_RECORD: usize = 128 << 10;

/// Records of releases; one that does not fit its directory is not believed.
fn records(found: &Application) -> Vec<Release> {
    let record = |staged: &cutover_host::operation::StagedRelease| {
        let record = Some(&staged.record).filter(|record| record.len() <= LONGEST_RECORD)?;
        let release: Release = serde_json::from_str(record).ok()?;
        (release.id.as_str() == staged.id && release.digest == staged.digest).then_some(release)
    };
    found.releases.iter().filter_map(record).collect()
}
