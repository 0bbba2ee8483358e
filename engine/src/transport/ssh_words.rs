//! What `ssh` says when there is no connection, and what it means.

use super::Failure;
use crate::model::HostName;

/// What `ssh` said.
pub(super) fn words(error: &openssh::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// Makes sense of it when it could not connect.
pub(super) fn explain(name: &HostName, destination: &str, is_pinned: bool, text: &str) -> Failure {
    let host = match destination == name.as_str() {
        true => format!("`{name}`"),
        false => format!("`{name}` (`{destination}`)"),
    };
    let changed = text.contains("REMOTE HOST IDENTIFICATION HAS CHANGED");
    if changed || text.contains("Host key verification failed") || text.contains("host key is known for") {
        let what = match (is_pinned, changed) {
            (true, _) => "is not the one that the project pins in `cutover.known_hosts`",
            (false, true) => "has changed",
            (false, false) => "is not known to this machine",
        };
        return Failure::Untrusted(format!(
            "the key of host {host} {what}\n\
             hint: `cutover trust {name}` shows the one that it has now; whoever runs the host can tell whether that is right"
        ));
    }
    let said = text.split(['\n', '\r']).map(str::trim).rfind(|line| !line.is_empty());
    let said = said.unwrap_or("ssh gave no reason");
    let hint = way_out(said).map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    Failure::Unreachable(format!("host {host} can't be reached: {said}{hint}"))
}

/// What to do about it, by OpenSSH's own words and those of the C library.
fn way_out(said: &str) -> Option<&'static str> {
    let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
    if says(&["Permission denied"]) {
        Some("`ssh` must be able to log in there without a question: a key in the agent, or `identity-file`")
    } else if says(&["Could not resolve hostname"]) {
        Some(
            "what it is called stands in `[hosts]`, and in the configuration of `ssh` where that is an alias",
        )
    } else if says(&["Connection refused", "timed out", "No route to host", "Network is unreachable"]) {
        Some("is it up, and is that its address and port? `ssh` has to get there from here")
    } else {
        None
    }
}

/// Whether somebody cut the connection, as a busy sshd does with some beyond its `MaxStartups`, or one that restarts.
pub(super) fn tell_of_a_cut(text: &str) -> bool {
    let cuts = ["Connection closed by", "Connection reset by", "closed by remote host", "Broken pipe"];
    cuts.iter().any(|cut| text.contains(cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_says_is_told_apart() {
        let name = HostName::new("web1").expect("a name");
        let unknown = "No ED25519 host key is known for web1 and you have requested strict checking.\r\nHost key verification failed.\r\n";
        let changed = "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.";
        let pinned = "is not the one that the project pins in `cutover.known_hosts`";
        for (is_pinned, text, what) in [
            (false, unknown, "is not known to this machine"),
            (false, changed, "has changed"),
            (true, unknown, pinned),
            (true, changed, pinned),
        ] {
            let hint = "`cutover trust web1` shows the one that it has now; whoever runs the host can tell whether that is right";
            let expected = Failure::Untrusted(format!("the key of host `web1` {what}\nhint: {hint}"));
            assert_eq!(explain(&name, "web1", is_pinned, text), expected);
        }
        let text = "ssh: connect to host web1 port 22: Connection refused\r\n";
        let refused = explain(&name, "deploy@web1:22", false, text);
        let expected = "host `web1` (`deploy@web1:22`) can't be reached: ssh: connect to host web1 port 22: Connection refused\n\
             hint: is it up, and is that its address and port? `ssh` has to get there from here";
        assert_eq!(refused, Failure::Unreachable(expected.to_owned()));
        assert_eq!(explain(&name, "web1", false, ""), {
            Failure::Unreachable("host `web1` can't be reached: ssh gave no reason".to_owned())
        });
    }

    #[test]
    fn a_cut_is_told_from_a_refusal() {
        for (text, cut) in [
            ("Connection closed by 192.0.2.1 port 22\r\n", true),
            ("kex_exchange_identification: Connection closed by remote host", true),
            ("kex_exchange_identification: read: Connection reset by peer", true),
            ("client_loop: send disconnect: Broken pipe", true),
            ("Connection to web1 closed by remote host.", true),
            ("ssh: connect to host web1 port 22: Connection refused", false),
            ("ssh: connect to host web1 port 22: Connection timed out", false),
            ("deploy@web1: Permission denied (publickey).", false),
            ("Host key verification failed.", false),
        ] {
            assert_eq!(tell_of_a_cut(text), cut, "{text}");
        }
    }
}
