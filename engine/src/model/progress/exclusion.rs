//! Hosts that are left out: which they are, and what still concerns them.

use std::collections::BTreeSet;

use super::Progress;
use crate::model::{Action, HostName, TaskId, Trouble};

impl Progress {
    /// Every host that is left out so far, those that could not be reached when the plan was made included.
    #[must_use]
    pub fn excluded(&self) -> BTreeSet<HostName> {
        self.plan.excluded.iter().chain(self.left_out.keys()).chain(self.lost.keys()).cloned().collect()
    }

    /// Why a host is left out that the plan had counted on.
    #[must_use]
    pub fn why_left_out(&self, host: &HostName) -> Option<&Trouble> {
        self.left_out.get(host).or_else(|| self.lost.get(host))
    }

    /// Whether it goes back without a host.
    #[must_use]
    pub fn is_given_up(&self, host: &HostName) -> bool {
        self.lost.contains_key(host)
    }

    /// Whether a task is not for its host: on one that is left out nothing is done any more but to silence it, and that is done on no
    /// other.
    pub(super) fn is_excluded(&self, id: TaskId) -> bool {
        let Some(task) = self.plan.task(id) else { return false };
        let Some(host) = task.action.host() else { return false };
        let is_out = self.plan.excluded.contains(host) || self.left_out.contains_key(host);
        is_out != matches!(task.action, Action::Silence { .. })
    }

    /// Leaves the host of a task out that has failed, where the bound allows that. Whether it did.
    pub(super) fn exclude(&mut self, id: TaskId, why: &Trouble) -> bool {
        let Some(host) = self.plan.task(id).and_then(|task| excludable(&task.action)).cloned() else {
            return false;
        };
        let excluded = self.excluded();
        let may = excluded.contains(&host) || excluded.len() < self.plan.max_excluded;
        // What is migrated is migrated for all, and from this host.
        let migrates = |action: &Action| matches!(action, Action::Migrate { host: on, .. } if *on == host);
        // One that is not what it claims to be is there all the same.
        if why.code == Trouble::BEHIND {
            return false;
        }
        if self.turned_back.is_some() || !may || self.plan.tasks().any(|(_, task)| migrates(&task.action)) {
            return false;
        }
        self.left_out.entry(host).or_insert_with(|| why.clone());
        true
    }
}

