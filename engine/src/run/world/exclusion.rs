//! Which hosts a run may do without.

use std::collections::BTreeMap;

use super::observe::all_app_hosts;
use crate::model::{Color, Deployment, HostName, MaxExcluded, Note, Trouble};

/// Code of the error that a host can't be reached.
const UNREACHABLE: &str = "state/unreachable";

/// Whether a deployment may go on without these: no more of the application's hosts than `pipeline.max-excluded` says, and none that is
/// needed for something else. A host that is there and not what it should be is none of them.
pub(crate) fn may_leave_out(
    deployment: &Deployment,
    builds: bool,
    silent: &BTreeMap<HostName, Trouble>,
) -> bool {
    let lost = |host: &HostName, trouble: &Trouble| {
        trouble.code == UNREACHABLE && is_replaceable(deployment, builds, host)
    };
    silent.iter().all(|(host, trouble)| lost(host, trouble)) && silent.len() <= bound(deployment)
}

/// Tells, where another bound would be enough, that a deployment may go on without these.
pub(crate) fn hint_at_bound(deployment: &Deployment, builds: bool, silent: &mut BTreeMap<HostName, Trouble>) {
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
    use crate::model::Name;

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
