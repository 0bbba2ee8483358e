//! The watch after the switch: every instance and every front door, each at its own pace, until its time is over.

use std::time::Duration;

use cutover_host::operation::Operation;
use futures_util::future::{join_all, try_join_all};
use tokio::time::{Instant as Moment, sleep_until, timeout};

use super::health::Look;
use super::shares::Shares;
use crate::model::{Color, EventKind, HostName, Instance, Note, Plan, Trouble, WHOLE};
use crate::run::execute::performed::{Performed, Summary};
use crate::run::execute::vigil::{Glance, Verdict, Watched, conclude};
use crate::run::world::performer::{Performer, Result, Unperformed};
use crate::run::world::probe::{Either, Probe};
use crate::transport::Failure;

/// A host that gives no sign of life for so long is out of reach, for this look.
const REACH: Duration = Duration::from_secs(5);

/// Wrong answers in a row that a front door is forgiven at least: a router in between may have its own troubles.
const DOOR_LIMIT: u32 = 3;

/// Between two questions to a front door at most, while the new colour answers only some of them.
const SHARED_PACE: Duration = Duration::from_millis(200);

/// What became of watching one thing.
struct Post {
    watched: Watched,
    /// For people: the host, or the front door.
    name: String,
    /// Why it was out of reach at its last look.
    unreached: Option<String>,
    passed: u64,
    total: u64,
    /// Whose right answers were, where both colours may answer.
    shares: Shares,
}

impl Post {
    const fn new(name: String, limit: u32) -> Self {
        Self {
            watched: Watched::new(limit),
            name,
            unreached: None,
            passed: 0,
            total: 0,
            shares: Shares::NONE,
        }
    }
}

impl Post {
    /// Until the next look, or the end: where that has to wait for one, until that.
    async fn pause(&self, next: Moment, end: Moment) {
        sleep_until(if self.watched.is_undecided() { next } else { next.min(end) }).await;
    }
}

impl Performer {
    /// Watches the colour under traffic: health of every instance, and the front doors. What decides is [`crate::run::execute::vigil`].
    ///
    /// While the other colour has requests too, its instances are looked at as well. One that gets sick there is told, and is no reason to go
    /// back to it. A front door that answers wrong is, unless it is the old colour that is sick and the new one is not.
    pub(crate) async fn watch(&self, plan: &Plan, color: Color, weight: u32) -> Result<Performed> {
        let end = Moment::now() + self.deployment.pipeline.watch_at(weight);
        let shares = weight < WHOLE;
        let others = if shares { self.serving(plan, color.other()) } else { Vec::new() };
        let others = others.iter().map(|instance| self.watch_other(plan, instance, WHOLE - weight, end));
        let instances = self.serving(plan, color);
        let probes = self.speaking_probes(color, &plan.release).await;
        // Each by itself: one that hangs must not keep the others from being looked at.
        let instances = instances.iter().map(|instance| self.watch_instance(plan, instance, end));
        let doors = probes.iter().map(|probe| self.watch_door(plan, probe, color, weight, end));
        let others = async { Ok(join_all(others).await) };
        let (instances, doors, _) = tokio::try_join!(try_join_all(instances), try_join_all(doors), others)?;
        let posts = || instances.iter().chain(&doors);
        match conclude(posts().map(|post| &post.watched)) {
            Verdict::Holds | Verdict::HoldsAsSeen => {}
            Verdict::Wrong(reason) | Verdict::Blind(reason) => {
                let away: Vec<&str> =
                    posts().filter(|post| post.unreached.is_some()).map(|post| post.name.as_str()).collect();
                let (away, what) = (away.join(" "), self.deployment.called(color));
                let message = format!("{away} can't be watched, and {what} is not proven: {reason}");
                return Err(Trouble::new("watch/unseen", message)
                    .hint("make the host reachable, then `cutover deploy` again")
                    .into());
            }
        }
        let total = doors.iter().map(|post| post.total).sum();
        let passed = doors.iter().map(|post| post.passed).sum();
        let summary = match total {
            0 => Summary::Text(format!("{} stayed healthy", self.deployment.called(color))),
            _ if shares => {
                let seen = doors.iter().fold(Shares::NONE, |seen, post| seen.and(post.shares));
                Summary::Text(seen.words(plan.release.number))
            }
            _ => Summary::Passed { passed, total, what: "probes".into() },
        };
        let away = posts().filter_map(|post| {
            let reason = post.unreached.as_ref()?;
            Some(Note::new(post.name.clone(), format!("out of reach at the end, all else is well: {reason}")))
        });
        let (routers, replaced) = (&self.deployment.router.names, plan.live.is_some());
        let switching = self.switching.lock();
        let switched = switching.ok().map(|mut switching| switching.conclude(routers, weight, replaced));
        Ok(Performed { switched, ..Performed::done(summary).with(away.collect()) })
    }

