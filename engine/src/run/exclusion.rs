//! Which hosts a run may do without.

use std::collections::BTreeMap;

use super::observe::all_app_hosts;
use crate::model::{Color, Deployment, HostName, MaxExcluded, Note, Trouble};

/// Code of the error that a host can't be reached.
const UNREACHABLE: &str = "state/unreachable";

/// Whether a deployment may go on without these: no more of the application's hosts than `pipeline.max-excluded` says, and none that is
/// needed for something else. A host that is there and not what it should be is none of them.
pub(super) fn may_leave_out(
    deployment: &Deployment,
    builds: bool,
    silent: &BTreeMap<HostName, Trouble>,
) -> bool {
    let lost = |host: &HostName, trouble: &Trouble| {
        trouble.code == UNREACHABLE && is_replaceable(deployment, builds, host)
    };
    silent.iter().all(|(host, trouble)| lost(host, trouble)) && silent.len() <= bound(deployment)
}

/// Tells, where that would help, that a deployment may go on without a host.
pub(super) fn hint_at_bound(deployment: &Deployment, builds: bool, silent: &mut BTreeMap<HostName, Trouble>) {
    let several = all_app_hosts(deployment).len() > 1;
    for (host, trouble) in silent {
        if several && trouble.code == UNREACHABLE && is_replaceable(deployment, builds, host) {
            let told = match deployment.pipeline.max_excluded {
                MaxExcluded::NONE => "`pipeline.max-excluded = 1` lets a deployment go on without a host",
                MaxExcluded::Hosts(_) | MaxExcluded::Percent(_) => {
                    "more hosts are lost than `pipeline.max-excluded` lets be left out"
                }
            };
            let own = trouble.hint.take().map(|hint| format!("{hint}; ")).unwrap_or_default();
            trouble.hint = Some(own + told);
        }
    }
}

/// How many may be left out, of the colour that has fewer hosts.
pub(super) fn bound(deployment: &Deployment) -> usize {
    let of = |color| deployment.pipeline.max_excluded.of(deployment.color_hosts(color).len());
    of(Color::Blue).min(of(Color::Green))
}

/// What is said of the bound where there is one.
pub(super) fn note(deployment: &Deployment) -> Option<Note> {
    let (most, all) = (bound(deployment), all_app_hosts(deployment).len());
    let text = format!("up to {most} of {all} hosts are left out if they fail before the switch");
    (most > 0).then(|| Note::new("note", text))
}

/// Whether a host does nothing but run the application.
fn is_replaceable(deployment: &Deployment, builds: bool, host: &HostName) -> bool {
    let is_home = deployment.state.is_none() && deployment.home() == host;
    let is_door = deployment.router.front_doors.iter().any(|door| door.via.as_ref() == Some(host));
    all_app_hosts(deployment).contains(host)
        && !deployment.router.names.contains(host)
        && !(builds && deployment.build.builder == *host)
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
        let lets = "look; `pipeline.max-excluded = 1` lets a deployment go on without a host";
        assert_eq!(told(MaxExcluded::NONE, "web3", UNREACHABLE), lets);
        assert_eq!(told(MaxExcluded::NONE, "lb1", UNREACHABLE), "look");
        assert_eq!(told(MaxExcluded::NONE, "web3", "state/untrusted"), "look");
        let more = "look; more hosts are lost than `pipeline.max-excluded` lets be left out";
        assert_eq!(told(MaxExcluded::Hosts(1), "web2 web3", UNREACHABLE), more);
    }
}
