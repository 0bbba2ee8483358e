//! Turns the ends of single actions into the steps that people see.

use std::time::Duration;

use super::interrupts::INTERRUPTED;
use super::interrupts::Interrupts;
use super::performed::{Summary, summarize};
use super::reporter::Reporter;
use super::runner::Ended;
use crate::model::{Action, End, EventKind, HostName, Note, Plan, Step, StepEnd, Timestamp, Trouble, WHOLE};
use crate::report::Quantity;

/// The step that is under way.
pub(crate) struct StepReport {
    reporter: Reporter,
    /// All hosts, where each has one place, which is called nothing.
    turns: Vec<HostName>,
    current: Option<Current>,
    /// The part of the last step that is done before others, told with the rest of it.
    early: Option<Current>,
    /// The release that is whole on the hosts, when this run has brought it.
    staged: Option<u64>,
    /// Hosts that are out together, where they are taken out.
    batch: Vec<HostName>,
    interrupted: bool,
}

struct Current {
    step: Step,
    places: Vec<String>,
    began: Timestamp,
    /// Before `began`.
    took: Duration,
    said: Vec<Summary>,
    details: Vec<Note>,
    failed: bool,
    warned: bool,
    retiring: bool,
    /// Whether the old colour is stopped in this step.
    stops: bool,
    /// Whether `cutover rollback` would go to what is kept warm: it never goes to a newer release.
    leads_back: bool,
    /// Whether hosts are taken out one after the other.
    rolls: bool,
    /// Whether it has been told that it began.
    is_told: bool,
    /// Percent of the requests that the new colour has in this step, where it shares them.
    weight: Option<u32>,
    wait: Option<Duration>,
}

impl StepReport {
    /// No step is under way.
    pub(crate) const fn new(reporter: Reporter, turns: Vec<HostName>) -> Self {
        let batch = Vec::new();
        Self { reporter, turns, current: None, early: None, staged: None, batch, interrupted: false }
    }

    fn places(&self, plan: &Plan, step: Step, action: &Action) -> Vec<String> {
        if !self.turns.is_empty() && action.is_everywhere() {
            return self.turns.iter().map(ToString::to_string).collect();
        }
        places(plan, step, action, &self.batch)
    }

    /// An action of a step begins; the step before ends, when it is another.
    pub(crate) fn begin(&mut self, plan: &Plan, step: Step, action: &Action, wait: Option<Duration>) {
        if self.current.as_ref().is_none_or(|current| current.step != step) {
            self.finish();
            if step == Step::Out {
                self.batch = action.hosts().to_vec();
            }
            let mut current = Current {
                step,
                places: self.places(plan, step, action),
                began: self.reporter.now(),
                took: Duration::ZERO,
                said: Vec::new(),
                details: Vec::new(),
                failed: false,
                warned: false,
                retiring: plan.retire.iter().any(|stage| stage.step == step),
                // Identifiers sort by time.
                leads_back: plan
                    .live
                    .as_ref()
                    .is_some_and(|(_, old)| old.as_ref().is_none_or(|old| *old < plan.release.id)),
                stops: plan.retire_tasks().any(|(_, task)| matches!(task.action, Action::Stop { .. })),
                rolls: plan.is_rolling(),
                is_told: false,
                weight: weight(plan, step, action),
                wait,
            };
            // What is live is recorded before the old colour drains, and people see one last step.
            let is_early = step == Step::Finish
                && !matches!(action, Action::Prune { .. })
                && plan.retire.iter().any(|stage| stage.step != Step::Finish);
            if !is_early {
                current.take_over(self.early.take_if(|early| early.step == step));
                current.tell(&self.reporter);
            }
            self.current = Some(current);
        } else if let Some(current) = &mut self.current
            && step == Step::Undo
            && let Some(place) = undo_place(action)
            && !current.places.contains(&place)
        {
            current.places.push(place);
        }
        if step == Step::Stage && plan.command == "deploy" {
            self.staged = Some(plan.release.number);
        }
    }

