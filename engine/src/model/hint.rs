//! Hints in the words of a failure: lines of their own that begin with `hint: ` and tell what to do about it.

const HINT: &str = "hint: ";

/// The words without their hints, and the first of these.
#[must_use]
pub fn without_hint(words: &str) -> (String, Option<&str>) {
    let (hints, said): (Vec<&str>, Vec<&str>) =
        words.lines().partition(|line| line.trim_start().starts_with(HINT));
    let hint = hints.first().and_then(|line| line.trim_start().strip_prefix(HINT));
    (said.join("\n"), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_a_line_of_its_own() {
        assert_eq!(without_hint("no answer"), ("no answer".to_owned(), None));
        assert_eq!(without_hint("the hint: is none"), ("the hint: is none".to_owned(), None));
        assert_eq!(
            without_hint("no key\n  hint: ask\nelse\nhint: more"),
            ("no key\nelse".to_owned(), Some("ask"))
        );
    }
}
