//! Plans that move all routers to no colour, and back to the live one; and what a deployment does between the two.
//!
//! Nothing is done on an application host. The way back leads to what was observed, as that of a deployment does.

use super::{Live, Plan, Planner, Refusal, Stage, Wish, out, repeatable, stage};
use crate::model::{Action, Deployment, Maintenance, Observed, Routing, Step, WHOLE};

impl Plan {
    /// `rests`: no colour gets requests already.
    pub(super) fn of_maintenance(
        deployment: &Deployment,
        wish: &Wish,
        observed: &Observed,
        live: Live,
        rests: bool,
        wanted: Maintenance,
    ) -> Result<Self, Refusal> {
        let Some((color, id)) = live else { return Err(Refusal::NothingLive) };
        let title = || deployment.title();
        let (color, live) = match (wanted, rests) {
            (Maintenance::On, true) => return Err(Refusal::InMaintenance { title: title() }),
            (Maintenance::Off, false) => return Err(Refusal::NotInMaintenance { title: title() }),
            (Maintenance::On, false) => (color.other(), Some((color, id))),
            (Maintenance::Off, true) => (color, None),
        };
        // Whoever is out would be let in with the others at the end of it, with whatever runs there.
        if wanted == Maintenance::On && deployment.has_turns() {
            out(deployment, None, observed, false)?;
        }
        let hosts = Vec::new();
        let (id, out) = (&wish.release.id, Vec::new());
        let planner = Planner { deployment, wish, observed, color, hosts, id, rolls: None, out, rests };
        let (stages, retire) = match wanted {
            Maintenance::On => (planner.close(), planner.record_closed()),
            Maintenance::Off => (planner.open(), planner.record_open()),
        };
        Ok(Self {
            version: 1,
            deployment: wish.deployment.clone(),
            command: wish.command.clone(),
            release: wish.release.clone(),
            color,
            live,
            made: wish.now,
            excluded: Vec::new(),
            max_excluded: 0,
            stages,
            retire,
        })
    }
}

