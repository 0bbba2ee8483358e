//! The bytes of each hook's component, and whether they are the ones that are meant: asked before every load, whatever the command.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::bundled;
use crate::hook::{Downloads, component_digest, read_component};
use crate::model::{ComponentDigest, Deployment, Hook, HookSource, Limit, Trouble};

/// The bytes of a hook's component. Nothing is ever fetched for this.
///
/// # Errors
/// When they are not here, or are not those that configuration or lock file name.
pub(crate) async fn component(hook: &Hook, downloads: Option<&Downloads>) -> Result<Vec<u8>, Trouble> {
    let pin = pinned(hook)?;
    let copy = hook.locked.as_ref().and_then(|locked| locked.copy.as_deref());
    let (wasm, from) = match (&hook.source, copy) {
        (HookSource::Builtin(name), _) => {
            let found = bundled::hook(name).map(|found| found.wasm.to_vec());
            let unknown = || Trouble::new("hook/unknown-builtin", format!("there is no `builtin:{name}`"));
            return found.ok_or_else(unknown);
        }
        (HookSource::File(path) | HookSource::Script(path), _) => {
            (read(hook, path).await?, From::File(path.clone()))
        }
        (HookSource::Https(_) | HookSource::Oci(_), Some(path)) => {
            let wasm = read(hook, path).await.map_err(|trouble| trouble.hint(VENDOR_AGAIN))?;
            (wasm, From::Copy(path.to_owned()))
        }
        (HookSource::Https(url) | HookSource::Oci(url), None) => {
            let Some((digest, _)) = &pin else { return Err(not_locked(hook)) };
            let kept = match downloads {
                Some(downloads) => downloads.find(digest).await,
                None => Ok(None),
            };
            return match kept {
                Ok(Some(wasm)) => Ok(wasm),
                Ok(None) => Err(not_fetched(hook, url)),
                Err(error) => Err(unreadable(hook, &error.to_string())),
            };
        }
    };
    match pin {
        Some((expected, by)) => {
            let found = component_digest(&wasm);
            if found == expected { Ok(wasm) } else { Err(mismatch(hook, &from, &expected, by, &found)) }
        }
        None => Ok(wasm),
    }
}

const VENDOR_AGAIN: &str = "`cutover hook vendor` writes it again";

/// Where the bytes of a component were found.
#[derive(Debug)]
enum From {
    /// In the file that the configuration names.
    File(Utf8PathBuf),
    /// In the project's copy of what a URL led to.
    Copy(Utf8PathBuf),
}

/// Who says what a component has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Configuration,
    Lock,
}

/// What the component of a hook has to be.
///
/// # Errors
/// When the configuration says one thing and the lock file another.
fn pinned(hook: &Hook) -> Result<Option<(ComponentDigest, By)>, Trouble> {
    match (&hook.sha256, &hook.locked) {
        (Some(wanted), Some(locked)) if *wanted != locked.sha256 => {
            let (file, lock) = (&hook.location.file, lock_name(&hook.location.file));
            let text = format!(
                "`{file}` and `{lock}` name different components for hook `{}`\n\
                 {file}  {wanted}\n{lock}  {}",
                hook.title, locked.sha256
            );
            let hint = format!("where `sha256` in `{file}` is right, `cutover hook update {}`", hook.title);
            Err(Trouble::new("hook/digest", text).hint(hint))
        }
        (Some(wanted), _) => Ok(Some((wanted.clone(), By::Configuration))),
        (None, Some(locked)) => Ok(Some((locked.sha256.clone(), By::Lock))),
        (None, None) => Ok(None),
    }
}

/// The lock file of a configuration file: beside it, with its name.
#[must_use]
pub fn lock_name(configuration: &str) -> Utf8PathBuf {
    Utf8Path::new(configuration).with_extension("lock")
}

async fn read(hook: &Hook, path: &Utf8Path) -> Result<Vec<u8>, Trouble> {
    let wasm = read_component(path.as_std_path(), hook.limits.get(Limit::File)).await;
    wasm.map_err(|error: io::Error| unreadable(hook, &format!("`{path}`: {error}")))
}

fn unreadable(hook: &Hook, text: &str) -> Trouble {
    Trouble::new("hook/unreadable", format!("hook `{}`: {text}", hook.title))
}

/// Of a URL about which nothing says what it leads to.
fn not_locked(hook: &Hook) -> Trouble {
    let lock = lock_name(&hook.location.file);
    let text = format!("nothing says which component hook `{}` has to be: `{}`", hook.title, hook.source);
    let hint = format!("`cutover hook update {}` fetches it and writes its digest into `{lock}`", hook.title);
    Trouble::new("hook/not-locked", text).hint(hint)
}

fn not_fetched(hook: &Hook, url: &str) -> Trouble {
    let text = format!("the component of hook `{}` is not on this machine: `{url}`", hook.title);
    let hint = "`cutover hook fetch` brings it; nothing else speaks to the network for hooks";
    Trouble::new("hook/not-fetched", text).hint(hint)
}

fn mismatch(
    hook: &Hook,
    from: &From,
    expected: &ComponentDigest,
    by: By,
    found: &ComponentDigest,
) -> Trouble {
    let file = &hook.location.file;
    let names = match by {
        By::Configuration => format!("`sha256` in `{file}` names"),
        By::Lock => format!("`{}` names", lock_name(file)),
    };
    let (From::File(path) | From::Copy(path)) = from;
    let text = format!(
        "hook `{}` is not the component that {names}: `{path}`\nexpected  {expected}\nfound     {found}",
        hook.title
    );
    let hint = match (from, by) {
        (From::Copy(_), _) => VENDOR_AGAIN.to_owned(),
        (From::File(_), By::Lock) => format!(
            "if it is the one that you mean: `cutover hook update {}`, which shows what it asks for now",
            hook.title
        ),
        (From::File(_), By::Configuration) => {
            format!("if it is the one that you mean, write its digest into `{file}`")
        }
    };
    Trouble::new("hook/digest", text).hint(hint)
}

/// The hooks whose files may hold anything: nothing says which component they have to be.
pub(crate) fn unlocked(deployment: &Deployment) -> Vec<Trouble> {
    let is_open =
        |hook: &&Hook| hook.source.file().is_some() && hook.sha256.is_none() && hook.locked.is_none();
    let warning = |hook: &Hook| {
        let lock = lock_name(&hook.location.file);
        let requested = hook.source.requested(&deployment.root);
        let text = format!("hook `{}` is not in `{lock}`: whatever `{requested}` holds is run", hook.title);
        let hint = format!("`cutover hook update {}` notes which component it is", hook.title);
        Trouble::new("hook/not-locked", text).hint(hint)
    };
    deployment.hooks().into_iter().filter(is_open).map(warning).collect()
}
