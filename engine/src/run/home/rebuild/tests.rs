//! What would be written, by table: a home that was lost, and one thing changed in what the others show.

use super::*;
use crate::driver::sample;
use crate::model::{
    Driver, MaxExcluded, Observation, ObservedHost, ObservedInstance, Origin, Plan, Routing, Timestamp, Wish,
};
use crate::run::home::examine::sample::{examined, lineage, state};
use crate::store::Membership;

const OPEN: &str = "01HF00000000000000000000AA";

struct Case {
    seen: Examination,
    observed: Observed,
    staged: Staged,
    current: BTreeMap<HostName, ReleaseId>,
}

fn release(number: u64) -> Release {
    Release { created: Timestamp(number), ..Release::for_tests(&format!("r{number}"), number) }
}

fn shows(router: &str, routing: Routing) -> (HostName, Observation) {
    (sample::name(router), Observation { routing: Some(routing), settled: true, labels: Vec::new() })
}

/// Green 43 is live on `web1` and `web2` behind `lb1`, blue 42 was before. The home `lb1` has nothing any more.
fn lost() -> Case {
    let member = || Ok(examined(state(Membership::host(lineage(1)), 9)));
    let mut home = examined(state(Membership::host(lineage(1)), 0));
    home.states.clear();
    let hosts = ["web1", "web2"].map(sample::name);
    let seen = [(sample::name("lb1"), Ok(home)), (hosts[0].clone(), member()), (hosts[1].clone(), member())];
    let instance = |number| ObservedInstance {
        link: Some(release(number).id),
        running: true,
        release: Some(release(number).id),
        fit: false,
    };
    let observed = || ObservedHost { blue: instance(42), green: instance(43) };
    Case {
        seen: seen.into_iter().collect(),
        observed: Observed {
            hosts: hosts.iter().map(|host| (host.clone(), observed())).collect(),
            routers: vec![shows("lb1", Routing::all_to(Color::Green))],
            ..Observed::default()
        },
        staged: Staged {
            releases: hosts.clone().map(|host| (host, vec![release(42), release(43)])).to_vec(),
        },
        current: hosts.map(|host| (host, release(43).id)).into(),
    }
}

/// The same with a home that is whole, and says so.
fn whole() -> Case {
    let mut case = lost();
    let live = |color, number| LiveRelease {
        color,
        release: release(number),
        since: Timestamp(7),
        excluded: Vec::new(),
    };
    let record = LiveRecord {
        generation: 12,
        live: live(Color::Green, 43),
        previous: Some(live(Color::Blue, 42)),
        maintenance: None,
    };
    let sight = StateSight { live: Ok(Some(record)), ..state(Membership::home(lineage(1)), 9) };
    case.seen.insert(sample::name("lb1"), Ok(examined(sight)));
    case
}

fn home(case: &mut Case) -> &mut StateSight<Record> {
    let home = case.seen.get_mut(&sample::name("lb1")).expect("the home");
    &mut home.as_mut().expect("it answered").states[0]
}

fn instance<'a>(case: &'a mut Case, host: &str) -> &'a mut ObservedHost {
    case.observed.hosts.get_mut(&sample::name(host)).expect("a host")
}

/// What would be written in words, or the error's.
fn told(case: &Case) -> String {
    told_where(&sample::deployment(Driver::Detached), case)
}

impl Case {
    fn world(&self) -> World<'_> {
        World { observed: &self.observed, staged: &self.staged, current: &self.current }
    }
}

fn told_where(deployment: &Deployment, case: &Case) -> String {
    match rebuild(deployment, &case.seen, &case.world()) {
        Ok(None) => "nothing".to_owned(),
        Ok(Some(rebuild)) => {
            let notes = rebuild.notes(highest(&case.seen));
            let texts: Vec<String> =
                notes.iter().map(|note| format!("{}: {}", note.label, note.text)).collect();
            texts.join("\n")
        }
        Err(trouble) => format!("{}: {}", trouble.code, trouble.message),
    }
}

