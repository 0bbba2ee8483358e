//! Health: the engine polls, counts and keeps the deadline; the hook looks once.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use tokio::time::{Instant as Moment, sleep, sleep_until};

use super::super::performed::{Performed, Summary};
use super::super::performer::{Performer, Result, Unperformed};
use crate::driver::{self, InstanceState};
use crate::model::{Color, EventKind, Health, HostName, Instance, Note, Plan, Step, Trouble};

/// Lines of an application's log that are shown beneath a failure.
const LOG_LINES: usize = 8;

/// One look at one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Look {
    Healthy {
        proven: bool,
    },
    /// In the hook's words.
    Not(String),
}

impl Performer {
    /// Waits until the instance was healthy so many times in a row, and says that it runs the release where it can say so.
    pub(in super::super) async fn await_healthy(
        &self,
        plan: &Plan,
        host: &HostName,
        color: Color,
    ) -> Result<Performed> {
        let check = &self.deployment.health_check;
        let instance = self.instance(host, color)?;
        let deadline = Moment::now() + check.deadline;
        let (mut in_a_row, mut attempt, mut last) = (0, 0, "it was not asked yet".to_owned());
        loop {
            let next = Moment::now() + check.interval;
            attempt += 1;
            match self.look(plan, &instance, attempt).await? {
                Look::Healthy { proven } => {
                    in_a_row += 1;
                    self.tell_health(host, format!("{in_a_row} of {}", check.healthy_after));
                    if in_a_row >= check.healthy_after {
                        let says = if proven {
                            format!(", each says release {}", plan.release.number)
                        } else {
                            String::new()
                        };
                        return Ok(Performed::done(Summary::Text(format!("{in_a_row} of {in_a_row}{says}"))));
                    }
                }
                Look::Not(reason) => {
                    in_a_row = 0;
                    self.tell_health(host, reason.clone());
                    last = reason;
                    if let Some(gone) = self.gone(host, color).await? {
                        let message = format!("{host}: {color} {gone}");
                        return Err(self
                            .with_log(Trouble::new("health/exited", message), plan, host, color)
                            .await);
                    }
                }
            }
            if next >= deadline {
                let message =
                    format!("{host}: {color} was not healthy within {} s: {last}", check.deadline.as_secs());
                return Err(self.with_log(Trouble::new("health/deadline", message), plan, host, color).await);
            }
            sleep_until(next).await;
        }
    }

    /// Goes on only if every instance of the colour is healthy: of three looks at each, one must be good.
    pub(in super::super) async fn require_healthy(&self, plan: &Plan, color: Color) -> Result<Performed> {
        let instances = self.instances(color);
        let asked = instances.iter().map(async |instance| {
            let mut tries = 0;
            loop {
                tries += 1;
                match self.look(plan, instance, tries).await? {
                    Look::Healthy { .. } => return Result::<()>::Ok(()),
                    Look::Not(reason) if tries >= 3 => {
                        let message = format!("{}: {color} is not healthy: {reason}", instance.host);
                        return Err(Trouble::new("switch/old-sick", message).into());
                    }
                    Look::Not(_) => sleep(self.deployment.health_check.interval).await,
                }
            }
        });
        try_join_all(asked).await?;
        Ok(Performed::done(Summary::Nothing))
    }

