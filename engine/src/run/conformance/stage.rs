//! One router and its hook, ready to be asked anything with someone in between.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant as Moment, sleep};

use crate::hook::{Answered, HookFailure, LoadedHook, Meddler};
use crate::model::{
    Color, EventKind, Health, HookCall, HostName, Instance, Level, LiveRecord, Observation, Routing, Step,
    Trouble, without_hint,
};
use crate::run::execute::standing::Standing;
use crate::run::world::front_doors::{self, FrontDoors};
use crate::run::world::observe::{all_app_hosts, observing_call};
use crate::run::world::probe::{marked, probes};
use crate::run::world::session::Session;
use crate::run::world::turns::Turns;

/// How long others are waited for whose turn at the router it is.
const PATIENCE: Duration = Duration::from_secs(120);

/// For an instance to say that it is healthy.
const HEALTH: Duration = Duration::from_secs(10);

/// Between two questions to one that is not.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// Answers of a front door that have to agree, one after the other.
const ANSWERS: usize = 5;

/// The user in the script of `setup`.
const USER: &str = "deploy";

/// An answer, or why there is none.
pub(super) type Said<T> = Result<T, String>;

/// The release that each colour says that it runs.
pub(super) type Releases = BTreeMap<Color, String>;

/// What `observe` came to.
pub(super) struct Seen {
    pub(super) said: Said<Observation>,
    /// Whether asking again may help.
    pub(super) temporary: bool,
    /// What was denied.
    pub(super) denied: Vec<String>,
}

