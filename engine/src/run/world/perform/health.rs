//! Health: the engine polls, counts and keeps the deadline; the hook looks once.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use tokio::time::{Instant as Moment, sleep, sleep_until, timeout_at};

use super::reach::Reach;
use crate::driver::{self, InstanceState};
use crate::model::{
    Action, Color, EventKind, Health, HostName, Instance, Note, Plan, Release, ReleaseId, Step, Timestamp,
    Trouble,
};
use crate::run::execute::interrupts::Interrupts;
use crate::run::execute::performed::{Performed, Summary};
use crate::run::world::afterwards::{InstanceHealth, LastLook};
use crate::run::world::performer::{Performer, Result, Unperformed};

/// So long a connection that broke may take to be made again: a wire that is dead is noticed after 15 s.
const RECONNECT: Duration = Duration::from_secs(20);

/// Lines of an application's log that are shown beneath a failure.
const LOG_LINES: usize = 8;

/// Lines that are counted, so that it can be said how many more there are.
const LOG_COUNTED: u32 = 500;

/// How long the way back waits for a release that was warm to answer again.
const WARM_UP: Duration = Duration::from_secs(10);

/// Code of the error that traffic can't be moved to a colour, since it is not known to be healthy.
const OLD_SICK: &str = "switch/old-sick";

/// One look at one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Look {
    /// As it should be.
    Healthy {
        /// Whether it said that it runs the release.
        proven: bool,
    },
    /// In the hook's words.
    Not(String),
}

impl Performer {
    /// Waits until the instance was healthy so many times in a row, and says that it runs the release where it can say so.
    pub(crate) async fn await_healthy(
        &self,
        plan: &Plan,
        host: &HostName,
        color: Color,
        release: &ReleaseId,
    ) -> Result<Performed> {
        let check = &self.deployment.health_check;
        // On the way back it may be what was there before.
        let about =
            if *release == plan.release.id { plan.release.clone() } else { self.known_release(release) };
        let instance = self.instance(plan, host, color)?;
        let deadline = Moment::now() + check.deadline;
        let (mut in_a_row, mut attempt, mut last) = (0, 0, "it was not asked yet".to_owned());
        loop {
            let next = Moment::now() + check.interval;
            attempt += 1;
            // One that hangs has no more time than all of them.
            let look = timeout_at(deadline, self.look_for(plan, &instance, &about, true, attempt)).await;
            match look.unwrap_or_else(|_| Ok(Look::Not("no answer until then".to_owned())))? {
                Look::Healthy { proven } => {
                    in_a_row += 1;
                    self.tell_health(host, format!("{in_a_row} of {}", check.healthy_after));
                    if in_a_row >= check.healthy_after {
                        let marked = self.deployment.application.release_marker.is_some();
                        let says = match (proven, marked) {
                            (true, _) => format!(", each says release {}", about.number),
                            (false, true) => "; not proven: no answer names a release".to_owned(),
                            (false, false) => "; not proven: no release marker".to_owned(),
                        };
                        return Ok(Performed::done(Summary::Text(format!("{in_a_row} of {in_a_row}{says}"))));
                    }
                }
                Look::Not(reason) => {
                    in_a_row = 0;
                    self.tell_health(host, reason.clone());
                    last = reason;
                    if let Some(gone) = self.gone(host, color).await? {
                        let message = format!("{host}: {} {gone}", self.deployment.called(color));
                        return Err(self
                            .with_log(Trouble::new("health/exited", message), plan, host, color)
                            .await);
                    }
                }
            }
            if next.max(Moment::now()) >= deadline {
                let (what, limit) = (self.deployment.called(color), check.deadline.as_secs());
                let message = format!("{host}: {what} was not healthy within {limit} s: {last}");
                return Err(self.with_log(Trouble::new("health/deadline", message), plan, host, color).await);
            }
            sleep_until(next).await;
        }
    }

