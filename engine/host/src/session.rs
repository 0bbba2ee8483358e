//! logind's sessions: whether what we start goes when we log out, and the way out of that.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::account::Account;
use crate::environment::PATH;

/// Properties of logind's manager that say whose processes end with their session (logind.conf(5)).
const PROPERTIES: [&str; 3] = ["KillUserProcesses", "KillOnlyUsers", "KillExcludeUsers"];

/// Whether what this process starts is killed when its session ends. Asked once: a session stays what it is.
pub(crate) fn ends_at_logout(account: &Account) -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        account.uid != 0
            && is_in_session(&groups)
            && ask_logind().is_some_and(|said| kills(&said, &account.user))
    })
}

/// A command that takes `command` out of our session and into the care of the user's own systemd, and the variable that it needs. None
/// when that is not needed, or would not help: without lingering, that systemd ends with the last session too.
pub(crate) fn way_out(
    account: &Account,
    command: &[OsString],
) -> Option<(Vec<OsString>, (&'static str, String))> {
    let lingers = Path::new("/var/lib/systemd/linger").join(&account.user).exists();
    if !lingers || !ends_at_logout(account) {
        return None;
    }
    let words = ["systemd-run", "--user", "--scope", "--quiet", "--collect", "--"].map(OsString::from);
    // To another program, its own file is another one.
    let own = format!("/proc/{}/exe", std::process::id());
    let of_ours = |word: &OsString| if word == "/proc/self/exe" { own.clone().into() } else { word.clone() };
    let command = words.into_iter().chain(command.iter().map(of_ours)).collect();
    Some((command, ("XDG_RUNTIME_DIR", format!("/run/user/{}", account.uid))))
}

/// Whether a list of control groups, as in `/proc/self/cgroup`, is of a process of a login session.
fn is_in_session(groups: &str) -> bool {
    groups
        .lines()
        .flat_map(|line| line.split('/'))
        .any(|part| part.starts_with("session-") && part.ends_with(".scope"))
}

fn ask_logind() -> Option<String> {
    let manager = ["org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"];
    let mut command = Command::new("busctl");
    command.arg("--timeout=5").arg("get-property").args(manager).args(PROPERTIES);
    command.env_clear().env("PATH", PATH).stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Reads the three properties as `busctl` prints them, and decides as logind does.
fn kills(said: &str, user: &str) -> bool {
    let mut lines = said.lines();
    let (Some(kill), Some(only), Some(excluded)) = (lines.next(), lines.next(), lines.next()) else {
        return false;
    };
    let names = |line: &str| -> Vec<String> {
        line.split_whitespace().skip(2).map(|name| name.trim_matches('"').to_owned()).collect()
    };
    let is_among = |names: &[String]| names.iter().any(|name| name == user);
    let only = names(only);
    kill == "b true" && !is_among(&names(excluded)) && (only.is_empty() || is_among(&only))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logind_decides_by_three_settings() {
        for (said, expected) in [
            ("b true\nas 0\nas 1 \"root\"\n", true),
            ("b true\nas 0\nas 2 \"root\" \"deploy\"\n", false),
            ("b true\nas 1 \"deploy\"\nas 0\n", true),
            ("b true\nas 1 \"guest\"\nas 0\n", false),
            ("b false\nas 0\nas 1 \"root\"\n", false),
            ("b true\n", false),
            ("", false),
        ] {
            assert_eq!(kills(said, "deploy"), expected, "{said}");
        }
    }

    #[test]
    fn a_session_is_known_by_its_control_group() {
        assert!(is_in_session("0::/user.slice/user-1000.slice/session-3.scope\n"));
        assert!(is_in_session("1:name=systemd:/user.slice/user-1000.slice/session-c1.scope\n0::/\n"));
        assert!(!is_in_session("0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope\n"));
        assert!(!is_in_session("0::/system.slice/ssh.service\n"));
    }
}
