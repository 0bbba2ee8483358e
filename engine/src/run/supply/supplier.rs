//! Brings components and says what they are.

use std::sync::Arc;

use camino::Utf8Path;

use super::copies::{file_name, replace};
use super::docker_config::DockerConfig;
use super::download::download;
use super::inspect::{change_view, component_view, sorted};
use super::registry::Registry;
use super::wanted::Wanted;
use crate::bundled;
use crate::hook::http::HttpClient;
use crate::hook::{
    Anatomy, Downloads, HookFault, HookPool, LARGEST_COMPONENT, component_digest, exported_kind,
    read_component, script_exports,
};
use crate::model::view::{ComponentView, Fetched, FetchedView, LockView};
use crate::model::{ComponentDigest, HookSource, LockFile, LockedHook, SCRIPT, Trouble, VENDORED};

/// Interfaces that a component may have at its border.
const INTERFACES: usize = 256;

/// What brings components to this machine.
#[derive(Debug)]
pub struct Supplier {
    /// Reads what a component is, in a sandbox.
    pub pool: HookPool,
    /// Fetches.
    pub http: Arc<HttpClient>,
    /// The operator's logins to registries.
    pub logins: DockerConfig,
    /// Where what was fetched is kept.
    pub downloads: Downloads,
    /// Whether nothing may be fetched.
    pub offline: bool,
}

/// A component that is here.
#[derive(Debug)]
struct Brought {
    wasm: Vec<u8>,
    sha256: ComponentDigest,
    anatomy: Anatomy,
    /// Where its bytes come from, as the lock file names it.
    resolved: String,
}

impl Brought {
    fn view(&self, name: &str, bundled: bool) -> ComponentView {
        component_view(name, &self.anatomy, &self.sha256, self.wasm.len() as u64, bundled)
    }
}

impl Supplier {
    /// What a bundled hook, or the file at a path, is.
    ///
    /// # Errors
    /// When there is none, or it is no component.
    pub async fn inspect(&self, name: &str, source: &HookSource) -> Result<ComponentView, Trouble> {
        Ok(self.bring_to_see(name, source).await?.view(name, matches!(source, HookSource::Builtin(_))))
    }

    /// The lock file with a component that the configuration does not name yet, and what that is.
    ///
    /// # Errors
    /// When it can't be had, is no hook, or can't be kept.
    pub async fn add(
        &self,
        requested: &str,
        source: &HookSource,
        lock: &LockFile,
    ) -> Result<(ComponentView, LockFile), Trouble> {
        let brought = self.bring_to_see(requested, source).await?;
        if source.is_remote() {
            self.keep(&brought.wasm)?;
        }
        let (view, mut lock) = (brought.view(requested, false), lock.clone());
        lock.hooks.insert(requested.to_owned(), described(requested, brought)?);
        Ok((view, lock))
    }

    async fn bring_to_see(&self, name: &str, source: &HookSource) -> Result<Brought, Trouble> {
        let wasm = match source {
            HookSource::Builtin(hook) => {
                let found = bundled::hook(hook).ok_or_else(|| {
                    let names: Vec<String> =
                        bundled::HOOKS.iter().map(|hook| format!("`builtin:{}`", hook.name)).collect();
                    let text = format!("no hook `{source}` ships with cutover");
                    Trouble::new("hook/unknown-builtin", text).hint(format!("there are {}", names.join(", ")))
                })?;
                found.wasm.to_vec()
            }
            HookSource::File(path) | HookSource::Script(path) => read(path).await?,
            HookSource::Https(url) => self.download(url).await?,
            HookSource::Oci(text) => {
                let (wasm, resolved) = self.pull(text).await?;
                return Ok(Brought { resolved, ..self.look_at(name, source, wasm).await? });
            }
        };
        self.look_at(name, source, wasm).await
    }

    /// The entries of a lock file for these components, as they are now: of all, or where `only` names some, of those, and the others as
    /// they were.
    ///
    /// # Errors
    /// With every component that can't be had, or is not what the configuration says.
    pub async fn update(
        &self,
        wanted: &[Wanted],
        only: &[String],
        lock: &LockFile,
    ) -> Result<LockFile, Vec<Trouble>> {
        let mut updated = if only.is_empty() { LockFile::default() } else { lock.clone() };
        let mut troubles = Vec::new();
        let is_meant = |one: &&Wanted| only.is_empty() || only.iter().any(|name| one.is_called(name));
        for one in wanted.iter().filter(is_meant) {
            match self.entry(one, lock.hooks.get(&one.requested)).await {
                Ok(entry) => drop(updated.hooks.insert(one.requested.clone(), entry)),
                Err(trouble) => troubles.push(trouble),
            }
        }
        if troubles.is_empty() { Ok(updated) } else { Err(troubles) }
    }

