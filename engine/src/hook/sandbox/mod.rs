//! The child process: everything in this folder runs in it, with an empty environment and nothing open but a socket to the engine (standard
//! input) and the sealed memory that holds the component (standard output).
//!
//! wasmtime is what keeps a guest in. This process keeps a crash out of the engine, and a guest that broke out of wasmtime in here: limits of
//! memory and open files, no way to more privileges, and, where the kernel can, no file, port or process of the system (Landlock) and no
//! system call but those that it takes to compute and to answer (seccomp).
//!
//! It compiles one component and ends, or loads compiled code and answers questions until the engine closes the socket.

mod calls;
mod confine;
mod confinement;
mod deadline;
mod denied_http;
mod describe;
mod exceeded;
mod guest;
mod imports;
mod limiter;
mod misfit;
mod printed;
mod questions;
mod random;
mod ticker;
mod trap;

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, InstancePre, Linker};
use wasmtime_wasi::p2::bindings::random as wasi_random;
use wasmtime_wasi::p2::pipe::MemoryInputPipe;

pub use self::confinement::Confinement;
use self::guest::Guest;
use self::ticker::Ticker;
use super::contract::Everything;
use super::wire::{self, Description, End, Order, Report};
use super::{limits, runtime};
use crate::model::{Limit, Limits};

/// Where the component is.
const CODE: &str = "/proc/self/fd/1";

/// The whole life of a sandbox. The program's `main` calls it, first of all, when its only argument is [`super::SANDBOX_WORD`].
#[must_use]
pub fn sandbox_main() -> ExitCode {
    // On the main thread, since all others inherit from it.
    if confine::shed().is_err() {
        return ExitCode::FAILURE;
    }
    // A thread of our own, since how deep the main one's stack is depends on whoever started the engine.
    let worker = std::thread::Builder::new().stack_size(limits::THREAD_STACK).spawn(|| {
        // The socket is standard input; a second handle on it is closed with the process as well.
        let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        serve(&Arc::new(stream))
    });
    match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        // The engine sees the closed socket, and why in what a panic or abort printed.
        _ => ExitCode::FAILURE,
    }
}

fn serve(stream: &Arc<UnixStream>) -> io::Result<()> {
    match wire::receive(&**stream)? {
        (Order::Inspect, _) => {
            confine::limit_data(Limits::default().get(Limit::CompileMemory))?;
            let wasm = std::fs::read(CODE)?;
            confine::seal()?;
            match describe::describe(&wasm) {
                Ok(anatomy) => wire::send(&**stream, &Report::Inspected(anatomy), &[]),
                Err(reason) => wire::send(&**stream, &Report::Refused(reason), &[]),
            }
        }
        (Order::Compile { limits }, _) => {
            confine::limit_data(limits.get(Limit::CompileMemory))?;
            let engine = runtime::engine(limits.size(Limit::Stack)).map_err(io::Error::other)?;
            let ticker = Ticker::start(&engine, stream.try_clone()?)?;
            let _running = ticker.run();
            let wasm = std::fs::read(CODE)?;
            confine::seal()?;
            match describe::describe(&wasm) {
                Ok(anatomy) => wire::send(&**stream, &Report::Described(anatomy.description), &[])?,
                Err(reason) => return wire::send(&**stream, &Report::Refused(reason), &[]),
            }
            match engine.precompile_component(&wasm).map_err(|error| trap::whole_text(&error)) {
                Ok(code) => wire::send(&**stream, &Report::Compiled, &code),
                Err(reason) => wire::send(&**stream, &Report::Refused(reason), &[]),
            }
        }
        (Order::Load { limits }, input) => {
            confine::limit_data(limits.get(Limit::Memory) + limits::RUNTIME_DATA)?;
            let engine = runtime::engine(limits.size(Limit::Stack)).map_err(io::Error::other)?;
            match load(&engine) {
                Ok((description, Ok(pre))) => {
                    confine::seal()?;
                    wire::send(&**stream, &Report::Loaded { description, misfit: None }, &[])?;
                    answer_questions(&engine, &pre, &limits, &input, stream)
                }
                Ok((description, Err(error))) => {
                    let misfit = Some(trap::whole_text(&error));
                    wire::send(&**stream, &Report::Loaded { description, misfit }, &[])
                }
                Err(reason) => wire::send(&**stream, &Report::Refused(reason), &[]),
            }
        }
        (Order::Ask { .. } | Order::Answer(_), _) => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// What a component is, and itself linked.
type Loaded = (Description, wasmtime::Result<InstancePre<Guest>>);

fn load(engine: &Engine) -> Result<Loaded, String> {
    #[expect(unsafe_code, reason = "compiled code can only be trusted, not checked")]
    // SAFETY: the engine compiled these bytes with this very runtime, or found them in its cache under a valid MAC, and nobody can change
    // sealed memory.
    let component = unsafe { Component::deserialize_file(engine, CODE) };
    let component = component.map_err(|error| trap::whole_text(&error))?;
    let of = component.component_type();
    let description = Description {
        imports: of.imports(engine).map(|(name, _)| name.to_owned()).collect(),
        exports: of.exports(engine).map(|(name, _)| name.to_owned()).collect(),
    };
    Ok((description, link(engine, &component)))
}

/// Everything that a component may import. What WASI there is can reach nothing: no files, no sockets, no variables, no arguments.
fn link(engine: &Engine, component: &Component) -> wasmtime::Result<InstancePre<Guest>> {
    let mut linker = Linker::<Guest>::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_sync(&mut linker)?;
    linker.allow_shadowing(true);
    wasi_random::random::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    wasi_random::insecure::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    linker.allow_shadowing(false);
    Everything::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    linker.instantiate_pre(component)
}

fn answer_questions(
    engine: &Engine,
    pre: &InstancePre<Guest>,
    limits: &Limits,
    input: &[u8],
    stream: &Arc<UnixStream>,
) -> io::Result<()> {
    let ticker = Ticker::start(engine, stream.try_clone()?)?;
    loop {
        let (question, timeout_ms) = match wire::receive(&**stream) {
            Ok((Order::Ask { question, timeout_ms }, _)) => (question, timeout_ms),
            Ok(_) => return Err(io::ErrorKind::InvalidData.into()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        let deadline = Instant::now() + Duration::from_millis(timeout_ms);
        let _running = ticker.run();
        let input = MemoryInputPipe::new(input.to_vec());
        let report = questions::ask(pre, Guest::new(Arc::clone(stream), deadline, limits, input), *question);
        let mut frame = wire::encode(&report, &[])?;
        if let Report::Ended { end: End::Value(_) | End::Error(_), printed, lost } = report {
            // What was printed is within limits of its own.
            let escaped = serde_json::to_vec(&printed)?.len();
            if frame.len().saturating_sub(escaped) > limits.size(Limit::Answer) {
                let end = End::Exceeded(Limit::Answer);
                frame = wire::encode(&Report::Ended { end, printed, lost }, &[])?;
            }
        }
        (&**stream).write_all(&frame)?;
    }
}
