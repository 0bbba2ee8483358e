//! Runs and views to look at, for tests: the same shop in each.

use std::time::Duration;

use crate::model::view::{
    Behind, CheckView, CheckedHook, Finding, FrontDoorStatus, HistoryEntry, HistoryView, HostCheck,
    HostSetup, IdleStatus, InstanceState, InstanceStatus, LiveStatus, LockStatus, PlanHeader, PlanView,
    PlannedHook, PlannedHost, PlannedSecret, PlannedStep, RouterStatus, SetupPart, SetupView, StatusView,
    Unfinished, Verdict,
};
use crate::model::{
    Color, Event, EventKind, HistoryRelease, HostName, Level, LiveRelease, Note, Observation, Outcome,
    Release, ReleaseId, Routing, Step, StepEnd, Timestamp, Transfer,
};

/// 2026-03-01 14:02:11 UTC.
pub(super) const NOW: Timestamp = Timestamp(1_772_373_731_000);

pub(super) fn ago(seconds: u64) -> Timestamp {
    Timestamp(NOW.0 - seconds * 1000)
}

pub(super) fn release(number: u64) -> Release {
    let (revision, subject) = match number {
        43 => ("9f3c2a17d0", "Fix checkout"),
        _ => ("77b01de0aa", "Sell socks"),
    };
    Release {
        id: ReleaseId::parse(&format!("20260301T140211Z-{}-a1b{}", &revision[..8], number % 10))
            .expect("an identifier"),
        number,
        revision: Some(revision.to_owned()),
        subject: Some(subject.to_owned()),
        branch: Some("main".to_owned()),
        version: None,
        digest: format!("sha256:{}", "1c4e".repeat(16)),
        size: 48_000_000,
        created: ago(600),
        labels: Vec::new(),
    }
}

/// Events with a clock that is moved by hand.
pub(super) struct Script {
    elapsed: Duration,
    pub(super) events: Vec<Event>,
}

impl Script {
    pub(super) fn new(command: &str) -> Self {
        let mut script = Self { elapsed: Duration::ZERO, events: Vec::new() };
        script.say(EventKind::Started {
            command: command.to_owned(),
            title: "shop/production".to_owned(),
            deployment: Some("01J9ZQ3N7P8T5V6W7X8Y9Z0A1B".to_owned()),
        });
        script
    }

    pub(super) fn say(&mut self, kind: EventKind) {
        let at = Timestamp(NOW.0 + self.elapsed.as_millis() as u64);
        self.events.push(Event { at, elapsed: self.elapsed, kind });
    }

    pub(super) fn wait(&mut self, ms: u64) {
        self.elapsed += Duration::from_millis(ms);
    }

    pub(super) fn planned(&mut self, notes: Vec<Note>) {
        let live = LiveRelease { color: Color::Blue, release: release(42), since: ago(500_000) };
        self.say(EventKind::Planned {
            deployment: "01J9ZQ3N7P8T5V6W7X8Y9Z0A1B".to_owned(),
            release: release(43),
            commits: Some(3),
            live: Some(live),
            color: Color::Green,
            notes,
        });
    }

    pub(super) fn begin(&mut self, step: Step, places: &[&str], wait: Option<u64>) {
        let places = places.iter().map(|place| (*place).to_owned()).collect();
        self.say(EventKind::StepStarted { step, places, wait: wait.map(Duration::from_secs) });
    }

    pub(super) fn progress(
        &mut self,
        step: Step,
        place: Option<&str>,
        text: &str,
        transfer: Option<(u64, u64)>,
    ) {
        self.say(EventKind::StepProgress {
            step,
            place: place.map(str::to_owned),
            text: text.to_owned(),
            transfer: transfer.map(|(done, total)| Transfer { done, total }),
        });
    }

    pub(super) fn end(
        &mut self,
        step: Step,
        places: &[&str],
        end: StepEnd,
        summary: &str,
        took: u64,
        details: &[(&str, &str)],
    ) {
        self.say(EventKind::StepEnded {
            step,
            places: places.iter().map(|place| (*place).to_owned()).collect(),
            end,
            summary: summary.to_owned(),
            details: details.iter().map(|(label, text)| Note::new(*label, *text)).collect(),
            took: Duration::from_millis(took),
        });
    }

    /// Begin, wait, end.
    pub(super) fn step(&mut self, step: Step, places: &[&str], summary: &str, took: u64) {
        self.begin(step, places, (step == Step::Watch).then_some(60));
        self.wait(took);
        self.end(step, places, StepEnd::Ok, summary, took, &[]);
    }

