//! A canary: the new release gets the requests in shares, each of which it has to stand a watch at.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use test_support::{
    Behaviour, Ended, Load, Running, Tally, Test, assert_golden, eventually, get, get_saying,
};

use crate::{local, proxy, with_v1};

/// Behind an nginx that can share.
pub(crate) fn behind_upstream() -> Option<Test> {
    let mut test = local()?;
    let (flags, upstream) = (test.nginx.settings(), test.nginx.upstream_settings());
    test.configure(&flags, &upstream);
    Some(test)
}

/// The same in two steps; `v1` is live.
fn with_shares(watches: [&str; 2]) -> Option<Test> {
    let mut test = with_v1(behind_upstream())?;
    in_shares(&mut test, watches);
    Some(test)
}

/// 10 % and 50 %, watched for so long.
pub(crate) fn in_shares(test: &mut Test, [first, second]: [&str; 2]) {
    let steps = format!("[{{ weight = 10, watch = \"{first}\" }}, {{ weight = 50, watch = \"{second}\" }}]");
    test.configure("watch = \"2s\"", &format!("watch = \"2s\"\nstrategy = {{ canary = {steps} }}"));
}

fn load(test: &Test) -> Load {
    let load = Load::start_without_keep_alive(test.door());
    load.wait_for(20);
    load
}

/// Waits until the new release is watched with this weight.
pub(crate) fn wait_for_share(running: &mut Running, weight: u64) {
    running.wait_for("a watch of a share", |event| {
        event["event"] == "step-started" && event["step"] == "watch" && event["weight"] == weight
    });
}

/// What was told of each switch: weight, time between the routers, late answers.
fn switches(ended: &Ended) -> Vec<Value> {
    let events = ended.events();
    let told = events.iter().filter(|event| event["event"] == "switched");
    told.map(|event| json!([event["weight"], event["skew_ms"], event["late"]])).collect()
}

fn answers(tally: &Tally, color: &str) -> u64 {
    tally.answers.iter().filter(|((_, said), _)| said == color).map(|(_, count)| count).sum()
}

/// Percent of the next answers that are green's.
pub(crate) fn share_of_green(load: &Load) -> u64 {
    let before = load.so_far();
    load.wait_for(400);
    let after = load.so_far();
    let green = answers(&after, "green") - answers(&before, "green");
    let all = green + answers(&after, "blue") - answers(&before, "blue");
    green * 100 / all
}