fn after(mut case: Case, change: impl FnOnce(&mut Case)) -> String {
    change(&mut case);
    told(&case)
}

const LIVE: &str = "live: green, release 43 (`r43`)\nbefore: blue, release 42 (`r42`)";

#[test]
fn a_lost_home_is_rebuilt_by_what_all_agree_on() {
    let line = "lineage: a new one that goes on with `00000000000000000000000001`; the lost home is refused if it \
                turns up again";
    let rest = "history: begun anew; release numbers go on from those on the hosts\nepoch: above 9, the highest that \
                a host has seen";
    assert_eq!(told(&lost()), format!("{line}\n{LIVE}\n{rest}"));
    let before_is_open = after(lost(), |case| instance(case, "web2").blue.release = Some(release(41).id));
    let unknown = LIVE.replace("blue, release 42 (`r42`)", "nothing that the hosts agree on");
    assert_eq!(before_is_open, format!("{line}\n{unknown}\n{rest}"));
    let stopped = after(lost(), |case| {
        instance(case, "web1").blue =
            ObservedInstance { link: Some(release(42).id), ..ObservedInstance::default() };
    });
    assert_eq!(stopped, format!("{line}\n{LIVE}\n{rest}"), "what is kept cold is the way back too");
    let nothing = after(lost(), |case| case.observed.routers = vec![shows("lb1", Routing::none())]);
    assert_eq!(nothing, format!("{line}\nlive: nothing: no router shows a colour\n{rest}"));
}

#[test]
fn what_rests_in_maintenance_goes_on_to() {
    let mut case = whole();
    if let Ok(Some(record)) = &mut home(&mut case).live {
        record.maintenance = Some(Timestamp(8));
    }
    case.observed.routers = vec![shows("lb1", Routing::none())];
    let ahead = examined(state(Membership::host(lineage(1)), 40));
    case.seen.insert(sample::name("web1"), Ok(ahead));
    let rebuilt = |case: &Case| {
        let rebuilt = rebuild(&sample::deployment(Driver::Detached), &case.seen, &case.world());
        let record = rebuilt.expect("it can be told").expect("a host is ahead").live.expect("a record");
        (record.generation, record.live.color, record.maintenance)
    };
    assert_eq!(rebuilt(&case), (13, Color::Green, Some(Timestamp(8))));
    // Whoever has moved the routers back has ended it.
    case.observed.routers = vec![shows("lb1", Routing::all_to(Color::Green))];
    assert_eq!(rebuilt(&case), (13, Color::Green, None));
}

#[test]
fn what_contradicts_itself_is_not_guessed_over() {
    let disagree =
        after(lost(), |case| case.observed.routers.push(shows("lb2", Routing::all_to(Color::Blue))));
    assert_eq!(disagree, "state/contradiction: the routers do not agree: lb1 green 100 %, lb2 blue 100 %");
    let two = after(lost(), |case| instance(case, "web2").green.release = Some(release(42).id));
    assert_eq!(two, "state/contradiction: the hosts do not run one release as green: web2 `r42`, web1 `r43`");
    let mute = after(lost(), |case| instance(case, "web2").green = ObservedInstance::default());
    assert_eq!(mute, "state/contradiction: nothing on web2 says which release its green runs");
    let other_bytes = after(lost(), |case| case.staged.releases[1].1[1].digest = "sha256:other".to_owned());
    assert_eq!(
        other_bytes,
        "release/disagree: the hosts do not agree on release 43 (`r43`): web2 says otherwise"
    );
    let lines = after(lost(), |case| {
        let other = examined(state(Membership::host(lineage(2)), 9));
        case.seen.insert(sample::name("web2"), Ok(other));
    });
    assert_eq!(
        lines,
        "state/contradiction: the hosts belong to different lines of deployments: web1 to \
         `00000000000000000000000001`, web2 to `00000000000000000000000002`"
    );
    let elsewhere = after(lost(), |case| {
        let other = examined(state(Membership::home(lineage(1)), 9));
        case.seen.insert(sample::name("web2"), Ok(other));
    });
    assert!(elsewhere.starts_with("state/elsewhere: "), "{elsewhere}");
    let unrouted = after(whole(), |case| {
        case.observed.routers = vec![shows("lb1", Routing::none())];
        home(case).history = Err(broken("history.jsonl"));
    });
    assert_eq!(
        unrouted,
        "state/contradiction: the record says that green is live, and no router shows a colour"
    );
}

