//! A loaded hook, asked by data: for cases, and for who asks one thing alone.

use super::{Access, Answered, HookFailure, LoadedHook};
use crate::model::HookCall;
use crate::model::case::{Asked, Said};

impl LoadedHook {
    /// Asks it, and says what it answered.
    pub async fn ask_for(&self, asked: &Asked, call: &HookCall, access: Access<'_>) -> Answered<Said> {
        match asked {
            Asked::Validate => self.validate(access).await.map(Said::from),
            Asked::Build(source) => self.build(call, source, access).await.map(Said::from),
            Asked::Check(instance) => self.check_health(call, instance, access).await.map(Said::from),
            Asked::Smoke => self.smoke(call, access).await.map(Said::from),
            Asked::Features => self.features(call, access).await.map(Said::from),
            Asked::Observe(router) => self.observe(call, router, access).await.map(Said::from),
            Asked::Prepare(router, want) => self.prepare(call, router, want, access).await.map(Said::from),
            Asked::Apply(router, want) => self.apply(call, router, want, access).await.map(Said::from),
            Asked::Discard(router) => self.discard(call, router, access).await.map(Said::from),
            Asked::Connections(router, of) => {
                self.connections(call, router, *of, access).await.map(Said::from)
            }
        }
    }
}

impl<T> Answered<T> {
    /// The same with another answer.
    fn map<U>(self, map: impl FnOnce(T) -> U) -> Answered<U> {
        Answered { result: self.result.map(map), denials: self.denials }
    }
}

impl HookFailure {
    /// As a case has it: the contract's errors by their names, and what is none by what it is called in errors.
    #[must_use]
    pub fn said(&self) -> Said {
        let kind = self.code();
        Said::error(kind.strip_prefix("hook/").unwrap_or(kind), self.to_string())
    }
}
