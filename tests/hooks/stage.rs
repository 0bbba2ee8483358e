//! What the tests of hooks stand on: the stranger as a component, a pool that starts the real program, one host in this process.

use cutover::model::HookKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use cutover::hook::http::HttpClient;
use cutover::hook::{
    Access, CodeCache, Groups, HookFault, HookPool, Hosts, LoadedHook, Observer, SandboxProgram,
};
use cutover::model::grant::{Denied, Grants};
use cutover::model::{
    Color, Hook, HookCall, HookRelease, HookSource, HostName, Instance, Level, Limits, Location, SecretSource,
};
use cutover::secret::{Redactor, Secrets};
use cutover::transport::{Link, local_link};
use cutover_host::operation::Guard;
use cutover_host::{Account, Host};
use serde_json::json;

/// A place to load and ask hooks in, that remembers what they said.
pub(super) struct Stage {
    pub(super) place: tempfile::TempDir,
    groups: Groups,
    web1: Arc<dyn Link>,
    secrets: Secrets,
    /// Under what hooks change the host.
    pub(super) guard: Option<Guard>,
    heard: Mutex<Vec<String>>,
}

/// The component of `tests/components/stranger`.
pub(crate) fn stranger() -> Vec<u8> {
    built("stranger")
}

/// A component in Rust of `tests/components`.
pub(super) fn built(name: &str) -> Vec<u8> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        // The directory in which the bundled hooks are built: the SDK is compiled there already.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bundled");
        let status = Command::new(env!("CARGO"))
            .current_dir(root)
            .args(["build", "--locked", "--quiet", "--target=wasm32-wasip2", "--profile=hook"])
            .args(["--package=cutover-test-stranger", "--package=cutover-test-matrix", "--target-dir"])
            .arg(&target)
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .status();
        assert!(status.unwrap().success(), "the components of the tests do not compile");
        target.join("wasm32-wasip2/hook")
    });
    std::fs::read(built.join(format!("cutover_test_{name}.wasm"))).unwrap()
}

/// The value of the secret `token`: found where the tests say.
pub(super) const SECRET: &str = "hunter2 & 'correct'-horse";

/// `token` and what can't be had: `absent`, and `asked`, which a program would give.
fn secrets() -> Secrets {
    let name = |text: &str| HostName::new(text).unwrap();
    let sources = [
        (name("token"), SecretSource::Env("TOKEN".to_owned())),
        (name("absent"), SecretSource::Env("ABSENT".to_owned())),
        (name("asked"), SecretSource::Command(vec!["false".to_owned()])),
    ];
    let environment = [("TOKEN".to_owned(), SECRET.to_owned())];
    Secrets::new(sources.into(), environment.into(), "/".into(), Redactor::default())
}

/// Every key written and nothing granted: what the stranger needs to be loaded.
pub(super) fn nothing() -> Grants {
    Grants { exec: Some(Vec::new()), http: Some(Vec::new()), secrets: Some(Vec::new()), ..Grants::default() }
}

impl Stage {
    pub(super) fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let name = HostName::new("web1").unwrap();
        let groups = Groups {
            app: vec![name.clone()],
            routers: vec![HostName::new("lb1").unwrap()],
            // Which may be changed without a lock.
            builder: name.clone(),
        };
        let web1 = local_link(name, Arc::new(Host::new(Vec::new(), Account::of_process(None, None))));
        Self { place, groups, web1, secrets: secrets(), guard: None, heard: Mutex::default() }
    }

    /// Where another host builds, so that this one may not be changed without a lock.
    pub(super) fn built_elsewhere() -> Self {
        let mut stage = Self::new();
        stage.groups.builder = HostName::new("desk").unwrap();
        stage
    }

    pub(super) fn pool(&self, cache: Option<CodeCache>) -> HookPool {
        self.pool_of(env!("CARGO_BIN_EXE_cutover").into(), cache)
    }

    /// A pool whose sandboxes are another program.
    pub(super) fn pool_of(&self, program: PathBuf, cache: Option<CodeCache>) -> HookPool {
        HookPool::new(SandboxProgram::new(program), cache, Arc::new(HttpClient::new())).unwrap()
    }

    /// One cache for all tests, so that the stranger is compiled once.
    pub(super) fn cache(&self) -> CodeCache {
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hook-code");
        CodeCache::open(&shared.join("cache"), &shared.join("key")).unwrap()
    }

    pub(super) async fn try_load(
        &self,
        hook: &Hook,
        kind: HookKind,
        wasm: Vec<u8>,
    ) -> Result<LoadedHook, HookFault> {
        self.pool(Some(self.cache())).load(hook, kind, wasm, self).await
    }

    /// The stranger with a deed.
    pub(super) async fn load(
        &self,
        kind: HookKind,
        deed: &str,
        to: &str,
        grants: Grants,
        timeout: Duration,
    ) -> LoadedHook {
        let hook = hook(json!({"do": deed, "to": to}), grants, timeout);
        self.try_load(&hook, kind, stranger()).await.unwrap()
    }

    pub(super) fn access(&self) -> Access<'_> {
        let (groups, secrets) = (&self.groups, &self.secrets);
        Access { hosts: self, groups, secrets, observer: self, between: None, only_looks: false }
    }

    /// What was heard, in order.
    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    fn hear(&self, text: String) {
        self.heard.lock().unwrap().push(text);
    }
}

pub(super) fn hook(settings: serde_json::Value, grants: Grants, timeout: Duration) -> Hook {
    Hook {
        title: "stranger".to_owned(),
        source: HookSource::File("/hooks/stranger.wasm".into()),
        settings,
        timeout,
        grants,
        bundled_grants: false,
        limits: Limits::default(),
        location: Location::default(),
        sha256: None,
        locked: None,
    }
}

pub(super) fn instance(port: u16) -> Instance {
    Instance {
        host: HostName::new("web1").unwrap(),
        color: Color::Green,
        listen: "127.0.0.1".to_owned(),
        address: "10.0.0.11".to_owned(),
        port,
        labels: Vec::new(),
    }
}

pub(super) fn call(instances: Vec<Instance>) -> HookCall {
    HookCall {
        deployment: "01TEST".to_owned(),
        app: "shop".to_owned(),
        release: HookRelease {
            id: "20260101T000000Z-9f3c2a1b-aaaa".to_owned(),
            revision: None,
            version: None,
            digest: String::new(),
            labels: Vec::new(),
        },
        previous: None,
        color: Color::Green,
        attempt: 1,
        instances,
        facts: Vec::new(),
    }
}

impl Hosts for Stage {
    fn link(&self, host: &HostName) -> Option<Arc<dyn Link>> {
        (host.as_str() == "web1").then(|| Arc::clone(&self.web1))
    }

    fn guard(&self, _host: &HostName) -> Option<Guard> {
        self.guard.clone()
    }
}

impl Observer for Stage {
    fn log(&self, hook: &str, level: Level, message: &str) {
        self.hear(format!("{hook} {level:?}: {message}"));
    }

    fn progress(&self, hook: &str, done: u32, total: u32, what: &str) {
        self.hear(format!("{hook} {done}/{total} {what}"));
    }

    fn allowed(&self, hook: &str, request: &str) {
        self.hear(format!("{hook} asks {request}"));
    }

    fn denied(&self, hook: &str, denied: &Denied) {
        self.hear(format!("{hook} denied {denied}"));
    }

    // Whether it takes so long that people are told is the machine's affair.
    fn compiling(&self, _: &str) {}
}
