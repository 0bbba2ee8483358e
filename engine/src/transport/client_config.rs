//! The client configuration that `ssh` is started with.

use std::path::Path;

/// A host whose key the project pins.
pub(super) struct Pin<'a> {
    /// The host as `ssh` is called with it: jumps on the way there are others.
    pub(super) host: &'a str,
    /// What its lines begin with.
    pub(super) place: &'a str,
    /// The file that has them, which is the only one to count.
    pub(super) file: &'a Path,
}

/// Ours first, since the first value counts; then the user's own, so that aliases, jumps and keys work; then the system's.
///
/// None when a path can't be written into such a file.
pub(super) fn client_config(
    identity: Option<&Path>,
    pin: Option<&Pin<'_>>,
    user: &Path,
    system: &Path,
) -> Option<String> {
    let pin = match pin {
        Some(Pin { host, place, file }) => format!(
            "Match originalhost {host}\nHostKeyAlias {place}\nUserKnownHostsFile {}\nGlobalKnownHostsFile none\nVerifyHostKeyDNS no\nMatch all\n",
            quoted(file)?
        ),
        None => String::new(),
    };
    let identity = match identity {
        Some(path) => format!("IdentityFile {}\n", quoted(path)?),
        None => String::new(),
    };
    Some(format!(
        "# Written by cutover. What it forbids stays forbidden, whatever the files below say.
BatchMode yes
ForwardAgent no
ForwardX11 no
ClearAllForwardings yes
PermitLocalCommand no
RemoteCommand none
Tunnel no
NoHostAuthenticationForLocalhost no
RequestTTY no
UpdateHostKeys no
StrictHostKeyChecking yes
ConnectTimeout 10
ServerAliveInterval 5
ServerAliveCountMax 3
{identity}{pin}Include {}
Include {}
",
        quoted(user)?,
        quoted(system)?
    ))
}

fn quoted(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    // `%` begins a token there, and inside quotes nothing can escape it or a quote.
    let fine = !text.contains(|c: char| c == '"' || c == '%' || c == '\\' || c.is_control());
    fine.then(|| format!("\"{text}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_would_add_lines_are_refused() {
        let system = Path::new("/etc/ssh/ssh_config");
        for bad in ["/a\"\nForwardAgent yes", "/a%d", "/a\\b", "/a\nb"] {
            assert_eq!(client_config(Some(Path::new(bad)), None, system, system), None, "{bad}");
        }
        let pin = Pin { host: "web1", place: "[web1]:2222", file: Path::new("/p/cutover.known_hosts") };
        let user = Path::new("~/.ssh/config");
        let text = client_config(Some(Path::new("/keys/my key")), Some(&pin), user, system).expect("fine");
        let end = "\
IdentityFile \"/keys/my key\"
Match originalhost web1
HostKeyAlias [web1]:2222
UserKnownHostsFile \"/p/cutover.known_hosts\"
GlobalKnownHostsFile none
VerifyHostKeyDNS no
Match all
Include \"~/.ssh/config\"
Include \"/etc/ssh/ssh_config\"
";
        assert!(text.ends_with(end), "{text}");
    }
}
