//! `[environments]`: which one is meant.

use super::fault::Fault;
use super::node::{Node, Value};
use super::overlay;
use super::root;
use super::shape::Shape;
use super::source::Source;
use crate::model::Name;

/// Names of the environments that a file declares; none where it is no TOML.
#[must_use]
pub fn environments(text: &str) -> Vec<String> {
    let Ok(file) = Node::parse(&Source::new("", text)) else { return Vec::new() };
    match file.get("environments").map(|node| &node.value) {
        Some(Value::Table(all)) => all.iter().map(|environment| environment.key.clone()).collect(),
        Some(_) | None => Vec::new(),
    }
}

/// The tree with one environment's overlay applied.
pub(super) struct Chosen {
    pub(super) tree: Node,
    pub(super) name: Option<Name>,
    pub(super) confirm: bool,
}

static FILE: Shape = Shape::Table(&root::KEYS);

/// Applies the overlay of the environment that is asked for, or of the default one.
///
/// # Errors
/// When there is none such, or it must be said which.
pub(super) fn choose(source: &Source, tree: &Node, asked: Option<&str>) -> Result<Chosen, Vec<Fault>> {
    let Some(entry) = tree.entry("environments") else {
        return match asked {
            None => Ok(Chosen { tree: tree.clone(), name: None, confirm: false }),
            Some(asked) => {
                let message = format!("unknown environment `{asked}`: the file declares none");
                let fault = source.fault(&(0..0), "config/environment", message);
                Err(vec![fault.hint(format!("leave it out, or add a table [environments.{asked}]"))])
            }
        };
    };
    // Another type has been reported.
    let Value::Table(all) = &entry.node.value else { return Err(Vec::new()) };
    let names = || all.iter().map(|environment| environment.key.as_str());
    let flag =
        |node: &Node, key: &str| matches!(node.get(key), Some(Node { value: Value::Boolean(true), .. }));
    let mut defaults = all.iter().filter(|environment| flag(&environment.node, "default"));
    let default = defaults.next();
    let more: Vec<Fault> = defaults
        .filter_map(|second| second.node.get("default"))
        .map(|node| source.fault(&node.span, "config/environment", "only one environment can be the default"))
        .collect();
    if !more.is_empty() {
        return Err(more);
    }
    let Some(name) = asked.or(default.map(|environment| environment.key.as_str())) else {
        let fault = source.fault(&entry.key_span, "config/environment", "an environment must be chosen");
        return Err(vec![
            fault.choices("environments", names()).hint("choose one by -e NAME or CUTOVER_ENV"),
        ]);
    };
    let Some(environment) = all.iter().find(|environment| environment.key == name) else {
        let message = format!("unknown environment `{name}`");
        let fault = source.fault(&(0..0), "config/environment", message);
        return Err(vec![fault.choices("environments", names()).did_you_mean(name)]);
    };
    // A name or type that is wrong has been reported.
    let Ok(name) = Name::new(name) else { return Err(Vec::new()) };
    let confirm = flag(&environment.node, "confirm");
    Ok(Chosen { tree: applied(tree, &environment.node, &name), name: Some(name), confirm })
}

/// The base with one overlay.
pub(super) fn applied(tree: &Node, overlay: &Node, name: &Name) -> Node {
    let mut base = tree.clone();
    if let Value::Table(entries) = &mut base.value {
        entries.retain(|entry| entry.key != "environments");
    }
    let mut overlay = overlay.clone().of_environment(name);
    if let Value::Table(entries) = &mut overlay.value {
        entries.retain(|entry| entry.key != "default" && entry.key != "confirm");
        overlay::merge(&mut base, overlay, Some(&FILE));
    }
    base
}
