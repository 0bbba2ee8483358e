//! What engine and sandbox say to each other: a message as JSON, and beside it a payload of bytes.
//!
//! A frame is the length of the message and of the payload (four bytes each, little-endian), then both. The sandbox speaks only when it was
//! asked something; what it says is taken like a stranger's.

use std::io::{self, ErrorKind, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::contract::cutover::hook::engine::Level;
use super::contract::cutover::hook::hook_types::{Call, Color, HookError, Instance, SettingFault};
use super::contract::cutover::hook::hosts::{Command, HostError, Output};
use super::contract::cutover::hook::http_client::{HttpError, Request, Response};
use super::contract::cutover::hook::secrets::SecretError;
use super::contract::exports::cutover::hook::build::{Artifact, Source};
use super::contract::exports::cutover::hook::health_check::Health;
use super::contract::exports::cutover::hook::router::{Observation, Routing};
use super::contract::exports::cutover::hook::smoke_test::TestCase;
use super::limits;
use crate::model::{HookKind, Limit, Limits};

/// From engine to sandbox.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Say what the component in the sealed memory is, by its bytes alone; [`Report::Inspected`].
    Inspect,
    /// Say what the component in the sealed memory is, and compile it; [`Report::Described`], then [`Report::Compiled`].
    Compile {
        /// Of the hook.
        limits: Limits,
    },
    /// Take the compiled code in the sealed memory; [`Report::Loaded`]. The payload is the standard input of each guest: a script, or
    /// nothing.
    Load {
        /// Of the hook.
        limits: Limits,
    },
    /// Ask the hook; [`Report::Ended`] after any number of [`Report::Import`].
    Ask {
        /// What.
        question: Box<Question>,
        /// Milliseconds.
        timeout_ms: u64,
    },
    /// What an import returns.
    Answer(Answer),
}

/// From sandbox to engine.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// What the component is.
    Inspected(Anatomy),
    /// What the component imports and exports, by its own bytes: it is not compiled yet.
    Described(Description),
    /// The payload is compiled code.
    Compiled,
    /// The code is loaded.
    Loaded {
        /// What the component imports and exports.
        description: Description,
        /// Why it can't be linked, when it can't.
        misfit: Option<String>,
    },
    /// The component can't be compiled, or its code not be loaded, and why.
    Refused(String),
    /// The guest calls an import. Only [`Import::Log`] and [`Import::Progress`] get no answer.
    Import(Import),
    /// The question is answered, or never will be.
    Ended {
        /// How.
        end: End,
        /// What the guest printed, the newest.
        printed: String,
        /// Whether it printed more.
        lost: bool,
    },
}

/// What a component imports and exports, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Description {
    /// `cutover:hook/engine@0.1.0`, `wasi:io/streams@0.2.6`, …
    pub imports: Vec<String>,
    /// `cutover:hook/router@0.1.0`, …
    pub exports: Vec<String>,
}

/// What a component is, as far as its bytes tell.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Anatomy {
    /// Its imports and exports.
    pub description: Description,
    /// Bytes of linear memory that all of its modules begin with, together; none of a script.
    pub memory: Option<u64>,
    /// Bytes that all of them may grow to, together; none where one of them names no maximum.
    pub memory_most: Option<u64>,
    /// The languages that it says it was written in, with versions where it has them: `Rust`, `JavaScript`.
    pub languages: Vec<String>,
}

/// What a hook is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Question {
    /// What a script imports and exports: asked of the interpreter alone, and before anything else.
    Describe,
    Validate {
        kind: HookKind,
        settings: String,
    },
    Build {
        call: Call,
        source: Source,
    },
    Check {
        call: Call,
        instance: Instance,
    },
    Smoke {
        call: Call,
    },
    Features {
        call: Call,
    },
    Observe {
        call: Call,
        router: String,
    },
    Prepare {
        call: Call,
        router: String,
        want: Routing,
    },
    Apply {
        call: Call,
        router: String,
        want: Routing,
    },
    Discard {
        call: Call,
        router: String,
    },
    Connections {
        call: Call,
        router: String,
        color: Color,
    },
}

