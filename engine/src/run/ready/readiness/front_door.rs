//! Whether the front doors show what is live, asked as the proof of a switch asks them: a door that leads elsewhere would prove neither
//! the switch nor the way back.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;

use crate::hook::http::HttpFailure;
use crate::model::view::{Finding, Verdict};
use crate::model::{Color, Deployment, Health, HookCall, Instance, Release};
use crate::run::world::front_doors::{FrontDoors, hint, hint_of_hook};
use crate::run::world::probe::{Answer, Probe, Proof, Speaker, Wrong, judge, probes};

/// How often a wrong answer is asked for again.
const TRIES: u32 = 3;

/// Between two of them.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// What is live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LiveSight<'a> {
    pub(crate) color: Color,
    pub(crate) release: &'a Release,
}

/// What the instances of the live colour say of themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Itself {
    /// All are healthy, and these many of them name a release.
    Healthy { named: usize },
    /// At least one is not: then what a front door shows may well be its fault.
    Sick(String),
}

/// What all front doors show, each through each router where the proof asks so. `call` is what hooks are asked with.
pub(crate) async fn front_door_findings(
    doors: FrontDoors<'_>,
    live: Option<LiveSight<'_>>,
    call: &HookCall,
) -> Vec<Finding> {
    let probes = probes(doors.deployment);
    let asked = join_all(probes.iter().map(|probe| ask(doors, probe, live))).await;
    let Some(live) = live else {
        let pairs = probes.iter().zip(&asked).filter(|(probe, _)| probe.required);
        return pairs.map(|(probe, answer)| judge_unrouted(doors.deployment, probe, answer)).collect();
    };
    let wrong = |(probe, answer): &(&Probe<'_>, &Asked)| {
        judge_live(doors.deployment, probe, answer, live)
            .is_err_and(|wrong| probe.required || wrong.is_ours())
    };
    let itself = if probes.iter().zip(&asked).any(|pair| wrong(&pair)) {
        Some(look(doors, live.color, call).await)
    } else {
        None
    };
    let findings = probes.iter().zip(&asked).filter_map(|(probe, answer)| {
        let judged = judge_live(doors.deployment, probe, answer, live);
        live_finding(doors.deployment, probe, answer, live, judged, itself.as_ref())
    });
    findings.collect()
}

type Asked = Result<Answer, HttpFailure>;

/// Asks; again where the answer is not the wanted one.
async fn ask(doors: FrontDoors<'_>, probe: &Probe<'_>, live: Option<LiveSight<'_>>) -> Asked {
    let mut tries = 1;
    loop {
        let answer = doors.fetch(probe).await;
        let good = match live {
            Some(live) => judge_live(doors.deployment, probe, &answer, live).is_ok(),
            None => answer.is_ok(),
        };
        if good || !probe.required || tries >= TRIES {
            return answer;
        }
        tries += 1;
        sleep(ASK_AGAIN).await;
    }
}

async fn look(doors: FrontDoors<'_>, color: Color, call: &HookCall) -> Itself {
    let instances: Vec<&Instance> =
        call.instances.iter().filter(|instance| instance.color == color).collect();
    let looks = join_all(instances.iter().map(|instance| async {
        let call = HookCall { instances: vec![(*instance).clone()], ..call.clone() };
        match doors.hooks.check_health(&call, instance).await {
            Ok(Health::Healthy(says)) => Ok(says.is_some()),
            Ok(Health::Starting(reason) | Health::Unhealthy(reason)) => {
                Err(format!("{}: {reason}", instance.host))
            }
            Err(failure) => Err(format!("{}: {}", instance.host, failure.trouble.message)),
        }
    }))
    .await;
    let mut named = 0;
    for look in looks {
        match look {
            Ok(names) => named += usize::from(names),
            Err(reason) => return Itself::Sick(reason),
        }
    }
    Itself::Healthy { named }
}

fn judge_live(
    deployment: &Deployment,
    probe: &Probe<'_>,
    answer: &Asked,
    live: LiveSight<'_>,
) -> Result<Proof, Wrong> {
    let answer = answer.as_ref().map_err(|failure| Wrong::stranger(failure.to_string()))?;
    let marker = deployment.application.release_marker.as_ref();
    judge(answer, probe.door.body.as_deref(), marker, live.color, live.release, None)
}

