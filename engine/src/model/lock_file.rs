//! `cutover.lock` as data: which component each `hook = …` of the configuration means, to the byte.

use std::collections::BTreeMap;

use super::ComponentDigest;

/// Where `cutover hook vendor` puts components, seen from the configuration's directory.
pub const VENDORED: &str = "hooks/vendor/";

/// All hooks of a configuration that do not ship with the program, whichever tables and environments name them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LockFile {
    /// By what the configuration names: a path, `script:` and a path, a URL, or a reference.
    pub hooks: BTreeMap<String, LockedHook>,
}

/// One component, or script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedHook {
    /// Where its bytes come from: what the configuration names itself, the manifest that a reference led to, or the path of a copy below [`VENDORED`].
    pub resolved: String,
    /// Of its bytes.
    pub sha256: ComponentDigest,
    /// How many these are.
    pub size: u64,
    /// Its interfaces, sorted: what kinds of hook it is.
    pub exports: Vec<String>,
    /// The interfaces that it asks for, sorted; of a script those that it imports, and not the interpreter's.
    pub imports: Vec<String>,
}

/// How an entry differs from the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockChange<'a> {
    /// What the configuration names.
    pub requested: &'a str,
    /// The entry that was; none for a new one.
    pub before: Option<&'a LockedHook>,
    /// The entry that is; none where it is gone.
    pub after: Option<&'a LockedHook>,
}

impl LockFile {
    /// What has to change for this to become `other`, by name.
    #[must_use]
    pub fn changes<'a>(&'a self, other: &'a Self) -> Vec<LockChange<'a>> {
        let mut names: Vec<&str> = self.hooks.keys().chain(other.hooks.keys()).map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        let change = |requested| LockChange {
            requested,
            before: self.hooks.get(requested),
            after: other.hooks.get(requested),
        };
        names.into_iter().map(change).filter(|change| change.before != change.after).collect()
    }
}

impl LockChange<'_> {
    /// Imports that the component asks for now and did not before.
    #[must_use]
    pub fn gained(&self) -> Vec<&str> {
        difference(self.after, self.before)
    }

    /// Imports that it asked for before and does not now.
    #[must_use]
    pub fn lost(&self) -> Vec<&str> {
        difference(self.before, self.after)
    }
}

/// Imports of one that the other has not.
fn difference<'a>(one: Option<&'a LockedHook>, other: Option<&LockedHook>) -> Vec<&'a str> {
    let other = other.map_or(&[][..], |hook| &hook.imports);
    let imports = one.map_or(&[][..], |hook| &hook.imports);
    imports.iter().filter(|import| !other.contains(import)).map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(digit: &str, imports: &[&str]) -> LockedHook {
        LockedHook {
            resolved: "hooks/a.wasm".to_owned(),
            sha256: ComponentDigest::parse(&digit.repeat(64)).expect("a digest"),
            size: 1,
            exports: Vec::new(),
            imports: imports.iter().map(|import| (*import).to_owned()).collect(),
        }
    }

    #[test]
    fn changes_are_by_name_with_what_is_asked_for_now() {
        let before = LockFile {
            hooks: BTreeMap::from([
                ("a".to_owned(), hook("1", &["engine", "hosts"])),
                ("b".to_owned(), hook("2", &[])),
                ("c".to_owned(), hook("3", &["hosts"])),
            ]),
        };
        let mut after = before.clone();
        after.hooks.insert("a".to_owned(), hook("4", &["engine", "secrets"]));
        after.hooks.remove("c");
        after.hooks.insert("d".to_owned(), hook("5", &["http-client"]));
        let told: Vec<_> = before
            .changes(&after)
            .iter()
            .map(|change| format!("{} +{:?} -{:?}", change.requested, change.gained(), change.lost()))
            .collect();
        assert_eq!(
            told,
            [r#"a +["secrets"] -["hosts"]"#, r#"c +[] -["hosts"]"#, r#"d +["http-client"] -[]"#]
        );
        assert_eq!(after.changes(&after), []);
    }
}
