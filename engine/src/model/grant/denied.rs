//! Why a hook may not, and the lines that would allow it.

use std::fmt::Write as _;

use super::check::asks_an_instance;
use super::{DATE, Mode, Request, Scope, SecretPlace, SecretRequest};

/// A request that lies outside the grants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{request}: {reason}")]
pub struct Denied {
    /// What was asked for, as people read it.
    pub request: String,
    /// Why not.
    pub reason: String,
    /// The line to add to the hook's `grants` table; empty where no grant can allow it.
    pub grant: String,
}

impl Denied {
    /// A denial that a grant would lift.
    pub(super) fn grantable(request: &Request<'_>, scope: &Scope<'_>, reason: impl Into<String>) -> Self {
        Self { request: request.to_string(), reason: reason.into(), grant: grant_line(request, scope) }
    }

    /// A denial of a request to a name that was granted, which leads where only `private = true` allows.
    pub(crate) fn by_address(request: &Request<'_>, scope: &Scope<'_>, reason: impl Into<String>) -> Self {
        let line = grant_line(request, scope);
        let grant = line.strip_suffix(" }]").map(|entry| format!("{entry}, private = true }}]"));
        Self { request: request.to_string(), reason: reason.into(), grant: grant.unwrap_or_default() }
    }

    /// A denial that no grant lifts.
    pub(crate) fn outright(request: &Request<'_>, reason: impl Into<String>) -> Self {
        Self { request: request.to_string(), reason: reason.into(), grant: String::new() }
    }
}

/// The narrowest entry that covers a request, as a line of TOML.
fn grant_line(request: &Request<'_>, scope: &Scope<'_>) -> String {
    let named = request.host().unwrap_or_default();
    let group = match scope.host(named) {
        // As the hook named it: the same host may be a router today and build elsewhere tomorrow.
        Some(_) if named == "builder" => text(named),
        Some(host) => scope.group_text(&host),
        None => list(&[named]),
    };
    let path = |path: &str| text(&scope.unfill(path));
    let read_only = if scope.mode == Mode::Reading { ", read-only = true" } else { "" };
    let mut line = String::new();
    // Writing to a string does not fail.
    let _ = match request {
        Request::Exec { program, args, env, directory, input, as_root, .. } => {
            let _ = write!(
                line,
                "exec = [{{ hosts = {group}, program = {}, args = {}",
                path(program),
                list(&args.iter().map(|arg| scope.unfill(arg)).collect::<Vec<_>>())
            );
            let _ = if env.is_empty() { Ok(()) } else { write!(line, ", env = {}", list(env)) };
            let _ = directory.map_or(Ok(()), |directory| write!(line, ", directory = [{}]", path(directory)));
            let _ = if *input { write!(line, ", input = true") } else { Ok(()) };
            let _ = if *as_root { write!(line, ", as-root = true") } else { Ok(()) };
            write!(line, "{read_only} }}]")
        }
        Request::Read { path: at, .. } => write!(line, "read = [{{ hosts = {group}, path = {} }}]", path(at)),
        Request::Write { path: at, .. } => {
            write!(line, "write = [{{ hosts = {group}, path = {} }}]", path(at))
        }
        Request::Link { path: at, target, .. } => {
            write!(line, "link = [{{ hosts = {group}, path = {}, targets = [{}] }}]", path(at), path(target))
        }
        Request::Connect { to, content, .. } => {
            let lines: Vec<&str> =
                content.split(['\n', ';']).map(str::trim).filter(|line| !line.is_empty()).collect();
            write!(
                line,
                "connect = [{{ hosts = {group}, to = {}, send = {}{read_only} }}]",
                text(to),
                list(&lines)
            )
        }
        Request::Http(request)
            if {
                let via = request.via.and_then(|name| scope.host(name));
                asks_an_instance(&request.dialled(), via.as_ref(), request.via.is_none(), scope)
            } =>
        {
            write!(line, "http = [{{ to = \"instances\" }}]")
        }
        Request::Http(request) => {
            let _ = write!(line, "http = [{{ to = {}", text(&request.dialled().to_string()));
            let _ = if request.via.is_some() { write!(line, ", via = {group}") } else { Ok(()) };
            write!(line, " }}]")
        }
        Request::Secret(request) => write!(line, "{}", secret_line(request, scope)),
    };
    line
}

/// The entry that binds a secret to the place that was asked for.
fn secret_line(request: &SecretRequest<'_>, scope: &Scope<'_>) -> String {
    let to = match &request.place {
        SecretPlace::Header { origin, header, .. } => {
            format!("to = {}, header = {}", text(&origin.to_string()), text(&header.to_ascii_lowercase()))
        }
        SecretPlace::Body { origin, .. } => format!("to = {}, body = true", text(&origin.to_string())),
        SecretPlace::Variable { program, variable } => {
            format!("exec = {}, env = {}", text(&scope.unfill(program)), text(variable))
        }
        SecretPlace::Input { program } => format!("exec = {}, input = true", text(&scope.unfill(program))),
        SecretPlace::Hmac { prefix, chain, dates } => {
            let granted = |part: &String| if dates.contains(part) { DATE.to_owned() } else { part.clone() };
            let chain: Vec<String> = chain.iter().map(granted).collect();
            format!("hmac = {{ prefix = {}, chain = {} }}", text(prefix), list(&chain))
        }
        SecretPlace::Hook => "reveal = true".to_owned(),
    };
    format!("secrets = [{{ name = {}, {to} }}]", text(request.name))
}

/// A TOML string.
fn text(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn list<T: AsRef<str>>(texts: &[T]) -> String {
    let texts: Vec<String> = texts.iter().map(|one| text(one.as_ref())).collect();
    format!("[{}]", texts.join(", "))
}