impl Planner<'_> {
    /// What keeps a deployment in maintenance from going on where someone has let requests in. The new colour is looked at last, also where
    /// the other look has to be repeated: it is the one that someone who overtakes the deployment lets in.
    pub(super) fn stay_closed(&self) -> [Stage; 2] {
        let look = |color| repeatable(Action::RequireUnrouted { color, hosts: Vec::new() }, Vec::new());
        [self.color.other(), self.color].map(|color| stage(Step::Switch, vec![look(color)]))
    }

    fn close(&self) -> Vec<Stage> {
        let mut stages = self.route_all(&Routing::none(), true, |index| self.undo_move(index, true));
        stages.push(stage(Step::Switch, vec![repeatable(Action::ProveClosed, Vec::new())]));
        stages
    }

    fn record_closed(&self) -> Vec<Stage> {
        let last = |action| vec![repeatable(action, Vec::new())];
        vec![
            stage(Step::Finish, last(Action::RecordMaintenance)),
            stage(Step::Drain, last(Action::Drain { color: self.color.other(), hosts: Vec::new() })),
        ]
    }

    fn open(&self) -> Vec<Stage> {
        let color = self.color;
        let healthy = repeatable(Action::RequireHealthy { color }, Vec::new());
        let mut stages = vec![stage(Step::Health, vec![healthy])];
        if planted!(OpenedUnchecked) {
            stages.clear();
        }
        stages.extend(self.route_all(&Routing::all_to(color), true, |index| self.undo_move(index, false)));
        let prove = Action::Prove { color, release: self.id.clone(), weight: WHOLE };
        stages.push(stage(Step::Switch, vec![repeatable(prove, Vec::new())]));
        stages
    }

    fn record_open(&self) -> Vec<Stage> {
        let record = Action::RecordLive { color: self.color, release: self.id.clone() };
        vec![stage(Step::Finish, vec![repeatable(record, Vec::new())])]
    }

    /// Nothing is stopped afterwards, so there is nothing to wait for.
    fn undo_move(&self, index: usize, replaces: bool) -> Vec<Action> {
        let mut undo = self.way_back(index, replaces);
        undo.retain(|action| !matches!(action, Action::Drain { .. }));
        undo
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Color, HostName, Name, Observation, ObservedHost, ObservedInstance, Release, ReleaseId, Timestamp,
    };

    fn names(text: &str) -> Vec<HostName> {
        text.split(' ').map(|name| Name::new(name).expect("a name")).collect()
    }

    fn id(text: &str) -> ReleaseId {
        ReleaseId::parse(text).expect("an identifier")
    }

    /// Two routers that show this.
    fn world(shown: [Option<Color>; 2], recorded: Option<Color>, maintenance: bool) -> Observed {
        let saw = |(router, color): (HostName, Option<Color>)| {
            let routing = Some(color.map_or_else(Routing::none, Routing::all_to));
            (router, Observation { routing, settled: true, labels: Vec::new() })
        };
        let runs = |release| ObservedInstance {
            link: Some(id(release)),
            running: true,
            release: Some(id(release)),
            fit: true,
        };
        let host = ObservedHost { blue: runs("r2"), green: runs("r1") };
        Observed {
            hosts: names("web1").into_iter().map(|name| (name, host.clone())).collect(),
            routers: names("lb1 lb2").into_iter().zip(shown).map(saw).collect(),
            recorded: recorded.map(|color| (color, id("r2"))),
            maintenance,
            ..Observed::default()
        }
    }

    fn planned(command: &str, release: &str, adopt: bool, observed: &Observed) -> Result<Plan, String> {
        let deployment = Deployment::for_tests(&names("web1"), &names("lb1 lb2"));
        let wish = Wish::new(command, "d1".into(), Release::for_tests(release, 3), adopt, Timestamp(5));
        let plan = Plan::new(&deployment, &wish, observed).map_err(|refusal| refusal.to_string())?;
        assert_eq!(plan.check_authority(&deployment), Ok(()), "{command} {observed:#?}");
        Ok(plan)
    }

    /// Each task, with its way back.
    fn told(plan: &Plan) -> Vec<String> {
        let say = |action: &Action| format!("{} on {}", action, action.place());
        let tasks = plan.tasks().map(|(_, task)| task);
        let there = tasks.map(|task| {
            let undo: Vec<String> = task.undo.iter().map(say).collect();
            let undo = if undo.is_empty() { String::new() } else { format!(" <- {}", undo.join(", ")) };
            format!("{}{undo}", say(&task.action))
        });
        let then = plan.retire_tasks().map(|(_, task)| say(&task.action));
        there.chain(["pivot".to_owned()]).chain(then).collect()
    }

    const BLUE: Option<Color> = Some(Color::Blue);

    #[test]
    fn it_begins_by_moving_every_router_to_no_color() {
        let plan = planned("maintenance on", "r2", false, &world([BLUE; 2], BLUE, false)).expect("a plan");
        assert_eq!(plan.target(), None);
        let back = "make sure that blue is healthy on blue, route blue 100 % on";
        assert_eq!(
            told(&plan),
            [
                "prepare no colour on lb1 <- drop what was prepared on lb1".to_owned(),
                "prepare no colour on lb2 <- drop what was prepared on lb2".to_owned(),
                format!("route no colour on lb1 <- {back} lb1, prove that blue answers on front door"),
                format!("route no colour on lb2 <- {back} lb2"),
                "prove that nobody gets to the application on front door".to_owned(),
                "pivot".to_owned(),
                "record that no colour gets requests on home".to_owned(),
                "drain blue on blue".to_owned(),
            ]
        );
    }

    #[test]
    fn it_ends_by_moving_them_to_what_is_live_and_healthy() {
        let plan = planned("maintenance off", "r2", false, &world([None; 2], BLUE, true)).expect("a plan");
        assert_eq!((plan.target(), plan.color, &plan.live), (BLUE, Color::Blue, &None));
        assert_eq!(
            told(&plan),
            [
                "make sure that blue is healthy on blue",
                "prepare blue 100 % on lb1 <- drop what was prepared on lb1",
                "prepare blue 100 % on lb2 <- drop what was prepared on lb2",
                "route blue 100 % on lb1 <- route no colour on lb1",
                "route blue 100 % on lb2 <- route no colour on lb2",
                "prove that blue answers on front door",
                "pivot",
                "record blue as live on home",
            ]
        );
    }

    #[test]
    fn a_deployment_in_maintenance_moves_nothing_and_makes_sure_that_nobody_did() {
        for command in ["deploy", "rollback"] {
            let plan = planned(command, "r3", false, &world([None; 2], BLUE, true)).expect("a plan");
            assert_eq!((plan.target(), plan.moves(), plan.color), (None, false, Color::Green));
            assert_eq!(plan.live, Some((Color::Blue, Some(id("r2")))));
            let told = told(&plan);
            assert!(
                !told.iter().any(|text| text.contains("route") && !text.contains("no router")),
                "{told:?}"
            );
            let pivot = told.iter().position(|text| text == "pivot").expect("a pivot");
            assert_eq!(
                told[pivot - 2..pivot],
                [
                    "make sure that no router points to blue on blue",
                    "make sure that no router points to green on green"
                ]
            );
        }
    }

    #[test]
    fn where_hosts_have_turns_all_of_them_are_in_when_it_begins() {
        let mut deployment = Deployment::for_tests(&names("web1 web2"), &names("lb1 lb2"));
        let mut observed = world([BLUE; 2], BLUE, false);
        observed.routers[1].1.routing = Some(Routing { out: names("web2"), ..Routing::all_to(Color::Blue) });
        let wish = |adopt| {
            Wish::new("maintenance on", "d1".into(), Release::for_tests("r2", 3), adopt, Timestamp(5))
        };
        let refused = |deployment: &Deployment, adopt| {
            Plan::new(deployment, &wish(adopt), &observed).err().map(|refusal| refusal.to_string())
        };
        assert_eq!(refused(&deployment, false), None);
        deployment.pipeline.strategy = crate::model::Strategy::Rolling { batch: 1 };
        let expected = Some("lb2 has web2 out: all hosts have to be in first".to_owned());
        assert_eq!([false, true].map(|adopt| refused(&deployment, adopt)), [expected.clone(), expected]);
    }

    #[test]
    fn every_world_has_its_plan_or_a_reason_why_there_is_none() {
        let mut said = Vec::new();
        let green = Some(Color::Green);
        for (shown, recorded) in [
            ([None; 2], None),
            ([BLUE; 2], BLUE),
            ([None; 2], BLUE),
            ([green; 2], BLUE),
            ([BLUE, None], BLUE),
        ] {
            for maintenance in [false, true] {
                if maintenance && recorded.is_none() {
                    continue;
                }
                let observed = world(shown, recorded, maintenance);
                let name = |color: Option<Color>| color.map_or("-", Color::as_str);
                let state = if maintenance { " maintenance" } else { "" };
                said.push(format!(
                    "{} {}, recorded {}{state}",
                    name(shown[0]),
                    name(shown[1]),
                    name(recorded)
                ));
                for (command, release) in
                    [("maintenance on", "r2"), ("maintenance off", "r2"), ("deploy", "r3")]
                {
                    let found = planned(command, release, false, &observed);
                    let words = found.map(|plan| format!("ends with {}", name(plan.target())));
                    said.push(format!("  {command}: {}", words.unwrap_or_else(|refusal| refusal)));
                }
            }
        }
        let expected = "\
- -, recorded -
  maintenance on: nothing was deployed yet, so there is nothing to keep requests from
  maintenance off: nothing was deployed yet, so there is nothing to keep requests from
  deploy: ends with blue
blue blue, recorded blue
  maintenance on: ends with -
  maintenance off: shop is not in maintenance
  deploy: ends with green
blue blue, recorded blue maintenance
  maintenance on: the router shows blue, the record says no colour, for maintenance
  maintenance off: the router shows blue, the record says no colour, for maintenance
  deploy: the router shows blue, the record says no colour, for maintenance
- -, recorded blue
  maintenance on: the router shows no colour, the record says blue
  maintenance off: the router shows no colour, the record says blue
  deploy: the router shows no colour, the record says blue
- -, recorded blue maintenance
  maintenance on: shop is in maintenance already
  maintenance off: ends with blue
  deploy: ends with -
green green, recorded blue
  maintenance on: the router shows green, the record says blue
  maintenance off: the router shows green, the record says blue
  deploy: the router shows green, the record says blue
green green, recorded blue maintenance
  maintenance on: the router shows green, the record says no colour, for maintenance
  maintenance off: the router shows green, the record says no colour, for maintenance
  deploy: the router shows green, the record says no colour, for maintenance
blue -, recorded blue
  maintenance on: the routers disagree: lb1: blue 100 %; lb2: no colour
  maintenance off: the routers disagree: lb1: blue 100 %; lb2: no colour
  deploy: the routers disagree: lb1: blue 100 %; lb2: no colour
blue -, recorded blue maintenance
  maintenance on: the routers disagree: lb1: blue 100 %; lb2: no colour
  maintenance off: the routers disagree: lb1: blue 100 %; lb2: no colour
  deploy: the routers disagree: lb1: blue 100 %; lb2: no colour";
        assert_eq!(said.join("\n"), expected);
        // Who takes the router's word for it deploys as if there were no maintenance.
        let moved = planned("deploy", "r3", true, &world([BLUE; 2], BLUE, true)).expect("a plan");
        assert_eq!((moved.target(), &moved.live), (Some(Color::Green), &Some((Color::Blue, Some(id("r2"))))));
    }
}
