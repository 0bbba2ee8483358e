//! The one table of what a component may import: which interfaces there are, and which keys of `grants` rule each.

use super::failure::MissingGrant;
use super::{ContractVersion, Description, HookFault};
use crate::model::HookKind;
use crate::model::grant::{Grants, SecretTarget};

/// Interfaces of the contract, and the keys of `grants` of which one at least must be written when a component imports them.
pub const INTERFACES: [(&str, &[&str]); 6] = [
    ("hook-types", &[]),
    ("engine", &[]),
    ("hosts", &["exec", "read", "write", "link", "connect"]),
    ("http-client", &["http"]),
    ("secrets", &["secrets"]),
    ("secret-text", &["secrets"]),
];

/// Packages of WASI that are linked, and can reach nothing.
const WASI: [&str; 7] = ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"];

/// An import in the words of grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Import {
    /// Needs no grant: log, progress, time, sleep, and the types of the contract.
    Free,
    /// Can do what is granted under these keys of `grants`, of which one at least must be written.
    Granted(&'static [&'static str]),
    /// The same, and the guest sees what it gets: plain text of secrets.
    Revealed(&'static [&'static str]),
    /// Of WASI: linked, and can reach nothing.
    Idle,
    /// Not offered by this version of cutover.
    Unknown,
}

impl Import {
    /// What an imported interface means for the operator.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match contract_name(name).map(keys_of) {
            Some(Some([])) => Self::Free,
            Some(Some(keys)) if contract_name(name) == Some("secret-text") => Self::Revealed(keys),
            Some(Some(keys)) => Self::Granted(keys),
            None if is_offered(name) => Self::Idle,
            Some(None) | None => Self::Unknown,
        }
    }

    /// The keys of `grants` that rule it.
    #[must_use]
    pub const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Granted(keys) | Self::Revealed(keys) => keys,
            Self::Free | Self::Idle | Self::Unknown => &[],
        }
    }

    /// What it means: `grants.exec, grants.read or grants.connect`.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Free => "needs no grant".to_owned(),
            Self::Granted(keys) => keys_text(keys),
            Self::Revealed(keys) => {
                format!("{}; sees the plain text of those with `reveal = true`", keys_text(keys))
            }
            Self::Idle => "WASI: reaches nothing".to_owned(),
            Self::Unknown => "not offered by this version of cutover".to_owned(),
        }
    }
}

/// The kind of hook that an export makes a component, with the version of the contract: `cutover:hook/router@0.1.0`, in whatever version.
#[must_use]
pub fn exported_kind(export: &str) -> Option<(HookKind, &str)> {
    let (interface, version) = export.strip_prefix("cutover:hook/")?.split_once('@')?;
    HookKind::ALL.into_iter().find(|kind| kind.as_str() == interface).map(|kind| (kind, version))
}

/// Whether an interface is one of the contract that this program speaks.
#[must_use]
pub fn is_spoken(name: &str) -> bool {
    contract_name(name).is_some()
}

/// Finds whatever speaks against using a component as a hook of a kind under these grants, before any of its code runs.
///
/// # Errors
/// The first of another contract, wrong kind, unknown imports, missing grants.
pub(super) fn inspect(
    hook: &str,
    kind: HookKind,
    description: &Description,
    grants: &Grants,
) -> Result<(), HookFault> {
    let hook = hook.to_owned();
    let answers = |name: &&String| ContractVersion::of(name).is_some_and(|(name, _)| name == kind.as_str());
    let (spoken, foreign): (Vec<&String>, Vec<&String>) =
        description.exports.iter().filter(answers).partition(|export| is_spoken(export));
    let imports = description.imports.iter().filter(|import| !is_spoken(import));
    // It may answer those that speak another contract as well.
    let other = imports.chain(foreign.into_iter().filter(|_| spoken.is_empty()));
    if let Some(version) = ContractVersion::newest(other) {
        return Err(HookFault::OtherContract { hook, version });
    }
    if spoken.is_empty() {
        let ours = |export: &&String| export.starts_with("cutover:hook/");
        let exports = description.exports.iter().filter(ours).cloned().collect();
        return Err(HookFault::WrongKind { hook, wanted: kind, exports });
    }
    let unknown: Vec<String> =
        description.imports.iter().filter(|import| !is_offered(import)).cloned().collect();
    if !unknown.is_empty() {
        return Err(HookFault::UnknownImports { hook, imports: unknown });
    }
    let missing: Vec<MissingGrant> = description
        .imports
        .iter()
        .filter_map(|import| {
            let keys = keys_of(contract_name(import)?)?;
            let written = keys.is_empty() || keys.iter().any(|key| entries(grants, key).is_some());
            (!written).then(|| MissingGrant { import: import.clone(), keys })
        })
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(HookFault::MissingGrant { hook, missing }) }
}

