//! `{port}` and its like in texts of the configuration.
//!
//! A placeholder is `{`, lower-case letters and `-`, `}`. `{{word}}` stands for the literal text `{word}`; every other brace is itself,
//! so that JSON can be written as it is.

/// Names of the placeholders in a text, in order.
#[must_use]
pub fn names(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    walk(text, |piece| {
        if let Piece::Placeholder(name) = piece {
            names.push(name);
        }
    });
    names
}

/// The text with each placeholder replaced by what `value` gives for its name; one without a value stays as it is.
#[must_use]
pub fn expand(text: &str, mut value: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    walk(text, |piece| match piece {
        Piece::Text(literal) => out.push_str(literal),
        Piece::Placeholder(name) => match value(name) {
            Some(value) => out.push_str(&value),
            None => {
                out.push('{');
                out.push_str(name);
                out.push('}');
            }
        },
    });
    out
}

enum Piece<'t> {
    Text(&'t str),
    Placeholder(&'t str),
}

fn walk<'t>(text: &'t str, mut see: impl FnMut(Piece<'t>)) {
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        see(Piece::Text(&rest[..open]));
        let at = &rest[open..];
        if let Some(inner) = at.strip_prefix('{').and_then(braced) {
            // The outer pair of `{{word}}` is dropped.
            let length = inner.len() + 2;
            if at[1 + length..].starts_with('}') {
                see(Piece::Text(&at[1..=length]));
                rest = &at[length + 2..];
                continue;
            }
        }
        match braced(at) {
            Some(name) => {
                see(Piece::Placeholder(name));
                rest = &at[name.len() + 2..];
            }
            None => {
                see(Piece::Text("{"));
                rest = &at[1..];
            }
        }
    }
    see(Piece::Text(rest));
}

/// The word of a text that begins with `{word}`.
fn braced(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('{')?;
    let end = inner.find(|c: char| !c.is_ascii_lowercase() && c != '-')?;
    (end > 0 && inner[end..].starts_with('}')).then(|| &inner[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_braces_are_replaced_and_nothing_else() {
        let value = |name: &str| (name == "port").then(|| "4001".to_owned());
        for (text, want) in [
            ("--port={port}", "--port=4001"),
            ("{port}{port}", "40014001"),
            ("{{port}}", "{port}"),
            ("{{{port}}}", "{{port}}"),
            ("{other}", "{other}"),
            (r#"{"a":{"b":1}}"#, r#"{"a":{"b":1}}"#),
            ("{Port} { } {} {port", "{Port} { } {} {port"),
            ("ü{port}ü", "ü4001ü"),
            ("", ""),
        ] {
            assert_eq!(expand(text, value), want, "{text}");
        }
        assert_eq!(names("{port} {{no}} {listen}"), ["port", "listen"]);
    }
}
