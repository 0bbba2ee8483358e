//! Which hosts a run may do without.

use std::collections::{BTreeMap, BTreeSet};

use super::observe::all_app_hosts;
use crate::model::{Color, Deployment, EventKind, HostName, MaxExcluded, Note, Progress, Trouble};

/// Code of the error that a host can't be reached.
const UNREACHABLE: &str = "state/unreachable";

/// Who may be out of reach while a session is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absence {
    /// As many of the application's hosts as `pipeline.max-excluded` says.
    Bounded,
    /// Every host that does nothing but run the application: who takes a deployment up judges by its journal ([`given_up`]).
    Judged,
    /// The same for a plan that is only shown.
    Shown,
}

/// Whether a session may be opened without these.
pub(crate) fn may_open(
    deployment: &Deployment,
    builds: bool,
    absence: Absence,
    silent: &BTreeMap<HostName, Trouble>,
) -> bool {
    match absence {
        Absence::Bounded => may_leave_out(deployment, builds, silent),
        Absence::Judged | Absence::Shown => {
            silent.iter().all(|(host, trouble)| is_lost(deployment, builds, host, trouble))
        }
    }
}

/// Tells what to do about hosts without which a session can't be opened.
pub(crate) fn hint_at(
    deployment: &Deployment,
    builds: bool,
    absence: Absence,
    silent: &mut BTreeMap<HostName, Trouble>,
) {
    match absence {
        Absence::Bounded => hint_at_bound(deployment, builds, silent),
        Absence::Judged => {
            for trouble in silent.values_mut().filter(|trouble| trouble.code == UNREACHABLE) {
                trouble.hint = Some(BRING_BACK.to_owned());
            }
        }
        Absence::Shown => {}
    }
}

/// What to do about a host that nobody can replace, while a deployment is open.
const BRING_BACK: &str = "bring it back, then `cutover resume`; where it is gone for good, put another in its place in \
                          `cutover.toml`, do what `cutover setup` says, then `cutover state recover`";

/// Hosts that are out of reach, with what to do about each, where a deployment would not be begun without them.
pub(crate) fn missing(
    deployment: &Deployment,
    builds: bool,
    silent: &BTreeMap<HostName, Trouble>,
) -> Vec<Trouble> {
    if may_leave_out(deployment, builds, silent) {
        return Vec::new();
    }
    let mut silent = silent.clone();
    hint_at_bound(deployment, builds, &mut silent);
    silent.into_values().collect()
}

/// Tells of a host that has no part in what is done, and that whoever deploys next brings up to date.
pub(crate) fn left_out(host: &HostName, why: &Trouble) -> EventKind {
    let hint = Some("the first deployment that reaches it brings it up to date".to_owned());
    EventKind::Warning { text: told(host, why), hint }
}

/// Tells of a host that has no part in what is done.
pub(crate) fn stays_out(host: &HostName, why: &Trouble) -> EventKind {
    EventKind::Warning { text: told(host, why), hint: None }
}

/// Tells of a host that was given up, is back, and gets no requests all the same.
pub(crate) fn keeps_out(host: &HostName) -> EventKind {
    let text = format!("{host} was given up and answers again: it stays out, with whatever its turn came to");
    let hint = Some("once the rest is put back, `cutover deploy --adopt` begins with it".to_owned());
    EventKind::Warning { text, hint }
}

fn told(host: &HostName, why: &Trouble) -> String {
    format!("{host} is left out: {}", why.first_line())
}

/// Hosts that an unfinished deployment goes back without, of those that are `silent`: no more than its plan may leave out, or those that a
/// person gives up. None after the pivot: what can't be done on them then is a warning.
///
/// # Errors
/// When a host is needed, with how to do without it.
pub(crate) fn given_up(
    progress: &Progress,
    silent: &BTreeMap<HostName, Trouble>,
    without: &[HostName],
    app_hosts: &[HostName],
) -> Result<BTreeMap<HostName, Trouble>, Trouble> {
    // What was typed once may be typed again, though the host is back meanwhile: what becomes of it is decided, and told.
    let is_known = |host: &&HostName| silent.contains_key(*host) || progress.is_given_up(host);
    if let Some(host) = without.iter().find(|host| !is_known(host)) {
        return Err(if app_hosts.contains(host) {
            Trouble::new("abort/host-answers", format!("`{host}` answers, so it is put back like the others"))
                .hint("`--without` is for a host that is gone for good")
        } else {
            let names: Vec<&str> = app_hosts.iter().map(HostName::as_str).collect();
            Trouble::new("abort/no-host", format!("`{host}` is no host of the application"))
                .hint(format!("there are {}", names.join(", ")))
        });
    }
    if progress.is_pivoted() {
        return Ok(BTreeMap::new());
    }
    let mut excluded = progress.excluded();
    let lost: BTreeMap<HostName, Trouble> = silent
        .iter()
        .filter(|(host, _)| !excluded.contains(*host) || progress.is_given_up(host))
        .map(|(host, trouble)| (host.clone(), trouble.clone()))
        .collect();
    let count = lost.keys().filter(|host| !excluded.contains(*host)).count() + excluded.len();
    // Who gave it up did so for those who come after, too.
    let is_needed = |host: &&HostName| !without.contains(*host) && !progress.is_given_up(host);
    let needed = lost.keys().find(is_needed).filter(|_| count > progress.plan().max_excluded);
    if let Some(trouble) = needed.and_then(|host| lost.get(host)) {
        return Err(Trouble { hint: Some(way_out(&lost)), ..trouble.clone() });
    }
    excluded.extend(lost.keys().cloned());
    if let Some((_, trouble)) = lost.first_key_value()
        && progress.switch_begun()
        && app_hosts.iter().all(|host| excluded.contains(host))
    {
        let hint = "nothing is left that could take the traffic back: bring one of the hosts back, then `cutover abort`";
        return Err(Trouble { hint: Some(hint.to_owned()), ..trouble.clone() });
    }
    Ok(lost)
}

