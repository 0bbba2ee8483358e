//! What the planner makes is believed, and nothing else.

use super::*;
use crate::model::{Name, Release, Stage, Step, TaskId, Timestamp};

fn name(text: &str) -> HostName {
    Name::new(text).expect("a name")
}

fn id(text: &str) -> ReleaseId {
    ReleaseId::parse(text).expect("an identifier")
}

fn deployment() -> Deployment {
    let mut deployment = Deployment::for_tests(&[name("web1"), name("web2")], &[name("lb1"), name("lb2")]);
    let hook = deployment.health_check.hook.clone();
    deployment.smoke_tests = vec![SmokeTest { name: name("checkout"), hook, per_instance: false }];
    deployment
}

fn release(text: &str) -> Release {
    Release::for_tests(text, 3)
}

/// Blue runs `r2` and is live; green is as given on each host.
fn second(green: &[(&str, ObservedInstance)]) -> Observed {
    let blue = ObservedInstance { link: Some(id("r2")), running: true, release: Some(id("r2")), fit: true };
    let host = |(host, green): &(&str, ObservedInstance)| {
        (name(host), ObservedHost { blue: blue.clone(), green: green.clone() })
    };
    let shown =
        Observation { routing: Some(Routing::all_to(Color::Blue)), settled: true, labels: Vec::new() };
    Observed {
        hosts: green.iter().map(host).collect(),
        routers: vec![(name("lb1"), shown.clone()), (name("lb2"), shown)],
        recorded: Some((Color::Blue, id("r2"))),
        ..Observed::default()
    }
}

fn plan(command: &str, wanted: &str, observed: &Observed) -> Plan {
    let wish = Wish::new(command, "d1".into(), release(wanted), true, Timestamp(5));
    Plan::new(&deployment(), &wish, observed).expect("a plan can be made")
}

fn deploy() -> Plan {
    plan("deploy", "r3", &second(&[("web1", warm("r1")), ("web2", ObservedInstance::default())]))
}

fn warm(release: &str) -> ObservedInstance {
    ObservedInstance { link: Some(id(release)), running: true, release: Some(id(release)), fit: true }
}

#[test]
fn whatever_the_world_was_its_plan_is_believed() {
    let nothing = ObservedInstance::default();
    let linked = ObservedInstance { link: Some(id("r1")), ..nothing.clone() };
    let unlinked = ObservedInstance { link: None, ..warm("r1") };
    let other = ObservedInstance { release: Some(id("r0")), ..warm("r1") };
    let quiet = ObservedInstance { release: None, ..warm("r1") };
    let unfit = ObservedInstance { fit: false, ..warm("r1") };
    let instances = [nothing, linked, unlinked, other, quiet, unfit, warm("r1")];
    let mut believed = 0;
    for one in &instances {
        for two in &instances {
            let usual = second(&[("web1", one.clone()), ("web2", two.clone())]);
            let mut adopted = usual.clone();
            adopted.recorded = Some((Color::Green, id("r1")));
            let mut unrecorded = usual.clone();
            unrecorded.recorded = None;
            let mut reduced = usual.clone();
            for (_, seen) in &mut reduced.routers {
                seen.routing = Some(Routing { out: vec![name("web2")], ..Routing::all_to(Color::Blue) });
            }
            let mut first = unrecorded.clone();
            first.routers.iter_mut().for_each(|(_, seen)| seen.routing = None);
            let mut unlike = unrecorded.clone();
            unlike.hosts.values_mut().next().expect("a host").blue.link = None;
            for observed in [usual, adopted, unrecorded, reduced, first, unlike] {
                for (command, kept) in [("deploy", false), ("deploy", true), ("rollback", true)] {
                    let wish = Wish::new(command, "d1".into(), release("r1"), true, Timestamp(5));
                    let plan = Plan::new(&deployment(), &wish.of_kept(kept), &observed).expect("a plan");
                    assert_eq!(plan.check_authority(&deployment()), Ok(()), "{command} {observed:#?}");
                    believed += 1;
                }
            }
        }
    }
    assert_eq!(believed, 882);
}

/// Green gets so many percent one after the other, then all.
fn sharing(weights: &[u32]) -> Deployment {
    let step = |weight: &u32| CanaryStep { weight: *weight, watch: Duration::from_secs(9) };
    let mut deployment = deployment();
    deployment.pipeline.strategy = Strategy::Canary(weights.iter().map(step).collect());
    deployment
}

