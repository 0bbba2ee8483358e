//! A run that is told event by event.

use std::time::Duration;

use super::{NOW, live, release};
use crate::model::{Color, Event, EventKind, Note, Outcome, Step, StepEnd, Timestamp, Transfer, Upkeep};

/// Events with a clock that is moved by hand.
pub(in crate::report) struct Script {
    pub(super) elapsed: Duration,
    pub(in crate::report) events: Vec<Event>,
}

impl Script {
    pub(in crate::report) fn new(command: &str) -> Self {
        let mut script = Self { elapsed: Duration::ZERO, events: Vec::new() };
        script.say(EventKind::Started {
            command: command.to_owned(),
            title: "shop/production".to_owned(),
            deployment: Some("01J9ZQ3N7P8T5V6W7X8Y9Z0A1B".to_owned()),
        });
        script
    }

    pub(in crate::report) fn say(&mut self, kind: EventKind) {
        let at = Timestamp(NOW.0 + self.elapsed.as_millis() as u64);
        self.events.push(Event { at, elapsed: self.elapsed, kind });
    }

    pub(in crate::report) fn wait(&mut self, ms: u64) {
        self.elapsed += Duration::from_millis(ms);
    }

    pub(in crate::report) fn planned(&mut self, notes: Vec<Note>) {
        self.say(EventKind::Planned {
            deployment: "01J9ZQ3N7P8T5V6W7X8Y9Z0A1B".to_owned(),
            release: release(43),
            commits: Some(3),
            live: Some(live(Color::Blue, 42, 500_000)),
            color: Color::Green,
            maintenance: false,
            rolling: false,
            notes,
        });
    }

    pub(in crate::report) fn begin(&mut self, step: Step, places: &[&str], wait: Option<u64>) {
        let places = places.iter().map(|place| (*place).to_owned()).collect();
        self.say(EventKind::StepStarted { step, places, weight: None, wait: wait.map(Duration::from_secs) });
    }

    pub(in crate::report) fn progress(
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

    pub(in crate::report) fn end(
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
            weight: None,
            end,
            summary: summary.to_owned(),
            details: details.iter().map(|(label, text)| Note::new(*label, *text)).collect(),
            took: Duration::from_millis(took),
        });
    }

    /// Begin, wait, end.
    pub(in crate::report) fn step(&mut self, step: Step, places: &[&str], summary: &str, took: u64) {
        self.begin(step, places, (step == Step::Watch).then_some(60));
        self.wait(took);
        self.end(step, places, StepEnd::Ok, summary, took, &[]);
    }

    pub(in crate::report) fn ended(&mut self, outcome: Outcome, exit_code: u8) {
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
            upkeep: Upkeep::default(),
        });
    }

    /// All goes well until smoke tests.
    pub(super) fn until_health(notes: Vec<Note>) -> Self {
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