/// Keys of `grants` that allow something although the component imports nothing that they cover: what it does not need today, another
/// component in its place could use. An empty list allows nothing.
#[must_use]
pub(super) fn idle_keys(description: &Description, grants: &Grants) -> Vec<&'static str> {
    let imported: Vec<&str> = description.imports.iter().filter_map(|import| contract_name(import)).collect();
    let mut idle: Vec<&'static str> = Vec::new();
    for (_, keys) in INTERFACES {
        for key in keys {
            let used = INTERFACES.iter().any(|(name, keys)| keys.contains(key) && imported.contains(name));
            let used = if *key == "secrets" { uses_secrets(grants, &imported) } else { used };
            if !used && entries(grants, key) > Some(0) && !idle.contains(key) {
                idle.push(key);
            }
        }
    }
    idle
}

/// Whether any secret can go where it is bound to: the interface that takes it there is another for each place.
fn uses_secrets(grants: &Grants, imported: &[&str]) -> bool {
    let interface = |to: &SecretTarget| match to {
        SecretTarget::Header { .. } | SecretTarget::Body { .. } => "http-client",
        SecretTarget::Variable { .. } | SecretTarget::Input { .. } => "hosts",
        SecretTarget::Hmac { .. } => "secrets",
        SecretTarget::Reveal => "secret-text",
    };
    grants.secrets.iter().flatten().any(|grant| imported.contains(&interface(&grant.to)))
}

/// `grants.exec, grants.read or grants.connect`
pub(super) fn keys_text(keys: &[&str]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("grants.{key}")).collect();
    match keys.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

fn keys_of(interface: &str) -> Option<&'static [&'static str]> {
    INTERFACES.iter().find(|(name, _)| *name == interface).map(|(_, keys)| *keys)
}

/// How many entries a key has; none when it is not written.
fn entries(grants: &Grants, key: &str) -> Option<usize> {
    match key {
        "exec" => grants.exec.as_ref().map(Vec::len),
        "read" => grants.read.as_ref().map(Vec::len),
        "write" => grants.write.as_ref().map(Vec::len),
        "link" => grants.link.as_ref().map(Vec::len),
        "connect" => grants.connect.as_ref().map(Vec::len),
        "http" => grants.http.as_ref().map(Vec::len),
        "secrets" => grants.secrets.as_ref().map(Vec::len),
        _ => None,
    }
}

/// The interface's name, when it is one of the contract that this program speaks.
fn contract_name(name: &str) -> Option<&str> {
    ContractVersion::of(name).filter(|(_, version)| version.is_spoken()).map(|(interface, _)| interface)
}

