//! One line of output: spans of text, each with a tone, measured in columns of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::escape::{break_commands, visible};

/// What a span of text says beside its words; never the only way to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary.
    Plain,
    /// Less important.
    Dim,
    /// Names of what the line is about.
    Strong,
    /// As it should be.
    Good,
    /// Went wrong.
    Bad,
    /// Worth a look.
    Warn,
    /// In motion.
    Accent,
    /// The blue colour of a deployment.
    Blue,
    /// The green one.
    Green,
}

impl Tone {
    /// Parameters of the escape sequence that begins it; none for no sequence. Only the sixteen colors that each terminal theme
    /// makes readable.
    const fn sequence(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Dim => Some("2"),
            Self::Strong => Some("1"),
            Self::Good => Some("32"),
            Self::Bad => Some("1;31"),
            Self::Warn => Some("33"),
            Self::Accent => Some("36"),
            Self::Blue => Some("94"),
            Self::Green => Some("92"),
        }
    }
}

/// A line, without its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    spans: Vec<(Tone, String)>,
}

impl Line {
    /// An empty line.
    #[must_use]
    pub const fn new() -> Self {
        Self { spans: Vec::new() }
    }

    /// A line of one tone.
    #[must_use]
    pub fn of(tone: Tone, text: &str) -> Self {
        Self::new().with(tone, text)
    }

    /// A line of ordinary text.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Self::of(Tone::Plain, text)
    }

    /// Adds text. What is not visible in it is spelled out, line ends too.
    #[must_use]
    pub fn with(mut self, tone: Tone, text: &str) -> Self {
        let text = visible(text);
        match self.spans.last_mut() {
            Some((last, before)) if *last == tone => before.push_str(&text),
            Some(_) | None if text.is_empty() => {}
            Some(_) | None => self.spans.push((tone, text)),
        }
        self
    }

    /// Adds ordinary text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.with(Tone::Plain, text)
    }

    /// Adds another line's spans.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.spans.extend(other.spans);
        self
    }

    /// Columns that it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.spans.iter().map(|(_, text)| text.width()).sum()
    }

    /// Adds blanks up to a column; nothing when it is there or beyond.
    #[must_use]
    pub fn pad(self, column: usize) -> Self {
        let missing = column.saturating_sub(self.width());
        self.text(&" ".repeat(missing))
    }

    /// Cut to `width` columns, the last of them `…` when something was cut.
    #[must_use]
    pub fn shorten(self, width: usize) -> Self {
        if self.width() <= width {
            return self;
        }
        let mut short = Self::new();
        let mut room = width.saturating_sub(1);
        for (tone, text) in self.spans {
            let mut kept = String::new();
            for c in text.chars() {
                let columns = c.width().unwrap_or(0);
                if columns > room {
                    room = 0;
                    break;
                }
                room -= columns;
                kept.push(c);
            }
            short.spans.push((tone, kept));
            if room == 0 {
                break;
            }
        }
        if width > 0 { short.with(Tone::Plain, "…") } else { Self::new() }
    }

    /// Broken at blanks into lines of at most `width` columns, all but the first indented by `indent` blanks. A word that is
    /// longer than a line is broken where the line ends.
    #[must_use]
    pub fn wrap(self, width: usize, indent: usize) -> Vec<Self> {
        if self.width() <= width {
            return vec![self];
        }
        let cells: Vec<(Tone, char)> =
            self.spans.iter().flat_map(|(tone, text)| text.chars().map(move |c| (*tone, c))).collect();
        let room = |first: bool| if first { width } else { width.saturating_sub(indent) }.max(1);
        let mut lines = Vec::new();
        let mut rest = cells.as_slice();
        while !rest.is_empty() {
            let (end, next) = break_point(rest, room(lines.is_empty()));
            let start = if lines.is_empty() { Self::new() } else { Self::plain(&" ".repeat(indent)) };
            lines.push(start.cells(&rest[..end]));
            rest = &rest[next..];
        }
        lines
    }

    /// The line as it is written, with escape sequences when `color`.
    #[must_use]
    pub fn to_text(&self, color: bool) -> String {
        let whole: String = self.spans.iter().map(|(_, text)| text.as_str()).collect();
        let whole = whole.trim_end();
        let harmless = break_commands(whole);
        // Tones of a line that had to be changed would no longer fit its text.
        if !color || harmless != whole {
            return harmless;
        }
        let mut out = String::new();
        let mut left = whole.len();
        for (tone, text) in &self.spans {
            let text = &text[..text.len().min(left)];
            left -= text.len();
            match tone.sequence() {
                Some(sequence) if !text.trim().is_empty() => {
                    out.push_str(&format!("\x1b[{sequence}m{text}\x1b[0m"));
                }
                Some(_) | None => out.push_str(text),
            }
        }
        out
    }

    /// Adds characters that are harmless already.
    fn cells(mut self, cells: &[(Tone, char)]) -> Self {
        for (tone, c) in cells {
            match self.spans.last_mut() {
                Some((last, text)) if last == tone => text.push(*c),
                Some(_) | None => self.spans.push((*tone, c.to_string())),
            }
        }
        self
    }
}

/// Where a line of at most `room` columns ends, and where the next one begins.
fn break_point(cells: &[(Tone, char)], room: usize) -> (usize, usize) {
    let mut columns = 0;
    let mut blank = None;
    for (at, (_, c)) in cells.iter().enumerate() {
        if *c == ' ' && at > 0 {
            blank = Some(at);
        }
        columns += c.width().unwrap_or(0);
        if columns > room && *c != ' ' {
            let lead = cells[..at].iter().take_while(|(_, c)| *c == ' ').count();
            return match blank.filter(|blank| *blank > lead) {
                Some(blank) => (blank, blank + 1),
                None => (at.max(1), at.max(1)),
            };
        }
    }
    (cells.len(), cells.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: usize, indent: usize) -> Vec<String> {
        Line::plain(text).wrap(width, indent).iter().map(|line| line.to_text(false)).collect()
    }

    #[test]
    fn lines_break_at_blanks_and_long_words_where_they_must() {
        assert_eq!(wrapped("one two three", 20, 2), ["one two three"]);
        assert_eq!(wrapped("one two three", 8, 2), ["one two", "  three"]);
        assert_eq!(wrapped("one two", 7, 0), ["one two"]);
        assert_eq!(wrapped("abcdefghij", 4, 1), ["abcd", " efg", " hij"]);
        assert_eq!(wrapped("  ab cd", 4, 2), ["  ab", "  cd"]);
        assert_eq!(wrapped("漢字漢字", 4, 0), ["漢字", "漢字"]);
    }

    #[test]
    fn shortened_lines_say_so() {
        let short = |text: &str, width| Line::plain(text).shorten(width).to_text(false);
        assert_eq!(short("abcdef", 6), "abcdef");
        assert_eq!(short("abcdef", 4), "abc…");
        assert_eq!(short("漢字漢", 4), "漢…");
        assert_eq!(short("abc", 0), "");
    }

    #[test]
    fn tones_are_for_those_who_want_them() {
        let line = Line::of(Tone::Bad, "FAILED").text("  why   ");
        assert_eq!(line.to_text(false), "FAILED  why");
        assert_eq!(line.to_text(true), "\x1b[1;31mFAILED\x1b[0m  why");
    }

    #[test]
    fn a_stranger_cannot_color_or_command() {
        let line = Line::of(Tone::Dim, "  ").text("::error::\x1b[31m");
        assert_eq!(line.to_text(true), "  : :error::\\u{1b}[31m");
    }
}
