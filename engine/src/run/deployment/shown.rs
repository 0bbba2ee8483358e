//! What has the traffic as hosts and routers show it, which need not be what the record says. Pure.

use super::ending::serving;
use crate::model::{
    Color, Deployment, LiveRecord, LiveRelease, Observed, Record, Release, ReleaseId, Timestamp,
};
use crate::run::execute::journal_log::replay;
use crate::run::world::observe::Staged;
use crate::store::HomeState;

/// What has the traffic by what is at the home alone, in words. While a deployment is open that may have moved it, nobody there knows.
pub(crate) fn remembered_traffic(state: &HomeState<Record>, turns: bool) -> Option<String> {
    let moved = state.open.as_ref().is_some_and(|open| {
        replay(&open.deployment, open.entries()).is_ok_and(|progress| progress.switch_begun())
    });
    match moved {
        true => Some("as that deployment left it: `cutover status` asks the routers".to_owned()),
        false => state.live.as_ref().map(|record| serving(record, turns)),
    }
}

/// What routers and hosts show to be live, when the record says otherwise and it can be told; `now` is since when that is known.
pub(crate) fn live_instead(
    observed: &Observed,
    staged: &Staged,
    record: Option<&LiveRecord>,
    now: Timestamp,
) -> Option<LiveRelease> {
    let color = observed.live_color().ok()??;
    let release = release_of(observed, staged, color)?;
    let is_recorded = record.is_some_and(|record| record.live.color == color);
    (!is_recorded).then(|| LiveRelease { color, release: release.clone(), since: now, excluded: Vec::new() })
}

/// What has the traffic, in words: `blue, release 2`; what the record says where that is something else.
pub(crate) fn traffic(
    observed: &Observed,
    staged: &Staged,
    record: Option<&LiveRecord>,
    turns: bool,
) -> Option<String> {
    let said = record.filter(|record| record.maintenance.is_none()).map(|record| record.live.color);
    let shown = match observed.live_color() {
        Ok(color) if color == said => return record.map(|record| serving(record, turns)),
        Ok(Some(color)) => {
            let release = release_of(observed, staged, color);
            let release = release.map(|release| format!(", release {}", release.number)).unwrap_or_default();
            format!("{color}{release}, as the router shows it")
        }
        Ok(None) => "no colour, as the router shows it".to_owned(),
        Err(disagreement) => {
            let each = disagreement.answers.iter().map(|(name, said)| format!("{name}: {said}"));
            each.collect::<Vec<_>>().join(", ")
        }
    };
    let recorded =
        record.map_or_else(|| "says nothing".to_owned(), |record| format!("says {}", serving(record, turns)));
    Some(format!("{shown}; the record {recorded}"))
}

/// What the routers show, in a few words; `adopts` says whether the record gives way to it.
pub(crate) fn router_summary(deployment: &Deployment, observed: &Observed, adopts: bool) -> String {
    if deployment.has_turns() && observed.recorded.is_some() {
        let mut routings = observed.routers.iter().filter_map(|(_, seen)| seen.routing.as_ref());
        let first = observed.routers.first().and_then(|(_, seen)| seen.routing.as_ref());
        if let Some(routing) = routings.find(|routing| !routing.out.is_empty()).or(first) {
            return routing.turns();
        }
    }
    let recorded = observed.recorded.as_ref().map(|(color, _)| *color);
    match (observed.live_color(), recorded) {
        (Ok(None), _) if observed.maintenance => "router no colour, in maintenance".to_owned(),
        (Ok(None), _) => "no colour is routed to yet".to_owned(),
        (Ok(Some(color)), _) if observed.maintenance && !adopts => {
            format!("router {color} 100 %, recorded is no colour, for maintenance")
        }
        (Ok(Some(color)), recorded) if Some(color) == recorded => {
            format!("router {color} 100 %, as recorded")
        }
        (Ok(Some(color)), _) if adopts => format!("router {color} 100 %, adopted"),
        (Ok(Some(color)), Some(recorded)) => format!("router {color} 100 %, recorded is {recorded}"),
        (Ok(Some(color)), None) => format!("router {color} 100 %, nothing is recorded"),
        (Err(_), _) => match observed.shares() {
            Some(shares) => format!("router {shares}"),
            None => "routers disagree".to_owned(),
        },
    }
}