#[test]
fn only_the_shares_of_this_configuration_are_believed() {
    let observed = second(&[("web1", warm("r1")), ("web2", ObservedInstance::default())]);
    let plan = |deployment: &Deployment, command| {
        let wish = Wish::new(command, "d1".into(), release("r3"), true, Timestamp(5));
        Plan::new(deployment, &wish, &observed).expect("a plan can be made")
    };
    let planned = plan(&sharing(&[5, 50]), "deploy");
    assert_eq!(planned.shares().collect::<Vec<_>>(), [5, 50]);
    assert_eq!(planned.check_authority(&sharing(&[5, 50])), Ok(()));
    let mut longer = sharing(&[5, 50]);
    longer.pipeline.strategy =
        Strategy::Canary([5, 50].map(|weight| CanaryStep { weight, watch: Duration::from_hours(9) }).into());
    assert_eq!(planned.check_authority(&longer), Ok(()), "how long it is watched is no part of a plan");
    let refusal = |plan: &Plan, deployment: &Deployment| {
        plan.check_authority(deployment).expect_err("it was believed").to_string()
    };
    assert_eq!(refusal(&planned, &deployment()), "it would prepare blue 95 %, green 5 % on `lb1`");
    assert_eq!(refusal(&planned, &sharing(&[5, 60])), "it would prepare blue 50 %, green 50 % on `lb1`");
    assert_eq!(
        refusal(&plan(&deployment(), "deploy"), &sharing(&[5])),
        "it leaves out to prepare blue 95 %, green 5 % on `lb1`"
    );
    // Back it may go all the same, and no further.
    for now in [deployment(), sharing(&[5, 60]), sharing(&[20])] {
        let departure = Departure { key: "pipeline.strategy", part: Part::Stages };
        assert_eq!(planned.departures(&now), Ok(vec![departure]));
    }
    let mut forged = planned.clone();
    for stage in &mut forged.stages {
        for task in &mut stage.tasks {
            if let Action::Watch { weight: weight @ 50, .. } = &mut task.action {
                *weight = 4;
            }
        }
    }
    assert_eq!(
        forged.departures(&sharing(&[5, 50])).expect_err("it was believed").to_string(),
        "it would watch green at 4 % on `green 4 %`"
    );
    // A rollback, and what replaces nothing, gets all at once.
    assert_eq!(plan(&sharing(&[5, 50]), "rollback").shares().count(), 0);
    let mut nothing = observed.clone();
    nothing.recorded = None;
    nothing.routers.iter_mut().for_each(|(_, seen)| seen.routing = None);
    let wish = Wish::new("deploy", "d1".into(), release("r3"), true, Timestamp(5));
    assert_eq!(Plan::new(&sharing(&[5, 50]), &wish, &nothing).expect("a plan").shares().count(), 0);
}

/// Puts something into a plan that its planner would not, and tells how it is refused.
fn forged(forge: impl FnOnce(&mut Plan)) -> String {
    let mut plan = deploy();
    forge(&mut plan);
    plan.check_authority(&deployment()).expect_err("a forged plan was believed").to_string()
}

fn stages(plan: &mut Plan, step: Step) -> impl Iterator<Item = &mut Stage> {
    plan.stages.iter_mut().filter(move |stage| stage.step == step)
}

fn task(action: Action) -> Task {
    Task { action, class: crate::model::Class::Repeatable, undo: Vec::new() }
}

#[test]
fn places_that_are_not_ours_are_refused() {
    let table = [
        (Action::Prune { host: name("db1") }, "it would prune old releases on `db1`"),
        (Action::Stop { host: name("lb1"), color: Color::Green }, "it would stop green on `lb1`"),
        (
            Action::Switch { router: name("edge"), want: Routing::all_to(Color::Green) },
            "it would route green 100 % on `edge`",
        ),
        (
            Action::Smoke { test: name("evil"), color: Color::Green, release: id("r3"), hosts: Vec::new() },
            "it would smoke test evil against green on `evil`",
        ),
        (
            Action::Start { host: name("web1"), color: Color::Green, release: id("other") },
            "it would start green from other on `web1`",
        ),
    ];
    for (action, refusal) in table {
        let as_task = forged(|plan| plan.stages[0].tasks.push(task(action.clone())));
        assert_eq!(as_task, refusal);
        let as_undo = forged(|plan| plan.stages[0].tasks[0].undo.push(action.clone()));
        assert_eq!(as_undo, refusal);
        let after_the_pivot = forged(|plan| plan.retire[0].tasks.push(task(action)));
        assert_eq!(after_the_pivot, refusal);
    }
}

