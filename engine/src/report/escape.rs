//! Makes texts of strangers harmless: for terminals, for readers, and for the runners of continuous integration.

use std::fmt::Write as _;

/// Whether a character can do something else than be seen: controls, bidirectional overrides, separators of lines, tags.
pub(super) fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with such characters spelled out: `\u{1b}`. A tab becomes four spaces.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push_str("    "),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if is_hostile(c) => {
                // Writing to a String does not fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// The text with tokens broken that CI runners take for commands wherever they stand (`##vso[`, `##[`, `##teamcity[`) or at
/// the start of a line, blanks ignored (`::`). Meant for whole lines.
pub(super) fn break_commands(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("##") {
        let after = rest[at + 2..].trim_start_matches(|c: char| c.is_ascii_alphabetic());
        out.push_str(&rest[..=at]);
        if after.starts_with('[') {
            out.push(' ');
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    if out.trim_start().starts_with("::") {
        let at = out.len() - out.trim_start().len();
        out.insert(at + 1, ' ');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_what_can_be_seen_is_left() {
        let table = [
            ("plain ünïcode ✓ 👩‍🚀", "plain ünïcode ✓ 👩‍🚀"),
            ("\x1b[2Jgone", "\\u{1b}[2Jgone"),
            ("a\u{9b}31mb", "a\\u{9b}31mb"),
            ("a\tb\r\n", "a    b\\r\\n"),
            ("user\u{202e}gpj.exe", "user\\u{202e}gpj.exe"),
            ("a\u{2066}b\u{2069}", "a\\u{2066}b\\u{2069}"),
            ("a\u{e0041}", "a\\u{e0041}"),
        ];
        for (text, seen) in table {
            assert_eq!(visible(text), seen);
        }
    }

    #[test]
    fn no_line_is_a_command_of_a_ci_runner() {
        let table = [
            ("::set-env name=X::y", ": :set-env name=X::y"),
            ("   ::error::x", "   : :error::x"),
            ("a ::b", "a ::b"),
            ("x ##vso[task.setvariable]y", "x # #vso[task.setvariable]y"),
            ("##[group]a ##[b]", "# #[group]a # #[b]"),
            ("###[x]", "## #[x]"),
            ("## heading", "## heading"),
            ("##teamcity[x]", "# #teamcity[x]"),
            ("", ""),
        ];
        for (text, broken) in table {
            assert_eq!(break_commands(text), broken);
        }
    }
}
