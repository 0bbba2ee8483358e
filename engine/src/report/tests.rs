//! Whole outputs.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::golden::{assert_golden, page};
use super::{JsonLines, Line, Screen, Story, Terminal, Verbosity, json_line, sample};
use crate::model::view::{ExitCode, LockStatus, Problem};
use crate::model::{Color, Event, EventKind, EventSink, Step};

/// Report and closing error of a whole run, in the order in which they are written.
fn told(events: &[Event], verbosity: Verbosity, width: Option<usize>) -> String {
    let mut story = Story::new(verbosity, width);
    let mut text = String::new();
    for event in events {
        let told = story.tell(event);
        text.push_str(&page(&told.report));
        text.push_str(&page(&told.errors));
    }
    text
}

fn assert_narrow(text: &str, width: usize) {
    for line in text.lines().filter(|line| !line.contains("to allow it")) {
        assert!(Line::plain(line).width() <= width, "wider than {width}: {line}");
    }
}

#[test]
fn a_run_that_succeeds() {
    assert_golden("deployed.txt", &told(&sample::deployed(), Verbosity::Normal, None));
    assert_golden("deployed-verbose.txt", &told(&sample::deployed(), Verbosity::Verbose, None));
    assert_eq!(told(&sample::deployed(), Verbosity::Quiet, None), "");
}

#[test]
fn a_color_is_named_where_there_are_two_and_only_there() {
    let header = |colors: Option<Color>, is_closed: bool| {
        let mut events = sample::deployed();
        let planned = events.iter_mut().find_map(|event| {
            let EventKind::Planned { color, maintenance, rolling, .. } = &mut event.kind else { return None };
            Some((color, maintenance, rolling))
        });
        let (color, maintenance, rolling) = planned.expect("a plan");
        (*color, *maintenance, *rolling) = (colors.unwrap_or(Color::Blue), is_closed, colors.is_none());
        let text = told(&events, Verbosity::Normal, None);
        text.lines().next().and_then(|line| line.rsplit_once(" · ")).expect("a header").1.to_owned()
    };
    // Who resumes what took the router's word for it finds that colour in the record which it fills.
    for color in Color::ALL {
        assert_eq!(header(Some(color), false), "live: blue, release 42");
        assert_eq!(header(Some(color), true), "in maintenance: blue, release 42");
    }
    assert_eq!(header(None, false), "live: release 42");
    assert_eq!(header(None, true), "in maintenance: release 42");
}

#[test]
fn a_run_that_fails() {
    assert_golden("smoke-failed.txt", &told(&sample::smoke_failed(), Verbosity::Normal, None));
    assert_golden("smoke-failed-quiet.txt", &told(&sample::smoke_failed(), Verbosity::Quiet, None));
}

#[test]
fn a_run_that_is_interrupted() {
    assert_golden("interrupted.txt", &told(&sample::interrupted(), Verbosity::Normal, None));
}

#[test]
fn runs_that_did_not_come_to_their_end() {
    let events = [sample::stuck(), sample::unfinished(), sample::nothing_changed()];
    let text: Vec<String> = events.iter().map(|run| told(run, Verbosity::Normal, None)).collect();
    assert_golden("no-good-end.txt", &text.join("\n"));
    let out = Pipe::default();
    let sink = JsonLines::new(Box::new(out.clone()));
    sample::stuck().iter().for_each(|event| sink.emit(event));
    assert_golden("stuck.jsonl", &out.text());
}

#[test]
fn what_is_not_proven_is_said() {
    assert_golden("unproven.txt", &told(&sample::unproven(), Verbosity::Normal, Some(80)));
}

#[test]
fn narrow_terminals_wrap() {
    let sizes = [
        ("smoke-failed", sample::smoke_failed as fn() -> Vec<Event>, [60, 90]),
        ("crowded", sample::crowded, [60, 80]),
    ];
    for (name, run, widths) in sizes {
        for width in widths {
            let text = told(&run(), Verbosity::Normal, Some(width));
            assert_narrow(&text, width);
            assert_golden(&format!("{name}-{width}.txt"), &text);
        }
    }
    let history = page(&super::history(&sample::history(), Some(60)));
    assert_narrow(&history, 60);
    assert_golden("history-60.txt", &history);
    let status = page(&super::status(&sample::status_in_trouble(), Some(60)));
    assert_narrow(&status, 60);
    assert_golden("status-trouble-60.txt", &status);
}

