//! Texts in which `{name}` stands for a secret, `{{` and `}}` for a brace.

use std::collections::BTreeMap;

use crate::model::Name;
use crate::secret::{Secret, form_encoded};

/// A text with places for secrets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Secret(Name),
}

/// How a secret is written into what surrounds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As it is.
    Plain,
    /// Within a JSON string.
    Json,
    /// Within a form (`application/x-www-form-urlencoded`).
    Form,
}

impl Template {
    /// # Errors
    /// When a brace stands alone, or encloses no name. The reason repeats nothing of the text.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..];
            if let Some(after) = brace.strip_prefix("{{").or_else(|| brace.strip_prefix("}}")) {
                literal.push_str(&brace[..1]);
                rest = after;
                continue;
            }
            let enclosed = brace.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let (name, after) = enclosed.ok_or("a brace in a template stands alone: write it twice")?;
            let name = Name::new(name).map_err(
                |_| "braces in a template enclose no name of a secret: one that is meant is written twice",
            )?;
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Secret(name));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Ok(Self(pieces))
    }

    /// The secrets that it names.
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Secret(name) => Some(name),
            Piece::Text(_) => None,
        })
    }

    /// The text with every secret in its place.
    pub(super) fn fill(&self, secrets: &BTreeMap<Name, Secret>, encoding: Encoding) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Secret(name) => {
                secrets.get(name).map(|secret| encoding.write(secret.expose())).unwrap_or_default()
            }
        };
        self.0.iter().map(piece).collect()
    }
}

impl Encoding {
    /// What the content type of a body asks for.
    pub(super) fn of(content_type: Option<&str>) -> Self {
        let kind = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let kind = kind.to_ascii_lowercase();
        if kind == "application/json" || kind.ends_with("+json") {
            Self::Json
        } else if kind == "application/x-www-form-urlencoded" {
            Self::Form
        } else {
            Self::Plain
        }
    }

    fn write(self, value: &str) -> String {
        match self {
            Self::Plain => value.to_owned(),
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
            Self::Form => form_encoded(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, encoding: Encoding) -> Result<String, String> {
        let name = |text: &str| Name::new(text).expect("a name");
        let secret = |text: &str| Secret::new(text.to_owned()).expect("long enough");
        let secrets = [(name("token"), secret("s3cr3t")), (name("odd"), secret("a b&\"c\\é\n{x}"))].into();
        Template::parse(text).map(|template| template.fill(&secrets, encoding))
    }

    #[test]
    fn names_in_braces_are_filled_in() {
        let alone = "a brace in a template stands alone: write it twice";
        let nameless = "braces in a template enclose no name of a secret: one that is meant is written twice";
        for (template, expected) in [
            ("", Ok("")),
            ("plain", Ok("plain")),
            ("Bearer {token}", Ok("Bearer s3cr3t")),
            ("{token}{token}", Ok("s3cr3ts3cr3t")),
            ("{{token}}", Ok("{token}")),
            ("{{{token}}}", Ok("{s3cr3t}")),
            ("ü{{{{ü}}}}", Ok("ü{{ü}}")),
            // What comes out of a secret is no template.
            ("<{odd}>", Ok("<a b&\"c\\é\n{x}>")),
            ("{token", Err(alone)),
            ("token}", Err(alone)),
            ("}{", Err(alone)),
            ("{}", Err(nameless)),
            ("{To Ken}", Err(nameless)),
            ("{a{token}", Err(nameless)),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(filled(template, Encoding::Plain), expected, "{template}");
        }
        let names = |text| Template::parse(text).expect("a template").names().map(Name::to_string).collect();
        let names: Vec<String> = names("{a}{{b}}{c}{a}");
        assert_eq!(names, ["a", "c", "a"]);
    }

    #[test]
    fn bodies_are_encoded_as_their_content_type_asks() {
        for (content_type, template, expected) in [
            (None, "x={odd}", "x=a b&\"c\\é\n{x}"),
            (Some("text/plain"), "{odd}", "a b&\"c\\é\n{x}"),
            (Some("application/json"), r#"{{"x":"{odd}"}}"#, r#"{"x":"a b&\"c\\é\n{x}"}"#),
            (Some("Application/Problem+JSON; charset=utf-8"), "{odd}", r#"a b&\"c\\é\n{x}"#),
            (
                Some("application/x-www-form-urlencoded;charset=utf-8"),
                "x={odd}&y",
                "x=a+b%26%22c%5C%C3%A9%0A%7Bx%7D&y",
            ),
        ] {
            assert_eq!(filled(template, Encoding::of(content_type)).as_deref(), Ok(expected));
        }
    }
}
