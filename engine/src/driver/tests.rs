//! The driver `command` with real programs.

use std::sync::Arc;

use cutover_host::operation::Facts;
use cutover_host::{Account, Host};

use super::{DriverFailure, InstanceState, Launch, Slot, sample, start, state, stop};
use crate::model::{Color, Deployment, Driver, HostName, ReleaseId};
use crate::transport::{Link, local_link};

/// An operator's program that keeps what it was told in a file: `ctl VERB COLOR RELEASE`.
const CTL: &str = "#!/bin/sh\n\
    case $1 in\n\
    start) echo \"$2 $3 $GREETING\" > ../../started-$2 ;;\n\
    stop) rm -f ../../started-$2 ;;\n\
    status) test -e ../../broken && { echo 'pid file is broken' >&2; exit 1; }; test -e ../../started-$2 || exit 3 ;;\n\
    esac\n";

struct World {
    scratch: tempfile::TempDir,
    deployment: Deployment,
    host: HostName,
    facts: Facts,
    link: Arc<dyn Link>,
}

impl World {
    fn new() -> Self {
        let scratch = tempfile::tempdir().expect("a directory");
        let verb = |verb: &str| ["bin/ctl", verb, "{color}", "{release}"].map(str::to_owned).to_vec();
        let driver = Driver::Command { start: verb("start"), stop: verb("stop"), status: verb("status") };
        let mut deployment = sample::deployment(driver);
        let home = scratch.path().to_str().expect("UTF-8").to_owned();
        deployment.application.directory = "~/app".to_owned();
        deployment.application.env_files = Vec::new();
        let host = sample::name("web1");
        let account = Account { user: "me".to_owned(), uid: 1000, home: home.clone() };
        let link = local_link(host.clone(), Arc::new(Host::new(vec!["/nonexistent".into()], account)));
        let facts = Facts { home, ..sample::facts("me", 1000) };
        Self { scratch, deployment, host, facts, link }
    }

    fn slot(&self) -> Slot<'_> {
        Slot::new(&self.deployment, &self.host, Color::Blue, &self.facts).expect("a slot")
    }

    fn release(&self, name: &str) -> ReleaseId {
        let release = ReleaseId::parse(name).expect("an identifier");
        let bin = self.scratch.path().join("app/releases").join(name).join("bin");
        std::fs::create_dir_all(&bin).expect("made");
        std::fs::create_dir_all(self.scratch.path().join("app/env")).expect("made");
        let launch = Launch::configured(&self.slot());
        std::fs::write(self.slot().env_file(&release, &launch), "GREETING=hello\n").expect("written");
        let script = bin.join("ctl");
        // Written by another process: a thread that forks at this moment would keep our own handle open (ETXTBSY).
        let write = ["-c", "printf %s \"$1\" > \"$2\" && chmod 755 \"$2\"", "sh", CTL];
        let written = std::process::Command::new("sh").args(write).arg(&script).status().expect("runs");
        assert!(written.success());
        release
    }

    async fn state(&self) -> InstanceState {
        state(self.link.as_ref(), &self.slot()).await.expect("a state")
    }
}

#[tokio::test]
async fn programs_of_the_operators_start_stop_and_tell() {
    let world = World::new();
    let (link, slot) = (world.link.as_ref(), world.slot());
    let (one, two) = (world.release("r1"), world.release("r2"));
    assert_eq!(world.state().await, InstanceState::Stopped);
    stop(link, None, &slot).await.expect("nothing to stop");
    start(link, None, &slot, &one).await.expect("started");
    start(link, None, &slot, &one).await.expect("runs already");
    let noted = std::fs::read_to_string(world.scratch.path().join("app/started-blue")).expect("started");
    assert_eq!(noted, "blue r1 hello\n");
    assert!(world.state().await.runs(&one));
    let failure = start(link, None, &slot, &two).await.expect_err("occupied");
    let occupied = DriverFailure::Occupied { color: Color::Blue, occupant: "release `r1`".to_owned() };
    assert_eq!(failure, occupied);
    stop(link, None, &slot).await.expect("stopped");
    assert_eq!(world.state().await, InstanceState::Stopped);
    start(link, None, &slot, &two).await.expect("started");
    assert!(world.state().await.runs(&two));
    std::fs::write(world.scratch.path().join("app/broken"), "").expect("written");
    let ctl = world.scratch.path().join("app/releases/r2/bin/ctl");
    let why = format!("`{} status blue r2` ended with status 1: pid file is broken", ctl.display());
    assert_eq!(world.state().await, InstanceState::Failed { release: Some(two), why });
}

#[test]
fn a_host_that_lies_about_its_user_is_not_believed() {
    let world = World::new();
    let with = |user: &str, home: &str| {
        let facts = Facts { user: user.to_owned(), home: home.to_owned(), ..Facts::default() };
        Slot::new(&world.deployment, &world.host, Color::Blue, &facts).map(drop)
    };
    assert_eq!(with("ann", "/home/ann"), Ok(()));
    assert_eq!(with("ann@corp.example", "/home/corp/ann"), Ok(()));
    for user in ["", "-x", "a b", "a\nroot ALL=(ALL) ALL", "$(id)", "%wheel", "ALL", "ADMINS_2"] {
        assert!(matches!(with(user, "/home/ann"), Err(DriverFailure::StrangeUser { .. })), "{user}");
    }
    for home in ["", "home", "/home/a b", "/home/$(id)", "/home/\n", "/home/*"] {
        assert!(matches!(with("ann", home), Err(DriverFailure::StrangeHome { .. })), "{home}");
    }
}
