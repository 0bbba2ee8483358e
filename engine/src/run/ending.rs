//! The end of a run, in words and as an exit code: pure functions over what is known.

use super::Reporter;
use super::interrupts::INTERRUPTED;
use crate::model::view::ExitCode;
use crate::model::{Color, EventKind, HostName, LiveRecord, Note, Outcome, Plan, Progress, Trouble};

/// A run's end before its time is added.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ending {
    pub(crate) outcome: Outcome,
    pub(crate) error: Option<Trouble>,
    pub(crate) facts: Vec<Note>,
    pub(crate) hint: Option<String>,
    pub(crate) exit_code: ExitCode,
}

impl Ending {
    /// As the last event.
    pub(crate) fn event(self, reporter: &Reporter) -> EventKind {
        let (code, error) = match self.error {
            Some(trouble) => (Some(trouble.code), Some(trouble.message)),
            None => (None, None),
        };
        EventKind::Ended {
            outcome: self.outcome,
            code,
            error,
            facts: self.facts,
            hint: self.hint,
            exit_code: self.exit_code.code(),
            took: reporter.elapsed(),
            upkeep: reporter.upkeep(),
        }
    }

    /// Nothing was begun.
    pub(crate) fn before_anything(trouble: Trouble, live: Option<&LiveRecord>) -> Self {
        let exit_code = early_exit_code(&trouble.code);
        let facts = live
            .map(|record| Note::new("traffic", format!("{}; nothing was run", serving(record))))
            .into_iter()
            .collect();
        let hint = trouble.hint.clone();
        let outcome = if exit_code == ExitCode::Stuck { Outcome::Stuck } else { Outcome::NothingChanged };
        Self { outcome, error: Some(trouble), facts, hint, exit_code }
    }

    /// Nothing could be begun: hosts that were not reached, hooks that can't be used. The error is the gravest, the others are facts.
    pub(crate) fn refused(mut troubles: Vec<Trouble>) -> Self {
        let gravity = |trouble: &Trouble| {
            let exit = early_exit_code(&trouble.code);
            let order = [ExitCode::Refused, ExitCode::Configuration];
            order.iter().position(|grave| *grave == exit).unwrap_or(order.len())
        };
        troubles.sort_by_key(gravity);
        let mut troubles = troubles.into_iter();
        let first = troubles.next().unwrap_or_else(|| {
            Trouble::new("internal/refused", "the run could not begin, and nothing says why")
        });
        let mut ending = Self::before_anything(first, None);
        ending.facts.extend(troubles.map(|trouble| {
            let own = trouble.hint.filter(|hint| ending.hint.as_ref() != Some(hint));
            let text = trouble.message + &own.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            Note::new("also", text)
        }));
        ending
    }

    /// The deployment has ended.
    pub(crate) fn of(
        progress: &Progress,
        outcome: Outcome,
        live: Option<&LiveRecord>,
        old: &[InstanceHealth],
    ) -> Self {
        let plan = progress.plan();
        let error = progress.first_error().cloned();
        let interrupted = error.as_ref().is_some_and(|trouble| trouble.code == INTERRUPTED);
        let exit_code = match (outcome, interrupted) {
            (Outcome::Deployed, _) => ExitCode::Done,
            (Outcome::RolledBack | Outcome::NothingChanged, true) => ExitCode::InterruptedPutBack,
            (Outcome::RolledBack, false) => ExitCode::RolledBack,
            (Outcome::NothingChanged, false) => ExitCode::NothingChanged,
            (Outcome::Stuck, _) => ExitCode::Stuck,
            (Outcome::Unfinished, _) => ExitCode::InterruptedUnfinished,
        };
        let mut facts = vec![Note::new("traffic", traffic(progress, outcome, live, old))];
        if outcome != Outcome::Deployed && progress.migration_begun() {
            facts.push(Note::new("not undone", format!("migrations of release {}", plan.release.number)));
        }
        facts.extend(left_out(progress));
        for (action, reason) in progress.not_undone() {
            facts.push(Note::new("by hand", format!("{}: {action} ({reason})", action.place())));
        }
        for (action, trouble) in progress.warnings() {
            facts.push(Note::new("warning", format!("{}: {action}: {}", action.place(), trouble.message)));
        }
        let mut error = if outcome == Outcome::Deployed { None } else { error };
        let hint = hint(plan, outcome, error.as_ref());
        let untouched = matches!(outcome, Outcome::RolledBack | Outcome::NothingChanged);
        if let Some(error) = error.as_mut().filter(|_| untouched && !progress.switch_begun()) {
            let end = error.first_line().len();
            error.message.insert_str(end, &format!("; release {} got no traffic", plan.release.number));
        }
        Self { outcome, error, facts, hint, exit_code }
    }