    async fn watch_instance(&self, plan: &Plan, instance: &Instance, end: Moment) -> Result<Post> {
        let check = &self.deployment.health_check;
        let (host, color) = (&instance.host, instance.color);
        let mut post = Post::new(host.to_string(), check.healthy_after);
        let mut attempt = 0;
        while Moment::now() < end || post.watched.is_undecided() {
            let next = Moment::now() + check.interval.max(Duration::from_millis(100));
            attempt += 1;
            let glance = match self.look(plan, instance, attempt).await {
                Ok(Look::Healthy { .. }) => Glance::Well,
                Ok(Look::Not(reason)) => match self.out_of_reach(host).await {
                    Some(why) => Glance::Unreached(why),
                    None => Glance::Wrong(reason),
                },
                Err(failure) => match self.out_of_reach(host).await {
                    Some(why) => Glance::Unreached(why),
                    None => return Err(failure),
                },
            };
            if let Some(reason) = self.seen(&mut post, glance) {
                return Err(self.sick(plan, host, color, &reason).await);
            }
            post.pause(next, end).await;
        }
        Ok(post)
    }

    /// Tells when an instance of the other colour gets sick, or is well again.
    async fn watch_other(&self, plan: &Plan, instance: &Instance, weight: u32, end: Moment) {
        let check = &self.deployment.health_check;
        let (host, color) = (&instance.host, instance.color);
        let (mut watched, mut was_sick, mut attempt) = (Watched::new(check.healthy_after), false, 0);
        while Moment::now() < end {
            let next = Moment::now() + check.interval.max(Duration::from_millis(100));
            attempt += 1;
            let glance = match self.look(plan, instance, attempt).await {
                Ok(Look::Healthy { .. }) => Glance::Well,
                Ok(Look::Not(reason)) => Glance::Wrong(reason),
                Err(failure) => Glance::Wrong(failure.trouble.message),
            };
            let is_well = glance == Glance::Well;
            let text = match watched.note(glance) {
                Some(reason) if !was_sick => {
                    was_sick = true;
                    Some(format!(
                        "{host}: {color} became sick, which has {weight} % of the requests: {reason}"
                    ))
                }
                None if was_sick && is_well => {
                    was_sick = false;
                    Some(format!("{host}: {color} is healthy again"))
                }
                Some(_) | None => None,
            };
            if let Some(text) = text {
                self.reporter.tell(EventKind::Warning { text, hint: None });
            }
            sleep_until(next.min(end)).await;
        }
    }

