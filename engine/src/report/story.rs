//! A run as it is told to people: events in, lines out. Pure, so that whole outputs are compared in tests.

use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use super::escape::visible;
use super::line::{Line, Tone};
use super::notes::notes;
use super::problem::{headline, hint, wrapped};
use super::quantity::Quantity;
use super::running::Running;
use super::words::{color_tone, ended_words, fit_places, release_words};
use crate::model::{Event, EventKind, Level, LiveRelease, Note, Outcome, Release, Step, StepEnd};

/// Width of the column of steps, blanks included.
const STEP_COLUMN: usize = 11;
/// Column at which times end where no terminal says otherwise, and on terminals that are wider.
const TIME_COLUMN: usize = 78;
const WIDEST_TIME_COLUMN: usize = 100;
/// Columns that stay free at the end of a line that is drawn again and again: for the `^C` that a terminal puts there, which must not
/// begin another line.
const ECHO: usize = 2;

/// After which time plain output says that a step still runs, so that no CI runner takes it for dead.
const HEARTBEAT: Duration = Duration::from_secs(30);
const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Problems and the end.
    Quiet,
    /// Steps, and what hooks warn of.
    Normal,
    /// Logs of hooks and of the application too.
    Verbose,
    /// And what is for authors of hooks.
    Debug,
}

/// What to print because of an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The report.
    pub report: Vec<Line>,
    /// The closing error, for the error stream.
    pub errors: Vec<Line>,
}

/// Tells one run.
#[derive(Debug)]
pub struct Story {
    verbosity: Verbosity,
    /// Columns of the terminal; none: nothing is wrapped.
    width: Option<usize>,
    /// `shop/production` and the command, until they were told.
    opening: Option<(String, String)>,
    running: Vec<Running>,
    places: usize,
    warnings: usize,
}

impl Story {
    /// A story of which nothing was told yet.
    #[must_use]
    pub const fn new(verbosity: Verbosity, width: Option<usize>) -> Self {
        Self { verbosity, width, opening: None, running: Vec::new(), places: 13, warnings: 0 }
    }

    /// The terminal has another width now.
    pub fn resize(&mut self, width: Option<usize>) {
        self.width = width;
    }

    /// What to print because of an event.
    #[must_use]
    pub fn tell(&mut self, event: &Event) -> Told {
        let mut told = Told::default();
        match &event.kind {
            EventKind::Started { command, title, .. } => {
                self.opening = Some((title.clone(), command.clone()));
            }
            EventKind::Planned { release, commits, live, maintenance, rolling, notes: remarks, .. } => {
                if self.verbosity > Verbosity::Quiet {
                    told.report = self.header(release, *commits, live.as_ref(), *maintenance, *rolling);
                    told.report.extend(notes(remarks, self.width));
                }
            }
            EventKind::StepStarted { step, places, wait, .. } => {
                self.grow(&self.places_text(*step, places, *wait));
                self.running.push(Running::new(*step, places, *wait, event.elapsed));
            }
            EventKind::StepProgress { step, place, text, transfer } => {
                if let Some(running) = self.running.iter_mut().rev().find(|r| r.is(*step, place.as_ref())) {
                    running.progress(event.elapsed, place.as_ref(), text, *transfer);
                }
            }
            EventKind::StepEnded { step, places, end, summary, details, took, .. } => {
                let wait = self.forget(*step, places);
                if self.is_told(*step, *end) {
                    told.report = self.opening();
                    let places = self.places_text(*step, places, wait);
                    told.report.extend(self.step(*step, &places, *end, summary, *took));
                    told.report.extend(notes(details, self.width));
                }
                self.warnings += usize::from(*end == StepEnd::Warning);
            }
            EventKind::Log { source, level, message } => {
                let needed = match level {
                    Level::Debug => Verbosity::Debug,
                    Level::Info => Verbosity::Verbose,
                    Level::Warn | Level::Error => Verbosity::Normal,
                };
                if self.verbosity >= needed {
                    told.report = self.opening();
                    told.report.extend(self.log(source, *level, message));
                }
            }
            EventKind::Denied { hook, request, grant } => {
                told.report = self.opening();
                let line =
                    Line::of(Tone::Warn, "denied: ").text(&format!("hook `{hook}` asked to {request}"));
                told.report.extend(wrapped(line, self.width, 2));
                told.report.extend(notes(&[Note::new("to allow it", grant)], None));
            }
            // What of it is worth a word is said at the end.
            EventKind::Switched(_) => {}
            EventKind::Pivot { release, maintenance } => {
                if self.verbosity > Verbosity::Quiet {
                    let state =
                        if *maintenance { "gets no requests until maintenance ends" } else { "is live" };
                    let text =
                        format!("── release {release} {state}; a later failure no longer switches back ──");
                    told.report = wrapped(Line::of(Tone::Strong, &text), self.width, 3);
                }
            }
            EventKind::Warning { text, hint: advice } => {
                self.warnings += 1;
                told.report = self.opening();
                told.report.extend(self.warning("warning: ", text, advice.as_deref()));
            }
            EventKind::Interrupted { signal, text } => {
                told.report = self.opening();
                told.report.extend(self.warning(&format!("{signal}: "), text, None));
            }
            EventKind::Ended { .. } => self.end(&event.kind, &mut told),
        }
        told
    }

