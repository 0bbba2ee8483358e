//! What a hook may do now and could not before. Entries are compared by what they allow, host by host, not by how they are written.

use std::collections::BTreeSet;

use super::WideningKind;
use super::finding::Findings;
use crate::model::grant::{
    ConnectGrant, ExecGrant, Grants, HostGroup, HttpGrant, LinkGrant, PathGrant, SecretGrant,
};
use crate::model::{Deployment, HostName, grant_words};

/// The hosts that the words of `grants` stand for, then and now.
#[derive(Debug)]
pub(super) struct Groups<'a> {
    pub(super) old: Option<&'a Deployment>,
    pub(super) new: &'a Deployment,
}

/// Tells each thing that `new` allows and `old` does not, as something that `subject` may do.
pub(super) fn compare(
    old: Option<&Grants>,
    new: &Grants,
    groups: &Groups<'_>,
    subject: &str,
    findings: &mut Findings,
) {
    let nothing = Grants::default();
    let old = old.unwrap_or(&nothing);
    let Grants { exec, read, write, link, connect, http, secrets } = new;
    let mut words = Vec::new();
    words.extend(wider(list(&old.exec), list(exec), groups).iter().map(exec_words));
    let path = |verb| move |grant: &PathGrant| grant_words::path(verb, grant);
    words.extend(wider(list(&old.read), list(read), groups).iter().map(path("read")));
    words.extend(wider(list(&old.write), list(write), groups).iter().map(path("write")));
    words.extend(wider(list(&old.link), list(link), groups).iter().map(grant_words::link));
    words.extend(wider(list(&old.connect), list(connect), groups).iter().map(connect_words));
    words.extend(list(http).iter().filter_map(|grant| wider_http(list(&old.http), grant, groups)));
    let known = |grant: &&SecretGrant| list(&old.secrets).iter().any(|own| own.covers(grant));
    words.extend(list(secrets).iter().filter(|grant| !known(grant)).map(grant_words::secret));
    for words in words {
        findings.is(WideningKind::Grant, format!("{subject} may {words}"));
    }
}

fn list<T>(entries: &Option<Vec<T>>) -> &[T] {
    entries.as_deref().unwrap_or_default()
}

/// An entry that allows something on hosts.
trait OnHosts: Sized {
    fn hosts(&self) -> &HostGroup;
    fn on(&self, hosts: HostGroup) -> Self;
    fn covers(&self, other: &Self) -> bool;

    /// The entries that together allow what this one does, each for one thing where that can be told apart.
    fn parts(&self) -> Vec<Self>;
}

macro_rules! on_hosts {
    ($($entry:ident, |$own:ident| $parts:expr;)*) => {
        $(impl OnHosts for $entry {
            fn hosts(&self) -> &HostGroup {
                &self.hosts
            }

            fn on(&self, hosts: HostGroup) -> Self {
                Self { hosts, ..self.clone() }
            }

            fn covers(&self, other: &Self) -> bool {
                Self::covers(self, other)
            }

            fn parts(&self) -> Vec<Self> {
                let $own = self;
                $parts
            }
        })*
    };
}

on_hosts! {
    ExecGrant, |own| vec![own.clone()];
    PathGrant, |own| vec![own.clone()];
    LinkGrant, |own| {
        let one = |target: &String| Self { targets: vec![target.clone()], ..own.clone() };
        own.targets.iter().map(one).collect()
    };
    ConnectGrant, |own| {
        let one = |line: &String| Self { send: vec![line.clone()], ..own.clone() };
        if own.send.is_empty() { vec![own.clone()] } else { own.send.iter().map(one).collect() }
    };
}

/// The entries of `new`, or the parts of them, that no entry of `old` allows, on the hosts where none does.
fn wider<E: OnHosts>(old: &[E], new: &[E], groups: &Groups<'_>) -> Vec<E> {
    let left = |entry: E| {
        let covering = old.iter().filter(|own| own.covers(&entry)).map(E::hosts);
        groups.left(entry.hosts(), covering).map(|hosts| entry.on(hosts))
    };
    new.iter().flat_map(E::parts).filter_map(left).collect()
}

/// What an entry of `http` allows that no entry of `old` does, in words.
fn wider_http(old: &[HttpGrant], new: &HttpGrant, groups: &Groups<'_>) -> Option<String> {
    let covering = || old.iter().filter(|own| own.covers(new));
    let via =
        new.via.as_ref().and_then(|via| groups.left(via, covering().filter_map(|own| own.via.as_ref())));
    if via.is_none() && covering().next().is_some() {
        return None;
    }
    let from = via.or_else(|| new.via.clone());
    let from = from.map_or_else(String::new, |via| format!(", starting {}", grant_words::on(&via)));
    Some(format!("{}{from}", grant_words::http(new)))
}

impl Groups<'_> {
    /// The hosts of a group on which none of the entries that allow the same did; none where there are no such hosts. That a group has
    /// another host now is told once, not with each grant that names the group.
    fn left<'a>(
        &self,
        group: &HostGroup,
        covering: impl Iterator<Item = &'a HostGroup>,
    ) -> Option<HostGroup> {
        let mut allowed = BTreeSet::new();
        for old in covering {
            if old == group {
                return None;
            }
            allowed.extend(self.old.map(|old_side| members(old, old_side)).unwrap_or_default());
        }
        let left: Vec<HostName> =
            members(group, self.new).into_iter().filter(|host| !allowed.contains(host)).collect();
        match group {
            _ if left.is_empty() => None,
            HostGroup::Named(_) => Some(HostGroup::Named(left)),
            HostGroup::App | HostGroup::Routers | HostGroup::Builder => Some(group.clone()),
        }
    }
}

/// The hosts that a group stands for.
pub(super) fn members(group: &HostGroup, deployment: &Deployment) -> Vec<HostName> {
    let mut hosts: Vec<HostName> = match group {
        HostGroup::Named(names) => names.clone(),
        HostGroup::App => {
            let of = |color| deployment.color_hosts(color).iter().cloned();
            crate::model::Color::ALL.into_iter().flat_map(of).collect()
        }
        HostGroup::Routers => {
            let is_host = |name: &&HostName| deployment.hosts.contains_key(*name);
            deployment.router.names.iter().filter(is_host).cloned().collect()
        }
        HostGroup::Builder => vec![deployment.build.builder.clone()],
    };
    let mut seen = BTreeSet::new();
    hosts.retain(|host| seen.insert(host.clone()));
    hosts
}

fn exec_words(grant: &ExecGrant) -> String {
    let mut words = grant_words::exec(grant);
    let ExecGrant { env, directory, input, read_only, interpreter, .. } = grant;
    if !env.is_empty() {
        words.push_str(&format!(", with {} of its choice", env.join(", ")));
    }
    if !directory.is_empty() {
        words.push_str(&format!(", in {}", directory.join(" or ")));
    }
    if *input {
        words.push_str(", with an input");
    }
    if *interpreter {
        words.push_str(", with code that it brings");
    }
    if *read_only {
        words.push_str(LOOKING);
    }
    words
}

fn connect_words(grant: &ConnectGrant) -> String {
    let looking = if grant.read_only { LOOKING } else { "" };
    format!("{}{looking}", grant_words::connect(grant))
}

/// Of `read-only = true`.
const LOOKING: &str = ", also for `plan` and `status`";
