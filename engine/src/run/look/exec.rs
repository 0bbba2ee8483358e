//! `cutover exec`: a program in the environment of a release, on the host of one of its instances.
//!
//! Input and outputs are plain streams here, and a program sees that there is no terminal. For one at a terminal see
//! [`super::attend::open_console`].

use cutover_host::operation::{Answer, Operation, Program};
use tokio::sync::mpsc;

use crate::transport::{Chunk, Failure, Flow, Link};

/// Runs a program to its end, as [`Slot::program_as_typed`](crate::driver::Slot::program_as_typed) makes it, and returns its exit status.
/// What comes from `input` becomes its standard input, until the channel is closed; what it prints goes to `output`.
///
/// # Errors
/// When it was not started, or the connection broke; then it is not known whether it goes on.
pub async fn exec(
    link: &dyn Link,
    program: Program,
    mut input: mpsc::Receiver<Vec<u8>>,
    mut output: impl FnMut(Chunk) + Send,
) -> Result<i32, Failure> {
    let operation = Operation::Stream { program };
    let Flow { upload, mut download, answer } = link.open(operation.call()).await?;
    // Each by itself: a program that can't get rid of its output takes no more input, until somebody hears it.
    let feed = async {
        while let Some(piece) = input.recv().await {
            if upload.send(piece).await.is_err() {
                break;
            }
        }
        drop(upload);
        std::future::pending::<()>().await;
    };
    let hear = async {
        while let Some(chunk) = download.recv().await {
            output(chunk);
        }
    };
    tokio::select! { () = hear => {}, () = feed => {} }
    match answer.await {
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
    use crate::driver::{Launch, Slot};
    use crate::model::{Color, Deployment, Driver, HostName, ReleaseId};
    use crate::transport::local_link;

    /// A host with one release in its user's home, and what leads there.
    struct Place {
        _scratch: tempfile::TempDir,
        link: Arc<dyn Link>,
        deployment: Deployment,
        host: HostName,
        facts: Facts,
        release: ReleaseId,
    }

    impl Place {
        fn new() -> Self {
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
            let release = ReleaseId::parse("r1").expect("an identifier");
            Self { _scratch: scratch, link, deployment, host, facts, release }
        }

        async fn exec(
            &self,
            script: &str,
            input: mpsc::Receiver<Vec<u8>>,
            output: impl FnMut(Chunk) + Send,
        ) -> Result<i32, Failure> {
            exec(self.link.as_ref(), self.program(&["sh", "-c", script]), input, output).await
        }

        fn program(&self, argv: &[&str]) -> Program {
            let slot = Slot::new(&self.deployment, &self.host, Color::Blue, &self.facts).expect("a slot");
            let words = argv.iter().map(|word| (*word).to_owned());
            slot.program_as_typed(&self.release, &Launch::configured(&slot), words)
        }
    }

    #[tokio::test]
    async fn streams_and_status_are_the_programs_own() {
        let place = Place::new();
        let (input, given) = mpsc::channel(4);
        input.send(b"one\n".to_vec()).await.expect("taken");
        input.send(b"two\n".to_vec()).await.expect("taken");
        drop(input);
        let script = "tr a-z A-Z; echo \"$WORD in ${PWD##*/}, {color}\" >&2; exit 42";
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        let status = place.exec(script, given, |chunk| match chunk {
            Chunk::Out(bytes) => out.extend(bytes),
            Chunk::Errors(bytes) => errors.extend(bytes),
        });
        assert_eq!(status.await, Ok(42));
        assert_eq!(String::from_utf8_lossy(&out), "ONE\nTWO\n");
        assert_eq!(String::from_utf8_lossy(&errors), "of the release in r1, {color}\n");

        let (_input, given) = mpsc::channel(1);
        let failure = exec(place.link.as_ref(), place.program(&["bin/nothing"]), given, |_| {}).await;
        let failure = failure.expect_err("is not there");
        assert!(failure.to_string().contains("bin/nothing"), "{failure}");
    }

    #[tokio::test]
    async fn a_program_may_print_much_before_it_reads() {
        const MUCH: usize = 4 << 20;
        let (input, given) = mpsc::channel(1);
        let feeding = tokio::spawn(async move {
            for _ in 0..MUCH / 65_536 {
                if input.send(vec![b'x'; 65_536]).await.is_err() {
                    break;
                }
            }
        });
        let place = Place::new();
        let mut heard = 0;
        let script = format!("head -c {MUCH} /dev/zero; cat");
        let running = place.exec(&script, given, |chunk| {
            let (Chunk::Out(bytes) | Chunk::Errors(bytes)) = chunk;
            heard += bytes.len();
        });
        let status = tokio::time::timeout(std::time::Duration::from_secs(60), running).await;
        assert_eq!((status, heard), (Ok(Ok(0)), 2 * MUCH));
        feeding.await.expect("all was taken");
    }
}
