//! What hooks are asked.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::HookCase;
use super::call::{CaseInstance, CaseSource, Shares};
use crate::model::{Color, HookKind, HostName, Instance, Routing, Source};

/// A question with all that is asked beside the call itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// For faults of the settings, whatever kind it is.
    Validate,
    /// For an artifact.
    Build(Source),
    /// How one instance is.
    Check(Instance),
    /// For the cases of a smoke test.
    Smoke,
    /// What a router can do.
    Features,
    /// What a router does.
    Observe(HostName),
    /// What would change at a router.
    Prepare(HostName, Routing),
    /// To move a router.
    Apply(HostName, Routing),
    /// To forget what was prepared at a router.
    Discard(HostName),
    /// What is open at a router to a colour.
    Connections(HostName, Color),
}

impl Asked {
    /// As the contract names it.
    #[must_use]
    pub const fn question(&self) -> HookQuestion {
        match self {
            Self::Validate => HookQuestion::Validate,
            Self::Build(_) | Self::Smoke => HookQuestion::Run,
            Self::Check(_) => HookQuestion::Check,
            Self::Features => HookQuestion::Features,
            Self::Observe(_) => HookQuestion::Observe,
            Self::Prepare(..) => HookQuestion::Prepare,
            Self::Apply(..) => HookQuestion::Apply,
            Self::Discard(_) => HookQuestion::Discard,
            Self::Connections(..) => HookQuestion::Connections,
        }
    }

    /// About what: `web1-blue`, `lb1`; empty where it is about nothing in particular.
    #[must_use]
    pub fn about(&self) -> String {
        match self {
            Self::Validate | Self::Build(_) | Self::Smoke | Self::Features => String::new(),
            Self::Check(instance) => format!("{}-{}", instance.host, instance.color),
            Self::Observe(router) | Self::Discard(router) => router.to_string(),
            Self::Prepare(router, _) | Self::Apply(router, _) => router.to_string(),
            Self::Connections(router, color) => format!("{router}-{color}"),
        }
    }

    /// What a case asks; none where it does not say all of it, which is one of its [faults](HookCase::faults).
    pub(super) fn of(case: &HookCase) -> Option<Self> {
        let (router, want) = (|| case.router.clone(), || case.want.as_ref().map(Shares::routing));
        Some(match case.question()? {
            HookQuestion::Validate => Self::Validate,
            HookQuestion::Run if case.kind == HookKind::Build => Self::Build(case.source.as_ref()?.source()),
            HookQuestion::Run => Self::Smoke,
            HookQuestion::Check => Self::Check(case.call.instances.first()?.instance()),
            HookQuestion::Features => Self::Features,
            HookQuestion::Observe => Self::Observe(router()?),
            HookQuestion::Prepare => Self::Prepare(router()?, want()?),
            HookQuestion::Apply => Self::Apply(router()?, want()?),
            HookQuestion::Discard => Self::Discard(router()?),
            HookQuestion::Connections => Self::Connections(router()?, case.of?),
        })
    }

    /// Writes it into a case.
    pub(super) fn write(&self, case: &mut HookCase) {
        let question = self.question();
        case.ask = (HookQuestion::only(case.kind) != Some(question)).then_some(question);
        match self {
            Self::Validate | Self::Smoke | Self::Features => {}
            Self::Build(source) => case.source = Some(CaseSource::from(source)),
            Self::Check(instance) => {
                let asked = CaseInstance::from(instance);
                case.call.instances.retain(|other| *other != asked);
                case.call.instances.insert(0, asked);
            }
            Self::Observe(router) | Self::Discard(router) => case.router = Some(router.clone()),
            Self::Prepare(router, want) | Self::Apply(router, want) => {
                case.router = Some(router.clone());
                case.want = Some(Shares::of(want));
            }
            Self::Connections(router, of) => {
                case.router = Some(router.clone());
                case.of = Some(*of);
            }
        }
    }
}

/// A function of the contract that the engine calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookQuestion {
    /// Of every kind: faults of its settings.
    Validate,
    /// Of builds and smoke tests.
    Run,
    /// Of health checks.
    Check,
    /// Of routers.
    Features,
    /// Of routers.
    Observe,
    /// Of routers.
    Prepare,
    /// Of routers.
    Apply,
    /// Of routers.
    Discard,
    /// Of routers.
    Connections,
}

impl HookQuestion {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Validate,
        Self::Run,
        Self::Check,
        Self::Features,
        Self::Observe,
        Self::Prepare,
        Self::Apply,
        Self::Discard,
        Self::Connections,
    ];

    /// What a kind of hook is asked.
    #[must_use]
    pub const fn of(kind: HookKind) -> &'static [Self] {
        match kind {
            HookKind::Build | HookKind::SmokeTest => &[Self::Run, Self::Validate],
            HookKind::HealthCheck => &[Self::Check, Self::Validate],
            HookKind::Router => &[
                Self::Features,
                Self::Observe,
                Self::Prepare,
                Self::Apply,
                Self::Discard,
                Self::Connections,
                Self::Validate,
            ],
        }
    }

    /// The one thing that a kind is asked beside `validate`; none where there are several.
    #[must_use]
    pub const fn only(kind: HookKind) -> Option<Self> {
        match Self::of(kind) {
            [only, Self::Validate] => Some(*only),
            _ => None,
        }
    }

    /// As the contract names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Run => "run",
            Self::Check => "check",
            Self::Features => "features",
            Self::Observe => "observe",
            Self::Prepare => "prepare",
            Self::Apply => "apply",
            Self::Discard => "discard",
            Self::Connections => "connections",
        }
    }

    /// Whether nothing may be changed while it is asked, whatever is granted.
    #[must_use]
    pub const fn only_reads(self) -> bool {
        match self {
            Self::Validate | Self::Features | Self::Observe | Self::Connections => true,
            Self::Run | Self::Check | Self::Prepare | Self::Apply | Self::Discard => false,
        }
    }

    /// Keys of a case that say what exactly is asked.
    #[must_use]
    pub const fn needs(self, kind: HookKind) -> &'static [&'static str] {
        match self {
            Self::Run if matches!(kind, HookKind::Build) => &["source"],
            Self::Validate | Self::Run | Self::Check | Self::Features => &[],
            Self::Observe | Self::Discard => &["router"],
            Self::Prepare | Self::Apply => &["router", "want"],
            Self::Connections => &["router", "of"],
        }
    }

    /// Keys of the answer that it may get.
    #[must_use]
    pub const fn answers(self, kind: HookKind) -> &'static [&'static str] {
        match self {
            Self::Validate => &["faults", "error"],
            Self::Run if matches!(kind, HookKind::Build) => &["path", "version", "labels", "error"],
            Self::Run => &["cases", "error"],
            Self::Check => &["health", "release", "reason", "error"],
            Self::Features => &["features", "error"],
            Self::Observe => &["known", "routing", "settled", "labels", "error"],
            Self::Prepare => &["text", "error"],
            Self::Apply | Self::Discard => &["done", "error"],
            Self::Connections => &["known", "connections", "error"],
        }
    }
}

impl fmt::Display for HookQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
