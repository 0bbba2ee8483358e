//! What a test stands on: a scratch directory, a host, and streams in memory.

use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use cutover_host::operation::{Answer, Call, Fault, FaultKind, Guard, Operation, Program};
use cutover_host::{Account, Flag, Host, Lane, Stream};
use tempfile::TempDir;

/// A host whose user's home is a scratch directory.
pub(crate) struct Stage {
    pub(crate) scratch: TempDir,
    pub(crate) host: Host,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let scratch = tempfile::tempdir().expect("a directory");
        let home = scratch.path().to_str().expect("UTF-8").to_owned();
        let supervisor = vec![env!("CARGO_BIN_EXE_cutover-host").into(), "supervise".into()];
        Self { host: Host::new(supervisor, Account::of_process(Some(home), None)), scratch }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// A path as an operation wants it.
    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    pub(crate) fn perform(&self, operation: Operation) -> Result<Answer, Fault> {
        self.perform_with(operation, None, &Streams::default())
    }

    pub(crate) fn perform_under(&self, epoch: u64, operation: Operation) -> Result<Answer, Fault> {
        self.perform_with(operation, Some(epoch), &Streams::default())
    }

    pub(crate) fn perform_guarded(&self, guard: Guard, operation: Operation) -> Result<Answer, Fault> {
        let call = Call { id: 1, guard: Some(guard), deadline_ms: Some(120_000), operation };
        self.host.perform(&call, &Streams::default())
    }

    pub(crate) fn perform_with(
        &self,
        operation: Operation,
        epoch: Option<u64>,
        streams: &Streams,
    ) -> Result<Answer, Fault> {
        let guard = epoch.map(|epoch| Guard { state: "~/state".to_owned(), epoch, turn: None });
        self.host.perform(&Call { id: 1, guard, deadline_ms: Some(120_000), operation }, streams)
    }

    /// The kind of fault that it must end with.
    pub(crate) fn fault(&self, operation: Operation) -> FaultKind {
        self.perform(operation).expect_err("must fail").kind
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).expect("written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("is there")
    }
}

/// Waits until something is so.
pub(crate) fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A shell's script as a program.
pub(crate) fn shell(script: &str) -> Program {
    let args = vec!["-c".to_owned(), script.to_owned()];
    Program { program: "sh".to_owned(), args, output_limit: 1 << 16, ..Program::default() }
}

/// Streams in memory.
pub(crate) struct Streams {
    state: Mutex<State>,
    changed: Condvar,
    pub(crate) cancelled: Flag,
}

#[derive(Default)]
struct State {
    to_host: VecDeque<Vec<u8>>,
    closed: bool,
    out: Vec<u8>,
    errors: Vec<u8>,
}

impl Default for Streams {
    fn default() -> Self {
        let streams = Self::open();
        streams.close();
        streams
    }
}

impl Streams {
    /// With a side towards the host that is not closed yet.
    pub(crate) fn open() -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            cancelled: Flag::new().expect("a descriptor"),
        }
    }

    pub(crate) fn with(content: &[u8]) -> Self {
        let streams = Self::open();
        content.chunks(60_000).for_each(|piece| streams.push(piece));
        streams.close();
        streams
    }

    pub(crate) fn push(&self, piece: &[u8]) {
        self.state.lock().expect("not poisoned").to_host.push_back(piece.to_vec());
        self.changed.notify_all();
    }

    pub(crate) fn close(&self) {
        self.end_receiving();
    }

    pub(crate) fn out(&self) -> Vec<u8> {
        self.state.lock().expect("not poisoned").out.clone()
    }

    pub(crate) fn out_text(&self) -> String {
        String::from_utf8(self.out()).expect("UTF-8")
    }

    pub(crate) fn errors_text(&self) -> String {
        String::from_utf8(self.state.lock().expect("not poisoned").errors.clone()).expect("UTF-8")
    }
}

impl Stream for Streams {
    fn receive(&self) -> Option<Vec<u8>> {
        let mut state = self.state.lock().expect("not poisoned");
        loop {
            if let Some(piece) = state.to_host.pop_front() {
                return Some(piece);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).expect("not poisoned");
        }
    }

    fn end_receiving(&self) {
        self.state.lock().expect("not poisoned").closed = true;
        self.changed.notify_all();
    }

    fn send(&self, lane: Lane, piece: &[u8]) -> Result<(), Fault> {
        let mut state = self.state.lock().expect("not poisoned");
        match lane {
            Lane::Out => state.out.extend_from_slice(piece),
            Lane::Errors => state.errors.extend_from_slice(piece),
        }
        Ok(())
    }

    fn cancelled(&self) -> &Flag {
        &self.cancelled
    }
}