    /// Below a weight of 100, the other colour may answer too.
    async fn watch_door(
        &self,
        plan: &Plan,
        probe: &Probe<'_>,
        color: Color,
        weight: u32,
        end: Moment,
    ) -> Result<Post> {
        let (check, shares) = (&self.deployment.health_check, weight < WHOLE);
        let pace = check.interval.max(Duration::from_millis(100));
        let pace = if shares { pace.min(SHARED_PACE) } else { pace };
        let limit = check.healthy_after.max(DOOR_LIMIT);
        let mut post = Post::new(probe.to_string(), limit);
        let mut attempt = 0;
        while Moment::now() < end || post.watched.is_undecided() {
            let next = Moment::now() + pace;
            attempt += 1;
            let asked = match shares {
                true => self.ask_either(probe, plan).await,
                false => self.ask(probe, color, &plan.release).await.map(Either::Wanted),
            };
            let glance = match asked {
                Ok(answer) => {
                    post.passed += 1;
                    post.shares.add(answer);
                    Ok(Glance::Well)
                }
                // One that is asked from a host says nothing while that host can't be reached.
                Err(wrong) => match probe.via() {
                    Some(via) => self.out_of_reach(via).await.map(Glance::Unreached).ok_or(wrong),
                    None => Err(wrong),
                },
            };
            let is_unreached = matches!(glance, Ok(Glance::Unreached(_)));
            post.total += u64::from(!is_unreached);
            let (glance, wrong) = match glance {
                Ok(glance) => (glance, None),
                Err(wrong) => (Glance::Wrong(wrong.reason.clone()), Some(wrong)),
            };
            if wrong.is_some() {
                post.shares.add_wrong();
            }
            let is_wrong_for_long = self.seen(&mut post, glance).is_some();
            let fails = is_wrong_for_long || (shares && post.shares.is_sick(weight));
            if let Some(wrong) = wrong.filter(|_| fails) {
                if let Some(sick) = self.sick_instance(plan, color, attempt).await {
                    return Err(sick);
                }
                if shares && self.sick_instance(plan, color.other(), attempt).await.is_some() {
                    // That is what the old colour answers: no reason to go back to it.
                    (post.watched, post.shares) = (Watched::new(limit), Shares::NONE);
                    post.pause(next, end).await;
                    continue;
                }
                let trouble = self.not_so(probe, &wrong);
                return Err(Trouble { code: "watch/front-door".into(), ..trouble }.into());
            }
            post.pause(next, end).await;
        }
        Ok(post)
    }

    /// An instance that is sick now: what a front door shows is told by its cause, where that can be seen.
    async fn sick_instance(&self, plan: &Plan, color: Color, attempt: u32) -> Option<Unperformed> {
        for instance in self.instances(plan, color) {
            let Ok(Look::Not(reason)) = self.look(plan, &instance, attempt).await else { continue };
            let host = &instance.host;
            if self.out_of_reach(host).await.is_none() {
                return Some(self.sick(plan, host, color, &reason).await);
            }
        }
        None
    }

    async fn sick(&self, plan: &Plan, host: &HostName, color: Color, reason: &str) -> Unperformed {
        let message = format!("{host}: {} became sick: {reason}", self.deployment.called(color));
        self.with_log(Trouble::new("watch/sick", message), plan, host, color).await
    }

    /// Takes note of a look, and tells when a host gets out of reach or comes back.
    fn seen(&self, post: &mut Post, glance: Glance) -> Option<String> {
        let was_away = post.watched.is_out_of_reach();
        post.unreached = match &glance {
            Glance::Unreached(why) => Some(why.clone()),
            Glance::Well | Glance::Wrong(_) => None,
        };
        let failed = post.watched.note(glance).map(str::to_owned);
        let text = match &post.unreached {
            Some(why) if !was_away => {
                format!("{}: out of reach, and watched again once it is back: {why}", post.name)
            }
            None if was_away => format!("{}: within reach again", post.name),
            Some(_) | None => return failed,
        };
        self.reporter.tell(EventKind::Warning { text, hint: None });
        failed
    }

    /// Why a host can't be reached now, when it can't. One that answers anything at all can, and so does one that is not who it was.
    pub(crate) async fn out_of_reach(&self, host: &HostName) -> Option<String> {
        let site = self.site(host).ok()?;
        let operation = Operation::Facts { paths: Vec::new() };
        match timeout(REACH, site.link.perform(operation.call())).await {
            Ok(Err(Failure::Unreachable(reason) | Failure::Broken(reason))) => Some(reason),
            Ok(Ok(_) | Err(Failure::Fault(_) | Failure::Untrusted(_) | Failure::Nonsense(_))) => None,
            Err(_) => Some(format!("host `{host}` gives no sign of life")),
        }
    }
}