/// One router and its hook.
pub(super) struct Stage<'a> {
    session: &'a Session,
    hook: &'a LoadedHook,
    turns: Turns,
    router: HostName,
    call: HookCall,
    standing: Standing,
    live: Option<Color>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(
        session: &'a Session,
        router: HostName,
        live: Option<&LiveRecord>,
        run: &str,
        standing: Standing,
    ) -> Result<Self, Trouble> {
        let hook = session.hooks.router().map_err(|failure| failure.trouble)?;
        let turns = Turns::new(session, "hook conformance", run);
        let call = observing_call(&session.deployment, live);
        let call = HookCall { deployment: run.to_owned(), color: call.color.other(), ..call };
        let live = live.map(|record| record.live.color);
        Ok(Self { session, hook, turns, router, call, standing, live })
    }

    /// The colour that is live by the record.
    pub(super) const fn live(&self) -> Option<Color> {
        self.live
    }

    pub(super) const fn router(&self) -> &HostName {
        &self.router
    }

    /// As the configuration names the hook.
    pub(super) fn source(&self) -> String {
        self.session.deployment.router.hook.source.to_string()
    }

    pub(super) fn digest(&self) -> String {
        self.hook.digest().to_owned()
    }

    /// The time of one question.
    pub(super) fn patience(&self) -> Duration {
        self.session.deployment.router.hook.timeout
    }

    /// A host of the application, where there is another one to go on with.
    pub(super) fn one_of_many(&self) -> Option<HostName> {
        let hosts = all_app_hosts(&self.session.deployment);
        hosts.first().filter(|_| hosts.len() > 1).cloned()
    }

    /// Before anything is changed: whether it still may be. The turn at the router is taken, or held on to.
    ///
    /// # Errors
    /// When a signal came, or someone else has the turn.
    pub(super) async fn go_on(&mut self) -> Result<(), Trouble> {
        let interrupted = self.session.interrupts.borrow().clone();
        if interrupted.any() {
            return Err(interrupted.trouble());
        }
        self.go_back().await
    }

    /// The same whatever signal came: what was changed is put back.
    ///
    /// # Errors
    /// When someone else has the lock or the turn.
    pub(super) async fn go_back(&mut self) -> Result<(), Trouble> {
        if !self.standing.is_sure().await {
            return Err(Trouble::new("state/fenced", "the lock is not surely ours any more"));
        }
        self.turns.take(PATIENCE).await.map(drop)
    }

    /// Tells that it begins.
    pub(super) fn begin(&self) {
        let places = vec![self.router.to_string()];
        self.session.reporter.tell(EventKind::StepStarted {
            step: Step::Switch,
            places,
            weight: None,
            wait: None,
        });
    }

    /// Tells how far it has come.
    pub(super) fn tell(&self, message: String) {
        let (place, text) = (Some(self.router.to_string()), message.clone());
        self.session.reporter.tell(EventKind::StepProgress {
            step: Step::Switch,
            place,
            text,
            transfer: None,
        });
        let source = "conformance".to_owned();
        self.session.reporter.tell(EventKind::Log { source, level: Level::Info, message });
    }

    pub(super) async fn let_go(&self) {
        self.turns.let_go().await;
    }

    /// Both colours answer: traffic is going to be sent to either. The release that each colour says that it runs, by its first instance
    /// that does.
    ///
    /// # Errors
    /// With the first that does not answer.
    pub(super) async fn require_healthy(&self) -> Result<Releases, Trouble> {
        let deadline = Moment::now() + HEALTH;
        let mut releases = Releases::new();
        for instance in &self.call.instances {
            let call = HookCall { instances: vec![instance.clone()], ..self.call.clone() };
            let release = loop {
                let why = match self.session.hooks.check_health(&call, instance).await {
                    Ok(Health::Healthy(release)) => break Ok(release),
                    Ok(Health::Starting(why) | Health::Unhealthy(why)) => why,
                    Err(failure) => failure.trouble.message,
                };
                if Moment::now() >= deadline {
                    break Err(why);
                }
                sleep(ASK_AGAIN).await;
            };
            let Instance { color, host, .. } = instance;
            match release {
                Ok(Some(release)) => drop(releases.entry(*color).or_insert(release)),
                Ok(None) => {}
                Err(why) => {
                    let text = format!("{color} on {host} is not healthy: {why}");
                    return Err(Trouble::new("conformance/sick", text).hint(
                        "both colours have to run, since traffic is sent to either: `cutover deploy`, then again",
                    ));
                }
            }
        }
        Ok(releases)
    }

    pub(super) async fn observe(&self, meddler: &Meddler) -> Seen {
        let access = self.session.hooks.access_through(meddler);
        let answered = self.hook.observe(&self.call, &self.router, access).await;
        let denied = answered.denials.iter().map(|denied| denied.request.clone()).collect();
        let temporary = answered.result.as_ref().err().is_some_and(HookFailure::is_temporary);
        Seen { said: said(answered), temporary, denied }
    }

    pub(super) async fn prepare(&self, want: &Routing, meddler: &Meddler) -> Said<String> {
        let access = self.session.hooks.access_through(meddler);
        said(self.hook.prepare(&self.call, &self.router, want, access).await)
    }

    pub(super) async fn apply(&self, want: &Routing, meddler: &Meddler) -> Said<()> {
        let access = self.session.hooks.access_through(meddler);
        said(self.hook.apply(&self.call, &self.router, want, access).await)
    }

    pub(super) async fn discard(&self) -> Said<()> {
        let meddler = Meddler::listening();
        said(self.hook.discard(&self.call, &self.router, self.session.hooks.access_through(&meddler)).await)
    }

    /// What is to be installed once, and what was denied.
    pub(super) async fn setup(&self) -> (Said<String>, Vec<String>) {
        let mut call = self.call.clone();
        call.facts.push(("setup".to_owned(), USER.to_owned()));
        let meddler = Meddler::listening();
        let access = self.session.hooks.access_through(&meddler);
        with_denials(self.hook.prepare(&call, &self.router, &Routing::none(), access).await)
    }

    pub(super) async fn features(&self) -> (Said<Vec<String>>, Vec<String>) {
        let meddler = Meddler::listening();
        with_denials(self.hook.features(&self.call, self.session.hooks.access_through(&meddler)).await)
    }

    /// What was denied to `connections`; that a router can't count is no fault.
    pub(super) async fn connections(&self, color: Color) -> Vec<String> {
        let meddler = Meddler::listening();
        let access = self.session.hooks.access_through(&meddler);
        with_denials(self.hook.connections(&self.call, &self.router, color, access).await).1
    }

    /// What a front door names that goes on naming something else than `own`, the release of the colour that the router shows; none where
    /// all of them name that, several times in a row. What stands behind a front door may settle later than the router says, as long as a
    /// deployment would wait for it, too.
    ///
    /// # Errors
    /// When there is nothing to be read off them, in words that tell why the rule is left out.
    pub(super) async fn other_mark(&self, own: &str) -> Said<Option<String>> {
        let deployment = &self.session.deployment;
        let Some(marker) = &deployment.application.release_marker else {
            return Err("the configuration has no `app.release-marker`".to_owned());
        };
        let doors = FrontDoors { deployment, sites: &self.session.sites, hooks: &self.session.hooks };
        let deadline = Moment::now() + front_doors::PATIENCE;
        let required: Vec<_> = probes(deployment).into_iter().filter(|probe| probe.required).collect();
        for probe in &required {
            let mut in_a_row = 0;
            while in_a_row < ANSWERS {
                let mark = match doors.fetch(probe).await {
                    Ok(answer) => Ok(marked(&answer, Some(marker))
                        .unwrap_or_else(|| format!("none (status {})", answer.status))),
                    Err(failure) => Err(format!("{}: {failure}", probe.door.url)),
                };
                match mark {
                    Ok(mark) if mark == own => in_a_row += 1,
                    other if Moment::now() >= deadline => return other.map(Some),
                    Ok(_) | Err(_) => {
                        in_a_row = 0;
                        sleep(front_doors::ASK_AGAIN).await;
                    }
                }
            }
        }
        if required.is_empty() {
            Err("the configuration has no `router.front-door`".to_owned())
        } else {
            Ok(None)
        }
    }
}

fn said<T>(answered: Answered<T>) -> Said<T> {
    answered.result.map_err(|failure| without_hint(&failure.to_string()).0)
}

fn with_denials<T>(answered: Answered<T>) -> (Said<T>, Vec<String>) {
    let denied = answered.denials.iter().map(|denied| denied.request.clone()).collect();
    (said(answered), denied)
}
