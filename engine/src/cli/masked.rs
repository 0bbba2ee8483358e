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
            let Release { revision, subject, branch, version, labels, .. } = release;
            [revision, subject, branch, version].into_iter().flatten().for_each(text);
            labels.iter_mut().flat_map(|(name, value)| [name, value]).for_each(text);
        };
        match kind {
            EventKind::StepProgress { text: said, .. } | EventKind::Interrupted { text: said, .. } => {
                text(said);
            }
            EventKind::StepEnded { summary, details, .. } => {
                text(summary);
                notes(details);
            }
            EventKind::Log { source, message, .. } => {
                text(source);
                text(message);
            }
            EventKind::Denied { request, grant, .. } => {
                text(request);
                text(grant);
            }
            EventKind::Warning { text: said, hint } => {
                text(said);
                hint.iter_mut().for_each(text);
            }
            EventKind::Ended { error, facts, hint, .. } => {
                error.iter_mut().for_each(text);
                notes(facts);
                hint.iter_mut().for_each(text);
            }
            EventKind::Planned { release: planned, live, notes: said, .. } => {
                release(planned);
                live.iter_mut().for_each(|live| release(&mut live.release));
                notes(said);
            }
            EventKind::Started { .. } | EventKind::StepStarted { .. } | EventKind::Pivot { .. } => {}
        }
    }
}
