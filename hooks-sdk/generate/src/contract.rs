//! The contract at one time.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use wit_bindgen_core::wit_parser::{
    PackageId, PackageName, Resolve, SourceMap, UnresolvedPackageGroup, WorldId, WorldKey,
};
use wit_component::semver_check;

/// A world with every interface that there is. No world of the contract itself has all of them.
pub(crate) const EVERYTHING: &str = "everything";

/// What is written in the files of its package, by their names.
#[derive(Debug, Clone)]
pub(crate) struct Contract(pub(crate) Vec<(String, String)>);

/// `0.1.0`; each 0.1 fits those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    major: u64,
    minor: u64,
    patch: u64,
}

impl Contract {
    /// What is in a directory.
    pub(crate) fn read(directory: &Path) -> Result<Self> {
        let names = || {
            let entries = fs::read_dir(directory)?.collect::<std::io::Result<Vec<_>>>()?;
            let names = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned());
            let mut names: Vec<String> = names.filter(|name| name.ends_with(".wit")).collect();
            names.sort_unstable();
            std::io::Result::Ok(names)
        };
        let text = |name: String| Ok((name.clone(), fs::read_to_string(directory.join(name))?));
        let files = names().and_then(|names| names.into_iter().map(text).collect());
        Ok(Self(files.with_context(|| format!("failed to read `{}`", directory.display()))?))
    }

    pub(crate) fn version(&self) -> Result<Version> {
        let version = self.package()?.main.name.version.context("the contract has no version")?;
        Ok(Version { major: version.major, minor: version.minor, patch: version.patch })
    }

    /// With a world [`EVERYTHING`].
    pub(crate) fn whole(&self) -> Result<Self> {
        let (package, kinds, others) = self.interfaces()?;
        let mut text = format!("package {package};\nworld {EVERYTHING} {{\n");
        others.iter().for_each(|name| text.push_str(&format!("import {name};\n")));
        kinds.iter().for_each(|name| text.push_str(&format!("export {name};\n")));
        let file = (format!("{EVERYTHING}.wit"), text + "}\n");
        Ok(Self(self.0.iter().cloned().chain([file]).collect()))
    }

    /// The kinds of hooks, in the order of the contract.
    pub(crate) fn kinds(&self) -> Result<Vec<String>> {
        Ok(self.interfaces()?.1)
    }

    /// The world of a hook of one kind that may ask for all that there is.
    pub(crate) fn hook(&self, kind: &str) -> Result<(Resolve, WorldId)> {
        let (package, _, others) = self.interfaces()?;
        let mut resolve = Resolve::default();
        self.push(&mut resolve, self.version()?)?;
        let mut text = String::from("package local:hook;\nworld hook {\n");
        let names = others.iter().map(|name| ("import", name.as_str())).chain([("export", kind)]);
        names.for_each(|(way, name)| text.push_str(&format!("{way} {};\n", package.interface_id(name))));
        let own = resolve.push_str("hook.wit", &(text + "}\n"))?;
        let world = resolve.select_world(&[own], Some("hook"))?;
        Ok((resolve, world))
    }

    /// The name of its package, and those of its interfaces: the kinds, and all others.
    fn interfaces(&self) -> Result<(PackageName, Vec<String>, Vec<String>)> {
        let mut resolve = Resolve::default();
        let package = resolve.push_group(self.package()?)?;
        let package = &resolve.packages[package];
        let exports = package.worlds.values().flat_map(|world| resolve.worlds[*world].exports.keys());
        let kinds: BTreeSet<_> = exports
            .filter_map(|key| if let WorldKey::Interface(id) = key { Some(*id) } else { None })
            .collect();
        let named = |are_kinds: bool| {
            let those = package.interfaces.iter().filter(|(_, id)| kinds.contains(*id) == are_kinds);
            those.map(|(name, _)| name.clone()).collect()
        };
        Ok((package.name.clone(), named(true), named(false)))
    }

    /// Puts it beside what is there already.
    pub(crate) fn push(&self, resolve: &mut Resolve, version: Version) -> Result<PackageId> {
        let mut package = self.package()?;
        let own = package.main.name.version.as_mut().context("the contract has no version")?;
        (own.major, own.minor, own.patch) = (version.major, version.minor, version.patch);
        Ok(resolve.push_group(package)?)
    }

    /// Holds what was built against `self` against `now`: a component that uses everything, and those of each world.
    ///
    /// # Errors
    /// With what does not fit any more.
    pub(crate) fn expect_fit(&self, now: &Self) -> Result<()> {
        let version = self.version()?;
        let mut resolve = Resolve::default();
        let before = self.whole()?.push(&mut resolve, version)?;
        // Apart from the one before where both have one version: the check leaves versions out.
        let after = now.whole()?.push(&mut resolve, Version { patch: u64::MAX, ..version })?;
        for (name, old) in &resolve.packages[before].worlds {
            let Some(new) = resolve.packages[after].worlds.get(name) else {
                bail!("there is no world `{name}` any more");
            };
            semver_check(resolve.clone(), *old, *new).with_context(|| format!("world `{name}`"))?;
        }
        Ok(())
    }

    fn package(&self) -> Result<UnresolvedPackageGroup> {
        let mut sources = SourceMap::default();
        for (name, text) in &self.0 {
            sources.push_str(name, text);
        }
        sources.parse().map_err(|(sources, error)| anyhow!(error.render(&sources)))
    }
}

