//! Whole runs.

use super::Script;
use crate::model::{Event, EventKind, Level, Note, Outcome, Step, StepEnd, Upkeep};

/// All goes well.
pub(in crate::report) fn deployed() -> Vec<Event> {
    let mut script = Script::until_health(Vec::new());
    script.say(EventKind::Log {
        source: "hook vendor".to_owned(),
        level: Level::Info,
        message: "7 requests\n\u{1b}[2Jnothing to hide".to_owned(),
    });
    script.step(Step::Smoke, &["vendor"], "7 passed", 1_800);
    script.step(Step::Switch, &["lb1"], "blue → green; 20 of 20 probes say 43", 200);
    script.step(Step::Watch, &[], "58 of 58 probes", 60_000);
    script.say(EventKind::Pivot { release: 43, maintenance: false });
    script.step(Step::Drain, &["blue"], "0 connections left", 2_300);
    script.step(Step::Retire, &["blue"], "kept warm: `cutover rollback`, ~2 s", 20);
    script.step(Step::Finish, &[], "", 30);
    script.ended(Outcome::Deployed, 0);
    script.events
}

/// The smoke test fails.
pub(in crate::report) fn smoke_failed() -> Vec<Event> {
    let note =
        Note::new("not built", "2 commits of yours are not pushed\n1 file is changed and not committed");
    let mut script = Script::until_health(vec![note]);
    script.begin(Step::Smoke, &["vendor"], None);
    script.wait(1_900);
    script.say(EventKind::Denied {
        hook: "vendor".to_owned(),
        request: "send GET https://metrics.example.com/".to_owned(),
        grant: "http = [{ to = \"https://metrics.example.com\" }]".to_owned(),
    });
    script.end(
        Step::Smoke,
        &["vendor"],
        StepEnd::Failed,
        "1 of 7",
        1_900,
        &[
            ("login-works", "web2 green :4002  POST /login: want 302, got 500 (212 ms)"),
            ("web2 log", "KeyError: SESSION_SALT (lib/session.ex:14)\n::set-output name=x::y\n19 more: cutover logs --release 43 --host web2"),
        ],
    );
    script.step(Step::Undo, &["web1", "web2"], "green stopped; release 43 kept", 600);
    let took = script.elapsed;
    script.say(EventKind::Ended {
        outcome: Outcome::RolledBack,
        code: Some("smoke/failed".to_owned()),
        error: Some("smoke test `vendor` failed; release 43 got no traffic".to_owned()),
        facts: vec![
            Note::new("traffic", "blue, release 42, healthy on web1 web2; never touched"),
            Note::new("not undone", "migrations of release 43"),
        ],
        hint: Some(
            "fix and `cutover deploy`, or retry without building: `cutover deploy --release 43`".to_owned(),
        ),
        exit_code: 10,
        took,
        upkeep: Upkeep::default(),
    });
    script.events
}

