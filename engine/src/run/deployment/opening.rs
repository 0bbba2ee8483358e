//! The beginning of a run: told at once, since connecting may take its time, and its end when nothing comes of it.

use super::ending::Ending;
use crate::model::view::ExitCode;
use crate::model::{Deployment, EventKind, HostName, Reach, Step, StepEnd, Timestamp, Trouble};
use crate::run::execute::interrupts::INTERRUPTED;
use crate::run::execute::interrupts::Interrupts;
use crate::run::execute::moment::identifier;
use crate::run::execute::reporter::Reporter;
use crate::run::world::hooks::Refused;
use crate::run::world::observe::all_app_hosts;
use crate::run::world::session::{Session, Setting, spoken_to};

/// A run that has begun, with everything open that it needs.
#[derive(Debug)]
pub struct Opening {
    pub(crate) session: Session,
    /// Identifier of a new deployment; empty when one is taken up.
    pub(crate) deployment: String,
    pub(crate) preflight: Preflight,
}

/// The first step, from before hosts are connected until it is known what is to be done.
#[derive(Debug)]
pub(crate) struct Preflight {
    reporter: Reporter,
    places: Vec<String>,
    began: Timestamp,
}

impl Opening {
    /// Begins a run that makes a new deployment: tells so, then opens a session. `builds` says whether anything will be built.
    ///
    /// # Errors
    /// With every host and hook that failed. Then the run is to be ended by [`end_refused`].
    pub async fn of_new(setting: Setting, command: &str, builds: bool) -> Result<Self, Refused> {
        let deployment = identifier(setting.reporter.now()).to_string();
        let told = Some(deployment.clone());
        Self::begin(setting, command, told, deployment, Some(builds)).await
    }

    /// Begins a run that takes up a deployment, which it has to find first.
    ///
    /// # Errors
    /// As [`Self::of_new`].
    pub async fn of_unfinished(setting: Setting, command: &str) -> Result<Self, Refused> {
        Self::begin(setting, command, None, String::new(), None).await
    }

    /// `builds` is none where a deployment is taken up.
    async fn begin(
        setting: Setting,
        command: &str,
        told: Option<String>,
        deployment: String,
        builds: Option<bool>,
    ) -> Result<Self, Refused> {
        let title = setting.deployment.title();
        setting.reporter.tell(EventKind::Started { command: command.to_owned(), title, deployment: told });
        let preflight = Preflight::begin(setting.reporter.clone(), &setting.deployment, builds == Some(true));
        let mut interrupts = setting.interrupts.clone();
        let opening = async {
            match builds {
                Some(builds) => Session::open(setting, builds, command == "deploy").await,
                None => Session::open_to_take_up(setting).await,
            }
        };
        let opened = tokio::select! {
            opened = opening => opened,
            Ok(signal) = interrupts.wait_for(Interrupts::any) => Err(Refused::of(signal.trouble())),
        };
        match opened {
            Ok(session) => Ok(Self { session, deployment, preflight }),
            Err(refused) => {
                let interrupted = refused.troubles.iter().any(|trouble| trouble.code == INTERRUPTED);
                let end = if interrupted { StepEnd::Interrupted } else { StepEnd::Failed };
                preflight.end(end, refused.summary());
                Err(refused)
            }
        }
    }
}

impl Preflight {
    fn begin(reporter: Reporter, deployment: &Deployment, builds: bool) -> Self {
        let places = places(deployment, builds);
        let began = reporter.now();
        let step = Step::Preflight;
        reporter.tell(EventKind::StepStarted { step, places: places.clone(), weight: None, wait: None });
        Self { reporter, places, began }
    }

    /// The same, where it is one router that it ends by.
    pub(crate) fn about(self, router: Option<&HostName>) -> Self {
        match router {
            Some(router) => Self { places: vec![router.to_string()], ..self },
            None => self,
        }
    }

    pub(crate) fn end(self, end: StepEnd, summary: String) {
        let Self { reporter, places, began } = self;
        let took = reporter.now().since(began);
        let (step, details) = (Step::Preflight, Vec::new());
        reporter.tell(EventKind::StepEnded { step, places, weight: None, end, summary, details, took });
    }
}

/// Hosts of the application, then routers, then others; the machine that we are on where it is the only one.
fn places(deployment: &Deployment, builds: bool) -> Vec<String> {
    let spoken_to = spoken_to(deployment, builds);
    let app = all_app_hosts(deployment);
    let in_order = app.iter().chain(&deployment.router.names).chain(&spoken_to);
    let is_far = |name: &&HostName| {
        deployment.hosts.get(*name).is_some_and(|host| matches!(host.reach, Reach::Ssh { .. }))
    };
    let alone = !spoken_to.iter().any(|name| is_far(&name));
    let mut places: Vec<String> = Vec::new();
    for name in in_order.filter(|name| spoken_to.contains(*name) && (alone || is_far(name))) {
        if !places.contains(&name.to_string()) {
            places.push(name.to_string());
        }
    }
    places
}

/// Ends a run that could not be opened.
pub fn end_refused(reporter: &Reporter, troubles: Vec<Trouble>) -> ExitCode {
    let ending = Ending::refused(troubles);
    let exit_code = ending.exit_code;
    reporter.tell(ending.event(reporter));
    exit_code
}
