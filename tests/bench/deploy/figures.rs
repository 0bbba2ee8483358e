//! Figures of several deployments.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::Deployed;

/// Times of one contender, in milliseconds.
pub(crate) struct Contender {
    median: f64,
    least: f64,
    most: f64,
}

/// What a run of the measurement has come to.
pub(crate) struct Figures {
    pub(crate) hosts: u8,
    pub(crate) release_bytes: u64,
    pub(crate) cutover: Contender,
    pub(crate) script: Contender,
    /// What cutover spends on lock and journal, of its whole time.
    pub(crate) upkeep: Upkeep,
    /// Median of each step of cutover's, in milliseconds, in order.
    pub(crate) steps: Vec<(String, f64)>,
}

/// Medians, in milliseconds; and of the parts of the whole.
pub(crate) struct Upkeep {
    lock: f64,
    journal: f64,
    share: f64,
}

impl Upkeep {
    pub(crate) fn new(deployments: &[Deployed]) -> Self {
        let of = |figure: &dyn Fn(&Value) -> Option<f64>| {
            median(deployments.iter().filter_map(|deployed| figure(deployed.events.last()?)).collect())
        };
        let lock = |ended: &Value| ended["lock_ms"].as_f64();
        let journal = |ended: &Value| ended["journal_ms"].as_f64();
        let share = |ended: &Value| Some((lock(ended)? + journal(ended)?) / ended["took_ms"].as_f64()?);
        Self { lock: of(&lock), journal: of(&journal), share: of(&share) }
    }
}

impl Contender {
    pub(crate) fn new(times: impl IntoIterator<Item = Duration>) -> Self {
        let times: Vec<f64> = times.into_iter().map(|time| time.as_secs_f64() * 1e3).collect();
        let (least, most) =
            times.iter().fold((f64::MAX, 0.0_f64), |(a, b), time| (a.min(*time), b.max(*time)));
        Self { median: median(times), least, most }
    }

    fn json(&self) -> Value {
        json!({ "median_ms": self.median.round(), "min_ms": self.least.round(), "max_ms": self.most.round() })
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// How long each step took, and what lies between them: milliseconds by name, in order.
pub(crate) fn steps(deployments: &[Deployed]) -> Vec<(String, f64)> {
    let name = |event: &Value| Some(event["step"].as_str()?.to_owned());
    let ends = |event: &&Value| event["event"] == "step-ended";
    let names = deployments.first().map(|first| first.events.iter().filter(ends).filter_map(name).collect());
    let names: Vec<String> = names.unwrap_or_default();
    let took = |wanted: &String| {
        let times = deployments.iter().filter_map(|deployed| {
            let is_it = |event: &&Value| ends(event) && event["step"] == wanted.as_str();
            deployed.events.iter().find(is_it)?["took_ms"].as_f64()
        });
        median(times.collect())
    };
    names.iter().map(|name| (name.clone(), took(name))).collect()
}

impl Figures {
    fn ratio(&self) -> f64 {
        self.cutover.median / self.script.median
    }

    pub(crate) fn json(&self) -> Value {
        let steps: serde_json::Map<String, Value> =
            self.steps.iter().map(|(name, time)| (name.clone(), json!(time))).collect();
        json!({
            "hosts": self.hosts,
            "release_bytes": self.release_bytes,
            "ratio": self.ratio(),
            "cutover": self.cutover.json(),
            "script": self.script.json(),
            "lock_ms": self.upkeep.lock,
            "journal_ms": self.upkeep.journal,
            "lock_and_journal_share": self.upkeep.share,
            "steps_ms": steps,
        })
    }

    pub(crate) fn table(&self) -> String {
        let mut text = "| | median | least | most | ratio |\n|---|---|---|---|---|\n".to_owned();
        for (name, contender) in [("cutover", &self.cutover), ("script", &self.script)] {
            let Contender { median, least, most } = contender;
            let ratio = median / self.script.median;
            text += &format!("| {name} | {median:.0} ms | {least:.0} ms | {most:.0} ms | {ratio:.2} |\n");
        }
        let Upkeep { lock, journal, share } = self.upkeep;
        let percent = share * 100.0;
        text +=
            &format!("\nlock {lock:.0} ms and journal {journal:.0} ms: {percent:.0} % of cutover's time\n");
        let steps = self.steps.iter().map(|(name, time)| format!("{name} {time:.0} ms"));
        text + &format!("steps: {}\n", steps.collect::<Vec<_>>().join(", "))
    }
}