    /// Sees to it that each component of a URL or registry is on this machine.
    ///
    /// # Errors
    /// With every one that nothing says the digest of, that can't be had, or that is another.
    pub async fn fetch(&self, wanted: &[Wanted]) -> Result<Vec<FetchedView>, Vec<Trouble>> {
        let (mut fetched, mut troubles) = (Vec::new(), Vec::new());
        for one in wanted {
            if !one.source.is_remote() {
                continue;
            }
            match self.fetch_one(one).await {
                Ok((sha256, how)) => fetched.push(FetchedView {
                    requested: one.requested.clone(),
                    sha256: sha256.to_string(),
                    how,
                }),
                Err(trouble) => troubles.push(trouble),
            }
        }
        if troubles.is_empty() { Ok(fetched) } else { Err(troubles) }
    }

    async fn fetch_one(&self, one: &Wanted) -> Result<(ComponentDigest, Fetched), Trouble> {
        let pin = pin(one)?;
        if let Some(copy) = one.locked.as_ref().and_then(|locked| locked.copy.as_deref()) {
            const AGAIN: &str = "`cutover hook vendor` writes it again";
            let found = component_digest(&read(copy).await.map_err(|trouble| trouble.hint(AGAIN))?);
            if found != pin {
                return Err(another(copy.as_str(), &pin, &found).hint(AGAIN));
            }
            return Ok((pin, Fetched::Vendored));
        }
        if self.kept(&pin).await?.is_some() {
            return Ok((pin, Fetched::Before));
        }
        self.bring(one, &pin).await?;
        Ok((pin, Fetched::Now))
    }

    /// Writes a copy of each component of a URL or registry into the project at `root`, and has the lock file name the copies.
    ///
    /// # Errors
    /// As [`Self::fetch`], and when a copy can't be written.
    pub async fn vendor(
        &self,
        wanted: &[Wanted],
        lock: &LockFile,
        root: &Utf8Path,
    ) -> Result<LockFile, Vec<Trouble>> {
        let (mut vendored, mut troubles) = (lock.clone(), Vec::new());
        for one in wanted {
            if !one.source.is_remote() {
                continue;
            }
            match self.vendor_one(one, lock, root).await {
                Ok(entry) => drop(vendored.hooks.insert(one.requested.clone(), entry)),
                Err(trouble) => troubles.push(trouble),
            }
        }
        if troubles.is_empty() { Ok(vendored) } else { Err(troubles) }
    }

    async fn vendor_one(
        &self,
        one: &Wanted,
        lock: &LockFile,
        root: &Utf8Path,
    ) -> Result<LockedHook, Trouble> {
        let pin = pin(one)?;
        let wasm = match self.here(one, &pin).await? {
            Some(wasm) => wasm,
            None => self.bring(one, &pin).await?,
        };
        let before = lock.hooks.get(&one.requested).filter(|entry| entry.sha256 == pin);
        let entry = match before {
            Some(entry) => entry.clone(),
            None => {
                described(&one.requested, self.look_at(&one.requested, &one.source, wasm.clone()).await?)?
            }
        };
        let resolved = format!("{VENDORED}{}-{}.wasm", file_name(&one.requested), pin.short());
        let path = root.join(&resolved);
        replace(&path, &wasm)?;
        Ok(LockedHook { resolved, ..entry })
    }

    /// Fetches the component of a URL or repository, which has to be this one, and keeps it. No tag is looked at.
    async fn bring(&self, one: &Wanted, pin: &ComponentDigest) -> Result<Vec<u8>, Trouble> {
        let wasm = match &one.source {
            HookSource::Https(url) => self.download(url).await?,
            HookSource::Oci(text) => {
                self.demand_network(text)?;
                Registry::of(&self.http, &self.logins, text)?.pull_layer(pin).await?
            }
            HookSource::File(path) | HookSource::Script(path) => read(path).await?,
            HookSource::Builtin(name) => return Err(never_locked(name)),
        };
        let found = component_digest(&wasm);
        if found != *pin {
            // What else it may be says more than its digest: a page of a login, a file that was cut off.
            self.look_at(&one.requested, &one.source, wasm).await?;
            return Err(another(&one.requested, pin, &found).hint(format!(
                "if its author says so, `cutover hook update {}` takes it and shows what it asks for now",
                one.titles.first().unwrap_or(&one.requested)
            )));
        }
        self.keep(&wasm)?;
        Ok(wasm)
    }

