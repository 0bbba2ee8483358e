//! `cutover trust` for people.

use super::line::{Line, Tone};
use super::problem::wrapped;
use super::table::table;
use crate::model::view::{HostTrust, KeyStanding, TrustView};

/// Lines of keys, and how each stands to what is pinned.
#[must_use]
pub fn trust(view: &TrustView, width: Option<usize>) -> Vec<Line> {
    let mut lines = vec![Line::of(Tone::Strong, &view.title).text("  ").text(&view.file)];
    if view.hosts.is_empty() {
        lines.push(Line::plain("  no host is reached over SSH"));
    }
    let heads = ["  HOST", "DESTINATION", "KEY", ""].map(|head| Line::of(Tone::Dim, head));
    let rows = view.hosts.iter().map(row);
    if !view.hosts.is_empty() {
        lines.extend(table(std::iter::once(heads.to_vec()).chain(rows).collect()));
    }
    for host in view.hosts.iter().filter(|host| host.standing == KeyStanding::Changed) {
        let text = format!("{} is pinned with {}", host.host, host.pinned_instead.join(", "));
        lines.extend(wrapped(Line::of(Tone::Warn, "warning: ").text(&text), width, 2));
    }
    lines
}

fn row(host: &HostTrust) -> Vec<Line> {
    let (tone, word) = match host.standing {
        KeyStanding::Pinned => (Tone::Good, "pinned"),
        KeyStanding::New => (Tone::Accent, "new"),
        KeyStanding::Changed => (Tone::Bad, "CHANGED"),
    };
    vec![
        Line::plain("  ").with(Tone::Strong, &host.host),
        Line::plain(&host.destination),
        Line::plain(&format!("{} {}", host.kind, host.fingerprint)),
        Line::of(tone, word),
    ]
}

/// That keys were pinned.
#[must_use]
pub fn trusted(view: &TrustView) -> Vec<Line> {
    let keys = match view.open() {
        1 => "the key of 1 host was pinned".to_owned(),
        number => format!("the keys of {number} hosts were pinned"),
    };
    vec![Line::plain(&format!("{}: {keys}; commit it", view.file))]
}
