//! Plays two deployments that never happen, to see how a report looks: `cargo run --example terminal [failing]`.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cutover::model::{
    Color, Event, EventKind, EventSink, Level, LiveRelease, Note, Outcome, Release, ReleaseId, Step, StepEnd,
    Timestamp, Transfer, Upkeep,
};
use cutover::report::{Screen, Terminal, Verbosity};

/// Tells events with the time since the start.
struct Player {
    sink: Arc<dyn EventSink>,
    start: Instant,
}

impl Player {
    fn say(&self, kind: EventKind) {
        self.sink.emit(&Event { at: Timestamp(0), elapsed: self.start.elapsed(), kind });
    }

    fn step(
        &self,
        step: Step,
        places: &[&str],
        wait: Option<u64>,
        frames: &[(&str, u64)],
        summary: &str,
        end: StepEnd,
    ) {
        let places: Vec<String> = places.iter().map(|place| (*place).to_owned()).collect();
        let wait = wait.map(Duration::from_secs);
        let began = Instant::now();
        self.say(EventKind::StepStarted { step, places: places.clone(), weight: None, wait });
        for (text, bytes) in frames {
            let transfer = (*bytes > 0).then_some(Transfer { done: *bytes, total: 48_000_000 });
            self.say(EventKind::StepProgress {
                step,
                place: places.first().cloned(),
                text: (*text).to_owned(),
                transfer,
            });
            std::thread::sleep(Duration::from_millis(400));
        }
        let details = match end {
            StepEnd::Failed => vec![
                Note::new("login-works", "web2 green :4002  POST /login: want 302, got 500 (212 ms)"),
                Note::new(
                    "web2 log",
                    "KeyError: SESSION_SALT (lib/session.ex:14)\n19 more: cutover logs --release 43 --host web2",
                ),
            ],
            StepEnd::Ok | StepEnd::Skipped | StepEnd::Warning | StepEnd::Interrupted => Vec::new(),
        };
        let summary = summary.to_owned();
        self.say(EventKind::StepEnded {
            step,
            places,
            weight: None,
            end,
            summary,
            details,
            took: began.elapsed(),
        });
    }
}

const DEPLOYMENT: &str = "01J9ZQ3N7P8T5V6W7X8Y9Z0A1B";

fn release(number: u64, revision: &str, subject: &str) -> Release {
    Release {
        id: ReleaseId::from_parts("20260301T140211Z", Some(revision), "a1b2"),
        number,
        revision: Some(revision.to_owned()),
        subject: Some(subject.to_owned()),
        branch: Some("main".to_owned()),
        repository: None,
        version: None,
        digest: "sha256:1c4e".to_owned(),
        size: 48_000_000,
        created: Timestamp(0),
        labels: Vec::new(),
    }
}

fn main() {
    let failing = std::env::args().nth(1).is_some();
    let terminal = std::io::stdout().is_terminal();
    let size = move || {
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok().filter(|_| terminal)?;
        Some((usize::from(size.ws_col), usize::from(size.ws_row)))
    };
    let screen = Screen {
        report: Box::new(std::io::stdout()),
        errors: Box::new(std::io::stderr()),
        report_color: terminal,
        errors_color: terminal,
        size: Box::new(size),
    };
    let player = Player { sink: Arc::new(Terminal::new(screen, Verbosity::Verbose)), start: Instant::now() };
    player.say(EventKind::Started {
        command: "deploy".to_owned(),
        title: "shop/production".to_owned(),
        deployment: Some(DEPLOYMENT.to_owned()),
    });
    let live = LiveRelease {
        color: Color::Blue,
        release: release(42, "77b01de", "Sell socks"),
        since: Timestamp(0),
        excluded: Vec::new(),
    };
    player.say(EventKind::Planned {
        deployment: DEPLOYMENT.to_owned(),
        release: release(43, "9f3c2a1", "Fix checkout"),
        commits: Some(3),
        live: Some(live),
        color: Color::Green,
        maintenance: false,
        rolling: false,
        notes: vec![Note::new("not built", "2 commits of yours are not pushed")],
    });
    let app = ["web1", "web2"];
    player.step(
        Step::Preflight,
        &["web1", "web2", "lb1"],
        None,
        &[("asking", 0)],
        "router blue 100 %, as recorded",
        StepEnd::Ok,
    );
    let upload =
        [("", 1), ("", 9_000_000), ("", 21_000_000), ("", 30_000_000), ("", 44_000_000), ("", 48_000_000)];
    player.step(Step::Stage, &app, None, &upload, "48 of 48 MB sent", StepEnd::Ok);
    let health = [("starting: connection refused on :4002", 0), ("1 of 3", 0), ("2 of 3", 0), ("3 of 3", 0)];
    player.step(Step::Health, &app, Some(60), &health, "3 of 3, each says release 43", StepEnd::Ok);
    player.say(EventKind::Log {
        source: "hook vendor".to_owned(),
        level: Level::Warn,
        message: "the third request was slow \u{1b}[2J".to_owned(),
    });
    if failing {
        player.step(Step::Smoke, &["vendor"], None, &[("3 of 7", 0)], "1 of 7", StepEnd::Failed);
        player.step(
            Step::Undo,
            &app,
            None,
            &[("stopping green", 0)],
            "green stopped; release 43 kept",
            StepEnd::Ok,
        );
    } else {
        player.step(
            Step::Switch,
            &["lb1"],
            None,
            &[("", 0)],
            "blue → green; 20 of 20 probes say 43",
            StepEnd::Ok,
        );
        let probes = [("1 of 1 probes", 0), ("2 of 2 probes", 0), ("3 of 3 probes", 0), ("4 of 4 probes", 0)];
        player.step(Step::Watch, &[], Some(2), &probes, "4 of 4 probes", StepEnd::Ok);
        player.say(EventKind::Pivot { release: 43, maintenance: false });
        player.step(
            Step::Drain,
            &["blue"],
            Some(30),
            &[("2 connections left", 0)],
            "0 connections left",
            StepEnd::Ok,
        );
    }
    player.say(EventKind::Ended {
        outcome: if failing { Outcome::RolledBack } else { Outcome::Deployed },
        code: failing.then(|| "smoke/failed".to_owned()),
        error: failing.then(|| "smoke test `vendor` failed; release 43 got no traffic".to_owned()),
        facts: vec![Note::new("traffic", "blue, release 42, healthy on web1 web2; never touched")]
            .into_iter()
            .filter(|_| failing)
            .collect(),
        hint: failing.then(|| "retry without building: `cutover deploy --release 43`".to_owned()),
        exit_code: if failing { 10 } else { 0 },
        took: player.start.elapsed(),
        upkeep: Upkeep::default(),
    });
}
