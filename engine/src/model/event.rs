//! What happens, told for people and tools: rich, while the journal is small.
//!
//! In JSON, keys are `snake_case`, points in time are milliseconds since 1970-01-01 UTC, lengths of time (`…_ms`) milliseconds.
//! The first event of a run is [`EventKind::Started`] and the last one [`EventKind::Ended`], always.

use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use super::{Color, HostName, Release, Step, Switched, Timestamp};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Since the run began.
    #[serde(rename = "elapsed_ms", serialize_with = "millis")]
    pub elapsed: Duration,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// Where events go. Sinks may be slow or closed; they can't fail a deployment.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: &Event);
}

/// What happened.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is passed by reference")]
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum EventKind {
    /// First event.
    Started {
        /// `deploy`, `rollback`, `maintenance on`, `maintenance off`, `resume`, `abort`.
        command: String,
        /// `shop/production`.
        title: String,
        /// Deployment identifier; none where a deployment is taken up that is to be found yet: then the plan's event tells it.
        deployment: Option<String>,
    },
    /// The release and the plan are known: the header line.
    Planned {
        /// Deployment identifier.
        deployment: String,
        /// What goes live (number and identifier known).
        release: Release,
        /// Commits since the live release, when known.
        commits: Option<u64>,
        /// What is live now.
        live: Option<LiveRelease>,
        /// Colour that is filled; the idle one where maintenance begins, the live one where it ends.
        color: Color,
        /// Whether what is live gets no requests now, since a person wanted it so.
        #[serde(skip_serializing_if = "is_false")]
        maintenance: bool,
        /// Whether hosts have one place each, which is called nothing.
        #[serde(skip_serializing_if = "is_false")]
        rolling: bool,
        /// What the operator should know beforehand (unpushed work, migrations without a way back).
        notes: Vec<Note>,
    },
    /// A step begins.
    StepStarted {
        /// Which.
        step: Step,
        /// Hosts, routers or tests that it is about.
        places: Vec<String>,
        /// Percent of the requests that the new colour has in it, where it shares them with the old one.
        #[serde(skip_serializing_if = "Option::is_none")]
        weight: Option<u32>,
        /// When it will end at the latest, where it waits for something (health, watch, drain): length of the wait.
        #[serde(rename = "wait_ms", serialize_with = "optional_millis")]
        wait: Option<Duration>,
    },
    /// How far a step has come; for live displays.
    StepProgress {
        /// Which.
        step: Step,
        /// One of its places, when it is about one.
        place: Option<String>,
        /// In a few words: `2 of 3 healthy`, `starting: connection refused on :4002`.
        text: String,
        /// Bytes moved so far, for a transfer.
        transfer: Option<Transfer>,
    },
    /// A step ended.
    StepEnded {
        /// Which.
        step: Step,
        /// Its places.
        places: Vec<String>,
        /// As it was told when it began.
        #[serde(skip_serializing_if = "Option::is_none")]
        weight: Option<u32>,
        /// How.
        end: StepEnd,
        /// The last column: `1.3 of 48 MB sent`, `7 passed`.
        summary: String,
        /// Indented lines beneath: failed cases, log tails, hints.
        details: Vec<Note>,
        /// How long it took.
        #[serde(rename = "took_ms", serialize_with = "millis")]
        took: Duration,
    },
    /// A line of a hook, of an application or of a program.
    Log {
        /// Who said it: `hook vendor`, `web2 log`.
        source: String,
        /// How important.
        level: Level,
        /// The text, not yet escaped.
        message: String,
    },
    /// A hook asked for what was not granted.
    Denied {
        /// Title of the hook.
        hook: String,
        /// What it asked for.
        request: String,
        /// Lines to add to its `grants` table, ready to paste.
        grant: String,
    },
    /// A switch was watched to its end: what it was like.
    Switched(Switched),
    /// From here on only forward.
    Pivot {
        /// Release that is live.
        release: u64,
        /// Whether it gets no requests until maintenance ends.
        #[serde(skip_serializing_if = "is_false")]
        maintenance: bool,
    },
    /// Something a person should know that fails nothing.
    Warning {
        /// What.
        text: String,
        /// What to do.
        hint: Option<String>,
    },
    /// A signal arrived, and what follows from it.
    Interrupted {
        /// `Ctrl-C`, `SIGTERM`, …
        signal: String,
        /// What is done now.
        text: String,
    },
    /// Last event.
    Ended {
        /// How.
        outcome: Outcome,
        /// `smoke/failed`: class and case of the first error, none when all went well.
        code: Option<String>,
        /// One line: what failed, or nothing.
        error: Option<String>,
        /// Lines `traffic`, `not undone`, `by hand`, … with their texts, in order.
        facts: Vec<Note>,
        /// What to type next.
        hint: Option<String>,
        /// Documented exit code.
        exit_code: u8,
        /// Of the whole run.
        #[serde(rename = "took_ms", serialize_with = "millis")]
        took: Duration,
        /// Of it, what the run spent on being safe.
        #[serde(flatten)]
        upkeep: Upkeep,
    },
}

/// What a run spends on being safe rather than on its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Upkeep {
    /// Taking the lock, shutting out its earlier holders, and freeing it; a wait for another holder too.
    #[serde(rename = "lock_ms", serialize_with = "millis")]
    pub lock: Duration,
    /// Waiting for the journal and the history. Other work may go on meanwhile.
    #[serde(rename = "journal_ms", serialize_with = "millis")]
    pub journal: Duration,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepEnd {
    /// As it should.
    Ok,
    /// Did not have to be done.
    Skipped,
    /// Fails the deployment.
    Failed,
    /// Failed, and this fails nothing.
    Warning,
    /// Was not finished: interrupted.
    Interrupted,
}

/// How a run ended (promise P3: exactly one of these).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The release is live.
    Deployed,
    /// Failed or interrupted, and everything was put back.
    RolledBack,
    /// Failed or interrupted before anything was changed.
    NothingChanged,
    /// A person is needed.
    Stuck,
    /// Ended before its end; the next command goes on.
    Unfinished,
}

/// Importance of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// For authors.
    Debug,
    /// Ordinary.
    Info,
    /// Worth a look.
    Warn,
    /// Something went wrong.
    Error,
}

/// A labelled line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// `login-works`, `web2 log`, `traffic`.
    pub label: String,
    /// The rest; may have several lines.
    pub text: String,
}

impl Note {
    /// A labelled line.
    pub fn new(label: impl Into<String>, text: impl Into<String>) -> Self {
        Self { label: label.into(), text: text.into() }
    }
}

/// What is live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveRelease {
    /// Its colour.
    pub color: Color,
    /// The release.
    pub release: Release,
    /// Since when.
    pub since: Timestamp,
    /// Hosts that were left out: they don't have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<HostName>,
}

/// Bytes moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Transfer {
    /// So far.
    pub done: u64,
    /// In all.
    pub total: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) const fn is_false(it: &bool) -> bool {
    !*it
}

/// A length of time as JSON has it.
fn millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// As [`millis`], or `null`.
fn optional_millis<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => millis(duration, serializer),
        None => serializer.serialize_none(),
    }
}
