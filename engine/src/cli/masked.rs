//! Masks secrets in events before anyone sees them.

use crate::model::{Event, EventKind, EventSink, Note, Release};
use crate::secret::Redactor;

/// A sink that gets events without secrets.
pub(super) struct Masked<S: ?Sized> {
    pub(super) redactor: Redactor,
    pub(super) sink: std::sync::Arc<S>,
}

impl<S: EventSink + ?Sized> EventSink for Masked<S> {
    fn emit(&self, event: &Event) {
        let mut event = event.clone();
        self.mask(&mut event.kind);
        self.sink.emit(&event);
    }
}

impl<S: ?Sized> Masked<S> {
    fn mask(&self, kind: &mut EventKind) {
        let text = |text: &mut String| *text = self.redactor.mask(text);
        let notes = |notes: &mut Vec<Note>| {
            for note in notes {
                text(&mut note.label);
                text(&mut note.text);
            }
        };
        let release = |release: &mut Release| {
            let Release { revision, subject, branch, repository, version, digest, labels, .. } = release;
            [revision, subject, branch, repository, version].into_iter().flatten().for_each(text);
            text(digest);
            labels.iter_mut().flat_map(|(name, value)| [name, value]).for_each(text);
        };
        // Every text, also those that should never hold a secret: a new field is masked or does not compile.
        match kind {
            EventKind::Started { command, title, deployment } => {
                [command, title].into_iter().chain(deployment).for_each(text);
            }
            EventKind::Planned {
                deployment,
                release: planned,
                commits: _,
                live,
                color: _,
                maintenance: _,
                rolling: _,
                notes: said,
            } => {
                text(deployment);
                release(planned);
                live.iter_mut().for_each(|live| release(&mut live.release));
                notes(said);
            }
            EventKind::StepStarted { step: _, places, weight: _, wait: _ } => {
                places.iter_mut().for_each(text);
            }
            EventKind::StepProgress { step: _, place, text: said, transfer: _ } => {
                place.iter_mut().chain([said]).for_each(text);
            }
            EventKind::StepEnded { step: _, places, weight: _, end: _, summary, details, took: _ } => {
                places.iter_mut().chain([summary]).for_each(text);
                notes(details);
            }
            EventKind::Log { source, level: _, message } => {
                [source, message].into_iter().for_each(text);
            }
            EventKind::Denied { hook, request, grant } => {
                [hook, request, grant].into_iter().for_each(text);
            }
            EventKind::Switched(_) | EventKind::Pivot { release: _, maintenance: _ } => {}
            EventKind::Warning { text: said, hint } => {
                hint.iter_mut().chain([said]).for_each(text);
            }
            EventKind::Interrupted { signal, text: said } => {
                [signal, said].into_iter().for_each(text);
            }
            EventKind::Ended { outcome: _, code, error, facts, hint, exit_code: _, took: _, upkeep: _ } => {
                [code, error, hint].into_iter().flatten().for_each(text);
                notes(facts);
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends at what can't be")]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;
    use crate::model::{
        Color, Level, LiveRelease, Outcome, ReleaseId, Step, StepEnd, Switched, Timestamp, Transfer, Upkeep,
    };
    use crate::secret::Secret;

    const SECRET: &str = "hunter2-correct-horse";

    /// A text with the secret in it.
    fn t() -> String {
        format!("before {SECRET} after")
    }

    fn release() -> Release {
        Release {
            id: ReleaseId::parse("r1").unwrap(),
            number: 1,
            revision: Some(t()),
            subject: Some(t()),
            branch: Some(t()),
            repository: Some(t()),
            version: Some(t()),
            digest: t(),
            size: 0,
            created: Timestamp(0),
            labels: vec![(t(), t())],
        }
    }

    /// One of each kind, with the secret in every text.
    fn samples() -> Vec<EventKind> {
        let (step, places, zero) = (Step::Smoke, vec![t(), t()], Duration::ZERO);
        let live =
            LiveRelease { color: Color::Blue, release: release(), since: Timestamp(0), excluded: Vec::new() };
        let notes = vec![Note::new(t(), t()), Note::new(t(), t())];
        vec![
            EventKind::Started { command: t(), title: t(), deployment: Some(t()) },
            EventKind::Planned {
                deployment: t(),
                release: release(),
                commits: None,
                live: Some(live),
                color: Color::Green,
                maintenance: false,
                rolling: false,
                notes: notes.clone(),
            },
            EventKind::StepStarted { step, places: places.clone(), weight: None, wait: None },
            EventKind::StepProgress {
                step,
                place: Some(t()),
                text: t(),
                transfer: Some(Transfer { done: 1, total: 2 }),
            },
            EventKind::StepEnded {
                step,
                places,
                weight: None,
                end: StepEnd::Failed,
                summary: t(),
                details: notes.clone(),
                took: zero,
            },
            EventKind::Log { source: t(), level: Level::Info, message: t() },
            EventKind::Denied { hook: t(), request: t(), grant: t() },
            EventKind::Switched(Switched {
                weight: 100,
                routers: 1,
                skew_ms: None,
                requests: 0,
                late: None,
                last_late_ms: None,
            }),
            EventKind::Pivot { release: 1, maintenance: false },
            EventKind::Warning { text: t(), hint: Some(t()) },
            EventKind::Interrupted { signal: t(), text: t() },
            EventKind::Ended {
                outcome: Outcome::Stuck,
                code: Some(t()),
                error: Some(t()),
                facts: notes,
                hint: Some(t()),
                exit_code: 40,
                took: zero,
                upkeep: Upkeep::default(),
            },
        ]
    }

    /// JSON of what it gets.
    #[derive(Default)]
    struct Seen(Mutex<Vec<String>>);

    impl EventSink for Seen {
        fn emit(&self, event: &Event) {
            self.0.lock().unwrap().push(serde_json::to_string(event).unwrap());
        }
    }

    /// Texts of a value, keys of tables not among them.
    fn texts(value: &serde_json::Value) -> Vec<&str> {
        match value {
            serde_json::Value::String(text) => vec![text],
            serde_json::Value::Array(items) => items.iter().flat_map(texts).collect(),
            serde_json::Value::Object(entries) => entries.values().flat_map(texts).collect(),
            serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => Vec::new(),
        }
    }

    #[test]
    fn no_text_of_any_event_tells_a_secret() {
        let redactor = Redactor::default();
        redactor.add(&Secret::new(SECRET.to_owned()).unwrap());
        let sink = Arc::new(Seen::default());
        let masked = Masked { redactor, sink: Arc::clone(&sink) };
        // What is no free text: names of kinds, steps, colours, identifiers of releases.
        let closed = ["smoke", "failed", "blue", "green", "r1", "info", "stuck"];
        for kind in samples() {
            let event = Event { at: Timestamp(0), elapsed: Duration::ZERO, kind };
            let plain = serde_json::to_value(&event).unwrap();
            let name = plain["event"].as_str().unwrap().to_owned();
            for text in texts(&plain) {
                let known = text == name || closed.contains(&text) || text.contains(SECRET);
                assert!(known, "the sample of `{name}` has a text without the secret: `{text}`");
            }
            masked.emit(&event);
            let seen = sink.0.lock().unwrap().pop().unwrap();
            assert!(!seen.contains(SECRET), "{name}: {seen}");
            assert_eq!(seen.matches("before *** after").count(), plain.to_string().matches(SECRET).count());
        }
    }
}
