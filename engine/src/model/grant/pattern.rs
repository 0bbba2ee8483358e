//! Matching what a hook asks for against what was written in `grants`.

/// Whether `path` is absolute and in the one form that means what it says: no empty, `.` or `..` part, no control character.
pub(super) fn is_plain_path(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|rest| {
        rest.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
            && !rest.chars().any(char::is_control)
    })
}

/// Whether a path matches a pattern: `*` takes any run of characters inside one part, and no leading dot.
pub(super) fn path_matches(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    let all = pattern.split('/').all(|pattern| {
        parts.next().is_some_and(|part| {
            (!pattern.starts_with('*') || !part.starts_with('.')) && run_matches(pattern, part)
        })
    });
    all && parts.next().is_none()
}

/// The directory that everything a pattern matches lies in: what comes before its first part with a wildcard, or its parent.
pub(super) fn granted_root(pattern: &str) -> String {
    let parts: Vec<&str> = pattern.split('/').collect();
    let wild = parts.iter().position(|part| part.contains('*')).unwrap_or(parts.len());
    let root = parts[..wild.min(parts.len() - 1)].join("/");
    if root.is_empty() { "/".to_owned() } else { root }
}

/// Whether arguments match: each pattern one argument, `**` all that are left. No wildcard takes a value that begins with `-`.
pub(super) fn args_match(patterns: &[String], args: &[String]) -> bool {
    match (patterns.split_first(), args.split_first()) {
        (None, None) => true,
        (Some((pattern, rest)), _) if pattern == "**" && rest.is_empty() => {
            args.iter().all(|arg| !arg.starts_with('-'))
        }
        (Some((pattern, patterns)), Some((arg, args))) => {
            let one = if pattern == "*" { !arg.starts_with('-') } else { pattern == arg };
            one && args_match(patterns, args)
        }
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// Whether every line of `content`, also split at `;`, matches one of `patterns`; blank ones are none.
pub(super) fn lines_match(patterns: &[String], content: &str) -> bool {
    content.split(['\n', ';']).map(str::trim).filter(|line| !line.is_empty()).all(|line| {
        !line.chars().any(char::is_control) && patterns.iter().any(|pattern| run_matches(pattern, line))
    })
}

/// Whether a text matches a pattern in which `*` takes any run of characters.
#[must_use]
pub fn run_matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    let Some(mut rest) = rest.strip_suffix(last) else { return false };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stay_inside_one_part_and_off_dot_files() {
        for (pattern, path, matches) in [
            ("/etc/haproxy/*.map", "/etc/haproxy/a.map", true),
            ("/etc/haproxy/*.map", "/etc/haproxy/.map", false),
            ("/etc/haproxy/*.map", "/etc/haproxy/.a.map", false),
            ("/etc/haproxy/*.map", "/etc/haproxy/x/a.map", false),
            ("/etc/haproxy/*", "/etc/haproxy/a", true),
            ("/etc/haproxy/*", "/etc/haproxy/", false),
            ("/etc/haproxy/*", "/etc/haproxy", false),
            ("/etc/*/live", "/etc/a/live", true),
            ("/etc/*/live", "/etc/a/b/live", false),
            ("/etc/.x*", "/etc/.xy", true),
            ("/a/b*c*d", "/a/b1c2d", true),
            ("/a/b*c*d", "/a/bcd", true),
            ("/a/b*c*d", "/a/bd", false),
            ("/a/b*b", "/a/b", false),
            ("/a", "/a", true),
            ("/a", "/a/b", false),
        ] {
            assert_eq!(is_plain_path(path) && path_matches(pattern, path), matches, "{pattern} {path}");
        }
    }

    #[test]
    fn paths_that_mean_something_else_are_not_plain() {
        for path in
            ["", "a", "a/b", "/", "//", "/a/", "/a//b", "/a/./b", "/a/../b", "/..", "/a\nb", "/a\0b", "~/a"]
        {
            assert!(!is_plain_path(path), "{path:?}");
        }
        assert!(is_plain_path("/a b/c;d/…"));
    }

    #[test]
    fn the_root_is_what_stands_before_the_first_wildcard() {
        for (pattern, root) in [
            ("/etc/haproxy/*.map", "/etc/haproxy"),
            ("/etc/haproxy/haproxy.cfg", "/etc/haproxy"),
            ("/etc/*/live", "/etc"),
            ("/*", "/"),
            ("/a", "/"),
        ] {
            assert_eq!(granted_root(pattern), root, "{pattern}");
        }
    }

    #[test]
    fn wildcards_never_take_options() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        for (patterns, args, matches) in [
            (&[][..], &[][..], true),
            (&[], &["a"], false),
            (&["-c", "-f", "x"], &["-c", "-f", "x"], true),
            (&["-c", "x"], &["-c"], false),
            (&["-c"], &["-c", "x"], false),
            (&["a", "*"], &["a", "b"], true),
            (&["a", "*"], &["a", "-b"], false),
            (&["a", "*"], &["a", ""], true),
            (&["a", "*"], &["a"], false),
            (&["a", "**"], &["a"], true),
            (&["a", "**"], &["a", "b", "c"], true),
            (&["a", "**"], &["a", "b", "--c"], false),
            (&["**", "a"], &["b", "a"], false),
            (&["a*"], &["ab"], false),
            (&["a*"], &["a*"], true),
        ] {
            assert_eq!(args_match(&texts(patterns), &texts(args)), matches, "{patterns:?} {args:?}");
        }
    }

    #[test]
    fn each_line_that_is_sent_is_matched() {
        let patterns = ["show *".to_owned(), "quit".to_owned()];
        for (content, matches) in [
            ("", true),
            ("show map", true),
            ("show map\n", true),
            ("show a; quit\nshow b\n", true),
            ("show a; shutdown", false),
            ("show a\nshutdown\n", false),
            ("quit now", false),
            ("show a\rshutdown", false),
            ("show a\0b", false),
            ("show", false),
        ] {
            assert_eq!(lines_match(&patterns, content), matches, "{content:?}");
        }
    }
}