    /// The run was left at once, whatever it was at.
    pub(crate) fn left(trouble: Trouble) -> Self {
        Self {
            outcome: Outcome::Unfinished,
            error: Some(trouble),
            facts: vec![Note::new("traffic", "not known: `cutover status` asks the routers")],
            hint: Some(
                "`cutover status` says whether a deployment has begun; `cutover resume` goes on with it"
                    .to_owned(),
            ),
            exit_code: ExitCode::InterruptedUnfinished,
        }
    }

    /// The run stopped before its deployment did.
    pub(crate) fn unfinished(progress: &Progress, trouble: Trouble) -> Self {
        let exit_code = match trouble.code.as_str() {
            "state/fenced" => ExitCode::Fenced,
            _ => ExitCode::InterruptedUnfinished,
        };
        let traffic = if progress.is_pivoted() {
            format!("{}, release {}", progress.plan().color, progress.plan().release.number)
        } else if progress.switch_begun() {
            "not known: `cutover status` asks the routers".to_owned()
        } else {
            "as it was: no router was touched".to_owned()
        };
        let hint = if exit_code == ExitCode::Fenced {
            trouble.hint.clone()
        } else if progress.is_pivoted() {
            Some("`cutover resume` finishes the clean-up; what is live stays so".to_owned())
        } else {
            Some("`cutover resume` goes on from here, `cutover abort` puts everything back".to_owned())
        };
        Self {
            outcome: Outcome::Unfinished,
            error: Some(trouble),
            facts: vec![Note::new("traffic", traffic)],
            hint,
            exit_code,
        }
    }
}

/// Exit code of an error that came before anything was changed.
///
/// | code | exit |
/// |---|---|
/// | `internal/…`, `hook/no-sandbox` | 1 |
/// | `state/not-held` | 2 |
/// | `deploy/interrupted` | 20 |
/// | `state/locked` | 30 |
/// | `state/fenced` | 31 |
/// | `deploy/unfinished`, `deploy/drift`, `deploy/routers-disagree`, `resume/moved`, `resume/no-way`, `resume/old-switch`, `abort/too-late`, `state/unfinished`, `state/lineage`, `state/elsewhere`, `state/moved`, `state/under-way`, `state/second-home`, `state/lost`, `state/contradiction`, `state/changed`, `state/nothing`, `state/two-states`, `state/journal-broken`, `state/malformed`, `state/generation` | 40 |
/// | `config/…`, `hook/missing-grant`, `hook/unknown-builtin`, `hook/unreadable`, `hook/not-a-component`, `hook/wrong-kind`, `hook/unknown-import`, `hook/unfit`, `hook/not-compiled`, `hook/unusable`, `hook/settings`, `secret/undeclared`, `state/newer-version` | 50 |
/// | `host/untrusted`, `state/untrusted`, `resume/authority`, `hook/digest` | 60 |
/// | any other | 11 |
///
/// Once something was changed, the outcome decides instead: 10, 20, 21, 31 or 40.
#[must_use]
pub fn early_exit_code(code: &str) -> ExitCode {
    match code {
        INTERRUPTED => ExitCode::InterruptedPutBack,
        "state/not-held" => ExitCode::Usage,
        "state/locked" => ExitCode::Locked,
        "state/fenced" => ExitCode::Fenced,
        "deploy/unfinished"
        | "deploy/drift"
        | "deploy/routers-disagree"
        | "state/unfinished"
        | "state/malformed"
        | "state/generation"
        | "state/lineage"
        | "state/elsewhere"
        | "state/moved"
        | "state/under-way"
        | "state/second-home"
        | "state/lost"
        | "state/contradiction"
        | "state/changed"
        | "state/nothing"
        | "state/two-states"
        | "state/journal-broken"
        | "state/too-large"
        | "resume/moved"
        | "resume/no-way"
        | "resume/old-switch"
        | "abort/too-late" => ExitCode::Stuck,
        "host/untrusted" | "state/untrusted" | "resume/authority" | "hook/digest" => ExitCode::Refused,
        "hook/missing-grant"
        | "hook/unknown-builtin"
        | "hook/unreadable"
        | "hook/not-a-component"
        | "hook/wrong-kind"
        | "hook/unknown-import"
        | "hook/unfit"
        | "hook/not-compiled"
        | "hook/unusable"
        | "hook/settings"
        | "secret/undeclared"
        | "state/newer-version" => ExitCode::Configuration,
        "hook/no-sandbox" => ExitCode::Internal,
        _ if code.starts_with("config/") => ExitCode::Configuration,
        _ if code.starts_with("internal/") => ExitCode::Internal,
        _ => ExitCode::NothingChanged,
    }
}

