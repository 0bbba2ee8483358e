//! `cutover exec`: a program in the environment of a release, on the host of one of its instances.
//!
//! Input and outputs are plain streams here, and a program sees that there is no terminal. For one at a terminal see
//! [`super::open_console`].

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
    let operation = Operation::Stream { program: slot.program_as_typed(release, argv.iter().cloned()) };
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cutover_host::operation::Facts;
    use cutover_host::{Account, Host};

    use super::*;
    use crate::driver::sample;
    use crate::model::{Color, Driver};
    use crate::transport::local_link;

    #[tokio::test]
    async fn streams_and_status_are_the_programs_own() {
        let scratch = tempfile::tempdir().expect("a directory");
        let home = scratch.path().to_str().expect("UTF-8").to_owned();
        std::fs::create_dir_all(scratch.path().join("app/releases/r1")).expect("made");
        std::fs::create_dir_all(scratch.path().join("app/env")).expect("made");
        std::fs::write(scratch.path().join("app/env/r1-blue.env"), "WORD=\"of the release\"\n")
            .expect("written");
        let account = Account { user: "me".to_owned(), uid: 1000, home: home.clone() };
        let host = sample::name("web1");
        let link = local_link(host.clone(), Arc::new(Host::new(vec!["/nonexistent".into()], account)));
        let mut deployment = sample::deployment(Driver::Detached);
        deployment.application.directory = "~/app".to_owned();
        deployment.application.env_files = Vec::new();
        let facts = Facts { home, ..sample::facts("me", 1000) };
        let slot = Slot::new(&deployment, &host, Color::Blue, &facts).expect("a slot");
        let release = ReleaseId::parse("r1").expect("an identifier");

        let (input, given) = mpsc::channel(4);
        input.send(b"one\n".to_vec()).await.expect("taken");
        input.send(b"two\n".to_vec()).await.expect("taken");
        drop(input);
        let script = "tr a-z A-Z; echo \"$WORD in ${PWD##*/}, {color}\" >&2; exit 42";
        let argv = ["sh", "-c", script].map(str::to_owned);
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        let status = exec(link.as_ref(), &slot, &release, &argv, given, |chunk| match chunk {
            Chunk::Out(bytes) => out.extend(bytes),
            Chunk::Errors(bytes) => errors.extend(bytes),
        });
        assert_eq!(status.await, Ok(42));
        assert_eq!(String::from_utf8_lossy(&out), "ONE\nTWO\n");
        assert_eq!(String::from_utf8_lossy(&errors), "of the release in r1, {color}\n");

        let (_input, given) = mpsc::channel(1);
        let argv = ["bin/nothing".to_owned()];
        let failure =
            exec(link.as_ref(), &slot, &release, &argv, given, |_| {}).await.expect_err("is not there");
        assert!(failure.to_string().contains("bin/nothing"), "{failure}");
    }
}
