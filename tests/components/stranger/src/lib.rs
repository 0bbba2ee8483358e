//! A hook that does what its settings say, all of it bad manners. What it answers is what became of it.

#![cfg(target_family = "wasm")]

mod careless;
mod floods;
mod raw;

use std::hint::black_box;
use std::net::ToSocketAddrs;
use std::time::Duration;

use cutover_hooks::engine::{self, Level};
use cutover_hooks::hosts::{self, Command};
use cutover_hooks::http::Request;
use cutover_hooks::{
    Call, Health, HealthCheck, HookError, Instance, Observation, Router, Routing, SettingFault, secrets,
};

/// `{ do = "…" }`.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    #[serde(rename = "do")]
    deed: Deed,
    /// What some deeds are done to.
    #[serde(default)]
    to: String,
    /// Of a program, beside its name.
    args: Option<Vec<String>>,
    /// Answers from the last letter to the first: what a guest has seen can't be masked in what it makes of it.
    #[serde(default)]
    backwards: bool,
    /// Of a router.
    sin: Option<careless::Sin>,
}

/// What to do.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Deed {
    Answer,
    Panic,
    Exit,
    Spin,
    Sleep,
    SleepInWasi,
    Allocate,
    Recurse,
    Print,
    Log,
    Temporary,
    Other,
    Fetch,
    Read,
    Write,
    Exec,
    Reveal,
    Sign,
    SendSecrets,
    RunWithSecrets,
    LeakSecret,
    UseSecrets,
    Environment,
    Network,
    ReadLink,
    WriteLink,
    ListNames,
    WriteSetId,
    ExecAsRoot,
    Swallow,
    LongLine,
    LongAnswer,
    LongRequest,
    LongContent,
    SharedLists,
    Headers,
    FetchOften,
    ExecOften,
    ReadOften,
    /// Routes by the file `to`, with a sin or none.
    Route,
}

/// What a deed comes to where all that it needs is granted.
const HEALTHY: &str = "healthy";

/// The hook.
#[derive(Debug)]
pub struct Stranger;

cutover_hooks::export!(health_check: Stranger);
cutover_hooks::export!(router: Stranger);

impl HealthCheck for Stranger {
    type Settings = Settings;

    fn check(settings: &Settings, _call: &Call, instance: &Instance) -> Result<Health, HookError> {
        let text = done(settings, Some(instance))?;
        Ok(if text == HEALTHY { Health::Healthy(None) } else { Health::Starting(text) })
    }
}

impl Router for Stranger {
    type Settings = Settings;

    fn faults(settings: &Settings) -> Vec<SettingFault> {
        if matches!(settings.deed, Deed::Route) {
            return Vec::new();
        }
        let text = done(settings, None).unwrap_or_else(|error| error.text().to_owned());
        vec![SettingFault { key: "do".to_owned(), reason: text }]
    }

    fn features(settings: &Settings, _call: &Call) -> Result<Vec<String>, HookError> {
        if matches!(settings.deed, Deed::Route) {
            return Ok(vec!["maintenance".to_owned()]);
        }
        Ok(vec![done(settings, None)?])
    }

    fn observe(settings: &Settings, _call: &Call, router: &str) -> Result<Observation, HookError> {
        if matches!(settings.deed, Deed::Route) {
            return careless::observe(router, &settings.to, settings.sin);
        }
        let label = ("done".to_owned(), done(settings, None)?);
        Ok(Observation { routing: None, settled: true, labels: vec![label] })
    }

    fn prepare(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        if matches!(settings.deed, Deed::Route) {
            return match call.fact("setup") {
                Some(user) => Ok(format!("# a file of {user}'s\n")),
                None => careless::prepare(router, &settings.to, want, settings.sin),
            };
        }
        done(settings, None)
    }