    pub(super) fn ended(&mut self, outcome: Outcome, exit_code: u8) {
        let took = self.elapsed;
        self.say(EventKind::Ended {
            outcome,
            code: None,
            error: None,
            facts: vec![Note::new(
                "traffic",
                if exit_code == 0 { "green, release 43" } else { "blue, release 42" },
            )],
            hint: None,
            exit_code,
            took,
        });
    }

    fn until_health(notes: Vec<Note>) -> Self {
        let mut script = Self::new("deploy");
        script.planned(notes);
        let app = ["web1", "web2"];
        script.step(Step::Lock, &["lb1"], "", 80);
        script.step(Step::Preflight, &["web1", "web2", "lb1"], "router blue 100 %, as recorded", 900);
        script.step(Step::Build, &["local"], "dist, 48 MB, sha256:1c4e…", 41_200);
        script.step(Step::Stage, &app, "1.3 of 48 MB sent", 1_100);
        script.step(Step::Migrate, &["web1"], "bin/shop migrate", 800);
        script.step(Step::Start, &app, "green on :4002", 400);
        script.step(Step::Health, &app, "3 of 3, each says release 43", 4_000);
        script
    }
}

/// All goes well.
pub(super) fn deployed() -> Vec<Event> {
    let mut script = Script::until_health(Vec::new());
    script.say(EventKind::Log {
        source: "hook vendor".to_owned(),
        level: Level::Info,
        message: "7 requests\n\u{1b}[2Jnothing to hide".to_owned(),
    });
    script.step(Step::Smoke, &["vendor"], "7 passed", 1_800);
    script.step(Step::Switch, &["lb1"], "blue → green; 20 of 20 probes say 43", 200);
    script.step(Step::Watch, &[], "58 of 58 probes", 60_000);
    script.say(EventKind::Pivot { release: 43 });
    script.step(Step::Drain, &["blue"], "0 connections left", 2_300);
    script.step(Step::Retire, &["blue"], "kept warm: `cutover rollback`, ~2 s", 20);
    script.step(Step::Finish, &[], "", 30);
    script.ended(Outcome::Deployed, 0);
    script.events
}

/// The smoke test fails.
pub(super) fn smoke_failed() -> Vec<Event> {
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
    });
    script.events
}

