//! `cutover check --against` for people.

use super::line::{Line, Tone};
use super::problem::{hint, wrapped};
use crate::model::view::AgainstView;
use crate::model::{Widening, WideningKind};

/// What to do where something is wider.
const HINT: &str = "let somebody who may deploy look at this before it is merged";

/// Lines of what got wider.
#[must_use]
pub fn against(view: &AgainstView, width: Option<usize>) -> Vec<Line> {
    let since = format!(" since `{}` ({})", view.revision, view.commit.get(..12).unwrap_or(&view.commit));
    let mut head = Line::of(Tone::Strong, &view.app).text("  ").text(&view.file).text(": ");
    if !view.environments.is_empty() {
        head = head.text(&view.environments.join(", ")).text(": ");
    }
    let head = match view.widenings.len() {
        0 => head.with(Tone::Good, "nothing got wider").text(&since),
        1 => head.with(Tone::Bad, "1 thing got wider").text(&since),
        count => head.with(Tone::Bad, &format!("{count} things got wider")).text(&since),
    };
    let mut lines = wrapped(head, width, 2);
    let longest = view.widenings.iter().map(|widening| word(widening.kind).len()).max().unwrap_or(0);
    for widening in &view.widenings {
        lines.extend(one(view, widening, longest + 4, width));
    }
    if !view.widenings.is_empty() {
        lines.extend(hint(Some(HINT), width));
    }
    lines
}

fn one(view: &AgainstView, widening: &Widening, indent: usize, width: Option<usize>) -> Vec<Line> {
    let mut line = Line::plain("  ").with(Tone::Warn, word(widening.kind)).pad(indent);
    if widening.environments != view.environments {
        line = line.with(Tone::Dim, &format!("{}: ", widening.environments.join(", ")));
    }
    let mut lines = wrapped(line.text(&widening.text), width, indent);
    if let Some(before) = &widening.before {
        let line = Line::plain(&" ".repeat(indent)).with(Tone::Dim, &format!("before: {before}"));
        lines.extend(wrapped(line, width, indent + 8));
    }
    lines
}

const fn word(kind: WideningKind) -> &'static str {
    match kind {
        WideningKind::Environment => "environment",
        WideningKind::Place => "place",
        WideningKind::Host => "host",
        WideningKind::HostKey => "host key",
        WideningKind::Source => "source",
        WideningKind::Process => "process",
        WideningKind::Routing => "routing",
        WideningKind::Secret => "secret",
        WideningKind::Hook => "hook",
        WideningKind::Import => "import",
        WideningKind::Grant => "grant",
        WideningKind::Limit => "limit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::golden::{assert_golden, page};

    #[test]
    fn what_got_wider_is_told_with_what_was() {
        let widening = |environments: &[&str], kind, text: &str, before: Option<&str>| Widening {
            environments: environments.iter().map(|name| (*name).to_owned()).collect(),
            kind,
            text: text.to_owned(),
            before: before.map(str::to_owned),
        };
        let view = AgainstView {
            app: "shop".to_owned(),
            file: "cutover.toml".to_owned(),
            revision: "origin/main".to_owned(),
            commit: "9f3c2a17b04d5e6f7081".to_owned(),
            environments: vec!["staging".to_owned(), "production".to_owned()],
            widenings: vec![
                widening(&["production"], WideningKind::Process, "processes run as `root`", Some("`shop`")),
                widening(
                    &["staging", "production"],
                    WideningKind::HostKey,
                    "`web1.example.com` is known by the key ssh-ed25519 SHA256:R9f+kt/GJ8Eo5sL4iuNmW5VXLAqxV0YpjQYgrY2GuCo",
                    Some("ssh-ed25519 SHA256:0u1eePecNdvDY+/BSgcJANrh4GVQnYRXqTX/dQy6qUc"),
                ),
                widening(
                    &["staging", "production"],
                    WideningKind::Grant,
                    "hook `x` may run `\u{1b}[2J`",
                    None,
                ),
            ],
        };
        let wide = page(&against(&view, None));
        let narrow = page(&against(&view, Some(60)));
        let none = AgainstView { environments: Vec::new(), widenings: Vec::new(), ..view };
        assert_golden("against.txt", &format!("{wide}\n{narrow}\n{}", page(&against(&none, None))));
    }
}