    /// The region that is redrawn beneath the lines: a line for each running step, none wider than the terminal.
    #[must_use]
    pub fn live(&self, now: Duration, frame: usize) -> Vec<Line> {
        if self.verbosity == Verbosity::Quiet {
            return Vec::new();
        }
        let width = self.width.unwrap_or(TIME_COLUMN);
        let draw = |running: &Running| {
            let places = self.places_text(running.step, &running.places, running.wait);
            let spinner = Line::of(Tone::Accent, SPINNER[frame % SPINNER.len()]);
            let time = Quantity::took(now.saturating_sub(running.since));
            let right = self.time_column().min(width.saturating_sub(1 + ECHO));
            let left = self
                .left(running.step.as_str(), &places, spinner)
                .text("  ")
                .join(running.live(now, width >= 80));
            left.shorten(right.saturating_sub(time.len() + 2))
                .pad(right.saturating_sub(time.len()))
                .with(Tone::Dim, &time)
        };
        self.running.iter().map(draw).collect()
    }

    /// Lines for steps that have run long without a word, in plain output.
    #[must_use]
    pub fn heartbeat(&mut self, now: Duration) -> Vec<Line> {
        if self.verbosity == Verbosity::Quiet {
            return Vec::new();
        }
        let mut lines = Vec::new();
        for index in 0..self.running.len() {
            if now.saturating_sub(self.running[index].told) >= HEARTBEAT {
                self.running[index].told = now;
                lines.extend(self.opening());
                let running = &self.running[index];
                let places = self.places_text(running.step, &running.places, running.wait);
                let line = self.left(running.step.as_str(), &places, Line::of(Tone::Dim, "…")).text("  ");
                let line = line.text(&running.words(now));
                lines.extend(self.timed(line, &Quantity::took(now.saturating_sub(running.since))));
            }
        }
        lines
    }

    /// Whether a step's end is worth a line: lock and finish only when they are not as they should be.
    fn is_told(&self, step: Step, end: StepEnd) -> bool {
        match end {
            StepEnd::Failed | StepEnd::Warning | StepEnd::Interrupted => true,
            StepEnd::Ok | StepEnd::Skipped => {
                let silent = matches!(step, Step::Lock | Step::Finish);
                self.verbosity >= Verbosity::Verbose || (self.verbosity == Verbosity::Normal && !silent)
            }
        }
    }

    /// Ends a running step; its wait.
    fn forget(&mut self, step: Step, places: &[String]) -> Option<Duration> {
        let exact = self.running.iter().position(|r| r.step == step && r.places == places);
        let found = exact.or_else(|| self.running.iter().position(|r| r.step == step))?;
        self.running.remove(found).wait
    }

    /// What the run is about, when no header was told: once, before the first line.
    fn opening(&mut self) -> Vec<Line> {
        match self.opening.take() {
            Some((title, command)) if self.verbosity > Verbosity::Quiet => {
                vec![Line::of(Tone::Strong, &title).with(Tone::Dim, &format!(" · {command}"))]
            }
            Some(_) | None => Vec::new(),
        }
    }

    /// `shop/production · release 43 = main 9f3c2a1 "Fix checkout" (+3 commits) · live: blue, release 42`.
    fn header(
        &mut self,
        release: &Release,
        commits: Option<u64>,
        live: Option<&LiveRelease>,
        maintenance: bool,
        rolling: bool,
    ) -> Vec<Line> {
        let mut line = Line::new();
        if let Some((title, command)) = self.opening.take() {
            line = line.with(Tone::Strong, &title).with(Tone::Dim, " · ");
            if command != "deploy" {
                line = line.text(&command).with(Tone::Dim, " · ");
            }
        }
        line = line.join(release_words(release));
        if let Some(commits) = commits.filter(|commits| *commits > 0) {
            line = line.text(&format!(" (+{commits} {})", if commits == 1 { "commit" } else { "commits" }));
        }
        line = line.with(Tone::Dim, " · ");
        let state = if maintenance { "in maintenance: " } else { "live: " };
        line = match live {
            Some(live) if rolling => line.text(&format!("{state}release {}", live.release.number)),
            Some(live) => line
                .text(state)
                .with(color_tone(live.color), live.color.as_str())
                .text(&format!(", release {}", live.release.number)),
            None => line.text("first deployment"),
        };
        wrapped(line, self.width, 2)
    }

    fn places_text(&self, step: Step, places: &[String], wait: Option<Duration>) -> String {
        match (step, wait) {
            (Step::Watch, Some(wait)) if places.is_empty() => Quantity::wait(wait),
            _ => fit_places(places, self.width),
        }
    }