    /// An action ended.
    pub(crate) fn end(&mut self, ended: &Ended) {
        let Ended { step, action, performed, given_up, is_out } = ended;
        let step = *step;
        let Some(current) = self.current.as_mut().filter(|current| current.step == step) else { return };
        current.details.extend(performed.details.iter().cloned());
        current.warned |= matches!(performed.summary, Summary::Warning(_));
        match &performed.end {
            End::Done if step == Step::Undo => {
                current.said.extend(undone(action, &performed.summary, self.staged, current.rolls));
            }
            End::Done if step == Step::Retire => {
                current.said.extend(retired(action, &performed.summary, current, &self.reporter));
            }
            // What one host's instance proves would read as if it were said of the one that fails.
            End::Done if step == Step::Health && current.failed => {}
            End::Done => current.said.push(performed.summary.clone()),
            End::Failed(trouble) | End::Unknown(trouble) if *is_out && step != Step::Undo => {
                let place = action.place();
                current.warned = true;
                current.said.push(Summary::Text(format!("{place} is left out")));
                current.details.push(Note::new(place, trouble.message.clone()));
            }
            End::Failed(trouble) => {
                if step == Step::Health && !current.failed {
                    current.said.clear();
                }
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
        if step == Step::Stage && performed.end != End::Done {
            self.staged = None;
        }
    }

    /// A signal has come, and this follows from it. Told once.
    pub(crate) fn interrupted(&mut self, signal: &Interrupts, text: &str) {
        if !std::mem::replace(&mut self.interrupted, true) {
            let (signal, text) = (signal.first.to_owned(), text.to_owned());
            self.reporter.tell(EventKind::Interrupted { signal, text });
        }
    }

    /// The step that is under way has ended.
    pub(crate) fn finish(&mut self) {
        self.close(None);
    }

    /// The step that is under way was broken off, by a signal or by the deadline.
    pub(crate) fn cut_off(&mut self, why: &Trouble) {
        if let Some(current) = &mut self.current {
            current.said.push(Summary::Text(why.message.clone()));
        }
        self.close(Some(if why.code == INTERRUPTED { StepEnd::Interrupted } else { StepEnd::Failed }));
    }

    /// The step that is under way is left as it is.
    pub(crate) fn interrupt(&mut self) {
        self.close(Some(StepEnd::Interrupted));
    }

    /// Nothing comes any more.
    pub(crate) fn end_all(mut self) {
        self.finish();
        // What it would have been told with did not come.
        if let Some(mut early) = self.early.take().filter(|early| early.failed) {
            early.tell(&self.reporter);
            self.current = Some(early);
            self.finish();
        }
    }

    fn close(&mut self, end: Option<StepEnd>) {
        let Some(mut current) = self.current.take() else { return };
        let end = end.unwrap_or(match (current.failed, current.retiring) {
            (true, false) => StepEnd::Failed,
            (true, true) => StepEnd::Warning,
            (false, _) if current.warned => StepEnd::Warning,
            (false, _) => StepEnd::Ok,
        });
        let took = current.took + self.reporter.now().since(current.began);
        if !current.is_told && end != StepEnd::Interrupted {
            current.took = took;
            self.early = Some(current);
            return;
        }
        current.tell(&self.reporter);
        self.reporter.tell(EventKind::StepEnded {
            step: current.step,
            places: current.places,
            weight: current.weight,
            end,
            summary: summarize(&current.said),
            details: current.details,
            took,
        });
    }
}

impl Current {
    fn tell(&mut self, reporter: &Reporter) {
        if !std::mem::replace(&mut self.is_told, true) {
            let Self { step, weight, wait, .. } = *self;
            reporter.tell(EventKind::StepStarted { step, places: self.places.clone(), weight, wait });
        }
    }

    /// Takes over what an earlier part of the same step has come to.
    fn take_over(&mut self, early: Option<Self>) {
        let Some(early) = early else { return };
        (self.took, self.said, self.details) = (early.took, early.said, early.details);
        (self.failed, self.warned) = (early.failed, early.warned);
    }
}

/// What the new colour has of the requests in a step, in percent, where it shares them. The first share begins with units on application
/// hosts.
fn weight(plan: &Plan, step: Step, action: &Action) -> Option<u32> {
    let own = action.weight(plan.color).filter(|_| step != Step::Undo);
    let first = || plan.shares().next().filter(|_| step == Step::Switch);
    own.or_else(first).filter(|weight| (1..WHOLE).contains(weight))
}

/// Every place that the plan has for a step; an undo names its places as it comes to them.
fn places(plan: &Plan, step: Step, action: &Action, batch: &[HostName]) -> Vec<String> {
    if step == Step::Undo {
        return undo_place(action).into_iter().collect();
    }
    // There is one of it for each batch, and people look for its hosts there, not for the routers.
    let is_turn = matches!(step, Step::Out | Step::Start | Step::Health | Step::Smoke | Step::In);
    if plan.is_rolling() && is_turn {
        return batch.iter().map(ToString::to_string).collect();
    }
    if plan.is_rolling() && step == Step::Watch {
        let hosts = plan.batches().into_iter().flat_map(|batch| batch.hosts);
        return hosts.map(|host| host.to_string()).collect();
    }
    // There is one of it for each share of the traffic.
    if step == Step::Watch {
        return vec![action.place()];
    }
    let mut places = Vec::new();
    for stage in plan.stages.iter().chain(&plan.retire).filter(|stage| stage.step == step) {
        for task in &stage.tasks {
            // Switching begins with units on application hosts, and people look for the routers there.
            #[expect(clippy::wildcard_enum_match_arm, reason = "most steps are where their tasks are")]
            let told = match step {
                // A look at the routers is nowhere.
                Step::Start => task.action.host().is_some(),
                Step::Switch if plan.is_rolling() => matches!(task.action, Action::Prove { .. }),
                Step::Switch if plan.moves() => matches!(task.action, Action::Switch { .. }),
                Step::Switch => task.action.host().is_some(),
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

/// Where something is put back; guards and what the colour as a whole does are nowhere.
fn undo_place(action: &Action) -> Option<String> {
    action.host().or_else(|| action.router()).map(ToString::to_string)
}

/// What became of the old colour, said once, with the time that a way back would take by what this run has taken.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest of the step is not worth a word")]
fn retired(action: &Action, summary: &Summary, step: &Current, reporter: &Reporter) -> Option<Summary> {
    if let Summary::Warning(text) = summary {
        let first = match way_back(reporter).zip(reporter.took(Step::Start)) {
            Some((time, start)) => format!(" starts it first, ~{}", Quantity::wait(time + start)),
            None => " starts it first".to_owned(),
        };
        let back = if step.leads_back { format!("; `cutover rollback`{first}") } else { String::new() };
        return Some(Summary::Warning(format!("{text}{back}")));
    }
    let text = match action {
        Action::Disable { .. } if !step.stops && !step.leads_back => "kept warm".to_owned(),
        Action::Disable { .. } if !step.stops => match way_back(reporter) {
            Some(time) => format!("kept warm: `cutover rollback`, ~{}", Quantity::wait(time)),
            None => "kept warm: `cutover rollback`".to_owned(),
        },
        Action::Stop { .. } => "stopped".to_owned(),
        _ => return None,
    };
    Some(Summary::Text(text))
}

/// Until a warm colour has the traffic again: looking, health, tests and switch are the same work as they were in this run. In whole
/// seconds, rounded up; none when not all of it was measured, as after a crash.
fn way_back(reporter: &Reporter) -> Option<Duration> {
    let [look, health, switch] =
        [Step::Preflight, Step::Health, Step::Switch].map(|step| reporter.took(step));
    let time = look? + health? + reporter.took(Step::Smoke).unwrap_or_default() + switch?;
    let seconds = time.as_millis().div_ceil(1000).max(1);
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX)))
}

/// An undo action in the past tense; guards and what leaves no trace are not told.
#[expect(clippy::wildcard_enum_match_arm, reason = "most undo actions are not worth a word")]
fn undone(action: &Action, summary: &Summary, staged: Option<u64>, rolls: bool) -> Option<Summary> {
    let text = match action {
        // Each host goes back the same way, and each is named.
        Action::Stop { .. } | Action::Switch { .. } if rolls => return None,
        Action::Stop { color, .. } => format!("{color} stopped"),
        Action::Switch { want, .. } => format!("traffic back: {want}"),
        Action::Start { .. } | Action::Prove { .. } => return Some(summary.clone()),
        // What is whole is left, for `--release`.
        Action::RemovePartial { .. } => format!("release {} kept", staged?),
        _ => return None,
    };
    Some(Summary::Text(text))
}

#[cfg(test)]
mod tests;
