//! What the switches of one contender came to.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::contender::Contender;
use crate::load::{Answer, Kind, Request, Seen};

/// One switch.
pub(crate) struct Switch {
    pub(crate) to: &'static str,
    pub(crate) asked: Instant,
    pub(crate) returned: Instant,
}

/// The window of a switch: so long before the first answer of the new colour, and after it.
const BEFORE: Duration = Duration::from_millis(100);
const AFTER: Duration = Duration::from_millis(500);

/// Times in milliseconds.
pub(crate) struct Figures {
    switches: usize,
    requests: usize,
    failed: [(Kind, usize); 3],
    late: usize,
    /// Requests that took no time of their own, in the windows and outside of all commands: 99 of 100 took no longer.
    p99: f64,
    steady_p99: f64,
    /// From the first answer of the new colour to the last one of the old, by when they were asked for: median and most.
    propagation: (f64, f64),
    /// Median of the whole command.
    command: f64,
    closed_idle: u64,
    websockets: u64,
    websockets_cut: u64,
    /// How much too late a program is woken, 99 of 100 times at most.
    noise: f64,
}

impl Figures {
    pub(crate) fn new(seen: &Seen, switches: &[Switch]) -> Self {
        let mut requests = seen.requests.clone();
        requests.sort_unstable_by_key(|request| request.begun);
        let of_kind = |kind| {
            let failed = |request: &&Request| request.kind == kind && request.answer == Answer::Failed;
            (kind, requests.iter().filter(failed).count())
        };
        let (mut late, mut around, mut propagation) = (0, Vec::new(), Vec::new());
        let mut windows = Vec::new();
        for (index, switch) in switches.iter().enumerate() {
            let end = switches.get(index + 1).map(|next| next.asked);
            let first = requests.partition_point(|request| request.begun < switch.asked);
            let last = end.map_or(requests.len(), |end| requests.partition_point(|it| it.begun < end));
            let since = &requests[first..last];
            let (new, old) = if switch.to == "blue" {
                (Answer::Blue, Answer::Green)
            } else {
                (Answer::Green, Answer::Blue)
            };
            late += since.iter().filter(|it| it.answer == old && it.begun >= switch.returned).count();
            let new = since.iter().find(|it| it.answer == new).map(|it| it.begun);
            let old = since.iter().rfind(|it| it.answer == old).map(|it| it.begun);
            if let Some(new) = new {
                propagation.push(old.map_or(Duration::ZERO, |old| old.saturating_duration_since(new)));
                windows.push((new.checked_sub(BEFORE).unwrap_or(new), new + AFTER));
            }
            windows.push((switch.asked, switch.returned));
        }
        let quick = |it: &&Request| it.kind != Kind::Slow && it.answer != Answer::Failed;
        let mut steady = Vec::new();
        for request in requests.iter().filter(quick) {
            let is_in = |(from, to): &&(Instant, Instant)| (*from..=*to).contains(&request.begun);
            match windows.iter().find(is_in) {
                Some((from, to)) if *to - *from == BEFORE + AFTER => around.push(request.took),
                Some(_) => {}
                None => steady.push(request.took),
            }
        }
        let command = switches.iter().map(|switch| switch.returned - switch.asked);
        Self {
            switches: switches.len(),
            requests: requests.len(),
            failed: [Kind::Kept, Kind::Closed, Kind::Slow].map(of_kind),
            late,
            p99: percentile(around, 99),
            steady_p99: percentile(steady, 99),
            propagation: (percentile(propagation.clone(), 50), percentile(propagation, 100)),
            command: percentile(command.collect(), 50),
            closed_idle: seen.closed_idle,
            websockets: seen.websockets,
            websockets_cut: seen.cut,
            noise: percentile(seen.noise.clone(), 99),
        }
    }

    fn failed(&self) -> usize {
        self.failed.iter().map(|(_, count)| count).sum()
    }

    /// One object, on one line.
    pub(crate) fn json(&self, contender: &Contender) -> Value {
        let [kept, closed, slow] = self.failed.map(|(_, count)| count);
        json!({
            "router": contender.router,
            "style": contender.style,
            "by": contender.by.as_str(),
            "default": contender.default,
            "switches": self.switches,
            "requests": self.requests,
            "failed": self.failed(),
            "failed_kept": kept,
            "failed_closed": closed,
            "failed_slow": slow,
            "late": self.late,
            "p99_ms": rounded(self.p99),
            "steady_p99_ms": rounded(self.steady_p99),
            "propagation_ms": rounded(self.propagation.0),
            "propagation_most_ms": rounded(self.propagation.1),
            "command_ms": self.command.round(),
            "closed_idle": self.closed_idle,
            "websockets": self.websockets,
            "websockets_cut": self.websockets_cut,
            "noise_p99_ms": rounded(self.noise),
        })
    }

    /// The first lines of the table.
    pub(crate) fn heading() -> String {
        let heads = "| router | style | by | requests | failed | late | p99 in the switch / else | propagation, median (most) | \
                     command | websockets cut | noise |";
        format!("{heads}\n|{}\n", "---|".repeat(11))
    }

    /// One of the others.
    pub(crate) fn row(&self, contender: &Contender) -> String {
        let (open, close) = if contender.default { ("**", "**") } else { ("", "") };
        let parts = self.failed.iter().filter(|(_, count)| *count > 0);
        let parts: Vec<String> =
            parts.map(|(kind, count)| format!("{count} {}", format!("{kind:?}").to_lowercase())).collect();
        let failed = match parts.as_slice() {
            [] => "0".to_owned(),
            parts => format!("{} ({})", self.failed(), parts.join(", ")),
        };
        format!(
            "| {} | {open}{}{close} | {} | {} | {failed} | {} | {:.1} / {:.1} ms | {:.0} ms ({:.0}) | {:.0} ms | {} of {} | {:.1} ms |\n",
            contender.router,
            contender.style,
            contender.by.as_str(),
            self.requests,
            self.late,
            self.p99,
            self.steady_p99,
            self.propagation.0,
            self.propagation.1,
            self.command,
            self.websockets_cut,
            self.websockets,
            self.noise,
        )
    }
}

/// A time that so many of a hundred do not exceed, in milliseconds.
fn percentile(mut times: Vec<Duration>, of_hundred: usize) -> f64 {
    times.sort_unstable();
    let place = (times.len() * of_hundred / 100).min(times.len().saturating_sub(1));
    times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

fn rounded(millis: f64) -> f64 {
    (millis * 100.0).round() / 100.0
}

/// What else goes on.
pub(crate) struct Machine {
    load: String,
}

impl Machine {
    pub(crate) fn now() -> Self {
        let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self { load: text.split(' ').take(3).collect::<Vec<_>>().join(" ") }
    }

    /// `2 processors; load before 0.10 0.20 0.15, after 1.70 1.20 0.80`.
    pub(crate) fn words(&self, after: &Self) -> String {
        let processors = std::thread::available_parallelism().map_or(0, usize::from);
        format!("{processors} processors; load before {}, after {}", self.load, after.load)
    }
}
