//! Grants in words, for `plan` and `hook inspect`: what a hook may do, and which of it is as good as root.

use super::HostName;
use super::grant::{
    ConnectGrant, ExecGrant, Grants, HostGroup, HttpGrant, HttpTarget, LinkGrant, PathGrant, SecretGrant,
    SecretTarget,
};

impl Grants {
    /// One sentence for each entry.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        words.extend(self.exec.iter().flatten().map(exec));
        words.extend(self.read.iter().flatten().map(|grant| path("read", grant)));
        words.extend(self.write.iter().flatten().map(|grant| path("write", grant)));
        words.extend(self.link.iter().flatten().map(link));
        words.extend(self.connect.iter().flatten().map(connect));
        words.extend(self.http.iter().flatten().map(http));
        words.extend(self.secrets.iter().flatten().map(secret));
        words
    }

    /// The entries that make a hook as good as root on a host, each with the reason.
    #[must_use]
    pub fn dangers(&self) -> Vec<String> {
        let mut dangers = Vec::new();
        for grant in self.exec.iter().flatten().filter(|grant| grant.interpreter) {
            dangers.push(format!("{} runs whatever code the hook hands to it", grant.program));
        }
        for grant in self.write.iter().flatten() {
            if let Some(reason) = read_as_root(&grant.path) {
                dangers.push(format!("write {}: {reason}, so it is as good as root", grant.path));
            }
        }
        for grant in self.connect.iter().flatten() {
            let engines =
                ["docker.sock", "podman.sock", "containerd.sock", "/bus/", "dbus", "ssh-agent", "agent."];
            if engines.iter().any(|name| grant.to.contains(name)) {
                dangers.push(format!("connect to {}: who speaks to it is as good as root", grant.to));
            }
        }
        dangers
    }
}

/// Why what is written there acts as root, when it does.
fn read_as_root(path: &str) -> Option<&'static str> {
    let below = |prefix: &str| path.starts_with(prefix);
    if below("/etc/nginx/") || below("/etc/haproxy/") || below("/etc/apache2/") {
        Some("a router that root starts reads its configuration there")
    } else if below("/etc/systemd/")
        || below("/usr/lib/systemd/")
        || below("/lib/systemd/")
        || below("/etc/init.d/")
    {
        Some("units are run as root")
    } else if below("/etc/cron") || below("/var/spool/cron") || below("/etc/sudoers") || below("/root/") {
        Some("root acts on what is there")
    } else if below("/usr/") || below("/bin/") || below("/sbin/") || below("/lib") {
        Some("root runs programs from there")
    } else {
        None
    }
}

pub(super) fn on(hosts: &HostGroup) -> String {
    match hosts {
        HostGroup::Named(names) => {
            format!("on {}", names.iter().map(HostName::as_str).collect::<Vec<_>>().join(", "))
        }
        HostGroup::App => "on the application's hosts".to_owned(),
        HostGroup::Routers => "on the routers".to_owned(),
        HostGroup::Builder => "on the builder".to_owned(),
    }
}

pub(super) fn exec(grant: &ExecGrant) -> String {
    let command = std::iter::once(grant.program.as_str()).chain(grant.args.iter().map(String::as_str));
    let command = command.collect::<Vec<_>>().join(" ");
    let root = if grant.as_root { ", as root" } else { "" };
    format!("run `{command}` {}{root}", on(&grant.hosts))
}

pub(super) fn path(verb: &str, grant: &PathGrant) -> String {
    format!("{verb} {} {}", grant.path, on(&grant.hosts))
}

pub(super) fn link(grant: &LinkGrant) -> String {
    format!("point {} to {} {}", grant.path, grant.targets.join(" or "), on(&grant.hosts))
}

pub(super) fn connect(grant: &ConnectGrant) -> String {
    let what = if grant.send.is_empty() { "nothing".to_owned() } else { grant.send.join(", ") };
    format!("send {what} to {} {}", grant.to, on(&grant.hosts))
}

pub(super) fn http(grant: &HttpGrant) -> String {
    let target = match &grant.to {
        HttpTarget::Instances => "the instances that it is asked about".to_owned(),
        HttpTarget::Origin(origin) => origin.clone(),
    };
    let private = if grant.private { ", private addresses included" } else { "" };
    let own = if grant.authorities.is_some() { ", certified by its own `ca` alone" } else { "" };
    format!("send HTTP requests to {target}{private}{own}")
}

pub(super) fn secret(grant: &SecretGrant) -> String {
    let name = &grant.name;
    match &grant.to {
        SecretTarget::Header { origin, header } => {
            format!("send the secret {name} to {origin} in the header {header}, unseen")
        }
        SecretTarget::Body { origin } => format!("send the secret {name} to {origin} in a body, unseen"),
        SecretTarget::Variable { program, variable } => {
            format!("hand the secret {name} to {program} as {variable}, unseen")
        }
        SecretTarget::Input { program } => {
            format!("hand the secret {name} to {program} as its input, unseen")
        }
        SecretTarget::Hmac { prefix, chain } => {
            let keys: Vec<&str> = std::iter::once(prefix.as_str())
                .chain(chain.iter().map(String::as_str))
                .filter(|part| !part.is_empty())
                .collect();
            let by = if keys.is_empty() { String::new() } else { format!(" by {}", keys.join("/")) };
            format!("sign with the secret {name}{by}, unseen")
        }
        SecretTarget::Reveal => format!("see the secret {name} as plain text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_told_in_words_and_their_dangers_named() {
        let routers = || HostGroup::Routers;
        let grants = Grants {
            exec: Some(vec![ExecGrant {
                as_root: true,
                read_only: true,
                ..ExecGrant::for_tests(routers(), "/usr/sbin/nginx", &["-t"])
            }]),
            write: Some(vec![PathGrant { hosts: routers(), path: "/etc/nginx/cutover/*".into() }]),
            http: Some(vec![HttpGrant {
                to: HttpTarget::Instances,
                private: false,
                via: None,
                authorities: None,
            }]),
            ..Grants::default()
        };
        assert_eq!(
            grants.words(),
            [
                "run `/usr/sbin/nginx -t` on the routers, as root",
                "write /etc/nginx/cutover/* on the routers",
                "send HTTP requests to the instances that it is asked about",
            ]
        );
        assert_eq!(
            grants.dangers(),
            [
                "write /etc/nginx/cutover/*: a router that root starts reads its configuration there, so it is as good as root"
            ]
        );
    }
}
