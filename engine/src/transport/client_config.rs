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
}
