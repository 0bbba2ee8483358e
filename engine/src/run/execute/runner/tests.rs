//! What signals do to a run, each at a given record; and what becomes of one whose lock nobody confirms.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::super::interrupts::Interrupts;
use super::super::reporter::Reporter;
use super::{Log, Runner, Stopped, Way, World};
use crate::driver::sample::name;
use crate::model::{
    Action, Denial, Deployment, Event, EventKind, EventSink, HostName, Observation, Observed, ObservedHost,
    Origin, Outcome, Plan, Progress, Record, Release, Step, Switched, Timestamp, Wish,
};
use crate::run::execute::deaf::Deaf;
use crate::run::execute::performed::{Performed, Summary};
use crate::run::execute::standing::Standing;

/// Where all goes well; the first actions may take a while.
#[derive(Default)]
struct Fine {
    slow: usize,
    begun: AtomicUsize,
}

impl World for Fine {
    fn turns(&self) -> Vec<HostName> {
        Vec::new()
    }

    async fn perform(&self, _: &Plan, _: &Action, _: Way) -> Performed {
        if self.begun.fetch_add(1, Ordering::Relaxed) < self.slow {
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
        Performed::done(Summary::Nothing)
    }

    async fn ask(&self, _: &Plan, action: &Action) -> Performed {
        panic!("{action} is not asked about")
    }

    fn leave_out(&self, _: BTreeSet<HostName>) {}

    fn wait(&self, _: Step, _: &Action) -> Option<Duration> {
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

/// Nothing of a first deployment was begun.
fn first() -> Progress {
    let deployment = Deployment::for_tests(&[name("web1")], &[name("lb1")]);
    let nothing = Observation { routing: None, settled: true, labels: Vec::new() };
    let observed = Observed {
        hosts: [(name("web1"), ObservedHost::default())].into(),
        routers: vec![(name("lb1"), nothing)],
        ..Observed::default()
    };
    let wish = Wish::new("deploy", "01TEST".to_owned(), Release::for_tests("new", 1), false, Timestamp(0));
    Progress::new(Plan::new(&deployment, &wish, &observed).expect("a plan"))
}

async fn run(when: fn(&Progress) -> bool) -> Option<Outcome> {
    let mut progress = first();
    let (signals, interrupts) = watch::channel(Interrupts::default());
    let mut runner = Runner {
        world: Arc::new(Fine::default()),
        log: Signals { when, kept: progress.clone(), signals },
        reporter: Reporter::new(Arc::new(Deaf), Arc::new(Deaf)),
        interrupts,
        standing: Standing::for_long(),
        parallel: 4,
        deadline: Instant::now() + Duration::from_secs(3600),
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

/// Where a hook asks at each action for the same thing that it may not have, and for one more.
struct Asking {
    asked: AtomicUsize,
    reporter: Reporter,
}

impl World for Asking {
    fn turns(&self) -> Vec<HostName> {
        Vec::new()
    }

    async fn perform(&self, _: &Plan, _: &Action, _: Way) -> Performed {
        for number in [0, self.asked.fetch_add(1, Ordering::Relaxed)] {
            let (hook, request) = ("vendor".to_owned(), format!("read `/{number}` on `web1`"));
            self.reporter.tell(EventKind::Denied { hook, request, grant: String::new() });
        }
        Performed::done(Summary::Nothing)
    }

    async fn ask(&self, _: &Plan, action: &Action) -> Performed {
        panic!("{action} is not asked about")
    }

    fn leave_out(&self, _: BTreeSet<HostName>) {}

    fn wait(&self, _: Step, _: &Action) -> Option<Duration> {
        None
    }
}

/// A journal in memory.
#[derive(Default)]
struct Kept(Vec<Record>);

impl Log for Kept {
    type Lost = ();

    async fn append(&mut self, record: &Record) -> Result<(), ()> {
        self.0.push(record.clone());
        Ok(())
    }
}

#[tokio::test]
async fn what_hooks_are_denied_is_kept_once_before_the_end() {
    let mut progress = first();
    let reporter = Reporter::new(Arc::new(Deaf), Arc::new(Deaf));
    let (_signals, interrupts) = watch::channel(Interrupts::default());
    let mut runner = Runner {
        world: Arc::new(Asking { asked: AtomicUsize::new(0), reporter: reporter.clone() }),
        log: Kept::default(),
        reporter,
        interrupts,
        standing: Standing::for_long(),
        parallel: 4,
        deadline: Instant::now() + Duration::from_secs(3600),
    };
    let ended = runner.run(&mut progress).await;
    assert!(matches!(ended, Ok(Outcome::Deployed)), "{ended:?}");
    let actions = runner.world.asked.load(Ordering::Relaxed);
    let kept: Vec<&Denial> = runner
        .log
        .0
        .iter()
        .flat_map(|record| if let Record::Denied { denials } = record { &denials[..] } else { &[] })
        .collect();
    assert_eq!(kept.len(), actions.min(Denial::MOST), "{kept:?}");
    assert_eq!(kept, progress.denied().iter().collect::<Vec<_>>());
    assert_eq!(kept[0].request, "read `/0` on `web1`");
    assert_eq!(runner.log.0.last(), Some(&Record::Closed { outcome: Outcome::Deployed }));
    // Whoever takes it up knows them, and goes on as if they were not there.
    let plan = Box::new((**progress.plan()).clone());
    let whole = [vec![Record::Planned { plan, origin: Origin::default() }], runner.log.0].concat();
    for end in 1..=whole.len() {
        let known = Progress::replay(&whole[..end]).expect("a history");
        let others = whole[..end].iter().filter(|record| !matches!(record, Record::Denied { .. }));
        assert_eq!(known.next(), Progress::replay(others).expect("a history").next());
    }
    assert_eq!(Progress::replay(&whole), Ok(progress.clone()));
    let late = Record::Denied { denials: Vec::new() };
    assert_eq!(progress.apply(&late), Err("the deployment has ended"));
}

/// Where the watch has measured the switch.
struct Measuring;

const MEASURED: Switched = Switched {
    weight: 100,
    routers: 1,
    skew_ms: Some(0),
    requests: 80,
    late: Some(2),
    last_late_ms: Some(320),
};

impl World for Measuring {
    fn turns(&self) -> Vec<HostName> {
        Vec::new()
    }

    async fn perform(&self, _: &Plan, action: &Action, _: Way) -> Performed {
        let watches = matches!(action, Action::Watch { .. });
        Performed { switched: watches.then_some(MEASURED), ..Performed::done(Summary::Nothing) }
    }

    async fn ask(&self, _: &Plan, action: &Action) -> Performed {
        panic!("{action} is not asked about")
    }

    fn leave_out(&self, _: BTreeSet<HostName>) {}

    fn wait(&self, _: Step, _: &Action) -> Option<Duration> {
        None
    }
}

/// What was told of switches.
#[derive(Default)]
struct Heard(Mutex<Vec<EventKind>>);

impl EventSink for Heard {
    fn emit(&self, event: &Event) {
        if matches!(event.kind, EventKind::Switched(_)) {
            self.0.lock().expect("no test panicked").push(event.kind.clone());
        }
    }
}

#[tokio::test]
async fn what_a_switch_was_like_is_kept_and_told_and_decides_nothing() {
    let mut progress = first();
    let (_signals, interrupts) = watch::channel(Interrupts::default());
    let heard = Arc::new(Heard::default());
    let mut runner = Runner {
        world: Arc::new(Measuring),
        log: Kept::default(),
        reporter: Reporter::new(Arc::clone(&heard) as Arc<dyn EventSink>, Arc::new(Deaf)),
        interrupts,
        standing: Standing::for_long(),
        parallel: 4,
        deadline: Instant::now() + Duration::from_secs(3600),
    };
    let ended = runner.run(&mut progress).await;
    assert!(matches!(ended, Ok(Outcome::Deployed)), "{ended:?}");
    assert_eq!(progress.switches(), [MEASURED]);
    assert_eq!(*heard.0.lock().expect("no test panicked"), [EventKind::Switched(MEASURED)]);
    let plan = Box::new((**progress.plan()).clone());
    let whole = [vec![Record::Planned { plan, origin: Origin::default() }], runner.log.0].concat();
    for end in 1..=whole.len() {
        let known = Progress::replay(&whole[..end]).expect("a history");
        let others = whole[..end].iter().filter(|record| !matches!(record, Record::Switched { .. }));
        assert_eq!(known.next(), Progress::replay(others).expect("a history").next());
    }
    assert_eq!(Progress::replay(&whole), Ok(progress));
    // What was watched again is what counts.
    let mut again = first();
    for late in [2, 0] {
        let switch = Switched { late: Some(late), ..MEASURED };
        again.apply(&Record::Switched { switch }).expect("it may stand anywhere");
    }
    assert_eq!(again.switches(), [Switched { late: Some(0), ..MEASURED }]);
}

/// A journal that is kept for so many records.
struct Breaks(usize);

impl Log for Breaks {
    type Lost = &'static str;

    async fn append(&mut self, _: &Record) -> Result<(), Self::Lost> {
        self.0 = self.0.checked_sub(1).ok_or("the home does not answer")?;
        Ok(())
    }
}

#[tokio::test]
async fn nothing_is_begun_while_nobody_confirms_the_lock() {
    let (renewals, renewed) = watch::channel(Instant::now());
    let (_signals, interrupts) = watch::channel(Interrupts::default());
    let mut runner = Runner {
        world: Arc::new(Fine { slow: 2, ..Fine::default() }),
        log: Breaks(usize::MAX),
        reporter: Reporter::new(Arc::new(Deaf), Arc::new(Deaf)),
        interrupts,
        standing: Standing::for_moments(renewed, Duration::from_secs(3600)),
        parallel: 4,
        deadline: Instant::now() + Duration::from_secs(3600),
    };
    let world = Arc::clone(&runner.world);
    let begun = || world.begun.load(Ordering::Relaxed);
    let mut progress = first();
    let confirmed = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(begun(), 1, "the first ended after the last renewal was too old for another");
        renewals.send_replace(Instant::now());
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(begun(), 2, "one renewal, one more");
        // From now on each comes in time.
        loop {
            renewals.send_replace(Instant::now());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        ended = runner.run(&mut progress) => assert_eq!(ended.ok(), Some(Outcome::Deployed)),
        () = confirmed => {}
    }
}

#[tokio::test]
async fn a_lock_that_nobody_confirms_any_more_ends_the_run_at_its_next_record() {
    let (renewals, renewed) = watch::channel(Instant::now());
    drop(renewals);
    let (_signals, interrupts) = watch::channel(Interrupts::default());
    let mut runner = Runner {
        world: Arc::new(Fine { slow: 2, ..Fine::default() }),
        log: Breaks(3),
        reporter: Reporter::new(Arc::new(Deaf), Arc::new(Deaf)),
        interrupts,
        standing: Standing::for_moments(renewed, Duration::from_millis(20)),
        parallel: 4,
        deadline: Instant::now() + Duration::from_secs(3600),
    };
    let ended = runner.run(&mut first()).await;
    assert!(matches!(ended, Err(Stopped::Lost("the home does not answer"))), "{ended:?}");
    assert_eq!(runner.world.begun.load(Ordering::Relaxed), 1);
}
