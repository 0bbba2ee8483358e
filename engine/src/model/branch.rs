//! Names of branches and tags.

/// Bytes of a name.
const LONGEST: usize = 200;

/// Whether git takes a text as the name of a branch or a tag (`git-check-ref-format(1)`), and could not take it for an option.
#[must_use]
pub fn is_branch_name(text: &str) -> bool {
    let odd = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    text.len() <= LONGEST
        && text != "@"
        && !text.starts_with('-')
        && !text.ends_with('.')
        && text.split('/').all(part)
        && !text.contains("..")
        && !text.contains("@{")
        && !text.contains(odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_git_takes() {
        for good in
            ["main", "feature/login", "v1.2.3", "fix(x)", "a,b", "it's", "a@b", "größe", "100%", "#12"]
        {
            assert!(is_branch_name(good), "{good}");
        }
        for bad in [
            "", "@", "-x", "/a", "a/", "a//b", "a/.b", ".a", "a.", "a..b", "a.lock", "a.lock/b", "a@{1}",
            "a b", "a\tb", "a~1", "a^", "a:b", "a?", "*", "a[b", "a\\b", "a\u{7f}b",
        ] {
            assert!(!is_branch_name(bad), "{bad}");
        }
        assert!(is_branch_name(&"x".repeat(LONGEST)) && !is_branch_name(&"x".repeat(LONGEST + 1)));
    }
}
