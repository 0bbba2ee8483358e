//! Faults in a hook's settings, at their place in the file.

use super::fault::Fault;
use super::node::Node;
use super::source::{Source, Span};
use crate::model::SettingFault;

/// Places a fault. A path that is not there is placed at the nearest value that is; without settings, at the hook's own table.
pub(super) fn place(
    source: &Source,
    settings: Option<&Node>,
    table: &Span,
    title: &str,
    fault: &SettingFault,
) -> Fault {
    let SettingFault { key, reason } = fault;
    let (reason, hint) = match reason.split_once("\nhint: ") {
        Some((reason, hint)) => (reason, Some(hint)),
        None => (reason.as_str(), None),
    };
    let span = settings.map_or_else(|| table.clone(), |settings| nearest(settings, key));
    let key = if key.is_empty() { "settings".to_owned() } else { format!("setting `{key}`") };
    let fault = source.fault(&span, "config/setting", format!("{title}: {key}: {reason}"));
    match hint {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}

/// Place of the value that a path leads to, or of the last one on the way that is there.
pub(super) fn nearest(settings: &Node, key: &str) -> Span {
    let mut node = settings;
    for part in key.split(['.', '[']).filter(|part| !part.is_empty()) {
        let next = match part.strip_suffix(']').and_then(|index| index.parse::<usize>().ok()) {
            Some(index) => node.items().get(index),
            None => node.get(part),
        };
        let Some(next) = next else { break };
        node = next;
    }
    node.span.clone()
}
