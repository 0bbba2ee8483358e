//! What a hook costs, beside the shell that other tools start: the start of its child process with compiled code, which happens once, and a
//! fresh instance of the bundled health hook in it with its answer, against `bash -c true`, in turns, in one run. `cargo xtask bench hook` builds and runs it.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement ends, loudly, at what it can't measure"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cutover::bundled;
use cutover::hook::http::HttpClient;
use cutover::hook::{Access, CodeCache, Groups, HookPool, Hosts, LoadedHook, Observer, SandboxProgram};
use cutover::model::grant::{Denied, Grants, HttpGrant, HttpTarget};
use cutover::model::{
    Color, Health, Hook, HookCall, HookKind, HookRelease, HookSource, HostName, Instance, Level, Limits,
    Location, Name,
};
use cutover::secret::{Redactor, Secrets};
use cutover::transport::{Link, local_link};
use cutover_host::operation::Guard;
use cutover_host::{Account, Host};
use serde_json::json;

/// Turns; in each, every subject is measured this many times.
const ROUNDS: usize = 40;
const IN_A_ROUND: usize = 10;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let figures = runtime.block_on(measure());
    if std::env::args().any(|arg| arg == "--json") {
        println!("{}", figures.json());
    } else {
        print!("{}", figures.table());
    }
}

/// Medians, in microseconds.
struct Figures {
    start: f64,
    call: f64,
    probe: f64,
    shell: f64,
}

impl Figures {
    fn json(&self) -> serde_json::Value {
        json!({
            "calls": ROUNDS * IN_A_ROUND,
            "sandbox_start_us": self.start,
            "hook_call_us": self.call,
            "health_check_us": self.probe,
            "bash_us": self.shell,
            "start_ratio": self.start / self.shell,
            "ratio": self.call / self.shell,
            "health_check_ratio": self.probe / self.shell,
        })
    }

    fn table(&self) -> String {
        let line = |what: &str, time: f64| format!("| {what} | {time:.0} µs | {:.3} |\n", time / self.shell);
        let mut text = "| median of 400 | time | of `bash -c true` |\n|---|---|---|\n".to_owned();
        text += &line("sandbox: compiled code out of the cache, process started, code taken", self.start);
        text += &line("health hook: fresh instance, call, answer", self.call);
        text += &line("the same with the HTTP request that it makes", self.probe);
        text += &line("`bash -c true`", self.shell);
        text
    }
}

async fn measure() -> Figures {
    let bench = Bench::new().await;
    let [mut starts, mut calls, mut probes, mut shells] = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for _ in 0..IN_A_ROUND {
            let begun = Instant::now();
            let started = bench.start().await;
            starts.push(begun.elapsed());
            drop(started);
        }
        for _ in 0..IN_A_ROUND {
            let begun = Instant::now();
            bench.call().await;
            calls.push(begun.elapsed());
        }
        for _ in 0..IN_A_ROUND {
            let begun = Instant::now();
            bench.probe().await;
            probes.push(begun.elapsed());
        }
        for _ in 0..IN_A_ROUND {
            let begun = Instant::now();
            let ended = Command::new("bash").args(["-c", "true"]).status().expect("bash");
            assert!(black_box(ended).success());
            shells.push(begun.elapsed());
        }
    }
    Figures { start: median(starts), call: median(calls), probe: median(probes), shell: median(shells) }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

/// The hook, and a world of one machine with one instance.
struct Bench {
    pool: HookPool,
    /// Of the compiled code.
    _cache: tempfile::TempDir,
    hook: LoadedHook,
    call: HookCall,
    groups: Groups,
    hosts: OneHost,
    secrets: Secrets,
}

