//! What stands in the place of the world while a hook is held against a case.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::broker::{Broker, Reply};
use super::contract::cutover::hook::hosts::HostError;
use super::contract::cutover::hook::http_client::HttpError;
use super::contract::cutover::hook::secrets::SecretError;
use super::meddler::Meddled;
use super::wire::{Answer, Import};
use super::{Between, outside};
use crate::model::Name;
use crate::model::case::{HookCase, Script};
use crate::secret::Secret;

/// What is allowed, where a case answers it.
pub(super) const NOWHERE: &str = "a case answers this";

/// Answers as a case says, and reaches nothing. What a case has is allowed, unless it has grants of its own: else it says itself what is denied.
#[derive(Debug)]
pub struct Scripted {
    script: Mutex<Script>,
    secrets: BTreeMap<Name, String>,
    has_grants: bool,
}

impl Scripted {
    /// By this case.
    #[must_use]
    pub fn new(case: &HookCase) -> Self {
        Self {
            script: Mutex::new(Script::new(case)),
            secrets: case.secrets.clone(),
            has_grants: case.grants.is_some(),
        }
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
        if self.has_grants
            && let Some(denied) = refused(broker, &import, &payload).await
        {
            return Meddled::Answered(Some(denied));
        }
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

impl Broker<'_> {
    /// Whether a case stands in the place of the world: then what is allowed is answered by it, and nothing is looked up for it.
    pub(super) const fn reaches_nothing(&self) -> bool {
        matches!(self.access.between, Some(Between::Scripted(_)))
    }

    /// # Errors
    /// When it is so.
    pub(super) fn reach_hosts(&self) -> Result<(), HostError> {
        if self.reaches_nothing() { Err(HostError::Unreachable(NOWHERE.to_owned())) } else { Ok(()) }
    }
}

/// What the engine itself answers to what is not granted, or makes no sense; none for what it would do.
async fn refused(broker: &mut Broker<'_>, import: &Import, payload: &[u8]) -> Option<Reply> {
    let answer = if let Import::Sign { name, prefix, chain } = import {
        Answer::Signature(Err(broker.may_sign(name, prefix, chain).err()?))
    } else if let Import::Reveal { name } = import {
        Answer::Revealed(Err(broker.may_reveal(name).err()?))
    } else if matches!(import, Import::Log { .. } | Import::Progress { .. }) {
        return None;
    } else {
        let (answer, _) = broker.answer(import.clone(), payload.to_vec()).await?;
        if is_allowed(&answer) {
            return None;
        }
        answer
    };
    Some((answer, Vec::new()))
}

fn is_allowed(answer: &Answer) -> bool {
    if let Answer::Output(Err(error))
    | Answer::Content(Err(error))
    | Answer::Done(Err(error))
    | Answer::Text(Err(error))
    | Answer::Names(Err(error)) = answer
    {
        return matches!(error, HostError::Unreachable(reason) if reason == NOWHERE);
    }
    matches!(answer, Answer::Response(Err(HttpError::Connect(reason))) if reason == NOWHERE)
}
