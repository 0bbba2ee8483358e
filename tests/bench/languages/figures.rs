//! What was measured, for people and tools.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::median;

/// All contenders; the last three are processes.
pub(crate) struct Figures {
    pub(crate) rows: Vec<Row>,
    pub(crate) noise: Duration,
}

/// One contender. What a process has none of is empty.
#[derive(Default)]
pub(crate) struct Row {
    name: String,
    pub(crate) size: Option<usize>,
    pub(crate) memory: Option<u64>,
    pub(crate) compiles: Vec<Duration>,
    pub(crate) loads: Vec<Duration>,
    pub(crate) instances: Vec<Duration>,
    pub(crate) checks: Vec<Duration>,
}

/// What all is compared with.
const BASELINE: &str = "process: bash";

impl Row {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

impl Figures {
    /// The median of the check in bash.
    fn baseline(&self) -> f64 {
        let bash = self.rows.iter().find(|row| row.name == BASELINE);
        bash.and_then(|row| millis(&row.checks)).unwrap_or(f64::NAN)
    }

    pub(crate) fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let check = millis(&row.checks);
            json!({
                "name": row.name,
                "size_bytes": row.size,
                "compile_ms": millis(&row.compiles),
                "compiles": row.compiles.len(),
                "load_ms": millis(&row.loads),
                "loads": row.loads.len(),
                "instance_ms": millis(&row.instances),
                "check_ms": check,
                "checks": row.checks.len(),
                "ratio": check.map(|time| time / self.baseline()),
                "memory_bytes": row.memory,
            })
        });
        json!({
            "baseline": BASELINE,
            "machine": machine(),
            "noise_p99_ms": self.noise.as_secs_f64() * 1e3,
            "rows": rows.collect::<Vec<_>>(),
        })
    }

    pub(crate) fn table(&self) -> String {
        let count = |of: fn(&Row) -> usize| self.rows.iter().map(of).max().unwrap_or_default();
        let mut text = format!(
            "Medians: {} compilations, {} loads, {} checks. {}; noise {:.1} ms.\n\n\
             | | component | first load | load | instance | check | of `bash` | memory |\n|---|---|---|---|---|---|---|---|\n",
            count(|row| row.compiles.len()),
            count(|row| row.loads.len()),
            count(|row| row.checks.len()),
            machine(),
            self.noise.as_secs_f64() * 1e3,
        );
        for row in &self.rows {
            let time = |times: &[Duration]| millis(times).map_or("–".to_owned(), shown);
            let size = |bytes: Option<u64>| {
                bytes.map_or("–".to_owned(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6))
            };
            let ratio =
                millis(&row.checks).map_or("–".to_owned(), |time| format!("{:.2}", time / self.baseline()));
            text += &format!(
                "| {} | {} | {} | {} | {} | {} | {ratio} | {} |\n",
                row.name,
                size(row.size.map(|bytes| bytes as u64)),
                time(&row.compiles),
                time(&row.loads),
                time(&row.instances),
                time(&row.checks),
                size(row.memory),
            );
        }
        text
    }
}

fn millis(times: &[Duration]) -> Option<f64> {
    (!times.is_empty()).then(|| median(times.to_vec()).as_secs_f64() * 1e3)
}

fn shown(millis: f64) -> String {
    match millis {
        1000.0.. => format!("{:.1} s", millis / 1e3),
        10.0.. => format!("{millis:.0} ms"),
        _ => format!("{millis:.2} ms"),
    }
}

/// Processor, cores, kernel, and how much else there was to do.
fn machine() -> String {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let processor = read("/proc/cpuinfo");
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let (kernel, load) = (read("/proc/sys/kernel/osrelease"), read("/proc/loadavg"));
    format!(
        "{}, {cores} cores, Linux {}, load {}",
        processor.map_or("a processor", |(_, name)| name),
        kernel.trim(),
        load.split(' ').next().unwrap_or_default()
    )
}
