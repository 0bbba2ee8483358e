//! Contracts that were released: what was built against them fits the one of now.
//!
//! Each has a folder: its files as they were, and `guest.wasm`, a component that imports and exports all that was in it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use wit_bindgen_core::wit_parser::Resolve;

use crate::contract::{Contract, EVERYTHING};
use crate::guest;

/// Fails when a component that was built against one of them would not fit any more.
pub(crate) fn check(now: &Contract) -> Result<()> {
    let version = now.version()?;
    let folders =
        fs::read_dir(folder()).with_context(|| format!("failed to read `{}`", folder().display()))?;
    let mut count = 0;
    for entry in folders {
        let released = Contract::read(&entry?.path())?;
        let of = released.version()?;
        if of.is_held_by(version) {
            released.expect_fit(now).with_context(|| {
                format!(
                    "what was built for cutover:hook@{of} does not fit `wit/`\nhint: new functions and interfaces do; all else is another \
                     contract, with another version"
                )
            })?;
            count += 1;
        }
    }
    if count == 0 {
        bail!("cutover:hook@{version} was never released\nhint: cargo bindings --release");
    }
    Ok(())
}

/// Keeps the contract of now as one that was released. Until it really is, it may be kept anew.
pub(crate) fn release(now: &Contract) -> Result<()> {
    let version = now.version()?;
    let place = folder().join(version.to_string());
    let mut resolve = Resolve::default();
    let package = now.whole()?.push(&mut resolve, version)?;
    let world = resolve.select_world(&[package], Some(EVERYTHING))?;
    let guest = guest::component(&resolve, world)?;
    let write = || {
        fs::create_dir_all(&place)?;
        for (name, text) in &now.0 {
            fs::write(place.join(name), text)?;
        }
        fs::write(place.join("guest.wasm"), guest)
    };
    write().with_context(|| format!("failed to write `{}`", place.display()))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("released")
}
