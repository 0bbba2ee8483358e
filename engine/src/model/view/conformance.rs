//! What `cutover hook conformance` shows.

use serde::Serialize;

use crate::model::{HostName, RouterRule};

/// A router hook, held against its contract at one router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConformanceView {
    /// Which router was asked and moved.
    pub router: HostName,
    /// `builtin:nginx`, or the file or URL of the component.
    pub hook: String,
    /// `sha256:…` of the component.
    pub digest: String,
    /// What `features` named.
    pub features: Vec<String>,
    /// Calls of imports that `prepare`, `apply` (there and back) and `observe` made when all went well, those that are alike twice at most.
    pub calls: usize,
    /// Questions in which something was made to go wrong.
    pub disturbed: usize,
    /// Every rule, in the order of [`RouterRule::ALL`].
    pub rules: Vec<RuleView>,
}

/// What became of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleView {
    /// Its name.
    pub rule: &'static str,
    /// What it asks of a hook.
    pub text: &'static str,
    /// How often it was put to the test.
    pub tried: usize,
    /// How it was broken: the first few times.
    pub broken: Vec<String>,
    /// How often it was broken.
    pub times: usize,
    /// Why it was not put to the test, where it was not.
    pub untried: Option<String>,
}

impl RuleView {
    /// One that was not put to the test yet.
    #[must_use]
    pub const fn new(rule: RouterRule) -> Self {
        let (rule, text) = (rule.name(), rule.text());
        Self { rule, text, tried: 0, broken: Vec::new(), times: 0, untried: None }
    }
}

impl ConformanceView {
    /// How many rules were broken.
    #[must_use]
    pub fn broken(&self) -> usize {
        self.rules.iter().filter(|rule| rule.times > 0).count()
    }
}
