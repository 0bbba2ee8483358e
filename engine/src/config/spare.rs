//! Parts of the file that looking at what is there does not need: a typo in one of them must not keep anybody from logs and status.

use super::fault::Fault;
use super::node::{Entry, Node, Value};

/// What is not needed to find the application on its hosts, nor its state. Whatever says *where* something is belongs to the rest.
const SPARE: [&str; 9] = [
    "build",
    "smoke-test",
    "health-check",
    "pipeline",
    "secrets",
    "app.env",
    "app.blue.env",
    "app.green.env",
    "app.migrate",
];

/// A part that can be left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spare {
    /// Its path, for people.
    pub(super) name: String,
    /// The key and the tables that it lies in.
    path: Vec<String>,
}

/// The parts that the file has, for a look at environment `asked` (none: the default one) which needs those in `needed` all the same.
pub(super) fn spares(file: &Node, asked: Option<&str>, needed: &[&str]) -> Vec<Spare> {
    let environments = file.get("environments").map(Node::entries).unwrap_or_default();
    let is_default =
        |node: &Node| matches!(node.get("default"), Some(Node { value: Value::Boolean(true), .. }));
    let meant = asked.or_else(|| {
        environments.iter().find(|entry| is_default(&entry.node)).map(|entry| entry.key.as_str())
    });
    let path = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
    let mut found = Vec::new();
    for spare in SPARE.into_iter().filter(|spare| !needed.contains(spare)) {
        found.push(Spare { name: spare.to_owned(), path: path(spare) });
        found.extend(meant.map(|meant| Spare {
            name: format!("environments.{meant}.{spare}"),
            path: [vec!["environments".to_owned(), meant.to_owned()], path(spare)].concat(),
        }));
    }
    found.extend(environments.iter().filter(|entry| Some(entry.key.as_str()) != meant).map(|entry| Spare {
        name: format!("environments.{}", entry.key),
        path: vec!["environments".to_owned(), entry.key.clone()],
    }));
    found.retain(|spare| find(file, &spare.path).is_some());
    found
}

/// The file without these parts.
pub(super) fn without(file: &Node, spares: &[&Spare]) -> Node {
    let mut file = file.clone();
    for spare in spares {
        remove(&mut file, &spare.path);
    }
    file
}

/// The parts that have to be left out for `read` to succeed: each alone, since one may have its faults by another. None when what is
/// left has faults all the same.
pub(super) fn faulty<T>(
    file: &Node,
    spares: &[Spare],
    read: impl Fn(&Node) -> Result<T, Vec<Fault>>,
) -> Option<(T, Vec<String>)> {
    let all: Vec<&Spare> = spares.iter().collect();
    read(&without(file, &all)).ok()?;
    let mut kept: Vec<&Spare> = Vec::new();
    for spare in &all {
        let with: Vec<&Spare> =
            all.iter().filter(|other| *other != spare && !kept.contains(other)).copied().collect();
        if read(&without(file, &with)).is_ok() {
            kept.push(spare);
        }
    }
    let left: Vec<&Spare> = all.into_iter().filter(|spare| !kept.contains(spare)).collect();
    let names = left.iter().map(|spare| spare.name.clone()).collect();
    Some((read(&without(file, &left)).ok()?, names))
}

fn find<'n>(node: &'n Node, path: &[String]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, key| node.get(key))
}

fn remove(node: &mut Node, path: &[String]) {
    let ([key, rest @ ..], Value::Table(entries)) = (path, &mut node.value) else { return };
    match rest {
        // Without a word about its grants it would get those that its settings ask for, which are the ones that are missing.
        [] if key == "build" => {
            for entry in entries.iter_mut().filter(|entry| entry.key == *key) {
                let (key, key_span) = ("grants".to_owned(), entry.key_span.clone());
                let node = Node { value: Value::Table(Vec::new()), ..entry.node.clone() };
                entry.node.value = Value::Table(vec![Entry { key, key_span, node }]);
            }
        }
        [] => entries.retain(|entry| entry.key != *key),
        rest => {
            for entry in entries.iter_mut().filter(|entry| entry.key == *key) {
                remove(&mut entry.node, rest);
            }
        }
    }
}
