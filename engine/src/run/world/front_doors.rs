//! Asking front doors: for whoever proves, watches, or only looks.

use std::time::Duration;

use super::hooks::Hooks;
use super::probe::{Answer, Either, Probe, Proof, Speaker, Wrong, judge, judge_closed};
use super::site::Sites;
use crate::bundled;
use crate::hook::http::HttpFailure;
use crate::model::{Color, Deployment, HookSource, LiveRelease, Release};

/// For the answers to become right after a router has said that it is so.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Between a wrong answer and the next question.
pub(crate) const ASK_AGAIN: Duration = Duration::from_millis(100);

/// The front doors of a deployment, and what they are asked through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrontDoors<'a> {
    pub(crate) deployment: &'a Deployment,
    pub(crate) sites: &'a Sites,
    pub(crate) hooks: &'a Hooks,
}

impl FrontDoors<'_> {
    /// One answer, whatever it is.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn fetch(&self, probe: &Probe<'_>) -> Result<Answer, HttpFailure> {
        let via = match probe.via() {
            Some(host) => {
                let unknown = || HttpFailure::Connect(format!("`{host}` can't be asked from"));
                Some(self.sites.get(host).ok_or_else(unknown)?.link.clone())
            }
            None => None,
        };
        let address =
            probe.router.and_then(|router| self.deployment.hosts.get(router)).map(|host| &host.address);
        self.hooks.fetch(&probe.door.url, address.map(String::as_str), via).await
    }

    /// One answer, held against the release that is wanted. `known` is another one that can be told by its number.
    ///
    /// # Errors
    /// With what is wrong with it, or why there is none.
    pub(crate) async fn ask(
        &self,
        probe: &Probe<'_>,
        color: Color,
        release: &Release,
        known: Option<&Release>,
    ) -> Result<Proof, Wrong> {
        let answer = self.fetch(probe).await.map_err(|failure| Wrong::stranger(failure.to_string()))?;
        let marker = self.deployment.application.release_marker.as_ref();
        judge(&answer, probe.door.body.as_deref(), marker, color, release, known)
    }

    /// One answer where nobody may get to the application: what it is, in words. No answer is none of the application's either.
    ///
    /// # Errors
    /// With what shows that it is the application's.
    pub(crate) async fn ask_closed(&self, probe: &Probe<'_>, live: &LiveRelease) -> Result<String, String> {
        self.closed(probe, &self.fetch(probe).await, live)
    }

    /// The same of an answer that is there.
    ///
    /// # Errors
    /// As [`Self::ask_closed`].
    pub(crate) fn closed(
        &self,
        probe: &Probe<'_>,
        answer: &Result<Answer, HttpFailure>,
        live: &LiveRelease,
    ) -> Result<String, String> {
        match answer {
            Ok(answer) => {
                let marker = self.deployment.application.release_marker.as_ref();
                judge_closed(answer, probe.door.body.as_deref(), marker, live)
            }
            Err(failure) => Ok(format!("no answer ({failure})")),
        }
    }

    /// One answer where the other colour may answer too, of the release `other`; none: that is not known, and no answer of it is right.
    ///
    /// # Errors
    /// With what is wrong with it, or why there is none.
    pub(crate) async fn ask_either(
        &self,
        probe: &Probe<'_>,
        color: Color,
        release: &Release,
        other: Option<&Release>,
    ) -> Result<Either, Wrong> {
        let answer = self.fetch(probe).await.map_err(|failure| Wrong::stranger(failure.to_string()))?;
        let marker = self.deployment.application.release_marker.as_ref();
        let judged =
            |color, release| judge(&answer, probe.door.body.as_deref(), marker, color, release, other);
        let wrong = match judged(color, release) {
            Ok(proof) => return Ok(Either::Wanted(proof)),
            Err(wrong) => wrong,
        };
        let is_other = other.is_some_and(|other| judged(color.other(), other).is_ok());
        if is_other { Ok(Either::Other) } else { Err(wrong) }
    }
}

/// What to look at when an answer stays wrong.
pub(crate) fn hint(deployment: &Deployment, probe: &Probe<'_>, speaker: Speaker) -> Option<String> {
    match (probe.router, speaker) {
        (Some(router), _) => Some(format!(
            "look at the configuration that {router} serves the URL with; `each-router = false` at the front door leaves such questions out"
        )),
        (None, Speaker::Stranger) => hint_of_hook(deployment),
        (None, Speaker::Application | Speaker::OtherColor | Speaker::Gateway) => None,
    }
}

/// What the router's hook says is forgotten most often, where it comes with the program.
pub(crate) fn hint_of_hook(deployment: &Deployment) -> Option<String> {
    let hook = &deployment.router.hook;
    match &hook.source {
        HookSource::Builtin(name) => {
            bundled::hook(name)?.front_door_hint(&deployment.name_for_hooks(), &hook.settings)
        }
        HookSource::File(_) | HookSource::Script(_) | HookSource::Https(_) | HookSource::Oci(_) => None,
    }
}
