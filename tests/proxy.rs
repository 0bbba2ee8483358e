//! cutover's own proxy as the router: deployments, shares, several applications, and what can be wrong with it.

use std::fs;

use test_support::{Behaviour, CutoverProxy, Load, Test, assert_golden};

use crate::haproxy::deploy_under;
use crate::{local, told};

/// A world behind the proxy, set up by what `cutover setup` prints.
pub(crate) struct World {
    pub(crate) proxy: CutoverProxy,
    pub(crate) test: Test,
}

/// The proxy runs, and nothing is deployed.
pub(crate) fn behind_proxy(test: Option<Test>) -> Option<World> {
    let mut test = test?;
    let program = if test.hosts.is_empty() {
        test.program().to_owned()
    } else {
        // As a person brings it there.
        let place = "/srv/cutover-program";
        fs::copy(env!("CARGO_BIN_EXE_cutover"), test.router().outside(place)).unwrap();
        place.into()
    };
    let mut proxy = CutoverProxy::new(test.scratch(), test.router(), &program);
    test.route_by("builtin:proxy", &proxy.settings(), proxy.port());
    test.configure("[router]\n", "[router]\ntimeout = \"3s\"\n");
    test.set_up();
    proxy.start(test.router());
    Some(World { proxy, test })
}

/// The same with version `v1` live.
pub(crate) fn with_v1(test: Option<Test>) -> Option<World> {
    let world = behind_proxy(test)?;
    let _ = world.test.deploy("v1", Behaviour::Sound).expect(0);
    assert_eq!(world.test.live(), "v1 blue");
    Some(world)
}

#[test]
fn no_request_is_lost() {
    let Some(mut world) = with_v1(local()) else { return };
    let test = &world.test;
    let load = test.load();
    deploy_under(&load, test, "v2", "green");
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
    let _ = test.deploy("v3", Behaviour::FailsSmokeTest).expect(10);
    assert_eq!(test.live(), "v1 blue");
    deploy_under(&load, test, "v4", "green");
    let tally = load.finish();
    tally.assert_none_failed();
    assert!(tally.order.len() == 3, "{:?}", tally.order);
    assert_eq!(world.proxy.log(), "", "nothing went wrong on the way");

    // After a crash it goes on with what it had.
    world.proxy.crash();
    world.proxy.start(test.router());
    assert_eq!(test.live(), "v4 green");
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_canary_gets_its_share_and_a_sick_one_gets_none() {
    let Some(mut world) = with_v1(local()) else { return };
    let steps = "[{ weight = 10, watch = \"2s\" }, { weight = 50, watch = \"2s\" }]";
    world.test.configure("watch = \"2s\"", &format!("watch = \"2s\"\nstrategy = {{ canary = {steps} }}"));
    let test = &world.test;
    let load = Load::start_without_keep_alive(test.door());
    load.wait_for(20);
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v2 green");
    let _ = test.deploy("v3", Behaviour::SickAfterVisits(100)).expect(10);
    assert_eq!(test.live(), "v2 green");
    load.wait_for(50);
    let tally = load.finish();
    tally.assert_none_failed();
    assert_eq!(tally.order.len(), 3, "the new release got no request: {:?}", tally.order);
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

#[test]
fn a_proxy_that_does_not_run_or_is_none() {
    let Some(mut world) = behind_proxy(local()) else { return };
    let mut all = String::new();
    world.test.repository.push("v1", Behaviour::Sound);
    let mut refused = |world: &World| {
        let refused = world.test.cutover(&["deploy"]).expect(11);
        all.push_str(&told(&world.test, refused));
    };
    world.proxy.crash();
    refused(&world);
    let socket = world.proxy.directory().join("control.sock");
    fs::remove_file(&socket).unwrap();
    refused(&world);
    // Somebody else's socket, who says something else.
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let nonsense = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        for stream in listener.incoming().map_while(Result::ok) {
            let mut asked = String::new();
            let _ = (&stream).read_to_string(&mut asked);
            if asked.starts_with("end") || (&stream).write_all(b"hello\n").is_err() {
                return;
            }
        }
    });
    refused(&world);
    let _ = world.proxy.ask("end");
    nonsense.join().unwrap();
    assert_golden("proxy-refused.txt", &all);
    world.proxy.start(world.test.router());
    let _ = world.test.cutover(&["deploy"]).expect(0);
    assert_eq!(world.test.live(), "v1 blue");
}

#[test]
fn a_route_that_somebody_has_moved_by_hand() {
    let Some(world) = with_v1(local()) else { return };
    let test = &world.test;
    let shown: serde_json::Value = serde_json::from_str(&world.proxy.ask("show shop").unwrap()).unwrap();
    let mut route = shown["route"].clone();
    (route["blue"]["percent"], route["green"]["percent"]) = (0.into(), 0.into());
    let set = format!("set shop {} {route}", shown["version"]);
    assert_eq!(world.proxy.ask(&set).unwrap(), "{\"version\":2}\n");
    // Who knows the version before is not heard.
    let late = "{\"error\":\"the route of `shop` has version 2 by now, not 1\"}\n";
    assert_eq!(world.proxy.ask(&set).unwrap(), late);
    let page = test.front_door("/");
    assert_eq!((page.status, page.header("retry-after")), (503, "5"));
    let _ = test.cutover(&["status", "--check"]).expect(70);
    let _ = test.deploy("v2", Behaviour::Sound).expect(40).expect_text("--adopt");
    let _ = test.cutover(&["deploy", "--adopt"]).expect(0);
    let _ = test.cutover(&["status", "--check"]).expect(0);
}
