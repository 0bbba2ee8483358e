//! Calls that wait for their answers, on one connection.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cutover_host::frame::{self, Header, Kind, MAX_MESSAGE, WINDOW};
use cutover_host::operation::{Answer, Fault};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::{Chunk, Failure};
use crate::model::{HostName, one_line};

/// What waits for a call's frames.
pub(super) enum Sink {
    Answer(oneshot::Sender<Result<Answer, Failure>>),
    Stream { items: mpsc::Sender<Item>, window: Arc<Semaphore>, outstanding: Arc<AtomicU32> },
}

pub(super) enum Item {
    Chunk(Chunk, u32),
    Answer(Result<Answer, Failure>),
}

struct Waiting {
    sink: Sink,
    answer: Vec<u8>,
    _permit: OwnedSemaphorePermit,
}

impl Waiting {
    fn answer(self, answer: Result<Answer, Failure>) {
        match self.sink {
            // Whoever gave up listening does not want it.
            Sink::Answer(sender) => drop(sender.send(answer)),
            Sink::Stream { items, window, .. } => {
                window.close();
                let _ = items.try_send(Item::Answer(answer));
            }
        }
    }
}

/// Calls under way.
pub(super) struct Calls {
    pub(super) host: HostName,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last_id: u64,
    waiting: HashMap<u64, Waiting>,
    failure: Option<Failure>,
}

impl Calls {
    pub(super) fn new(host: HostName) -> Self {
        Self { host, state: Mutex::default() }
    }

    pub(super) fn is_broken(&self) -> bool {
        held(&self.state).failure.is_some()
    }

    pub(super) fn register(&self, sink: Sink, permit: OwnedSemaphorePermit) -> Result<u64, Failure> {
        let mut state = held(&self.state);
        if let Some(failure) = &state.failure {
            // Nothing was sent, so nothing was done.
            return Err(Failure::Unreachable(failure.to_string()));
        }
        state.last_id += 1;
        let id = state.last_id;
        state.waiting.insert(id, Waiting { sink, answer: Vec::new(), _permit: permit });
        Ok(id)
    }

    pub(super) fn broken(&self) -> Failure {
        let known = held(&self.state).failure.clone();
        known.unwrap_or_else(|| Failure::Broken(format!("the connection to host `{}` broke", self.host)))
    }

    /// Answers every call with `failure`, and every later one.
    pub(super) fn fail(&self, failure: Failure) {
        let waiting = {
            let mut state = held(&self.state);
            let failure = state.failure.get_or_insert(failure).clone();
            std::mem::take(&mut state.waiting)
                .into_values()
                .map(move |waiting| (waiting, failure.clone()))
                .collect::<Vec<_>>()
        };
        waiting.into_iter().for_each(|(waiting, failure)| waiting.answer(Err(failure)));
    }

    /// Takes in one frame. Errors with what is wrong with it.
    pub(super) fn take(&self, header: Header, payload: Vec<u8>) -> Result<(), &'static str> {
        let mut state = held(&self.state);
        let Some(waiting) = state.waiting.get_mut(&header.id) else {
            return Err("a frame of a call that was never made");
        };
        match (header.kind, &waiting.sink) {
            (Kind::Out | Kind::Errors, Sink::Stream { items, outstanding, .. }) => {
                let cost = frame::cost(payload.len());
                if outstanding.fetch_add(cost, Ordering::Relaxed) + cost > WINDOW {
                    return Err("more than the window allows");
                }
                let chunk =
                    if header.kind == Kind::Out { Chunk::Out(payload) } else { Chunk::Errors(payload) };
                items.try_send(Item::Chunk(chunk, cost)).or_else(|error| match error {
                    mpsc::error::TrySendError::Full(_) => Err("more pieces than the window allows"),
                    mpsc::error::TrySendError::Closed(_) => Ok(()),
                })
            }
            (Kind::Credit, Sink::Stream { window, .. }) => {
                let credit =
                    payload.try_into().map(u32::from_be_bytes).map_err(|_| "a credit of a wrong length")?;
                if credit as usize + window.available_permits() > WINDOW as usize {
                    return Err("more credit than was ever taken");
                }
                window.add_permits(credit as usize);
                Ok(())
            }
            (Kind::AnswerPart | Kind::Answer, _) => {
                waiting.answer.extend_from_slice(&payload);
                if waiting.answer.len() > MAX_MESSAGE {
                    return Err("an answer that is too large");
                }
                if header.kind == Kind::Answer {
                    let text = std::mem::take(&mut waiting.answer);
                    drop(state);
                    // Until it makes sense the call stays: whoever waits then hears what all others hear.
                    let answer: Result<Answer, Fault> =
                        serde_json::from_slice(&text).map_err(|_| "an answer that makes no sense")?;
                    let failure =
                        |Fault { kind, message }| Failure::Fault(Fault { kind, message: one_line(&message) });
                    let waiting = held(&self.state).waiting.remove(&header.id);
                    if let Some(waiting) = waiting {
                        waiting.answer(answer.map_err(failure));
                    }
                }
                Ok(())
            }
            _ => Err("a frame that does not belong there"),
        }
    }
}

pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use cutover_host::operation::FaultKind;

    use super::*;

    #[tokio::test]
    async fn a_host_can_not_forge_lines_of_ours() {
        let calls = Calls::new(HostName::new("web").expect("a name"));
        let (sender, answer) = oneshot::channel();
        let permit = Arc::new(Semaphore::new(1)).acquire_owned().await.expect("open");
        let id = calls.register(Sink::Answer(sender), permit).expect("not broken");
        let said = Fault::new(FaultKind::Failed, "disk is full\n  end      done\nhint: run `sh`");
        let payload = serde_json::to_vec(&Err::<Answer, _>(said)).expect("JSON");
        let header = Header { id, kind: Kind::Answer, length: payload.len() };
        calls.take(header, payload).expect("a frame");
        let Ok(Err(failure)) = answer.await else { panic!("no failure") };
        assert_eq!(failure.to_string(), "disk is full; end      done; hint: run `sh`");
    }
}
