//! The driver `systemd` against a real one: what it starts runs as the right user with the right environment, stops, comes up after a
//! reboot when it is live, and tells what went wrong.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use cutover::config::{Input, Surroundings, load};
use cutover::driver::{self, DriverFailure, InstanceState, Launch, Slot};
use cutover::model::{Color, Deployment, HostName, ReleaseId, SettingFault};
use cutover::transport::{Flow, Link, LinkFuture, local_link};
use cutover_host::operation::{Answer, Call, Facts, Operation, Program};
use cutover_host::{Account, Host};
use serde_json::Value;
use test_support::{Scratch, Systemd};

/// This machine, but its programs run on the one that systemd has booted.
#[derive(Debug)]
struct Inside {
    here: Arc<dyn Link>,
    prefix: Vec<String>,
}

impl Inside {
    fn move_program(&self, program: &mut Program) {
        // The words before the program would lose what it is to be run with.
        let env = program.env.drain(..).map(|(name, value)| format!("{name}={value}"));
        let before = self.prefix[1..].iter().cloned().chain(["env".to_owned()]).chain(env);
        let words = before.chain([program.program.clone()]).chain(program.args.drain(..));
        program.args = words.collect();
        program.program.clone_from(&self.prefix[0]);
    }

    fn moved(&self, mut call: Call) -> Call {
        if let Operation::Run { program } | Operation::Stream { program } = &mut call.operation {
            self.move_program(program);
        }
        call
    }
}

impl Link for Inside {
    fn name(&self) -> &HostName {
        self.here.name()
    }

    fn perform(&self, call: Call) -> LinkFuture<'_, Answer> {
        self.here.perform(self.moved(call))
    }

    fn open(&self, call: Call) -> LinkFuture<'_, Flow> {
        self.here.open(self.moved(call))
    }
}

pub(crate) struct Nothing;

impl Surroundings for Nothing {
    fn is_file(&self, _path: &Utf8Path) -> bool {
        false
    }

    fn builtins(&self) -> &[&str] {
        &["command-build", "http-health", "nginx"]
    }

    fn bundled_grants(&self, _name: &str, _title: &str, _settings: &Value) -> Result<String, SettingFault> {
        Ok(String::new())
    }

    fn settings_schema(&self, _name: &str) -> Option<Value> {
        None
    }
}

/// An application below `scratch` whose processes are of another user than ours.
struct World {
    scratch: Scratch,
    systemd: Systemd,
    deployment: Deployment,
    host: HostName,
    link: Inside,
    facts: Facts,
}

impl World {
    fn boot() -> Option<Self> {
        if let Err(reason) = Systemd::can_boot() {
            #[expect(clippy::print_stderr, reason = "whoever runs the tests should know")]
            {
                eprintln!("not tested here: {reason}");
            }
            return None;
        }
        let scratch = Scratch::new();
        let systemd = Systemd::boot(&scratch);
        let app = systemd.directory().join("app dir");
        let text = format!(
            "name = \"shop\"\n\
             [build]\nsettings = {{ run = [[\"make\"]], artifact = \"dist\" }}\n\
             [app]\ndirectory = \"{}\"\ndriver = \"systemd\"\nuser = \"daemon\"\nstop-timeout = \"1s\"\n\
             start = [\"bin/app\", \"it's {{color}}\"]\nenv-file = \"shared/.env\"\n\
             blue = {{ port = 4001 }}\ngreen = {{ port = 4002 }}\n\
             [router]\nfront-door = [\"http://127.0.0.1:8080/\"]\n",
            app.display()
        );
        let input =
            Input { file: "cutover.toml", text: &text, root: Utf8Path::new("/project"), environment: None };
        let deployment = load(input, &Nothing).unwrap_or_else(|faults| panic!("{faults:?}")).deployment;
        let host = deployment.application.hosts[0].clone();
        let link = Self::link(&systemd, &host);
        let facts = Facts { user: "root".to_owned(), home: "/root".to_owned(), ..Facts::default() };
        let world = Self { scratch, systemd, deployment, host, link, facts };
        // What `cutover setup` prints.
        let slot = world.slot(Color::Blue);
        let run = slot.run_directory();
        std::fs::create_dir_all(&run).unwrap();
        std::fs::create_dir_all(app.join("shared")).unwrap();
        std::fs::write(app.join("shared/.env"), "FROM_FILE='of the operator'\n").unwrap();
        let done = std::process::Command::new("sh")
            .args(["-c", "chgrp daemon \"$1\" && chmod 2750 \"$1\"", "sh", &run])
            .status();
        assert!(done.unwrap().success());
        Some(world)
    }

    fn link(systemd: &Systemd, host: &HostName) -> Inside {
        let account = Account { user: "root".to_owned(), uid: 0, home: "/root".to_owned() };
        let here = Arc::new(Host::new(vec!["/nonexistent".into()], account));
        Inside { here: local_link(host.clone(), here), prefix: systemd.prefix() }
    }

    fn install_template(&self) {
        let slot = self.slot(Color::Blue);
        let path = driver::unit_path(&slot).unwrap();
        let name = Path::new(&path).file_name().unwrap().to_str().unwrap();
        self.systemd.install(name, &driver::unit_file(&slot).unwrap());
    }