/// `blue, release 42`.
pub(crate) fn serving(record: &LiveRecord) -> String {
    format!("{}, release {}", record.live.color, record.live.release.number)
}

/// What one look at an instance of the old colour found at the end: nothing, or what is wrong with it.
pub(crate) type InstanceHealth = (HostName, Option<String>);

/// `, healthy on web1, not healthy on web2: answers 500`; nothing where nobody has looked.
fn health(old: &[InstanceHealth]) -> String {
    let healthy: Vec<&str> =
        old.iter().filter(|(_, wrong)| wrong.is_none()).map(|(host, _)| host.as_str()).collect();
    let mut words = match healthy.as_slice() {
        [] => String::new(),
        few @ [..] if few.len() <= 4 => format!(", healthy on {}", few.join(" ")),
        many => format!(", healthy on {} of {} hosts", many.len(), old.len()),
    };
    for (host, wrong) in old {
        if let Some(wrong) = wrong {
            words.push_str(&format!(", not healthy on {host}: {}", wrong.lines().next().unwrap_or_default()));
        }
    }
    words
}

/// Hosts that had no part in it, each with why.
fn left_out(progress: &Progress) -> Vec<Note> {
    let say = |host: HostName| {
        let why = progress.why_left_out(&host).map_or("it could not be reached", Trouble::first_line);
        Note::new("left out", format!("{host}: {why}"))
    };
    progress.excluded().into_iter().map(say).collect()
}

fn traffic(
    progress: &Progress,
    outcome: Outcome,
    live: Option<&LiveRecord>,
    old_health: &[InstanceHealth],
) -> String {
    let plan = progress.plan();
    let new = format!("{}, release {}", plan.color, plan.release.number);
    let old = || match (live, &plan.live) {
        (Some(record), _) => serving(record),
        (None, Some((color, _))) => color.to_string(),
        (None, None) => "no colour, as before this first deployment".to_owned(),
    };
    match outcome {
        Outcome::Deployed => new,
        Outcome::RolledBack if progress.switch_begun() => {
            format!("{}{}; put back", old(), health(old_health))
        }
        Outcome::RolledBack | Outcome::NothingChanged => {
            format!("{}{}; never touched", old(), health(old_health))
        }
        Outcome::Stuck | Outcome::Unfinished => "look: `cutover status` asks hosts and routers".to_owned(),
    }
}

