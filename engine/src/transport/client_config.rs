//! The client configuration that `ssh` is started with.

use std::path::Path;

/// Ours first, since the first value counts; then the user's own, so that aliases, jumps and keys work; then the system's.
///
/// None when a path can't be written into such a file.
pub(super) fn client_config(identity: Option<&Path>, user: &Path, system: &Path) -> Option<String> {
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
{identity}Include {}
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

/// Splits `[user@]host[:port]`. An address of IPv6 needs brackets to have a port.
pub(super) fn split_destination(destination: &str) -> (&str, Option<u16>) {
    let at = destination.find('@').map_or(0, |at| at + 1);
    match destination.rsplit_once(':') {
        Some((host, port)) if !host[at.min(host.len())..].contains(':') || host.ends_with(']') => {
            port.parse().map_or((destination, None), |port| (host, Some(port)))
        }
        _ => (destination, None),
    }
}

/// The host part as `ssh` wants it: without the brackets of an IPv6 address.
pub(super) fn without_brackets(host: &str) -> String {
    host.replace(['[', ']'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_would_add_lines_are_refused() {
        let system = Path::new("/etc/ssh/ssh_config");
        for bad in ["/a\"\nForwardAgent yes", "/a%d", "/a\\b", "/a\nb"] {
            assert_eq!(client_config(Some(Path::new(bad)), system, system), None, "{bad}");
        }
        let text =
            client_config(Some(Path::new("/keys/my key")), Path::new("~/.ssh/config"), system).expect("fine");
        assert!(text.ends_with(
            "IdentityFile \"/keys/my key\"\nInclude \"~/.ssh/config\"\nInclude \"/etc/ssh/ssh_config\"\n"
        ));
    }

    #[test]
    fn destinations_are_split() {
        let table = [
            ("web1", ("web1", None)),
            ("deploy@web1:2222", ("deploy@web1", Some(2222))),
            ("deploy@[::1]:2222", ("deploy@[::1]", Some(2222))),
            ("::1", ("::1", None)),
            ("deploy@fe80::1", ("deploy@fe80::1", None)),
            ("web1:ssh", ("web1:ssh", None)),
        ];
        for (destination, expected) in table {
            assert_eq!(split_destination(destination), expected, "{destination}");
        }
    }
}