/// How a question ended.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum End {
    /// With an answer.
    Value(Value),
    /// With an error of the hook's own.
    Error(HookError),
    /// The guest trapped or exited; why.
    Trapped(String),
    /// It answers in another shape than the contract has; why.
    Unfit(String),
    /// The guest was stopped at the deadline.
    TimedOut,
    /// The guest broke a limit.
    Exceeded(Limit),
}

/// What a hook answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Value {
    Description(Description),
    Faults(Vec<SettingFault>),
    Artifact(Artifact),
    Health(Health),
    Cases(Vec<TestCase>),
    Features(Vec<String>),
    Observation(Observation),
    Text(String),
    Done,
    Count(Option<u32>),
}

/// A call of an import. Bytes travel as the payload: the content to write, the body to send, the data to sign.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Import {
    Log { level: Level, message: String },
    Progress { done: u32, total: u32, what: String },
    Exec { host: String, command: Command },
    Read { host: String, path: String },
    Write { host: String, path: String, mode: Option<u32> },
    WriteLink { host: String, path: String, target: String },
    ReadLink { host: String, path: String },
    ListNames { host: String, path: String },
    Remove { host: String, path: String },
    Exchange { host: String, socket: String, content: String, timeout_ms: Option<u32> },
    Send { request: Request, with_body: bool },
    Sign { name: String, prefix: String, chain: Vec<String> },
    Reveal { name: String },
}

/// What an import returns. Bytes travel as the payload: the content read, the body received, the signature.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Output(Result<Output, HostError>),
    Content(Result<(), HostError>),
    Done(Result<(), HostError>),
    Text(Result<String, HostError>),
    Names(Result<Vec<String>, HostError>),
    Response(Result<Response, HttpError>),
    Signature(Result<(), SecretError>),
    Revealed(Result<String, SecretError>),
}

/// Bytes that a frame may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) message: usize,
    pub(super) payload: usize,
}

/// A message and its payload as one frame.
///
/// # Errors
/// When either is longer than a frame can say.
pub(super) fn encode<M: Serialize>(message: &M, payload: &[u8]) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 8];
    serde_json::to_writer(&mut frame, message)?;
    let too_long = |_| io::Error::new(ErrorKind::InvalidData, "a message is too long");
    let message_length = u32::try_from(frame.len() - 8).map_err(too_long)?;
    let payload_length = u32::try_from(payload.len()).map_err(too_long)?;
    frame[..4].copy_from_slice(&message_length.to_le_bytes());
    frame[4..8].copy_from_slice(&payload_length.to_le_bytes());
    frame.extend_from_slice(payload);
    Ok(frame)
}

/// Lengths of message and payload out of the head of a frame.
///
/// # Errors
/// When one is longer than its limit.
pub(super) fn lengths(head: [u8; 8], room: Room) -> io::Result<(usize, usize)> {
    let [a, b, c, d, e, f, g, h] = head;
    let message = u32::from_le_bytes([a, b, c, d]) as usize;
    let payload = u32::from_le_bytes([e, f, g, h]) as usize;
    if message > room.message || payload > room.payload {
        return Err(io::Error::new(ErrorKind::InvalidData, "a message is too long"));
    }
    Ok((message, payload))
}

/// A message out of its text.
///
/// # Errors
/// When it is not one.
pub(super) fn decode<M: DeserializeOwned>(text: &[u8]) -> io::Result<M> {
    serde_json::from_slice(text).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

/// Sends one frame, waiting until it is gone.
pub(super) fn send<M: Serialize>(mut stream: impl Write, message: &M, payload: &[u8]) -> io::Result<()> {
    stream.write_all(&encode(message, payload)?)
}

/// Receives one frame, waiting for it.
pub(super) fn receive<M: DeserializeOwned>(mut stream: impl Read) -> io::Result<(M, Vec<u8>)> {
    let mut head = [0; 8];
    stream.read_exact(&mut head)?;
    let room = Room { message: limits::MESSAGE, payload: limits::PAYLOAD };
    let (message, payload) = lengths(head, room)?;
    let mut body = vec![0; message + payload];
    stream.read_exact(&mut body)?;
    let payload = body.split_off(message);
    Ok((decode(&body)?, payload))
}
