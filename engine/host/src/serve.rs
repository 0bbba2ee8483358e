//! The host's side of a connection: reads calls, performs each in a thread of its own, writes answers.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::fault;
use crate::frame::{self, HEADER, Header, Kind, MAX_CALLS, MAX_MESSAGE, WINDOW};
use crate::host::Host;
use crate::operation::{Answer, Call, Fault};
use crate::stream::{Flag, Lane, Stream};

/// What operations that are not given up at once may still take when the connection has ended.
const GRACE: Duration = Duration::from_secs(10);

/// Serves one connection until its input ends. Then all that hangs on the connection ends: streams, and programs that do not run
/// detached. `digest` names the program that serves, for the hello.
///
/// # Errors
/// When input or output fail, or the engine does not keep to the protocol.
pub fn serve(
    host: &Arc<Host>,
    input: impl Read,
    output: impl Write + Send + 'static,
    digest: &str,
) -> io::Result<()> {
    let host = Arc::clone(host);
    let perform: Perform = Arc::new(move |call, stream| host.perform(call, stream));
    serve_with(&perform, input, output, digest)
}

/// What performs calls.
pub(crate) type Perform = Arc<dyn Fn(&Call, &dyn Stream) -> Result<Answer, Fault> + Send + Sync>;

pub(crate) fn serve_with(
    perform: &Perform,
    mut input: impl Read,
    output: impl Write + Send + 'static,
    digest: &str,
) -> io::Result<()> {
    let connection = Arc::new(Connection {
        writer: Writer::new(output),
        calls: Mutex::default(),
        changed: Condvar::new(),
    });
    connection.writer.write(
        true,
        &frame::encode(frame::HELLO, Kind::Hello, format!("cutover-host 1 {digest}").as_bytes()),
    )?;
    let served = connection.read_frames(perform, &mut input);
    connection.end();
    served
}

struct Connection {
    writer: Writer,
    calls: Mutex<HashMap<u64, Arc<Flow>>>,
    changed: Condvar,
}

impl Connection {
    fn read_frames(self: &Arc<Self>, perform: &Perform, input: &mut impl Read) -> io::Result<()> {
        let mut parts: HashMap<u64, Vec<u8>> = HashMap::new();
        let mut newest = 0;
        while let Some((header, payload)) = read_frame(input)? {
            let id = header.id;
            match header.kind {
                Kind::CallPart | Kind::Call => {
                    let whole = parts.entry(id).or_default();
                    whole.extend_from_slice(&payload);
                    if whole.len() > MAX_MESSAGE || parts.len() > MAX_CALLS {
                        return Err(io::Error::other("a call is too large"));
                    }
                    if header.kind == Kind::Call
                        && let Some(text) = parts.remove(&id)
                    {
                        self.begin(perform, id, &text)?;
                        newest = newest.max(id);
                    }
                }
                Kind::Cancel => self.with(id, Flow::give_up),
                // That of a call that has ended is nobody's, but this would be missing.
                Kind::Data | Kind::End if id > newest => {
                    return Err(io::Error::other("a piece of a stream came before its call"));
                }
                Kind::Data => {
                    let flow = held(&self.calls).get(&id).cloned();
                    if flow.is_some_and(|flow| !flow.take(payload)) {
                        return Err(io::Error::other("more was sent than the window allows"));
                    }
                }
                Kind::End => self.with(id, Flow::close_inbox),
                Kind::Credit => {
                    let credit = payload
                        .try_into()
                        .map(u32::from_be_bytes)
                        .map_err(|_| io::Error::other("no credit"))?;
                    self.with(id, |flow| flow.credit(credit));
                }
                Kind::Hello | Kind::Out | Kind::Errors | Kind::AnswerPart | Kind::Answer => {
                    return Err(io::Error::other("a frame that only hosts send"));
                }
            }
        }
        Ok(())
    }

    fn with(&self, id: u64, act: impl FnOnce(&Flow)) {
        // What comes for a call that has ended crossed with its answer.
        if let Some(flow) = held(&self.calls).get(&id) {
            act(flow);
        }
    }

