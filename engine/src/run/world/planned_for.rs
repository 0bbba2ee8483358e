//! Whether a router shows what a plan expects there, so that moving it overrules nobody. Pure.

use crate::model::{Action, HostName, Plan, Routing};

/// Whether a router shows what this run moved it to, or is about to. One that this run has not moved yet may show what the plan moves it away
/// from, or any share that an earlier run of it may have come to.
pub(crate) fn is_planned_for(
    plan: &Plan,
    router: &HostName,
    want: &Routing,
    shown: Option<&Routing>,
    moved: Option<&Routing>,
) -> bool {
    if planted!(EditOverruled) {
        return true;
    }
    let nothing = Routing::none();
    let shown = shown.unwrap_or(&nothing);
    if let Some(moved) = moved {
        return shown == want || shown == moved;
    }
    let moves = |action: &Action| matches!(action, Action::Switch { router: of, .. } if of == router);
    let tasks = plan.tasks().map(|(_, task)| task).filter(|task| moves(&task.action));
    let (mut back, mut shares) = (None, Vec::new());
    for task in tasks {
        if plan.is_rolling() {
            // An earlier run may have come to any of its batches.
            shares.extend(routed(&task.action));
        }
        back = back.or_else(|| task.undo.iter().find_map(routed));
        shares.extend(
            routed(&task.action).filter(|routing| routing.share(plan.color) < want.share(plan.color)),
        );
    }
    shown == want || Some(shown) == back || shares.contains(&shown)
}

const fn routed(action: &Action) -> Option<&Routing> {
    if let Action::Switch { want, .. } = action { Some(want) } else { None }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{
        CanaryStep, Color, Deployment, Name, Observation, Observed, Release, ReleaseId, Strategy, Timestamp,
        Wish,
    };

    /// A rule, and whether it holds.
    type Rule = (&'static str, bool);

    fn of_shares() -> [Rule; 9] {
        let name = |text: &str| Name::new(text).expect("a name");
        let mut deployment = Deployment::for_tests(&[name("web1")], &[name("lb1")]);
        let step = |weight| CanaryStep { weight, watch: Duration::from_secs(60) };
        deployment.pipeline.strategy = Strategy::Canary([5, 50].map(step).into());
        let seen =
            Observation { routing: Some(Routing::all_to(Color::Blue)), settled: true, labels: Vec::new() };
        let observed = Observed {
            routers: vec![(name("lb1"), seen)],
            recorded: Some((Color::Blue, ReleaseId::parse("r42").expect("an identifier"))),
            ..Observed::default()
        };
        let wish = Wish::new("deploy", "d1".into(), Release::for_tests("r43", 43), false, Timestamp(5));
        let plan = Plan::new(&deployment, &wish, &observed).expect("a plan");
        let green = |weight| Routing::shared(Color::Green, weight);
        let fits = |want: u32, shown: u32, moved: Option<u32>| {
            let (shown, moved) = (green(shown), moved.map(green));
            is_planned_for(&plan, &name("lb1"), &green(want), Some(&shown), moved.as_ref())
        };
        [
            ("it is where this run moved it", fits(50, 5, Some(5))),
            ("it is where it is to go", fits(50, 50, Some(5))),
            ("someone has put all of it back", !fits(50, 0, Some(5))),
            ("someone has given it another share", !fits(50, 33, Some(5))),
            ("someone has given it all", !fits(50, 100, Some(5))),
            // In a run that goes on with another one's deployment.
            (
                "the run before may have come to any share",
                [0, 5, 50].iter().all(|shown| fits(50, *shown, None)),
            ),
            ("the run before has come to no other share", !fits(50, 33, None)),
            ("the run before has not come so far", !fits(50, 100, None)),
            ("nothing is taken from the new colour", !fits(5, 50, None)),
        ]
    }

    fn of_all() -> [Rule; 7] {
        let name = |text: &str| Name::new(text).expect("a name");
        let deployment = Deployment::for_tests(&[name("web1")], &[name("lb1"), name("lb2")]);
        let plan = |routing: Option<Routing>| {
            let recorded =
                routing.clone().map(|_| (Color::Blue, ReleaseId::parse("r42").expect("an identifier")));
            let saw = |router| {
                (name(router), Observation { routing: routing.clone(), settled: true, labels: Vec::new() })
            };
            let observed =
                Observed { routers: ["lb1", "lb2"].map(saw).into(), recorded, ..Observed::default() };
            let release = Release::new(ReleaseId::parse("r43").expect("an identifier"), 43, Timestamp(0));
            let wish = Wish::new("deploy", "d1".into(), release, false, Timestamp(5));
            Plan::new(&deployment, &wish, &observed).expect("a plan")
        };
        let [blue, green] = Color::ALL.map(Routing::all_to);
        let fits = |plan: &Plan, want, shown: Option<&Routing>| {
            is_planned_for(plan, &name("lb2"), want, shown, None)
        };
        let (first, second) = (plan(None), plan(Some(blue.clone())));
        [
            ("it is as it was planned for", fits(&second, &green, Some(&blue))),
            ("it was moved, and the answer was lost", fits(&second, &green, Some(&green))),
            ("someone has closed it", !fits(&second, &green, Some(&Routing::none()))),
            ("another application's change has taken it away", !fits(&second, &green, None)),
            ("it knew nothing", fits(&first, &blue, None)),
            ("it knew nobody", fits(&first, &blue, Some(&Routing::none()))),
            ("it knew nothing, and has another colour by now", !fits(&first, &blue, Some(&green))),
        ]
    }

    /// The first rule that does not hold.
    pub(crate) fn broken() -> Option<String> {
        let mut rules = of_shares().into_iter().chain(of_all());
        rules.find(|(_, holds)| !holds).map(|(rule, _)| rule.to_owned())
    }

    #[test]
    fn a_router_that_someone_moved_is_not_what_was_planned_for() {
        assert_eq!(broken(), None);
    }
}