fn broken(name: &str) -> StoreFault {
    let reason = "is damaged".to_owned();
    StoreFault::JournalBroken { host: sample::name("lb1"), path: format!("/state/{name}"), line: 2, reason }
}

#[test]
fn what_can_not_be_read_is_set_aside_and_the_rest_kept() {
    assert_eq!(told(&whole()), "nothing");
    let (kept, anew) = (
        "history: 1 deployment is still remembered",
        "history: begun anew; release numbers go on from those on the hosts",
    );
    let epoch = "epoch: above 9, the highest that a host has seen";
    let journal = after(whole(), |case| {
        let home = home(case);
        home.open = Ok(Some("01HF00000000000000000000AA".to_owned()));
        home.journal = Some(Err(broken("journal/01HF00000000000000000000AA.jsonl")));
    });
    let aside = "set aside: journal/01HF00000000000000000000AA.jsonl, open.json";
    assert_eq!(journal, format!("{aside}\n{LIVE}\n{kept}\n{epoch}"));
    let history = after(whole(), |case| home(case).history = Err(broken("history.jsonl")));
    assert_eq!(history, format!("set aside: history.jsonl\n{LIVE}\n{anew}\n{epoch}"));
    let live = after(whole(), |case| home(case).live = Err(broken("live.json")));
    assert_eq!(live, format!("set aside: live.json\n{LIVE}\n{kept}\n{epoch}"));
    let forgotten = after(whole(), |case| home(case).live = Ok(None));
    assert_eq!(forgotten, format!("{LIVE}\n{kept}\n{epoch}"));
    let beyond = after(whole(), |case| home(case).fence = Ok(3));
    assert_eq!(beyond, "nothing", "the lock knows of epoch 9");
    let beyond = after(whole(), |case| {
        home(case).fence = Ok(3);
        home(case).lock = Ok(cutover_host::operation::Lock::default());
    });
    assert_eq!(beyond, format!("{LIVE}\n{kept}\n{epoch}"));
    let silent = after(whole(), |case| {
        let host = sample::name("lb1");
        home(case).live = Err(StoreFault::Unknown { host, message: "it broke".to_owned() });
    });
    assert_eq!(silent, "state/unknown: it is not known what `lb1` did: it broke", "it may be whole");
}

#[test]
fn what_the_old_record_knows_better_is_kept() {
    let deployment = sample::deployment(Driver::Detached);
    let mut case = whole();
    home(&mut case).history = Err(broken("history.jsonl"));
    let rebuilt =
        rebuild(&deployment, &case.seen, &case.world()).expect("no contradiction").expect("something");
    let record = rebuilt.live.expect("green is live");
    assert_eq!((record.generation, record.live.since), (13, Timestamp(7)));
    home(&mut case).live = Ok(None);
    let rebuilt =
        rebuild(&deployment, &case.seen, &case.world()).expect("no contradiction").expect("something");
    let record = rebuilt.live.expect("green is live");
    assert_eq!((record.generation, record.live.since), (1, Timestamp(43)), "not before it was made");
}

