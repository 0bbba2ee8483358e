//! A case for `cutover hook test`: one question to a hook, what the world answers it on the way, and what it has to answer.
//!
//! What is not written in a case is not compared. [`Script`] says what each call of the hook is answered, [`judge`] whether all went as the
//! case says; both are pure.

mod answer;
mod asked;
mod call;
mod compare;
mod outside;
mod said;
mod script;
mod verdict;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use answer::{
    Bytes, Content, Done, HostFault, HostFaultKind, HttpFault, HttpFaultKind, Names, Output, Reply, Text,
};
pub use asked::{Asked, HookQuestion};
pub use call::{CaseCall, CaseInstance, CaseRelease, CaseSource, Shares};
pub use compare::Difference;
pub use outside::{AtPath, Exchange, Exec, Outside, Send, Write, WriteLink};
pub use said::{HealthWord, OutcomeWord, Said, SaidCase, SaidError, SaidFault};
pub use script::{Script, Unexpected};
pub use verdict::{Instead, Mismatch, judge};

use super::{Color, HookCall, HookKind, HostName, Name, SettingFault};

/// Milliseconds for a call whose case says nothing.
const TIMEOUT_MS: u64 = 30_000;

/// A question as it was put to a hook.
#[derive(Debug, Clone, Copy)]
pub struct Put<'a> {
    /// As what it was asked.
    pub kind: HookKind,
    /// Its settings.
    pub settings: &'a serde_json::Value,
    /// The time that it had.
    pub timeout: Duration,
    /// What the call was about.
    pub call: &'a HookCall,
    /// What was asked.
    pub asked: &'a Asked,
}

/// One question to a hook, with all that it needs to be asked again offline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HookCase {
    /// As what the hook is asked.
    pub kind: HookKind,
    /// What it is asked; may be left out where its kind is asked one thing alone, beside `validate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<HookQuestion>,
    /// Which router is asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<HostName>,
    /// Whose connections are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Color>,
    /// For the whole call.
    #[serde(default = "usual_time", skip_serializing_if = "is_usual")]
    pub timeout_ms: u64,
    /// Whether calls to the outside may come in any order.
    #[serde(default, skip_serializing_if = "is_false")]
    pub any_order: bool,
    /// The hook's settings.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// What it may do, as `cutover.toml` says it; none: whatever is answered here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<serde_json::Map<String, serde_json::Value>>,
    /// What the call is about.
    #[serde(default)]
    pub call: CaseCall,
    /// What a router is to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub want: Option<Shares>,
    /// What is built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<CaseSource>,
    /// Values of the secrets that it signs with or has revealed to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<Name, String>,
    /// What it asks of hosts and servers, and what these answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside: Vec<Outside>,
    /// What it has to answer.
    pub expect: Said,
}

impl HookCase {
    /// What the hook is asked.
    #[must_use]
    pub fn question(&self) -> Option<HookQuestion> {
        self.ask.or_else(|| HookQuestion::only(self.kind))
    }

    /// All that is asked beside the call itself; none where the case has [faults](Self::faults).
    #[must_use]
    pub fn asked(&self) -> Option<Asked> {
        Asked::of(self)
    }

    /// A case of what was asked and answered, as it is kept.
    #[must_use]
    pub fn kept(
        question: &Put<'_>,
        outside: Vec<Outside>,
        secrets: BTreeMap<Name, String>,
        expect: Said,
    ) -> Self {
        let settings = question.settings.as_object().cloned().unwrap_or_default();
        let mut case = Self {
            kind: question.kind,
            ask: None,
            router: None,
            of: None,
            timeout_ms: u64::try_from(question.timeout.as_millis()).unwrap_or(u64::MAX),
            any_order: false,
            settings,
            grants: None,
            call: CaseCall::from(question.call),
            want: None,
            source: None,
            secrets,
            outside: outside.into_iter().map(Outside::kept).collect(),
            expect,
        };
        question.asked.write(&mut case);
        case
    }

    /// What makes no sense although each word of it does, by the path of its key.
    #[must_use]
    pub fn faults(&self) -> Vec<SettingFault> {
        let fault = |key: &str, reason: String| SettingFault { key: key.to_owned(), reason };
        let asks = HookQuestion::of(self.kind);
        let choices = || asks.iter().map(|ask| format!("`{ask}`")).collect::<Vec<_>>().join(", ");
        let Some(question) = self.question() else {
            let reason =
                format!("a {} hook is asked several things: `ask` says which, of {}", self.kind, choices());
            return vec![fault("kind", reason)];
        };
        if !asks.contains(&question) {
            let reason = format!("a {} hook is not asked `{question}`, but {}", self.kind, choices());
            return vec![fault("ask", reason)];
        }
        let mut faults = Vec::new();
        for (key, there) in [
            ("router", self.router.is_some()),
            ("want", self.want.is_some()),
            ("of", self.of.is_some()),
            ("source", self.source.is_some()),
        ] {
            match (question.needs(self.kind).contains(&key), there) {
                (true, false) => faults.push(fault("kind", format!("`{question}` needs the key `{key}`"))),
                (false, true) => faults.push(fault(key, format!("`{question}` has no `{key}`"))),
                (true, true) | (false, false) => {}
            }
        }
        if question == HookQuestion::Check && self.call.instances.is_empty() {
            let reason =
                "`check` needs one instance in `call.instances`: the one that is asked about".to_owned();
            faults.push(fault("call", reason));
        }
        if let Some(key) =
            self.expect.keys().into_iter().find(|key| !question.answers(self.kind).contains(&key.as_str()))
        {
            let answers = question
                .answers(self.kind)
                .iter()
                .map(|key| format!("`{key}`"))
                .collect::<Vec<_>>()
                .join(", ");
            faults.push(fault(&format!("expect.{key}"), format!("`{question}` is answered by {answers}")));
        }
        if self.expect.keys().is_empty() {
            faults.push(fault("expect", "it expects nothing, so that every answer would do".to_owned()));
        }
        for (index, outside) in self.outside.iter().enumerate() {
            if outside.changes() && question.only_reads() && !outside.is_answered_with_denied() {
                let reason = format!(
                    "whatever is granted, this is denied while a hook is asked `{question}`: answer it so, with \
                     `error = {{ kind = \"denied\" }}`"
                );
                faults.push(fault(&format!("outside[{index}]"), reason));
            }
            if let Err(reason) = outside.check() {
                faults.push(fault(&format!("outside[{index}]"), reason));
            }
        }
        faults
    }
}

const fn usual_time() -> u64 {
    TIMEOUT_MS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is how serde asks")]
const fn is_usual(milliseconds: &u64) -> bool {
    *milliseconds == TIMEOUT_MS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is how serde asks")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Whether a value may be left out.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