    fn grow(&mut self, places: &str) {
        self.places = self.places.max(visible(places).width());
    }

    /// Column at which the status ends.
    fn status_end(&self) -> usize {
        STEP_COLUMN + self.places + 4
    }

    fn time_column(&self) -> usize {
        self.width.map_or(TIME_COLUMN, |width| width.saturating_sub(1).min(WIDEST_TIME_COLUMN))
    }

    /// Step, places and status: the columns before the summary.
    fn left(&self, step: &str, places: &str, status: Line) -> Line {
        let line = Line::of(Tone::Strong, step).pad(STEP_COLUMN).text(places);
        let gap = self.status_end().saturating_sub(line.width() + status.width()).max(1);
        line.text(&" ".repeat(gap)).join(status)
    }

    fn step(&mut self, step: Step, places: &str, end: StepEnd, summary: &str, took: Duration) -> Vec<Line> {
        self.grow(places);
        let status = match end {
            StepEnd::Ok => Line::of(Tone::Good, "ok"),
            StepEnd::Skipped => Line::of(Tone::Dim, "skipped"),
            StepEnd::Failed => Line::of(Tone::Bad, "FAILED"),
            StepEnd::Warning => Line::of(Tone::Warn, "warning"),
            StepEnd::Interrupted => Line::of(Tone::Warn, "stopped"),
        };
        let line = self.left(step.as_str(), places, status).text("  ").text(summary);
        // What took no time that anybody could notice is not worth a number.
        let time = if took < Duration::from_millis(50) { String::new() } else { Quantity::took(took) };
        self.timed(line, &time)
    }

    /// A line with a time at the right edge; the summary goes on beneath itself when there is no room for both.
    fn timed(&self, line: Line, time: &str) -> Vec<Line> {
        let right = self.time_column();
        let room = right.saturating_sub(time.len() + 2);
        let column = self.status_end() + 2;
        let indent = if room >= column + 16 { column } else { 4 };
        let mut lines = match self.width {
            Some(_) => line.wrap(room, indent),
            None => vec![line],
        };
        if let Some(first) = lines.first_mut().filter(|_| !time.is_empty()) {
            let line = std::mem::take(first).text("  ");
            *first = line.pad(right.saturating_sub(time.len())).with(Tone::Dim, time);
        }
        lines
    }

    fn log(&self, source: &str, level: Level, message: &str) -> Vec<Line> {
        let tone = match level {
            Level::Debug | Level::Info => Tone::Dim,
            Level::Warn => Tone::Warn,
            Level::Error => Tone::Bad,
        };
        let prefix = Line::plain("  ").with(Tone::Dim, source).with(Tone::Dim, " │ ");
        let indent = prefix.width();
        let lines = message.lines().map(|text| prefix.clone().with(tone, text));
        lines.flat_map(|line| wrapped(line, self.width, indent)).collect()
    }

    fn warning(&self, label: &str, text: &str, advice: Option<&str>) -> Vec<Line> {
        let mut lines = Vec::new();
        for (index, text) in text.lines().enumerate() {
            let start = if index == 0 { Line::of(Tone::Warn, label) } else { Line::plain("  ") };
            lines.extend(wrapped(start.text(text), self.width, 2));
        }
        lines.extend(hint(advice, self.width));
        lines
    }

    /// The closing lines.
    fn end(&mut self, kind: &EventKind, told: &mut Told) {
        let EventKind::Ended { outcome, code, error, facts, hint: advice, exit_code, took, .. } = kind else {
            return;
        };
        self.running.clear();
        let took = Quantity::took(*took);
        let Some(error) = error else {
            if *exit_code != 0 || self.verbosity > Verbosity::Quiet {
                told.report = self.opening();
                let warnings = match self.warnings {
                    0 => String::new(),
                    1 => ", with a warning".to_owned(),
                    many => format!(", with {many} warnings"),
                };
                let tone = if self.warnings == 0 { Tone::Good } else { Tone::Warn };
                told.report
                    .push(Line::of(tone, &format!("{} in {took}{warnings}", ended_words(*outcome, true))));
                // Where the traffic is was said when the release went live.
                let said = |fact: &&Note| *outcome != Outcome::Deployed || fact.label != "traffic";
                let facts: Vec<Note> = facts.iter().filter(said).cloned().collect();
                told.report.extend(notes(&facts, self.width));
                told.report.extend(hint(advice.as_deref(), self.width));
            }
            return;
        };
        told.report = self.opening();
        told.errors = headline(code.as_deref().unwrap_or("internal"), error, self.width);
        let mut facts = facts.clone();
        facts.push(Note::new(
            "end",
            format!("{} after {took}, exit code {exit_code}", ended_words(*outcome, false)),
        ));
        told.errors.extend(notes(&facts, self.width));
        told.errors.extend(hint(advice.as_deref(), self.width));
    }
}