impl Bench {
    async fn new() -> Self {
        let host = HostName::new("desk").expect("a name");
        let port = answering_port();
        let instance = Instance {
            host: host.clone(),
            color: Color::Green,
            listen: "127.0.0.1".to_owned(),
            address: "127.0.0.1".to_owned(),
            port,
            labels: Vec::new(),
        };
        let program = SandboxProgram::new(PathBuf::from(env!("CARGO_BIN_EXE_cutover")));
        let place = tempfile::tempdir().expect("a directory");
        let cache = CodeCache::open(&place.path().join("cache"), &place.path().join("key")).expect("a cache");
        let pool = HookPool::new(program, Some(cache), Arc::new(HttpClient::new())).expect("a pool");
        let loaded = pool.load(&hook(), HookKind::HealthCheck, wasm(), &Silence).await.expect("the hook");
        let release = HookRelease {
            id: "r2".to_owned(),
            revision: None,
            version: None,
            digest: String::new(),
            labels: Vec::new(),
        };
        let call = HookCall {
            deployment: "bench".to_owned(),
            app: "shop".to_owned(),
            release,
            previous: None,
            color: Color::Green,
            attempt: 1,
            instances: vec![instance],
            facts: vec![("marker-header".to_owned(), "x-release".to_owned())],
        };
        let groups = Groups { app: vec![host.clone()], routers: vec![host.clone()], builder: host.clone() };
        let account = Account::of_process(None, None);
        let hosts = OneHost { link: local_link(host, Arc::new(Host::new(Vec::new(), account))) };
        let secrets = Secrets::new(BTreeMap::new(), BTreeMap::new(), "/".into(), Redactor::default());
        Self { pool, _cache: place, hook: loaded, call, groups, hosts, secrets }
    }

    fn access(&self) -> Access<'_> {
        Access {
            hosts: &self.hosts,
            groups: &self.groups,
            secrets: &self.secrets,
            observer: &Silence,
            between: None,
            only_looks: false,
        }
    }

    /// A new sandbox, ready to be asked.
    async fn start(&self) -> LoadedHook {
        self.pool.load(&hook(), HookKind::HealthCheck, wasm(), &Silence).await.expect("the hook")
    }

    /// A question that makes the hook read its settings and nothing else.
    async fn call(&self) {
        let faults = self.hook.validate(self.access()).await.result.expect("an answer");
        assert!(faults.is_empty());
    }

    /// The question that a deployment asks.
    async fn probe(&self) {
        let health = self.hook.check_health(&self.call, &self.call.instances[0], self.access()).await;
        assert_eq!(health.result, Ok(Health::Healthy(Some("r2".to_owned()))));
    }
}

fn wasm() -> Vec<u8> {
    bundled::hook("http-health").expect("bundled").wasm.to_vec()
}

fn hook() -> Hook {
    let http = HttpGrant { to: HttpTarget::Instances, private: false, via: None, authorities: None };
    Hook {
        title: "health-check".to_owned(),
        source: HookSource::Builtin("http-health".to_owned()),
        settings: json!({ "path": "/up" }),
        timeout: Duration::from_secs(5),
        grants: Grants { http: Some(vec![http]), ..Grants::default() },
        bundled_grants: true,
        limits: Limits::default(),
        location: Location::default(),
        sha256: None,
        locked: None,
    }
}

struct OneHost {
    link: Arc<dyn Link>,
}

impl Hosts for OneHost {
    fn link(&self, host: &HostName) -> Option<Arc<dyn Link>> {
        (host == self.link.name()).then(|| Arc::clone(&self.link))
    }

    fn guard(&self, _: &Name) -> Option<Guard> {
        None
    }
}

struct Silence;

impl Observer for Silence {
    fn log(&self, _: &str, _: Level, _: &str) {}
    fn progress(&self, _: &str, _: u32, _: u32, _: &str) {}
    fn allowed(&self, _: &str, _: &str) {}
    fn denied(&self, _: &str, _: &Denied) {}
    fn compiling(&self, _: &str) {}
}

/// An instance that says `ok`, for as long as we run.
fn answering_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer(&stream)));
    port
}

fn answer(mut stream: &TcpStream) {
    let lines = BufReader::new(stream).lines();
    let _ = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).count();
    let text = "HTTP/1.1 200 OK\r\nx-release: r2\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
    let _ = stream.write_all(text.as_bytes());
}
