//! What signals do to a run, each at a given record.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::super::deaf::Deaf;
use super::super::performed::{Performed, Summary};
use super::super::{Interrupts, Reporter};
use super::{Log, Runner, Stopped, Way, World};
use crate::driver::sample::name;
use crate::model::{
    Action, Deployment, Observation, Observed, ObservedHost, Outcome, Plan, Progress, Record, Release, Step,
    Timestamp, Wish,
};

/// Where all goes well.
struct Fine;

impl World for Fine {
    async fn perform(&self, _: &Plan, _: &Action, _: Way) -> Performed {
        Performed::done(Summary::Nothing)
    }

    async fn ask(&self, _: &Plan, action: &Action) -> Performed {
        panic!("{action} is not asked about")
    }

    fn wait(&self, _: Step) -> Option<Duration> {
        None
    }
}

/// Sends a signal once a record is kept.
struct Signals {
    when: fn(&Progress) -> bool,
    kept: Progress,
    signals: watch::Sender<Interrupts>,
}

impl Log for Signals {
    type Lost = ();

    async fn append(&mut self, record: &Record) -> Result<(), ()> {
        self.kept.apply(record).map_err(drop)?;
        if (self.when)(&self.kept) {
            self.signals.send_replace(Interrupts { count: 1, first: "SIGTERM" });
        }
        Ok(())
    }
}

async fn run(when: fn(&Progress) -> bool) -> Option<Outcome> {
    let deployment = Deployment::for_tests(&[name("web1")], &[name("lb1")]);
    let nothing = Observation { routing: None, settled: true, labels: Vec::new() };
    let observed = Observed {
        hosts: [(name("web1"), ObservedHost::default())].into(),
        routers: vec![(name("lb1"), nothing)],
        recorded: None,
    };
    let wish = Wish::new("deploy", "01TEST".to_owned(), Release::for_tests("new", 1), false, Timestamp(0));
    let mut progress = Progress::new(Plan::new(&deployment, &wish, &observed).expect("a plan"));
    let (signals, interrupts) = watch::channel(Interrupts::default());
    let mut runner = Runner {
        world: Arc::new(Fine),
        log: Signals { when, kept: progress.clone(), signals },
        reporter: Reporter::new(Arc::new(Deaf), Arc::new(Deaf)),
        interrupts,
        parallel: 4,
        deadline: tokio::time::Instant::now() + Duration::from_secs(3600),
    };
    match runner.run(&mut progress).await {
        Ok(outcome) => Some(outcome),
        Err(Stopped::Interrupted) => None,
        Err(Stopped::Lost(())) => panic!("the journal is there"),
    }
}

#[tokio::test]
async fn what_is_over_but_for_its_last_word_is_not_broken_off() {
    use super::Next;
    assert_eq!(run(|_| false).await, Some(Outcome::Deployed));
    assert_eq!(run(|kept| matches!(kept.next(), Next::Close(_))).await, Some(Outcome::Deployed));
    assert_eq!(run(|kept| matches!(kept.next(), Next::Ended(_))).await, Some(Outcome::Deployed));
    // Before the pivot all is put back, after it what is left to do is left.
    let switches = |kept: &Progress| {
        let Next::Run(tasks) = kept.next() else { return false };
        tasks
            .iter()
            .filter_map(|id| kept.plan().task(*id))
            .any(|task| matches!(task.action, Action::Switch { .. }))
    };
    assert_eq!(run(switches).await, Some(Outcome::RolledBack));
    let retires = |kept: &Progress| kept.is_pivoted() && matches!(kept.next(), Next::Run(_));
    assert_eq!(run(retires).await, None);
}
