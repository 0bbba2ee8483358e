//! What each call of a hook is answered in a case.

use serde::Serialize;

use super::compare::{Difference, differences};
use super::{HookCase, Outside};

/// The calls that a case has, and which of them have come.
#[derive(Debug, Clone)]
pub struct Script {
    any_order: bool,
    entries: Vec<Outside>,
    came: Vec<bool>,
    calls: usize,
    unexpected: Option<Unexpected>,
}

/// A call that a case does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unexpected {
    /// Which of all calls, from 1.
    pub nth: usize,
    /// What was asked.
    pub call: String,
    /// Position of what the case has instead, and what differs; none where nothing is left in it. Without differences, it is another
    /// function that is called.
    pub instead: Option<(usize, Vec<Difference>)>,
}

impl Script {
    /// Of a case, from its beginning.
    #[must_use]
    pub fn new(case: &HookCase) -> Self {
        Self {
            any_order: case.any_order,
            entries: case.outside.clone(),
            came: vec![false; case.outside.len()],
            calls: 0,
            unexpected: None,
        }
    }

    /// What the case has for a call; none where it has no such call, or had none before: then the hook is not to go on.
    pub fn answer(&mut self, call: &Outside) -> Option<&Outside> {
        if self.unexpected.is_some() {
            return None;
        }
        self.calls += 1;
        let open = (0..self.entries.len()).filter(|index| !self.came[*index]);
        let open: Vec<usize> = open.take(if self.any_order { usize::MAX } else { 1 }).collect();
        let apart: Vec<(usize, Option<Vec<Difference>>)> =
            open.iter().map(|index| (*index, apart(&self.entries[*index], call))).collect();
        if let Some((index, _)) = apart.iter().find(|(_, apart)| apart.as_ref().is_some_and(Vec::is_empty)) {
            self.came[*index] = true;
            return self.entries.get(*index);
        }
        let alike = apart.iter().filter_map(|(index, apart)| Some((*index, apart.as_ref()?)));
        let nearest = alike.min_by_key(|(_, apart)| apart.len()).map(|(index, apart)| (index, apart.clone()));
        let instead = nearest.or_else(|| open.first().map(|index| (*index, Vec::new())));
        self.unexpected = Some(Unexpected { nth: self.calls, call: call.words(), instead });
        None
    }

    /// How many calls came.
    #[must_use]
    pub const fn calls(&self) -> usize {
        self.calls
    }

    /// The first call that the case does not have.
    #[must_use]
    pub const fn unexpected(&self) -> Option<&Unexpected> {
        self.unexpected.as_ref()
    }

    /// The calls that did not come, with their positions.
    pub fn left(&self) -> impl Iterator<Item = (usize, &Outside)> {
        self.entries.iter().enumerate().filter(|(index, _)| !self.came[*index])
    }

    /// What the case has at a position.
    #[must_use]
    pub fn entry(&self, index: usize) -> Option<&Outside> {
        self.entries.get(index)
    }
}

/// How a call differs from what is written; none where it is another function.
fn apart(written: &Outside, call: &Outside) -> Option<Vec<Difference>> {
    let ((name, written), (called, got)) = (written.asked(), call.asked());
    (name == called).then(|| differences(&written, &got))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::case::{AtPath, Content, Done};

    fn read(path: Option<&str>, text: &str) -> Outside {
        let answer = Content { text: Some(text.to_owned()), ..Content::default() };
        Outside::Read(AtPath { host: None, path: path.map(str::to_owned), answer })
    }

    fn removal(path: &str) -> Outside {
        Outside::Remove(AtPath { host: None, path: Some(path.to_owned()), answer: Done::default() })
    }

    fn script(any_order: bool, entries: &[Outside]) -> Script {
        let text = "kind = \"health-check\"\nexpect.health = \"healthy\"";
        let case: HookCase = toml::from_str(text).expect("a case");
        Script::new(&HookCase { any_order, outside: entries.to_vec(), ..case })
    }

    /// Every sequence of up to three calls of `a`, `b`, `c` against every script of up to three: in order, each is answered by the entry
    /// at its place; in any order, by the first that is left of its path.
    #[test]
    fn a_call_is_answered_by_the_first_that_is_left() {
        let paths = ["a", "b", "c"];
        let sequences: Vec<Vec<&str>> = (0..=3_u32)
            .flat_map(|length| {
                (0..3_usize.pow(length)).map(move |number| {
                    (0..length).map(|place| paths[number / 3_usize.pow(place) % 3]).collect()
                })
            })
            .collect();
        for any_order in [false, true] {
            for written in &sequences {
                let entries: Vec<Outside> = written
                    .iter()
                    .enumerate()
                    .map(|(index, path)| read(Some(path), &index.to_string()))
                    .collect();
                for asked in &sequences {
                    let mut script = script(any_order, &entries);
                    let mut left: Vec<usize> = (0..written.len()).collect();
                    for path in asked {
                        let expected = left
                            .iter()
                            .copied()
                            .take(if any_order { usize::MAX } else { 1 })
                            .find(|index| written[*index] == *path);
                        let got = script.answer(&read(Some(path), "")).cloned();
                        assert_eq!(
                            got.as_ref(),
                            expected.map(|index| &entries[index]),
                            "{written:?} {asked:?}"
                        );
                        let Some(index) = expected else { break };
                        left.retain(|other| *other != index);
                    }
                    let over = script.left().map(|(index, _)| index).collect::<Vec<_>>();
                    assert_eq!(over, left, "{written:?} {asked:?}");
                }
            }
        }
    }

    #[test]
    fn a_call_that_the_case_does_not_have_ends_it() {
        let mut script = script(false, &[read(Some("/a"), "1"), removal("/b")]);
        assert!(script.answer(&read(Some("/a"), "")).is_some());
        assert!(script.answer(&read(Some("/b"), "")).is_none());
        assert!(script.answer(&removal("/b")).is_none(), "it went on");
        let unexpected = script.unexpected().expect("one");
        assert_eq!((unexpected.nth, unexpected.call.as_str()), (2, "read `/b` on any host"));
        assert_eq!(unexpected.instead, Some((1, Vec::new())));
        assert_eq!(script.calls(), 2);
    }

    #[test]
    fn in_any_order_the_most_alike_is_shown() {
        let mut script = script(true, &[removal("/a"), read(Some("/a"), "1"), read(None, "2")]);
        assert!(script.answer(&read(Some("/x"), "")).is_some(), "any path will do");
        assert!(script.answer(&read(Some("/x"), "")).is_none());
        let unexpected = script.unexpected().expect("one");
        let difference =
            Difference { key: "path".to_owned(), expected: "/a".to_owned(), got: Some("/x".to_owned()) };
        assert_eq!(unexpected.instead, Some((1, vec![difference])));
    }
}