impl Version {
    /// Whether what was built for this one has to fit that one.
    pub(crate) const fn is_held_by(self, now: Self) -> bool {
        self.major == now.major && (self.major > 0 || self.minor == now.minor)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

    use super::*;

    fn contract() -> Contract {
        Contract::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")).unwrap()
    }

    /// Whether what was built before a change of the text still fits.
    fn fits(from: &str, to: &str) -> bool {
        let before = contract();
        let mut now = before.clone();
        assert!(now.0.iter().any(|(_, text)| text.contains(from)), "`{from}` is not in the contract");
        for (_, text) in &mut now.0 {
            *text = text.replacen(from, to, 1);
        }
        before.expect_fit(&now).is_ok()
    }

    #[test]
    fn what_leaves_components_alone_fits() {
        assert!(fits("/// Waits.", "/// Sleeps."));
        assert!(fits("interface engine {", "interface engine {\n    now: func() -> string;"));
        assert!(fits(
            "interface hosts {",
            "interface clock {\n    now: func() -> u32;\n}\ninterface hosts {"
        ));
        assert!(fits(
            "world build-hook {\n    import engine;",
            "world build-hook {\n    import engine;\n    import secrets;"
        ));
    }

    #[test]
    fn what_components_would_trip_over_does_not_fit() {
        for (from, to) in [
            ("status: u16,", "status: u16,\n        version: string,"),
            ("enum level { debug,", "enum level { trace, debug,"),
            ("tls(string),", ""),
            ("reveal: func(name: string)", "reveal: func(name: string, why: string)"),
            ("sleep-ms: func(ms: u32);", ""),
            ("port: u16,", "port: u32,"),
            ("interface router {", "interface router {\n    restart: func();"),
            ("interface secret-text {", "interface secret-plain {"),
            ("world router-hook {", "world proxy-hook {"),
            ("world smoke-test-hook {\n    import engine;", "world smoke-test-hook {"),
        ] {
            assert!(!fits(from, to), "`{from}` to `{to}`");
        }
    }

    #[test]
    fn a_version_is_held_by_those_that_promise_it() {
        let version = |major, minor, patch| Version { major, minor, patch };
        assert!(version(0, 1, 0).is_held_by(version(0, 1, 7)));
        assert!(version(1, 1, 0).is_held_by(version(1, 2, 0)));
        for now in [version(0, 2, 0), version(1, 1, 0)] {
            assert!(!version(0, 1, 0).is_held_by(now), "{now}");
        }
    }
}