/// What to do about hosts that are out of reach while a deployment is open.
fn way_out(lost: &BTreeMap<HostName, Trouble>) -> String {
    let (it, is) = if lost.len() == 1 { ("it", "is") } else { ("them", "are") };
    let they = if lost.len() == 1 { "it" } else { "they" };
    let without: String = lost.keys().map(|host| format!(" --without {host}")).collect();
    format!(
        "bring {it} back, then `cutover resume`; if {they} {is} gone for good, `cutover abort{without}` puts \
         everything else back"
    )
}

/// Why an unfinished deployment does not go forward while hosts are out of reach.
pub(crate) fn not_forward(lost: &BTreeMap<HostName, Trouble>) -> Option<Trouble> {
    let (_, trouble) = lost.first_key_value()?;
    let hint = "forward it goes with every host: bring it back, then `cutover resume --forward`; `cutover abort` goes \
                back without it";
    Some(Trouble { hint: Some(hint.to_owned()), ..trouble.clone() })
}

/// What follows when a deployment was put back without hosts that are gone; `rolls` says whether hosts had turns in it.
pub(crate) fn what_follows(without: &BTreeSet<HostName>, rolls: bool) -> Option<String> {
    let names: Vec<String> = without.iter().map(|host| format!("`{host}`")).collect();
    let count = names.len();
    let other = match rolls {
        true => "or, once all are back, `cutover deploy --adopt` begins with who is out".to_owned(),
        false => format!("or let `pipeline.max-excluded = {count}` leave out who is away"),
    };
    (count > 0).then(|| {
        format!(
            "take {} out of `cutover.toml`, and `cutover setup` says what that changes at the routers; {other}",
            names.join(" and ")
        )
    })
}

/// Whether a deployment may go on without these: no more of the application's hosts than `pipeline.max-excluded` says, and none that is
/// needed for something else. A host that is there and not what it should be is none of them.
fn may_leave_out(deployment: &Deployment, builds: bool, silent: &BTreeMap<HostName, Trouble>) -> bool {
    let lost = |(host, trouble)| is_lost(deployment, builds, host, trouble);
    silent.iter().all(lost) && silent.len() <= bound(deployment)
}

/// Whether a host can't be reached and nothing but the application needs it.
fn is_lost(deployment: &Deployment, builds: bool, host: &HostName, trouble: &Trouble) -> bool {
    trouble.code == UNREACHABLE && is_replaceable(deployment, builds, host)
}

/// Tells, where another bound would be enough, that a deployment may go on without these.
fn hint_at_bound(deployment: &Deployment, builds: bool, silent: &mut BTreeMap<HostName, Trouble>) {
    let count = silent.len();
    let mut other = deployment.clone();
    other.pipeline.max_excluded = MaxExcluded::Hosts(count);
    if !may_leave_out(&other, builds, silent) {
        return;
    }
    for trouble in silent.values_mut() {
        let own = trouble.hint.take().map(|hint| format!("{hint}; ")).unwrap_or_default();
        let whom = if count == 1 { "it" } else { "them" };
        let told = format!("`pipeline.max-excluded = {count}` lets a deployment go on without {whom}");
        trouble.hint = Some(own + &told);
    }
}

/// How many may be left out, of the colour that has fewer hosts.
fn bound(deployment: &Deployment) -> usize {
    let of = |color| deployment.pipeline.max_excluded.of(deployment.color_hosts(color).len());
    of(Color::Blue).min(of(Color::Green))
}

/// What is said of the bound where there is one.
pub(crate) fn note(deployment: &Deployment) -> Option<Note> {
    let (most, all) = (bound(deployment), all_app_hosts(deployment).len());
    let text = format!("up to {most} of {all} hosts are left out if they fail before the switch");
    (most > 0).then(|| Note::new("note", text))
}