    /// The entry of a component as it is now.
    async fn entry(&self, one: &Wanted, before: Option<&LockedHook>) -> Result<LockedHook, Trouble> {
        let requested = || one.requested.clone();
        let (wasm, resolved) = match &one.source {
            HookSource::File(path) | HookSource::Script(path) => (read(path).await?, requested()),
            HookSource::Https(url) => {
                let known = match (one.pins.first(), before) {
                    (Some(pin), _) => Some(pin),
                    (None, Some(before)) if self.offline => Some(&before.sha256),
                    (None, _) => None,
                };
                let kept = match known {
                    Some(digest) => self.kept(digest).await?,
                    None => None,
                };
                let wasm = match kept {
                    Some(wasm) => wasm,
                    None => self.download(url).await?,
                };
                (wasm, requested())
            }
            HookSource::Oci(text) => {
                // Which manifest a tag leads to can be asked of the registry alone.
                let known = before.filter(|_| self.offline);
                let kept = match known {
                    Some(before) => self.kept(&before.sha256).await?,
                    None => None,
                };
                match (kept, known) {
                    (Some(wasm), Some(before)) => (wasm, before.resolved.clone()),
                    _ => self.pull(text).await?,
                }
            }
            HookSource::Builtin(name) => return Err(never_locked(name)),
        };
        let brought = Brought { resolved, ..self.look_at(&one.requested, &one.source, wasm).await? };
        if let Some(pin) = one.pins.iter().find(|pin| **pin != brought.sha256) {
            return Err(another(&one.requested, pin, &brought.sha256)
                .hint("`sha256` in the configuration names another one: change it, if this is the one that you mean"));
        }
        if one.source.is_remote() {
            self.keep(&brought.wasm)?;
        }
        let entry = described(&one.requested, brought)?;
        // A copy in the project stays in use as long as it is a copy.
        let copy =
            before.filter(|before| before.sha256 == entry.sha256 && before.resolved.starts_with(VENDORED));
        Ok(match copy {
            Some(before) => LockedHook { resolved: before.resolved.clone(), ..entry },
            None => entry,
        })
    }

    async fn look_at(&self, name: &str, source: &HookSource, wasm: Vec<u8>) -> Result<Brought, Trouble> {
        let is_other = |fault: &HookFault| matches!(fault, HookFault::NotAComponent { .. });
        let looked = match source {
            HookSource::Script(path) => {
                let file = name.strip_prefix(SCRIPT).unwrap_or(path.as_str());
                self.pool.inspect_script(name, file, &wasm).await
            }
            HookSource::Builtin(_) | HookSource::File(_) | HookSource::Https(_) | HookSource::Oci(_) => {
                self.pool.inspect(name, &wasm).await
            }
        };
        let anatomy = looked.map_err(|fault: HookFault| Trouble {
            code: fault.code().to_owned(),
            message: fault.to_string(),
            hint: match HookSource::remote(name) {
                Some(HookSource::Https(_)) if is_other(&fault) => Some(
                    "look at where the URL leads: it has to be the file of the component itself".to_owned(),
                ),
                Some(HookSource::Oci(_)) if is_other(&fault) => Some(
                    "look at what was pushed: its layer has to be the file of the component itself"
                        .to_owned(),
                ),
                _ => fault.hint(),
            },
        })?;
        Ok(Brought { sha256: component_digest(&wasm), wasm, anatomy, resolved: name.to_owned() })
    }

    async fn download(&self, url: &str) -> Result<Vec<u8>, Trouble> {
        self.demand_network(url)?;
        download(&self.http, url).await
    }

    /// The component that a reference leads to now, and the manifest that it is of.
    async fn pull(&self, text: &str) -> Result<(Vec<u8>, String), Trouble> {
        self.demand_network(text)?;
        let (wasm, manifest) = Registry::of(&self.http, &self.logins, text)?.pull().await?;
        Ok((wasm, manifest.to_string()))
    }

