//! The one decision: does a request lie within the grants?

use std::net::IpAddr;

use super::pattern::{args_match, granted_root, is_plain_path, lines_match, path_matches};
use super::{
    Authorities, Denied, ExecGrant, Grants, HttpGrant, HttpRequest, HttpTarget, Mode, Origin, PathGrant,
    Request, Scope, VariableRule, is_special,
};
use crate::model::HostName;

/// What is allowed, with what the performance must keep to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// Something on a host.
    Host {
        /// The host meant.
        host: HostName,
        /// Directory that a path must lie beneath when it is opened.
        beneath: Option<String>,
    },
    /// An HTTP request.
    Http {
        /// The host that it starts from.
        via: Option<HostName>,
        /// What its name may resolve to.
        addresses: Addresses,
        /// By whom the server's certificate has to be; none for those that the system trusts.
        authorities: Option<Authorities>,
    },
    /// A use of a secret.
    Secret,
}

/// What addresses a request may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// Any: the operator named the very place, or said `private = true`.
    Any,
    /// None that is [special](super::is_special).
    Public,
}

impl Addresses {
    /// The first of a name's addresses that a request may not go to. Then it goes to none of them: a name with one foot in a private network
    /// is not to be trusted with the other.
    #[must_use]
    pub fn refused(self, resolved: &[IpAddr]) -> Option<IpAddr> {
        match self {
            Self::Any => None,
            Self::Public => resolved.iter().copied().find(|address| is_special(*address)),
        }
    }
}

/// For a request to a granted name that asks there for another one.
const OTHER_NAME: &str = "its URL must name what `connect-to` leads to: that was granted by its name, and one server may have many";

/// Programs that run what they are given as an argument or input: whoever may call them may do anything.
const INTERPRETERS: &[&str] = &[
    "aa-exec",
    "ash",
    "awk",
    "bash",
    "bun",
    "busybox",
    "bwrap",
    "choom",
    "chpst",
    "chroot",
    "chrt",
    "csh",
    "dash",
    "dbus-run-session",
    "deno",
    "doas",
    "dumb-init",
    "elixir",
    "env",
    "erl",
    "expect",
    "fakeroot",
    "firejail",
    "fish",
    "flock",
    "gawk",
    "gdb",
    "gosu",
    "guile",
    "iex",
    "ionice",
    "irb",
    "java",
    "julia",
    "ksh",
    "linux32",
    "linux64",
    "ltrace",
    "lua",
    "luajit",
    "m4",
    "mawk",
    "mksh",
    "nawk",
    "nice",
    "node",
    "nodejs",
    "nohup",
    "nsenter",
    "original-awk",
    "parallel",
    "perl",
    "php",
    "pkexec",
    "prlimit",
    "pwsh",
    "pypy",
    "python",
    "rbash",
    "rlwrap",
    "Rscript",
    "ruby",
    "runcon",
    "runuser",
    "screen",
    "script",
    "sed",
    "setarch",
    "setpriv",
    "setsid",
    "setuidgid",
    "sg",
    "sh",
    "socat",
    "sqlite",
    "ssh",
    "ssh-agent",
    "stdbuf",
    "strace",
    "su",
    "su-exec",
    "sudo",
    "systemd-cat",
    "systemd-inhibit",
    "systemd-run",
    "taskset",
    "tclsh",
    "tcsh",
    "time",
    "timeout",
    "tini",
    "tmux",
    "toybox",
    "unbuffer",
    "unshare",
    "valgrind",
    "watch",
    "xargs",
    "zsh",
];

/// Programs that run what they are given as input.
const READERS: &[&str] =
    &["at", "batch", "bc", "crontab", "dc", "ed", "ex", "mysql", "mariadb", "psql", "vi", "vim"];

/// Beginnings of the names of loaders, each of which runs the program that it is given.
const LOADERS: &[&str] = &["ld-linux", "ld-musl", "ld.so", "ld64.so"];

impl Grants {
    /// Whether a request lies within these grants, in one call.
    ///
    /// # Errors
    /// When it does not, with the reason and the line that would allow it.
    pub fn check(&self, request: &Request<'_>, scope: &Scope<'_>) -> Result<Allowed, Denied> {
        if scope.mode == Mode::Closed {
            return Err(Denied::outright(
                request,
                "this question is answered out of what it tells, without asking for anything",
            ));
        }
        let denied = |reason: &str| Denied::grantable(request, scope, reason);
        match request {
            Request::Http(http) => self.check_http(http, request, scope),
            Request::Secret(secret) => self.check_secret(secret, request, scope),
            Request::Exec { host, .. }
            | Request::Read { host, .. }
            | Request::Write { host, .. }
            | Request::Link { host, .. }
            | Request::Connect { host, .. } => {
                let host = scope.host(host).ok_or_else(|| denied("is no name of a host"))?;
                let beneath = self.check_on(&host, request, scope)?;
                Ok(Allowed::Host { host, beneath })
            }
        }
    }