/// Whether a host does nothing but run the application.
fn is_replaceable(deployment: &Deployment, builds: bool, host: &HostName) -> bool {
    let is_builder = builds && deployment.build.builder == *host;
    let is_home = deployment.state.is_none() && deployment.home() == host;
    let is_door = deployment.router.front_doors.iter().any(|door| door.via.as_ref() == Some(host));
    all_app_hosts(deployment).contains(host)
        && !deployment.router.names.contains(host)
        && !is_builder
        && !is_home
        && !is_door
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Action, Decision, End, Name, Next, Observation, Observed, ObservedHost, Origin, Plan, Record,
        Release, ReleaseId, Routing, Timestamp, Wish,
    };

    fn silent(names: &str, code: &str) -> BTreeMap<HostName, Trouble> {
        let trouble = |name: &str| Trouble::new(code, format!("{name} does not answer")).hint("look");
        names.split(' ').map(|name| (Name::new(name).expect("a name"), trouble(name))).collect()
    }

    fn deployment(max_excluded: MaxExcluded) -> Deployment {
        let names =
            |text: &str| text.split(' ').map(|name| Name::new(name).expect("a name")).collect::<Vec<_>>();
        let mut deployment = Deployment::for_tests(&names("web1 web2 web3"), &names("lb1"));
        deployment.pipeline.max_excluded = max_excluded;
        deployment
    }

    #[test]
    fn only_so_many_are_left_out_and_none_that_is_needed() {
        let may = |bound, names, code| may_leave_out(&deployment(bound), false, &silent(names, code));
        assert!(may(MaxExcluded::Hosts(1), "web3", UNREACHABLE));
        assert!(!may(MaxExcluded::NONE, "web3", UNREACHABLE));
        assert!(!may(MaxExcluded::Hosts(1), "web2 web3", UNREACHABLE));
        assert!(may(MaxExcluded::Hosts(9), "web2 web3", UNREACHABLE));
        assert!(!may(MaxExcluded::Hosts(9), "web1 web2 web3", UNREACHABLE), "one remains");
        assert!(!may(MaxExcluded::Hosts(1), "lb1", UNREACHABLE));
        assert!(!may(MaxExcluded::Hosts(1), "web3", "state/untrusted"), "it is there, and not who it was");
        assert!(may(MaxExcluded::Percent(34), "web3", UNREACHABLE));
        assert!(!may(MaxExcluded::Percent(33), "web3", UNREACHABLE));
        // The first one builds here.
        assert!(!may_leave_out(&deployment(MaxExcluded::Hosts(1)), true, &silent("web1", UNREACHABLE)));
        let mut homeless = deployment(MaxExcluded::Hosts(1));
        homeless.router.names.clear();
        assert!(!may_leave_out(&homeless, false, &silent("web1", UNREACHABLE)), "it is the home");
    }

    /// Green is filled on three hosts, of which so many may be left out; all was done before the first action that is one of `until`.
    fn progress(max_excluded: MaxExcluded, until: impl Fn(&Action) -> bool) -> Progress {
        let deployment = deployment(max_excluded);
        let routing = Some(Routing::all_to(Color::Blue));
        let seen = Observation { routing, settled: true, labels: Vec::new() };
        let observed = Observed {
            hosts: all_app_hosts(&deployment)
                .into_iter()
                .map(|host| (host, ObservedHost::default()))
                .collect(),
            routers: vec![(Name::new("lb1").expect("a name"), seen)],
            recorded: Some((Color::Blue, ReleaseId::parse("r1").expect("an identifier"))),
            ..Observed::default()
        };
        let wish = Wish::new("deploy", "d".into(), Release::for_tests("r2", 2), false, Timestamp(0));
        let mut progress = Progress::new(Plan::new(&deployment, &wish, &observed).expect("a plan"));
        loop {
            let Next::Run(tasks) = progress.next() else {
                progress.apply(&Record::Pivot).expect("the pivot");
                return progress;
            };
            let action = |task| &progress.plan().task(task).expect("a task").action;
            if tasks.iter().any(|task| until(action(*task))) {
                return progress;
            }
            progress.apply(&Record::Started { tasks: tasks.clone() }).expect("begins");
            for task in tasks {
                progress.apply(&Record::Ended { task, end: End::Done }).expect("ends");
            }
        }
    }

    #[test]
    fn an_open_deployment_goes_back_without_whom_its_plan_or_a_person_gives_up() {
        let host = |name: &str| Name::new(name).expect("a name");
        let judged = |progress: &Progress, names: &str, without: &[&str]| {
            let without: Vec<HostName> = without.iter().map(|name| host(name)).collect();
            let app_hosts = [host("web1"), host("web2"), host("web3")];
            let lost = given_up(progress, &silent(names, UNREACHABLE), &without, &app_hosts);
            match lost {
                Ok(lost) => lost.keys().map(HostName::as_str).collect::<Vec<_>>().join(" "),
                Err(trouble) => format!("{}: {}", trouble.code, trouble.hint.unwrap_or_default()),
            }
        };
        let starts = |action: &Action| matches!(action, Action::Start { .. });
        let watches = |action: &Action| matches!(action, Action::Watch { .. });
        let strict = progress(MaxExcluded::NONE, starts);
        assert_eq!(
            judged(&strict, "web2", &[]),
            "state/unreachable: bring it back, then `cutover resume`; if it is gone for good, `cutover abort --without \
             web2` puts everything else back"
        );
        assert_eq!(judged(&strict, "web2", &["web2"]), "web2");
        assert_eq!(
            judged(&strict, "web2 web3", &["web2"]),
            "state/unreachable: bring them back, then `cutover resume`; if they are gone for good, `cutover abort \
             --without web2 --without web3` puts everything else back"
        );
        assert_eq!(
            judged(&strict, "web2", &["web1"]),
            "abort/host-answers: `--without` is for a host that is gone for good"
        );
        assert_eq!(judged(&strict, "web2", &["web9"]), "abort/no-host: there are web1, web2, web3");
        assert_eq!(judged(&progress(MaxExcluded::Hosts(1), starts), "web3", &[]), "web3", "its plan says so");

        // Before the switch nothing has to take traffic back.
        let all = ["web1", "web2", "web3"];
        assert_eq!(judged(&strict, "web1 web2 web3", &all), "web1 web2 web3");
        let nobody = judged(&progress(MaxExcluded::NONE, watches), "web1 web2 web3", &all);
        assert!(nobody.contains("nothing is left that could take the traffic back"), "{nobody}");

        // The one who said so may have died on the way back.
        let mut again = strict.clone();
        let decision = Decision::Back { why: Trouble::new("test/aborted", "a person said so") };
        let (origin, lost) = (Origin::default(), silent("web2", UNREACHABLE));
        let kept_out = BTreeSet::new();
        again
            .apply(&Record::Recovered { decision, origin, lost, kept_out, share: None })
            .expect("it goes back");
        assert_eq!(judged(&again, "web2", &[]), "web2");
        assert!(judged(&again, "web2 web3", &[]).starts_with("state/unreachable: bring them back"));
        assert_eq!(judged(&again, "web2 web3", &["web3"]), "web2 web3");
        assert_eq!(judged(&again, "web3", &["web2", "web3"]), "web3", "web2 is back");

        let pivoted = progress(MaxExcluded::NONE, |_| false);
        assert_eq!(judged(&pivoted, "web2", &[]), "", "what is left there is a warning");
    }

    #[test]
    fn what_follows_is_told_to_whoever_gave_hosts_up() {
        let lost = silent("web2 web3", UNREACHABLE).into_keys().collect();
        assert_eq!(
            what_follows(&lost, false).as_deref(),
            Some(
                "take `web2` and `web3` out of `cutover.toml`, and `cutover setup` says what that changes at the routers; or let \
                 `pipeline.max-excluded = 2` leave out who is away"
            )
        );
        assert_eq!(
            what_follows(&lost, true).as_deref(),
            Some(
                "take `web2` and `web3` out of `cutover.toml`, and `cutover setup` says what that changes at the routers; or, once all are \
                 back, `cutover deploy --adopt` begins with who is out"
            )
        );
        assert_eq!(what_follows(&BTreeSet::new(), true), None);
    }

    #[test]
    fn whoever_could_go_on_without_a_host_is_told_so() {
        let told = |bound, names: &str, code| {
            let mut silent = silent(names, code);
            hint_at_bound(&deployment(bound), false, &mut silent);
            silent.into_values().next().and_then(|trouble| trouble.hint).unwrap_or_default()
        };
        let lets = |count, whom| {
            format!("look; `pipeline.max-excluded = {count}` lets a deployment go on without {whom}")
        };
        assert_eq!(told(MaxExcluded::NONE, "web3", UNREACHABLE), lets(1, "it"));
        assert_eq!(told(MaxExcluded::Hosts(1), "web2 web3", UNREACHABLE), lets(2, "them"));
        assert_eq!(told(MaxExcluded::NONE, "web1 web2 web3", UNREACHABLE), "look", "one has to remain");
        assert_eq!(told(MaxExcluded::NONE, "lb1", UNREACHABLE), "look");
        assert_eq!(
            told(MaxExcluded::NONE, "lb1 web3", UNREACHABLE),
            "look",
            "the router is needed all the same"
        );
        assert_eq!(told(MaxExcluded::NONE, "web3", "state/untrusted"), "look");
    }
}
