//! What one environment must not share with another, as far as the file tells.

use std::collections::BTreeSet;

use super::environment::applied;
use super::fault::Fault;
use super::node::{Entry, Node, Value};
use super::source::Source;
use crate::model::Name;

/// Checks every environment of the file against `tree`, the one that is meant.
pub(super) fn faults(source: &Source, file: &Node, tree: &Node, chosen: Option<&Name>) -> Vec<Fault> {
    let all = file.get("environments").map_or(&[][..], Node::entries);
    let mut faults: Vec<Fault> =
        all.iter().flat_map(|environment| addresses(source, file, environment)).collect();
    let others =
        all.iter().filter(|environment| chosen.is_some_and(|chosen| chosen.as_str() != environment.key));
    for other in others {
        let Ok(name) = Name::new(other.key.as_str()) else { continue };
        faults.extend(directory(source, tree, &applied(file, &other.node, &name), &name));
    }
    faults
}

/// A host that is another machine in an environment must not keep the address of the base's machine.
fn addresses(source: &Source, file: &Node, environment: &Entry) -> Vec<Fault> {
    let base = file.get("hosts");
    let stale = |entry: &Entry| {
        let before = base?.get(&entry.key)?;
        let other = entry.node.get("ssh")?;
        let moved = other.text() != before.get("ssh").and_then(Node::text);
        let keeps = before.get("address").is_some() && entry.node.get("address").is_none();
        let message = format!("host `{}` is another machine here, with the address of the base's", entry.key);
        (moved && keeps).then(|| {
            source.fault(&other.span, "config/stale-address", message).hint("say its `address` here too")
        })
    };
    environment.node.get("hosts").map_or(&[][..], Node::entries).iter().filter_map(stale).collect()
}

/// Two environments with one directory on one machine would take each other's releases for their own.
fn directory(source: &Source, tree: &Node, other: &Node, name: &Name) -> Option<Fault> {
    let place = |tree: &Node| {
        tree.get("app")?.get("directory")?.text().map(|text| text.trim_end_matches('/').to_owned())
    };
    if place(tree)? != place(other)? || machines(tree).is_disjoint(&machines(other)) {
        return None;
    }
    let span = &tree.get("app")?.get("directory")?.span;
    let message = format!("environment `{name}` has the same directory on the same host");
    let fault = source.fault(span, "config/shared-directory", message);
    Some(fault.hint("give each environment a `directory`; without one each has its own by default"))
}

/// How the machines that run the application are reached; empty for this machine.
fn machines(tree: &Node) -> BTreeSet<&str> {
    let app = tree.get("app");
    let tables = [app, app.and_then(|app| app.get("blue")), app.and_then(|app| app.get("green"))];
    let named: Vec<&str> = tables
        .into_iter()
        .filter_map(|table| table?.get("hosts"))
        .flat_map(|hosts| hosts.items().iter().filter_map(Node::text))
        .collect();
    let Some(Node { value: Value::Table(hosts), .. }) = tree.get("hosts") else {
        return BTreeSet::from([""]);
    };
    hosts
        .iter()
        .filter(|host| named.is_empty() || named.contains(&host.key.as_str()))
        .map(|host| host.node.get("ssh").and_then(Node::text).unwrap_or_default())
        .collect()
}
