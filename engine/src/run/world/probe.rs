//! Where the front doors are asked, and what an answer proves.

use std::fmt;

use crate::model::{Color, Deployment, EachRouter, FrontDoor, HostName, LiveRelease, Release, ReleaseMarker};

/// One way to a front door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Probe<'a> {
    pub(crate) door: &'a FrontDoor,
    /// The router that is asked by itself; none: wherever the name leads.
    pub(crate) router: Option<&'a HostName>,
    /// Whether no answer is a failure too.
    pub(crate) required: bool,
}

impl<'a> Probe<'a> {
    /// The host that it is asked from; none: this machine.
    pub(crate) fn via(&self) -> Option<&'a HostName> {
        // A router is asked from its own network: it need not be open to the machine that we are on.
        self.router.or(self.door.via.as_ref())
    }
}

impl fmt::Display for Probe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.door.url;
        match self.router {
            None => write!(f, "front door {url}"),
            Some(router) => write!(f, "{router}, asked by itself for {url}"),
        }
    }
}

/// An answer, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What a right answer proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// That the wanted colour or release gave it.
    Proven,
    /// That someone answers: there is nothing to tell who.
    Answered,
}

/// Whose a right answer is while both colours get requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Either {
    /// That of the colour that is wanted, as far as it tells.
    Wanted(Proof),
    /// The other one's.
    Other,
}

/// An answer that is not the wanted one, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// In words.
    pub(crate) reason: String,
    /// Who gave it.
    pub(crate) speaker: Speaker,
}

/// Who gave a wrong answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// The application all the same: it names a release or a colour.
    Application,
    /// The application in another release or colour than the one that is wanted.
    OtherColor,
    /// Somebody who has nobody to pass requests on to.
    Gateway,
    /// Somebody else, or nobody.
    Stranger,
}

impl Wrong {
    /// There is no answer, or one of a stranger's.
    pub(crate) fn stranger(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), speaker: Speaker::Stranger }
    }

    /// Whether it is the application's.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self.speaker, Speaker::Application | Speaker::OtherColor)
    }
}

/// Every way to a front door: each router by itself where [`EachRouter`] says so, then the name as it resolves. In this order, since
/// a stale router behind the name is to be called by its own name.
pub(crate) fn probes(deployment: &Deployment) -> Vec<Probe<'_>> {
    let doors = &deployment.router.front_doors;
    let hosts = || deployment.router.names.iter().filter(|name| deployment.hosts.contains_key(*name));
    let several = hosts().count() > 1;
    let mut probes = Vec::new();
    for door in doors {
        let tells = deployment.application.release_marker.is_some()
            || door
                .body
                .as_deref()
                .is_some_and(|body| body.contains("{color}") || body.contains("{release}"));
        let (asked, required) = match door.each_router {
            EachRouter::Required => (true, true),
            EachRouter::WhereItAnswers => (several && door.via.is_none() && tells, false),
            EachRouter::Never => (false, false),
        };
        probes.extend(hosts().filter(|_| asked).map(|name| Probe { door, router: Some(name), required }));
    }
    probes.extend(doors.iter().map(|door| Probe { door, router: None, required: true }));
    probes
}

/// Whether an answer is that of the wanted release. `known` is another one that can be told by its number.
///
/// # Errors
/// With what is wrong with it.
pub(crate) fn judge(
    answer: &Answer,
    body: Option<&str>,
    marker: Option<&ReleaseMarker>,
    color: Color,
    release: &Release,
    known: Option<&Release>,
) -> Result<Proof, Wrong> {
    let says = marked(answer, marker);
    let wrong = |reason: String| {
        let speaker = match (says.is_some(), answer.status) {
            (true, _) => Speaker::Application,
            (false, 500..) => Speaker::Gateway,
            (false, _) => Speaker::Stranger,
        };
        Err(Wrong { reason, speaker })
    };
    let other_color = |reason: String| Err(Wrong { reason, speaker: Speaker::OtherColor });
    if answer.status >= 500 || answer.status == 404 {
        return wrong(format!("answers {}", answer.status));
    }
    let mut proof = Proof::Answered;
    if let Some(expected) = body {
        let filled = |color: Color| {
            expected.replace("{color}", color.as_str()).replace("{release}", release.id.as_str())
        };
        let (expected, said) = (filled(color), answer.body.trim());
        if said != expected.trim() {
            let other = filled(color.other());
            let short: String = said.chars().take(60).collect();
            let reason = format!("says `{short}` instead of `{expected}`");
            return if said == other.trim() { other_color(reason) } else { wrong(reason) };
        }
        proof = Proof::Proven;
    }
    match &says {
        Some(says) if says == release.id.as_str() || planted!(OtherReleaseTaken) => proof = Proof::Proven,
        Some(says) => {
            let known = known.filter(|known| known.id.as_str() == says).map(|known| known.number.to_string());
            let says = known.unwrap_or_else(|| format!("`{}`", says.chars().take(60).collect::<String>()));
            return other_color(format!("says release {says} instead of {}", release.number));
        }
        None if marker.is_some() && proof == Proof::Answered => {
            return wrong("names no release".into());
        }
        None => {}
    }
    Ok(proof)
}

