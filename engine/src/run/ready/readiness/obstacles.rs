//! What keeps a deployment from being begun, out of all that was found.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::front_door::{LiveSight, front_door_findings};
use super::host::host_readiness;
use crate::model::view::{Finding, Verdict};
use crate::model::{Color, HostName, LiveRecord, Note, Plan, Trouble};
use crate::run::world::front_doors::FrontDoors;
use crate::run::world::observe::{Staged, observing_call};
use crate::run::world::session::Session;

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Concern {
    /// Whatever is to be done.
    Everything,
    /// What a release comes with that is not on the hosts yet.
    Staging,
    /// The build.
    Building,
    /// The processes of a colour.
    Starting(Color),
}

/// What is to be done: only what concerns it stands in its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ahead {
    pub(crate) builds: bool,
    pub(crate) stages: bool,
    pub(crate) color: Color,
}

impl Ahead {
    fn includes(self, concern: Concern) -> bool {
        match concern {
            Concern::Everything => true,
            Concern::Staging => self.stages,
            Concern::Building => self.builds,
            Concern::Starting(color) => color == self.color,
        }
    }
}

/// Asks all hosts at once what they lack for this: one error a host, in the order of their names.
pub(crate) async fn host_obstacles(session: &Session, ahead: Ahead) -> Vec<Trouble> {
    let mut asking = JoinSet::new();
    for (host, site) in &session.sites {
        let (deployment, clock) = (Arc::clone(&session.deployment), session.reporter.clock());
        let (host, link) = (host.clone(), Arc::clone(&site.link));
        asking.spawn(async move {
            let ready = host_readiness(&deployment, &host, &link, clock.as_ref()).await;
            let trouble = match ready {
                Ok(ready) => obstacle(&host, ahead, &ready.found),
                Err(problem) => Some(Trouble::new("host/failed", format!("{host}: {problem}"))),
            };
            (host, trouble)
        });
    }
    let mut found = asking.join_all().await;
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found.into_iter().filter_map(|(_, trouble)| trouble).collect()
}

/// What one host lacks.
fn obstacle(host: &HostName, ahead: Ahead, found: &[(Concern, Finding)]) -> Option<Trouble> {
    let mut lacking = found
        .iter()
        .filter(|(concern, finding)| finding.verdict == Verdict::Missing && ahead.includes(*concern))
        .map(|(_, finding)| finding);
    let first = lacking.next()?;
    let others: Vec<&str> = lacking.map(|finding| finding.what.as_str()).collect();
    let also = if others.is_empty() { String::new() } else { format!("; also: {}", others.join(", ")) };
    let trouble =
        Trouble::new("host/not-ready", format!("{host} is not ready: {}: {}{also}", first.what, first.text));
    Some(trouble.hint(match first.fix.as_deref().filter(|fix| !fix.contains('\n')) {
        Some(fix) if others.is_empty() => fix,
        _ => "`cutover check --hosts` shows what is missing, `cutover setup` prints what to do",
    }))
}

/// Asks the front doors: where what is live is not shown, neither the switch nor the way back could be proven. What is only odd is a
/// note.
pub(crate) async fn front_door_obstacles(
    session: &Session,
    plan: &Plan,
    record: Option<&LiveRecord>,
    staged: &Staged,
) -> (Vec<Note>, Vec<Trouble>) {
    let (mut notes, mut troubles) = (Vec::new(), Vec::new());
    let recorded = record.map(|record| &record.live.release);
    let staged = || staged.releases.iter().flat_map(|(_, releases)| releases);
    let live = plan.live.as_ref().map(|(color, id)| {
        let release = recorded.into_iter().chain(staged()).find(|release| Some(&release.id) == id.as_ref());
        release.map(|release| LiveSight { color: *color, release })
    });
    // What is live by the router's word, and nobody knows what it is, can't be asked for.
    let Some(live) = live.map_or(Some(None), |known| known.map(Some)) else { return (notes, troubles) };
    let doors = FrontDoors { deployment: &session.deployment, sites: &session.sites, hooks: &session.hooks };
    let call = observing_call(&session.deployment, record);
    for Finding { what, verdict, text, fix } in front_door_findings(doors, live, &call).await {
        match verdict {
            Verdict::Ok => {}
            Verdict::Warning => {
                let fix = fix.map(|fix| format!("; {fix}")).unwrap_or_default();
                notes.push(Note::new(what, format!("{text}{fix}")));
            }
            Verdict::Missing => troubles
                .push(Trouble { hint: fix, ..Trouble::new("deploy/front-door", format!("{what} {text}")) }),
        }
    }
    (notes, troubles)
}

/// The first of several, which says how many others there are.
pub(crate) fn first_of(obstacles: Vec<Trouble>) -> Trouble {
    let others = obstacles.len().saturating_sub(1);
    let mut obstacles = obstacles.into_iter();
    let first = obstacles.next().unwrap_or_else(|| Trouble::new("internal/obstacle", "there is no obstacle"));
    if others == 0 {
        return first;
    }
    let more = format!("{others} more: `cutover check --hosts` shows all");
    let hint = first.hint.as_ref().map_or_else(|| more.clone(), |hint| format!("{hint}\n{more}"));
    first.hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::sample;

    fn finding(what: &str, verdict: Verdict, fix: Option<&str>) -> Finding {
        Finding { what: what.to_owned(), verdict, text: "so it is".to_owned(), fix: fix.map(str::to_owned) }
    }

    #[test]
    fn only_what_concerns_a_deployment_stands_in_its_way() {
        let missing = |what| finding(what, Verdict::Missing, Some("mend it"));
        let found = [
            (Concern::Everything, finding("clock", Verdict::Warning, None)),
            (Concern::Staging, missing("room")),
            (Concern::Starting(Color::Green), missing("ports")),
            (Concern::Building, missing("builder")),
        ];
        let told = |builds, stages, color| {
            let trouble = obstacle(&sample::name("web1"), Ahead { builds, stages, color }, &found)?;
            Some(format!("{} -> {}", trouble.message, trouble.hint.unwrap_or_default()))
        };
        let all = "`cutover check --hosts` shows what is missing, `cutover setup` prints what to do";
        assert_eq!(
            told(true, true, Color::Green),
            Some(format!("web1 is not ready: room: so it is; also: ports, builder -> {all}"))
        );
        let port = "web1 is not ready: ports: so it is -> mend it";
        assert_eq!(told(false, false, Color::Green).as_deref(), Some(port));
        assert_eq!(told(false, false, Color::Blue), None);
    }

    #[test]
    fn what_has_several_lines_is_printed_elsewhere() {
        let found = [(Concern::Everything, finding("sudoers", Verdict::Missing, Some("one\ntwo")))];
        let ahead = Ahead { builds: false, stages: false, color: Color::Blue };
        let trouble = obstacle(&sample::name("web1"), ahead, &found).expect("something is missing");
        assert_eq!(
            trouble.hint.as_deref(),
            Some("`cutover check --hosts` shows what is missing, `cutover setup` prints what to do")
        );
    }
}
