//! Everything that is read before anything is changed, and what it means for a wish.

use super::artifact;
use super::ending::{idle_of, serving};
use super::launch_notes::launch_notes;
use super::refusal::{DRIFT, SO_ALREADY, another_repository, refused, unfinished};
use super::shown::{live_instead, remembered_traffic, traffic};
use super::still_open::{StillOpen, still_open};
use super::want::Want;
use crate::model::request::DeploySource;
use crate::model::{
    HostName, LiveRelease, Maintenance, Note, Observed, Plan, Record, Release, Timestamp, Trouble, Wish,
    maintenance_begun,
};
use crate::run::ready::readiness::{
    Ahead, MAINTENANCE, feature_obstacle, first_of, front_door_obstacles, host_obstacles,
    maintenance_obstacle, router_features,
};
use crate::run::world::before::Before;
use crate::run::world::claim::claimant;
use crate::run::world::exclusion;
use crate::run::world::lease::{at_step, occupied, time_words};
use crate::run::world::observe::{Staged, look_at_warm, observe_what_answers};
use crate::run::world::performer::{secret_trouble, store_fault};
use crate::run::world::session::Session;
use crate::store::HomeState;

/// Everything that is known before anything is changed.
pub(crate) struct Ready {
    pub(crate) state: HomeState<Record>,
    pub(crate) observed: Observed,
    pub(crate) staged: Staged,
    pub(crate) source: artifact::Resolved,
    /// What keeps it from being begun, though a plan can be made.
    pub(crate) obstacles: Vec<Trouble>,
    /// The router that the first of them is about, where it could not say what it does.
    pub(crate) silent: Option<HostName>,
    /// Whether hosts have one place each, which is called nothing.
    turns: bool,
}

impl Ready {
    /// What has the traffic, in words.
    pub(crate) fn traffic(&self) -> Option<String> {
        traffic(&self.observed, &self.staged, self.state.live.as_ref(), self.turns)
    }

    /// What is live: by the record, or by what is shown where that is adopted.
    pub(crate) fn live(&self, now: Timestamp) -> Option<LiveRelease> {
        let record = self.state.live.as_ref();
        live_instead(&self.observed, &self.staged, record, now)
            .or_else(|| record.map(|record| record.live.clone()))
    }
}

/// Why nothing was begun, and what has the traffic, in words, where that is known.
pub(crate) type Early = (Trouble, Option<String>);

/// Reads everything that a plan needs, and finds out what is to be deployed.
pub(crate) async fn preflight(session: &Session, want: &Want) -> Result<Ready, Early> {
    let state = read_state(session).await?;
    match unfinished(&state) {
        Some(trouble) => Err((trouble, remembered_traffic(&state, session.deployment.has_turns()))),
        None => look(session, want, state, true).await,
    }
}

/// The same for a plan that is only shown: where another run is at work, or has left a deployment without an end, that is what keeps
/// this one from being begun. Hosts and routers are on their way to something else then, so that no more is said of them. Where record and
/// routers differ at rest, the plan is the one of `--adopt`, and that is what `want` asks for then.
pub(crate) async fn preflight_to_look(session: &Session, want: &mut Want) -> Result<Ready, Trouble> {
    let state = read_state(session).await.map_err(|(trouble, _)| trouble)?;
    let claimant = claimant(session, want.command, "");
    let lock = at_step(state.lock.clone(), state.open.as_ref());
    let other = match occupied(&session.home, lock, &claimant).await {
        Some(fault) => Some(store_fault(&fault).trouble),
        None => unfinished(&state),
    };
    let mut looked = look(session, want, state, false).await;
    let mut before = Vec::new();
    if let Err((drift, _)) = &looked
        && drift.code == DRIFT
        && other.is_none()
    {
        before.push(drift.clone());
        want.adopt = true;
        let state = read_state(session).await.map_err(|(trouble, _)| trouble)?;
        looked = look(session, want, state, false).await;
    }
    before.extend(session.missing.iter().cloned());
    match (looked, other) {
        (Ok(ready), Some(other)) => Ok(Ready { obstacles: vec![other], ..ready }),
        (Err(_), Some(other)) => Err(other),
        (Ok(mut ready), None) => {
            before.append(&mut ready.obstacles);
            Ok(Ready { obstacles: before, ..ready })
        }
        (Err((trouble, _)), None) => Err(before.into_iter().next().unwrap_or(trouble)),
    }
}

async fn read_state(session: &Session) -> Result<HomeState<Record>, Early> {
    session.home.read_all::<Record>().await.map_err(|fault| (store_fault(&fault).trouble, None))
}

