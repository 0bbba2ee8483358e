//! Machines, the ways to them, and the keys by which they are known.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::Findings;
use super::{Posture, WideningKind};
use crate::model::{Deployment, Destination, Host, HostName, Reach};

pub(super) fn compare(
    old: &BTreeMap<HostName, Host>,
    new: &BTreeMap<HostName, Host>,
    findings: &mut Findings,
) {
    for (name, host) in new {
        match old.get(name) {
            None => {
                let text = format!("host `{name}` is new: {}", reached(&host.reach));
                findings.is(WideningKind::Host, text);
            }
            Some(before) => changed(before, host, findings),
        }
    }
}

fn changed(old: &Host, new: &Host, findings: &mut Findings) {
    let Host { name, reach, address } = new;
    let mut became = |text: String, before: String| {
        findings.became(WideningKind::Host, format!("host `{name}` {text}"), Some(before));
    };
    match (&old.reach, reach) {
        (
            Reach::Ssh {
                destination: old_destination,
                identity_file: old_file,
                helper_directory: old_helper,
            },
            Reach::Ssh { destination, identity_file, helper_directory },
        ) => {
            if old_destination != destination {
                became(format!("is reached as `{destination}`"), format!("`{old_destination}`"));
            }
            if old_file != identity_file {
                let before = old_file.as_ref().map_or("none".to_owned(), |file| format!("`{file}`"));
                let text = match identity_file {
                    Some(file) => format!("is logged in to with the key `{file}`"),
                    None => "is logged in to with any key of whoever deploys".to_owned(),
                };
                became(text, before);
            }
            if old_helper != helper_directory {
                became(
                    format!("keeps the helper program in `{helper_directory}`"),
                    format!("`{old_helper}`"),
                );
            }
        }
        (old, new) if old != new => became(format!("is {}", reached(new)), reached(old)),
        _ => {}
    }
    if old.address != *address {
        became(format!("is `{address}` to the other hosts"), format!("`{}`", old.address));
    }
}

fn reached(reach: &Reach) -> String {
    match reach {
        Reach::Local => "the machine that cutover runs on".to_owned(),
        Reach::Ssh { destination, .. } => format!("reached as `{destination}`"),
    }
}

/// Keys of the places that the hosts of `deployment` are reached at.
pub(super) fn compare_keys(old: &Posture, new: &Posture, deployment: &Deployment, findings: &mut Findings) {
    let places: BTreeSet<String> = deployment
        .hosts
        .values()
        .filter_map(|host| match &host.reach {
            Reach::Ssh { destination, .. } => Destination::parse(destination).map(|it| it.place()),
            Reach::Local => None,
        })
        .collect();
    let none = BTreeSet::new();
    for place in places {
        let before = old.host_keys.get(&place).unwrap_or(&none);
        let now = new.host_keys.get(&place).unwrap_or(&none);
        let told = |keys: &BTreeSet<String>| {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            (!keys.is_empty()).then(|| keys.join(", "))
        };
        for key in now.difference(before) {
            let text = format!("`{place}` is known by the key {key}");
            findings.became(WideningKind::HostKey, text, told(before));
        }
        if now.is_empty() && !before.is_empty() {
            let text = format!("`{place}` is pinned by no key: the known_hosts of whoever deploys counts");
            findings.became(WideningKind::HostKey, text, told(before));
        }
    }
}
