//! `cargo xtask demo`: the main job for real, in a scratch directory, with a load that counts every answer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use test_support::{Behaviour, Load, Machine, Port, Process, Repository, SYSTEM_PATH, Scratch, Tally};

use crate::front_door::FrontDoor;
use crate::{command, peers};

/// What is done after the first deployment, and how it should end.
const STORY: [Chapter; 5] = [
    Chapter {
        says: "v1: the first deployment",
        version: Some(("v1", Behaviour::Sound)),
        command: &["deploy", "-m", "the first"],
        exit: 0,
        live: "v1",
    },
    Chapter {
        says: "v2: a second one, under load",
        version: Some(("v2", Behaviour::Sound)),
        command: &["deploy", "-m", "the second"],
        exit: 0,
        live: "v2",
    },
    Chapter {
        says: "v3 fails its smoke test: it gets no request",
        version: Some(("v3", Behaviour::FailsSmokeTest)),
        command: &["deploy"],
        exit: 10,
        live: "v2",
    },
    Chapter {
        says: "v4 passes its tests and becomes sick under traffic: it is switched back",
        version: Some(("v4", Behaviour::SickAfterVisits(600))),
        command: &["deploy"],
        exit: 10,
        live: "v2",
    },
    Chapter {
        says: "the way back to the release before",
        version: None,
        command: &["rollback"],
        exit: 0,
        live: "v1",
    },
];

struct Chapter {
    says: &'static str,
    version: Option<(&'static str, Behaviour)>,
    command: &'static [&'static str],
    exit: i32,
    live: &'static str,
}

/// Deploys five times and counts; `as_json` prints one object instead of sentences, and the rest to standard error. `program` is a
/// cutover that is built already.
pub(crate) fn run(as_json: bool, program: Option<&str>) -> Result<(), String> {
    let interrupts = Interrupts::watch()?;
    let has_nginx = peers::for_demo()?;
    let program = program.map_or_else(command::build_cutover, |path| Ok(PathBuf::from(path)))?;
    let demo = Demo::new(&program, has_nginx, interrupts, as_json)?;
    let mut deployments = Vec::new();
    let mut load = None;
    for chapter in &STORY {
        deployments.push(demo.play(chapter)?);
        // Before the first deployment nothing can answer.
        load.get_or_insert_with(|| Load::start(demo.front_door.port()));
    }
    demo.say("what is there now");
    demo.cutover(&["status"])?;
    demo.cutover(&["history"])?;
    let tally = load.map(Load::finish).unwrap_or_default();
    if as_json {
        println!("{}", summary(&tally, &deployments));
    } else {
        println!("\n{}", sentences(&tally));
    }
    if tally.failed > 0 {
        return Err(format!("{} of {} requests failed: {:?}", tally.failed, tally.requests, tally.reasons));
    }
    Ok(())
}

fn summary(tally: &Tally, deployments: &[Value]) -> Value {
    let answers = tally
        .order
        .iter()
        .map(|key| json!({ "release": key.0, "color": key.1, "requests": tally.answers[key] }));
    json!({
        "requests": tally.requests,
        "failed": tally.failed,
        "answers": answers.collect::<Vec<_>>(),
        "deployments": deployments,
    })
}

fn sentences(tally: &Tally) -> String {
    let mut text = format!("{} requests were sent, {} failed\n", tally.requests, tally.failed);
    for key in &tally.order {
        text.push_str(&format!("  {:6} answers of release {}, {}\n", tally.answers[key], key.0, key.1));
    }
    text
}

struct Demo {
    interrupts: Interrupts,
    quiet: bool,
    program: PathBuf,
    front_door: FrontDoor,
    _ports: [Port; 2],
    repository: Repository,
    machine: Machine,
    // Last: everything else has ended when it goes.
    scratch: Scratch,
}

impl Demo {
    fn new(program: &Path, has_nginx: bool, interrupts: Interrupts, quiet: bool) -> Result<Self, String> {
        let sysroot = PathBuf::from(peers::sysroot()?);
        let scratch = Scratch::new();
        let directory = scratch.directory("machine");
        // Where it can be, the demo is on a machine of its own, so that no directory of the system is touched.
        let (machine, program, sysroot) = if Machine::can_isolate().is_ok() {
            let shown = |path: &Path| directory.join("shown").join(path.file_name().unwrap_or_default());
            let machine = Machine::isolated("desk", "127.0.0.1", &directory, &[program, &sysroot]);
            (machine, shown(program), shown(&sysroot))
        } else {
            (Machine::this(&directory, SYSTEM_PATH), program.to_owned(), sysroot)
        };
        let front_door = FrontDoor::new(has_nginx, &scratch, &machine, &program);
        let ports = [Port::take(), Port::take()];
        let repository = Repository::new(&scratch, true);
        let config = config(&front_door, &ports, &repository, &sysroot, &scratch);
        let mut demo =
            Self { interrupts, quiet, program, front_door, _ports: ports, repository, machine, scratch };
        demo.say(&format!("the whole configuration, {}", demo.directory().join("cutover.toml").display()));
        demo.print(&config);
        fs::write(demo.directory().join("cutover.toml"), config).map_err(|fault| fault.to_string())?;
        demo.set_up()?;
        Ok(demo)
    }

    fn directory(&self) -> &Path {
        self.repository.checkout()
    }

