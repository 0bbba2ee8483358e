//! Turns the ends of single actions into the steps that people see.

use std::time::Duration;

use super::Reporter;
use super::interrupts::INTERRUPTED;
use super::performed::{Performed, Summary, summarize};
use crate::model::{Action, End, EventKind, Note, Plan, Step, StepEnd, Timestamp, Trouble};

/// The step that is under way.
pub(super) struct StepReport {
    reporter: Reporter,
    current: Option<Current>,
}

struct Current {
    step: Step,
    places: Vec<String>,
    began: Timestamp,
    said: Vec<Summary>,
    details: Vec<Note>,
    failed: bool,
    retiring: bool,
    /// Whether the old colour is stopped in this step.
    stops: bool,
}

impl StepReport {
    /// No step is under way.
    pub(super) const fn new(reporter: Reporter) -> Self {
        Self { reporter, current: None }
    }

    /// An action of a step begins; the step before ends, when it is another.
    pub(super) fn begin(&mut self, plan: &Plan, step: Step, action: &Action, wait: Option<Duration>) {
        if self.current.as_ref().is_none_or(|current| current.step != step) {
            self.finish();
            let retiring = plan.retire.iter().any(|stage| stage.step == step);
            let mut retired = plan.retire_tasks().map(|(_, task)| &task.action);
            let stops = retired.any(|action| matches!(action, Action::Stop { .. }));
            let places = places(plan, step, action);
            self.reporter.tell(EventKind::StepStarted { step, places: places.clone(), wait });
            let began = self.reporter.now();
            let (said, details) = (Vec::new(), Vec::new());
            self.current =
                Some(Current { step, places, began, said, details, failed: false, retiring, stops });
        } else if let Some(current) = &mut self.current
            && step == Step::Undo
            && is_shown(action)
            && !current.places.contains(&action.place())
        {
            current.places.push(action.place());
        }
    }

    /// An action ended; `given_up` says why when it is not tried again.
    pub(super) fn end(
        &mut self,
        step: Step,
        action: &Action,
        performed: &Performed,
        given_up: Option<&Trouble>,
    ) {
        let Some(current) = self.current.as_mut().filter(|current| current.step == step) else { return };
        current.details.extend(performed.details.iter().cloned());
        match &performed.end {
            End::Done if step == Step::Undo => current.said.extend(undone(action, &performed.summary)),
            End::Done if step == Step::Retire => current.said.extend(retired(action, current.stops)),
            End::Done => current.said.push(performed.summary.clone()),
            End::Failed(trouble) => {
                current.failed = true;
                let told = performed.summary != Summary::Nothing;
                let text = || Summary::Text(trouble.first_line().to_owned());
                current.said.push(if told { performed.summary.clone() } else { text() });
            }
            End::Unknown(trouble) if given_up.is_some() => {
                current.failed = true;
                current.said.push(Summary::Text(trouble.message.clone()));
            }
            End::Unknown(trouble) => {
                current.details.push(Note::new(action.place(), format!("{}; asked again", trouble.message)));
            }
            End::NeverBegan => {}
        }
    }

    /// The step that is under way has ended.
    pub(super) fn finish(&mut self) {
        self.close(None);
    }

    /// The step that is under way was broken off, by a signal or by the deadline.
    pub(super) fn cut_off(&mut self, why: &Trouble) {
        if let Some(current) = &mut self.current {
            current.said.push(Summary::Text(why.message.clone()));
        }
        self.close(Some(if why.code == INTERRUPTED { StepEnd::Interrupted } else { StepEnd::Failed }));
    }

    /// The step that is under way is left as it is.
    pub(super) fn interrupt(&mut self) {
        self.close(Some(StepEnd::Interrupted));
    }

    fn close(&mut self, end: Option<StepEnd>) {
        let Some(current) = self.current.take() else { return };
        let end = end.unwrap_or(match (current.failed, current.retiring) {
            (false, _) => StepEnd::Ok,
            (true, true) => StepEnd::Warning,
            (true, false) => StepEnd::Failed,
        });
        self.reporter.tell(EventKind::StepEnded {
            step: current.step,
            places: current.places,
            end,
            summary: summarize(&current.said),
            details: current.details,
            took: self.reporter.now().since(current.began),
        });
    }
}

/// Every place that the plan has for a step; an undo names its places as it comes to them.
fn places(plan: &Plan, step: Step, action: &Action) -> Vec<String> {
    if step == Step::Undo {
        return if is_shown(action) { vec![action.place()] } else { Vec::new() };
    }
    let mut places = Vec::new();
    for stage in plan.stages.iter().chain(&plan.retire).filter(|stage| stage.step == step) {
        for task in &stage.tasks {
            // Switching begins with units on application hosts, and people look for the routers there.
            #[expect(clippy::wildcard_enum_match_arm, reason = "most steps are where their tasks are")]
            let told = match step {
                Step::Switch => matches!(task.action, Action::Switch { .. }),
                Step::Finish => matches!(task.action, Action::SetCurrent { .. }),
                Step::Retire => matches!(task.action, Action::Disable { .. }),
                _ => true,
            };
            if told && !places.contains(&task.action.place()) {
                places.push(task.action.place());
            }
        }
    }
    places
}

/// Whether an undo action is told: guards and what leaves no trace are not.
fn is_shown(action: &Action) -> bool {
    matches!(
        action,
        Action::Start { .. } | Action::Stop { .. } | Action::Switch { .. } | Action::Drain { .. }
    )
}

/// What became of the old colour, said once.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest of the step is not worth a word")]
fn retired(action: &Action, stops: bool) -> Option<Summary> {
    let text = match action {
        Action::Disable { .. } if !stops => "kept warm: `cutover rollback`",
        Action::Stop { .. } => "stopped",
        _ => return None,
    };
    Some(Summary::Text(text.to_owned()))
}

/// An undo action in the past tense; guards and what leaves no trace are not told.
#[expect(clippy::wildcard_enum_match_arm, reason = "most undo actions are not worth a word")]
fn undone(action: &Action, summary: &Summary) -> Option<Summary> {
    let text = match action {
        Action::Start { color, .. } => format!("{color} started again as it was"),
        Action::Stop { color, .. } => format!("{color} stopped"),
        Action::Switch { want, .. } => format!("traffic back: {want}"),
        Action::Prove { .. } => return Some(summary.clone()),
        _ => return None,
    };
    Some(Summary::Text(text))
}
