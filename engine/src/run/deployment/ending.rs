//! The end of a run, in words and as an exit code: pure functions over what is known.

use super::early_exit::early_exit_code;
use super::turn_words::turn_words;
use crate::model::view::ExitCode;
use crate::model::{
    ABANDONED, Action, Ask, Color, Deployment, EventKind, HostName, LiveRecord, LiveRelease, Maintenance,
    NOT_TRIED, Note, Outcome, Plan, Progress, ReleaseId, Routing, Trouble, ways_on,
};
use crate::report;
use crate::run::execute::interrupts::INTERRUPTED;
use crate::run::execute::reporter::Reporter;
use crate::run::world::afterwards::{Afterwards, InstanceHealth, LastLook};
use crate::run::world::named::{by_number, recorded};

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

    /// Nothing was begun. `traffic` says what has the traffic, where that is known.
    pub(crate) fn before_anything(trouble: Trouble, traffic: Option<String>) -> Self {
        let exit_code = early_exit_code(&trouble.code);
        let traffic = traffic.map(|traffic| Note::new("traffic", format!("{traffic}; nothing was run")));
        let facts = traffic.into_iter().collect();
        let hint = trouble.hint.clone();
        let outcome = if exit_code == ExitCode::Stuck { Outcome::Stuck } else { Outcome::NothingChanged };
        Self { outcome, error: Some(trouble), facts, hint, exit_code }
    }

    /// What was wanted is so already.
    pub(crate) fn so_already(trouble: Trouble) -> Self {
        Self {
            outcome: Outcome::NothingChanged,
            error: None,
            facts: vec![Note::new("nothing to do", trouble.message)],
            hint: trouble.hint,
            exit_code: ExitCode::Done,
        }
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

    /// The deployment has ended; `seen` is what was looked at since.
    pub(crate) fn of(
        progress: &Progress,
        outcome: Outcome,
        live: Option<&LiveRecord>,
        seen: &Afterwards,
    ) -> Self {
        let plan = progress.plan();
        let error = progress.first_error().cloned();
        let interrupted = is_interrupted(error.as_ref());
        let mut told = progress.warnings().into_iter().map(|(_, trouble)| trouble).chain(error.as_ref());
        let exit_code = match (outcome, interrupted) {
            // Who claims what its home never gave is named before all that follows from it.
            _ if told.any(|trouble| trouble.code == Trouble::BEHIND) => ExitCode::Refused,
            (Outcome::Deployed, _) => ExitCode::Done,
            (Outcome::RolledBack | Outcome::NothingChanged, true) => ExitCode::InterruptedPutBack,
            (Outcome::RolledBack, false) => ExitCode::RolledBack,
            (Outcome::NothingChanged, false) => ExitCode::NothingChanged,
            (Outcome::Stuck, _) => ExitCode::Stuck,
            (Outcome::Unfinished, _) => ExitCode::InterruptedUnfinished,
        };
        let mut facts = vec![Note::new("traffic", traffic(progress, outcome, live, seen))];
        facts.extend(idle(plan, live, &seen.warm));
        if outcome != Outcome::Deployed && progress.migration_begun() {
            facts.push(Note::new("not undone", format!("migrations of release {}", plan.release.number)));
        }
        facts.extend(left_out(progress));
        facts.extend(by_hand(progress, live).into_iter().map(|text| Note::new("by hand", text)));
        for (action, trouble) in progress.warnings() {
            facts.push(Note::new("warning", format!("{}: {action}: {}", action.place(), trouble.message)));
        }
        // Where it went in shares, the last of them is the one that people take for the switch.
        if let Some(text) =
            progress.switches().last().and_then(report::switched).filter(|_| outcome == Outcome::Deployed)
        {
            facts.push(Note::new("switch", text));
        }
        let mut error = if outcome == Outcome::Deployed { None } else { error };
        let hint = hint(plan, outcome, error.as_ref());
        let untouched = matches!(outcome, Outcome::RolledBack | Outcome::NothingChanged);
        let is_new = Maintenance::of(&plan.command).is_none();
        if let Some(error) = error.as_mut().filter(|_| untouched && is_new && !progress.switch_begun()) {
            let end = error.first_line().len();
            error.message.insert_str(end, &format!("; release {} got no traffic", plan.release.number));
        }
        Self { outcome, error, facts, hint, exit_code }
    }

    /// The same, of a deployment that was taken up: whether its end is a failure depends on what was asked for. Whoever aborts wants
    /// everything back; whoever resumes wants the release live, or what was begun of `maintenance`, and has to be told in so many words that
    /// it is not so.
    pub(crate) fn asked(mut self, ask: Ask, maintenance: Option<Maintenance>) -> Self {
        if !matches!(self.outcome, Outcome::RolledBack | Outcome::NothingChanged) {
            return self;
        }
        match ask {
            Ask::Abort => {
                let why = self.error.take().map(|trouble| Note::new("it was", trouble.message));
                self.facts.extend(why);
                self.hint = None;
                self.exit_code = ExitCode::Done;
            }
            Ask::Resume | Ask::ResumeForward => {
                let text = match maintenance {
                    None => "everything is as it was before the deployment; the release is not live",
                    Some(Maintenance::On) => "everything is as it was; it is not in maintenance",
                    Some(Maintenance::Off) => "everything is as it was; it is in maintenance still",
                };
                self.facts.insert(0, Note::new("put back", text));
            }
        }
        self
    }

    /// The run was left at once, whatever it was at.
    pub(crate) fn left(trouble: Trouble) -> Self {
        Self {
            outcome: Outcome::Unfinished,
            error: Some(trouble),
            facts: vec![Note::new("traffic", "not known: `cutover status` asks the routers")],
            hint: Some("`cutover status` says whether a deployment has begun, and what ends it".to_owned()),
            exit_code: ExitCode::InterruptedUnfinished,
        }
    }

    /// The run stopped before its deployment did.
    pub(crate) fn unfinished(progress: &Progress, trouble: Trouble) -> Self {
        let exit_code = match trouble.code.as_str() {
            "state/fenced" => ExitCode::Fenced,
            Trouble::BEHIND => ExitCode::Refused,
            _ => ExitCode::InterruptedUnfinished,
        };
        let traffic = if progress.is_pivoted() {
            target(progress.plan())
        } else if progress.switch_begun() {
            "not known: `cutover status` asks the routers".to_owned()
        } else {
            "as it was: no router was touched".to_owned()
        };
        let hint = if matches!(exit_code, ExitCode::Fenced | ExitCode::Refused) {
            trouble.hint.clone()
        } else {
            Some(ways_on(progress).to_owned())
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

/// `blue, release 42`; where hosts have turns, `release 42, on all hosts`.
pub(crate) fn serving(record: &LiveRecord, turns: bool) -> String {
    let LiveRelease { color, release, .. } = &record.live;
    match record.maintenance {
        Some(_) if turns => {
            format!("no host, in maintenance; after it release {}, on all hosts", release.number)
        }
        None if turns => format!("release {}, on all hosts", release.number),
        Some(_) => resting(*color, release.number),
        None => format!("{color}, release {}", release.number),
    }
}

/// What has the traffic in maintenance.
fn resting(color: Color, release: u64) -> String {
    format!("no colour, in maintenance; after it {color}, release {release}")
}

/// What has the traffic when it has ended well.
fn target(plan: &Plan) -> String {
    let number = plan.release.number;
    match (plan.target(), Maintenance::of(&plan.command)) {
        (Some(color), _) => format!("{color}, release {number}"),
        (None, Some(_)) => resting(plan.color.other(), number),
        (None, None) => resting(plan.color, number),
    }
}

/// `, healthy on web1, not healthy on web2: answers 500`; nothing where nobody has looked.
fn health(old: &[InstanceHealth]) -> String {
    let healthy: Vec<&str> =
        old.iter().filter(|(_, look)| *look == LastLook::Healthy).map(|(host, _)| host.as_str()).collect();
    let mut words = match healthy.as_slice() {
        [] => String::new(),
        few @ [..] if few.len() <= 4 => format!(", healthy on {}", few.join(" ")),
        many => format!(", healthy on {} of {} hosts", many.len(), old.len()),
    };
    for (host, look) in old {
        let (how, why) = match look {
            LastLook::Healthy => continue,
            LastLook::Sick(why) => ("not healthy", why),
            LastLook::Unknown(why) => ("not known whether healthy", why),
        };
        words.push_str(&format!(", {how} on {host}: {}", why.lines().next().unwrap_or_default()));
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

/// What is said of a colour that was warm before and is not as it was.
fn idle(plan: &Plan, live: Option<&LiveRecord>, warm: &[InstanceHealth]) -> Option<Note> {
    if plan.is_rolling() {
        // What was started again has the traffic, and was found healthy before it had.
        return None;
    }
    let sick: Vec<InstanceHealth> =
        warm.iter().filter(|(_, look)| *look != LastLook::Healthy).cloned().collect();
    let started = |id: &ReleaseId| {
        let mut undone = plan.tasks().flat_map(|(_, task)| &task.undo);
        undone.any(|action| matches!(action, Action::Start { release, .. } if release == id))
    };
    let previous = live.and_then(|record| record.previous.as_ref()).filter(|live| started(&live.release.id));
    let release = previous.map(|live| format!(", release {}", live.release.number)).unwrap_or_default();
    let text = format!("{}{release}, started again{}", plan.color, health(&sick));
    (!sick.is_empty()).then(|| Note::new("idle", text))
}

/// What is left to do, in the order in which it can be done. `resume` does the same.
fn by_hand(progress: &Progress, live: Option<&LiveRecord>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (action, reason) in progress.not_undone() {
        let known = recorded(live).chain([&progress.plan().release]);
        let place = match (action.host(), action.router()) {
            (Some(host), _) | (None, Some(host)) => format!("{host}: "),
            (None, None) => String::new(),
        };
        let turn = progress.plan().is_rolling().then(|| turn_words(&action)).flatten();
        if turn.as_ref().is_some_and(String::is_empty) {
            continue;
        }
        let mut text = by_number(format!("{place}{}", turn.unwrap_or_else(|| action.to_string())), known);
        if let Some(reason) = reason.lines().next().filter(|reason| *reason != NOT_TRIED) {
            text = format!("{text} ({reason})");
        }
        if !lines.iter().any(|line| line.starts_with(&text)) {
            lines.push(text);
        }
    }
    lines
}

/// `lb1 shows green 100 %; green is release 4, blue release 3`.
fn shown(
    progress: &Progress,
    live: Option<&LiveRecord>,
    routers: &[(HostName, Result<String, String>)],
) -> String {
    let each = routers.iter().map(|(router, shown)| match shown {
        Ok(routing) => format!("{router} shows {routing}"),
        Err(reason) => format!("{router} can't be asked: {}", reason.lines().next().unwrap_or_default()),
    });
    let plan = progress.plan();
    if plan.is_rolling() {
        return each.collect::<Vec<_>>().join("; ");
    }
    let mut colors = format!("{} is release {}", plan.color, plan.release.number);
    if let Some(old) = live.map(|record| &record.live).filter(|old| old.color != plan.color) {
        colors = format!("{colors}, {} is release {}", old.color, old.release.number);
    }
    each.chain([colors]).collect::<Vec<_>>().join("; ")
}

fn traffic(progress: &Progress, outcome: Outcome, live: Option<&LiveRecord>, seen: &Afterwards) -> String {
    let plan = progress.plan();
    let without: Vec<String> = progress.excluded().iter().map(ToString::to_string).collect();
    let but = if without.is_empty() { String::new() } else { format!(" but {}", without.join(" ")) };
    let new = match plan.is_rolling() {
        true => format!("release {}, on all hosts{but}", plan.release.number),
        false => target(plan),
    };
    let is_adopted = |record: &LiveRecord, color: Color| {
        record.live.color != color || (record.maintenance.is_some() && plan.target().is_some())
    };
    let old = || match (live, &plan.live) {
        (Some(record), _) if plan.is_rolling() => {
            format!("release {}, on all hosts{but}", record.live.release.number)
        }
        (None, _) if plan.is_rolling() => format!("what was there before, on all hosts{but}"),
        // What was adopted is not what was recorded.
        (Some(record), Some((color, _))) if is_adopted(record, *color) => color.to_string(),
        (Some(record), _) => serving(record, false),
        (None, Some((color, _))) => color.to_string(),
        (None, None) => "no colour, as before this first deployment".to_owned(),
    };
    match outcome {
        Outcome::Deployed => new,
        // The way back leaves a router alone that was not begun with, whatever somebody has made of it.
        Outcome::RolledBack if !are_back(plan, &seen.routers) => shown(progress, live, &seen.routers),
        Outcome::RolledBack if progress.switch_begun() => {
            let over = if seen.routers.is_empty() { "" } else { ", over what somebody else had made of it" };
            format!("{}{}; put back{over}", old(), health(&seen.old))
        }
        Outcome::RolledBack | Outcome::NothingChanged => {
            format!("{}{}; never touched", old(), health(&seen.old))
        }
        Outcome::Stuck if !seen.routers.is_empty() => shown(progress, live, &seen.routers),
        Outcome::Stuck | Outcome::Unfinished => "look: `cutover status` asks hosts and routers".to_owned(),
    }
}

/// Whether routers show what the way back leads to.
fn are_back(plan: &Plan, routers: &[(HostName, Result<String, String>)]) -> bool {
    let undone: Vec<&Action> = plan.tasks().flat_map(|(_, task)| &task.undo).collect();
    routers.iter().all(|(router, shown)| {
        let back = undone.iter().find_map(|action| {
            let Action::Switch { router: of, want } = action else { return None };
            (of == router).then(|| Routing::shown(Some(want)))
        });
        back.is_none_or(|back| shown.as_ref() == Ok(&back))
    })
}

fn is_interrupted(error: Option<&Trouble>) -> bool {
    error.is_some_and(|trouble| trouble.code == INTERRUPTED)
}

/// Whether nothing is wrong with the release but that its deployment did not come to its end.
fn was_cut_off(error: Option<&Trouble>) -> bool {
    is_interrupted(error) || error.is_some_and(|trouble| trouble.code == ABANDONED)
}

fn hint(plan: &Plan, outcome: Outcome, error: Option<&Trouble>) -> Option<String> {
    let number = plan.release.number;
    match outcome {
        Outcome::Deployed if plan.target().is_none() => {
            Some("`cutover maintenance off` lets requests in".to_owned())
        }
        Outcome::Deployed | Outcome::Unfinished => None,
        Outcome::Stuck => {
            Some("mend what failed, then `cutover resume` does what is left (or `cutover abort`)".into())
        }
        Outcome::RolledBack if was_cut_off(error) && plan.command == "deploy" => {
            Some(format!("`cutover deploy --release {number}` does it again without building"))
        }
        Outcome::RolledBack | Outcome::NothingChanged if was_cut_off(error) => None,
        Outcome::RolledBack | Outcome::NothingChanged => {
            let own = error.and_then(|trouble| trouble.hint.clone());
            own.or_else(|| {
                match Maintenance::of(&plan.command) {
                    Some(Maintenance::On) => return Some("mend that, then `cutover maintenance on`".into()),
                    Some(Maintenance::Off) => {
                        let text =
                            "mend that, or `cutover deploy` another release, then `cutover maintenance off`";
                        return Some(text.into());
                    }
                    None => {}
                }
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

/// The colour that the next deployment fills.
pub(crate) fn idle_of(deployment: &Deployment, live: Option<&LiveRecord>) -> Color {
    deployment.fills(live.map(|record| record.live.color))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_of_the_old_color_is_not_called_sick() {
        let host = |name: &str| HostName::new(name).expect("a name");
        let old = [
            (host("web1"), LastLook::Healthy),
            (host("web2"), LastLook::Sick("answers 500\nand more".to_owned())),
            (host("web3"), LastLook::Unknown("the hook crashed".to_owned())),
        ];
        let words = ", healthy on web1, not healthy on web2: answers 500, \
                     not known whether healthy on web3: the hook crashed";
        assert_eq!(health(&old), words);
        assert_eq!(health(&[]), "");
    }

    #[test]
    fn whoever_aborts_wanted_it_put_back() {
        let trouble = Trouble::new("watch/sick", "web1: green became sick").hint("fix it");
        let traffic = || Note::new("traffic", "blue, release 3; put back");
        let put_back = |outcome| Ending {
            outcome,
            error: Some(trouble.clone()),
            facts: vec![traffic()],
            hint: trouble.hint.clone(),
            exit_code: ExitCode::RolledBack,
        };
        let aborted = put_back(Outcome::RolledBack).asked(Ask::Abort, None);
        let why = Note::new("it was", "web1: green became sick");
        let done = Ending {
            outcome: Outcome::RolledBack,
            error: None,
            facts: vec![traffic(), why],
            hint: None,
            exit_code: ExitCode::Done,
        };
        assert_eq!(aborted, done);
        for ask in [Ask::Resume, Ask::ResumeForward] {
            for (maintenance, says) in [
                (None, "everything is as it was before the deployment; the release is not live"),
                (Some(Maintenance::On), "everything is as it was; it is not in maintenance"),
                (Some(Maintenance::Off), "everything is as it was; it is in maintenance still"),
            ] {
                let resumed = put_back(Outcome::RolledBack).asked(ask, maintenance);
                assert_eq!(
                    (resumed.exit_code, resumed.error.as_ref()),
                    (ExitCode::RolledBack, Some(&trouble))
                );
                assert_eq!(resumed.facts[0], Note::new("put back", says));
            }
        }
        let stuck = put_back(Outcome::Stuck);
        assert_eq!(stuck.clone().asked(Ask::Abort, None), stuck);
    }

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
}