/// The host that is left out when this fails, where one may be.
#[expect(clippy::wildcard_enum_match_arm, reason = "what else fails is not a matter of one host")]
const fn excludable(action: &Action) -> Option<&HostName> {
    match action {
        Action::Stage { host, .. }
        | Action::Configure { host, .. }
        | Action::Renew { host, .. }
        | Action::Clear { host, .. }
        | Action::Point { host, .. }
        | Action::Start { host, .. }
        | Action::AwaitHealthy { host, .. } => Some(host),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{
        Color, Decision, Deployment, End, MaxExcluded, Name, Next, Observation, Observed, ObservedHost,
        Origin, Outcome, Plan, Record, Release, ReleaseId, Routing, Timestamp, Wish,
    };

    fn names(text: &str) -> Vec<HostName> {
        text.split(' ').map(|name| Name::new(name).expect("a name")).collect()
    }

    /// Green is filled on three hosts, of which one may be left out.
    fn progress() -> Progress {
        let mut deployment = Deployment::for_tests(&names("web1 web2 web3"), &names("lb1"));
        deployment.pipeline.max_excluded = MaxExcluded::Hosts(1);
        let routing = Some(Routing::all_to(Color::Blue));
        let observed = Observed {
            hosts: names("web1 web2 web3").into_iter().map(|host| (host, ObservedHost::default())).collect(),
            routers: vec![(
                names("lb1").remove(0),
                Observation { routing, settled: true, labels: Vec::new() },
            )],
            recorded: Some((Color::Blue, ReleaseId::parse("r1").expect("an identifier"))),
            ..Observed::default()
        };
        let wish = Wish::new("deploy", "d".into(), Release::for_tests("r2", 2), false, Timestamp(0));
        Progress::new(Plan::new(&deployment, &wish, &observed).expect("a plan"))
    }

    /// Goes on to the end, or until it goes back; what `fails` names fails. Answers what was done.
    fn run(progress: &mut Progress, fails: &[&str]) -> Vec<String> {
        let mut done = Vec::new();
        loop {
            let tasks = match progress.next() {
                Next::Run(tasks) => tasks,
                Next::Pivot => {
                    progress.apply(&Record::Pivot).expect("the pivot");
                    continue;
                }
                Next::Ask(_) | Next::Undo(_) | Next::Close(_) | Next::Ended(_) => return done,
            };
            progress.apply(&Record::Started { tasks: tasks.clone() }).expect("begins");
            for task in tasks {
                let action = &progress.plan().task(task).expect("a task").action;
                let said = format!("{} {action}", action.place());
                let end = if fails.contains(&said.as_str()) {
                    End::Failed(Trouble::new("test/failed", said.clone()))
                } else {
                    End::Done
                };
                done.push(said);
                progress.apply(&Record::Ended { task, end }).expect("ends");
            }
        }
    }

    #[test]
    fn what_fails_on_one_host_is_done_without_it() {
        let mut progress = progress();
        let done = run(&mut progress, &["web3 wait until green is healthy"]);
        assert_eq!(progress.next(), Next::Close(Outcome::Deployed));
        assert_eq!(progress.excluded(), names("web3").into_iter().collect());
        let on =
            |host: &str| -> Vec<&str> { done.iter().filter_map(|said| said.strip_prefix(host)).collect() };
        let failed = on("web3 ").iter().position(|said| said.starts_with("wait")).expect("it was awaited");
        assert_eq!(on("web3 ")[failed + 1..], ["see to it that green answers nobody"]);
        assert!(!on("web2 ").contains(&"see to it that green answers nobody"));
        assert_eq!(progress.first_error(), None);
    }

    #[test]
    fn one_more_is_too_many_and_so_is_the_one_that_migrates() {
        for fails in [
            &["web2 bring release r2", "web3 start green from r2"][..],
            &["web1 bring release r2"],
            &["web3 bring release r2", "web3 see to it that green answers nobody"],
        ] {
            let mut progress = progress();
            let _ = run(&mut progress, fails);
            let last = fails.last().expect("one");
            let why = progress.turned_back().map(|why| why.message.as_str());
            assert_eq!(why, Some(*last), "{fails:?}");
        }
    }

    #[test]
    fn a_host_that_was_left_out_needs_no_person() {
        let mut progress = progress();
        let _ = run(&mut progress, &["web3 start green from r2", "green watch green"]);
        while let Next::Undo(undos) = progress.next() {
            progress.apply(&Record::UndoStarted { undos: undos.clone() }).expect("begins");
            for undo in undos {
                let host = progress.plan().task(undo.task).and_then(|task| task.action.host());
                let lost = host.is_some_and(|host| host.as_str() == "web3");
                let end = if lost { End::Failed(Trouble::new("test/lost", "no route")) } else { End::Done };
                progress.apply(&Record::UndoEnded { undo, end }).expect("ends");
            }
        }
        assert_eq!(progress.next(), Next::Close(Outcome::RolledBack));
        assert!(!progress.not_undone().is_empty(), "and what stays there is told");
    }

    #[test]
    fn what_is_put_back_without_a_host_needs_no_person() {
        let mut progress = progress();
        let _ = run(&mut progress, &["green watch green"]);
        let lost: BTreeMap<HostName, Trouble> =
            [(names("web3").remove(0), Trouble::new("test/lost", "no route"))].into();
        let why = Trouble::new("test/aborted", "a person said so");
        let recovered = |decision| Record::Recovered {
            decision,
            origin: Origin::default(),
            lost: lost.clone(),
            kept_out: BTreeSet::new(),
            share: None,
        };
        assert!(progress.apply(&recovered(Decision::Forward)).is_err());
        progress.apply(&recovered(Decision::Back { why })).expect("it goes back");
        assert_eq!(progress.excluded(), names("web3").into_iter().collect());
        while let Next::Undo(undos) = progress.next() {
            progress.apply(&Record::UndoStarted { undos: undos.clone() }).expect("begins");
            for undo in undos {
                let host = progress.plan().task(undo.task).and_then(|task| task.action.host());
                assert!(
                    !host.is_some_and(|host| lost.contains_key(host)),
                    "nothing is tried there: {undo:?}"
                );
                progress.apply(&Record::UndoEnded { undo, end: End::Done }).expect("ends");
            }
        }
        assert_eq!(progress.next(), Next::Close(Outcome::RolledBack));
        assert!(progress.not_undone().is_empty());
    }
}