#[test]
fn shapes_that_no_planner_makes_are_refused() {
    let stop_live = || Action::Stop { host: name("web1"), color: Color::Blue };
    let other_shape = "it does things in another order, or goes back another way";
    type Forge = Box<dyn FnOnce(&mut Plan)>;
    let table: Vec<(&str, Forge, &str)> = vec![
        (
            "the live colour is stopped on the way back",
            Box::new(move |plan| plan.stages[0].tasks[0].undo = vec![stop_live()]),
            "it would stop blue on `web1`",
        ),
        (
            "the live colour is stopped after the pivot, although it is kept warm",
            Box::new(move |plan| {
                plan.retire.push(Stage { step: Step::Retire, tasks: vec![task(stop_live())] });
            }),
            "it would stop blue on `web1`",
        ),
        (
            "no health is waited for",
            Box::new(|plan| plan.stages.retain(|stage| stage.step != Step::Health)),
            "it leaves out to wait until green is healthy on `web1`",
        ),
        (
            "health is waited for on one host alone",
            Box::new(|plan| stages(plan, Step::Health).for_each(|stage| drop(stage.tasks.pop()))),
            "it leaves out to wait until green is healthy on `web2`",
        ),
        (
            "health comes after the switch",
            Box::new(|plan| {
                let health = plan.stages.iter().position(|stage| stage.step == Step::Health).expect("one");
                let stage = plan.stages.remove(health);
                plan.stages.push(stage);
            }),
            other_shape,
        ),
        ("a stage comes twice", Box::new(|plan| plan.stages.insert(1, plan.stages[0].clone())), other_shape),
        (
            "a stage bears the name of another step",
            Box::new(|plan| plan.stages[0].step = Step::Watch),
            other_shape,
        ),
        (
            "the watch is left out",
            Box::new(|plan| plan.stages.retain(|stage| stage.step != Step::Watch)),
            "it leaves out to watch green on `green`",
        ),
        (
            "nothing is done at all",
            Box::new(|plan| plan.stages.clear()),
            "it leaves out to bring release r3 on `web1`",
        ),
        (
            "it moves nothing, as in maintenance, and does not look whether anything has the traffic",
            Box::new(|plan| plan.stages.retain(|stage| !matches!(stage.step, Step::Switch | Step::Watch))),
            "it leaves out to enable green at boot on `web1`",
        ),
        (
            "the way back does not ask whether the old colour is healthy",
            Box::new(|plan| {
                stages(plan, Step::Switch)
                    .flat_map(|stage| &mut stage.tasks)
                    .for_each(|task| task.undo.retain(|undo| !matches!(undo, Action::RequireHealthy { .. })));
            }),
            "it leaves out to make sure that blue is healthy on `blue`",
        ),
        (
            "the way back goes to the new colour",
            Box::new(|plan| {
                for undo in stages(plan, Step::Switch)
                    .flat_map(|stage| &mut stage.tasks)
                    .flat_map(|task| &mut task.undo)
                {
                    if let Action::Switch { want, .. } = undo {
                        *want = Routing::all_to(Color::Green);
                    }
                }
            }),
            "it would write the environment of green on `web1`",
        ),
        (
            "the way back of one router goes elsewhere",
            Box::new(|plan| {
                let undo = stages(plan, Step::Switch).flat_map(|stage| &mut stage.tasks);
                let mut undo = undo.flat_map(|task| &mut task.undo);
                let want = undo
                    .find_map(|undo| if let Action::Switch { want, .. } = undo { Some(want) } else { None });
                *want.expect("one") = Routing::none();
            }),
            "no plan is made where the routers disagree: lb1: no colour; lb2: blue 100 %",
        ),
        (
            "shares that make no sense",
            Box::new(|plan| {
                for undo in
                    plan.stages.iter_mut().flat_map(|stage| &mut stage.tasks).flat_map(|task| &mut task.undo)
                {
                    if let Action::Switch { want, .. } = undo {
                        want.green = 4_000_000_000;
                    }
                }
            }),
            "no router shows `blue 100 %`",
        ),
        (
            "a host is taken out that is not ours",
            Box::new(|plan| {
                for undo in
                    plan.stages.iter_mut().flat_map(|stage| &mut stage.tasks).flat_map(|task| &mut task.undo)
                {
                    if let Action::Switch { want, .. } = undo {
                        want.out.push(name("db1"));
                    }
                }
            }),
            "no router shows `blue 100 %, out: db1`",
        ),
        (
            "the migration may run twice",
            Box::new(|plan| {
                stages(plan, Step::Migrate)
                    .for_each(|stage| stage.tasks[0].class = crate::model::Class::Repeatable);
            }),
            other_shape,
        ),
        (
            "the live colour is filled",
            Box::new(|plan| plan.color = Color::Blue),
            "it would start green from r1 on `web1`",
        ),
        (
            "the live release is deployed again",
            Box::new(|plan| plan.release = release("r2")),
            "no plan is made where release 3 is live already, on blue",
        ),
        ("another format", Box::new(|plan| plan.version = 2), other_shape),
        (
            "a command that makes no plan",
            Box::new(|plan| plan.command = "exec".into()),
            "`exec` is no command that makes a plan",
        ),
        (
            "a rollback that migrates",
            Box::new(|plan| plan.command = "rollback".into()),
            "it would migrate on `web1`",
        ),
        (
            "something else is recorded as live",
            Box::new(|plan| {
                plan.retire[0].tasks[0].action = Action::RecordLive { color: Color::Blue, release: id("r3") };
            }),
            "it would record blue as live on `home`",
        ),
    ];
    for (what, forge, refusal) in table {
        assert_eq!(forged(forge), refusal, "{what}");
    }
}

