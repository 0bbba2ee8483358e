//! Secrets: each entry binds one to one place, and nothing else gets it.

use std::fmt;

use super::check::asks_an_instance;
use super::{Allowed, Denied, Grants, Origin, Request, Scope};
use crate::model::Name;

/// An entry of `grants.secrets`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretGrant {
    /// Name in `[secrets]`.
    pub name: Name,
    /// The one thing that may be done with it.
    pub to: SecretTarget,
}

/// What an entry of `grants.secrets` lets a hook do with a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretTarget {
    /// `to` and `header`: a header of requests to an origin.
    Header {
        /// `https://name[:port]`, exact.
        origin: String,
        /// In lower case.
        header: String,
    },
    /// `to` and `body = true`: the body of requests to an origin.
    Body {
        /// `https://name[:port]`, exact.
        origin: String,
    },
    /// `exec` and `env`: a variable of a program, which an entry of `exec` grants with that variable.
    Variable {
        /// As in that entry.
        program: String,
        /// The variable.
        variable: String,
    },
    /// `exec` and `input = true`: the input of a program, which an entry of `exec` grants with an input.
    Input {
        /// As in that entry.
        program: String,
    },
    /// `hmac`: signatures with keys that are made of it.
    Hmac {
        /// What stands before the secret in the first key.
        prefix: String,
        /// Texts that make the further keys; `{date}` is a date within a day of now, `YYYYMMDD`.
        chain: Vec<String>,
    },
    /// `reveal = true`: the hook sees its text.
    Reveal,
}

/// What stands in a chain for a date.
pub const DATE: &str = "{date}";

/// One use of a secret that a hook asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRequest<'a> {
    /// As the hook named it.
    pub name: &'a str,
    /// Where it would go.
    pub place: SecretPlace<'a>,
}

/// Where a secret would go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace<'a> {
    /// A header of a request.
    Header {
        /// Origin of the URL.
        origin: &'a Origin,
        /// Where the connection really goes.
        dialled: &'a Origin,
        /// The header, in any case.
        header: &'a str,
    },
    /// The body of a request.
    Body {
        /// Origin of the URL.
        origin: &'a Origin,
        /// Where the connection really goes.
        dialled: &'a Origin,
    },
    /// A variable of a program.
    Variable {
        /// The program.
        program: &'a str,
        /// The variable.
        variable: &'a str,
    },
    /// The input of a program.
    Input {
        /// The program.
        program: &'a str,
    },
    /// A signature.
    Hmac {
        /// What stands before the secret in the first key.
        prefix: &'a str,
        /// Texts that make the further keys.
        chain: &'a [String],
        /// The dates that `{date}` stands for: those within a day of now, `YYYYMMDD`.
        dates: &'a [String],
    },
    /// The hook itself.
    Hook,
}

impl Grants {
    /// The secrets that entries name, one or more times.
    pub fn secret_names(&self) -> impl Iterator<Item = &Name> {
        self.secrets.iter().flatten().map(|grant| &grant.name)
    }

    /// Whether an entry binds the secret to exactly this place.
    pub(super) fn check_secret(
        &self,
        asked: &SecretRequest<'_>,
        request: &Request<'_>,
        scope: &Scope<'_>,
    ) -> Result<Allowed, Denied> {
        let is_bound =
            |grant: &SecretGrant| grant.name.as_str() == asked.name && binds(&grant.to, &asked.place, scope);
        if self.secrets.iter().flatten().any(is_bound) {
            return Ok(Allowed::Secret);
        }
        if let SecretPlace::Header { origin, dialled, .. } | SecretPlace::Body { origin, dialled } =
            asked.place
        {
            if origin != dialled {
                return Err(Denied::outright(request, ELSEWHERE));
            }
            // From whichever host: what is under test is what an instance runs.
            if asks_an_instance(dialled, None, true, scope) || scope.is_local_to_an_instance(dialled) {
                return Err(Denied::outright(request, INSTANCE));
            }
        }
        Err(Denied::grantable(request, scope, "not granted"))
    }
}

/// For a request that would take a secret away from where its URL leads.
const ELSEWHERE: &str = "a secret goes where the URL itself leads, and this connection goes elsewhere";

/// For a request that would give a secret to a release that is only being tried.
const INSTANCE: &str =
    "no entry gives secrets to `instances`: where that is meant, name this origin in `http` and in `secrets`";

fn binds(target: &SecretTarget, place: &SecretPlace<'_>, scope: &Scope<'_>) -> bool {
    let leads = |granted: &str, origin: &Origin, dialled: &Origin| {
        Origin::parse(granted).is_ok_and(|granted| granted == *origin && granted == *dialled)
    };
    match (target, place) {
        (
            SecretTarget::Header { origin, header },
            SecretPlace::Header { origin: to, dialled, header: asked },
        ) => leads(origin, to, dialled) && header.eq_ignore_ascii_case(asked),
        (SecretTarget::Body { origin }, SecretPlace::Body { origin: to, dialled }) => {
            leads(origin, to, dialled)
        }
        (
            SecretTarget::Variable { program, variable },
            SecretPlace::Variable { program: run, variable: set },
        ) => scope.fill(program) == *run && variable == set,
        (SecretTarget::Input { program }, SecretPlace::Input { program: run }) => scope.fill(program) == *run,
        (SecretTarget::Hmac { prefix, chain }, SecretPlace::Hmac { prefix: with, chain: through, dates }) => {
            let fits = |(granted, asked): (&String, &String)| {
                if granted == DATE { dates.contains(asked) } else { granted == asked }
            };
            prefix == with && chain.len() == through.len() && chain.iter().zip(*through).all(fits)
        }
        (SecretTarget::Reveal, SecretPlace::Hook) => true,
        _ => false,
    }
}

/// As people read it.
impl fmt::Display for SecretRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name;
        match &self.place {
            SecretPlace::Header { origin, header, .. } => {
                write!(f, "send secret `{name}` in header `{header}` to {origin}")
            }
            SecretPlace::Body { origin, .. } => write!(f, "send secret `{name}` in a body to {origin}"),
            SecretPlace::Variable { program, variable } => {
                write!(f, "hand secret `{name}` in `{variable}` to `{program}`")
            }
            SecretPlace::Input { program } => write!(f, "hand secret `{name}` in the input to `{program}`"),
            SecretPlace::Hmac { prefix, chain, .. } => {
                write!(f, "sign with secret `{name}`, prefix `{prefix}`, chain `{}`", chain.join("`, `"))
            }
            SecretPlace::Hook => write!(f, "see secret `{name}`"),
        }
    }
}

#[cfg(test)]
mod tests;
