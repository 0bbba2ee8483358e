//! `grants` of a case: the table as `cutover.toml` has it, for hosts and secrets that are declared nowhere.

use camino::{Utf8Path, Utf8PathBuf};

use super::Surroundings;
use super::check::Check;
use super::fault::Fault;
use super::format;
use super::grants::{KEYS, Rules};
use super::node::Node;
use super::reader::Reader;
use super::resolve::Resolver;
use super::shape::Shape;
use super::source::Source;
use crate::model::grant::Grants;
use crate::model::{HookKind, HostName, Name, SettingFault};

/// Reads them for a hook of this kind.
///
/// # Errors
/// With all faults of theirs.
pub(super) fn case_grants(source: &Source, table: &Node, kind: HookKind) -> Result<Grants, Vec<Fault>> {
    let Ok(app) = Name::new("app") else { return Ok(Grants::default()) };
    let mut resolver = Resolver::new(source.clone(), &Nothing, Utf8PathBuf::new(), app, None, Vec::new());
    let mut check = Check { source, faults: &mut resolver.faults };
    check.value(table, &Shape::Table(&KEYS), "grants");
    check.required(table, &Shape::Table(&KEYS), &table.span, "grants");
    // Whoever is named is there: a case has the hosts that it names, and grants are pasted from where there are more.
    for entry in table.entries().iter().flat_map(|list| list.node.items()) {
        for key in ["hosts", "via"] {
            let Some(named) = entry.get(key) else { continue };
            let alone = std::slice::from_ref(named);
            let names = if named.text().is_some() { alone } else { named.items() };
            for host in names.iter().filter_map(Node::text).filter_map(|text| HostName::new(text).ok()) {
                resolver.spans.insert(host, named.span.clone());
            }
        }
        let name = entry.get("name").and_then(Node::text).filter(|text| (format::NAME.check)(text).is_ok());
        if let Some(name) = name.and_then(|text| Name::new(text).ok()) {
            resolver.secrets.insert(name, entry.span.clone());
        }
    }
    let build = kind == HookKind::Build;
    let grants = resolver
        .grants(&Reader::new(Some(table), &KEYS, table.span.clone()), Rules { build, bare_programs: build });
    if resolver.faults.is_empty() { Ok(grants) } else { Err(resolver.faults) }
}

/// Where there is no project.
struct Nothing;

impl Surroundings for Nothing {
    fn is_file(&self, _: &Utf8Path) -> bool {
        false
    }

    fn builtins(&self) -> &[&str] {
        &[]
    }

    fn bundled_grants(&self, _: &str, _: &str, _: &serde_json::Value) -> Result<String, SettingFault> {
        Ok(String::new())
    }

    fn settings_schema(&self, _: &str) -> Option<serde_json::Value> {
        None
    }
}
