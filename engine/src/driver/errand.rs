//! Programs of the operator's that take their time: they run detached, so that the host's mutex is free meanwhile, and the holder of the
//! lock can renew it.

use std::time::Duration;

use cutover_host::operation::{Answer, Detached, Exit, Guard, Operation, Program};
use tokio::time::Instant;

use super::DriverFailure;
use super::drive::nonsense;
use crate::model::Color;
use crate::transport::Link;

/// For an answer, beyond what the question waits on the host.
const SLACK: Duration = Duration::from_secs(20);

/// How long one question waits on the host.
const WAIT: Duration = Duration::from_secs(5);

/// Programs of one kind under one epoch at most. Each is an attempt to put a colour up or down; a run makes two or three.
const ATTEMPTS: u32 = 100;

/// What a program is run for.
#[derive(Debug)]
pub(super) struct Errand<'a> {
    pub(super) link: &'a dyn Link,
    pub(super) guard: &'a Guard,
    pub(super) verb: &'static str,
    pub(super) color: Color,
    /// How long it may take; then it is ended.
    pub(super) patience: Duration,
}

impl Errand<'_> {
    /// Runs a program to its end, whatever that is. One that was begun under the same epoch, and whose answer was lost, is waited for
    /// instead; those of earlier epochs were ended after the fence was raised.
    pub(super) async fn run(&self, program: Program) -> Result<Exit, DriverFailure> {
        let words = std::iter::once(&program.program).chain(&program.args);
        let command = words.map(String::as_str).collect::<Vec<_>>().join(" ");
        for attempt in 0..ATTEMPTS {
            let operation = format!("{:020}-{}-{}-{attempt}", self.guard.epoch, self.verb, self.color);
            let state = self.guard.state.clone();
            let begin = Operation::Begin { state, operation: operation.clone(), program: program.clone() };
            if self.ask(Some(self.guard), Duration::ZERO, begin).await? == Detached::Running {
                return self.follow(operation, command).await;
            }
            // That one was of an earlier attempt, and has ended.
        }
        Err(DriverFailure::Lost { command })
    }

    async fn follow(&self, operation: String, command: String) -> Result<Exit, DriverFailure> {
        let begun = Instant::now();
        loop {
            let left = self.patience.saturating_sub(begun.elapsed());
            let wait = left.min(WAIT);
            let state = self.guard.state.clone();
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            let outcome = Operation::Outcome { state: state.clone(), operation: operation.clone(), wait_ms };
            // Waiting changes nothing, and needs no mutex.
            match self.ask(None, wait, outcome).await? {
                Detached::Running if left.is_zero() => {
                    self.ask(Some(self.guard), WAIT, Operation::End { state, operation }).await?;
                    return Err(DriverFailure::TooSlow { command, waited: self.patience.as_secs() });
                }
                Detached::Running => {}
                Detached::Ended(exit) => return Ok(exit),
                Detached::NeverBegan | Detached::Lost => return Err(DriverFailure::Lost { command }),
            }
        }
    }

    async fn ask(
        &self,
        guard: Option<&Guard>,
        wait: Duration,
        operation: Operation,
    ) -> Result<Detached, DriverFailure> {
        let call = operation.call().within(wait + SLACK).under(guard.cloned());
        let answer = self.link.perform(call).await?;
        if let Answer::Operation(found) = answer {
            Ok(found)
        } else {
            Err(nonsense("a detached program", &answer))
        }
    }
}
