//! From a file to a hook that can be asked.

use std::io;
use std::sync::{Arc, LazyLock};

use camino::Utf8PathBuf;
use cutover_host::manifest::ContentDigest;
use tokio::sync::OnceCell;
use tokio::time::error::Elapsed;
use tokio::time::{timeout, timeout_at};

use super::cache::{CacheFault, CodeCache};
use super::child::{Sandbox, SandboxProgram};
use super::contract::cutover::hook::hook_types::HookError;
use super::http::HttpClient;
use super::interface::exported_kind;
use super::loaded::Component;
use super::memory::SealedMemory;
use super::script::Script;
use super::wire::{Anatomy, End, Order, Question, Report, Room, Value};
use super::{
    ContractVersion, Description, Downloads, HookFault, LARGEST_COMPONENT, LoadedHook, Observer, format,
    interface, limits as sandbox_limits, runtime,
};
use crate::bundled;
use crate::model::grant::Grants;
use crate::model::{Hook, HookKind, HookSource, Limit, Limits, excerpt, one_line};

/// Loads hooks. All of a deployment's share it.
#[derive(Debug)]
pub struct HookPool {
    program: SandboxProgram,
    cache: Option<CodeCache>,
    lacking: Option<CacheFault>,
    downloads: Option<Downloads>,
    http: Arc<HttpClient>,
    compatibility: String,
    /// From where the configuration names files.
    root: Utf8PathBuf,
    /// The compiled code of what runs scripts, once one asked for it.
    interpreter: OnceCell<Arc<SealedMemory>>,
}

/// Components can't be compiled for this machine at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("hooks can't be compiled for this processor: {0}")]
pub struct UnsupportedProcessor(String);

impl HookPool {
    /// `cache` is none where compiled code must not be kept.
    ///
    /// # Errors
    /// When this processor is none that components can be compiled for.
    pub fn new(
        program: SandboxProgram,
        cache: Option<CodeCache>,
        http: Arc<HttpClient>,
    ) -> Result<Self, UnsupportedProcessor> {
        let engine = runtime::engine(Limits::default().size(Limit::Stack))
            .map_err(|error| UnsupportedProcessor(error.to_string()))?;
        Ok(Self {
            program,
            cache,
            lacking: None,
            downloads: None,
            http,
            compatibility: runtime::compatibility(&engine),
            root: Utf8PathBuf::new(),
            interpreter: OnceCell::new(),
        })
    }

    /// Notes why there is no cache where there should be one.
    #[must_use]
    pub fn lacking(self, cache: Option<CacheFault>) -> Self {
        Self { lacking: cache, ..self }
    }

    /// Notes from where the configuration names files: scripts are called by the paths that it has for them.
    #[must_use]
    pub fn with_root(self, root: Utf8PathBuf) -> Self {
        Self { root, ..self }
    }

    /// Notes where fetched components are.
    #[must_use]
    pub fn with_downloads(self, downloads: Downloads) -> Self {
        Self { downloads: Some(downloads), ..self }
    }

    /// Where fetched components are.
    #[must_use]
    pub const fn downloads(&self) -> Option<&Downloads> {
        self.downloads.as_ref()
    }

    /// Why there is no cache, where there should be one.
    #[must_use]
    pub const fn cache_fault(&self) -> Option<&CacheFault> {
        self.lacking.as_ref()
    }

    /// Says what a component is, without compiling it and without any of its code being run: its bytes are read in a sandbox.
    ///
    /// # Errors
    /// When it is none, or the sandbox can't be started.
    pub async fn inspect(&self, title: &str, wasm: &[u8]) -> Result<Anatomy, HookFault> {
        let not_a_component = |reason| HookFault::NotAComponent { hook: title.to_owned(), reason };
        let no_sandbox = |reason| HookFault::NoSandbox { hook: title.to_owned(), reason };
        if wasm.len() as u64 > LARGEST_COMPONENT {
            let largest = Limit::File.text(LARGEST_COMPONENT);
            return Err(not_a_component(format!("the file is larger than {largest}")));
        }
        format::expect_component(wasm).map_err(not_a_component)?;
        let memory = SealedMemory::new(wasm).map_err(|error| no_sandbox(error.to_string()))?;
        let mut sandbox =
            Sandbox::start(&self.program, &memory).map_err(|error| no_sandbox(error.to_string()))?;
        let report = timeout(sandbox_limits::START, async {
            sandbox.send(&Order::Inspect, &[]).await?;
            sandbox.receive(UNASKED).await
        });
        let report = report.await;
        let late = format!("what it imports is not read within {} s", sandbox_limits::START.as_secs());
        match reported(sandbox, report, &late).await.map_err(not_a_component)? {
            (_, Report::Inspected(anatomy), _) => Ok(anatomy),
            _ => Err(not_a_component(ODD.to_owned())),
        }
    }