    fn check_on(
        &self,
        host: &HostName,
        request: &Request<'_>,
        scope: &Scope<'_>,
    ) -> Result<Option<String>, Denied> {
        let denied = |reason: &str| Denied::grantable(request, scope, reason);
        let path_of = |path: &str| {
            if !is_plain_path(path) {
                Err(Denied::outright(request, "a path must be absolute, without `.`, `..` or empty parts"))
            } else if path.split('/').any(|part| part == ".ssh") {
                Err(Denied::outright(request, "keys of SSH are never a hook's"))
            } else {
                Ok(())
            }
        };
        let writes = matches!(request, Request::Write { .. } | Request::Link { .. });
        if matches!(scope.mode, Mode::Reading | Mode::Looking) && writes {
            return Err(Denied::outright(request, "this question may only read"));
        }
        match request {
            Request::Exec { .. } => {
                never_allowed(request, scope)?;
                let entries = || {
                    self.exec
                        .iter()
                        .flatten()
                        .filter(|grant| scope.is_in(host, &grant.hosts) && covers(grant, request, scope))
                };
                if scope.mode == Mode::Reading
                    && entries().count() > 0
                    && !entries().any(|grant| grant.read_only)
                {
                    return Err(denied("this question may only read, and no entry says `read-only = true`"));
                }
                let reading = scope.mode == Mode::Reading;
                let Some(grant) = entries().find(|grant| grant.read_only || !reading) else {
                    return Err(denied("not granted"));
                };
                if !grant.interpreter && is_interpreter(&grant.program, grant.input) {
                    return Err(denied(
                        "it runs whatever it is given: the entry must say `interpreter = true` as well",
                    ));
                }
                Ok(None)
            }
            Request::Read { path, .. } => {
                path_of(path)?;
                root_of(&self.read, host, path, scope).ok_or_else(|| denied("not granted")).map(Some)
            }
            Request::Write { path, .. } => {
                path_of(path)?;
                root_of(&self.write, host, path, scope).ok_or_else(|| denied("not granted")).map(Some)
            }
            Request::Link { path, target, .. } => {
                path_of(path)?;
                let grant = self.link.iter().flatten().find(|grant| {
                    scope.is_in(host, &grant.hosts)
                        && path_matches(&scope.fill(&grant.path), path)
                        && grant.targets.iter().any(|granted| scope.fill(granted) == *target)
                });
                grant
                    .map(|grant| Some(granted_root(&scope.fill(&grant.path))))
                    .ok_or_else(|| denied("not granted"))
            }
            Request::Connect { to, content, .. } => {
                let entries = || {
                    self.connect.iter().flatten().filter(|grant| {
                        scope.is_in(host, &grant.hosts)
                            && grant.to == *to
                            && lines_match(&grant.send, content)
                    })
                };
                match (scope.mode == Mode::Reading, entries().count()) {
                    (_, 0) => Err(denied("not granted")),
                    (true, _) if !entries().any(|grant| grant.read_only) => {
                        Err(denied("this question may only read, and no entry says `read-only = true`"))
                    }
                    _ => Ok(None),
                }
            }
            Request::Http(_) | Request::Secret(_) => Err(denied("not granted")),
        }
    }

    fn check_http(
        &self,
        http: &HttpRequest<'_>,
        request: &Request<'_>,
        scope: &Scope<'_>,
    ) -> Result<Allowed, Denied> {
        let denied = |reason: &str| Denied::grantable(request, scope, reason);
        if scope.mode == Mode::Reading && !matches!(http.method, "GET" | "HEAD") {
            return Err(Denied::outright(request, "this question may only read: GET and HEAD"));
        }
        let via = match http.via.map(|name| scope.host(name)) {
            None => None,
            Some(Some(host)) => Some(host),
            Some(None) => return Err(denied("`via` is no name of a host")),
        };
        let matching = |http: &HttpRequest<'_>| {
            let mut grants = self.http.iter().flatten();
            grants.find_map(|grant| {
                let addresses = admits(grant, http, via.as_ref(), scope)?;
                Some((addresses, grant.authorities.clone()))
            })
        };
        let dialled = http.dialled();
        let (method, connect_to) = (http.method, http.connect_to);
        match matching(http) {
            Some((addresses, authorities)) => Ok(Allowed::Http { via, addresses, authorities }),
            None if matching(&HttpRequest { origin: &dialled, method, connect_to, via: http.via })
                .is_some() =>
            {
                Err(Denied::outright(request, OTHER_NAME))
            }
            None => Err(denied("not granted")),
        }
    }
}

