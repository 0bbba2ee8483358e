//! What `cutover hook run` shows.

use serde::Serialize;

use crate::model::case::{HookQuestion, Said};
use crate::model::{Denial, HookKind};

/// One question to a hook of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HookRunView {
    /// Its title.
    pub hook: String,
    /// Its kind.
    pub kind: HookKind,
    /// `sha256:…` of its component.
    pub digest: String,
    /// What it was asked.
    pub question: HookQuestion,
    /// About what: an instance, a router, a colour.
    pub about: String,
    /// What it asked of hosts and servers, in order.
    pub calls: Vec<RunCall>,
    /// What it was denied.
    pub denied: Vec<Denial>,
    /// What it answered.
    pub said: Said,
    /// How long it took, with all calls.
    pub took_ms: u64,
    /// The case that was written.
    pub recorded: Option<String>,
}

/// A call that a hook made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunCall {
    /// What it asked.
    pub call: String,
    /// What it was answered, in a few words.
    pub answer: String,
    /// Whether it was not granted.
    pub denied: bool,
    /// How long the answer took.
    pub took_ms: u64,
}