    /// Goes on only if every instance is healthy that gets requests when the colour has the traffic: of three looks at each, one must be
    /// good. A look that does not get to its host is none, as long as there is hope that the connection can be made again.
    pub(crate) async fn require_healthy(&self, plan: &Plan, color: Color) -> Result<Performed> {
        let (instances, left_out) = (self.serving(plan, color), self.excluded());
        let asked = instances.iter().map(async |instance| {
            let is_out = left_out.contains(&instance.host);
            let (mut tries, hope) = (0, Moment::now() + RECONNECT);
            loop {
                tries += 1;
                let look = self.look(plan, instance, tries).await;
                let is_good = matches!(look, Ok(Look::Healthy { .. }));
                if !is_good && let Some(away) = self.away(&instance.host).await {
                    if is_out {
                        self.require_nothing(instance, &away).await?;
                        return Ok(false);
                    }
                    if Moment::now() < hope {
                        tries = 0;
                        sleep(self.deployment.health_check.interval).await;
                        continue;
                    }
                }
                match look? {
                    Look::Healthy { .. } => return Result::<bool>::Ok(true),
                    Look::Not(reason) if tries >= 3 => {
                        let what = self.deployment.called(color);
                        let message = format!("{}: {what} is not healthy: {reason}", instance.host);
                        return Err(Trouble::new(OLD_SICK, message).into());
                    }
                    Look::Not(_) => sleep(self.deployment.health_check.interval).await,
                }
            }
        });
        if try_join_all(asked).await?.contains(&true) {
            return Ok(Performed::done(Summary::Nothing));
        }
        let what = self.deployment.called(color);
        let message = format!("{what} is not known to be healthy: it has no instance that can be looked at");
        Err(Trouble::new(OLD_SICK, message).into())
    }

    /// Goes on only if the colour answers on another host that gets requests, or on none of these, or if no router sends to these: one look at each, and three at
    /// those that do not.
    pub(crate) async fn require_others(
        &self,
        plan: &Plan,
        color: Color,
        hosts: &[HostName],
    ) -> Result<Performed> {
        let instances = self.serving(plan, color);
        let (ours, mut others): (Vec<_>, Vec<_>) =
            instances.into_iter().partition(|instance| hosts.contains(&instance.host));
        let out = self.left_out_by_routers(plan).await?;
        others.retain(|instance| !out.contains(&instance.host));
        for tries in 1..=3 {
            if self.any_answers(plan, &others, tries).await || !self.any_answers(plan, &ours, tries).await {
                return Ok(Performed::done(Summary::Nothing));
            }
            sleep(self.deployment.health_check.interval).await;
        }
        if self.are_out(plan, color, hosts).await? {
            return Ok(Performed::done(Summary::Nothing));
        }
        let names = |instances: &[Instance]| {
            let names: Vec<&str> = instances.iter().map(|instance| instance.host.as_str()).collect();
            names.join(" ")
        };
        let why = match others.is_empty() {
            true => "no other host gets requests".to_owned(),
            false => format!("nothing answers on {}", names(&others)),
        };
        let message =
            format!("{} can't be taken out: {why}, so nobody would have the requests", names(&ours));
        let hint = "`cutover status` and `cutover logs` say what is wrong there";
        Err(Trouble::new("out/no-others", message).hint(hint).into())
    }

    /// Whether one of them at least is healthy, whatever it runs.
    async fn any_answers(&self, plan: &Plan, instances: &[Instance], attempt: u32) -> bool {
        let looks =
            instances.iter().map(|instance| self.look_for(plan, instance, &plan.release, false, attempt));
        join_all(looks).await.iter().any(|look| matches!(look, Ok(Look::Healthy { .. })))
    }

    /// Whether every instance is healthy right now that gets requests when the colour has the traffic: one look each.
    pub(crate) async fn is_healthy(&self, plan: &Plan, color: Color) -> bool {
        let (instances, left_out) = (self.serving(plan, color), self.excluded());
        let looks = instances.iter().map(async |instance| {
            if matches!(self.look(plan, instance, 1).await, Ok(Look::Healthy { .. })) {
                return Some(true);
            }
            let away = self.away(&instance.host).await.filter(|_| left_out.contains(&instance.host))?;
            self.require_nothing(instance, &away).await.ok().map(|()| false)
        });
        let looks = join_all(looks).await;
        looks.contains(&Some(true)) && !looks.contains(&None)
    }

    /// Why a host can't be reached now, when it can't; one that could not be when the run began is not tried again.
    async fn away(&self, host: &HostName) -> Option<String> {
        match self.site(host) {
            Ok(_) => self.out_of_reach(host).await,
            Err(unknown) => Some(unknown.trouble.message),
        }
    }

