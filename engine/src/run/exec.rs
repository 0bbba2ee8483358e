//! `cutover exec`: a program in the environment of a release, on the host of one of its instances.
//!
//! Input and outputs are plain streams, not a terminal of the other side: programs that ask for one (a REPL with line editing) see
//! that there is none.

use cutover_host::operation::{Answer, Call, Operation};
use tokio::sync::mpsc;

use crate::driver::Slot;
use crate::model::ReleaseId;
use crate::transport::{Chunk, Failure, Link};

/// Runs a program to its end with the environment of the release's processes, started in the release's directory, and returns its exit
/// status. What comes from `input` becomes its standard input, until the channel is closed; what it prints goes to `output`.
///
/// # Errors
/// When it was not started, or the connection broke; then it is not known whether it goes on.
pub async fn exec(
    link: &dyn Link,
    slot: &Slot<'_>,
    release: &ReleaseId,
    argv: &[String],
    mut input: mpsc::Receiver<Vec<u8>>,
    mut output: impl FnMut(Chunk) + Send,
) -> Result<i32, Failure> {
    let operation = Operation::Stream { program: slot.program(release, argv) };
    let mut flow = link.open(Call { id: 0, guard: None, deadline_ms: None, operation }).await?;
    let mut upload = Some(flow.upload);
    loop {
        tokio::select! {
            // What was printed before the end must not be lost to it.
            biased;
            chunk = flow.download.recv() => match chunk {
                Some(chunk) => output(chunk),
                None => break,
            },
            piece = input.recv(), if upload.is_some() => {
                let sent = match (piece, &upload) {
                    (Some(piece), Some(upload)) => upload.send(piece).await.is_ok(),
                    _ => false,
                };
                if !sent {
                    upload = None;
                }
            }
        }
    }
    match flow.answer.await {
        Ok(Ok(Answer::Exited(exit))) => Ok(exit.status),
        Ok(Ok(_)) => {
            Err(Failure::Nonsense("host was asked for a program's end and answered something else".into()))
        }
        Ok(Err(failure)) => Err(failure),
        Err(_) => Err(Failure::Broken("the connection ended before the program did".into())),
    }
}
