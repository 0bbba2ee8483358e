//! Programs that run code out of their arguments or input.

/// Names, without version numbers. Not a wall (any program may hide an interpreter), but what people reach for first.
const INTERPRETERS: [&str; 33] = [
    "sh", "ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "mksh", "tcsh", "zsh", "awk", "gawk",
    "mawk", "nawk", "env", "find", "nohup", "nsenter", "parallel", "setsid", "ssh", "tclsh", "timeout",
    "unshare", "watch", "xargs", "lua", "node", "perl", "php", "python", "ruby",
];

/// Whether a program is one of them; `python3.11` is `python`.
pub(in crate::config) fn is_interpreter(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    INTERPRETERS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_directories_do_not_hide_an_interpreter() {
        for program in ["sh", "/bin/sh", "/usr/bin/python3.11", "/usr/bin/perl5", "env", "/usr/bin/lua5.4"] {
            assert!(is_interpreter(program), "{program}");
        }
        for program in ["cargo", "/usr/sbin/nginx", "/usr/bin/shasum", "mix", ""] {
            assert!(!is_interpreter(program), "{program}");
        }
    }
}
