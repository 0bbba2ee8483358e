//! The helper program as the engine carries it, and the conversation with a host's `sh` that brings it there.

use cutover_host::manifest::ContentDigest;

/// The `cutover-host` program, statically linked, for each architecture that is carried; empty where one is not.
#[derive(Debug, Clone, Copy)]
pub struct HelperPrograms {
    /// For `x86_64`.
    pub x86_64: &'static [u8],
    /// For `aarch64`.
    pub aarch64: &'static [u8],
}

/// One program with its digest.
#[derive(Debug, Clone)]
pub(super) struct Helper {
    /// Names that `uname -m` may give to the machines it is for; the first is shown to people.
    machines: [&'static str; 2],
    pub(super) program: &'static [u8],
    /// SHA-256, 64 hexadecimal digits.
    pub(super) digest: String,
}

/// The programs, their digests computed once.
#[derive(Debug, Clone)]
pub(super) struct Helpers([Helper; 2]);

impl Helpers {
    pub(super) fn new(programs: &HelperPrograms) -> Self {
        let helper = |machines, program: &'static [u8]| {
            let digest = ContentDigest::of(program).to_string();
            let digest = if program.is_empty() { "none" } else { digest.trim_start_matches("sha256:") };
            Helper { machines, program, digest: digest.to_owned() }
        };
        Self([helper(["x86_64", "amd64"], programs.x86_64), helper(["aarch64", "arm64"], programs.aarch64)])
    }

    /// The one for a machine, as `uname -m` names it.
    pub(super) fn for_machine(&self, machine: &str) -> Option<&Helper> {
        self.0.iter().find(|helper| helper.machines.contains(&machine) && !helper.program.is_empty())
    }

    /// Names of the architectures that are carried.
    pub(super) fn carried(&self) -> Vec<&'static str> {
        self.0.iter().filter(|helper| !helper.program.is_empty()).map(|helper| helper.machines[0]).collect()
    }

    /// The command that finds the helper in `directory` and becomes it.
    pub(super) fn find_command(&self, directory: &str) -> String {
        let [x86_64, aarch64] = &self.0;
        format!("exec /bin/sh -c '{FIND}' cutover '{directory}' {} {}", x86_64.digest, aarch64.digest)
    }

    /// The command that has the helper in `directory`, which was found there before, become the program that `word` describes.
    pub(super) fn console_command(&self, directory: &str, word: &str) -> String {
        let [x86_64, aarch64] = &self.0;
        format!(
            "exec /bin/sh -c '{CONSOLE}' cutover '{directory}' {} {} {word}",
            x86_64.digest, aarch64.digest
        )
    }
}

impl Helper {
    /// The command that takes the program in on standard input.
    pub(super) fn upload_command(&self, directory: &str) -> String {
        format!("exec /bin/sh -c '{UPLOAD}' cutover '{directory}' {} {}", self.digest, self.program.len())
    }
}

/// Line that begins what [`FIND`] says. Login files may have printed anything before it.
pub(super) const MARKER: &str = "cutover-helper-1";

/// One line, without the characters that a login shell other than `sh` might change in single quotes. Arguments: directory,
/// digest for x86-64, digest for aarch64.
///
/// A file counts only when it is a regular file of our own, 0700, in a directory of our own, 0700, neither of them a link, and has
/// the right digest where the host has `sha256sum`: so no other user of the host can have put it there.
const FIND: &str = concat!(
    r#"d=$1; case $d in "~/"*) d=$HOME/${d#"~/"};; esac; m=$(uname -m); "#,
    r#"case $m in x86_64|amd64) s=$2;; aarch64|arm64) s=$3;; *) s=none;; esac; "#,
    r#"echo; echo cutover-helper-1; echo "$(uname -s) $m"; "#,
    r#"f=$d/cutover-host-$s; "#,
    r#"if [ -L "$d" ] || [ -L "$f" ]; then echo missing; exit 0; fi; "#,
    r#"if [ -d "$d" ] && [ -O "$d" ] && [ -f "$f" ] && [ -O "$f" ]; then :; else echo missing; exit 0; fi; "#,
    r#"case $(ls -ldn "$d") in drwx------*) ;; *) echo missing; exit 0;; esac; "#,
    r#"case $(ls -ln "$f") in -rwx------*) ;; *) echo missing; exit 0;; esac; "#,
    r#"if command -v sha256sum >/dev/null 2>/dev/null; then "#,
    r#"case $(sha256sum <"$f") in "$s "*) ;; *) echo missing; exit 0;; esac; fi; "#,
    r#"if [ -x "$f" ]; then :; else echo noexec; exit 0; fi; "#,
    r#"echo start; exec "$f" serve"#,
);

