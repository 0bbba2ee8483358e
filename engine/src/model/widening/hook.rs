//! One use of a hook: which component it is, what that asks for, what it may do and use.

use super::finding::Findings;
use super::grants::{self, Groups};
use super::{Posture, WideningKind, pin};
use crate::model::{Deployment, Hook, HookSource, Limit, Limits, LockedHook, Unit};

/// A hook, with what it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use<'a> {
    pub(super) posture: &'a Posture,
    pub(super) deployment: &'a Deployment,
    pub(super) hook: &'a Hook,
}

impl<'a> Use<'a> {
    fn requested(&self) -> String {
        self.hook.source.requested(&self.deployment.root)
    }

    fn locked(&self) -> Option<&'a LockedHook> {
        self.posture.lock.hooks.get(&self.requested())
    }

    /// What it is: its source, and which component that has to be.
    fn identity(&self) -> String {
        let requested = self.requested();
        match (&self.hook.source, self.posture.digest(self.hook, self.deployment)) {
            (HookSource::Builtin(_), _) => format!("`{requested}`"),
            (_, Some(digest)) if self.is_open() => format!("`{requested}`, {digest}, which nothing pins"),
            (_, Some(digest)) => format!("`{requested}`, {digest}"),
            (_, None) => format!("`{requested}`, which nothing pins"),
        }
    }

    /// Whether whatever its source holds is run.
    fn is_open(&self) -> bool {
        !matches!(self.hook.source, HookSource::Builtin(_)) && pin(self.hook).is_none()
    }
}

pub(super) fn compare(old: Option<Use<'_>>, new: Use<'_>, findings: &mut Findings) {
    let Hook {
        title,
        source: _,
        settings: _,
        timeout,
        grants,
        bundled_grants: _,
        limits,
        location: _,
        sha256: _,
        locked: _,
    } = new.hook;
    let subject = format!("hook `{title}`");
    component(old, new, &subject, findings);
    imports(old, new, &subject, findings);
    let groups = Groups { old: old.map(|old| old.deployment), new: new.deployment };
    grants::compare(old.map(|old| &old.hook.grants), grants, &groups, &subject, findings);
    let standard = Limits::default();
    let before = old.map_or(&standard, |old| &old.hook.limits);
    for limit in Limit::ALL {
        let (was, is) = (before.get(*limit), limits.get(*limit));
        if is > was {
            let text = format!("{subject}: `{limit}` is {}", limit.text(is));
            findings.became(WideningKind::Limit, text, Some(limit.text(was)));
        }
    }
    if let Some(old) = old
        && *timeout > old.hook.timeout
    {
        let told =
            |time: std::time::Duration| Unit::Time.text(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let text = format!("{subject}: `timeout` is {}", told(*timeout));
        findings.became(WideningKind::Limit, text, Some(told(old.hook.timeout)));
    }
}

fn component(old: Option<Use<'_>>, new: Use<'_>, subject: &str, findings: &mut Findings) {
    let Some(old) = old else {
        return findings.is(WideningKind::Hook, format!("{subject} is new: {}", new.identity()));
    };
    let digest = |side: Use<'_>| side.posture.digest(side.hook, side.deployment).cloned();
    let same = old.requested() == new.requested() && digest(old) == digest(new);
    // A copy of the very component elsewhere is no other one.
    let moved = !same && digest(new).is_some() && digest(old) == digest(new);
    if !same && !moved {
        let text = format!("{subject} is another component: {}", new.identity());
        findings.became(WideningKind::Hook, text, Some(old.identity()));
    } else if new.is_open() && !old.is_open() {
        let text = format!("{subject} is whatever `{}` holds: nothing pins it", new.requested());
        findings.became(WideningKind::Hook, text, Some(old.identity()));
    }
}

fn imports(old: Option<Use<'_>>, new: Use<'_>, subject: &str, findings: &mut Findings) {
    let Some(locked) = new.locked() else { return };
    let same = |old: Use<'_>| old.posture.digest(old.hook, old.deployment) == Some(&locked.sha256);
    let before = match old {
        Some(old) => match old.locked() {
            Some(before) => before.imports.as_slice(),
            None if same(old) => return,
            None => &[],
        },
        None => &[],
    };
    let gained: Vec<&str> =
        locked.imports.iter().filter(|import| !before.contains(import)).map(String::as_str).collect();
    if !gained.is_empty() {
        findings.is(WideningKind::Import, format!("{subject} asks for {}", gained.join(", ")));
    }
}
