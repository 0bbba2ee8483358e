//! Which instances `exec` and `logs` mean: `--live`, `--idle`, `--release`, `--host`.

use std::collections::BTreeMap;

use crate::model::request::{InstanceChoice, Side};
use crate::model::{Color, Deployment, HistoryEntry, HostName, ReleaseId, Trouble};
use crate::run::world::host_sight::HostSight;

/// One instance that was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenInstance {
    /// Its host.
    pub host: HostName,
    /// Its colour.
    pub color: Color,
    /// The release that it holds.
    pub release: ReleaseId,
}

/// Finds the instances that are meant, in the order of the configuration. `live` is the colour that has the traffic, `sights` are of the
/// hosts that were asked.
///
/// # Errors
/// When there is none, with what there is.
pub fn choose(
    deployment: &Deployment,
    live: Option<Color>,
    sights: &BTreeMap<HostName, HostSight>,
    choice: &InstanceChoice,
) -> Result<Vec<ChosenInstance>, Trouble> {
    let colors: Vec<Color> = match (&choice.side, live) {
        (Side::Release(_), _) => Color::ALL.to_vec(),
        (Side::Live, Some(color)) => vec![color],
        (Side::Idle, Some(color)) => vec![color.other()],
        (Side::Live | Side::Idle, None) => {
            return Err(Trouble::new("instance/none", "nothing was deployed yet")
                .hint("`--release` chooses what a failed first deployment left"));
        }
    };
    let is_meant = |sight: &HostSight, id: &ReleaseId| match &choice.side {
        Side::Live | Side::Idle => true,
        Side::Release(wanted) => {
            let number = sight.release(id).map(|release| release.number.to_string());
            id.as_str() == wanted || number.as_deref() == Some(wanted.trim_start_matches('#'))
        }
    };
    let mut chosen = Vec::new();
    for color in colors {
        let hosts = deployment.color_hosts(color).iter();
        for host in hosts.filter(|host| choice.host.as_ref().is_none_or(|wanted| wanted == *host)) {
            let Some(sight) = sights.get(host) else { continue };
            let Some(release) = sight.instance(color).and_then(|instance| instance.release()) else {
                continue;
            };
            if is_meant(sight, release) {
                chosen.push(ChosenInstance { host: host.clone(), color, release: release.clone() });
            }
        }
    }
    if chosen.is_empty() { Err(none(deployment, sights, choice)) } else { Ok(chosen) }
}

/// Finds where a release ran that no instance holds any more, for its logs: in the colours that the history names, on the hosts
/// that still have it.
#[must_use]
pub fn past(
    deployment: &Deployment,
    history: &[HistoryEntry],
    sights: &BTreeMap<HostName, HostSight>,
    choice: &InstanceChoice,
) -> Vec<ChosenInstance> {
    let Side::Release(wanted) = &choice.side else { return Vec::new() };
    let number = wanted.trim_start_matches('#');
    // The last time counts.
    let found = history.iter().rev().find_map(|entry| {
        let release = entry.release.as_ref()?;
        let is_meant = release.id.as_str() == wanted || release.number.to_string() == number;
        is_meant.then_some((release.id.clone(), entry.color?))
    });
    let Some((release, color)) = found else { return Vec::new() };
    let hosts = deployment.color_hosts(color).iter();
    let hosts = hosts.filter(|host| choice.host.as_ref().is_none_or(|wanted| wanted == *host));
    let hosts = hosts.filter(|host| sights.get(*host).is_some_and(|sight| sight.release(&release).is_some()));
    hosts.map(|host| ChosenInstance { host: host.clone(), color, release: release.clone() }).collect()
}

/// That a name is none of those.
pub(super) fn no_host<'a>(
    deployment: &Deployment,
    name: &HostName,
    known: impl IntoIterator<Item = &'a HostName>,
) -> Trouble {
    let known: Vec<&str> = known.into_iter().map(HostName::as_str).collect();
    Trouble::new("instance/no-host", format!("`{name}` is no host of {}", deployment.title()))
        .hint(format!("there are {}", known.join(", ")))
}