    fn begin(self: &Arc<Self>, perform: &Perform, id: u64, text: &[u8]) -> io::Result<()> {
        let call: Call = serde_json::from_slice(text)?;
        let flow = Arc::new(Flow::new()?);
        {
            let mut calls = held(&self.calls);
            if calls.len() >= MAX_CALLS {
                return Err(io::Error::other("too many calls at once"));
            }
            // The one that has it stays, so that it is given up with all the others.
            if calls.contains_key(&id) {
                return Err(io::Error::other("a call's id was used twice"));
            }
            calls.insert(id, Arc::clone(&flow));
        }
        let (connection, perform) = (Arc::clone(self), Arc::clone(perform));
        let work = move || {
            let stream = CallStream { connection: &connection, flow: &flow, id };
            let result = catch_unwind(AssertUnwindSafe(|| perform(&call, &stream)))
                .unwrap_or_else(|_| Err(fault::failed("the host side ran into a fault of its own")));
            connection.answer(id, &result);
        };
        std::thread::Builder::new().stack_size(512 << 10).spawn(work).map(drop)
    }

    fn answer(&self, id: u64, result: &Result<Answer, Fault>) {
        let text =
            serde_json::to_vec(result).ok().filter(|text| text.len() <= MAX_MESSAGE).unwrap_or_else(|| {
                let fault: Result<Answer, Fault> = Err(fault::failed("the answer is too large to be sent"));
                serde_json::to_vec(&fault).unwrap_or_default()
            });
        held(&self.calls).remove(&id);
        self.changed.notify_all();
        for frame in frame::split(id, Kind::AnswerPart, Kind::Answer, &text) {
            // When nobody listens any more, the reader sees it too, and ends the connection.
            if self.writer.write(text.len() <= frame::MAX_PAYLOAD, &frame).is_err() {
                break;
            }
        }
    }