/// Nothing where the answer says nothing: from a router that need not speak for the URL by itself.
fn live_finding(
    deployment: &Deployment,
    probe: &Probe<'_>,
    answer: &Asked,
    live: LiveSight<'_>,
    judged: Result<Proof, Wrong>,
    itself: Option<&Itself>,
) -> Option<Finding> {
    let status = answer.as_ref().map_or(0, |answer| answer.status);
    let (color, number) = (live.color, live.release.number);
    let ok = |says: &str| finding(probe, Verdict::Ok, says, None);
    let warning = |says: &str| finding(probe, Verdict::Warning, says, None);
    let wrong = match judged {
        Ok(Proof::Proven) => return Some(ok(&format!("says release {number}"))),
        Ok(Proof::Answered) => return Some(ok(&format!("answers {status} (no release marker)"))),
        Err(wrong) if !probe.required && !wrong.is_ours() => return None,
        Err(wrong) => wrong,
    };
    let reason = &wrong.reason;
    let without_marker = || {
        let answer = answer.as_ref().ok()?;
        judge(answer, probe.door.body.as_deref(), None, color, live.release, None).ok()
    };
    match itself {
        // Then a new release is what mends it.
        Some(Itself::Sick(why)) => Some(warning(&format!("{reason}; {color} itself is not healthy ({why})"))),
        Some(Itself::Healthy { named: 0 }) if !wrong.is_ours() && without_marker().is_some() => {
            Some(warning(&format!("{reason}, and neither does {color} itself")))
        }
        _ => {
            let says = format!("{reason}, though {color}, release {number}, is live and healthy");
            let fix = hint(deployment, probe, wrong.speaker).unwrap_or_else(|| {
                let fix = if wrong.speaker == Speaker::Gateway {
                    "do the addresses and ports stand in the router's configuration that `cutover setup` prints?"
                } else {
                    "does this URL lead through the routers? `router.front-door`"
                };
                fix.to_owned()
            });
            Some(finding(probe, Verdict::Missing, &says, Some(fix)))
        }
    }
}

/// Before the first deployment any answer may be right: all that can be known is whether there will ever be one.
fn judge_unrouted(deployment: &Deployment, probe: &Probe<'_>, answer: &Asked) -> Finding {
    let waits = |status: u16| format!("answers {status}; nothing is live yet");
    let (verdict, says, fix) = match answer {
        Ok(answer) if answer.status >= 500 => (Verdict::Ok, waits(answer.status), None),
        Ok(Answer { status, .. }) => match hint_of_hook(deployment) {
            Some(hint) => {
                let says = format!("answers {status}, and no colour has the traffic yet");
                (Verdict::Warning, says, Some(hint))
            }
            None => (Verdict::Ok, waits(*status), None),
        },
        Err(failure @ HttpFailure::Unresolved(_)) => {
            let fix = "the switch is proven there, from this machine or from `via`: `router.front-door`";
            (Verdict::Missing, failure.to_string(), Some(fix.to_owned()))
        }
        Err(failure) => {
            let fix = "the switch is proven there, so something must answer by then";
            (Verdict::Warning, failure.to_string(), Some(fix.to_owned()))
        }
    };
    finding(probe, verdict, &says, fix)
}