/// Ctrl-C in the middle, a warning, many hosts, nothing known of the release.
pub(in crate::report) fn interrupted() -> Vec<Event> {
    let many: Vec<String> = (1..=9).map(|n| format!("web{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut script = Script::new("resume");
    script.step(Step::Preflight, &many, "router blue 100 %, as recorded", 900);
    script.say(EventKind::Warning {
        text: "the front door proves nothing: no release marker".to_owned(),
        hint: Some("set `app.release-marker`".to_owned()),
    });
    script.begin(Step::Health, &many, Some(60));
    script.wait(1_500);
    script.say(EventKind::Interrupted {
        signal: "Ctrl-C".to_owned(),
        text: "stopping green; a second Ctrl-C leaves at once".to_owned(),
    });
    script.end(Step::Health, &many, StepEnd::Interrupted, "2 of 9 healthy", 1_500, &[]);
    script.step(Step::Undo, &many, "green stopped", 500);
    script.ended(Outcome::RolledBack, 20);
    script.events
}

/// The switch fails, and so does the way back.
pub(in crate::report) fn stuck() -> Vec<Event> {
    let mut script = Script::until_health(Vec::new());
    script.step(Step::Smoke, &["vendor"], "7 passed", 1_800);
    let routers = ["lb1", "lb2"];
    script.begin(Step::Switch, &routers, None);
    script.wait(30_100);
    let refused = "hook `router`: `/usr/sbin/nginx -t` on `lb2` ended with status 1";
    script.end(Step::Switch, &routers, StepEnd::Failed, refused, 30_100, &[]);
    script.begin(Step::Undo, &["lb1"], None);
    script.wait(600);
    let broken = "lb1: the connection broke";
    script.end(Step::Undo, &["lb1"], StepEnd::Failed, broken, 600, &[]);
    let took = script.elapsed;
    script.say(EventKind::Ended {
        outcome: Outcome::Stuck,
        code: Some("hook/failed".to_owned()),
        error: Some(format!(
            "{refused}\n  [emerg] unknown directive \"lissen\" in /etc/nginx/sites-enabled/shop:2"
        )),
        facts: vec![
            Note::new("traffic", "look: `cutover status` asks hosts and routers"),
            Note::new("not undone", "migrations of release 43"),
            Note::new("by hand", "lb1: route blue 100 % (lb1: the connection broke)"),
            Note::new("by hand", "web1: stop green (not tried)"),
            Note::new("by hand", "web2: stop green (not tried)"),
        ],
        hint: Some("mend what is named above, then `cutover resume` (or `cutover abort`)".to_owned()),
        exit_code: 40,
        took,
        upkeep: Upkeep::default(),
    });
    script.events
}

/// The connection to the home is lost in the middle.
pub(in crate::report) fn unfinished() -> Vec<Event> {
    let mut script = Script::until_health(Vec::new());
    script.begin(Step::Watch, &[], Some(60));
    script.wait(7_000);
    script.end(Step::Watch, &[], StepEnd::Interrupted, "", 7_000, &[]);
    let took = script.elapsed;
    script.say(EventKind::Ended {
        outcome: Outcome::Unfinished,
        code: Some("state/unreachable".to_owned()),
        error: Some("host `lb1` (`deploy@lb1.example.com`) can't be reached: no route to host".to_owned()),
        facts: vec![Note::new("traffic", "not known: `cutover status` asks the routers")],
        hint: Some(
            "`cutover resume --forward` goes on with it, `cutover abort` puts everything back".to_owned(),
        ),
        exit_code: 21,
        took,
        upkeep: Upkeep::default(),
    });
    script.events
}

/// It does not even begin.
pub(in crate::report) fn nothing_changed() -> Vec<Event> {
    let mut script = Script::new("deploy");
    let places = ["web1", "web2", "lb1"];
    script.begin(Step::Preflight, &places, None);
    script.wait(300);
    let silent = |host: &str| {
        format!("host `{host}` (`deploy@{host}.example.com`) can't be reached: no route to host")
    };
    script.end(Step::Preflight, &places, StepEnd::Failed, "2 faults", 300, &[]);
    let took = script.elapsed;
    script.say(EventKind::Ended {
        outcome: Outcome::NothingChanged,
        code: Some("state/unreachable".to_owned()),
        error: Some(silent("web1")),
        facts: vec![Note::new("also", silent("web2"))],
        hint: Some("try: `cutover check --hosts`".to_owned()),
        exit_code: 11,
        took,
        upkeep: Upkeep::default(),
    });
    script.events
}

/// Nothing tells releases apart.
pub(in crate::report) fn unproven() -> Vec<Event> {
    let mut script = Script::new("deploy");
    script.planned(Vec::new());
    script.step(Step::Health, &["web1", "web2"], "3 of 3; not proven: no release marker", 4_000);
    let places = ["lb1"];
    let summary = "blue → green; 20 of 20 probes answer; not proven: no release marker";
    let note = ("to prove it", "set `app.release-marker`: how an answer names its release");
    script.begin(Step::Switch, &places, None);
    script.wait(200);
    script.end(Step::Switch, &places, StepEnd::Ok, summary, 200, &[note]);
    script.events
}

/// Twelve hosts, three routers, long names.
pub(in crate::report) fn crowded() -> Vec<Event> {
    let hosts: Vec<String> = (1..=12).map(|n| format!("frankfurt-app-{n:02}")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let routers = ["frankfurt-edge-01", "frankfurt-edge-02", "frankfurt-edge-03"];
    let all: Vec<&str> = hosts.iter().chain(&routers).copied().collect();
    let mut script = Script::new("deploy");
    script.planned(Vec::new());
    script.step(Step::Preflight, &all, "router blue 100 %, as recorded", 1_900);
    script.step(Step::Build, &["local"], "dist, 48 MB, sha256:1c4e…", 41_200);
    script.step(Step::Stage, &hosts, "16 of 576 MB sent", 9_100);
    script.step(Step::Health, &hosts, "3 of 3, each says release 43", 4_000);
    script.step(Step::Smoke, &["checkout-with-every-payment-provider"], "31 passed", 12_800);
    let summary = "blue → green; 20 of 20 probes say 43; frankfurt-edge-01 20 of 20, frankfurt-edge-02 20 of 20, \
                   frankfurt-edge-03 20 of 20";
    script.step(Step::Switch, &routers, summary, 900);
    script.step(Step::Retire, &hosts, "kept warm: `cutover rollback`, ~7 s", 400);
    script.ended(Outcome::Deployed, 0);
    script.events
}