#[test]
fn every_single_task_and_undo_counts() {
    let whole = deploy();
    let ids: Vec<TaskId> = whole.tasks().chain(whole.retire_tasks()).map(|(id, _)| id).collect();
    assert!(ids.len() > 20);
    for id in ids {
        let stages = |plan: &mut Plan| match id.part {
            Part::Stages => std::mem::take(&mut plan.stages),
            Part::Retire => std::mem::take(&mut plan.retire),
        };
        let put = |mut stages: Vec<Stage>, forge: &dyn Fn(&mut Stage)| {
            forge(&mut stages[id.stage]);
            stages
        };
        let removes_task: &dyn Fn(&mut Stage) = &|stage| drop(stage.tasks.remove(id.task));
        let doubles_task: &dyn Fn(&mut Stage) = &|stage| stage.tasks.push(stage.tasks[id.task].clone());
        let stops_live: &dyn Fn(&mut Stage) = &|stage| {
            stage.tasks[id.task].undo.push(Action::Stop { host: name("web1"), color: Color::Blue });
        };
        for forge in [removes_task, doubles_task, stops_live] {
            let mut plan = whole.clone();
            let forged = put(stages(&mut plan), forge);
            match id.part {
                Part::Stages => plan.stages = forged,
                Part::Retire => plan.retire = forged,
            }
            assert!(plan.check_authority(&deployment()).is_err(), "{id:?}");
        }
    }
}

#[test]
fn the_configuration_of_the_hour_decides() {
    let plan = deploy();
    let refused = |change: &dyn Fn(&mut Deployment)| {
        let mut deployment = deployment();
        change(&mut deployment);
        plan.check_authority(&deployment).expect_err("believed").to_string()
    };
    assert_eq!(
        refused(&|deployment| drop(deployment.application.hosts.pop())),
        "it would bring release r3 on `web2`"
    );
    assert_eq!(
        refused(&|deployment| deployment.smoke_tests.clear()),
        "it would smoke test checkout against green on `checkout`"
    );
    assert_eq!(refused(&|deployment| deployment.application.migrate = None), "it would migrate on `web1`");
    assert_eq!(
        refused(&|deployment| deployment.pipeline.retire = Retire::Stop),
        "it leaves out to make sure that no router points to blue on `blue`"
    );
    assert_eq!(
        refused(&|deployment| deployment.pipeline.connections = ConnectionPolicy::Cut),
        "it leaves out to make sure that no router points to blue on `blue`"
    );
}