/// What no grant allows.
fn never_allowed(request: &Request<'_>, scope: &Scope<'_>) -> Result<(), Denied> {
    let Request::Exec { program, args, env, as_root, .. } = request else { return Ok(()) };
    if program.contains('\0') || args.iter().any(|arg| arg.contains('\0')) {
        return Err(Denied::outright(request, "no program can be given a text with a NUL in it"));
    }
    let may_set = |name: &str| match VariableRule::of(name) {
        VariableRule::Free => true,
        VariableRule::Build => scope.is_build(),
        VariableRule::Never => false,
    };
    if let Some(name) = env.iter().find(|name| !may_set(name)) {
        return Err(Denied::outright(
            request,
            format!(
                "variable `{name}` has a fixed value or decides what a program loads: it can't be granted"
            ),
        ));
    }
    if *as_root && !env.is_empty() {
        return Err(Denied::outright(request, "a program that runs as root gets no variables"));
    }
    Ok(())
}

/// Whether an entry covers a program with everything that comes with it.
fn covers(grant: &ExecGrant, request: &Request<'_>, scope: &Scope<'_>) -> bool {
    let Request::Exec { program, args, env, directory, input, as_root, .. } = request else { return false };
    let named = scope.fill(&grant.program) == *program
        && (is_plain_path(program) || (scope.bare_programs && !program.contains('/')));
    let patterns: Vec<String> = grant.args.iter().map(|arg| scope.fill(arg)).collect();
    // As root every argument is exact: a wildcard there is a plain character.
    let arguments = if *as_root { patterns.as_slice() == *args } else { args_match(&patterns, args) };
    let started = directory.is_none_or(|directory| {
        is_plain_path(directory)
            && grant.directory.iter().any(|pattern| path_matches(&scope.fill(pattern), directory))
    });
    named
        && arguments
        && started
        && grant.as_root == *as_root
        && (grant.input || !input)
        && env.iter().all(|name| grant.env.iter().any(|granted| granted == name))
}

/// The root beneath which a path is granted.
fn root_of(
    grants: &Option<Vec<PathGrant>>,
    host: &HostName,
    path: &str,
    scope: &Scope<'_>,
) -> Option<String> {
    let patterns = grants.iter().flatten().filter(|grant| scope.is_in(host, &grant.hosts));
    let mut patterns = patterns.map(|grant| scope.fill(&grant.path));
    patterns.find(|pattern| path_matches(pattern, path)).map(|pattern| granted_root(&pattern))
}

/// Whether an entry admits an HTTP request, and to what addresses it may go then.
fn admits(
    grant: &HttpGrant,
    http: &HttpRequest<'_>,
    via: Option<&HostName>,
    scope: &Scope<'_>,
) -> Option<Addresses> {
    let dialled = http.dialled();
    let via_granted = via.is_none_or(|host| grant.via.as_ref().is_some_and(|group| scope.is_in(host, group)));
    match &grant.to {
        HttpTarget::Instances => {
            asks_an_instance(&dialled, via, via_granted, scope).then_some(Addresses::Any)
        }
        HttpTarget::Origin(text) => {
            let origin = Origin::parse(text).ok()?;
            let named = origin.address().is_some();
            // Many names share a server: the one that was granted must be the one that is asked for.
            let asked = named || origin == *http.origin;
            (origin == dialled && asked && via_granted).then_some(if grant.private || named {
                Addresses::Any
            } else {
                Addresses::Public
            })
        }
    }
}

/// Whether a connection goes to one of the call's instances: from its own host, or to its address for others.
pub(super) fn asks_an_instance(
    dialled: &Origin,
    via: Option<&HostName>,
    via_granted: bool,
    scope: &Scope<'_>,
) -> bool {
    scope.instances.iter().any(|instance| {
        let own = via == Some(&instance.host);
        let at_home = own && same_host(&dialled.host, instance.local_address());
        let from_outside = same_host(&dialled.host, &instance.address) && (via_granted || own);
        dialled.port == instance.port && (at_home || from_outside)
    })
}

/// Whether two texts name one machine: equal addresses, or equal names.
fn same_host(one: &str, other: &str) -> bool {
    match (one.parse::<IpAddr>(), other.parse::<IpAddr>()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one.eq_ignore_ascii_case(other),
    }
}

/// Whether a program runs what it is given, by its name with or without a version: `python3.12` is `python`. `input`: it is given one.
#[must_use]
pub fn is_interpreter(program: &str, input: bool) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    let is_among = |names: &[&str]| names.contains(&name) || names.contains(&plain);
    is_among(INTERPRETERS)
        || (input && is_among(READERS))
        || LOADERS.iter().any(|loader| name.starts_with(loader))
}

#[cfg(test)]
mod corpora;
#[cfg(test)]
mod tests;