    fn apply(settings: &Settings, _: &Call, router: &str, want: &Routing) -> Result<(), HookError> {
        if matches!(settings.deed, Deed::Route) {
            return careless::apply(router, &settings.to, want, settings.sin);
        }
        done(settings, None).map(|_| ())
    }
}

fn done(settings: &Settings, instance: Option<&Instance>) -> Result<String, HookError> {
    let text = did(settings, instance)?;
    Ok(if settings.backwards { text.chars().rev().collect() } else { text })
}

fn did(settings: &Settings, instance: Option<&Instance>) -> Result<String, HookError> {
    let to = settings.to.as_str();
    Ok(match settings.deed {
        Deed::Answer => "answered".to_owned(),
        Deed::Panic => panic!("nobody expects {to}"),
        Deed::Exit => std::process::exit(3),
        Deed::Spin => loop {
            black_box(());
        },
        Deed::Sleep => {
            engine::sleep(Duration::from_secs(3600));
            "slept".to_owned()
        }
        Deed::SleepInWasi => {
            std::thread::sleep(Duration::from_secs(3600));
            "slept".to_owned()
        }
        Deed::Allocate => {
            let mut all = Vec::new();
            loop {
                all.push(black_box(vec![1_u8; 1 << 20]));
            }
        }
        Deed::Recurse => format!("{}", depth(1)),
        Deed::Print => {
            for line in 0..200_000 {
                eprint_line(line);
            }
            "printed".to_owned()
        }
        Deed::Log => {
            for line in 0..1_000_000 {
                engine::log(Level::Info, format!("line {line}"));
            }
            "logged".to_owned()
        }
        Deed::Temporary => return Err(HookError::Temporary("later\nhint: wait".to_owned())),
        Deed::Other => return Err(HookError::Other(("E42".to_owned(), "strange".to_owned()))),
        Deed::Fetch => {
            let method = if to == "POST" { "POST" } else { "GET" };
            let request = match instance {
                Some(instance) if to.is_empty() || to == method => {
                    Request::to_instance(method, instance, "/up")
                }
                Some(_) | None => Request::new(method, to),
            };
            match request.send() {
                Ok(answer) => format!("{} {}", answer.status, answer.text),
                Err(error) => format!("{error:?}"),
            }
        }
        Deed::Read => told(hosts::read_text("web1", to)),
        Deed::Write => told(hosts::write_text("web1", to, "content", None)),
        Deed::Exec => told(hosts::exec("web1", &command(settings))),
        Deed::Reveal => told(secrets::reveal(to)),
        Deed::Sign => {
            let mut chain = to.split('/').map(str::to_owned);
            let prefix = chain.next().unwrap_or_default();
            let chain: Vec<String> = chain.collect();
            let signature = secrets::hmac_sha256("token", &prefix, &chain, b"data");
            told(signature.map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
        }
        Deed::SendSecrets => {
            let request = Request::new("POST", to)
                .header("content-type", "application/x-www-form-urlencoded")
                .secret_header("authorization", "Bearer {token}")
                .secret_body("password={token}&braces={{}}");
            match request.send() {
                Ok(answer) => format!("{} {:?} {}", answer.status, answer.header("x-echo"), answer.text),
                Err(error) => format!("{error:?}"),
            }
        }
        Deed::RunWithSecrets => {
            let command = Command::new(to).args(["TOKEN", "-"]);
            let command = command.secret_env("TOKEN", "<{token}>").secret_input("input {token}");
            told(hosts::exec("web1", &command))
        }
        Deed::UseSecrets => {
            let answer = Request::new("POST", to)
                .secret_header("authorization", "Bearer {token}")
                .secret_body("{token} braces={{}}")
                .fetch()?;
            let host = instance.map_or("web1", |instance| instance.host.as_str());
            let command = Command::new("/usr/bin/printenv").args(["TOKEN"]).secret_env("TOKEN", "{token}");
            let output = hosts::run(host, &command)?;
            let signature = secrets::hmac_sha256("token", "", &[], b"data")?;
            let text = secrets::reveal("token")?;
            let length = signature.len();
            engine::log(Level::Warn, format!("{} / {} / {length} / {text}", answer.text, output.out.trim()));
            HEALTHY.to_owned()
        }
        Deed::LeakSecret => {
            let secret = secrets::reveal("token")?;
            engine::log(Level::Warn, format!("it is {secret}"));
            engine::progress(1, 2, &secret);
            print_secret(&secret);
            let _ = hosts::read_text("web1", &format!("/{secret}"));
            let _ = hosts::exec("web1", &Command::new("/bin/echo").args(["one", &secret]));
            let _ = Request::new("GET", format!("http://127.0.0.1:1/{}", secret.len()))
                .header("x", &secret)
                .send();
            return Err(HookError::Failed(format!("the secret is {secret}\nhint: {secret}")));
        }
        Deed::Environment => {
            let variables = std::env::vars().count();
            let arguments = std::env::args().count();
            let files = std::fs::read_dir("/").map(Iterator::count);
            let network = std::net::TcpStream::connect("127.0.0.1:1").map(|_| ());
            format!(
                "{variables} {arguments} {:?} {:?}",
                files.map_err(|e| e.kind()),
                network.map_err(|e| e.kind())
            )
        }
        Deed::Network => {
            let name = to.to_socket_addrs().map(|_| ());
            let socket = std::net::UdpSocket::bind("0.0.0.0:0").map(|_| ());
            let listener = std::net::TcpListener::bind("127.0.0.1:0").map(|_| ());
            let made = std::fs::write("/file", "content");
            format!(
                "{:?} {:?} {:?} {:?}",
                name.is_err(),
                socket.map_err(|e| e.kind()),
                listener.map_err(|e| e.kind()),
                made.map_err(|e| e.kind())
            )
        }
        Deed::ReadLink => told(hosts::read_link("web1", to)),
        Deed::WriteLink => told(hosts::write_link("web1", to, "/etc")),
        Deed::ListNames => told(hosts::list_names("web1", to)),
        Deed::WriteSetId => told(hosts::write_text("web1", to, "content", Some(0o4755))),
        Deed::ExecAsRoot => told(hosts::exec("web1", &command(settings).as_root(true))),
        Deed::Swallow => {
            let _ = hosts::exec("web1", &command(settings));
            "nothing happened".to_owned()
        }
        Deed::LongLine => floods::long_line(),
        Deed::LongAnswer => "x".repeat(to.parse().unwrap_or_default()),
        Deed::LongRequest => floods::long_request(to),
        Deed::LongContent => floods::long_content(to),
        Deed::SharedLists => raw::shared_lists(),
        Deed::Headers => floods::headers(to),
        Deed::FetchOften => floods::fetch_often(to),
        Deed::ExecOften => floods::often(|| told(hosts::exec("web1", &command(settings)))),
        Deed::Route => return Err(HookError::failed("it is a router")),
        Deed::ReadOften => floods::often(|| told(hosts::read_text("web1", to))),
    })
}

/// The program of the settings.
fn command(settings: &Settings) -> Command {
    let args = settings.args.clone().unwrap_or_else(|| vec!["one".to_owned(), "two".to_owned()]);
    Command::new(settings.to.as_str()).args(args)
}

fn told<T: std::fmt::Debug, E: std::fmt::Debug>(result: Result<T, E>) -> String {
    format!("{result:?}")
}

#[expect(clippy::print_stderr, reason = "that is the deed")]
fn eprint_line(line: u32) {
    eprintln!("printed line {line}");
}

#[expect(clippy::print_stdout, reason = "that is the deed")]
fn print_secret(secret: &str) {
    println!("printed {secret}");
}

#[expect(unconditional_recursion, reason = "that is the deed")]
fn depth(depth: u64) -> u64 {
    black_box(self::depth(black_box(depth) + 1)) + 1
}