    /// Does what `cutover setup` says that the host needs once, and starts what routes.
    fn set_up(&mut self) -> Result<(), String> {
        let output = self.command(&["setup", "--json"]).output().map_err(|fault| fault.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        self.print("\n$ cutover setup | sh -eu\n");
        let told: Value = serde_json::from_slice(&output.stdout).map_err(|fault| fault.to_string())?;
        let hosts = told["hosts"].as_array().into_iter().flatten();
        let parts = hosts.flat_map(|host| host["parts"].as_array().into_iter().flatten());
        let parts = parts.filter(|part| self.front_door.wants(part));
        let script: String = parts.filter_map(|part| part["script"].as_str()).collect();
        let script = self.scratch.write("setup.sh", script);
        let ran = self.machine.command("sh", Path::new("/")).arg("-eu").arg(script).output();
        let ran = ran.map_err(|fault| fault.to_string())?;
        if !ran.status.success() {
            return Err(String::from_utf8_lossy(&ran.stderr).into_owned());
        }
        self.front_door.start(&self.machine);
        Ok(())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.machine.command(&self.program, self.directory());
        command.args(args);
        for name in ["TERM", "NO_COLOR", "COLUMNS", "COLORTERM"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command
    }

    /// One chapter, checked: a demo that shows something else than it says fails.
    fn play(&self, chapter: &Chapter) -> Result<Value, String> {
        self.say(chapter.says);
        if let Some((version, behaviour)) = chapter.version {
            self.repository.push(version, behaviour);
        }
        let exit = self.cutover(chapter.command)?;
        let page =
            test_support::get("127.0.0.1", self.front_door.port(), "/").map_err(|fault| fault.to_string())?;
        let live = page.body.split(' ').next().unwrap_or("").to_owned();
        if (exit, live.as_str()) != (chapter.exit, chapter.live) {
            return Err(format!(
                "{}: want exit status {} and {} live, got {exit} and {live}",
                chapter.says, chapter.exit, chapter.live
            ));
        }
        Ok(json!({
            "command": chapter.command[0],
            "version": chapter.version.map(|(version, _)| version),
            "exit": exit,
            "live": live,
            "color": page.header("x-color"),
        }))
    }

    /// Runs cutover before the eyes of whoever looks on, and returns its exit status.
    fn cutover(&self, args: &[&str]) -> Result<i32, String> {
        self.print(&format!("$ cutover {}\n", args.join(" ")));
        let mut command = self.command(args);
        command.stdin(Stdio::null());
        if self.quiet {
            command.stdout(std::io::stderr());
        }
        let mut child = command.spawn().map_err(|fault| format!("cutover can't be run: {fault}"))?;
        let mut asked_to_end = None;
        loop {
            if let Some(status) = child.try_wait().map_err(|fault| fault.to_string())? {
                self.interrupts.check()?;
                return Ok(status.code().unwrap_or(-1));
            }
            // A terminal sends Ctrl-C to cutover too, which puts back what it has done.
            let since = match self.interrupts.check() {
                Ok(()) => None,
                Err(_) => Some(*asked_to_end.get_or_insert_with(Instant::now)),
            };
            if since.is_some_and(|since: Instant| since.elapsed() > Duration::from_secs(8)) {
                let _ = child.kill();
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn say(&self, text: &str) {
        self.print(&format!("\n── {text}\n"));
    }

    fn print(&self, text: &str) {
        if self.quiet {
            eprint!("{text}");
        } else {
            print!("{text}");
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        Process::end_all_below(self.scratch.path());
    }
}

fn config(
    front_door: &FrontDoor,
    ports: &[Port; 2],
    repository: &Repository,
    sysroot: &Path,
    scratch: &Scratch,
) -> String {
    format!(
        r#"name = "shop"

[build]
repository = "{repository}"

[build.settings]
run = [
  ["mkdir", "-p", "dist/bin"],
  ["{rustc}", "--edition", "2024", "-O", "-C", "strip=symbols", "-o", "dist/bin/shop", "src/main.rs"],
  ["cp", "behaviour", "dist"],
]
artifact = "dist"

[app]
directory = "{directory}"
driver = "detached"
start = ["bin/shop", "--port", "{{port}}"]
blue  = {{ port = {blue} }}
green = {{ port = {green} }}

[app.release-marker]
header = "x-release"

[health-check]
settings = {{ path = "/up" }}
interval = "200ms"

[[smoke-test]]
name     = "checkout"
hook     = "builtin:http-smoke"
settings = {{ requests = [{{ name = "cart", path = "/checkout", expect = {{ json = {{ "/cart/items" = 3 }} }} }}] }}

[router]
{router}
front-door = ["http://127.0.0.1:{door}/up"]

[pipeline]
watch = "5s"
drain = {{ timeout = "5s" }}
"#,
        repository = repository.url(),
        rustc = sysroot.join("bin/rustc").display(),
        directory = scratch.join("srv/shop").display(),
        blue = ports[0],
        green = ports[1],
        router = front_door.lines(),
        door = front_door.port(),
    )
}

/// Ctrl-C, SIGTERM and SIGHUP, noted: what was started must end in order.
struct Interrupts {
    signal: Arc<AtomicUsize>,
}

impl Interrupts {
    fn watch() -> Result<Self, String> {
        let signal = Arc::new(AtomicUsize::new(0));
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let value = usize::try_from(number).unwrap_or(1);
            signal_hook::flag::register_usize(number, Arc::clone(&signal), value)
                .map_err(|fault| format!("signals can't be watched: {fault}"))?;
        }
        Ok(Self { signal })
    }

    fn check(&self) -> Result<(), String> {
        match self.signal.load(Ordering::SeqCst) {
            0 => Ok(()),
            number => Err(format!("ended by signal {number}; everything that was started has ended too")),
        }
    }
}