    /// Goes on without a look at an instance whose host is left out and can't be reached, only if no router gets a connection to it: then
    /// it has no part in the traffic now, as it had none before. That it is silent to us is no sign of health, nor of absence.
    async fn require_nothing(&self, instance: &Instance, away: &str) -> Result<()> {
        let Instance { host, color, .. } = instance;
        let message = match self.reach(host, *color).await? {
            Reach::Nothing => return Ok(()),
            Reach::Answers(router) => format!("its {color} answers {router}, and can't be looked at"),
            Reach::Unasked(router) => format!("whether its {color} answers {router} can't be asked"),
        };
        Err(Trouble::new(OLD_SICK, format!("{host} is left out: {message} ({away})")).into())
    }

    /// What one look at each instance of the old colour finds, all at the same time.
    pub(crate) async fn old_health(&self, plan: &Plan) -> Vec<InstanceHealth> {
        let instances = self.serving(plan, plan.color.other());
        let looks = join_all(instances.iter().map(|instance| self.look(plan, instance, 1))).await;
        let hosts = instances.into_iter().map(|instance| instance.host);
        hosts.zip(looks).map(|(host, look)| (host, last_look(look))).collect()
    }

    /// Waits until a release that was warm answers again, for a short while: nothing depends on it. What is wrong with it when it does not.
    pub(crate) async fn await_warm(
        &self,
        plan: &Plan,
        host: &HostName,
        color: Color,
        release: &Release,
    ) -> Result<Option<String>> {
        let instance = self.instance(plan, host, color)?;
        let mut interrupts = self.interrupts.clone();
        let patience = WARM_UP.min(self.deployment.health_check.deadline);
        let (deadline, mut attempt) = (Moment::now() + patience, 0);
        let mut last = "there was no time to ask".to_owned();
        let answers = async {
            loop {
                attempt += 1;
                match self.look_for(plan, &instance, release, true, attempt).await {
                    Ok(Look::Healthy { .. }) => return None,
                    Ok(Look::Not(reason)) => last = reason,
                    Err(Unperformed { trouble, .. }) => return Some(trouble.message),
                }
                if let Ok(Some(gone)) = self.gone(host, color).await {
                    return Some(gone);
                }
                sleep(self.deployment.health_check.interval).await;
            }
        };
        let wrong = tokio::select! {
            biased;
            wrong = timeout_at(deadline, answers) => Some(wrong),
            // There are few seconds after a signal, and other things to put back.
            _ = interrupts.wait_for(Interrupts::any) => None,
        };
        Ok(match wrong {
            Some(Ok(wrong)) => wrong,
            Some(Err(_)) | None => Some(last),
        })
    }

    /// What one look at each instance that was warm, and that the way back has started again, finds.
    pub(crate) async fn warm_health(&self, plan: &Plan) -> Vec<InstanceHealth> {
        let undone = plan.tasks().flat_map(|(_, task)| &task.undo);
        let started = undone.filter_map(|action| {
            let Action::Start { host, color, release } = action else { return None };
            Some((host, *color, release))
        });
        let looks = started.map(async |(host, color, release)| {
            let instance = self.instance(plan, host, color).ok()?;
            let look = self.look_for(plan, &instance, &self.known_release(release), true, 1).await;
            Some((host.clone(), last_look(look)))
        });
        join_all(looks).await.into_iter().flatten().collect()
    }

    /// A release by its identifier, with what the record at the home says of it.
    pub(crate) fn known_release(&self, id: &ReleaseId) -> Release {
        let record = self.live.iter().flat_map(|record| record.previous.iter().chain([&record.live]));
        let known = record.map(|live| &live.release).find(|known| known.id == *id);
        known.cloned().unwrap_or_else(|| Release::new(id.clone(), 0, Timestamp(0)))
    }

    /// Looks once. The colour that is filled must say the plan's release, where it says any; the other one runs whatever it runs.
    pub(super) async fn look(&self, plan: &Plan, instance: &Instance, attempt: u32) -> Result<Look> {
        let recorded =
            self.live.as_ref().map(|record| &record.live).filter(|live| live.color == instance.color);
        let (about, must_say) = match recorded {
            _ if instance.color == plan.color => (&plan.release, true),
            Some(live) => (&live.release, false),
            None => (&plan.release, false),
        };
        self.look_for(plan, instance, about, must_say, attempt).await
    }

