//! From a file to a hook that can be asked.

use std::io;
use std::sync::Arc;

use cutover_host::manifest::ContentDigest;
use tokio::time::error::Elapsed;
use tokio::time::{timeout, timeout_at};

use super::cache::{CacheFault, CodeCache};
use super::child::{Sandbox, SandboxProgram};
use super::http::HttpClient;
use super::loaded::Component;
use super::memory::SealedMemory;
use super::wire::{Order, Report, Room};
use super::{Description, HookFault, LoadedHook, Observer, format, interface, limits, runtime};
use crate::model::{Hook, HookKind, Limit, Limits};

/// Loads hooks. All of a deployment's share it.
#[derive(Debug)]
pub struct HookPool {
    program: SandboxProgram,
    cache: Option<CodeCache>,
    lacking: Option<CacheFault>,
    http: Arc<HttpClient>,
    compatibility: String,
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
        Ok(Self { program, cache, lacking: None, http, compatibility: runtime::compatibility(&engine) })
    }

    /// Notes why there is no cache where there should be one.
    #[must_use]
    pub fn lacking(self, cache: Option<CacheFault>) -> Self {
        Self { lacking: cache, ..self }
    }

    /// Why there is no cache, where there should be one.
    #[must_use]
    pub const fn cache_fault(&self) -> Option<&CacheFault> {
        self.lacking.as_ref()
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
        let title = || hook.title.clone();
        if wasm.len() > hook.limits.size(Limit::File) {
            return Err(HookFault::Limit { hook: title(), breach: hook.limits.breach(Limit::File) });
        }
        format::expect_component(&wasm)
            .map_err(|reason| HookFault::NotAComponent { hook: title(), reason })?;
        let digest = ContentDigest::of(&wasm).to_string();
        let no_sandbox = |error: io::Error| HookFault::NoSandbox { hook: title(), reason: error.to_string() };

        let code = match self.cached(&digest).await {
            Some(code) => Arc::new(code),
            None => {
                let code = Arc::new(self.compile(hook, kind, wasm, observer).await?);
                self.keep(&digest, Arc::clone(&code)).await;
                code
            }
        };
        let code = SealedMemory::new(&code).map_err(no_sandbox)?;
        let (sandbox, description, misfit) = ready(&self.program, &code, hook).await?;
        interface::inspect(&hook.title, kind, &description, &hook.grants)?;
        if let Some(reason) = misfit {
            return Err(HookFault::Unfit { hook: title(), reason });
        }
        let component = Component { digest, description, code, program: self.program.clone() };
        Ok(LoadedHook::new(hook.clone(), kind, component, sandbox, Arc::clone(&self.http)))
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

    /// Compiles in a sandbox of its own, which is gone afterwards with all the memory that it took. What can't be used is not compiled.
    async fn compile(
        &self,
        hook: &Hook,
        kind: HookKind,
        wasm: Vec<u8>,
        observer: &dyn Observer,
    ) -> Result<Vec<u8>, HookFault> {
        let title = &hook.title;
        let no_sandbox =
            |error: io::Error| HookFault::NoSandbox { hook: title.to_owned(), reason: error.to_string() };
        let broken = |limit| HookFault::Limit { hook: title.to_owned(), breach: hook.limits.breach(limit) };
        let not_compiled = |reason: String| match OUT_OF_MEMORY.iter().any(|words| reason.contains(words)) {
            true => broken(Limit::CompileMemory),
            false => HookFault::NotCompiled { hook: title.to_owned(), reason },
        };
        let deadline = tokio::time::Instant::now() + hook.limits.time(Limit::CompileTime);
        let memory = SealedMemory::new(&wasm).map_err(no_sandbox)?;
        drop(wasm);
        let mut sandbox = Sandbox::start(&self.program, &memory).map_err(no_sandbox)?;
        let described = timeout(limits::START, async {
            sandbox.send(&Order::Compile { limits: hook.limits.clone() }, &[]).await?;
            sandbox.receive(UNASKED).await
        });
        let late = format!("what it imports is not read within {} s", limits::START.as_secs());
        let described = described.await;
        let (mut sandbox, described, _) = reported(sandbox, described, &late).await.map_err(not_compiled)?;
        let Report::Described(description) = described else { return Err(not_compiled(ODD.to_owned())) };
        interface::inspect(title, kind, &description, &hook.grants)?;
        let report = {
            let mut compiled = std::pin::pin!(sandbox.receive(Room { payload: limits::CODE, ..UNASKED }));
            match timeout(limits::COMPILE_SHOWN, &mut compiled).await {
                Ok(report) => Ok(report),
                Err(_) => {
                    observer.compiling(title);
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

/// Starts a sandbox and waits until it has taken its code. Also returns what the component is, and why it can't be linked.
pub(super) async fn ready(
    program: &SandboxProgram,
    code: &SealedMemory,
    hook: &Hook,
) -> Result<(Sandbox, Description, Option<String>), HookFault> {
    let no_sandbox = |reason: String| HookFault::NoSandbox { hook: hook.title.clone(), reason };
    let mut sandbox = Sandbox::start(program, code).map_err(|error| no_sandbox(error.to_string()))?;
    let report = timeout(limits::START, async {
        sandbox.send(&Order::Load { limits: hook.limits.clone() }, &[]).await?;
        sandbox.receive(UNASKED).await
    });
    let report = report.await;
    let late = format!("not ready within {} s", limits::START.as_secs());
    match reported(sandbox, report, &late).await.map_err(no_sandbox)? {
        (sandbox, Report::Loaded { description, misfit }, _) => Ok((sandbox, description, misfit)),
        _ => Err(no_sandbox(ODD.to_owned())),
    }
}

/// Of a sandbox that was asked nothing yet.
const UNASKED: Room = Room { message: limits::DESCRIPTION, payload: 0 };

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
