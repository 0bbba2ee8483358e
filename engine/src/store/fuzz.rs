//! Fuzz targets: the files of the state.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::chain::{Parsed, Tail, parse};
use super::journal::Open;
use super::{Membership, Said, disagreements, versioned};
use crate::model::{
    Ask, Color, Decision, Deployment, End, HistoryEntry, HostName, LiveRecord, Next, Observation, Observed,
    Origin, Outcome, Progress, Record, Routing, Sight, Timestamp, decide,
};

/// Name of the journal of every input.
pub(super) const JOURNAL: &str = "journal/01ARZ3NDEKTSV4RRFFQ69G5FAV.jsonl";

/// A journal as it is, and with its records in a chain that is whole: whoever can write the file can do that.
pub fn journal(input: &[u8]) {
    for content in [input.to_vec(), sealed(JOURNAL, input)] {
        if let Some(parsed) = log::<Record>(JOURNAL, &content, &Record::Pivot) {
            let records: Vec<Record> = parsed.records.into_iter().map(|(_, record)| record).collect();
            recover(&records);
        }
    }
}

/// Small files, and the history.
pub fn state(input: &[u8]) {
    document::<LiveRecord>(input);
    document::<Open>(input);
    document::<Membership>(input);
    if let Ok(said) = versioned::decode::<Membership>(input) {
        is_a_member(&said);
    }
    for content in [input.to_vec(), sealed("history.jsonl", input)] {
        log::<HistoryEntry>("history.jsonl", &content, &Value::Null);
    }
}

/// What was read of a file is what is read again, and a line that is added to it is one line more.
fn log<T>(name: &str, content: &[u8], more: &impl Serialize) -> Option<Parsed<T>>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let parsed = parse::<T>(name, content).ok()?;
    let (line, next) = parsed.tail.encode(Timestamp(9), more).expect("encodes");
    let again = parse::<Value>(name, &[content, &line].concat()).expect("what was read goes on");
    assert_eq!((again.records.len(), &again.tail, &again.torn), (parsed.records.len() + 1, &next, &None));
    let mut tail = Tail::start(name);
    let mut written = Vec::new();
    for (at, record) in &parsed.records {
        let (line, next) = tail.encode(*at, record).expect("encodes");
        written.extend(line);
        tail = next;
    }
    let again = parse::<T>(name, &written).expect("what is written is read");
    assert_eq!(again.records, parsed.records);
    Some(parsed)
}

/// The records of the input's lines, each at its time, as a file that nothing is wrong with.
fn sealed(name: &str, input: &[u8]) -> Vec<u8> {
    let mut tail = Tail::start(name);
    let mut content = Vec::new();
    for line in input.split(|byte| *byte == b'\n') {
        let Ok(line) = serde_json::from_slice::<Value>(line) else { continue };
        let at = Timestamp(line["at"].as_u64().unwrap_or_default());
        let (line, next) = tail.encode(at, &line["record"]).expect("encodes");
        content.extend(line);
        tail = next;
    }
    content
}

fn document<T: Serialize + DeserializeOwned>(input: &[u8]) {
    let Ok(read) = versioned::decode::<T>(input) else { return };
    let written = versioned::encode(&read).expect("encodes");
    let again = versioned::decode::<T>(&written).unwrap_or_else(|fault| panic!("{fault:?}"));
    assert_eq!(versioned::encode(&again).expect("encodes"), written);
}

/// Whatever a host says of itself, it is either one of ours or told in a line with something to do.
fn is_a_member(said: &Membership) {
    let hosts = ["lb1", "web1"].map(name);
    let of = |index: usize, membership| Said { host: &hosts[index], path: "/state", membership };
    let ours = Membership::home(said.lineage.clone());
    for (home, other) in
        [(Some(said), None), (None, Some(said)), (Some(&ours), Some(said)), (Some(said), Some(&ours))]
    {
        let faults = disagreements(of(0, home), [of(0, home), of(1, other)]);
        assert!(
            !faults.is_empty() || home.is_none_or(|home| home.home),
            "a home that is none was taken: {home:?}"
        );
        for fault in faults {
            assert!(!fault.to_string().contains(['\n', '\u{1b}']), "{fault:?}");
        }
    }
}