#[test]
fn what_moves_is_drawn_beneath() {
    let mut script = sample::Script::new("deploy");
    script.planned(Vec::new());
    script.begin(Step::Stage, &["web1", "web2"], None);
    for done in [0, 400_000, 900_000_u64] {
        script.progress(Step::Stage, Some("web1"), "sending", Some((done, 24_000_000)));
        script.progress(Step::Stage, Some("web2"), "sending", Some((done / 2, 24_000_000)));
        script.wait(500);
    }
    script.begin(Step::Health, &["web1", "web2"], Some(60));
    script.progress(Step::Health, Some("web2"), "starting: connection refused on :4002", None);
    script.begin(Step::Watch, &[], Some(60));
    script.progress(Step::Watch, None, "18 of 18 probes", None);
    let page_of = |width| {
        let mut story = Story::new(Verbosity::Normal, Some(width));
        for event in &script.events {
            let _ = story.tell(event);
        }
        page(&story.live(Duration::from_millis(19_500), 3))
    };
    let (wide, narrow) = (page_of(100), page_of(60));
    assert_narrow(&narrow, 60);
    assert_golden("live.txt", &format!("{wide}{narrow}"));
}

#[test]
fn plain_output_says_now_and_then_that_a_step_still_runs() {
    let mut script = sample::Script::new("deploy");
    script.begin(Step::Build, &["local"], None);
    script.progress(Step::Build, None, "compiling", None);
    let mut story = Story::new(Verbosity::Normal, None);
    for event in &script.events {
        let _ = story.tell(event);
    }
    let beats: Vec<usize> =
        [29, 30, 31, 59, 60].iter().map(|at| story.heartbeat(Duration::from_secs(*at)).len()).collect();
    assert_eq!(beats, [0, 2, 0, 0, 1], "the first one comes with the opening line");
}

#[test]
fn views_read_well() {
    let releases = sample::status_with_releases();
    assert_golden("status-releases.txt", &page(&super::status(&releases, None)));
    assert_golden("status-releases-60.txt", &page(&super::status(&releases, Some(60))));
    assert_golden("status.txt", &page(&super::status(&sample::status(), None)));
    assert_golden("status-trouble.txt", &page(&super::status(&sample::status_in_trouble(), None)));
    assert_golden("history.txt", &page(&super::history(&sample::history(), None)));
    assert_golden("plan.txt", &page(&super::plan(&sample::plan(), None)));
    assert_golden("plan-80.txt", &page(&super::plan(&sample::plan(), Some(80))));
    assert_golden("setup.txt", &page(&super::setup(&sample::setup())));
    assert_golden("check.txt", &page(&super::check(&sample::check(), None)));
    assert_golden("doctor.txt", &page(&super::doctor(&sample::doctor(), None)));
    assert_golden("doctor-60.txt", &page(&super::doctor(&sample::doctor(), Some(60))));
    assert_golden("state.txt", &page(&super::state(&sample::state(), None)));
    let mut changed = page(&super::recovery(&sample::recovery(), None));
    changed.push_str(&page(&super::recovered(&sample::recovery())));
    changed.push_str(&page(&super::moved(&sample::moved())));
    assert_golden("state-changed.txt", &changed);
}

#[test]
fn what_was_cut_off_is_told_with_the_way_out_once_nobody_is_at_it() {
    let mut view = sample::status_in_trouble();
    view.lock = LockStatus::Free;
    let lines = page(&super::status(&view, None));
    let line = lines.lines().find(|line| line.starts_with("unfinished"));
    assert_eq!(
        line,
        Some(
            "unfinished deploy 01J9ZQ3N7P8T5V6W7X8Y9Z0A1B by ci@runner7, 1 m ago, got to watch: `cutover \
             resume --forward` goes on with it, `cutover abort` puts everything back"
        )
    );
    let held = |gone: Option<&str>| {
        let mut lock = sample::status_in_trouble().lock;
        if let LockStatus::Held { step, gone: of, .. } = &mut lock {
            step.clear();
            *of = gone.map(str::to_owned);
        }
        lock
    };
    view.lock = held(None);
    let lines = page(&super::status(&view, None));
    assert!(lines.contains("locked by ci@runner7 for 1 m (deploy, epoch 17)\nunder way deploy"), "{lines}");
    assert!(lines.contains("at watch: blue, release 44, is being switched to or back from\n"), "{lines}");
    view.lock = held(Some("its process is gone"));
    let lines = page(&super::status(&view, None));
    assert!(lines.contains("(deploy, epoch 17); its process is gone\nunfinished deploy"), "{lines}");
}

#[test]
fn what_is_live_is_not_known_without_the_record() {
    let mut view = sample::status_in_trouble();
    view.live = None;
    view.record_problem = Some("`live.json` is not\na regular file".to_owned());
    let lines = page(&super::status(&view, None));
    assert_eq!(lines.lines().nth(1), Some("live   not known: `live.json` is not\\na regular file"));
}

