//! Whether one entry of `grants` allows all that another one does, wherever both apply: what tells a wider grant from one that was written
//! in another way. Where patterns can't be compared, the answer is no.

use super::pattern::{path_matches, run_matches};
use super::{
    ConnectGrant, ExecGrant, HttpGrant, HttpTarget, LinkGrant, Origin, PathGrant, SecretGrant, SecretTarget,
};

impl ExecGrant {
    /// Whether all that `other` allows on a host is allowed by this entry there.
    pub(in crate::model) fn covers(&self, other: &Self) -> bool {
        let Self { hosts: _, program, args, env, directory, input, as_root, read_only, interpreter } = other;
        let is_exact = || self.args == *args && !args.iter().any(|arg| arg == "*" || arg == "**");
        let arguments = match (self.as_root, as_root) {
            // As root every argument is exact: a wildcard there is a plain character.
            (true, true) => self.args == *args,
            // The same command without root's rights.
            (true, false) => is_exact(),
            (false, true) => false,
            (false, false) => args_cover(&self.args, args),
        };
        let started = |path: &String| self.directory.iter().any(|own| path_matches(own, path));
        self.program == *program
            && arguments
            && env.iter().all(|name| self.env.contains(name))
            && directory.iter().all(started)
            && (self.input || !input)
            && (self.read_only || !read_only)
            && (self.interpreter || !interpreter)
    }
}

impl PathGrant {
    /// As [`ExecGrant::covers`]. A wildcard of the other one is a character that only a wildcard takes.
    pub(in crate::model) fn covers(&self, other: &Self) -> bool {
        path_matches(&self.path, &other.path)
    }
}

impl LinkGrant {
    /// As [`ExecGrant::covers`].
    pub(in crate::model) fn covers(&self, other: &Self) -> bool {
        path_matches(&self.path, &other.path)
            && other.targets.iter().all(|target| self.targets.contains(target))
    }
}

impl ConnectGrant {
    /// As [`ExecGrant::covers`].
    pub(in crate::model) fn covers(&self, other: &Self) -> bool {
        let sent = |line: &String| self.send.iter().any(|own| run_matches(own, line));
        self.to == other.to && other.send.iter().all(sent) && (self.read_only || !other.read_only)
    }
}

impl HttpGrant {
    /// As [`ExecGrant::covers`], for requests that start from one place.
    pub(in crate::model) fn covers(&self, other: &Self) -> bool {
        match (&self.to, &other.to) {
            // Their own addresses are what is granted, whichever these are.
            (HttpTarget::Instances, HttpTarget::Instances) => self.authorities == other.authorities,
            (HttpTarget::Origin(own), HttpTarget::Origin(origin)) => {
                // Whoever names another authority may answer in the server's place.
                same_origin(own, origin)
                    && (self.private || !other.private)
                    && self.authorities == other.authorities
            }
            (HttpTarget::Instances, HttpTarget::Origin(_))
            | (HttpTarget::Origin(_), HttpTarget::Instances) => false,
        }
    }
}

impl SecretGrant {
    /// Whether both bind the same secret to the same place.
    pub(in crate::model) fn covers(&self, other: &Self) -> bool {
        use SecretTarget::{Body, Header};
        let place = match (&self.to, &other.to) {
            (Header { origin: own, header }, Header { origin, header: asked }) => {
                same_origin(own, origin) && header.eq_ignore_ascii_case(asked)
            }
            (Body { origin: own }, Body { origin }) => same_origin(own, origin),
            (own, asked) => own == asked,
        };
        self.name == other.name && place
    }
}