#[test]
fn what_only_going_forward_needs_may_depart() {
    let departed = |plan: &Plan, change: &dyn Fn(&mut Deployment)| {
        let mut deployment = deployment();
        change(&mut deployment);
        let departures = plan.departures(&deployment);
        departures.map(|found| found.into_iter().map(|found| (found.key, found.part)).collect::<Vec<_>>())
    };
    let plan = deploy();
    let another = |deployment: &mut Deployment| {
        let mut test = deployment.smoke_tests[0].clone();
        test.name = name("other");
        deployment.smoke_tests.push(test);
    };
    assert_eq!(departed(&plan, &|_| {}), Ok(vec![]));
    assert_eq!(departed(&plan, &another), Ok(vec![("smoke-test", Part::Stages)]));
    assert_eq!(
        departed(&plan, &|deployment| {
            deployment.smoke_tests.clear();
            deployment.application.migrate = None;
        }),
        Ok(vec![("smoke-test", Part::Stages), ("app.migrate", Part::Stages)])
    );
    assert_eq!(
        departed(&plan, &|deployment| deployment.pipeline.retire = Retire::Stop),
        Ok(vec![("pipeline.retire", Part::Retire)])
    );
    assert_eq!(
        departed(&plan, &|deployment| deployment.pipeline.connections = ConnectionPolicy::Cap),
        Ok(vec![("pipeline.drain", Part::Retire)])
    );
    let mut stopping = deployment();
    stopping.pipeline.retire = Retire::Stop;
    let wish = Wish::new("deploy", "d1".into(), release("r3"), true, Timestamp(5));
    let stops = Plan::new(&stopping, &wish, &second(&[])).expect("a plan can be made");
    assert_eq!(
        departed(&stops, &|_| {}),
        Ok(vec![("pipeline.retire", Part::Retire), ("pipeline.drain", Part::Retire)])
    );
    // A rollback never migrates, so it does not depart where the configuration does.
    let back = self::plan("rollback", "r1", &second(&[("web1", warm("r1"))]));
    assert_eq!(departed(&back, &|deployment| deployment.application.migrate = None), Ok(vec![]));
}

#[test]
fn nothing_else_hides_behind_a_departure() {
    for forge in [
        |plan: &mut Plan| plan.stages[0].tasks[0].undo.push(Action::Prune { host: name("db1") }),
        |plan: &mut Plan| {
            stages(plan, Step::Smoke).for_each(|stage| {
                stage.tasks[0].undo.push(Action::Stop { host: name("web1"), color: Color::Blue });
            });
        },
        |plan: &mut Plan| plan.stages.retain(|stage| stage.step != Step::Health),
        |plan: &mut Plan| {
            plan.retire
                .push(Stage { step: Step::Retire, tasks: vec![task(Action::Prune { host: name("db1") })] });
        },
    ] {
        let mut plan = deploy();
        forge(&mut plan);
        let mut changed = deployment();
        changed.smoke_tests.clear();
        for deployment in [deployment(), changed] {
            let overreach = plan.departures(&deployment).expect_err("believed");
            assert_eq!(Err(overreach), plan.check_authority(&deployment));
        }
    }
}

#[test]
fn a_journal_leaves_out_no_more_than_the_configuration_lets_it() {
    let allowing = |bound| {
        let mut deployment = deployment();
        deployment.pipeline.max_excluded = bound;
        deployment
    };
    let (none, one) = (deployment(), allowing(MaxExcluded::Hosts(1)));
    let world = Observed { unreachable: [name("web2")].into(), ..second(&[("web1", warm("r1"))]) };
    let wish = Wish::new("deploy", "d1".into(), release("r3"), true, Timestamp(5));
    let said = |plan: &Plan, deployment: &Deployment| {
        plan.departures(deployment).map_err(|overreach| overreach.to_string())
    };
    let without = Plan::new(&one, &wish, &world).expect("one may be left out");
    assert_eq!(without.excluded, [name("web2")]);
    assert_eq!(said(&without, &one), Ok(Vec::new()));
    let beyond =
        "no plan is made where web2 can't be reached, and `pipeline.max-excluded` lets 0 be left out";
    assert_eq!(said(&without, &none), Err(beyond.to_owned()));
    assert_eq!(Plan::new(&none, &wish, &world).map_err(|refusal| refusal.to_string()).err().as_deref(), {
        Some("web2 can't be reached, and `pipeline.max-excluded` lets 0 be left out")
    });

    let forge = |forge: fn(&mut Plan)| {
        let mut plan = without.clone();
        forge(&mut plan);
        said(&plan, &one).expect_err("it was forged")
    };
    let shape = "it does things in another order, or goes back another way";
    assert_eq!(forge(|plan| plan.max_excluded = 2), shape);
    let stranger = "it leaves out `db1`, which is no host of the application";
    assert_eq!(forge(|plan| plan.excluded = vec![name("db1")]), stranger);
    let whole = "it leaves out to bring release r3 on `web2`";
    assert_eq!(forge(|plan| plan.excluded.clear()), whole);

    // Where more may be left out than when it was begun, it goes back as it is.
    let departure = Departure { key: "pipeline.max-excluded", part: Part::Stages };
    assert_eq!(said(&deploy(), &one), Ok(vec![departure]));
}
