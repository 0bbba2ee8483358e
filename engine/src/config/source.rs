//! The text of the file, and places in it.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use super::fault::{Excerpt, Fault, Severity};
use crate::model::Location;

/// Bytes of the text, from its beginning. The empty range at 0 means the file as a whole.
pub(super) type Span = Range<usize>;

/// Columns of a line that are shown around a fault; the rest of a longer line is left out.
const SHOWN: usize = 120;

/// Name and text of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) text: String,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl Source {
    /// A file of that name and text.
    pub(super) fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name: name.into(), text, lines }
    }

    /// Line and column, both from 1, the column in characters.
    pub(super) fn location(&self, offset: usize) -> Location {
        let (start, line) = self.line(offset);
        let column = self.text[start..offset.min(self.text.len())].chars().count() + 1;
        Location { file: self.name.clone(), line, column }
    }

    /// An error at a place.
    pub(super) fn fault(&self, span: &Span, code: &'static str, message: impl Into<String>) -> Fault {
        Fault {
            severity: Severity::Error,
            code,
            message: message.into(),
            location: self.location(span.start),
            excerpt: (*span != (0..0)).then(|| self.excerpt(span)),
            choices: None,
            hint: None,
        }
    }

    /// A warning at a place.
    pub(super) fn warning(&self, span: &Span, code: &'static str, message: impl Into<String>) -> Fault {
        Fault { severity: Severity::Warning, ..self.fault(span, code, message) }
    }

    /// Start of the line that an offset lies in, and its number from 1.
    fn line(&self, offset: usize) -> (usize, usize) {
        let number = self.lines.partition_point(|start| *start <= offset);
        (self.lines[number - 1], number)
    }

    fn excerpt(&self, span: &Span) -> Excerpt {
        let (start, _) = self.line(span.start);
        let end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        let line = self.text[start..end].trim_end_matches('\r');
        let from = self.text[start..span.start.min(self.text.len())].chars().count();
        let upto = self.text[start..span.end.clamp(start, start + line.len())].chars().count();
        // A long line is shown from a little before the fault.
        let skip = if line.chars().count() > SHOWN { from.saturating_sub(SHOWN / 3) } else { 0 };
        let mut excerpt = Excerpt { line: String::new(), indent: 0, width: 0 };
        if skip > 0 {
            excerpt.line.push_str("… ");
            excerpt.indent += 2;
        }
        for (at, c) in line.chars().enumerate().skip(skip) {
            if at - skip >= SHOWN {
                excerpt.line.push_str(" …");
                break;
            }
            let shown = visible(c);
            let width: usize = shown.chars().map(|c| c.width().unwrap_or(0)).sum();
            if at < from {
                excerpt.indent += width;
            } else if at < upto {
                excerpt.width += width;
            }
            excerpt.line.push_str(&shown);
        }
        excerpt.width = excerpt.width.max(1);
        excerpt
    }
}

/// A character as a terminal may show it: tabs as blanks, control and bidirectional characters by their number.
fn visible(c: char) -> String {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    match c {
        '\t' => "    ".to_owned(),
        c if c.is_control() || turns => format!("\\u{{{:x}}}", u32::from(c)),
        c => c.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_carets_count_cells() {
        let source = Source::new("f", "a = 1\n\"日本\" = \"ü\" # x\n");
        let at = source.text.find("\"ü").expect("is there");
        let fault = source.fault(&(at..at + 4), "config/test", "no");
        assert_eq!((fault.location.line, fault.location.column), (2, 8));
        let excerpt = fault.excerpt.expect("a place in a line");
        assert_eq!((excerpt.line.as_str(), excerpt.indent, excerpt.width), ("\"日本\" = \"ü\" # x", 9, 3));
    }

    #[test]
    fn long_lines_and_control_characters_are_tamed() {
        let text = format!("k = \"{}\u{1b}[31m{}\"", "x".repeat(300), "y".repeat(300));
        let source = Source::new("f", text);
        let excerpt = source.fault(&(305..306), "config/test", "no").excerpt.expect("a place in a line");
        assert!(excerpt.line.starts_with("… xxx") && excerpt.line.ends_with("yyy …"), "{}", excerpt.line);
        assert!(excerpt.line.contains("\\u{1b}[31m"), "{}", excerpt.line);
        assert_eq!((excerpt.indent, excerpt.width), (42, 6));
    }
}