/// The release of a colour, where all hosts show the same one.
fn release_of<'a>(observed: &Observed, staged: &'a Staged, color: Color) -> Option<&'a Release> {
    let mut ids = observed.hosts.values().map(|host| {
        let instance = host.instance(color);
        instance.release.as_ref().or(instance.link.as_ref())
    });
    let id: &ReleaseId = ids.next()??;
    let is_one = ids.all(|other| other == Some(id));
    let mut all = staged.releases.iter().flat_map(|(_, releases)| releases);
    all.find(|release| is_one && release.id == *id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{HostName, Name, Observation, ObservedHost, ObservedInstance, Routing};

    fn name(text: &str) -> HostName {
        Name::new(text).expect("a name")
    }

    /// Two hosts with `old` on blue and `new` on green, and routers that show this.
    fn world(routings: &[Option<Routing>]) -> (Observed, Staged) {
        let releases = vec![Release::for_tests("old", 2), Release::for_tests("new", 5)];
        let instance = |release: &Release| ObservedInstance {
            link: Some(release.id.clone()),
            running: true,
            release: Some(release.id.clone()),
            fit: false,
        };
        let host = ObservedHost { blue: instance(&releases[0]), green: instance(&releases[1]) };
        let hosts = ["web1", "web2"].map(name);
        let routers = routings.iter().enumerate().map(|(index, routing)| {
            let seen = Observation { routing: routing.clone(), settled: true, labels: Vec::new() };
            (name(&format!("lb{}", index + 1)), seen)
        });
        let observed = Observed {
            hosts: hosts.iter().map(|name| (name.clone(), host.clone())).collect(),
            routers: routers.collect(),
            ..Observed::default()
        };
        let staged = Staged { releases: hosts.into_iter().map(|name| (name, releases.clone())).collect() };
        (observed, staged)
    }

    fn record(color: Color, release: &str, number: u64) -> LiveRecord {
        let release = Release::for_tests(release, number);
        LiveRecord {
            generation: 1,
            live: LiveRelease { color, release, since: Timestamp(0), excluded: Vec::new() },
            previous: None,
            maintenance: None,
        }
    }

    #[test]
    fn the_router_is_believed_where_the_record_differs() {
        let green = record(Color::Green, "new", 5);
        let told = |routings: &[Option<Routing>], record: Option<&LiveRecord>| {
            let (observed, staged) = world(routings);
            traffic(&observed, &staged, record, false)
        };
        let says = |text: &str| Some(text.to_owned());
        let (to_blue, to_green) = (Some(Routing::all_to(Color::Blue)), Some(Routing::all_to(Color::Green)));
        assert_eq!(told(std::slice::from_ref(&to_green), Some(&green)), says("green, release 5"));
        let moved = "blue, release 2, as the router shows it; the record says green, release 5";
        assert_eq!(told(std::slice::from_ref(&to_blue), Some(&green)), says(moved));
        let unknown = "blue, release 2, as the router shows it; the record says nothing";
        assert_eq!(told(std::slice::from_ref(&to_blue), None), says(unknown));
        let taken_out = "no colour, as the router shows it; the record says green, release 5";
        assert_eq!(told(&[None], Some(&green)), says(taken_out));
        let apart = "lb1: blue 100 %, lb2: green 100 %; the record says green, release 5";
        assert_eq!(told(&[to_blue, to_green], Some(&green)), says(apart));
        assert_eq!(told(&[None], None), None);
    }

    #[test]
    fn what_is_adopted_is_what_runs() {
        let green = record(Color::Green, "new", 5);
        let (observed, staged) = world(&[Some(Routing::all_to(Color::Blue))]);
        let found = live_instead(&observed, &staged, Some(&green), Timestamp(7));
        let old = LiveRelease {
            color: Color::Blue,
            release: Release::for_tests("old", 2),
            since: Timestamp(7),
            excluded: Vec::new(),
        };
        assert_eq!(found, Some(old));
        let (observed, staged) = world(&[Some(Routing::all_to(Color::Green))]);
        assert_eq!(live_instead(&observed, &staged, Some(&green), Timestamp(7)), None);
        // Hosts that run different releases as one colour are of none.
        let (mut observed, staged) = world(&[Some(Routing::all_to(Color::Blue))]);
        if let Some(host) = observed.hosts.get_mut("web2") {
            std::mem::swap(&mut host.blue, &mut host.green);
        }
        assert_eq!(live_instead(&observed, &staged, Some(&green), Timestamp(7)), None);
    }
}
