//! What listens while a hook is asked, so that the question can be asked again offline.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::broker::{Broker, Reply};
use super::outside;
use super::wire::Import;
use crate::model::Name;
use crate::model::case::{HookCase, Outside};
use crate::secret::Redactor;

/// What a replay takes for a secret that is only signed with: no request that is compared has a signature in it.
const SIGNED_WITH: &str = "not recorded";

/// Keeps what a hook asks and what it is answered.
#[derive(Debug, Default)]
pub struct Recorder {
    heard: Mutex<Heard>,
}

/// What was heard while a hook was asked. Nothing in it is masked.
#[derive(Debug, Default)]
pub struct Heard {
    /// Each call that reached hosts or servers, in order, and how long its answer took.
    pub calls: Vec<(Outside, Duration)>,
    /// The secrets that were signed with or revealed, with what stands for their values.
    pub secrets: BTreeMap<Name, String>,
}

impl Recorder {
    /// What was heard.
    #[must_use]
    pub fn into_heard(self) -> Heard {
        self.heard.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn answer(
        &self,
        broker: &mut Broker<'_>,
        import: Import,
        payload: Vec<u8>,
    ) -> Option<Reply> {
        self.note_secret(&import);
        let Some(call) = outside::asked(&import, &payload) else {
            return broker.answer(import, payload).await;
        };
        let began = Instant::now();
        let reply = broker.answer(import, payload).await;
        let took = began.elapsed();
        let call = match &reply {
            Some(reply) => outside::answered(call, reply),
            None => call,
        };
        self.heard().calls.push((call, took));
        reply
    }

    /// What is revealed is masked wherever it comes up, so a replay reveals the mask.
    fn note_secret(&self, import: &Import) {
        let (name, value) = if let Import::Reveal { name } = import {
            (name, Redactor::MASK)
        } else if let Import::Sign { name, .. } = import {
            (name, SIGNED_WITH)
        } else {
            return;
        };
        if let Ok(name) = Name::new(name.clone()) {
            self.heard().secrets.insert(name, value.to_owned());
        }
    }
}

/// A case without a secret in any text; none where it is no case any more without it, as where a secret is the name of a host.
#[must_use]
pub fn masked(redactor: &Redactor, case: &HookCase) -> Option<HookCase> {
    let mut value = serde_json::to_value(case).ok()?;
    mask(redactor, &mut value);
    let masked: HookCase = serde_json::from_value(value).ok()?;
    masked.faults().is_empty().then_some(masked)
}

fn mask(redactor: &Redactor, value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => *text = redactor.mask(text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| mask(redactor, item)),
        serde_json::Value::Object(entries) => entries.values_mut().for_each(|value| mask(redactor, value)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}
