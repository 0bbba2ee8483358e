//! `cutover hook test` for people.

use std::time::Duration;

use super::line::{Line, Tone};
use super::quantity::Quantity;
use crate::model::case::{Difference, Instead, Mismatch};
use crate::model::view::{HookTestView, TestedCase};

/// Lines of a text that differs which are shown of each side.
const MOST: usize = 40;

/// A line for each case, what went otherwise beneath it, and how many passed.
#[must_use]
pub fn hook_test(view: &HookTestView) -> Vec<Line> {
    let mut lines: Vec<Line> = view.cases.iter().flat_map(tested).collect();
    let (all, failed) = (view.cases.len(), view.failed());
    let count = format!("{all} {}", if all == 1 { "case" } else { "cases" });
    lines.push(match failed {
        0 => Line::of(Tone::Good, &format!("{count}: all passed")).text("  ").with(Tone::Dim, &view.hook),
        failed => Line::of(Tone::Bad, &format!("{count}: {failed} failed"))
            .text(&format!(", {} passed  ", all - failed))
            .with(Tone::Dim, &view.hook),
    });
    lines
}

fn tested(case: &TestedCase) -> Vec<Line> {
    let (tone, word) = if case.mismatches.is_empty() { (Tone::Good, "pass") } else { (Tone::Bad, "FAIL") };
    let calls = match case.calls {
        1 => "1 call".to_owned(),
        many => format!("{many} calls"),
    };
    let took = Quantity::took(Duration::from_millis(case.took_ms));
    let about = format!("  {} of a {} hook, {calls}, {took}", case.question, case.kind);
    let mut lines =
        vec![Line::of(tone, word).text("  ").with(Tone::Strong, &case.file).with(Tone::Dim, &about)];
    for mismatch in &case.mismatches {
        lines.extend(mismatched(case, mismatch));
    }
    lines
}

fn mismatched(case: &TestedCase, mismatch: &Mismatch) -> Vec<Line> {
    let place = |entry: usize| match case.lines.get(entry) {
        Some(line) => format!("{}:{line}", case.file),
        None => case.file.clone(),
    };
    match mismatch {
        Mismatch::UnexpectedCall { nth, call, instead: None } => {
            vec![head(&format!("call {nth} is one more than the case has")), side("+", Tone::Good, call)]
        }
        Mismatch::UnexpectedCall {
            nth,
            call,
            instead: Some(Instead { entry, call: written, differences }),
        } => {
            let mut lines = vec![
                head(&format!("call {nth} is another than at {}", place(*entry))),
                side("-", Tone::Bad, written),
                side("+", Tone::Good, call),
            ];
            lines.extend(differences.iter().flat_map(difference));
            lines
        }
        Mismatch::MissingCall { entry, call } => {
            vec![head(&format!("the call at {} never came", place(*entry))), side("-", Tone::Bad, call)]
        }
        Mismatch::Answer { differences, said } => {
            let mut lines = vec![head("it answered something else")];
            lines.extend(differences.iter().flat_map(difference));
            for (key, value) in said {
                lines.push(Line::plain("      ").with(Tone::Dim, key).text(" came beside"));
                lines.extend(value.lines().take(MOST).map(|line| below("+", Tone::Good, line)));
            }
            lines
        }
    }
}

fn head(text: &str) -> Line {
    Line::plain("    ").with(Tone::Strong, text)
}

fn side(sign: &str, tone: Tone, text: &str) -> Line {
    Line::plain("      ").with(tone, sign).text(" ").text(text)
}

fn below(sign: &str, tone: Tone, text: &str) -> Line {
    Line::plain("        ").with(tone, sign).text(" ").text(text)
}

/// The key, and beneath it what is written and what came: of longer texts the lines between those that both begin and end with.
fn difference(one: &Difference) -> Vec<Line> {
    let mut lines = vec![Line::plain("      ").with(Tone::Dim, &one.key)];
    let expected: Vec<&str> = one.expected.split('\n').collect();
    let Some(got) = &one.got else {
        lines.extend(expected.iter().take(MOST).map(|line| below("-", Tone::Bad, line)));
        lines.push(Line::plain("        nothing came"));
        return lines;
    };
    let got: Vec<&str> = got.split('\n').collect();
    let same = expected.iter().zip(&got).take_while(|(a, b)| a == b).count();
    let shorter = expected.len().min(got.len()) - same;
    let alike = expected.iter().rev().zip(got.iter().rev()).take(shorter).take_while(|(a, b)| a == b).count();
    if same > 0 {
        lines.push(Line::plain("        ").with(Tone::Dim, "… what comes before is the same"));
    }
    for (sign, tone, side) in [("-", Tone::Bad, &expected), ("+", Tone::Good, &got)] {
        let own = &side[same..side.len() - alike];
        lines.extend(own.iter().take(MOST).map(|line| below(sign, tone, line)));
        if own.len() > MOST {
            lines.push(below(sign, tone, &format!("… {} more", own.len() - MOST)));
        }
    }
    if alike > 0 {
        lines.push(Line::plain("        ").with(Tone::Dim, "… what follows is the same"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HookKind;
    use crate::model::case::HookQuestion;
    use crate::report::golden::{assert_golden, page};

    fn case(file: &str, mismatches: Vec<Mismatch>) -> TestedCase {
        TestedCase {
            file: file.to_owned(),
            kind: HookKind::Router,
            question: HookQuestion::Prepare,
            calls: 2,
            took_ms: 40,
            mismatches,
            lines: vec![7, 19],
        }
    }

    #[test]
    fn cases_are_told_with_what_differs() {
        let difference = |key: &str, expected: &str, got: Option<&str>| Difference {
            key: key.to_owned(),
            expected: expected.to_owned(),
            got: got.map(str::to_owned),
        };
        let read = "read `/etc/x` on lb1".to_owned();
        let other = |differences| Instead { entry: 1, call: read.clone(), differences };
        let view = HookTestView {
            hook: "lb.wasm".to_owned(),
            cases: vec![
                case("cases/fine.toml", Vec::new()),
                case(
                    "cases/another.toml",
                    vec![Mismatch::UnexpectedCall {
                        nth: 2,
                        call: "read `/etc/y` on lb1".to_owned(),
                        instead: Some(other(vec![difference("path", "/etc/x", Some("/etc/y"))])),
                    }],
                ),
                case(
                    "cases/one-more.toml",
                    vec![Mismatch::UnexpectedCall { nth: 3, call: read.clone(), instead: None }],
                ),
                case(
                    "cases/answer.toml",
                    vec![
                        Mismatch::MissingCall { entry: 1, call: read.clone() },
                        Mismatch::Answer {
                            differences: vec![
                                difference("text", "a\nb\nc\nd", Some("a\nx\ny\nd")),
                                difference("version", "1", None),
                            ],
                            said: vec![("error.kind".to_owned(), "failed".to_owned())],
                        },
                    ],
                ),
            ],
        };
        let mut text = page(&hook_test(&view));
        let one = HookTestView { cases: vec![case("a.toml", Vec::new())], ..view };
        text.push_str(&page(&hook_test(&one)));
        assert_golden("hook-test.txt", &text);
    }
}