    fn slot(&self, color: Color) -> Slot<'_> {
        Slot::new(&self.deployment, &self.host, color, &self.facts).unwrap()
    }

    /// A release whose program is this script.
    fn release(&self, name: &str, color: Color, script: &str) -> ReleaseId {
        let release = ReleaseId::parse(name).unwrap();
        let slot = self.slot(color);
        let bin = Path::new(&slot.release_directory(&release)).join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::write(bin.join("app"), format!("#!/bin/sh\n{script}\n")).unwrap();
        let done = std::process::Command::new("chmod").arg("755").arg(bin.join("app")).status();
        assert!(done.unwrap().success());
        let env = slot.env_file(&release, &Launch::configured(&slot));
        std::fs::create_dir_all(Path::new(&env).parent().unwrap()).unwrap();
        std::fs::write(&env, format!("CUTOVER_RELEASE=\"{name}\"\nODD=\"a \\\"b\\\" \\$c\"\n")).unwrap();
        release
    }

    async fn state(&self, color: Color) -> InstanceState {
        driver::state(&self.link, &self.slot(color)).await.unwrap()
    }

    async fn log(&self, color: Color, release: &ReleaseId) -> Vec<String> {
        let lines = driver::log_tail(&self.link, &self.slot(color), release, 50).await.unwrap();
        lines.into_iter().map(|line| line.text).collect()
    }
}

/// Asks again and again for five seconds.
async fn eventually<T>(what: &str, mut question: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = question().await {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Says who and what it is, and stays.
const SOUND: &str =
    "echo \"$(id -un) in $PWD: $1, $CUTOVER_RELEASE, $ODD, $FROM_FILE, home $HOME\"; exec sleep 1000";

#[tokio::test]
async fn a_release_runs_as_its_user_with_its_environment_and_stops() {
    let Some(world) = World::boot() else { return };
    let (blue, link) = (world.slot(Color::Blue), &world.link);
    let release = world.release("r1", Color::Blue, SOUND);
    assert_eq!(world.state(Color::Blue).await, InstanceState::Stopped);
    let failure = driver::start(link, None, &blue, &release).await.unwrap_err();
    let missing = "unit template `/etc/systemd/system/cutover-shop@.service`".to_owned();
    assert_eq!(failure, DriverFailure::NotSetUp { missing });

    world.install_template();
    driver::start(link, None, &blue, &release).await.unwrap();
    driver::start(link, None, &blue, &release).await.unwrap();
    let running = world.state(Color::Blue).await;
    let InstanceState::Running { release: Some(found), since: Some(_), pid: Some(_) } = running else {
        panic!("{running:?}");
    };
    assert_eq!(found, release);
    let home = "/usr/sbin";
    let hello = format!(
        "daemon in {}: it's blue, r1, a \"b\" $c, of the operator, home {home}",
        blue.release_directory(&release)
    );
    let log = eventually("its first line", async || {
        let log = world.log(Color::Blue, &release).await;
        log.contains(&hello).then_some(log)
    })
    .await;
    assert!(log.iter().all(|line| !line.starts_with("cutover: starting")), "{log:?}");

    // Another release is not started over it, and has no lines yet.
    let other = world.release("r2", Color::Blue, SOUND);
    let failure = driver::start(link, None, &blue, &other).await.unwrap_err();
    assert!(matches!(failure, DriverFailure::Occupied { .. }), "{failure}");
    assert_eq!(world.log(Color::Blue, &other).await, Vec::<String>::new());

    driver::stop(link, None, &blue).await.unwrap();
    driver::stop(link, None, &blue).await.unwrap();
    assert_eq!(world.state(Color::Blue).await, InstanceState::Stopped);
}

#[tokio::test]
async fn what_does_not_stop_is_killed_and_what_fails_says_why() {
    let Some(world) = World::boot() else { return };
    world.install_template();
    let (blue, green, link) = (world.slot(Color::Blue), world.slot(Color::Green), &world.link);
    let stubborn = world.release("stubborn", Color::Blue, "trap '' TERM; while :; do sleep 1; done");
    driver::start(link, None, &blue, &stubborn).await.unwrap();
    driver::stop(link, None, &blue).await.unwrap();
    assert_eq!(world.state(Color::Blue).await, InstanceState::Stopped);

    let broken = world.release("broken", Color::Green, "echo no database >&2; exit 7");
    driver::start(link, None, &green, &broken).await.unwrap();
    let failed = InstanceState::Failed { release: Some(broken.clone()), why: "exit status 7".to_owned() };
    eventually("it fails", async || (world.state(Color::Green).await == failed).then_some(())).await;
    assert!(world.log(Color::Green, &broken).await.contains(&"no database".to_owned()));
    // It is started again every two seconds, and gives way all the same.
    let sound = world.release("sound", Color::Green, SOUND);
    driver::start(link, None, &green, &sound).await.unwrap();
    assert!(world.state(Color::Green).await.runs(&sound));
    driver::stop(link, None, &green).await.unwrap();
}

#[tokio::test]
async fn a_reboot_brings_up_the_live_color_alone() {
    let Some(mut world) = World::boot() else { return };
    world.install_template();
    let live = world.release("live", Color::Green, SOUND);
    let warm = world.release("warm", Color::Blue, SOUND);
    {
        let (blue, green, link) = (world.slot(Color::Blue), world.slot(Color::Green), &world.link);
        driver::start(link, None, &blue, &warm).await.unwrap();
        driver::enable(link, None, &blue).await.unwrap();
        driver::start(link, None, &green, &live).await.unwrap();
        driver::enable(link, None, &green).await.unwrap();
        driver::disable(link, None, &blue).await.unwrap();
    }
    world.systemd.reboot();
    world.link = World::link(&world.systemd, &world.host);
    assert!(world.state(Color::Green).await.runs(&live));
    assert_eq!(world.state(Color::Blue).await, InstanceState::Stopped);
    assert!(world.scratch.path().exists());
}
