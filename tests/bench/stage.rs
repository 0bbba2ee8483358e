//! What hooks that are measured stand on: one machine with one instance, which answers.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cutover::hook::http::HttpClient;
use cutover::hook::{Access, CodeCache, Groups, HookPool, Hosts, Observer, SandboxProgram};
use cutover::model::grant::{Denied, Grants, HttpGrant, HttpTarget};
use cutover::model::{
    Color, Hook, HookCall, HookRelease, HookSource, HostName, Instance, Level, Limits, Location, Name,
};
use cutover::secret::{Redactor, Secrets};
use cutover::transport::{Link, local_link};
use cutover_host::operation::Guard;
use cutover_host::{Account, Host};
use serde_json::json;

/// The release that the instance says it is.
pub(crate) const RELEASE: &str = "r2";

/// A world of one machine with one instance.
pub(crate) struct Stage {
    pub(crate) call: HookCall,
    groups: Groups,
    hosts: OneHost,
    secrets: Secrets,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let host = HostName::new("desk").expect("a name");
        let instance = Instance {
            host: host.clone(),
            color: Color::Green,
            listen: "127.0.0.1".to_owned(),
            address: "127.0.0.1".to_owned(),
            port: answering_port(),
            labels: Vec::new(),
        };
        let release = HookRelease {
            id: RELEASE.to_owned(),
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
        Self { call, groups, hosts, secrets }
    }

    pub(crate) fn access(&self) -> Access<'_> {
        Access {
            hosts: &self.hosts,
            groups: &self.groups,
            secrets: &self.secrets,
            observer: &Silence,
            between: None,
            only_looks: false,
        }
    }
}

/// What loads hooks with the program under test, and keeps what it compiles in this directory.
pub(crate) fn pool(place: &Path) -> HookPool {
    let program = SandboxProgram::new(PathBuf::from(env!("CARGO_BIN_EXE_cutover")));
    let cache = CodeCache::open(&place.join("cache"), &place.join("key")).expect("a cache");
    HookPool::new(program, Some(cache), Arc::new(HttpClient::new())).expect("a pool")
}

/// A health check of the instance's `/up`.
pub(crate) fn hook(source: HookSource) -> Hook {
    let http = HttpGrant { to: HttpTarget::Instances, private: false, via: None, authorities: None };
    Hook {
        title: "health-check".to_owned(),
        settings: json!({ "path": "/up" }),
        timeout: Duration::from_secs(5),
        grants: Grants { http: Some(vec![http]), ..Grants::default() },
        bundled_grants: matches!(source, HookSource::Builtin(_)),
        source,
        limits: Limits::default(),
        location: Location::default(),
        sha256: None,
        locked: None,
    }
}

pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
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

pub(crate) struct Silence;

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
