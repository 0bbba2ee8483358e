//! `cutover hook test`: a hook in the real sandbox, in a world that a case makes up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use cutover_host::operation::Guard;

use crate::config::ReadCase;
use crate::hook::{Access, Between, Groups, HookPool, Hosts, LoadedHook, Scripted};
use crate::model::case::judge;
use crate::model::grant::Grants;
use crate::model::view::{HookTestView, TestedCase};
use crate::model::{Hook, HookKind, HookSource, HostName, Location, Name, Trouble};
use crate::run::execute::reporter::Reporter;
use crate::run::world::components::component;
use crate::run::world::teller::Teller;
use crate::secret::{Redactor, Secrets};
use crate::transport::Link;

/// A component that is tested.
#[derive(Debug, Clone)]
pub struct TestedHook {
    /// As it was named.
    pub name: String,
    /// Where its component is.
    pub source: HookSource,
    /// The hook of the configuration that it is, where it is one: which component it must be, and what it may use.
    pub configured: Option<Hook>,
}

/// Puts each case to the hook. Nothing of this machine or of any other is reached, whatever the hook asks.
///
/// # Errors
/// When the component is not here, or can't be used as what a case asks it.
pub async fn replay(
    pool: &HookPool,
    hook: &TestedHook,
    cases: &[ReadCase],
    reporter: Reporter,
) -> Result<HookTestView, Trouble> {
    let wasm = component(&hook.loadable(), pool.downloads()).await?;
    let told = Teller { reporter };
    let builder = builder()?;
    let secrets = Secrets::new(BTreeMap::new(), BTreeMap::new(), Utf8PathBuf::new(), Redactor::default());
    let mut loaded: Vec<(HookKind, LoadedHook)> = Vec::new();
    let mut tested = Vec::new();
    for ReadCase { file, case, asked, grants, lines } in cases {
        if !loaded.iter().any(|(kind, _)| *kind == case.kind) {
            let usable = pool.load(&hook.loadable(), case.kind, wasm.clone(), &told).await;
            let usable = usable.map_err(|fault| Trouble {
                code: fault.code().to_owned(),
                message: fault.to_string(),
                hint: fault.hint(),
            })?;
            loaded.push((case.kind, usable));
        }
        let Some((_, hook)) = loaded.iter_mut().find(|(kind, _)| *kind == case.kind) else { continue };
        let grants = grants.clone().unwrap_or_else(closed);
        hook.set(case.settings.clone().into(), grants, Duration::from_millis(case.timeout_ms));
        let scripted = Scripted::new(case);
        let groups = Groups {
            app: case.call.instances.iter().map(|instance| instance.host.clone()).collect(),
            routers: case.router.iter().cloned().collect(),
            builder: builder.clone(),
        };
        let access = Access {
            hosts: &Nowhere,
            groups: &groups,
            secrets: &secrets,
            observer: &told,
            between: Some(Between::Scripted(&scripted)),
            only_looks: false,
        };
        let began = Instant::now();
        let answered = hook.ask_for(asked, &case.call.hook_call(), access).await;
        let said = answered.result.unwrap_or_else(|failure| failure.said());
        let script = scripted.into_script();
        tested.push(TestedCase {
            file: file.clone(),
            kind: case.kind,
            question: asked.question(),
            calls: script.calls(),
            took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            mismatches: judge(&case.expect, &said, &script),
            lines: lines.clone(),
        });
    }
    Ok(HookTestView { hook: hook.name.clone(), cases: tested })
}

impl TestedHook {
    /// As a hook of a configuration that grants nothing: a case says what is granted, or answers before grants are asked.
    fn loadable(&self) -> Hook {
        let configured = self.configured.as_ref();
        Hook {
            title: self.name.clone(),
            source: self.source.clone(),
            settings: serde_json::Value::Null,
            timeout: Duration::ZERO,
            grants: closed(),
            bundled_grants: false,
            limits: configured.map(|hook| hook.limits.clone()).unwrap_or_default(),
            location: Location::default(),
            sha256: configured.and_then(|hook| hook.sha256.clone()),
            locked: configured.and_then(|hook| hook.locked.clone()),
        }
    }
}

/// Lets every hook be loaded, and nothing be done.
fn closed() -> Grants {
    Grants {
        exec: Some(Vec::new()),
        read: Some(Vec::new()),
        write: Some(Vec::new()),
        link: Some(Vec::new()),
        connect: Some(Vec::new()),
        http: Some(Vec::new()),
        secrets: Some(Vec::new()),
    }
}

fn builder() -> Result<HostName, Trouble> {
    Name::new("builder").map_err(|fault| Trouble::new("internal/name", fault.to_string()))
}

/// No host at all.
struct Nowhere;

impl Hosts for Nowhere {
    fn link(&self, _: &HostName) -> Option<Arc<dyn Link>> {
        None
    }

    /// As where the lock is held: a case says what a deployment asks.
    fn guard(&self, _: &HostName) -> Option<Guard> {
        Some(Guard { state: String::new(), epoch: 0, turn: None })
    }
}