fn hint(plan: &Plan, outcome: Outcome, error: Option<&Trouble>) -> Option<String> {
    let number = plan.release.number;
    match outcome {
        Outcome::Deployed | Outcome::Unfinished => None,
        Outcome::Stuck => Some("mend what is named above, then `cutover resume` (or `cutover abort`)".into()),
        Outcome::RolledBack | Outcome::NothingChanged => {
            let own = error.and_then(|trouble| trouble.hint.clone());
            own.or_else(|| {
                let retry = "fix and `cutover deploy`";
                Some(if outcome == Outcome::RolledBack && plan.command == "deploy" {
                    format!("{retry}, or retry without building: `cutover deploy --release {number}`")
                } else {
                    retry.to_owned()
                })
            })
        }
    }
}

/// Colour names for a sentence: `green`.
pub(crate) fn idle_of(live: Option<&LiveRecord>) -> Color {
    live.map_or(Color::Blue, |record| record.live.color.other())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreachable(host: &str) -> Trouble {
        Trouble::new("state/unreachable", format!("{host}: host `{host}` can't be reached: no route"))
    }

    #[test]
    fn a_run_that_could_not_begin_names_all_and_ends_by_the_gravest() {
        let troubles = |extra: &[Trouble]| [&[unreachable("web1"), unreachable("web2")], extra].concat();
        let ended = |extra: &[Trouble]| {
            let ending = Ending::refused(troubles(extra));
            let code = ending.error.as_ref().map(|trouble| trouble.code.clone()).unwrap_or_default();
            (code, ending.exit_code, ending.outcome, ending.facts.len())
        };
        let nothing = Outcome::NothingChanged;
        assert_eq!(ended(&[]), ("state/unreachable".to_owned(), ExitCode::NothingChanged, nothing, 1));
        let grant = Trouble::new("hook/missing-grant", "hook `vendor` needs `exec`");
        let key = Trouble::new("state/untrusted", "the key of host `lb1` is not known").hint("look at it");
        assert_eq!(
            ended(std::slice::from_ref(&grant)),
            ("hook/missing-grant".to_owned(), ExitCode::Configuration, nothing, 2)
        );
        assert_eq!(ended(&[grant, key]), ("state/untrusted".to_owned(), ExitCode::Refused, nothing, 3));
        let ending = Ending::refused(vec![unreachable("web1"), unreachable("web2").hint("turn it on")]);
        let text = "web2: host `web2` can't be reached: no route\nhint: turn it on";
        assert_eq!(ending.facts, [Note::new("also", text)]);
    }

    #[test]
    fn errors_before_anything_have_their_exit_codes() {
        let table: [(u8, &[&str]); 8] = [
            (1, &["internal/home", "internal/panic"]),
            (2, &["state/not-held"]),
            (20, &[INTERRUPTED]),
            (30, &["state/locked"]),
            (31, &["state/fenced"]),
            (
                40,
                &[
                    "deploy/unfinished",
                    "deploy/drift",
                    "deploy/routers-disagree",
                    "resume/moved",
                    "resume/no-way",
                    "resume/old-switch",
                    "abort/too-late",
                    "state/unfinished",
                    "state/lineage",
                    "state/elsewhere",
                    "state/moved",
                    "state/under-way",
                    "state/second-home",
                    "state/lost",
                    "state/contradiction",
                    "state/changed",
                    "state/nothing",
                    "state/two-states",
                    "state/journal-broken",
                    "state/malformed",
                    "state/generation",
                ],
            ),
            (50, &["config/value", "hook/missing-grant", "secret/undeclared", "state/newer-version"]),
            (60, &["host/untrusted", "state/untrusted", "resume/authority", "hook/digest"]),
        ];
        for (exit, codes) in table {
            for code in codes {
                assert_eq!(early_exit_code(code).code(), exit, "{code}");
            }
        }
        for code in
            ["host/unreachable", "release/unknown", "deploy/live-already", "build/artifact", "hook/trapped"]
        {
            assert_eq!(early_exit_code(code).code(), 11, "{code}");
        }
    }
}