fn none(deployment: &Deployment, sights: &BTreeMap<HostName, HostSight>, choice: &InstanceChoice) -> Trouble {
    let side = match &choice.side {
        Side::Live => "the live colour".to_owned(),
        Side::Idle => "the idle colour".to_owned(),
        Side::Release(release) => format!("release `{release}`"),
    };
    if let Some(host) = choice.host.as_ref().filter(|host| !sights.contains_key(*host)) {
        return no_host(deployment, host, sights.keys());
    }
    let held = sights.iter().flat_map(|(host, sight)| {
        sight.instances.iter().filter_map(move |instance| {
            let release = instance.release()?;
            let name =
                sight.release(release).map_or(release.to_string(), |release| release.number.to_string());
            Some(format!("{host} {} holds release {name}", instance.color))
        })
    });
    let held: Vec<String> = held.collect();
    let place = choice.host.as_ref().map_or_else(String::new, |host| format!(" on {host}"));
    let trouble = Trouble::new("instance/none", format!("no instance of {side}{place}"));
    if held.is_empty() { trouble } else { trouble.hint(held.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::{InstanceState, sample};
    use crate::model::{Driver, HistoryRelease, Outcome, Release, Timestamp};
    use crate::run::world::host_sight::InstanceSight;

    fn release(number: u64) -> Release {
        Release::for_tests(&format!("r{number}"), number)
    }

    /// Green 43 is live on both, blue 42 idle, but on web2 it was never put.
    fn world() -> (Deployment, BTreeMap<HostName, HostSight>) {
        let sight = |blue: Option<u64>| {
            let instance = |color, number: Option<u64>| InstanceSight {
                color,
                link: number.map(|number| release(number).id),
                state: InstanceState::Stopped,
            };
            HostSight {
                releases: vec![release(42), release(43)],
                instances: vec![instance(Color::Blue, blue), instance(Color::Green, Some(43))],
            }
        };
        let sights = [(sample::name("web1"), sight(Some(42))), (sample::name("web2"), sight(None))];
        (sample::deployment(Driver::Detached), sights.into_iter().collect())
    }

    fn chosen(side: Side, host: Option<&str>) -> Result<String, String> {
        let (deployment, sights) = world();
        let choice = InstanceChoice { side, host: host.map(sample::name) };
        let text = |instance: &ChosenInstance| {
            let ChosenInstance { host, color, release } = instance;
            format!("{host} {color} {release}")
        };
        choose(&deployment, Some(Color::Green), &sights, &choice)
            .map(|found| found.iter().map(text).collect::<Vec<_>>().join(", "))
            .map_err(|trouble| format!("{}; {}", trouble.message, trouble.hint.unwrap_or_default()))
    }

    #[test]
    fn sides_and_hosts_choose_instances() {
        assert_eq!(chosen(Side::Live, None), Ok("web1 green r43, web2 green r43".into()));
        assert_eq!(chosen(Side::Idle, None), Ok("web1 blue r42".into()));
        assert_eq!(chosen(Side::Live, Some("web2")), Ok("web2 green r43".into()));
        for wanted in ["42", "#42", "r42"] {
            assert_eq!(chosen(Side::Release(wanted.into()), None), Ok("web1 blue r42".into()));
        }
    }

    #[test]
    fn what_was_put_back_is_found_in_the_history() {
        let (deployment, mut sights) = world();
        let entry = |number: u64, color| HistoryEntry {
            deployment: String::new(),
            command: "deploy".into(),
            release: Some(HistoryRelease::from(&release(number))),
            color: Some(color),
            who: "ann@desk".into(),
            ci: None,
            message: None,
            started: Timestamp(1),
            ended: Timestamp(2),
            outcome: Outcome::RolledBack,
            exit_code: 10,
            error: None,
            excluded: Vec::new(),
            denied: Vec::new(),
            switches: Vec::new(),
            settings: None,
        };
        let history = [entry(44, Color::Green), entry(44, Color::Blue), entry(41, Color::Blue)];
        for sight in sights.values_mut() {
            sight.releases.push(release(44));
        }
        let found = |side: Side, host: Option<&str>| {
            let choice = InstanceChoice { side, host: host.map(sample::name) };
            let found = past(&deployment, &history, &sights, &choice);
            let text = |found: &ChosenInstance| format!("{} {} {}", found.host, found.color, found.release);
            found.iter().map(text).collect::<Vec<_>>().join(", ")
        };
        for wanted in ["44", "#44", "r44"] {
            assert_eq!(found(Side::Release(wanted.into()), None), "web1 blue r44, web2 blue r44");
        }
        assert_eq!(found(Side::Release("44".into()), Some("web2")), "web2 blue r44");
        assert_eq!(found(Side::Release("41".into()), None), "", "no host has it any more");
        assert_eq!(found(Side::Release("45".into()), None), "", "there was none");
        assert_eq!(found(Side::Idle, None), "");
    }

    #[test]
    fn where_nothing_is_meant_it_says_what_there_is() {
        let held = "web1 blue holds release 42; web1 green holds release 43; web2 green holds release 43";
        assert_eq!(
            chosen(Side::Release("41".into()), None),
            Err(format!("no instance of release `41`; {held}"))
        );
        assert_eq!(
            chosen(Side::Idle, Some("web2")),
            Err(format!("no instance of the idle colour on web2; {held}"))
        );
        assert_eq!(
            chosen(Side::Live, Some("web3")),
            Err("`web3` is no host of shop/production; there are web1, web2".into())
        );
        let (deployment, sights) = world();
        let choice = InstanceChoice { side: Side::Live, host: None };
        let trouble = choose(&deployment, None, &sights, &choice).expect_err("nothing is live");
        assert_eq!(trouble.message, "nothing was deployed yet");
    }
}
