//! The report on a terminal, or on whatever takes its place: lines that stay, and beneath them a region that is redrawn.

use std::fmt;
use std::io::Write;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::line::Line;
use super::story::{Story, Verbosity};
use crate::model::{Event, EventSink};

/// Between two drawings of the region.
const FRAME: Duration = Duration::from_millis(100);

/// Where the report goes, and what that can show.
pub struct Screen {
    /// Takes the report.
    pub report: Box<dyn Write + Send>,
    /// Takes the closing error.
    pub errors: Box<dyn Write + Send>,
    /// Whether the report may have colors.
    pub report_color: bool,
    /// Whether the closing error may have colors.
    pub errors_color: bool,
    /// Columns and rows of the terminal that the report goes to; none when it goes to no terminal, or to one that can't move its
    /// cursor: then there are plain lines only.
    pub size: Box<dyn Fn() -> Option<(usize, usize)> + Send>,
}

/// Shows events to people.
pub struct Terminal {
    drawing: Arc<Mutex<Drawing>>,
    stop: Option<Sender<()>>,
    ticker: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Shows events on `screen`. Ends its own thread when dropped.
    #[must_use]
    pub fn new(screen: Screen, verbosity: Verbosity) -> Self {
        let width = (screen.size)().map(|(columns, _)| columns);
        let story = Story::new(verbosity, width);
        let drawing =
            Drawing { screen, story, clock: Instant::now(), elapsed: Duration::ZERO, drawn: 0, frame: 0 };
        let drawing = Arc::new(Mutex::new(drawing));
        let (stop, stopped) = channel();
        let shared = Arc::clone(&drawing);
        let ticker = std::thread::Builder::new().name("terminal".to_owned()).spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(FRAME) {
                lock(&shared).tick();
            }
        });
        // Without the thread nothing moves, and all lines are still told.
        Self { drawing, stop: Some(stop), ticker: ticker.ok() }
    }
}

impl EventSink for Terminal {
    fn emit(&self, event: &Event) {
        lock(&self.drawing).event(event);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(ticker) = self.ticker.take() {
            // A panic of the drawing thread has been reported by itself.
            let _ = ticker.join();
        }
        lock(&self.drawing).clear();
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal").finish_non_exhaustive()
    }
}

fn lock(drawing: &Mutex<Drawing>) -> MutexGuard<'_, Drawing> {
    drawing.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is on the screen.
struct Drawing {
    screen: Screen,
    story: Story,
    /// When the last event came, and what the run's own clock said then.
    clock: Instant,
    elapsed: Duration,
    /// Lines of the region, as it is on the screen.
    drawn: usize,
    frame: usize,
}

impl Drawing {
    fn event(&mut self, event: &Event) {
        self.clock = Instant::now();
        self.elapsed = event.elapsed;
        let size = (self.screen.size)();
        self.story.resize(size.map(|(columns, _)| columns));
        let told = self.story.tell(event);
        let mut text = self.erasure();
        text.push_str(&paragraph(&told.report, self.screen.report_color));
        let errors = paragraph(&told.errors, self.screen.errors_color);
        if !errors.is_empty() {
            write(&mut self.screen.report, &text);
            text.clear();
            write(&mut self.screen.errors, &errors);
        }
        text.push_str(&self.region(size));
        write(&mut self.screen.report, &text);
    }

    fn tick(&mut self) {
        self.frame = self.frame.wrapping_add(1);
        let size = (self.screen.size)();
        self.story.resize(size.map(|(columns, _)| columns));
        let text = if size.is_some() {
            let mut text = self.erasure();
            text.push_str(&self.region(size));
            text
        } else {
            let lines = self.story.heartbeat(self.now());
            paragraph(&lines, self.screen.report_color)
        };
        write(&mut self.screen.report, &text);
    }

    fn clear(&mut self) {
        let text = self.erasure();
        write(&mut self.screen.report, &text);
    }

    fn now(&self) -> Duration {
        self.elapsed + self.clock.elapsed()
    }

    /// Takes the region off the screen: up to its first line, and all beneath away.
    fn erasure(&mut self) -> String {
        match std::mem::take(&mut self.drawn) {
            0 => String::new(),
            1 => "\r\x1b[J".to_owned(),
            lines => format!("\x1b[{}A\r\x1b[J", lines - 1),
        }
    }

    /// Draws the region. The cursor stays at the end of its last line, so that nothing is left over when the engine is killed
    /// but these lines.
    fn region(&mut self, size: Option<(usize, usize)>) -> String {
        let Some((_, rows)) = size else { return String::new() };
        let mut lines = self.story.live(self.now(), self.frame);
        // A region that is higher than the screen could not be taken off again.
        lines.truncate(rows.saturating_sub(1));
        self.drawn = lines.len();
        let texts: Vec<String> = lines.iter().map(|line| line.to_text(self.screen.report_color)).collect();
        texts.join("\n")
    }
}

/// Lines with their ends.
fn paragraph(lines: &[Line], color: bool) -> String {
    lines.iter().map(|line| line.to_text(color) + "\n").collect()
}

/// A closed or full output must not harm a deployment.
fn write(out: &mut Box<dyn Write + Send>, text: &str) {
    if !text.is_empty() {
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}