#[test]
fn json_is_an_interface() {
    let mut lines = json_line(&sample::status_in_trouble());
    lines.push_str(&json_line(&sample::history()));
    lines.push_str(&json_line(&sample::plan()));
    lines.push_str(&json_line(&sample::check()));
    lines.push_str(&json_line(&sample::doctor()));
    lines.push_str(&json_line(&sample::state()));
    lines.push_str(&json_line(&sample::recovery()));
    lines.push_str(&json_line(&sample::moved()));
    assert_golden("views.jsonl", &lines);
    let out = Pipe::default();
    let sink = JsonLines::new(Box::new(out.clone()));
    sample::smoke_failed().iter().for_each(|event| sink.emit(event));
    assert_golden("smoke-failed.jsonl", &out.text());
}

#[test]
fn errors_show_facts_and_the_way_out() {
    let held = Problem::new("lock/held", "another deployment holds the lock", ExitCode::Locked)
        .fact("holder", "ci@runner7, deploy, at watch, epoch 17")
        .hint("wait with `--lock-wait 15m`\nor take it away: `cutover unlock --epoch 17`");
    let hostile = Problem::new("host/\u{1b}nonsense", "line one\n::error::two", ExitCode::Stuck);
    let mut text: String =
        [held, hostile].iter().map(|problem| page(&super::problem(problem, None))).collect();
    let fault = "error[config/key]: unknown key `prot`\n --> cutover.toml:1:1\n  |\n1 | prot = 1\n  | ^^^^\n  hint: `port`?";
    let lines = super::faults(fault);
    assert_eq!(page(&lines).trim_end(), fault);
    let colored: String = lines.iter().map(|line| line.to_text(true) + "\n").collect();
    text.push_str(&colored.replace('\u{1b}', "ESC"));
    assert_golden("problems.txt", &text);
}

#[test]
fn a_terminal_is_left_as_if_nothing_had_moved() {
    let (report, errors) = (Pipe::default(), Pipe::default());
    let screen = Screen {
        report: Box::new(report.clone()),
        errors: Box::new(errors.clone()),
        report_color: false,
        errors_color: false,
        size: Box::new(|| Some((80, 24))),
    };
    let terminal = Terminal::new(screen, Verbosity::Normal);
    sample::smoke_failed().iter().for_each(|event| terminal.emit(event));
    drop(terminal);
    // A screen as a terminal keeps it: each erasure begins at the first line of the region.
    let mut shown: Vec<String> = vec![String::new()];
    let written = report.text();
    let mut rest = written.as_str();
    while let Some(c) = rest.chars().next() {
        if let Some(sequence) = rest.strip_prefix("\x1b[") {
            let end = sequence.find(|c: char| c.is_ascii_alphabetic()).expect("a whole sequence");
            let count = sequence[..end].parse().unwrap_or(1);
            match &sequence[end..=end] {
                "A" => shown.truncate(shown.len() - count),
                "J" => {}
                other => panic!("unexpected sequence {other}"),
            }
            rest = &sequence[end + 1..];
            continue;
        }
        match c {
            '\r' => shown.last_mut().expect("a line").clear(),
            '\n' => shown.push(String::new()),
            c => shown.last_mut().expect("a line").push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    let mut story = Story::new(Verbosity::Normal, Some(80));
    let tell = |event: &Event| page(&story.tell(event).report);
    let expected: String = sample::smoke_failed().iter().map(tell).collect();
    assert_eq!(shown.join("\n"), expected);
    assert!(errors.text().starts_with("error[smoke/failed]"), "{}", errors.text());
}

#[test]
fn a_closed_output_is_nothing_to_fail_for() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
    }
    let errors = Pipe::default();
    let screen = Screen {
        report: Box::new(Closed),
        errors: Box::new(errors.clone()),
        report_color: true,
        errors_color: false,
        size: Box::new(|| None),
    };
    let terminal = Terminal::new(screen, Verbosity::Normal);
    sample::smoke_failed().iter().for_each(|event| terminal.emit(event));
    drop(terminal);
    let lines = JsonLines::new(Box::new(Closed));
    sample::smoke_failed().iter().for_each(|event| lines.emit(event));
    assert!(errors.text().contains("exit code 10"), "the other stream still gets its lines");
}

/// Bytes that tests look at.
#[derive(Clone, Default)]
struct Pipe(Arc<Mutex<Vec<u8>>>);

impl Pipe {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic while writing").clone()).expect("text")
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic while writing").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