    /// Says what a script is, without any of its code being run: the interpreter reads it in a sandbox. `title` is what it is called, `name` what its
    /// errors call its file.
    ///
    /// # Errors
    /// When it is none, or the sandbox can't be started.
    pub async fn inspect_script(&self, title: &str, name: &str, text: &[u8]) -> Result<Anatomy, HookFault> {
        let limits = Limits::default();
        let script = Script::new(title, name, text)?;
        let code = self.interpreter(title, &limits, None).await?;
        let (sandbox, _, _) = ready(&self.program, &code, title, &limits, Some(&script)).await?;
        let (_, description) = describe(sandbox, title, &limits).await?;
        let languages = vec!["JavaScript".to_owned()];
        Ok(Anatomy { description, memory: None, memory_most: None, languages })
    }

    /// Checks a component and makes it ready: whether it is one, of the right kind, imports what there is and what is granted; compiles it,
    /// unless it was compiled before.
    ///
    /// # Errors
    /// Whatever speaks against it.
    pub async fn load(
        &self,
        hook: &Hook,
        kind: HookKind,
        wasm: Vec<u8>,
        observer: &dyn Observer,
    ) -> Result<LoadedHook, HookFault> {
        let title = &hook.title;
        if wasm.len() > hook.limits.size(Limit::File) {
            let breach = hook.limits.breach(Limit::File);
            return Err(HookFault::Limit { hook: title.clone(), breach });
        }
        let digest = ContentDigest::of(&wasm).to_string();
        let (script, code) = match &hook.source {
            HookSource::Script(path) => {
                let name = path.strip_prefix(&self.root).unwrap_or(path);
                let script = Script::new(title, name.as_str(), &wasm)?;
                (Some(script), self.interpreter(title, &hook.limits, Some(observer)).await?)
            }
            HookSource::Builtin(_) | HookSource::File(_) | HookSource::Https(_) | HookSource::Oci(_) => {
                format::expect_component(&wasm)
                    .map_err(|reason| HookFault::NotAComponent { hook: title.clone(), reason })?;
                let wanted = Some((kind, &hook.grants));
                let code = self.code(title, &hook.limits, &digest, &wasm, wanted, Some(observer)).await?;
                (None, Arc::new(code))
            }
        };
        let (mut sandbox, mut description, misfit) =
            ready(&self.program, &code, title, &hook.limits, script.as_ref()).await?;
        if script.is_some() && misfit.is_none() {
            (sandbox, description) = describe(sandbox, title, &hook.limits).await?;
            if !description
                .exports
                .iter()
                .any(|export| exported_kind(export).is_some_and(|(own, _)| own == kind))
            {
                return Err(HookFault::WrongScript { hook: title.clone(), wanted: kind });
            }
        }
        interface::inspect(title, kind, &description, &hook.grants)?;
        if let Some(reason) = misfit {
            let version = ContractVersion::newest(description.imports.iter().chain(&description.exports));
            return Err(HookFault::Unfit { hook: title.clone(), reason, version });
        }
        let component = Component { digest, description, code, script, program: self.program.clone() };
        Ok(LoadedHook::new(hook.clone(), kind, component, sandbox, Arc::clone(&self.http)))
    }

    /// The compiled code of what runs scripts: once for all of them. It imports all that there is: what counts is what the script imports.
    async fn interpreter(
        &self,
        title: &str,
        limits: &Limits,
        observer: Option<&dyn Observer>,
    ) -> Result<Arc<SealedMemory>, HookFault> {
        static DIGEST: LazyLock<String> =
            LazyLock::new(|| ContentDigest::of(bundled::INTERPRETER).to_string());
        let code = || async {
            let code = self.code(title, limits, &DIGEST, bundled::INTERPRETER, None, observer);
            code.await.map(Arc::new)
        };
        self.interpreter.get_or_try_init(code).await.cloned()
    }

