//! What a hook asks for.

use std::fmt;

use super::{Origin, SecretRequest};

/// One thing that a hook asks for, with all that decides whether it may. Hosts are named as the hook named them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request<'a> {
    /// Runs a program.
    Exec {
        /// Where.
        host: &'a str,
        /// What.
        program: &'a str,
        /// With what.
        args: &'a [String],
        /// Names of the variables that it sets.
        env: Vec<&'a str>,
        /// Where it starts.
        directory: Option<&'a str>,
        /// Whether it sends an input.
        input: bool,
        /// By `sudo -n`.
        as_root: bool,
    },
    /// Reads a file, a link or the names in a directory.
    Read {
        /// Where.
        host: &'a str,
        /// What.
        path: &'a str,
    },
    /// Writes or removes a file.
    Write {
        /// Where.
        host: &'a str,
        /// What.
        path: &'a str,
    },
    /// Points a link elsewhere.
    Link {
        /// Where.
        host: &'a str,
        /// The link.
        path: &'a str,
        /// What it is to point to.
        target: &'a str,
    },
    /// Speaks to a socket.
    Connect {
        /// Where.
        host: &'a str,
        /// `unix:/path` or `tcp:ADDRESS:PORT`.
        to: &'a str,
        /// All that is sent.
        content: &'a str,
    },
    /// Speaks HTTP.
    Http(HttpRequest<'a>),
    /// Uses a secret.
    Secret(SecretRequest<'a>),
}

/// An HTTP request, as far as it decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest<'a> {
    /// Method, as sent.
    pub method: &'a str,
    /// Origin of the URL.
    pub origin: &'a Origin,
    /// `address:port` to connect to instead.
    pub connect_to: Option<(&'a str, u16)>,
    /// Host that it starts from.
    pub via: Option<&'a str>,
}

impl HttpRequest<'_> {
    /// Where the connection goes.
    #[must_use]
    pub fn dialled(&self) -> Origin {
        match self.connect_to {
            Some((host, port)) => Origin { tls: self.origin.tls, host: host.to_owned(), port },
            None => self.origin.clone(),
        }
    }
}

impl Request<'_> {
    /// The host it is about, as the hook named it.
    pub(super) fn host(&self) -> Option<&str> {
        match self {
            Self::Exec { host, .. }
            | Self::Read { host, .. }
            | Self::Write { host, .. }
            | Self::Link { host, .. }
            | Self::Connect { host, .. } => Some(host),
            Self::Http(request) => request.via,
            Self::Secret(_) => None,
        }
    }
}

/// As people read it. Contents and values of variables are left out: they may be secret.
impl fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exec { host, program, args, env, directory, input, as_root } => {
                write!(f, "exec `{program}")?;
                for arg in *args {
                    write!(f, " {arg}")?;
                }
                write!(f, "` on `{host}`")?;
                if *as_root {
                    f.write_str(" as root")?;
                }
                if let Some(directory) = directory {
                    write!(f, " in `{directory}`")?;
                }
                if !env.is_empty() {
                    write!(f, " with `{}`", env.join("`, `"))?;
                }
                if *input { f.write_str(" with an input") } else { Ok(()) }
            }
            Self::Read { host, path } => write!(f, "read `{path}` on `{host}`"),
            Self::Write { host, path } => write!(f, "write `{path}` on `{host}`"),
            Self::Link { host, path, target } => write!(f, "link `{path}` to `{target}` on `{host}`"),
            Self::Connect { host, to, content } => {
                let lines: Vec<&str> =
                    content.split(['\n', ';']).map(str::trim).filter(|line| !line.is_empty()).collect();
                write!(f, "send `{}` to `{to}` on `{host}`", lines.join("; "))
            }
            Self::Http(request) => {
                write!(f, "{} {}", request.method, request.origin)?;
                if let Some((host, port)) = request.connect_to {
                    write!(
                        f,
                        " at {}:{port}",
                        if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
                    )?;
                }
                match request.via {
                    Some(host) => write!(f, " via `{host}`"),
                    None => Ok(()),
                }
            }
            Self::Secret(request) => write!(f, "{request}"),
        }
    }
}