/// What `resume` and `abort` make of records: what is taken up stays within the configuration, and ends where all goes well.
fn recover(records: &[Record]) {
    let Ok(mut progress) = Progress::replay(records) else { return };
    let deployment = deployment();
    let Ok(departures) = progress.plan().departures(&deployment) else { return };
    let plan = progress.plan().clone();
    for (_, task) in plan.tasks().chain(plan.retire_tasks()) {
        for action in std::iter::once(&task.action).chain(&task.undo) {
            let place = action.host().or_else(|| action.router());
            assert!(
                place.is_none_or(|place| deployment.hosts.contains_key(place)),
                "{action:?} was taken up"
            );
        }
    }
    if progress.outcome().is_some_and(|outcome| outcome != Outcome::Stuck) {
        return;
    }
    let shows = |color: Option<Color>| Observed {
        hosts: BTreeMap::new(),
        routers: vec![(
            name("lb1"),
            Observation { routing: color.map(Routing::all_to), settled: true, labels: Vec::new() },
        )],
        recorded: None,
        unreachable: BTreeSet::new(),
        maintenance: false,
    };
    for ask in [Ask::Resume, Ask::ResumeForward, Ask::Abort] {
        for color in [None, Some(Color::Blue), Some(Color::Green)] {
            let sight =
                Sight { observed: shows(color), new_healthy: true, old_healthy: true, now: plan.made };
            let decision = decide(&progress, &sight, ask);
            if matches!(decision, Decision::Person { .. })
                || (decision == Decision::Forward && !departures.is_empty())
            {
                continue;
            }
            let mut taken = progress.clone();
            taken
                .apply(&Record::Recovered {
                    decision,
                    origin: Origin::default(),
                    lost: BTreeMap::new(),
                    kept_out: BTreeSet::new(),
                    share: None,
                })
                .expect("it was decided");
            finish(&mut taken);
        }
    }
    progress = Progress::new((*plan).clone());
    finish(&mut progress);
}

/// Does all that comes next, well, until the end.
fn finish(progress: &mut Progress) -> Vec<Record> {
    let plan = progress.plan().clone();
    let tasks = plan.tasks().chain(plan.retire_tasks());
    let most: usize = tasks.map(|(_, task)| 4 + 2 * task.undo.len()).sum();
    let mut done = Vec::new();
    for _ in 0..=most {
        let ends =
            |tasks: Vec<_>| tasks.into_iter().map(|task| Record::Ended { task, end: End::Done }).collect();
        let (intent, ends): (Option<Record>, Vec<Record>) = match progress.next() {
            Next::Run(tasks) => (Some(Record::Started { tasks: tasks.clone() }), ends(tasks)),
            Next::Ask(tasks) => (None, ends(tasks)),
            Next::Undo(undos) => {
                let ended = |undo: &_| Record::UndoEnded { undo: *undo, end: End::Done };
                let ends = undos.iter().map(ended).collect();
                (Some(Record::UndoStarted { undos }), ends)
            }
            Next::Pivot => (Some(Record::Pivot), Vec::new()),
            Next::Close(outcome) => (Some(Record::Closed { outcome }), Vec::new()),
            Next::Ended(_) => return done,
        };
        for record in intent.into_iter().chain(ends) {
            progress.apply(&record).expect("what comes next can follow");
            done.push(record);
        }
    }
    panic!("it does not end: {:?}", progress.next());
}

fn deployment() -> Deployment {
    Deployment::for_tests(&["web1", "web2"].map(name), &[name("lb1")])
}