    /// Watches the colour under traffic: health of every instance, and the front doors.
    pub(in super::super) async fn watch(&self, plan: &Plan, color: Color) -> Result<Performed> {
        let (check, watch) = (&self.deployment.health_check, self.deployment.pipeline.watch);
        let end = Moment::now() + watch;
        let instances = self.instances(color);
        let mut sick = vec![0_u32; instances.len()];
        let (mut passed, mut total, mut wrong_in_a_row) = (0_u64, 0_u64, 0_u32);
        let mut attempt = 0;
        while Moment::now() < end {
            let next = Moment::now() + check.interval.max(Duration::from_millis(100));
            attempt += 1;
            // All at once: one that hangs must not keep the others from being looked at.
            let looks = join_all(instances.iter().map(|instance| self.look(plan, instance, attempt))).await;
            for ((instance, failures), look) in instances.iter().zip(&mut sick).zip(looks) {
                match look? {
                    Look::Healthy { .. } => *failures = 0,
                    Look::Not(reason) => {
                        *failures += 1;
                        if *failures >= check.healthy_after {
                            let host = &instance.host;
                            let message = format!("{host}: {color} became sick: {reason}");
                            return Err(self
                                .with_log(Trouble::new("watch/sick", message), plan, host, color)
                                .await);
                        }
                    }
                }
            }
            for door in &self.deployment.router.front_doors {
                total += 1;
                match self.probe(door, color, &plan.release).await {
                    Ok(_) => {
                        passed += 1;
                        wrong_in_a_row = 0;
                    }
                    Err(reason) => {
                        wrong_in_a_row += 1;
                        if wrong_in_a_row >= check.healthy_after.max(3) {
                            let message = format!("front door {}: {reason}", door.url);
                            return Err(Trouble::new("watch/front-door", message).into());
                        }
                    }
                }
            }
            sleep_until(next.min(end)).await;
        }
        Ok(Performed::done(match total {
            0 => Summary::Text(format!("{color} stayed healthy")),
            _ => Summary::Passed { passed, total, what: "probes".into() },
        }))
    }

    /// Whether every instance of a colour is healthy right now: one look each.
    pub(in super::super) async fn is_healthy(&self, plan: &Plan, color: Color) -> bool {
        let instances = self.instances(color);
        let looks = join_all(instances.iter().map(|instance| self.look(plan, instance, 1))).await;
        !looks.is_empty() && looks.iter().all(|look| matches!(look, Ok(Look::Healthy { .. })))
    }

    /// Looks once. The colour that is filled must say the plan's release, where it says any; the other one runs whatever it runs.
    async fn look(&self, plan: &Plan, instance: &Instance, attempt: u32) -> Result<Look> {
        let recorded =
            self.live.as_ref().map(|record| &record.live).filter(|live| live.color == instance.color);
        let (about, release) = match recorded {
            _ if instance.color == plan.color => (&plan.release, Some(plan.release.id.as_str())),
            Some(live) => (&live.release, None),
            None => (&plan.release, None),
        };
        let call = self.call(plan, about, vec![instance.clone()], attempt);
        Ok(match self.hooks.check_health(&call, instance).await {
            Ok(Health::Healthy(says)) => match (says, release) {
                (Some(says), Some(release)) if says != release => {
                    Look::Not(format!("answers, but as release {says} instead of {release}"))
                }
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

    fn instance(&self, host: &HostName, color: Color) -> Result<Instance> {
        let found = self.instances(color).into_iter().find(|instance| instance.host == *host);
        Ok(found.ok_or_else(|| Trouble::new("host/unknown", format!("`{host}` has no {color} instance")))?)
    }

    fn tell_health(&self, host: &HostName, text: String) {
        let place = Some(host.to_string());
        self.reporter.tell(EventKind::StepProgress { step: Step::Health, place, text, transfer: None });
    }

    /// An error with the tail of the application's log beneath.
    pub(in super::super) async fn with_log(
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
    pub(in super::super) async fn log_notes(&self, plan: &Plan, host: &HostName, color: Color) -> Vec<Note> {
        let Ok(site) = self.site(host) else { return Vec::new() };
        let Ok(slot) = site.slot(&self.deployment, host, color) else { return Vec::new() };
        let Ok(lines) = driver::log_tail(site.link.as_ref(), &slot, &plan.release.id, LOG_LINES as u32).await
        else {
            return Vec::new();
        };
        if lines.is_empty() {
            return Vec::new();
        }
        let text: Vec<String> = lines.into_iter().map(|line| line.text).collect();
        let more = format!("more: cutover logs --release {} --host {host}", plan.release.number);
        vec![Note::new(format!("{host} log"), format!("{}\n{more}", text.join("\n")))]
    }
}
