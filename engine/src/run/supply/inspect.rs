//! A component in the words of the operator.

use crate::hook::{Anatomy, Import, exported_kind, is_spoken};
use crate::model::view::LockChangeView;
use crate::model::view::{ComponentKind, ComponentView, ImportView};
use crate::model::{ComponentDigest, LockChange, LockedHook, VENDORED};

/// What people are shown of a component. `bundled` ones have grants of their own.
pub(super) fn component_view(
    source: &str,
    anatomy: &Anatomy,
    sha256: &ComponentDigest,
    size: u64,
    bundled: bool,
) -> ComponentView {
    let kinds = anatomy.description.exports.iter().filter_map(|export| {
        let (kind, contract) = exported_kind(export)?;
        let usable = is_spoken(export);
        Some(ComponentKind { kind: kind.to_string(), contract: contract.to_owned(), usable })
    });
    let imports = sorted(&anatomy.description.imports);
    ComponentView {
        source: source.to_owned(),
        kinds: kinds.collect(),
        sha256: sha256.to_string(),
        size,
        memory: anatomy.memory,
        memory_most: anatomy.memory_most,
        languages: anatomy.languages.clone(),
        grants: (!bundled).then(|| empty_grants(&imports)),
        imports: imports.iter().map(|name| import_view(name)).collect(),
    }
}

/// Names without repetition, in order.
pub(super) fn sorted(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names.dedup();
    names
}

fn import_view(name: &str) -> ImportView {
    let import = Import::of(name);
    let keys = import.keys().iter().map(|key| (*key).to_owned()).collect();
    ImportView { name: name.to_owned(), keys, means: import.words() }
}

/// What people are shown of a changed entry.
pub(super) fn change_view(change: &LockChange<'_>) -> LockChangeView {
    let views = |names: Vec<&str>| names.into_iter().map(import_view).collect();
    let resolved = |hook: &LockedHook| (hook.resolved != change.requested).then(|| hook.resolved.clone());
    let (copy, manifest) = match change.after.and_then(resolved) {
        Some(path) if path.starts_with(VENDORED) => (Some(path), None),
        manifest => (None, manifest),
    };
    LockChangeView {
        requested: change.requested.to_owned(),
        before: change.before.map(|hook| hook.sha256.to_string()),
        after: change.after.map(|hook| hook.sha256.to_string()),
        copy,
        manifest,
        gained: views(change.gained()),
        lost: views(change.lost()),
    }
}

/// The `grants` under which a component loads and may do nothing: each key of what it imports, with an empty list. What would allow
/// something is never proposed: who reads it decides that.
fn empty_grants(imports: &[String]) -> String {
    let mut keys: Vec<&str> = Vec::new();
    for key in imports.iter().flat_map(|name| Import::of(name).keys()) {
        if !keys.contains(key) {
            keys.push(key);
        }
    }
    keys.into_iter().map(|key| format!("{key} = []\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hook::Description;

    #[test]
    fn grants_to_paste_allow_nothing() {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let description = Description {
            imports: owned(&[
                "wasi:io/poll@0.2.6",
                "cutover:hook/secrets@0.1.0",
                "cutover:hook/secret-text@0.1.0",
                "cutover:hook/hosts@0.1.0",
                "cutover:hook/engine@0.1.0",
                "cutover:hook/root@0.1.0",
            ]),
            exports: owned(&["cutover:hook/router@0.1.3", "cutover:hook/build@0.2.0", "init"]),
        };
        let anatomy = Anatomy { description, memory: Some(1), memory_most: None, languages: Vec::new() };
        let digest = ComponentDigest::of_bytes([7; 32]);
        let view = component_view("lb.wasm", &anatomy, &digest, 2, false);
        let grants = "exec = []\nread = []\nwrite = []\nlink = []\nconnect = []\nsecrets = []\n";
        assert_eq!(view.grants.as_deref(), Some(grants));
        let kinds: Vec<_> = view
            .kinds
            .iter()
            .map(|kind| format!("{} {} {}", kind.kind, kind.contract, kind.usable))
            .collect();
        assert_eq!(kinds, ["router 0.1.3 true", "build 0.2.0 false"]);
        let imports: Vec<_> =
            view.imports.iter().map(|import| format!("{}: {}", import.name, import.means)).collect();
        assert_eq!(
            imports,
            [
                "cutover:hook/engine@0.1.0: needs no grant",
                "cutover:hook/hosts@0.1.0: grants.exec, grants.read, grants.write, grants.link or grants.connect",
                "cutover:hook/root@0.1.0: not offered by this version of cutover",
                "cutover:hook/secret-text@0.1.0: grants.secrets; sees the plain text of those with `reveal = true`",
                "cutover:hook/secrets@0.1.0: grants.secrets",
                "wasi:io/poll@0.2.6: WASI: reaches nothing",
            ]
        );
    }
}