fn same_origin(one: &str, other: &str) -> bool {
    match (Origin::parse(one), Origin::parse(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

/// Whether all arguments that match `other` match `own`.
fn args_cover(own: &[String], other: &[String]) -> bool {
    for (index, pattern) in own.iter().enumerate() {
        if pattern == "**" && index + 1 == own.len() {
            return other.iter().skip(index).all(|arg| !arg.starts_with('-'));
        }
        let Some(arg) = other.get(index) else { return false };
        let is_rest = arg == "**" && index + 1 == other.len();
        let one = if pattern == "*" { !arg.starts_with('-') } else { pattern == arg };
        if is_rest || !one {
            return false;
        }
    }
    own.len() == other.len()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::AUTHORITY;
    use super::super::{Authorities, HostGroup};
    use super::*;
    use crate::model::Name;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn exec(args: &[&str]) -> ExecGrant {
        ExecGrant::for_tests(HostGroup::App, "/usr/bin/x", args)
    }

    #[test]
    fn arguments_are_covered_by_wider_patterns() {
        for (own, other, covers) in [
            (&[][..], &[][..], true),
            (&["a"], &["a"], true),
            (&["a"], &["b"], false),
            (&["a"], &[], false),
            (&[], &["a"], false),
            (&["*"], &["a"], true),
            (&["*"], &["*"], true),
            (&["*"], &["-a"], false),
            (&["*"], &["**"], false),
            (&["*"], &[], false),
            (&["a"], &["*"], false),
            (&["**"], &[], true),
            (&["**"], &["a", "*"], true),
            (&["**"], &["a", "**"], true),
            (&["**"], &["a", "-b"], false),
            (&["a", "**"], &["a"], true),
            (&["a", "**"], &["*", "**"], false),
            (&["a", "*", "**"], &["a", "**"], false),
            (&["-c", "*"], &["-c", "x"], true),
        ] {
            assert_eq!(exec(own).covers(&exec(other)), covers, "{own:?} {other:?}");
        }
    }

    #[test]
    fn each_key_of_a_program_widens_it_alone() {
        let least = exec(&["a"]);
        let one = |change: fn(&mut ExecGrant)| {
            let mut grant = exec(&["a"]);
            change(&mut grant);
            grant
        };
        for wider in [
            one(|grant| grant.env = texts(&["A"])),
            one(|grant| grant.directory = texts(&["/srv/*"])),
            one(|grant| grant.input = true),
            one(|grant| grant.read_only = true),
            one(|grant| grant.interpreter = true),
            one(|grant| grant.as_root = true),
        ] {
            assert!(!least.covers(&wider) && wider.covers(&least) && wider.covers(&wider), "{wider:?}");
        }
        assert!(!least.covers(&one(|grant| grant.program = "/usr/bin/y".to_owned())));
        let inside = one(|grant| grant.directory = texts(&["/srv/a"]));
        let around = one(|grant| grant.directory = texts(&["/srv/*"]));
        assert!(around.covers(&inside) && !inside.covers(&around));
    }

    #[test]
    fn as_root_a_wildcard_is_a_character() {
        let root = |args: &[&str]| ExecGrant { as_root: true, ..exec(args) };
        assert!(root(&["*"]).covers(&root(&["*"])));
        assert!(!root(&["*"]).covers(&root(&["a"])));
        assert!(!root(&["*"]).covers(&exec(&["*"])));
        assert!(!root(&["a", "**"]).covers(&exec(&["a", "**"])));
    }

    #[test]
    fn paths_are_covered_by_wider_patterns() {
        let path = |path: &str| PathGrant { hosts: HostGroup::App, path: path.to_owned() };
        for (own, other, covers) in [
            ("/etc/a", "/etc/a", true),
            ("/etc/*", "/etc/a", true),
            ("/etc/*", "/etc/*.map", true),
            ("/etc/*", "/etc/*", true),
            ("/etc/*", "/etc/.a", false),
            ("/etc/*", "/etc/a/b", false),
            ("/etc/*/b", "/etc/*/*", false),
            ("/etc/*/*", "/etc/*/b", true),
            ("/etc/a*", "/etc/*", false),
            ("/etc/*.map", "/etc/*", false),
            ("/etc/a*c", "/etc/a*b*c", true),
            ("/etc/a*b*c", "/etc/a*c", false),
        ] {
            assert_eq!(path(own).covers(&path(other)), covers, "{own} {other}");
        }
    }

    #[test]
    fn links_sockets_origins_and_secrets_are_covered_by_what_names_them() {
        let link = |targets: &[&str]| LinkGrant {
            hosts: HostGroup::App,
            path: "/a".to_owned(),
            targets: texts(targets),
        };
        assert!(link(&["/b", "/c"]).covers(&link(&["/c"])) && !link(&["/c"]).covers(&link(&["/b", "/c"])));
        let connect = |send: &[&str], read_only| ConnectGrant {
            hosts: HostGroup::App,
            to: "unix:/a".to_owned(),
            send: texts(send),
            read_only,
        };
        assert!(connect(&["show *"], true).covers(&connect(&["show map"], true)));
        assert!(connect(&["show *"], true).covers(&connect(&[], false)));
        assert!(!connect(&["show *"], false).covers(&connect(&["show *"], true)));
        assert!(!connect(&["show map"], true).covers(&connect(&["show *"], true)));
        let http = |to: &str, private| HttpGrant {
            to: if to.is_empty() { HttpTarget::Instances } else { HttpTarget::Origin(to.to_owned()) },
            private,
            via: None,
            authorities: None,
        };
        let own = Some(Authorities::parse(AUTHORITY).expect("a certificate"));
        for to in ["https://a.example", ""] {
            let trusting = HttpGrant { authorities: own.clone(), ..http(to, true) };
            assert!(trusting.covers(&trusting));
            assert!(!trusting.covers(&http(to, true)) && !http(to, true).covers(&trusting));
        }
        assert!(http("https://A.example", false).covers(&http("https://a.example:443/", false)));
        assert!(!http("https://a.example", false).covers(&http("https://a.example", true)));
        assert!(!http("https://a.example", true).covers(&http("http://a.example", false)));
        assert!(!http("https://a.example", true).covers(&http("", false)));
        assert!(!http("", true).covers(&http("https://a.example", false)));
        assert!(http("", false).covers(&http("", true)));
        let secret = |name: &str, to| SecretGrant { name: Name::new(name).expect("a name"), to };
        let header = |origin: &str| SecretTarget::Header {
            origin: origin.to_owned(),
            header: "authorization".to_owned(),
        };
        assert!(secret("a", header("https://x")).covers(&secret("a", header("https://X:443"))));
        assert!(!secret("a", header("https://x")).covers(&secret("b", header("https://x"))));
        assert!(!secret("a", header("https://x")).covers(&secret("a", header("https://y"))));
        assert!(!secret("a", header("https://x")).covers(&secret("a", SecretTarget::Reveal)));
    }
}