/// What people read, without how many answers were whose.
fn told(test: &Test, ended: &Ended) -> String {
    let text = test.normalise(&(ended.stdout.clone() + &ended.stderr));
    let line = |line: &str| match line.split_once(" probes answer, 2 in ") {
        Some((before, after)) => {
            let (_, rest) = after.split_once(" of them").unwrap();
            format!("{before} probes answer, 2 in N of them{rest}\n")
        }
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// All requests go to `v1` again, of which none was lost, and nothing of `v2` runs.
pub(crate) fn assert_all_back(test: &Test, load: Load) {
    let before = load.so_far();
    load.wait_for(200);
    let tally = load.finish();
    assert_eq!(answers(&tally, "green"), answers(&before, "green"), "green still gets requests");
    assert!(answers(&before, "green") > 0, "green never got any");
    tally.assert_none_failed();
    assert_eq!(test.live(), "v1 blue");
    assert!(get("127.0.0.1", test.ports().1, "/up").is_err(), "the new release still runs");
    settled(test);
}

/// Workers of before a reload may take a moment to go.
fn settled(test: &Test) {
    eventually("status is content", Duration::from_secs(20), || {
        (test.cutover(&["status", "--check"]).status == 0).then_some(())
    });
}

#[test]
fn each_share_is_watched_before_the_next_and_no_request_is_lost() {
    let Some(test) = with_shares(["4s", "4s"]) else { return };
    let load = load(&test);
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    for (weight, about) in [(10, 5..=16), (50, 42..=58)] {
        wait_for_share(&mut running, weight);
        let share = share_of_green(&load);
        assert!(about.contains(&share), "{share} % of the answers were green's, at {weight} %");
        let status = test.cutover(&["status", "--check"]).expect(0);
        let says = format!("has {weight} % of the traffic");
        assert!(status.stdout.contains(&says), "{}", status.stdout);
    }
    let ended = running.finish().expect(0);
    let weights: Vec<_> = ended
        .events()
        .iter()
        .filter(|event| event["event"] == "step-ended" && event["step"] == "watch")
        .map(|event| event["weight"].clone())
        .collect();
    assert_eq!(weights, [10.into(), 50.into(), Value::Null]);
    // Each move is one. Whose an answer should be is known of the last one alone.
    assert_eq!(switches(&ended), [json!([10, 0, null]), json!([50, 0, null]), json!([100, 0, 0])]);
    assert_eq!(test.live(), "v2 green");
    load.finish().assert_none_failed();
    settled(&test);
}

#[test]
fn what_is_told_of_a_canary_and_of_its_plan() {
    let Some(test) = with_shares(["1s", "1s"]) else { return };
    test.repository.push("v2", Behaviour::Sound);
    assert_golden("canary-plan.txt", &told(&test, &test.cutover(&["plan"]).expect(0)));
    assert_golden("canary.txt", &told(&test, &test.cutover(&["deploy"]).expect(0)));
    // What goes back is in a hurry.
    let back = test.cutover(&["rollback", "--json"]).expect(0);
    assert_eq!(switches(&back), [json!([100, 0, 0])]);
    assert_eq!(test.live(), "v1 blue");
}

/// How many of 100 requests that say this blue and green answer.
fn answers_to(test: &Test, header: &str) -> [usize; 2] {
    let ask = |_| get_saying("127.0.0.1", test.door(), "/", header).unwrap();
    let pages: Vec<_> = (0..100).map(ask).collect();
    ["blue", "green"].map(|color| pages.iter().filter(|page| page.header("x-color") == color).count())
}

/// Testers choose at 10 %, in a deployment into green that ends well, and in one into blue that is broken off.
fn assert_testers_choose(test: &mut Test, says: &str) {
    in_shares(test, ["8s", "1s"]);
    let words = ["always", "never", "ALWAY", ""].map(|word| says.replace("WORD", word));
    let [always, never, unknown, nothing] = &words;
    let load = load(test);
    let assert_all = |test: &Test, answers| {
        for word in &words {
            assert_eq!(answers_to(test, word), answers, "{word}");
        }
    };
    let assert_chosen = |test: &Test, [old, new]: [usize; 2]| {
        let of = |answers: [usize; 2]| [answers[old], answers[new]];
        assert_eq!(of(answers_to(test, always)), [0, 100]);
        assert_eq!(of(answers_to(test, never)), [100, 0]);
        for word in [unknown, nothing] {
            let [_, share] = of(answers_to(test, word));
            assert!((1..=22).contains(&share), "{share} of 100 went to the new release, {word}");
        }
    };
    assert_all(test, [100, 0]);

    test.repository.push("v2", Behaviour::Sound);
    let plan = test.cutover(&["plan"]).expect(0);
    plan.expect_text("  testers  while requests are shared, ")
        .expect_text("`always` gets green, `never` blue");
    let mut running = test.start(&["deploy", "--json"]);
    wait_for_share(&mut running, 10);
    assert_chosen(test, [0, 1]);
    let _ = running.finish().expect(0);
    assert_eq!(test.live(), "v2 green");
    assert_all(test, [0, 100]);

    test.repository.push("v3", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    wait_for_share(&mut running, 10);
    assert_chosen(test, [1, 0]);
    let _ = running.kill();
    let _ = test.cutover(&["resume"]).expect(10);
    assert_all(test, [0, 100]);
    load.finish().assert_none_failed();
    settled(test);
}

/// Behind nginx, where testers came later.
fn with_testers(testers: &str) -> Option<Test> {
    let mut test = with_v1(behind_upstream())?;
    let style = "style = \"upstream\"";
    test.configure(style, &format!("{style}, testers = {testers}"));
    test.nginx.stop();
    test.set_up();
    Some(test)
}

#[test]
fn testers_choose_by_a_header() {
    let Some(mut test) = with_testers("{ header = \"X-Canary\" }") else { return };
    assert_testers_choose(&mut test, "x-canary: WORD");
}

#[test]
fn testers_choose_by_a_cookie() {
    let Some(mut test) = with_testers("{ cookie = \"canary\" }") else { return };
    assert_testers_choose(&mut test, "cookie: other=always; canary=WORD; canary2=never");
}

#[test]
fn testers_choose_behind_our_own_proxy() {
    let Some(mut world) = proxy::with_v1(local()) else { return };
    let settings = world.proxy.settings();
    let with = settings.replacen("{ ", "{ testers = { cookie = \"canary\" }, ", 1);
    world.test.configure(&settings, &with);
    assert_testers_choose(&mut world.test, "cookie: other=always; canary=WORD; canary2=never");
}

#[test]
fn a_release_that_is_sick_with_its_first_share_loses_it() {
    let Some(test) = with_shares(["60s", "60s"]) else { return };
    let load = load(&test);
    let failed = test.deploy("v2", Behaviour::SickAfterVisits(150)).expect(10);
    assert_golden("canary-sick.txt", &told(&test, &failed));
    assert_all_back(&test, load);
}

#[test]
fn a_signal_in_a_share_puts_all_traffic_back() {
    let Some(test) = with_shares(["1s", "60s"]) else { return };
    let load = load(&test);
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    wait_for_share(&mut running, 50);
    running.signal(Signal::INT);
    let ended = running.finish().expect(20);
    assert_eq!(ended.last_event()["outcome"], "rolled-back");
    assert_all_back(&test, load);
}

#[test]
fn a_release_that_only_front_doors_find_sick_loses_its_first_share() {
    let Some(mut test) = with_shares(["60s", "60s"]) else { return };
    // Each tenth answer is wrong, never three in a row, and every instance says that it is well.
    test.configure("/up\"]", "/checkout\"]");
    test.configure("{ name = \"cart-is-there\", path = \"/checkout\" }, ", "");
    let load = load(&test);
    let ended = test.deploy("v2", Behaviour::FailsSmokeTest).expect(10);
    assert!(ended.stderr.contains("/checkout: answers 500"), "{}{}", ended.stdout, ended.stderr);
    assert!(!ended.stdout.contains("green 50 %"), "{}", ended.stdout);
    assert_all_back(&test, load);
}

#[test]
fn killed_in_a_share_one_command_puts_all_traffic_back() {
    let Some(test) = with_shares(["1s", "60s"]) else { return };
    let load = load(&test);
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    wait_for_share(&mut running, 50);
    load.wait_for(50);
    let _ = running.kill();
    // Either colour may answer.
    let status = told(&test, &test.cutover(&["status", "--check"]).expect(70));
    assert_golden("canary-killed-status.txt", &status.replace("up says release 2", "up says release 1"));
    let _ = test.cutover(&["resume"]).expect(10);
    assert_all_back(&test, load);
}

#[test]
fn killed_in_a_share_it_goes_on_from_there_when_asked_to() {
    let Some(mut test) = with_shares(["1s", "60s"]) else { return };
    let load = load(&test);
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    wait_for_share(&mut running, 50);
    let _ = running.kill();
    // How long it is watched is what the configuration says now.
    test.configure("watch = \"60s\"", "watch = \"1s\"");
    let ended = test.cutover(&["resume", "--forward", "--json"]).expect(0);
    let weights: Vec<_> = ended
        .events()
        .iter()
        .filter(|event| event["event"] == "step-started" && event["step"] == "watch")
        .map(|event| event["weight"].clone())
        .collect();
    assert_eq!(weights, [50.into(), Value::Null], "the first share is past");
    assert_eq!(
        switches(&ended),
        [json!([50, null, null]), json!([100, 0, 0])],
        "the one before was moved by who died"
    );
    assert_eq!(test.live(), "v2 green");
    load.finish().assert_none_failed();
}

#[test]
fn who_moves_a_router_while_a_share_is_watched_is_not_overruled() {
    let Some(test) = with_shares(["3s", "60s"]) else { return };
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    wait_for_share(&mut running, 10);
    let changes =
        [("shares 90 10", "shares 100 0"), ("blue 90 green 10", "blue 100 green 0"), ("weight=10", "down")];
    test.nginx.move_upstream(&test.desk, &changes);
    let ended = running.finish().expect(10);
    assert_eq!(ended.last_event()["code"], "switch/moved");
    assert_eq!(test.live(), "v1 blue");
    settled(&test);
}

#[test]
fn requests_that_somebody_shares_while_nothing_is_deployed_are_drift() {
    let Some(test) = with_shares(["1s", "1s"]) else { return };
    let share = [("shares 100 0", "shares 80 20"), ("blue 100 green 0", "blue 80 green 20")];
    test.nginx.move_upstream(&test.desk, &share);
    eventually("nginx has read it", Duration::from_secs(10), || {
        test.cutover(&["status"]).stdout.contains("green 20 %").then_some(())
    });
    // Until then nobody can tell whether it is done.
    std::thread::sleep(Duration::from_secs(6));
    assert_golden(
        "canary-by-hand-status.txt",
        &told(&test, &test.cutover(&["status", "--check"]).expect(70)),
    );
    assert_golden("canary-by-hand.txt", &told(&test, &test.deploy("v2", Behaviour::Sound).expect(40)));
    assert_eq!(test.live(), "v1 blue");
}

#[test]
fn a_router_that_can_not_share_is_refused_before_anything_is_begun() {
    let Some(mut test) = with_v1(local()) else { return };
    let steps = "[{ weight = 10, watch = \"1s\" }]";
    test.configure("watch = \"2s\"", &format!("watch = \"2s\"\nstrategy = {{ canary = {steps} }}"));
    assert_golden("canary-refused.txt", &told(&test, &test.deploy("v2", Behaviour::Sound).expect(50)));
    let plan = test.cutover(&["plan"]).expect(50);
    assert!(plan.stdout.contains("error[config/weights]"), "{}", plan.stdout);
    let check = test.cutover(&["check", "--hosts"]).expect(11);
    assert!(check.stdout.contains("can't do on local"), "{}", check.stdout);
    assert_eq!(test.live(), "v1 blue");
    // A rollback moves all at once.
    test.configure("strategy = { canary", "# strategy = { canary");
    let _ = test.cutover(&["deploy"]).expect(0);
    test.configure("# strategy = { canary", "strategy = { canary");
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
}