/// Receives the helper on standard input. Arguments: directory, digest, number of bytes.
const UPLOAD: &str = concat!(
    r#"umask 077; d=$1; case $d in "~/"*) d=$HOME/${d#"~/"};; esac; f=$d/cutover-host-$2; t=$d/.upload-$$; "#,
    r#"mkdir -p "$d" || exit 1; "#,
    r#"if [ -L "$d" ]; then echo "$d is a link" >&2; exit 1; fi; "#,
    r#"if [ -O "$d" ]; then :; else echo "$d belongs to somebody else" >&2; exit 1; fi; "#,
    r#"chmod 700 "$d" && cat >"$t" && [ "$(wc -c <"$t")" -eq "$3" ] && chmod 700 "$t" && mv -f "$t" "$f" && exit 0; "#,
    r#"rm -f "$t"; exit 1"#,
);

/// Runs a program at a terminal. Arguments: as of [`FIND`], and the program.
///
/// The shell stays, deaf to the keys that are meant for the program, to tell of its end by a signal: SSH clients make 255 of that.
const CONSOLE: &str = concat!(
    r#"d=$1; case $d in "~/"*) d=$HOME/${d#"~/"};; esac; "#,
    r#"case $(uname -m) in x86_64|amd64) s=$2;; *) s=$3;; esac; trap : INT QUIT; "$d/cutover-host-$s" console "$4"; exit $?"#,
);

/// What a host said to [`Helpers::find_command`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// The helper runs and frames follow; the machine as `uname -m` names it.
    Started(String),
    /// It is not there; the machine.
    Missing(String),
    /// It is there, and the file system forbids to run it.
    NoExec,
    /// Not Linux, or of an architecture that nobody knows; system and machine.
    Foreign(String),
}

/// Makes sense of the two lines after the marker. None when they have none.
pub(super) fn read_verdict(system: &str, verdict: &str) -> Option<Found> {
    let (name, machine) = system.split_once(' ').filter(|(_, machine)| !machine.contains(' '))?;
    let known = matches!(machine, "x86_64" | "amd64" | "aarch64" | "arm64");
    match verdict {
        "start" | "missing" | "noexec" if name != "Linux" || !known => {
            Some(Found::Foreign(system.to_owned()))
        }
        "start" => Some(Found::Started(machine.to_owned())),
        "missing" => Some(Found::Missing(machine.to_owned())),
        "noexec" => Some(Found::NoExec),
        _ => None,
    }
}

/// Whether a directory for the helper needs no quoting beyond single quotes, in any shell.
pub(super) fn is_plain_directory(directory: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@ ".contains(c);
    let rest = directory.strip_prefix("~/").or_else(|| directory.strip_prefix('/'));
    rest.is_some_and(|rest| rest.chars().all(plain) && !rest.split('/').any(|part| part == ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_mean_the_same_to_every_login_shell() {
        for script in [FIND, UPLOAD, CONSOLE] {
            assert!(!script.contains(['\'', '\\', '\n', '!']), "{script}");
        }
        assert!(FIND.contains(MARKER));
    }

    #[test]
    fn what_hosts_say_is_understood() {
        let foreign = |system: &str| Some(Found::Foreign(system.to_owned()));
        let table = [
            ("Linux x86_64", "start", Some(Found::Started("x86_64".to_owned()))),
            ("Linux aarch64", "missing", Some(Found::Missing("aarch64".to_owned()))),
            ("Linux riscv64", "missing", foreign("Linux riscv64")),
            ("FreeBSD amd64", "missing", foreign("FreeBSD amd64")),
            ("Linux x86_64", "noexec", Some(Found::NoExec)),
            ("Linux x86_64", "what?", None),
            ("sh: uname: not found", "start", None),
        ];
        for (system, verdict, expected) in table {
            assert_eq!(read_verdict(system, verdict), expected, "{system}, {verdict}");
        }
    }

    #[test]
    fn directories_that_need_quoting_are_refused() {
        for good in ["~/.cache/cutover", "/opt/cutover helper", "~/a-b_c@d+e"] {
            assert!(is_plain_directory(good), "{good}");
        }
        for bad in ["relative", "~root/x", "/a'b", "/a$b", "~/../x", "/a\nb", "/a`b`", ""] {
            assert!(!is_plain_directory(bad), "{bad}");
        }
    }

    #[test]
    fn only_what_is_carried_is_offered() {
        let helpers = Helpers::new(&HelperPrograms { x86_64: b"program", aarch64: b"" });
        assert_eq!(helpers.carried(), ["x86_64"]);
        assert!(helpers.for_machine("amd64").is_some());
        assert!(helpers.for_machine("arm64").is_none());
    }
}
