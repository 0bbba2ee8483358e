//! `cutover status` for people.

use std::time::Duration;

use super::line::{Line, Tone};
use super::problem::wrapped;
use super::quantity::Quantity;
use super::table::table;
use super::words::{color_tone, fit_places, source_words};
use crate::model::view::{
    FrontDoorStatus, InstanceState, InstanceStatus, LockStatus, MaintenanceStatus, ReleaseState,
    ReleaseStatus, RouterStatus, StatusView, Unfinished,
};
use crate::model::{Color, HostName, Maintenance, Release, Size, Timestamp};

/// Columns of the first line.
const HEADING: usize = 70;

/// Lines of a status.
#[must_use]
pub fn status(view: &StatusView, width: Option<usize>) -> Vec<Line> {
    let asked = format!("asked {} UTC", Quantity::time(view.asked));
    let column = HEADING.min(width.unwrap_or(HEADING)).saturating_sub(asked.len());
    let mut lines = vec![Line::of(Tone::Strong, &view.title).text("  ").pad(column).with(Tone::Dim, &asked)];
    lines.extend(colors(view));
    lines.extend(view.maintenance.as_ref().map(|found| maintenance(found, view.asked)));
    lines.push(branch_and_lock(view));
    lines.extend(view.unfinished.as_ref().map(|unfinished| unfinished_line(unfinished, view)));
    lines.extend(instances(&view.instances, has_turns(view), view.asked));
    lines.extend(releases(&view.releases, view.asked));
    lines.extend(view.routers.iter().map(|found| router(found, view.is_under_way(), has_turns(view))));
    lines.extend(view.front_doors.iter().map(front_door));
    let remarks = view.drift.iter().map(|text| (Tone::Bad, "drift: ", text));
    let remarks = remarks.chain(view.too_old.iter().map(|text| (Tone::Bad, "too old: ", text)));
    let remarks = remarks.chain(view.warnings.iter().map(|text| (Tone::Warn, "warning: ", text)));
    for (tone, label, text) in remarks {
        lines.push(Line::of(tone, label).text(text));
    }
    lines.into_iter().flat_map(|line| wrapped(line, width, 2)).collect()
}

/// Whether hosts have one place each, so that there is nothing to call it by.
fn has_turns(view: &StatusView) -> bool {
    let live = view.live.as_ref().map(|live| live.color);
    !view.instances.is_empty() && view.instances.iter().all(|instance| Some(instance.color) == live)
}

/// `maintenance: no colour gets requests, for 5 min, ann@desk "moving the database"`.
fn maintenance(found: &MaintenanceStatus, asked: Timestamp) -> Line {
    let who = found.ci.as_deref().unwrap_or(&found.who);
    let about = format!(": no colour gets requests, for {}, {who}", Quantity::age(asked.since(found.since)));
    let message = found.message.as_ref().map(|text| format!(" \"{text}\"")).unwrap_or_default();
    Line::of(Tone::Warn, "maintenance").text(&about).text(&message)
}

fn colors(view: &StatusView) -> Vec<Line> {
    let Some(live) = &view.live else {
        if let Some(reason) = &view.record_problem {
            return vec![Line::of(Tone::Bad, "live").text("   not known: ").text(reason)];
        }
        return vec![Line::of(Tone::Strong, "live").text("   nothing was deployed yet")];
    };
    let mut about = format!("{} ago", Quantity::age(view.asked.since(live.since)));
    about.push_str(", ");
    about.push_str(live.ci.as_deref().unwrap_or(&live.who));
    // As long as a deployment is under way or unfinished, the table may call the other one live.
    let is_elsewhere = |color| view.traffic.is_some_and(|traffic| traffic != color);
    let side = if view.idle.is_some() && is_elsewhere(live.color) { "record" } else { "live" };
    let mut rows = vec![color_row(side, live.color, Some(&live.release), Line::plain(&about))];
    if has_turns(view) {
        // The place that each host has is called nothing.
        rows[0].remove(1);
    }
    if let Some(idle) = &view.idle {
        let shared = shared(view, idle.color);
        let about = match (idle.warm, idle.instances) {
            _ if view.traffic == Some(idle.color) => Line::of(Tone::Warn, "has the traffic"),
            _ if shared.is_some() => Line::of(Tone::Warn, &shared.unwrap_or_default()),
            (0, _) => Line::of(Tone::Dim, "stopped"),
            (warm, of) if warm == of => Line::plain("warm"),
            (warm, of) => Line::of(Tone::Warn, &format!("warm on {warm} of {of} hosts")),
        };
        let side = if view.traffic == Some(idle.color) { "live" } else { "idle" };
        rows.push(color_row(side, idle.color, idle.release.as_ref(), about));
    }
    table(rows)
}