    fn demand_network(&self, source: &str) -> Result<(), Trouble> {
        if !self.offline {
            return Ok(());
        }
        let text = format!("the component of `{source}` is not on this machine");
        Err(Trouble::new("hook/not-fetched", text).hint("without `--offline` it is fetched"))
    }

    /// What was fetched before, or the copy that the project has of it.
    async fn here(&self, one: &Wanted, pin: &ComponentDigest) -> Result<Option<Vec<u8>>, Trouble> {
        let copy = one.locked.as_ref().and_then(|locked| locked.copy.as_deref());
        match (self.kept(pin).await?, copy) {
            (None, Some(copy)) => Ok(read(copy).await.ok().filter(|wasm| component_digest(wasm) == *pin)),
            (kept, _) => Ok(kept),
        }
    }

    async fn kept(&self, digest: &ComponentDigest) -> Result<Option<Vec<u8>>, Trouble> {
        let found = self.downloads.find(digest).await;
        found.map_err(|error| {
            Trouble::new("hook/unreadable", format!("what was fetched can't be read: {error}"))
        })
    }

    fn keep(&self, wasm: &[u8]) -> Result<(), Trouble> {
        let kept = self.downloads.keep(wasm);
        kept.map_err(|error| {
            Trouble::new("hook/unwritable", format!("what is fetched can't be kept: {error}"))
        })
    }
}

/// The entry of a component that is used from where it was found.
fn described(requested: &str, brought: Brought) -> Result<LockedHook, Trouble> {
    let Brought { wasm, sha256, anatomy, resolved } = brought;
    let (exports, imports) = (sorted(&anatomy.description.exports), sorted(&anatomy.description.imports));
    if exports.iter().all(|export| exported_kind(export).is_none()) {
        if requested.starts_with(SCRIPT) {
            let text =
                format!("`{requested}` is a script and no hook: it exports none of {}", script_exports());
            return Err(Trouble::new("hook/wrong-kind", text).hint("`cutover help scripts` shows one"));
        }
        let text = format!("`{requested}` is a component and no hook: it exports no hook interface");
        return Err(Trouble::new("hook/wrong-kind", text)
            .hint("build it for one of the worlds of the contract: `cutover help wit` prints it"));
    }
    if exports.len() + imports.len() > INTERFACES {
        let text = format!("`{requested}` has more than {INTERFACES} imports and exports");
        return Err(Trouble::new("hook/unknown-import", text));
    }
    Ok(LockedHook { resolved, sha256, size: wasm.len() as u64, exports, imports })
}

/// What a component has to be.
///
/// # Errors
/// When nothing says it, or two things differ.
fn pin(one: &Wanted) -> Result<ComponentDigest, Trouble> {
    let named = one.pins.iter().chain(one.locked.as_ref().map(|locked| &locked.sha256));
    let update = format!("cutover hook update {}", one.titles.first().unwrap_or(&one.requested));
    let Some(first) = named.clone().next() else {
        let text = format!("nothing says which component `{}` has to be", one.requested);
        return Err(
            Trouble::new("hook/not-locked", text).hint(format!("`{update}` fetches it and notes its digest"))
        );
    };
    match named.clone().find(|pin| *pin != first) {
        None => Ok(first.clone()),
        Some(other) => {
            let text = format!("`{}` is said to be two components\n{first}\n{other}", one.requested);
            Err(Trouble::new("hook/digest", text)
                .hint(format!("where `sha256` in the configuration is right, `{update}`")))
        }
    }
}

fn never_locked(name: &str) -> Trouble {
    Trouble::new("hook/unknown-builtin", format!("`builtin:{name}` is not locked"))
}

fn another(name: &str, expected: &ComponentDigest, found: &ComponentDigest) -> Trouble {
    let text =
        format!("`{name}` is not the component that is expected\nexpected  {expected}\nfound     {found}");
    Trouble::new("hook/digest", text)
}

async fn read(path: &Utf8Path) -> Result<Vec<u8>, Trouble> {
    let wasm = read_component(path.as_std_path(), LARGEST_COMPONENT).await;
    wasm.map_err(|error| Trouble::new("hook/unreadable", format!("`{path}`: {error}")))
}

/// What becomes of a lock file.
#[must_use]
pub fn lock_view(file: &Utf8Path, before: &LockFile, after: &LockFile) -> LockView {
    let changes = before.changes(after).iter().map(change_view).collect();
    LockView { file: file.to_string(), hooks: after.hooks.len(), changes }
}