#[test]
fn a_journal_that_is_whole_is_for_those_who_began_it() {
    let mut other = sample::deployment(Driver::Detached);
    other.application.hosts.push(sample::name("db1"));
    other.hosts.insert(sample::name("db1"), other.hosts[&sample::name("web1")].clone());
    let planned = |deployment: &Deployment| {
        let world = Observed {
            routers: vec![shows("lb1", Routing::all_to(Color::Green))],
            recorded: Some((Color::Green, release(43).id)),
            ..Observed::default()
        };
        let wish = Wish::new("deploy", OPEN.to_owned(), release(44), false, Timestamp(0));
        let plan = Box::new(Plan::new(deployment, &wish, &world).expect("a plan"));
        let records = vec![(Timestamp(0), Record::Planned { plan, origin: Origin::default() })];
        after(whole(), |case| {
            let home = home(case);
            home.open = Ok(Some(OPEN.to_owned()));
            home.journal = Some(Ok(ReadJournal { deployment: OPEN.to_owned(), records, torn: None }));
        })
    };
    let own = planned(&sample::deployment(Driver::Detached));
    assert_eq!(own, format!("deploy/unfinished: deployment {OPEN} has not ended, and its journal is whole"));
    let foreign = planned(&other);
    let beware =
        "that journal is whole: with the configuration that it was begun with, `cutover resume` can go on";
    let expected = format!("set aside: journal/{OPEN}.jsonl, open.json\nbeware: {beware}\nlive: ");
    assert!(foreign.starts_with(&expected), "{foreign}");
}

#[test]
fn who_was_left_out_is_told_by_what_is_on_the_hosts() {
    let mut deployment = sample::deployment(Driver::Detached);
    deployment.pipeline.max_excluded = MaxExcluded::Hosts(1);
    let told = |change: &dyn Fn(&mut Case)| {
        let mut case = lost();
        change(&mut case);
        let told = told_where(&deployment, &case);
        let lines = told.lines().filter(|line| {
            ["live", "left out", "not known", "state/"].iter().any(|label| line.starts_with(label))
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let live = "live: green, release 43 (`r43`)";
    let left_out = format!("{live}\nleft out: web2");
    let stopped = |number| ObservedInstance { link: Some(release(number).id), ..ObservedInstance::default() };
    assert_eq!(told(&|_| {}), live);
    // Silenced before it was linked, or after.
    assert_eq!(told(&|case| instance(case, "web2").green = ObservedInstance::default()), left_out);
    let behind = |case: &mut Case| drop(case.current.insert(sample::name("web2"), release(42).id));
    let silenced = |case: &mut Case| {
        instance(case, "web2").green = stopped(43);
        behind(case);
    };
    assert_eq!(told(&silenced), left_out);
    assert_eq!(told(&|case| instance(case, "web2").green = stopped(43)), live, "it only does not run now");
    assert_eq!(told(&behind), live, "it runs the release, whatever is called current");
    let unseen = |case: &mut Case| {
        case.observed.hosts.remove(&sample::name("web2"));
        case.observed.unreachable.insert(sample::name("web2"));
    };
    let not_known =
        "not known: whether web2 was left out: it does not answer, so it is taken for one that serves";
    assert_eq!(told(&unseen), format!("{live}\n{not_known}"));
    let both = |case: &mut Case| {
        for host in ["web1", "web2"] {
            instance(case, host).green = ObservedInstance::default();
        }
    };
    assert_eq!(told(&both), "state/contradiction: nothing on web1 says which release its green runs");
    let other = |case: &mut Case| instance(case, "web2").green.release = Some(release(42).id);
    let two = "state/contradiction: the hosts do not run one release as green: web2 `r42`, web1 `r43`";
    assert_eq!(told(&other), two, "who was left out runs nothing there");

    // What the record knew is kept.
    let mut case = whole();
    let record = home(&mut case).live.as_mut().expect("it is read").as_mut().expect("green is live");
    record.live.excluded = vec![sample::name("web2")];
    home(&mut case).history = Err(broken("history.jsonl"));
    let rebuilt =
        rebuild(&deployment, &case.seen, &case.world()).expect("no contradiction").expect("something");
    assert_eq!(rebuilt.live.expect("green is live").live.excluded, [sample::name("web2")]);
}