fn name(text: &str) -> HostName {
    HostName::new(text).expect("a name")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::model::{Denial, HistoryError, LiveRelease, Plan, Release, Switched, Trouble, Wish};

    use super::*;

    /// Journals of a first deployment and of a second one, whole and turned back.
    fn journals() -> [(&'static str, Vec<Record>); 3] {
        let plan = |live: Option<Color>| {
            let release = Release::for_tests("20260102T030405Z-9f3c2a10-ab12", 43);
            let wish = Wish::new("deploy", "01ARZ3NDEKTSV4RRFFQ69G5FAV".into(), release, true, Timestamp(5));
            let routing = Some(live.map_or_else(Routing::none, Routing::all_to));
            let seen = Observation { routing, settled: true, labels: Vec::new() };
            let observed = Observed { routers: vec![(name("lb1"), seen)], ..Observed::default() };
            Plan::new(&deployment(), &wish, &observed).expect("a plan")
        };
        let whole = |plan: Plan| {
            let first = Record::Planned { plan: Box::new(plan.clone()), origin: Origin::default() };
            [vec![first], finish(&mut Progress::new(plan))].concat()
        };
        let (first, second) = (whole(plan(None)), whole(plan(Some(Color::Blue))));
        let pivot = second.iter().position(|record| *record == Record::Pivot).expect("a pivot");
        let mut back = second[..pivot].to_vec();
        let denied = Denial::new("vendor", "read `/etc/shadow` on `web1`", "read = []");
        back.push(Record::Denied { denials: vec![denied] });
        let switch = Switched {
            weight: 10,
            routers: 2,
            skew_ms: Some(240),
            requests: 80,
            late: None,
            last_late_ms: None,
        };
        back.push(Record::Switched { switch });
        back.push(Record::TurnedBack { why: Trouble::new("watch/failed", "web1 answered 500") });
        let mut progress = Progress::replay(&back).expect("a history");
        back.extend(finish(&mut progress));
        [("first", first), ("second", second), ("turned-back", back)]
    }

    fn history() -> Vec<HistoryEntry> {
        let release = Release::for_tests("20260102T030405Z-9f3c2a10-ab12", 43);
        let entry = |deployment: &str, error: Option<HistoryError>| HistoryEntry {
            deployment: deployment.to_owned(),
            command: "deploy".to_owned(),
            release: Some((&release).into()),
            color: Some(Color::Blue),
            who: "ann@desk".to_owned(),
            ci: None,
            message: Some("fix".to_owned()),
            started: Timestamp(5),
            ended: Timestamp(9),
            outcome: if error.is_some() { Outcome::RolledBack } else { Outcome::Deployed },
            exit_code: if error.is_some() { 10 } else { 0 },
            error,
            excluded: Vec::new(),
            denied: Vec::new(),
            switches: Vec::new(),
            settings: None,
        };
        let error = HistoryError { code: "watch/failed".to_owned(), text: "web1 answered 500".to_owned() };
        vec![entry("01ARZ3NDEKTSV4RRFFQ69G5FAV", None), entry("01ARZ3NDEKTSV4RRFFQ69G5FAW", Some(error))]
    }

    fn live() -> LiveRecord {
        let release = Release::for_tests("20260102T030405Z-9f3c2a10-ab12", 43);
        let live =
            LiveRelease { color: Color::Blue, release, since: Timestamp(9), excluded: vec![name("web2")] };
        LiveRecord { generation: 2, live, previous: None, maintenance: None }
    }

    fn lines<T: Serialize>(name: &str, records: &[T]) -> Vec<u8> {
        let mut tail = Tail::start(name);
        let mut content = Vec::new();
        for record in records {
            let (line, next) = tail.encode(Timestamp(7), record).expect("encodes");
            content.extend(line);
            tail = next;
        }
        content
    }

    #[test]
    fn the_corpus_has_files_as_they_are_written() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus");
        let journals = journals().map(|(name, records)| {
            recover(&records);
            (format!("journal/{name}.jsonl"), lines(JOURNAL, &records))
        });
        let live = ("state/live.json".to_owned(), versioned::encode(&live()).expect("encodes"));
        let history = ("state/history.jsonl".to_owned(), lines("history.jsonl", &history()));
        for (name, content) in journals.into_iter().chain([live, history]) {
            let path = corpus.join(&name);
            if std::env::var_os("CUTOVER_UPDATE").is_some() {
                std::fs::create_dir_all(path.parent().expect("a folder")).expect("a directory");
                std::fs::write(&path, &content).expect("written");
            }
            let kept = std::fs::read(&path).unwrap_or_default();
            assert!(kept == content, "{name}: CUTOVER_UPDATE=1 writes it");
        }
    }
}