/// What a colour has of the requests, where both have some.
fn shared(view: &StatusView, color: Color) -> Option<String> {
    view.shares.as_ref().map(|shares| format!("has {} % of the traffic", shares.share(color)))
}

fn color_row(side: &str, color: Color, release: Option<&Release>, about: Line) -> Vec<Line> {
    let number =
        release.map_or_else(|| "release ?".to_owned(), |release| format!("release {}", release.number));
    vec![
        // As wide as `behind`, which begins a line further down.
        Line::of(Tone::Strong, side).pad(5),
        Line::of(color_tone(color), color.as_str()),
        Line::plain(&number),
        Line::plain(&source(release)),
        about,
    ]
}

fn branch_and_lock(view: &StatusView) -> Line {
    let behind = match &view.behind {
        Some(behind) if behind.commits == 0 => Line::plain(&format!("level with {}", behind.branch)),
        Some(behind) => {
            let commits = if behind.commits == 1 { "commit" } else { "commits" };
            let line = Line::plain(&format!("behind {} by {} {commits}", behind.branch, behind.commits));
            match behind.oldest {
                Some(oldest) => line.text(&format!(", oldest {}", Quantity::age(view.asked.since(oldest)))),
                None => line,
            }
        }
        None => Line::new(),
    };
    let lock = match &view.lock {
        LockStatus::Free => Line::plain("lock free"),
        LockStatus::Held { who, command, since, step, epoch, gone, .. } => {
            let held = Quantity::age(view.asked.since(*since));
            // Its holder tells the step only now and then.
            let step = if step.is_empty() { String::new() } else { format!(", at {step}") };
            let line = Line::of(Tone::Warn, "locked")
                .text(&format!(" by {who} for {held} ({command}{step}, epoch {epoch})"));
            match gone {
                Some(gone) => line.text("; ").with(Tone::Bad, gone),
                None => line,
            }
        }
        LockStatus::Unknown { reason } => Line::of(Tone::Bad, "lock unknown").text(&format!(": {reason}")),
    };
    if behind.width() == 0 { lock } else { behind.text("  ").pad(44).join(lock) }
}

/// A deployment without an end: where it is while someone is at it, else what ends it.
fn unfinished_line(unfinished: &Unfinished, view: &StatusView) -> Line {
    let Unfinished { deployment, command, who, since, step, color, release, ways } = unfinished;
    let about = format!(" {command} {deployment} by {who}, {} ago", Quantity::age(view.asked.since(*since)));
    if !view.is_under_way() {
        return Line::of(Tone::Bad, "unfinished").text(&format!("{about}, got to {step}: {ways}"));
    }
    if Maintenance::of(command).is_some() {
        return Line::of(Tone::Warn, "under way").text(&format!("{about}, at {step}"));
    }
    let line = Line::of(Tone::Warn, "under way").text(&format!("{about}, at {step}: "));
    if has_turns(view) {
        return line.text(&format!("release {release}"));
    }
    let line = line.with(color_tone(*color), color.as_str()).text(&format!(", release {release}, "));
    if let Some(shared) = shared(view, *color) {
        return line.text(&shared);
    }
    line.text(match view.traffic {
        Some(traffic) if traffic == *color => "has the traffic",
        Some(_) => "has no traffic yet",
        None if view.live.is_none() => "has no traffic yet",
        None => "is being switched to or back from",
    })
}

fn instances(instances: &[InstanceStatus], turns: bool, now: Timestamp) -> Vec<Line> {
    if instances.is_empty() {
        return Vec::new();
    }
    let heads = ["HOST", "COLOUR", "RELEASE", "STATE", "PORT", "UP", "HEALTH"];
    let mut rows = vec![heads.iter().map(|head| Line::of(Tone::Dim, head)).collect()];
    rows.extend(instances.iter().map(|instance| instance_row(instance, now)));
    if turns {
        rows.iter_mut().for_each(|row: &mut Vec<Line>| drop(row.remove(1)));
    }
    table(rows)
}