    /// Looks once for a release. With `must_say` an answer that names another one is not healthy.
    async fn look_for(
        &self,
        plan: &Plan,
        instance: &Instance,
        about: &Release,
        must_say: bool,
        attempt: u32,
    ) -> Result<Look> {
        let call = self.call(plan, about, vec![instance.clone()], attempt);
        let release = Some(about.id.as_str()).filter(|_| must_say);
        Ok(match self.hooks.check_health(&call, instance).await {
            Ok(Health::Healthy(says)) => match (says, release) {
                (Some(says), Some(release)) if says != release => Look::Not(format!(
                    "answers, but as release {says} instead of {release}, its CUTOVER_RELEASE"
                )),
                (says, _) => Look::Healthy { proven: says.is_some() },
            },
            Ok(Health::Starting(reason) | Health::Unhealthy(reason)) => Look::Not(reason),
            Err(failure) if failure.temporary => Look::Not(failure.trouble.message),
            Err(failure) => return Err(failure.into()),
        })
    }

    /// How the process ended, when it did.
    async fn gone(&self, host: &HostName, color: Color) -> Result<Option<String>> {
        let site = self.site(host)?;
        let slot = site.slot(&self.deployment, host, color)?;
        Ok(match driver::state(site.link.as_ref(), &slot).await {
            Ok(InstanceState::Failed { why, .. }) => Some(format!("ended by itself: {why}")),
            Ok(InstanceState::Stopped) => Some("does not run any more".to_owned()),
            Ok(InstanceState::Running { .. }) | Err(_) => None,
        })
    }

    fn instance(&self, plan: &Plan, host: &HostName, color: Color) -> Result<Instance> {
        let found = self.instances(plan, color).into_iter().find(|instance| instance.host == *host);
        Ok(found.ok_or_else(|| Trouble::new("host/unknown", format!("`{host}` has no {color} instance")))?)
    }

    fn tell_health(&self, host: &HostName, text: String) {
        let place = Some(host.to_string());
        self.reporter.tell(EventKind::StepProgress { step: Step::Health, place, text, transfer: None });
    }

    /// An error with the tail of the application's log beneath.
    pub(crate) async fn with_log(
        &self,
        trouble: Trouble,
        plan: &Plan,
        host: &HostName,
        color: Color,
    ) -> Unperformed {
        let details = self.log_notes(plan, host, color).await;
        Unperformed { trouble, unknown: false, details }
    }

    /// The tail of an application's log, and how to see more.
    pub(crate) async fn log_notes(&self, plan: &Plan, host: &HostName, color: Color) -> Vec<Note> {
        let Ok(site) = self.site(host) else { return Vec::new() };
        let Ok(slot) = site.slot(&self.deployment, host, color) else { return Vec::new() };
        let Ok(lines) = driver::log_tail(site.link.as_ref(), &slot, &plan.release.id, LOG_COUNTED).await
        else {
            return Vec::new();
        };
        let lines: Vec<String> = lines.into_iter().map(|line| line.text).collect();
        let text = log_excerpt(&lines, plan.release.number, host);
        text.map(|text| Note::new(format!("{host} log"), text)).into_iter().collect()
    }
}

fn last_look(look: Result<Look>) -> LastLook {
    match look {
        Ok(Look::Healthy { .. }) => LastLook::Healthy,
        Ok(Look::Not(reason)) => LastLook::Sick(reason),
        Err(Unperformed { trouble, .. }) => LastLook::Unknown(trouble.message),
    }
}

/// The last lines of a log, and how to see the others.
fn log_excerpt(lines: &[String], release: u64, host: &HostName) -> Option<String> {
    let hidden = lines.len().saturating_sub(LOG_LINES);
    let mut text = lines.get(hidden..).filter(|shown| !shown.is_empty())?.join("\n");
    if hidden > 0 {
        let more = if lines.len() as u64 >= u64::from(LOG_COUNTED) { "more than " } else { "" };
        text.push_str(&format!("\n{more}{hidden} more: cutover logs --release {release} --host {host}"));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    #[test]
    fn a_log_is_told_by_its_end_and_by_how_much_more_there_is() {
        let host = Name::new("web2").expect("a name");
        let excerpt = |count: usize| {
            let lines: Vec<String> = (1..=count).map(|line| format!("line {line}")).collect();
            let text = log_excerpt(&lines, 43, &host)?;
            let lines: Vec<&str> = text.lines().collect();
            Some(format!("{} … {}", lines.first()?, lines.last()?))
        };
        assert_eq!(excerpt(0), None);
        assert_eq!(excerpt(8).as_deref(), Some("line 1 … line 8"));
        let said = "line 20 … 19 more: cutover logs --release 43 --host web2";
        assert_eq!(excerpt(27).as_deref(), Some(said));
        let said = "line 493 … more than 492 more: cutover logs --release 43 --host web2";
        assert_eq!(excerpt(500).as_deref(), Some(said));
    }
}