/// What an answer is that is none of the application's, in words. Where an application does not tell what it is, every answer is taken for its
/// own that a router would not give by itself.
///
/// # Errors
/// With what shows that it is the application's.
pub(crate) fn judge_closed(
    answer: &Answer,
    body: Option<&str>,
    marker: Option<&ReleaseMarker>,
    live: &LiveRelease,
) -> Result<String, String> {
    let LiveRelease { color, release, .. } = live;
    match judge(answer, body, marker, *color, release, None) {
        Ok(Proof::Proven) => Err(format!("still answers as {color}, release {}", release.number)),
        Ok(Proof::Answered) => Err(format!("still answers {}", answer.status)),
        Err(wrong) if wrong.is_ours() => Err(format!("still answers as the application: {}", wrong.reason)),
        Err(_) => Ok(answer.status.to_string()),
    }
}

/// The release that an answer names.
pub(crate) fn marked(answer: &Answer, marker: Option<&ReleaseMarker>) -> Option<String> {
    match marker? {
        ReleaseMarker::Header(name) => {
            answer.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned())
        }
        ReleaseMarker::Json(pointer) => {
            let body: serde_json::Value = serde_json::from_str(&answer.body).ok()?;
            body.pointer(pointer)?.as_str().map(str::to_owned)
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::{Host, Name, Reach};

    /// Where an answer is taken for another one's than it says, or for none.
    pub(crate) fn broken() -> Option<String> {
        let release = Release::for_tests("r2", 2);
        let header = ReleaseMarker::Header("x-release".into());
        let json = ReleaseMarker::Json("/release".into());
        let says = |status, release: &str, body: &str| Answer {
            status,
            headers: vec![("x-release".into(), release.into())],
            body: body.into(),
        };
        let old = Release::for_tests("r1", 1);
        let by = |speaker, reason: &str| Err(Wrong { reason: reason.into(), speaker });
        let ours = |reason: &str| by(Speaker::Application, reason);
        let others = |reason: &str| by(Speaker::OtherColor, reason);
        let strange = |reason: &str| Err(Wrong::stranger(reason));
        let gateway = Wrong { speaker: Speaker::Gateway, ..Wrong::stranger("answers 503") };
        let (header, json) = (Some(&header), Some(&json));
        let table = [
            (Answer { status: 503, ..Answer::default() }, None, header, Err(gateway)),
            (says(200, "r2", ""), None, header, Ok(Proof::Proven)),
            (says(200, "r1", ""), None, header, others("says release 1 instead of 2")),
            (says(200, "other", ""), None, header, others("says release `other` instead of 2")),
            (says(502, "r2", ""), None, header, ours("answers 502")),
            (says(404, "r2", ""), None, json, strange("answers 404")),
            (says(302, "r2", ""), None, None, Ok(Proof::Answered)),
            (says(200, "", r#"{"release":"r2"}"#), None, json, Ok(Proof::Proven)),
            (says(200, "", "{}"), None, json, strange("names no release")),
            (says(200, "", "green\n"), Some("{color}"), None, Ok(Proof::Proven)),
            (says(200, "", "blue"), Some("{color}"), None, others("says `blue` instead of `green`")),
            (
                says(200, "", "It works!"),
                Some("{color}"),
                None,
                strange("says `It works!` instead of `green`"),
            ),
        ];
        table.into_iter().find_map(|(answer, body, marker, expected)| {
            let found = judge(&answer, body, marker, Color::Green, &release, Some(&old));
            (found != expected).then(|| format!("{answer:?}: {found:?}, not {expected:?}"))
        })
    }

    #[test]
    fn an_answer_proves_what_it_says() {
        assert_eq!(broken(), None);
    }

    #[test]
    fn in_maintenance_every_answer_is_right_but_the_applications() {
        let live = LiveRelease {
            color: Color::Green,
            release: Release::for_tests("r2", 2),
            since: crate::model::Timestamp(0),
            excluded: Vec::new(),
        };
        let header = ReleaseMarker::Header("x-release".into());
        let says = |status, release: Option<&str>, body: &str| Answer {
            status,
            headers: release.map(|release| ("x-release".into(), release.into())).into_iter().collect(),
            body: body.into(),
        };
        let marked = |answer: &Answer| judge_closed(answer, None, Some(&header), &live);
        let ok = |text: &str| Ok(text.to_owned());
        let wrong = |text: &str| Err(text.to_owned());
        assert_eq!(marked(&says(503, None, "")), ok("503"));
        assert_eq!(marked(&says(404, None, "")), ok("404"));
        assert_eq!(marked(&says(200, None, "back soon")), ok("200"));
        assert_eq!(marked(&says(200, Some("r2"), "")), wrong("still answers as green, release 2"));
        let other = "still answers as the application: says release `r1` instead of 2";
        assert_eq!(marked(&says(200, Some("r1"), "")), wrong(other));
        assert_eq!(
            marked(&says(502, Some("r2"), "")),
            wrong("still answers as the application: answers 502")
        );
        let plain = |answer: &Answer| judge_closed(answer, None, None, &live);
        assert_eq!(plain(&says(502, None, "")), ok("502"));
        assert_eq!(plain(&says(200, None, "back soon")), wrong("still answers 200"));
        assert_eq!(plain(&says(302, None, "")), wrong("still answers 302"));
        let colored = |answer: &Answer| judge_closed(answer, Some("{color}"), None, &live);
        assert_eq!(colored(&says(200, None, "back soon")), ok("200"));
        assert_eq!(colored(&says(200, None, "green")), wrong("still answers as green, release 2"));
        let blue = "still answers as the application: says `blue` instead of `green`";
        assert_eq!(colored(&says(200, None, "blue")), wrong(blue));
    }

    /// `lb1 needed` or `as it resolves`, for a door with this rule, on these routers.
    fn ways(each_router: EachRouter, hosts: &[&str], change: impl Fn(&mut Deployment)) -> Vec<String> {
        let names: Vec<HostName> = hosts.iter().map(|name| Name::new(*name).expect("a name")).collect();
        let mut deployment = Deployment::for_tests(&names[..1], &names);
        for name in &names {
            let host = Host { name: name.clone(), reach: Reach::Local, address: "10.0.0.7".into() };
            deployment.hosts.insert(name.clone(), host);
        }
        deployment.application.release_marker = Some(ReleaseMarker::Header("x-release".into()));
        let url = "https://shop.example.com/up".to_owned();
        deployment.router.front_doors = vec![FrontDoor { url, via: None, body: None, each_router }];
        change(&mut deployment);
        let words = |probe: &Probe<'_>| match probe.router {
            Some(router) => format!("{router} {}", if probe.required { "must" } else { "may" }),
            None => "as it resolves".to_owned(),
        };
        probes(&deployment).iter().map(words).collect()
    }

    #[test]
    fn each_router_is_asked_where_its_answer_would_say_something() {
        let two = ["lb1", "lb2"];
        let derived = EachRouter::WhereItAnswers;
        assert_eq!(ways(derived, &two, |_| ()), ["lb1 may", "lb2 may", "as it resolves"]);
        assert_eq!(ways(EachRouter::Required, &two, |_| ()), ["lb1 must", "lb2 must", "as it resolves"]);
        assert_eq!(ways(EachRouter::Never, &two, |_| ()), ["as it resolves"]);
        // One router is what the name leads to, sooner or later.
        assert_eq!(ways(derived, &["lb1"], |_| ()), ["as it resolves"]);
        assert_eq!(ways(EachRouter::Required, &["lb1"], |_| ()), ["lb1 must", "as it resolves"]);
        let no_marker = |deployment: &mut Deployment| deployment.application.release_marker = None;
        assert_eq!(ways(derived, &two, no_marker), ["as it resolves"]);
        let colored = |deployment: &mut Deployment| {
            no_marker(deployment);
            deployment.router.front_doors[0].body = Some("{color}".to_owned());
        };
        assert_eq!(ways(derived, &two, colored), ["lb1 may", "lb2 may", "as it resolves"]);
        let from_lb1 = |deployment: &mut Deployment| {
            deployment.router.front_doors[0].via = Some(deployment.router.names[0].clone());
        };
        assert_eq!(ways(derived, &two, from_lb1), ["as it resolves"]);
        // A router that is no host of ours can't be asked by itself.
        let balancer = |deployment: &mut Deployment| drop(deployment.hosts.remove("lb2"));
        assert_eq!(ways(derived, &two, balancer), ["as it resolves"]);
    }
}
