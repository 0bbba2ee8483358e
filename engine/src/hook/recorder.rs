//! What listens while a hook is asked, so that the question can be asked again offline.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

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
        serde_json::Value::Object(entries) => {
            for (key, value) in entries {
                if let (serde_json::Value::String(text), "base64") = (&mut *value, key.as_str()) {
                    // A secret in it would not be found as it is written.
                    *text = masked_base64(redactor, text);
                } else {
                    mask(redactor, value);
                }
            }
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

fn masked_base64(redactor: &Redactor, text: &str) -> String {
    let Ok(bytes) = STANDARD.decode(text) else { return redactor.mask(text) };
    let mut stream = redactor.stream();
    let mut masked = stream.feed(&bytes);
    masked.extend(stream.finish());
    STANDARD.encode(masked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn no_text_and_no_bytes_of_a_case_hold_a_secret() {
        let secret = "hunter2-correct-horse";
        let redactor = Redactor::default();
        redactor.add(&Secret::new(secret.to_owned()).expect("long enough"));
        let bytes = |text: &str| STANDARD.encode([&[0xff], text.as_bytes(), &[0xfe]].concat());
        let case = |of: &str| -> HookCase {
            let text = format!(
                "kind = \"health-check\"\nsettings = {{ a = [\"x {of}\"] }}\ncall.instances = [{{ host = \"web1\", port = 1 }}]\n\
                 [[outside]]\nsend = {{ url = \"http://x/{of}\", answer = {{ headers = [[\"a\", \"{of}\"]], text = \"<{of}>\" }} }}\n\
                 [[outside]]\nread = {{ path = \"/x\", answer = {{ base64 = \"{}\" }} }}\n\
                 [expect]\nreason = \"not {of}\"\n",
                bytes(of)
            );
            toml::from_str(&text).expect("a case")
        };
        assert_eq!(masked(&redactor, &case(secret)), Some(case(Redactor::MASK)));
    }

    #[test]
    fn a_case_with_a_secret_in_a_name_is_none() {
        let redactor = Redactor::default();
        redactor.add(&Secret::new("web1-of-hunter2".to_owned()).expect("long enough"));
        let text =
            "kind = \"router\"\nask = \"observe\"\nrouter = \"web1-of-hunter2\"\nexpect.settled = true\n";
        let case: HookCase = toml::from_str(text).expect("a case");
        assert_eq!(masked(&redactor, &case), None);
    }
}