    /// Gives every call up and waits until they have noticed.
    fn end(&self) {
        let mut calls = held(&self.calls);
        calls.values().for_each(|flow| flow.give_up());
        let deadline = std::time::Instant::now() + GRACE;
        while !calls.is_empty() {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                break;
            }
            calls = self.changed.wait_timeout(calls, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Reads a frame; none at the end of the input.
fn read_frame(input: &mut impl Read) -> io::Result<Option<(Header, Vec<u8>)>> {
    let mut header = [0; HEADER];
    let mut filled = 0;
    while filled < HEADER {
        match input.read(&mut header[filled..]) {
            Ok(0) => return Ok(None),
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let header = Header::decode(header).ok_or_else(|| io::Error::other("no frame"))?;
    let mut payload = vec![0; header.length];
    input.read_exact(&mut payload)?;
    Ok(Some((header, payload)))
}

/// The output, shared by all calls: one frame at a time, those of control first.
struct Writer {
    output: Mutex<Box<dyn Write + Send>>,
    turn: Mutex<Turn>,
    free: Condvar,
}

#[derive(Default)]
struct Turn {
    taken: bool,
    urgent: usize,
}

impl Writer {
    fn new(output: impl Write + Send + 'static) -> Self {
        Self { output: Mutex::new(Box::new(output)), turn: Mutex::default(), free: Condvar::new() }
    }

    fn write(&self, urgent: bool, frame: &[u8]) -> io::Result<()> {
        let mut turn = held(&self.turn);
        turn.urgent += usize::from(urgent);
        while turn.taken || (!urgent && turn.urgent > 0) {
            turn = self.free.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
        turn.urgent -= usize::from(urgent);
        turn.taken = true;
        drop(turn);
        let written = {
            let mut output = held(&self.output);
            output.write_all(frame).and_then(|()| output.flush())
        };
        held(&self.turn).taken = false;
        self.free.notify_all();
        written
    }
}

/// The streams of one call.
struct Flow {
    inbox: Mutex<Inbox>,
    filled: Condvar,
    window: Mutex<u32>,
    widened: Condvar,
    cancelled: Flag,
}

#[derive(Default)]
struct Inbox {
    pieces: VecDeque<Vec<u8>>,
    cost: u32,
    closed: bool,
}

impl Flow {
    fn new() -> io::Result<Self> {
        Ok(Self {
            inbox: Mutex::default(),
            filled: Condvar::new(),
            window: Mutex::new(WINDOW),
            widened: Condvar::new(),
            cancelled: Flag::new()?,
        })
    }

    fn give_up(&self) {
        self.cancelled.raise();
        self.close_inbox();
        let _window = held(&self.window);
        self.widened.notify_all();
    }

    fn close_inbox(&self) {
        held(&self.inbox).closed = true;
        self.filled.notify_all();
    }

    fn credit(&self, credit: u32) {
        let mut window = held(&self.window);
        *window = window.saturating_add(credit).min(WINDOW);
        self.widened.notify_all();
    }

    /// False when the engine sent more than it may.
    fn take(&self, piece: Vec<u8>) -> bool {
        let mut inbox = held(&self.inbox);
        if !inbox.closed {
            inbox.cost += frame::cost(piece.len());
            inbox.pieces.push_back(piece);
            self.filled.notify_all();
        }
        inbox.cost <= WINDOW
    }
}

struct CallStream<'a> {
    connection: &'a Connection,
    flow: &'a Flow,
    id: u64,
}

impl Stream for CallStream<'_> {
    fn receive(&self) -> Option<Vec<u8>> {
        let mut inbox = held(&self.flow.inbox);
        let piece = loop {
            if let Some(piece) = inbox.pieces.pop_front() {
                break piece;
            }
            if inbox.closed {
                return None;
            }
            inbox = self.flow.filled.wait(inbox).unwrap_or_else(PoisonError::into_inner);
        };
        let credit = frame::cost(piece.len());
        inbox.cost -= credit;
        drop(inbox);
        let _ =
            self.connection.writer.write(true, &frame::encode(self.id, Kind::Credit, &credit.to_be_bytes()));
        Some(piece)
    }

    fn end_receiving(&self) {
        let mut inbox = held(&self.flow.inbox);
        inbox.closed = true;
        inbox.pieces.clear();
        self.flow.filled.notify_all();
    }

    fn send(&self, lane: Lane, piece: &[u8]) -> Result<(), Fault> {
        let kind = match lane {
            Lane::Out => Kind::Out,
            Lane::Errors => Kind::Errors,
        };
        for piece in piece.chunks(frame::MAX_PAYLOAD) {
            let cost = frame::cost(piece.len());
            let mut window = held(&self.flow.window);
            while *window < cost {
                if self.flow.cancelled.is_raised() {
                    return Err(fault::failed("the operation was given up"));
                }
                window = self.flow.widened.wait(window).unwrap_or_else(PoisonError::into_inner);
            }
            *window -= cost;
            drop(window);
            self.connection
                .writer
                .write(false, &frame::encode(self.id, kind, piece))
                .map_err(|error| fault::io("write to", "the engine", error))?;
        }
        Ok(())
    }

    fn cancelled(&self) -> &Flag {
        &self.flow.cancelled
    }
}

/// No critical section here leaves anything half done, so a panic in one is no reason to stop.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_before_its_call_ends_the_connection() {
        let perform: Perform = Arc::new(|_, _| Ok(Answer::Done));
        for kind in [Kind::Data, Kind::End] {
            let frames = frame::encode(1, kind, b"GET /");
            let fault = serve_with(&perform, frames.as_slice(), io::sink(), "digest").expect_err("ends");
            assert_eq!(fault.to_string(), "a piece of a stream came before its call");
        }
        // Whose call never began for good: it was given up while its call was sent.
        let cancel = frame::encode(1, Kind::Cancel, &[]);
        serve_with(&perform, cancel.as_slice(), io::sink(), "digest").expect("goes on");
    }
}
