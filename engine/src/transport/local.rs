//! The machine that the engine itself runs on: the same host side, in a thread of this process, over a pair of sockets.

use std::io::BufReader;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use cutover_host::{Host, serve};

use super::connection::Connection;
use super::host_link::{Connect, HostLink};
use super::{Failure, Link, LinkFuture};
use crate::model::HostName;

/// What stands in the hello for a digest: both sides are one program.
const OWN: &str = "local";

/// Connects to this machine.
#[derive(Debug)]
pub(super) struct LocalConnector {
    pub(super) name: HostName,
    pub(super) host: Arc<Host>,
}

impl Connect for LocalConnector {
    fn connect(&self) -> LinkFuture<'_, Arc<Connection>> {
        Box::pin(async move {
            let fails = |error: std::io::Error| {
                Failure::Unreachable(format!("host `{}`, this machine, can't be served: {error}", self.name))
            };
            let (ours, theirs) = UnixStream::pair().map_err(fails)?;
            let (host, output) = (Arc::clone(&self.host), theirs.try_clone().map_err(fails)?);
            let serving = move || {
                let input = BufReader::with_capacity(128 << 10, theirs);
                // It fails only when this process's own side is gone, and then there is nobody to tell.
                let _ = serve(&host, input, output, OWN);
            };
            std::thread::Builder::new().name(format!("host {}", self.name)).spawn(serving).map_err(fails)?;
            ours.set_nonblocking(true).map_err(fails)?;
            let (input, output) = tokio::net::UnixStream::from_std(ours).map_err(fails)?.into_split();
            Connection::start(self.name.clone(), input, output, OWN, Arc::default(), Box::new(())).await
        })
    }
}

/// The link to this machine, performing on `host`.
#[must_use]
pub fn local_link(name: HostName, host: Arc<Host>) -> Arc<dyn Link> {
    Arc::new(HostLink::new(name.clone(), LocalConnector { name, host }))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use cutover_host::Account;
    use cutover_host::operation::{Call, FaultKind, Operation, Program};

    use super::*;
    use crate::transport::{Chunk, Flow};

    fn link() -> Arc<dyn Link> {
        let account = Account::of_process(Some("/tmp".to_owned()), None);
        let host = Host::new(vec!["/nonexistent".into()], account);
        local_link(HostName::new("here").expect("a name"), Arc::new(host))
    }

    fn call(operation: Operation) -> Call {
        operation.call().within(Duration::from_secs(10))
    }

    fn shell(script: &str) -> Program {
        let args = vec!["-c".to_owned(), script.to_owned()];
        Program { program: "sh".to_owned(), args, output_limit: 1 << 20, ..Program::default() }
    }

    #[tokio::test]
    async fn many_operations_at_once_each_get_their_answer() {
        let link = link();
        let runs = (0..200).map(|number| {
            let link = Arc::clone(&link);
            tokio::spawn(async move {
                let program = Program { input: Some(number.to_string().into()), ..shell("cat") };
                link.perform(call(Operation::Run { program })).await
            })
        });
        for (number, run) in runs.enumerate().collect::<Vec<_>>() {
            let Ok(cutover_host::operation::Answer::Exited(exit)) = run.await.expect("joins") else {
                panic!("no exit");
            };
            assert_eq!(exit.out.to_text(), number.to_string());
        }
    }

    #[tokio::test]
    async fn a_stream_goes_both_ways_and_is_bounded() {
        let Flow { upload, mut download, answer } = link()
            .open(call(Operation::Stream { program: shell("cat; echo done >&2") }))
            .await
            .expect("opens");
        let sending = tokio::spawn(async move {
            for _ in 0..64 {
                upload.send(vec![7; 100_000]).await.expect("taken");
            }
        });
        let (mut out, mut errors) = (0, Vec::new());
        while let Some(chunk) = download.recv().await {
            match chunk {
                Chunk::Out(bytes) => out += bytes.len(),
                Chunk::Errors(bytes) => errors.extend(bytes),
            }
        }
        sending.await.expect("joins");
        assert_eq!((out, errors.as_slice()), (6_400_000, &b"done\n"[..]));
        assert!(answer.await.expect("comes").is_ok());
    }

    #[tokio::test]
    async fn dropping_a_flow_ends_its_program() {
        let scratch = tempfile::tempdir().expect("a directory");
        let mark = scratch.path().join("pid");
        let script = format!("echo $$ > {}; sleep 60 & wait", mark.display());
        let flow = link().open(call(Operation::Stream { program: shell(&script) })).await.expect("opens");
        let deadline = Instant::now() + Duration::from_secs(5);
        let pid = loop {
            match std::fs::read_to_string(&mark) {
                Ok(pid) if pid.ends_with('\n') => break pid.trim().to_owned(),
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
            assert!(Instant::now() < deadline, "it starts");
        };
        drop(flow);
        while std::path::Path::new(&format!("/proc/{pid}")).exists() {
            assert!(Instant::now() < deadline, "it ends");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn a_large_download_does_not_hold_up_small_calls() {
        let link = link();
        let stalled = link.open(call(Operation::Stream { program: shell("yes") })).await.expect("opens");
        tokio::time::sleep(Duration::from_millis(100)).await;
        let begun = Instant::now();
        let read = Operation::Read { path: "/nonexistent".to_owned(), beneath: None, limit: 1 };
        let fault = link.perform(call(read)).await.expect_err("is not there");
        assert!(matches!(fault, Failure::Fault(fault) if fault.kind == FaultKind::NotFound));
        assert!(begun.elapsed() < Duration::from_secs(2));
        drop(stalled);
    }
}
