//! What a rollback says beforehand of how the release will be started: as it was deployed, and where that is not what `cutover.toml` says.

use futures_util::future::join_all;

use crate::driver::Launch;
use crate::model::{Action, HostName, Note, Plan};
use crate::run::world::session::Session;

/// What was kept of a release on a host where it is to be started.
#[derive(Debug, Clone)]
struct Compared {
    host: HostName,
    kept: Option<Launch>,
    /// What the configuration says there now.
    now: Launch,
}

impl Compared {
    /// Whether it was to listen elsewhere.
    fn is_moved(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| !kept.listens_as(&self.now))
    }

    /// Keys of `[app]` that say something else now.
    fn departures(&self) -> Vec<&'static str> {
        self.kept.as_ref().map(|kept| kept.departures(&self.now)).unwrap_or_default()
    }
}

/// What is worth knowing of how the plan's release will be started, on the hosts where it does not run already. A host that can't say is
/// left to the start.
pub(crate) async fn launch_notes(session: &Session, plan: &Plan) -> Vec<Note> {
    let started = plan.tasks().filter_map(|(_, task)| {
        let Action::Start { host, .. } = &task.action else { return None };
        Some(host)
    });
    let compared = join_all(started.map(|host| compare(session, plan, host))).await;
    let all = session.deployment.color_hosts(plan.color).len();
    notes(plan, &compared.into_iter().flatten().collect::<Vec<_>>(), all)
}

async fn compare(session: &Session, plan: &Plan, host: &HostName) -> Option<Compared> {
    let site = session.sites.get(host)?;
    let slot = site.slot(&session.deployment, host, plan.color).ok()?;
    let kept = Launch::kept(site.link.as_ref(), &slot, &plan.release.id).await.ok()?;
    Some(Compared { host: host.clone(), kept, now: Launch::configured(&slot) })
}

/// Each note names the hosts that it is about, where these are not `all` that the colour has: on the others it runs already, or starts
/// otherwise.
fn notes(plan: &Plan, compared: &[Compared], all: usize) -> Vec<Note> {
    let (number, color) = (plan.release.number, plan.color);
    let mut texts = Vec::new();
    let places = |is_so: &dyn Fn(&Compared) -> bool| {
        let hosts: Vec<&str> =
            compared.iter().filter(|one| is_so(one)).map(|one| one.host.as_str()).collect();
        if hosts.len() == all { String::new() } else { format!("{}: ", hosts.join(" ")) }
    };
    let moved = compared.iter().any(Compared::is_moved);
    let mut keys: Vec<&str> = compared.iter().flat_map(Compared::departures).collect();
    // Where it is written anew, it is what the file says.
    keys.retain(|key| !moved || *key != "env");
    keys.sort_unstable();
    keys.dedup();
    if !keys.is_empty() {
        let verb = if keys.len() == 1 { "differs" } else { "differ" };
        let places = places(&|one| one.departures().iter().any(|key| keys.contains(key)));
        let keys = keys.join("`, `");
        texts.push(format!(
            "{places}starts as release {number} was deployed: `{keys}` {verb} from cutover.toml"
        ));
    }
    if moved {
        texts.push(format!(
            "{}{color} listens elsewhere than when release {number} was deployed: its environment is written anew from cutover.toml",
            places(&Compared::is_moved)
        ));
    }
    if compared.iter().any(|one| one.kept.is_none()) {
        texts.push(format!(
            "{}how release {number} was started as {color} was not kept: it starts as cutover.toml says",
            places(&|one| one.kept.is_none())
        ));
    }
    texts.into_iter().map(|text| Note::new("note", text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::{Slot, sample};
    use crate::model::{Color, Deployment, Driver, Observed, Release, Timestamp, Wish};

    fn launch(change: &dyn Fn(&mut Deployment)) -> Launch {
        let mut deployment = sample::deployment(Driver::Detached);
        change(&mut deployment);
        let host = sample::name("web1");
        let slot = Slot::new(&deployment, &host, Color::Blue, &sample::facts("deploy", 1000));
        Launch::configured(&slot.expect("a slot"))
    }

    /// What is said of a colour on web1 and web2, of which those are started that are compared.
    fn said(compared: &[(Option<Launch>, Launch)]) -> Vec<String> {
        let hosts = ["web1", "web2"].map(sample::name).into_iter();
        let compared: Vec<Compared> = hosts
            .zip(compared.iter().cloned())
            .map(|(host, (kept, now))| Compared { host, kept, now })
            .collect();
        let deployment = sample::deployment(Driver::Detached);
        let wish = Wish::new("rollback", "d1".into(), Release::for_tests("r4", 4), false, Timestamp(0));
        let plan = Plan::new(&deployment, &wish, &Observed::default()).expect("a plan");
        notes(&plan, &compared, 2).into_iter().map(|note| note.text).collect()
    }

    #[test]
    fn what_differs_is_said_once() {
        let now = || launch(&|_| {});
        let start = launch(&|deployment| deployment.application.start.push("--new".into()));
        let both = launch(&|deployment| {
            deployment.application.start.push("--new".into());
            deployment.application.env_files.clear();
        });
        let port = launch(&|deployment| deployment.application.blue.port = 4099);
        assert_eq!(said(&[(Some(now()), now())]), [] as [&str; 0]);
        assert_eq!(
            said(&[(Some(start.clone()), now()), (Some(start), now())]),
            ["starts as release 4 was deployed: `start` differs from cutover.toml"]
        );
        assert_eq!(
            said(&[(Some(both), now()), (None, now())]),
            [
                "web1: starts as release 4 was deployed: `env-file`, `start` differ from cutover.toml",
                "web2: how release 4 was started as blue was not kept: it starts as cutover.toml says"
            ]
        );
        assert_eq!(
            said(&[(Some(port), now())]),
            [
                "web1: blue listens elsewhere than when release 4 was deployed: its environment is written anew from cutover.toml"
            ]
        );
    }
}