fn finding(probe: &Probe<'_>, verdict: Verdict, says: &str, fix: Option<String>) -> Finding {
    let url = &probe.door.url;
    let (what, text) = match probe.router {
        None => ("front door", format!("{url}: {says}")),
        Some(router) => ("router", format!("{router}, asked by itself for {url}: {says}")),
    };
    Finding { what: what.to_owned(), verdict, text, fix }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::sample;
    use crate::model::{Driver, EachRouter, FrontDoor, HostName, ReleaseMarker};

    fn deployment() -> Deployment {
        let mut deployment = sample::deployment(Driver::Detached);
        deployment.application.release_marker = Some(ReleaseMarker::Header("x-release".into()));
        deployment
    }

    fn answer(status: u16, release: Option<&str>) -> Asked {
        let headers = release.map(|release| ("x-release".to_owned(), release.to_owned()));
        Ok(Answer { status, headers: headers.into_iter().collect(), body: String::new() })
    }

    fn text(finding: &Finding) -> String {
        let fix = finding.fix.as_ref().map_or_else(String::new, |fix| format!(" -> {fix}"));
        format!("{:?} {} {}{fix}", finding.verdict, finding.what, finding.text)
    }

    const URL: &str = "https://shop/up";

    const INCLUDE: &str = "does the `location` that serves it have \
                           `include /etc/nginx/cutover/shop-production.location;`, as `cutover setup` prints it?";

    fn live(router: Option<&HostName>, answer: &Asked, itself: Option<&Itself>) -> Option<String> {
        let deployment = deployment();
        let door = FrontDoor { url: URL.into(), via: None, body: None, each_router: EachRouter::default() };
        let probe = Probe { door: &door, router, required: router.is_none() };
        let release = Release::for_tests("r2", 2);
        let sight = LiveSight { color: Color::Blue, release: &release };
        let judged = judge_live(&deployment, &probe, answer, sight);
        live_finding(&deployment, &probe, answer, sight, judged, itself).as_ref().map(text)
    }

    #[test]
    fn a_front_door_shows_what_is_live() {
        let healthy = Itself::Healthy { named: 2 };
        let door = |answer: &Asked, itself| live(None, answer, Some(itself)).expect("a finding");
        let good = format!("Ok front door {URL}: says release 2");
        assert_eq!(live(None, &answer(200, Some("r2")), None), Some(good));
        let elsewhere = "though blue, release 2, is live and healthy";
        assert_eq!(
            door(&answer(200, None), &healthy),
            format!("Missing front door {URL}: names no release, {elsewhere} -> {INCLUDE}")
        );
        assert_eq!(
            door(&answer(404, None), &healthy),
            format!("Missing front door {URL}: answers 404, {elsewhere} -> {INCLUDE}")
        );
        let refused = Err(HttpFailure::Connect("10.0.0.1:443: connection refused".into()));
        assert_eq!(
            door(&refused, &healthy),
            format!("Missing front door {URL}: 10.0.0.1:443: connection refused, {elsewhere} -> {INCLUDE}")
        );
        assert_eq!(
            door(&answer(200, Some("r1")), &healthy),
            format!(
                "Missing front door {URL}: says release `r1` instead of 2, {elsewhere} \
                 -> does this URL lead through the routers? `router.front-door`"
            )
        );
        assert_eq!(
            door(&answer(502, None), &healthy),
            format!(
                "Missing front door {URL}: answers 502, {elsewhere} -> do the addresses and ports stand in the \
                 router's configuration that `cutover setup` prints?"
            )
        );
        let sick = Itself::Sick("web1: 500".into());
        assert_eq!(
            door(&answer(502, None), &sick),
            format!("Warning front door {URL}: answers 502; blue itself is not healthy (web1: 500)")
        );
        // The marker is new: the next release is the first that has one.
        assert_eq!(
            door(&answer(200, None), &Itself::Healthy { named: 0 }),
            format!("Warning front door {URL}: names no release, and neither does blue itself")
        );
    }

    #[test]
    fn a_router_is_heard_where_it_speaks_for_the_url() {
        let (lb1, healthy) = (sample::name("lb1"), Itself::Healthy { named: 2 });
        let router = |answer: &Asked| live(Some(&lb1), answer, Some(&healthy));
        assert_eq!(router(&answer(404, None)), None);
        let stale = router(&answer(200, Some("r1"))).expect("a finding");
        assert!(
            stale.starts_with(
                "Missing router lb1, asked by itself for https://shop/up: says release `r1` instead of 2"
            ),
            "{stale}"
        );
    }

    #[test]
    fn before_the_first_deployment_hardly_anything_is_wrong() {
        let (deployment, door) = (
            deployment(),
            FrontDoor { url: URL.into(), via: None, body: None, each_router: EachRouter::default() },
        );
        let probe = Probe { door: &door, router: None, required: true };
        let judged = |answer: &Asked| text(&judge_unrouted(&deployment, &probe, answer));
        assert_eq!(
            judged(&answer(503, None)),
            format!("Ok front door {URL}: answers 503; nothing is live yet")
        );
        assert_eq!(
            judged(&answer(404, None)),
            format!("Warning front door {URL}: answers 404, and no colour has the traffic yet -> {INCLUDE}")
        );
        assert_eq!(
            judged(&Err(HttpFailure::Connect("10.0.0.1:443: connection refused".into()))),
            format!(
                "Warning front door {URL}: 10.0.0.1:443: connection refused \
                 -> the switch is proven there, so something must answer by then"
            )
        );
        assert_eq!(
            judged(&Err(HttpFailure::Unresolved("no address for `shop`: there is none".into()))),
            format!(
                "Missing front door {URL}: no address for `shop`: there is none \
                 -> the switch is proven there, from this machine or from `via`: `router.front-door`"
            )
        );
    }
}