    /// The compiled code of a component with this digest, out of the cache, or compiled now. With `wanted`, what can't be used so is not compiled.
    async fn code(
        &self,
        title: &str,
        limits: &Limits,
        digest: &str,
        wasm: &[u8],
        wanted: Option<(HookKind, &Grants)>,
        observer: Option<&dyn Observer>,
    ) -> Result<SealedMemory, HookFault> {
        let code = match self.cached(digest).await {
            Some(code) => Arc::new(code),
            None => {
                let code = Arc::new(self.compile(title, limits, wasm, wanted, observer).await?);
                self.keep(digest, Arc::clone(&code)).await;
                code
            }
        };
        SealedMemory::new(&code)
            .map_err(|error| HookFault::NoSandbox { hook: title.to_owned(), reason: error.to_string() })
    }

    async fn cached(&self, digest: &str) -> Option<Vec<u8>> {
        let cache = self.cache.clone()?;
        let (digest, compatibility) = (digest.to_owned(), self.compatibility.clone());
        tokio::task::spawn_blocking(move || cache.get(&digest, &compatibility)).await.ok().flatten()
    }

    async fn keep(&self, digest: &str, code: Arc<Vec<u8>>) {
        let Some(cache) = self.cache.clone() else { return };
        let (digest, compatibility) = (digest.to_owned(), self.compatibility.clone());
        // A full disk costs the next run its time, and this one nothing.
        let _ = tokio::task::spawn_blocking(move || cache.put(&digest, &compatibility, &code)).await;
    }

    /// Compiles in a sandbox of its own, which is gone afterwards with all the memory that it took.
    async fn compile(
        &self,
        title: &str,
        limits: &Limits,
        wasm: &[u8],
        wanted: Option<(HookKind, &Grants)>,
        observer: Option<&dyn Observer>,
    ) -> Result<Vec<u8>, HookFault> {
        let no_sandbox =
            |error: io::Error| HookFault::NoSandbox { hook: title.to_owned(), reason: error.to_string() };
        let broken = |limit| HookFault::Limit { hook: title.to_owned(), breach: limits.breach(limit) };
        let not_compiled = |reason: String| match OUT_OF_MEMORY.iter().any(|words| reason.contains(words)) {
            true => broken(Limit::CompileMemory),
            false => HookFault::NotCompiled { hook: title.to_owned(), reason },
        };
        let deadline = tokio::time::Instant::now() + limits.time(Limit::CompileTime);
        let memory = SealedMemory::new(wasm).map_err(no_sandbox)?;
        let mut sandbox = Sandbox::start(&self.program, &memory).map_err(no_sandbox)?;
        let described = timeout(sandbox_limits::START, async {
            sandbox.send(&Order::Compile { limits: limits.clone() }, &[]).await?;
            sandbox.receive(UNASKED).await
        });
        let late = format!("what it imports is not read within {} s", sandbox_limits::START.as_secs());
        let described = described.await;
        let (mut sandbox, described, _) = reported(sandbox, described, &late).await.map_err(not_compiled)?;
        let Report::Described(description) = described else { return Err(not_compiled(ODD.to_owned())) };
        if let Some((kind, grants)) = wanted {
            interface::inspect(title, kind, &description, grants)?;
        }
        let report = {
            let mut compiled =
                std::pin::pin!(sandbox.receive(Room { payload: sandbox_limits::CODE, ..UNASKED }));
            match timeout(sandbox_limits::COMPILE_SHOWN, &mut compiled).await {
                Ok(report) => Ok(report),
                Err(_) => {
                    if let Some(observer) = observer {
                        observer.compiling(title);
                    }
                    timeout_at(deadline, compiled).await
                }
            }
        };
        let Ok(report) = report else { return Err(broken(Limit::CompileTime)) };
        match reported(sandbox, Ok(report), "").await.map_err(not_compiled)? {
            (_, Report::Compiled, code) => Ok(code),
            _ => Err(not_compiled(ODD.to_owned())),
        }
    }
}

