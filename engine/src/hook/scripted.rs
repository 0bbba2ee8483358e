//! What stands in the place of the world while a hook is held against a case.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::broker::{Broker, Reply};
use super::contract::cutover::hook::secrets::SecretError;
use super::meddler::Meddled;
use super::outside;
use super::wire::{Answer, Import};
use crate::model::Name;
use crate::model::case::{HookCase, Script};
use crate::secret::Secret;

/// Answers as a case says, and reaches nothing. What a case has is allowed: it says itself what is denied.
#[derive(Debug)]
pub struct Scripted {
    script: Mutex<Script>,
    secrets: BTreeMap<Name, String>,
}

impl Scripted {
    /// By this case.
    #[must_use]
    pub fn new(case: &HookCase) -> Self {
        Self { script: Mutex::new(Script::new(case)), secrets: case.secrets.clone() }
    }

    /// What has become of the case.
    #[must_use]
    pub fn into_script(self) -> Script {
        self.script.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn answer(&self, broker: &mut Broker<'_>, import: Import, payload: Vec<u8>) -> Meddled {
        if let Some(call) = outside::asked(&import, &payload) {
            return match self.script().answer(&call) {
                Some(entry) => Meddled::Answered(Some(outside::reply(entry))),
                None => Meddled::Killed,
            };
        }
        Meddled::Answered(if let Import::Sign { name, prefix, chain } = &import {
            Some(self.sign(name, prefix, chain, &payload))
        } else if let Import::Reveal { name } = &import {
            Some((Answer::Revealed(self.secret(name).cloned()), Vec::new()))
        } else {
            broker.answer(import, payload).await
        })
    }

    fn sign(&self, name: &str, prefix: &str, chain: &[String], data: &[u8]) -> Reply {
        let secret = self.secret(name).and_then(|value| {
            let short = || format!("the case's value of `{name}` is shorter than {} bytes", Secret::SHORTEST);
            Secret::new(value.clone())
                .ok_or_else(|| SecretError::Other(("secret/too-short".to_owned(), short())))
        });
        match secret {
            Ok(secret) => (Answer::Signature(Ok(())), secret.hmac_sha256(prefix, chain, data)),
            Err(error) => (Answer::Signature(Err(error)), Vec::new()),
        }
    }

    fn secret(&self, name: &str) -> Result<&String, SecretError> {
        let known = self.secrets.iter().find(|(known, _)| known.as_str() == name);
        let denied = || SecretError::Denied(format!("the case has no value of the secret `{name}`"));
        known.map(|(_, value)| value).ok_or_else(denied)
    }
}
