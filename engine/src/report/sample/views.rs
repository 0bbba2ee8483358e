//! What commands show beside runs.

use super::{NOW, ago, live, release};
use crate::model::view::{
    CheckView, CheckedHook, Diagnosis, DoctorView, Finding, HistoryEntry, HistoryView, HostCheck, HostPart,
    HostSetup, KeptHolder, KeptJournal, KeptLock, KeptRecord, KeptState, MoveView, Part, PlanHeader,
    PlanView, PlannedHook, PlannedHost, PlannedSecret, PlannedStep, RecoveryView, SetupPart, SetupView,
    Severity, StateView, Verdict,
};
use crate::model::{
    Color, Denial, HistoryRelease, HostName, Note, Outcome, Step, Switched, Timestamp, Trouble,
};

pub(super) fn name(text: &str) -> HostName {
    HostName::new(text).expect("a name")
}

pub(in crate::report) fn history() -> HistoryView {
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
        under_way: false,
        outcome: Some(outcome),
        error: None,
        excluded: Vec::new(),
        denied: Vec::new(),
        switches: Vec::new(),
        live: false,
    };
    let late = Switched {
        weight: 100,
        routers: 2,
        skew_ms: Some(241),
        requests: 143,
        late: Some(4),
        last_late_ms: Some(620),
    };
    let live = HistoryEntry {
        live: true,
        switches: vec![late],
        message: Some("the spring sale".to_owned()),
        ci: Some("https://ci.example.com/runs/812".to_owned()),
        excluded: vec![name("web3")],
        ..entry(43, Outcome::Deployed, 187_200)
    };
    let denied = |path: &str| {
        let line = format!("read = [{{ hosts = \"app\", path = \"{path}\" }}]");
        Denial::new("vendor", &format!("read `{path}` on `web1`"), &line)
    };
    let failed = HistoryEntry {
        denied: ["/etc/shadow", "/etc/passwd", "/etc/group", "/etc/hosts"].map(denied).to_vec(),
        error: Some("smoke/failed: smoke test `vendor` failed; release 43 got no traffic".to_owned()),
        ..entry(43, Outcome::RolledBack, 190_000)
    };
    let quiet = Switched { late: Some(0), last_late_ms: None, ..late };
    let first =
        HistoryEntry { previous: None, switches: vec![quiet], ..entry(42, Outcome::Deployed, 800_000) };
    let open =
        HistoryEntry { release: None, ended: None, outcome: None, ..entry(43, Outcome::Unfinished, 191_000) };
    let now =
        HistoryEntry { under_way: true, ended: None, outcome: None, ..entry(44, Outcome::Unfinished, 40) };
    HistoryView {
        title: "shop/production".to_owned(),
        asked: NOW,
        entries: vec![now, live, failed, open, first],
    }
}

pub(in crate::report) fn plan() -> PlanView {
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
            live: Some(live(Color::Blue, 42, 500_000)),
            color: Color::Green,
            maintenance: false,
            rolling: false,
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
                limits: vec!["memory = 512 MiB".to_owned(), "http-total = 10m".to_owned()],
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
                limits: Vec::new(),
            },
        ],
        irreversible: vec!["migrate: the release declares no way back".to_owned()],
        obstacles: vec![
            Trouble::new("deploy/front-door", "front door https://shop.example.com/up: answers 404")
                .hint("does the `location` that serves it have the `include`?"),
        ],
        secrets: vec![PlannedSecret {
            name: "db".to_owned(),
            source: "environment SHOP_DATABASE_URL".to_owned(),
            used_by: vec!["app environment DATABASE_URL".to_owned()],
        }],
    }
}

pub(in crate::report) fn check() -> CheckView {
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
        front_doors: vec![
            finding("front door", Verdict::Ok, "https://shop.example.com/up: says release 43", None),
            finding(
                "router",
                Verdict::Missing,
                "lb2, asked by itself for https://shop.example.com/up: says release 42 instead of 43",
                Some("look at the configuration that lb2 serves the URL with"),
            ),
        ],
    }
}

