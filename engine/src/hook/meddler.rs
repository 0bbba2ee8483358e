//! What stands between a hook and the world while it is found out how the hook takes it when something goes wrong.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::broker::{Broker, Reply};
use super::contract::cutover::hook::hosts::HostError;
use super::contract::cutover::hook::http_client::HttpError;
use super::outside;
use super::wire::{Answer, Import};
use crate::model::Mishap;

/// Listens to the calls of imports that reach hosts and servers, and lets one of them go wrong.
#[derive(Debug, Default)]
pub struct Meddler {
    /// Which call, and how.
    mishap: Option<(Place, Mishap)>,
    /// What was answered at an earlier time.
    past: Memory,
    heard: Mutex<Heard>,
    pause: watch::Sender<Pause>,
}

/// How far the pause has come that lets somebody else overtake the hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Pause {
    #[default]
    Ahead,
    Now,
    Over,
}

/// One call among those that a question makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The call, as people read it.
    pub call: String,
    /// Which of those that are alike, counted from 0.
    pub nth: usize,
}

/// Answers of the world, by what was asked: the first one, where it was asked again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory(BTreeMap<String, Kept>);

/// An answer as it was sent: the message as JSON, and the bytes beside it.
type Kept = (Vec<u8>, Vec<u8>);

#[derive(Debug, Default)]
struct Heard {
    /// Each call, in order, as people read it.
    calls: Vec<String>,
    memory: Memory,
    happened: bool,
}

/// What becomes of a call.
pub(super) enum Meddled {
    /// It is answered, where it has an answer.
    Answered(Option<Reply>),
    /// The hook does not live to hear the answer.
    Killed,
}

impl Meddler {
    /// Listens, and lets nothing go wrong.
    #[must_use]
    pub fn listening() -> Self {
        Self::default()
    }

    /// Lets one call go wrong; `past` is what the world answered before it was changed last.
    #[must_use]
    pub fn at(place: Place, mishap: Mishap, past: Memory) -> Self {
        Self { mishap: Some((place, mishap)), past, ..Self::default() }
    }

    /// The calls that were heard, in order, as people read them.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.heard().calls.clone()
    }

    /// What the world answered.
    #[must_use]
    pub fn memory(&self) -> Memory {
        self.heard().memory.clone()
    }

    /// Whether anything went wrong as it was meant to.
    #[must_use]
    pub fn happened(&self) -> bool {
        self.heard().happened
    }

    /// Waits until the hook pauses to be overtaken; false where it has come to its end without that.
    pub async fn pauses(&self) -> bool {
        let mut pause = self.pause.subscribe();
        let came = pause.wait_for(|pause| *pause != Pause::Ahead).await;
        came.is_ok_and(|pause| *pause == Pause::Now)
    }

    /// Lets the hook go on, or tells that there is none any more.
    pub fn resume(&self) {
        self.pause.send_replace(Pause::Over);
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call; how it goes wrong, when it does.
    fn hear(&self, call: String) -> Option<Mishap> {
        let mut heard = self.heard();
        let nth = heard.calls.iter().filter(|before| **before == call).count();
        let is_it = |(place, _): &&(Place, Mishap)| place.call == call && place.nth == nth;
        let mishap = self.mishap.as_ref().filter(is_it).map(|(_, mishap)| *mishap);
        heard.calls.push(call);
        heard.happened |= mishap.is_some();
        mishap
    }

    pub(super) async fn answer(&self, broker: &mut Broker<'_>, import: Import, payload: Vec<u8>) -> Meddled {
        let Some(call) = outside::asked(&import, &payload).map(|call| call.words()) else {
            return Meddled::Answered(broker.answer(import, payload).await);
        };
        let key = serde_json::to_string(&import).unwrap_or_default();
        let refusal =
            |how: Mishap| Meddled::Answered(refusal(&import, how).map(|answer| (answer, Vec::new())));
        match self.hear(call) {
            Some(how @ (Mishap::Refused | Mishap::Silent)) => refusal(how),
            Some(Mishap::Lost) => {
                let lost = refusal(Mishap::Lost);
                broker.answer(import, payload).await;
                lost
            }
            Some(Mishap::Killed) => {
                broker.answer(import, payload).await;
                Meddled::Killed
            }
            Some(Mishap::Overtaken) => {
                let reply = broker.answer(import, payload).await;
                self.pause.send_replace(Pause::Now);
                // It is told by the value that this belongs to, which does not go before.
                let _ = self.pause.subscribe().wait_for(|pause| *pause == Pause::Over).await;
                Meddled::Answered(reply)
            }
            Some(Mishap::Outdated) => match self.past.recall(&key) {
                Some(reply) => Meddled::Answered(Some(reply)),
                None => {
                    self.heard().happened = false;
                    Meddled::Answered(broker.answer(import, payload).await)
                }
            },
            None => {
                let reply = broker.answer(import, payload).await;
                if let Some(reply) = &reply {
                    self.heard().memory.keep(key, reply);
                }
                Meddled::Answered(reply)
            }
        }
    }
}

impl Memory {
    fn keep(&mut self, key: String, (answer, payload): &Reply) {
        if let Ok(text) = serde_json::to_vec(answer) {
            self.0.entry(key).or_insert_with(|| (text, payload.clone()));
        }
    }

    fn recall(&self, key: &str) -> Option<Reply> {
        let (text, payload) = self.0.get(key)?;
        Some((serde_json::from_slice(text).ok()?, payload.clone()))
    }
}

/// What the guest is told instead of what the world says.
fn refusal(import: &Import, how: Mishap) -> Option<Answer> {
    let host = || match how {
        Mishap::Silent => HostError::TimedOut(how.to_string()),
        Mishap::Lost => HostError::Broken(how.to_string()),
        Mishap::Refused | Mishap::Killed | Mishap::Outdated | Mishap::Overtaken => {
            HostError::Failed(how.to_string())
        }
    };
    let http = || match how {
        Mishap::Silent => HttpError::TimedOut(how.to_string()),
        Mishap::Lost => HttpError::Broken(how.to_string()),
        Mishap::Refused | Mishap::Killed | Mishap::Outdated | Mishap::Overtaken => {
            HttpError::Connect(how.to_string())
        }
    };
    Some(match import {
        Import::Exec { .. } => Answer::Output(Err(host())),
        Import::Read { .. } => Answer::Content(Err(host())),
        Import::Write { .. } | Import::WriteLink { .. } | Import::Remove { .. } => Answer::Done(Err(host())),
        Import::ReadLink { .. } | Import::Exchange { .. } => Answer::Text(Err(host())),
        Import::ListNames { .. } => Answer::Names(Err(host())),
        Import::Send { .. } => Answer::Response(Err(http())),
        Import::Log { .. } | Import::Progress { .. } | Import::Sign { .. } | Import::Reveal { .. } => {
            return None;
        }
    })
}
