//! The driver `command` while it changes something: its programs run detached, so that the host's mutex is free meanwhile.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use cutover::config::{Input, load};
use cutover::driver::{self, DriverFailure, InstanceState, Slot};
use cutover::model::{Color, ReleaseId};
use cutover::transport::{Failure, local_link};
use cutover_host::operation::{Call, Facts, FaultKind, Guard, Operation};
use cutover_host::{Account, Host};
use test_support::Scratch;

use crate::systemd::Nothing;

/// `ctl VERB`; a start takes as long as the file `slow` is there.
const CTL: &str = "#!/bin/sh\ncd ../..\ncase $1 in\n\
    start) touch begun; while test -e slow; do sleep 0.02; done; touch up ;;\n\
    stop) echo stopped >> stops; rm -f up ;;\n\
    status) test -e up || exit 3 ;;\nesac\n";

#[tokio::test]
async fn a_program_that_takes_its_time_leaves_the_mutex_alone() {
    let scratch = Scratch::new();
    let (app, state) = (scratch.directory("app"), scratch.join("state").to_str().unwrap().to_owned());
    let text = format!(
        "name = \"shop\"\n\
         [build]\nsettings = {{ run = [[\"make\"]], artifact = \"dist\" }}\n\
         [app]\ndirectory = \"{}\"\nstart = [\"unused\"]\n\
         driver = {{ command = {{ start = [\"bin/ctl\", \"start\"], stop = [\"bin/ctl\", \"stop\"], status = [\"bin/ctl\", \"status\"] }} }}\n\
         blue = {{ port = 4001 }}\ngreen = {{ port = 4002 }}\n\
         [router]\nfront-door = [\"http://127.0.0.1:8080/\"]\n",
        app.display()
    );
    let input =
        Input { file: "cutover.toml", text: &text, root: Utf8Path::new("/project"), environment: None };
    let deployment = load(input, &Nothing).unwrap_or_else(|faults| panic!("{faults:?}")).deployment;
    let host = deployment.application.hosts[0].clone();
    let account = Account { user: "root".to_owned(), uid: 0, home: "/root".to_owned() };
    let supervisor = vec![env!("CARGO_BIN_EXE_cutover").into(), cutover::cli::SUPERVISOR_WORD.into()];
    let link = local_link(host.clone(), Arc::new(Host::new(supervisor, account)));
    let link = link.as_ref();
    let facts = Facts { user: "root".to_owned(), home: "/root".to_owned(), ..Facts::default() };
    let slot = Slot::new(&deployment, &host, Color::Blue, &facts).unwrap();
    let release = ReleaseId::parse("r1").unwrap();
    let ctl = scratch.write("app/releases/r1/bin/ctl", CTL);
    fs::set_permissions(ctl, fs::Permissions::from_mode(0o755)).unwrap();
    scratch.write("app/env/r1-blue.env", "");
    scratch.write("app/slow", "");

    let ask = async |guard: Option<&Guard>, operation: Operation| {
        link.perform(Call { id: 0, guard: guard.cloned(), deadline_ms: Some(1000), operation }).await
    };
    ask(None, Operation::Fence { state: state.clone(), epoch: 7 }).await.unwrap();
    let guard = Guard { state: state.clone(), epoch: 7, turn: None };
    let meanwhile = async {
        while !app.join("begun").exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let path = scratch.join("note").to_str().unwrap().to_owned();
        let write = Operation::Write { path, beneath: None, content: "free".into(), mode: None };
        ask(Some(&guard), write).await.unwrap();
        fs::remove_file(app.join("slow")).unwrap();
    };
    let both = async { tokio::join!(driver::start(link, Some(&guard), &slot, &release), meanwhile).0 };
    tokio::time::timeout(Duration::from_secs(20), both).await.unwrap().unwrap();
    assert!(driver::state(link, &slot).await.unwrap().runs(&release));
    // Each stop is run, although the first of this epoch has left a result.
    for _ in 0..2 {
        driver::stop(link, Some(&guard), &slot).await.unwrap();
        assert_eq!(driver::state(link, &slot).await, Ok(InstanceState::Stopped));
        driver::start(link, Some(&guard), &slot, &release).await.unwrap();
        assert!(driver::state(link, &slot).await.unwrap().runs(&release));
    }
    assert_eq!(fs::read_to_string(app.join("stops")).unwrap(), "stopped\nstopped\n");
    let stale = Guard { state, epoch: 6, turn: None };
    let refused = driver::stop(link, Some(&stale), &slot).await.unwrap_err();
    assert!(matches!(refused, DriverFailure::Host(Failure::Fault(fault)) if fault.kind == FaultKind::Fenced));
}