pub(in crate::report) fn setup() -> SetupView {
    let host = |host: &str, parts, problem: Option<&str>| HostSetup {
        host: host.to_owned(),
        reach: format!("deploy@{host}.example.com"),
        parts,
        problem: problem.map(str::to_owned),
        hint: None,
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

pub(in crate::report) fn doctor() -> DoctorView {
    let finding = |severity, code: &str, place: &str, text: &str, fix: &str| Diagnosis {
        code: code.to_owned(),
        severity,
        place: Some(place.to_owned()),
        text: text.to_owned(),
        fix: Some(fix.to_owned()),
    };
    DoctorView {
        title: "shop/production".to_owned(),
        asked: NOW,
        hosts: 3,
        routers: 1,
        findings: vec![
            finding(
                Severity::Problem,
                "router/drift",
                "lb1",
                "the router shows blue 100 %, the record says green",
                "put it back by hand, or take its word for it: `cutover deploy --adopt`",
            ),
            finding(
                Severity::Warning,
                "clock/apart",
                "web1",
                "its clock is 24 h behind this machine's",
                "set one of them right, as root: `timedatectl set-ntp true`",
            ),
            finding(
                Severity::Note,
                "release/partial",
                "web2",
                "a part of a release was left behind by a run that was cut off",
                "the next `cutover deploy` removes it",
            ),
        ],
    }
}

pub(in crate::report) fn state() -> StateView {
    let lineage = "01J9ZQ3N7P8T5V6W7X8Y9Z0A1A";
    let path = "/var/lib/cutover/shop/production";
    let part = |host: &str, part, fence| HostPart {
        host: name(host),
        part,
        moved_to: (part == Part::FormerHome).then(|| name("lb1")),
        fence,
        lineage: fence.map(|_| lineage.to_owned()),
        path: fence.map(|_| path.to_owned()),
    };
    StateView {
        title: "shop/production".to_owned(),
        asked: NOW,
        home: name("lb1"),
        kept: Some(KeptState {
            path: path.to_owned(),
            lineage: Some(lineage.to_owned()),
            lock: Some(KeptLock {
                epoch: 17,
                holder: Some(KeptHolder {
                    who: "ci@runner7 pid 4711".to_owned(),
                    command: "deploy".to_owned(),
                    deployment: "01J9ZQ3N7P8T5V6W7X8Y9Z0A1B".to_owned(),
                    since: ago(725),
                    step: "watch".to_owned(),
                    silent_ms: 310_000,
                    lapsed: true,
                }),
            }),
            live: Some(KeptRecord {
                generation: 12,
                live: live(Color::Green, 43, 187_200),
                previous: Some(live(Color::Blue, 42, 800_000)),
            }),
            open: Some(KeptJournal {
                deployment: "01J9ZQ3N7P8T5V6W7X8Y9Z0A1B".to_owned(),
                command: Some("deploy".to_owned()),
                since: Some(ago(720)),
                step: Some("watch".to_owned()),
                records: 23,
                torn: true,
            }),
            deployments: Some(43),
            journals: 40,
            bytes: 24_300,
        }),
        hosts: vec![
            part("lb1", Part::Home, Some(17)),
            part("lb2", Part::FormerHome, Some(17)),
            part("web1", Part::Member, Some(16)),
            part("web2", Part::Unknown, None),
            part("web3", Part::None, None),
        ],
        problems: vec!["host `web2` can't be reached: connection refused".to_owned()],
    }
}

pub(in crate::report) fn recovery() -> RecoveryView {
    let changes = vec![
        Note::new("set aside", "journal/01J9ZQ3N7P8T5V6W7X8Y9Z0A1B.jsonl, open.json"),
        Note::new("live", "green, release 43 (`20260301T140211Z-9f3c2a17-a1b3`)"),
        Note::new("epoch", "above 17, the highest that a host has seen"),
    ];
    RecoveryView { title: "shop/production".to_owned(), home: name("lb1"), changes }
}

pub(in crate::report) fn moved() -> MoveView {
    let (home, from) = (name("lb2"), Some(name("lb1")));
    MoveView { title: "shop/production".to_owned(), home, from, files: 42, bytes: 31_200 }
}