fn instance_row(instance: &InstanceStatus, now: Timestamp) -> Vec<Line> {
    let (tone, state) = match instance.state {
        InstanceState::Live => (Tone::Good, "live"),
        InstanceState::Warm => (Tone::Plain, "warm"),
        InstanceState::Sick => (Tone::Bad, "sick"),
        InstanceState::Stopped => (Tone::Dim, "stopped"),
        InstanceState::Empty => (Tone::Dim, "empty"),
        InstanceState::Unknown => (Tone::Bad, "unknown"),
    };
    let up = instance.up_since.map(|since: Timestamp| -> Duration { now.since(since) });
    vec![
        Line::plain(instance.host.as_str()),
        Line::of(color_tone(instance.color), instance.color.as_str()),
        Line::plain(&instance.release.map_or_else(|| "-".to_owned(), |number| number.to_string())),
        Line::of(tone, state),
        Line::plain(&instance.port.to_string()),
        Line::plain(&up.map_or_else(|| "-".to_owned(), Quantity::age)),
        Line::plain(instance.health.as_deref().unwrap_or("-")),
    ]
}

fn releases(releases: &[ReleaseStatus], now: Timestamp) -> Vec<Line> {
    if releases.is_empty() {
        return Vec::new();
    }
    let heads = ["RELEASE", "STATE", "SOURCE", "AGE", "SIZE", "HOSTS"];
    let mut rows = vec![heads.iter().map(|head| Line::of(Tone::Dim, head)).collect()];
    rows.extend(releases.iter().map(|found| release_row(found, now)));
    table(rows)
}

fn release_row(found: &ReleaseStatus, now: Timestamp) -> Vec<Line> {
    let ReleaseStatus { release, state, hosts, lacking } = found;
    let (tone, state) = match state {
        ReleaseState::Live => (Tone::Good, "live"),
        ReleaseState::Warm => (Tone::Plain, "warm"),
        ReleaseState::Kept => (Tone::Plain, "kept"),
        ReleaseState::NeverLive => (Tone::Dim, "never live"),
    };
    let names =
        |hosts: &[HostName]| fit_places(&hosts.iter().map(ToString::to_string).collect::<Vec<_>>(), None);
    let hosts = Line::plain(&names(hosts));
    vec![
        Line::plain(&release.number.to_string()),
        Line::of(tone, state),
        Line::plain(&source(Some(release))),
        Line::plain(&Quantity::age(now.since(release.created))),
        Line::plain(&Size::bytes(release.size).to_string()),
        if lacking.is_empty() { hosts } else { hosts.with(Tone::Warn, &format!(", not {}", names(lacking))) },
    ]
}

/// Where a release came from, as far as that is known.
fn source(release: Option<&Release>) -> String {
    release.map_or_else(String::new, |release| {
        let words = source_words(release.branch.as_deref(), release.revision.as_deref(), None);
        if words.is_empty() { release.version.clone().unwrap_or_default() } else { words }
    })
}

fn router(router: &RouterStatus, under_way: bool, turns: bool) -> Line {
    let line = Line::plain("router ").with(Tone::Strong, router.name.as_str()).text("  ").pad(14);
    match (&router.observation, &router.problem) {
        (_, Some(problem)) => line.with(Tone::Bad, "not asked").text(&format!(": {problem}")),
        (None, None) => line.with(Tone::Bad, "not asked"),
        (Some(observation), None) => {
            let routing = match &observation.routing {
                Some(routing) if turns => routing.turns(),
                Some(routing) => routing.to_string(),
                None => "does not know the application".to_owned(),
            };
            let line = line.text(&routing);
            let line = if observation.settled {
                line.text(", settled, ")
            } else {
                line.text(", ").with(Tone::Warn, "not settled").text(", ")
            };
            if router.agrees {
                line.text("agrees with the record")
            } else if under_way {
                line.text("by the deployment under way")
            } else {
                line.with(Tone::Bad, "not as recorded")
            }
        }
    }
}

fn front_door(door: &FrontDoorStatus) -> Line {
    let line = Line::plain("front door").pad(14).text(&door.url);
    if door.ok {
        line.text(&format!(" {}", door.says))
    } else {
        line.with(Tone::Bad, &format!(": {}", door.says))
    }
}
