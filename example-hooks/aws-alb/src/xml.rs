//! As much XML as the API answers with: elements and text. Attributes are passed over.

/// An element. One that holds elements has no text of interest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

/// Elements within elements: far more than any answer has.
const DEPTH: usize = 32;

impl Element {
    /// One that holds text.
    pub(crate) fn leaf(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.to_owned(), text: text.into(), children: Vec::new() }
    }

    /// The first element of that name in it.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// What the first element of that name says; nothing where there is none.
    pub(crate) fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| &child.text)
    }

    /// The elements of a list in it.
    pub(crate) fn list(&self, name: &str) -> &[Self] {
        self.child(name).map_or(&[], |child| &child.children)
    }
}

/// The outermost element; none where the text is no whole XML, or has what no answer of the API has.
pub(crate) fn read(text: &str) -> Option<Element> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let text = match text.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>")?.1.trim_start(),
        None => text,
    };
    let (element, rest) = element(text, 0)?;
    rest.is_empty().then_some(element)
}

/// The element that `text` begins with, and what comes after it.
fn element(text: &str, depth: usize) -> Option<(Element, &str)> {
    let (tag, mut rest) = text.strip_prefix('<')?.split_once('>')?;
    let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
    let name = tag.split_ascii_whitespace().next()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
    if depth == DEPTH || tag.starts_with(char::is_whitespace) || !name.chars().all(plain) {
        return None;
    }
    let mut element = Element { name: name.to_owned(), ..Element::default() };
    if is_empty {
        return Some((element, rest));
    }
    loop {
        let (said, markup) = rest.split_at(rest.find('<')?);
        element.text.push_str(&unescaped(said)?);
        if let Some(end) = markup.strip_prefix("</") {
            let (end, after) = end.split_once('>')?;
            if end.trim_end() != name {
                return None;
            }
            if !element.children.is_empty() {
                element.text.clear();
            }
            return Some((element, after));
        }
        let (child, after) = self::element(markup, depth + 1)?;
        element.children.push(child);
        rest = after;
    }
}

/// A text with the characters that its references stand for.
fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (name, after) = after.split_once(';')?;
        let number = name.strip_prefix('#');
        plain.push(match (name, number) {
            ("amp", _) => '&',
            ("lt", _) => '<',
            ("gt", _) => '>',
            ("quot", _) => '"',
            ("apos", _) => '\'',
            (_, Some(number)) => char::from_u32(match number.strip_prefix('x') {
                Some(number) => u32::from_str_radix(number, 16).ok()?,
                None => number.parse().ok()?,
            })?,
            _ => return None,
        });
        rest = after;
    }
    plain.push_str(rest);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_is_nested() {
        let text = "\u{feff}<?xml version='1.0'?>\n<A xmlns=\"http://x/\">\n  <B>\n <member> <C>1 &lt; 2 &amp;&#32;&#x41;</C><D/></member></B>\n<E></E></A>\n";
        let member = Element {
            name: "member".to_owned(),
            children: vec![Element::leaf("C", "1 < 2 & A"), Element::leaf("D", "")],
            ..Element::default()
        };
        let read = read(text).expect("it is whole");
        assert_eq!((read.name.as_str(), read.list("B")), ("A", &[member][..]));
        assert_eq!((read.text_of("E"), read.text_of("F"), read.list("F")), ("", "", &[][..]));
    }

    #[test]
    fn what_is_something_else_or_not_whole_is_nothing() {
        for text in [
            "",
            "log in",
            "{}",
            "<A>",
            "<A></B>",
            "<A></A><B></B>",
            "<A></A>x",
            "<A>&nbsp;</A>",
            "<A>&#xD800;</A>",
            "<A>& </A>",
            "<!DOCTYPE html><html></html>",
            "<html><br></html>",
            "<A><!-- x --></A>",
            "< A></ A>",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        let nested = |depth: usize| "<A>".repeat(depth) + &"</A>".repeat(depth);
        assert!(read(&nested(DEPTH)).is_some() && read(&nested(DEPTH + 1)).is_none());
    }
}