fn is_offered(import: &str) -> bool {
    if let Some(interface) = contract_name(import) {
        return keys_of(interface).is_some();
    }
    import
        .strip_prefix("wasi:")
        .and_then(|rest| rest.split_once('/'))
        .is_some_and(|(package, rest)| WASI.contains(&package) && rest.contains("@0.2."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;
    use crate::model::grant::{HostGroup, HttpGrant, HttpTarget, PathGrant, SecretGrant};

    fn description(imports: &[&str], exports: &[&str]) -> Description {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Description { imports: owned(imports), exports: owned(exports) }
    }

    fn message(kind: HookKind, imports: &[&str], exports: &[&str], grants: &Grants) -> String {
        match inspect("vendor", kind, &description(imports, exports), grants) {
            Ok(()) => "fine".to_owned(),
            Err(fault) => format!("{}: {fault}", fault.code()),
        }
    }

    #[test]
    fn what_speaks_against_a_component_is_said_in_the_words_of_the_operator() {
        let none = Grants::default();
        let http = Grants { http: Some(Vec::new()), ..Grants::default() };
        let smoke = &["cutover:hook/smoke-test@0.1.0", "init"][..];
        type Names<'a> = &'a [&'a str];
        let cases: [(HookKind, Names<'_>, Names<'_>, &Grants, &str); 11] = [
            (HookKind::SmokeTest, &["cutover:hook/engine@0.1.0", "wasi:io/poll@0.2.6"], smoke, &none, "fine"),
            (
                HookKind::SmokeTest,
                &["cutover:hook/engine@0.1.7"],
                &["cutover:hook/smoke-test@0.1.9"],
                &none,
                "fine",
            ),
            (HookKind::SmokeTest, &["cutover:hook/http-client@0.1.0"], smoke, &http, "fine"),
            (
                HookKind::SmokeTest,
                &["cutover:hook/http-client@0.1.0", "cutover:hook/hosts@0.1.0"],
                smoke,
                &none,
                "hook/missing-grant: hook `vendor` needs what cutover.toml does not grant\n\
                 it imports `cutover:hook/http-client@0.1.0`: grants.http\n\
                 it imports `cutover:hook/hosts@0.1.0`: grants.exec, grants.read, grants.write, grants.link or \
                 grants.connect",
            ),
            (
                HookKind::Router,
                &[],
                smoke,
                &none,
                "hook/wrong-kind: hook `vendor` is not a router hook: it exports `cutover:hook/smoke-test@0.1.0`",
            ),
            (
                HookKind::Router,
                &[],
                &["wasi:cli/run@0.2.0"],
                &none,
                "hook/wrong-kind: hook `vendor` is not a router hook: it exports no hook interface",
            ),
            (
                HookKind::SmokeTest,
                &[],
                &["cutover:hook/smoke-test@0.2.0"],
                &none,
                "hook/other-contract: hook `vendor` was built for the contract cutover:hook@0.2.0, and this version of cutover \
                 speaks cutover:hook@0.1",
            ),
            (
                HookKind::SmokeTest,
                &["cutover:hook/engine@0.0.3", "cutover:hook/root@0.0.4"],
                &["cutover:hook/smoke-test@0.0.4"],
                &none,
                "hook/other-contract: hook `vendor` was built for the contract cutover:hook@0.0.4, and this version of cutover \
                 speaks cutover:hook@0.1",
            ),
            (
                HookKind::SmokeTest,
                &["cutover:hook/engine@0.1.0"],
                &["cutover:hook/smoke-test@1.0.0", "cutover:hook/smoke-test@0.1.0"],
                &none,
                "fine",
            ),
            (
                HookKind::Router,
                &[],
                &["cutover:hook/smoke-test@0.2.0"],
                &none,
                "hook/wrong-kind: hook `vendor` is not a router hook: it exports `cutover:hook/smoke-test@0.2.0`",
            ),
            (
                HookKind::SmokeTest,
                &["cutover:hook/root@0.1.0", "wasi:nn/tensor@0.2.0", "wasi:io/poll@0.3.0", "env"],
                smoke,
                &none,
                "hook/unknown-import: hook `vendor` imports what this version of cutover does not offer: \
                 `cutover:hook/root@0.1.0`, `wasi:nn/tensor@0.2.0`, `wasi:io/poll@0.3.0`, `env`",
            ),
        ];
        for (kind, imports, exports, grants, expected) in cases {
            assert_eq!(message(kind, imports, exports, grants), expected);
        }
    }

    #[test]
    fn grants_without_use_are_found() {
        let paths = || Some(vec![PathGrant { hosts: HostGroup::App, path: "/etc/motd".to_owned() }]);
        let http =
            vec![HttpGrant { to: HttpTarget::Instances, private: false, via: None, authorities: None }];
        let grants =
            Grants { http: Some(http), secrets: Some(Vec::new()), read: paths(), ..Grants::default() };
        let idle = |imports: &[&str]| idle_keys(&description(imports, &[]), &grants);
        assert_eq!(idle(&["cutover:hook/hosts@0.1.0"]), ["http"]);
        assert_eq!(idle(&["cutover:hook/http-client@0.1.0"]), ["read"]);
        let name = Name::new("token").expect("a name");
        let to = SecretTarget::Header { origin: "https://a.example".to_owned(), header: "x".to_owned() };
        let grants = Grants {
            secrets: Some(vec![SecretGrant { name, to }]),
            http: Some(Vec::new()),
            ..Grants::default()
        };
        let idle = |imports: &[&str]| idle_keys(&description(imports, &[]), &grants);
        assert_eq!(idle(&["cutover:hook/http-client@0.1.0"]), Vec::<&str>::new());
        assert_eq!(idle(&["cutover:hook/secrets@0.1.0"]), ["secrets"]);
    }
}