/// Starts a sandbox and waits until it has taken its code, and what that is to run. Also returns what the component is, and why it can't be linked.
pub(super) async fn ready(
    program: &SandboxProgram,
    code: &SealedMemory,
    title: &str,
    limits: &Limits,
    script: Option<&Script>,
) -> Result<(Sandbox, Description, Option<String>), HookFault> {
    let no_sandbox = |reason: String| HookFault::NoSandbox { hook: title.to_owned(), reason };
    let mut sandbox = Sandbox::start(program, code).map_err(|error| no_sandbox(error.to_string()))?;
    let report = timeout(sandbox_limits::START, async {
        let input = script.map_or(&[][..], Script::input);
        sandbox.send(&Order::Load { limits: limits.clone() }, input).await?;
        sandbox.receive(UNASKED).await
    });
    let report = report.await;
    let late = format!("not ready within {} s", sandbox_limits::START.as_secs());
    match reported(sandbox, report, &late).await.map_err(no_sandbox)? {
        (sandbox, Report::Loaded { description, misfit }, _) => Ok((sandbox, description, misfit)),
        _ => Err(no_sandbox(ODD.to_owned())),
    }
}

/// What a script imports and exports, asked of the interpreter that has it. Nothing of the script is run, so that nothing can be asked for by it.
async fn describe(
    mut sandbox: Sandbox,
    title: &str,
    limits: &Limits,
) -> Result<(Sandbox, Description), HookFault> {
    // One line: a name in the script is no hint of ours.
    let not_a_script = |reason: String| {
        Err(HookFault::NotAScript { hook: title.to_owned(), reason: one_line(&excerpt(reason)) })
    };
    let late = || not_a_script(format!("it is not read within {} s", sandbox_limits::START.as_secs()));
    let timeout_ms = u64::try_from(sandbox_limits::START.as_millis()).unwrap_or(u64::MAX);
    let asked = timeout(sandbox_limits::START + sandbox_limits::GRACE, async {
        sandbox.send(&Order::Ask { question: Box::new(Question::Describe), timeout_ms }, &[]).await?;
        sandbox.receive(UNASKED).await
    });
    let (end, printed) = match asked.await {
        Err(_) => return late(),
        Ok(Err(_)) => return not_a_script(sandbox.epitaph().await),
        Ok(Ok((Report::Ended { end, printed, .. }, _))) => (end, printed),
        Ok(Ok(_)) => return not_a_script(ODD.to_owned()),
    };
    match end {
        End::Value(Value::Description(description)) => Ok((sandbox, description)),
        End::Error(HookError::Failed(reason)) | End::Unfit(reason) => not_a_script(reason),
        End::Trapped(reason) => {
            // What it said last tells more than that it crashed.
            let last = printed.lines().rfind(|line| !line.trim().is_empty());
            let how = last.map_or_else(|| reason.clone(), |last| format!("{reason}: {last}"));
            not_a_script(format!("what reads it fails, as it does where parts are nested too deeply: {how}"))
        }
        End::Exceeded(limit) => {
            Err(HookFault::Limit { hook: title.to_owned(), breach: limits.breach(limit) })
        }
        End::TimedOut => late(),
        End::Value(_) | End::Error(_) => not_a_script(ODD.to_owned()),
    }
}

/// Of a sandbox that was asked nothing yet.
const UNASKED: Room = Room { message: sandbox_limits::DESCRIPTION, payload: 0 };

/// What is said, by the language or the system, when there is no memory.
const OUT_OF_MEMORY: [&str; 2] = ["memory allocation of", "annot allocate memory"];

/// Of a report that nothing asked for.
const ODD: &str = "the sandbox answered something else";

/// A sandbox with what it reported in its time; else why not.
async fn reported(
    sandbox: Sandbox,
    received: Result<io::Result<(Report, Vec<u8>)>, Elapsed>,
    late: &str,
) -> Result<(Sandbox, Report, Vec<u8>), String> {
    match received {
        Ok(Ok((Report::Refused(reason), _))) => Err(reason),
        Ok(Ok((report, bytes))) => Ok((sandbox, report, bytes)),
        Ok(Err(_)) => Err(sandbox.epitaph().await),
        Err(_) => Err(late.to_owned()),
    }
}