/// Ctrl-C in the middle, a warning, many hosts, nothing known of the release.
pub(super) fn interrupted() -> Vec<Event> {
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

fn name(text: &str) -> HostName {
    HostName::new(text).expect("a name")
}

pub(super) fn status() -> StatusView {
    let instance =
        |host: &str, color, release, state, port, up: Option<u64>, health: Option<&str>| InstanceStatus {
            host: name(host),
            color,
            release: Some(release),
            state,
            port,
            up_since: up.map(ago),
            health: health.map(str::to_owned),
        };
    let (two_days, nine_days) = (Some(187_200), Some(800_000));
    StatusView {
        title: "shop/production".to_owned(),
        asked: NOW,
        live: Some(LiveStatus {
            color: Color::Green,
            release: release(43),
            since: ago(187_200),
            who: "ann@desk".to_owned(),
            ci: Some("CI run 812".to_owned()),
        }),
        idle: Some(IdleStatus { color: Color::Blue, release: Some(release(42)), warm: 1, instances: 2 }),
        behind: Some(Behind { branch: "main".to_owned(), commits: 14, oldest: Some(ago(259_200)) }),
        lock: LockStatus::Free,
        unfinished: None,
        instances: vec![
            instance("web1", Color::Green, 43, InstanceState::Live, 4002, two_days, Some("200, 3 ms")),
            instance("web1", Color::Blue, 42, InstanceState::Warm, 4001, nine_days, Some("200, 2 ms")),
            instance("web2", Color::Green, 43, InstanceState::Live, 4002, two_days, Some("200, 3 ms")),
            instance("web2", Color::Blue, 42, InstanceState::Stopped, 4001, None, None),
        ],
        routers: vec![RouterStatus {
            name: name("lb1"),
            observation: Some(Observation {
                routing: Some(Routing::all_to(Color::Green)),
                settled: true,
                labels: Vec::new(),
            }),
            agrees: true,
            problem: None,
        }],
        front_doors: vec![FrontDoorStatus {
            url: "https://shop.example.com/up".to_owned(),
            ok: true,
            says: "says release 43".to_owned(),
        }],
        warnings: vec!["web2 blue is not warm: rollback must start it first (~6 s)".to_owned()],
        drift: Vec::new(),
        too_old: None,
    }
}

/// Everything that can be wrong is.
pub(super) fn status_in_trouble() -> StatusView {
    let mut view = status();
    view.behind = None;
    view.lock = LockStatus::Held {
        who: "ci@runner7".to_owned(),
        command: "deploy".to_owned(),
        deployment: "01J9ZQ3N7P8T5V6W7X8Y9Z0A1B".to_owned(),
        since: ago(90),
        step: "watch".to_owned(),
        epoch: 17,
    };
    view.unfinished = Some(Unfinished {
        deployment: "01J9ZQ3N7P8T5V6W7X8Y9Z0A1B".to_owned(),
        command: "deploy".to_owned(),
        who: "ci@runner7".to_owned(),
        since: ago(90),
        step: "watch".to_owned(),
    });
    view.idle = Some(IdleStatus { color: Color::Blue, release: None, warm: 0, instances: 2 });
    view.instances[2].state = InstanceState::Sick;
    view.instances[2].health = Some("connection refused".to_owned());
    view.instances[3].state = InstanceState::Unknown;
    view.instances[3].release = None;
    view.routers[0].agrees = false;
    view.routers[0].observation =
        Some(Observation { routing: Some(Routing::all_to(Color::Blue)), settled: false, labels: Vec::new() });
    view.routers.push(RouterStatus {
        name: name("lb2"),
        observation: None,
        agrees: false,
        problem: Some("connection timed out".to_owned()),
    });
    view.front_doors[0].ok = false;
    view.front_doors[0].says = "connection refused".to_owned();
    view.warnings = Vec::new();
    view.drift = vec!["router lb1 shows blue, the record says green".to_owned()];
    view.too_old = Some("release 43 has been live for 2 d, allowed are 1 d".to_owned());
    view
}

pub(super) fn history() -> HistoryView {
    let entry = |number, outcome, started| HistoryEntry {
        deployment: "01J9ZQ3N7P8T5V6W7X8Y9Z0A1B".to_owned(),
        command: "deploy".to_owned(),
        who: "ann@desk".to_owned(),
        ci: None,
        message: None,
        release: Some(HistoryRelease::from(&release(number))),
        color: Some(Color::Green),
        previous: Some(number - 1),
        started: ago(started),
        ended: Some(Timestamp(ago(started).0 + 113_000)),
        outcome: Some(outcome),
        error: None,
        live: false,
    };
    let live = HistoryEntry {
        live: true,
        message: Some("the spring sale".to_owned()),
        ci: Some("https://ci.example.com/runs/812".to_owned()),
        ..entry(43, Outcome::Deployed, 187_200)
    };
    let failed = HistoryEntry {
        error: Some("smoke/failed: smoke test `vendor` failed; release 43 got no traffic".to_owned()),
        ..entry(43, Outcome::RolledBack, 190_000)
    };
    let first = HistoryEntry { previous: None, ..entry(42, Outcome::Deployed, 800_000) };
    let open =
        HistoryEntry { release: None, ended: None, outcome: None, ..entry(43, Outcome::Unfinished, 191_000) };
    HistoryView { title: "shop/production".to_owned(), asked: NOW, entries: vec![live, failed, open, first] }
}

pub(super) fn plan() -> PlanView {
    let step = |step, places: &[&str], what: &str, undo: Option<&str>, on_failure: &str| PlannedStep {
        step,
        places: places.iter().map(|place| (*place).to_owned()).collect(),
        what: what.to_owned(),
        undo: undo.map(str::to_owned),
        on_failure: on_failure.to_owned(),
    };
    let host = |name: &str, reach: &str, roles: &[&str]| PlannedHost {
        name: name.to_owned(),
        reach: reach.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
    };
    let back = "rolled back; blue goes on";
    PlanView {
        header: PlanHeader {
            title: "shop/production".to_owned(),
            command: "deploy".to_owned(),
            release: 43,
            revision: Some("9f3c2a17d0".to_owned()),
            subject: Some("Fix checkout".to_owned()),
            branch: Some("main".to_owned()),
            commits: Some(1),
            live: Some(LiveRelease { color: Color::Blue, release: release(42), since: ago(500_000) }),
            color: Color::Green,
            notes: vec![Note::new("not built", "2 commits of yours are not pushed")],
        },
        steps: vec![
            step(Step::Build, &["local"], "cargo build --release", None, "nothing changed"),
            step(
                Step::Stage,
                &["web1", "web2"],
                "release 43",
                Some("removes what is not whole"),
                "nothing changed",
            ),
            step(Step::Migrate, &["web1"], "bin/shop migrate", None, back),
            step(Step::Start, &["web1", "web2"], "green on :4002", Some("stops green"), back),
            step(Step::Switch, &["lb1"], "blue → green", Some("lb1 back to blue 100 %"), back),
        ],
        hosts: vec![
            host("web1", "deploy@web1.example.com", &["app"]),
            host("web2", "deploy@web2.example.com:2222", &["app"]),
            host("lb1", "deploy@lb1.example.com", &["router", "home"]),
        ],
        hooks: vec![
            PlannedHook {
                title: "vendor".to_owned(),
                kind: "smoke-test".to_owned(),
                source: "hooks/vendor-smoke.wasm".to_owned(),
                digest: "sha256:77aa".to_owned(),
                bundled_grants: false,
                grants: Vec::new(),
                dangers: Vec::new(),
            },
            PlannedHook {
                title: "router".to_owned(),
                kind: "router".to_owned(),
                source: "builtin:nginx".to_owned(),
                digest: "sha256:1c4e".to_owned(),
                bundled_grants: true,
                grants: vec![
                    "run /usr/sbin/nginx -t on lb1, as root".to_owned(),
                    "write /etc/nginx/cutover/* on lb1".to_owned(),
                ],
                dangers: vec!["an nginx include that the deploy user writes".to_owned()],
            },
        ],
        irreversible: vec!["migrate: the release declares no way back".to_owned()],
        secrets: vec![PlannedSecret {
            name: "db".to_owned(),
            source: "environment SHOP_DATABASE_URL".to_owned(),
            used_by: vec!["app environment DATABASE_URL".to_owned()],
        }],
    }
}

pub(super) fn check() -> CheckView {
    let finding = |what: &str, verdict, text: &str, fix: Option<&str>| Finding {
        what: what.to_owned(),
        verdict,
        text: text.to_owned(),
        fix: fix.map(str::to_owned),
    };
    CheckView {
        title: "shop/production".to_owned(),
        file: "cutover.toml".to_owned(),
        hosts: vec!["web1".to_owned(), "lb1".to_owned()],
        hooks: vec![
            CheckedHook {
                title: "build".to_owned(),
                source: "builtin:command-build".to_owned(),
                digest: "sha256:77aa".to_owned(),
            },
            CheckedHook {
                title: "vendor".to_owned(),
                source: "hooks/vendor-smoke.wasm".to_owned(),
                digest: "sha256:1c4e".to_owned(),
            },
        ],
        warnings: vec![
            "warning[config/unused-host]: host `web3` is not used\n --> cutover.toml:7:1".to_owned(),
        ],
        host_checks: vec![
            HostCheck {
                host: "web1".to_owned(),
                facts: Some("deploy@web1, x86_64, systemd, 12 GB free".to_owned()),
                findings: vec![
                    finding("directory", Verdict::Ok, "/srv/shop is writable", None),
                    finding(
                        "sudoers",
                        Verdict::Missing,
                        "`sudo -n systemctl start` asks for a password",
                        Some("deploy ALL=(root) NOPASSWD: /usr/bin/systemctl start shop@*"),
                    ),
                ],
            },
            HostCheck {
                host: "lb1".to_owned(),
                facts: None,
                findings: vec![finding("reach", Verdict::Missing, "connection timed out after 10 s", None)],
            },
        ],
    }
}

pub(super) fn setup() -> SetupView {
    let host = |host: &str, parts, problem: Option<&str>| HostSetup {
        host: host.to_owned(),
        reach: format!("deploy@{host}.example.com"),
        parts,
        problem: problem.map(str::to_owned),
    };
    let part = |title: &str, script: &str| SetupPart { title: title.to_owned(), script: script.to_owned() };
    let directory = part("directories", "install -d -o deploy -g deploy -m 0755 /srv/shop\n");
    let unit = part(
        "unit template",
        "cat > /etc/systemd/system/shop@.service <<'EOF'\n[Unit]\n\n[Service]\nEOF\nsystemctl daemon-reload\n",
    );
    SetupView {
        title: "shop/production".to_owned(),
        hosts: vec![
            host("web1", vec![directory, unit], None),
            host("web2", Vec::new(), Some("connection timed out after 10 s")),
            host("lb1", Vec::new(), None),
        ],
    }
}