/// `may_run`: the programs may be run that give secrets.
async fn look(
    session: &Session,
    want: &Want,
    state: HomeState<Record>,
    may_run: bool,
) -> Result<Ready, Early> {
    let live = state.live.as_ref().map(|record| serving(record, session.deployment.has_turns()));
    if state.live.is_none() && want.source == DeploySource::Release(String::new()) {
        // Whether the router is in order does not matter: there is nothing to ask it for.
        let nothing =
            Trouble::new("release/no-previous", "nothing was deployed yet, so there is no earlier release")
                .hint("`cutover deploy` puts the first one live");
        return Err((nothing, live));
    }
    let checked = async {
        let seen = observe_what_answers(session, state.live.as_ref(), before(want, &state)).await;
        let (observed, staged, silent) = match seen {
            // What the host lacks says more than the question that it has no answer to.
            Err(trouble) if trouble.code == "host/failed" => {
                let color = idle_of(&session.deployment, state.live.as_ref());
                let ahead = Ahead { builds: want.source.is_built(), stages: true, color };
                let lacking = host_obstacles(session, ahead).await;
                return Err(if lacking.is_empty() { trouble } else { first_of(lacking) });
            }
            seen => seen?,
        };
        let source = artifact::resolve(session, want, &state, &staged).await?;
        Ok((observed, staged, silent, source))
    };
    let (observed, staged, silent, source) = checked.await.map_err(|trouble| (trouble, live))?;
    let asks_front_doors = silent.is_none();
    let turns = session.deployment.has_turns();
    let (silent, obstacles) = silent.map(|silent| (silent.router, silent.trouble)).unzip();
    let obstacles = obstacles.into_iter().collect();
    let mut ready = Ready { state, observed, staged, source, obstacles, silent, turns };
    match &ready.state.live {
        None => ready.source.notes.extend(no_way_back(session).await),
        Some(record) if want.command == "rollback" && session.deployment.application.migrate.is_some() => {
            let number = record.live.release.number;
            let text = format!("a rollback migrates nothing: what release {number} migrated stays");
            ready.source.notes.push(Note::new("note", text));
        }
        Some(_) => {}
    }
    let wanted = Maintenance::of(want.command);
    ready.source.notes.extend(exclusion::note(&session.deployment).filter(|_| wanted.is_none()));
    if ready.state.live.as_ref().is_some_and(|record| record.maintenance.is_some()) && wanted.is_none() {
        let text = "in maintenance: what is deployed gets no requests until `cutover maintenance off`";
        ready.source.notes.push(Note::new("note", text));
    }
    // A plan that can't be made costs no build.
    let release = ready.source.release(&ready.state, &ready.staged, session.reporter.now());
    let recorded = ready.state.live.as_ref().filter(|_| want.source.is_built() && !want.adopt);
    if let Some(trouble) = recorded.and_then(|record| another_repository(&record.live.release, &release)) {
        return Err((trouble, ready.traffic()));
    }
    let is_staged = matches!(ready.source.what, artifact::What::Staged(_));
    let wish = wish(want, "", release, is_staged, session);
    if wish.reuse_warm {
        let live = ready.state.live.as_ref();
        let unfit = look_at_warm(
            session,
            live,
            idle_of(&session.deployment, live),
            &mut ready.observed,
            &wish.release,
        )
        .await;
        ready.source.notes.extend(unfit);
    }
    let plan = Plan::new(&session.deployment, &wish, &ready.observed)
        .map_err(|refusal| (since(refused(&refusal, &wish), &ready.state, wish.now), ready.traffic()))?;
    if let Some(wanted) = wanted {
        if wanted == Maintenance::On {
            ready.obstacles.extend(maintenance_obstacle(&session.deployment, &session.hooks).await);
        }
        return Ok(ready);
    }
    match still_open(session, &plan, &ready.observed, ready.state.live.as_ref()).await {
        Some(StillOpen::Kept(trouble)) => ready.obstacles.push(trouble),
        Some(StillOpen::Cut(note)) => ready.source.notes.push(note),
        None => {}
    }
    if want.command == "rollback" {
        ready.source.notes.extend(launch_notes(session, &plan).await);
    }
    // A rollback starts a release in the environment that it has.
    if want.command == "deploy" {
        let faults = session.secrets.faults(session.deployment.environments_secrets(), may_run).await;
        ready.obstacles.extend(faults.iter().map(secret_trouble));
    }
    // A rollback moves all at once, where there are shares.
    if plan.shares().next().is_some() || session.deployment.pipeline.strategy.batch().is_some() {
        ready.obstacles.extend(feature_obstacle(&session.deployment, &session.hooks).await);
    }
    let ahead = Ahead { builds: want.source.is_built(), stages: !is_staged, color: plan.color };
    ready.obstacles.extend(host_obstacles(session, ahead).await);
    // In maintenance they show nothing that is live.
    if asks_front_doors && plan.target().is_some() {
        let live = ready.state.live.as_ref();
        let (notes, troubles) = front_door_obstacles(session, &plan, live, &ready.staged).await;
        ready.source.notes.extend(notes);
        ready.obstacles.extend(troubles);
    }
    Ok(ready)
}

/// That it is in maintenance already, with how long and by whose wish.
fn since(trouble: Trouble, state: &HomeState<Record>, now: Timestamp) -> Trouble {
    let since = state.live.as_ref().and_then(|record| record.maintenance);
    let Some(since) = since.filter(|_| trouble.code == SO_ALREADY) else { return trouble };
    let by = maintenance_begun(&state.history).map(|entry| format!(", by {}", entry.who)).unwrap_or_default();
    let message = format!("{}, for {}{by}", trouble.message, time_words(now.since(since)));
    Trouble { message, ..trouble }
}

/// A first deployment goes back by routing to no colour, which not every router can.
async fn no_way_back(session: &Session) -> Option<Note> {
    let features = router_features(&session.deployment, &session.hooks).await.ok()?;
    let text =
        "this router can't route to no colour: once switched, a failed first deployment keeps its traffic";
    (!features.iter().any(|feature| feature == MAINTENANCE)).then(|| Note::new("note", text))
}

/// Whether routers are to be moved: in maintenance, releases are put in place without that.
pub(crate) fn before(want: &Want, state: &HomeState<Record>) -> Before {
    let rests = state.live.as_ref().is_some_and(|record| record.maintenance.is_some());
    if rests && Maintenance::of(want.command).is_none() { Before::Else } else { Before::Switch }
}

/// What is wanted, once it is known which release that is.
pub(crate) fn wish(want: &Want, deployment: &str, release: Release, kept: bool, session: &Session) -> Wish {
    let now = session.reporter.now();
    Wish::new(want.command, deployment.to_owned(), release, want.adopt, now).of_kept(kept)
}
