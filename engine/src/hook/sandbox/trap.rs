//! What a guest's end looks like to people. wasmtime's own texts begin with a backtrace and name the cause last, or not at all.

use wasmtime::component::ResourceTableError;
use wasmtime::{Error, Trap};
use wasmtime_wasi::I32Exit;

use super::deadline::DeadlinePassed;
use super::exceeded::Exceeded;
use super::misfit::Misfit;
use crate::hook::wire::End;
use crate::model::Limit;

/// How wasmtime tells of a limit for which it has no type; a test beside each holds it to its words.
const TOLD: [(&str, Limit); 4] = [
    ("resource limit exceeded: instance count", Limit::Instances),
    ("resource limit exceeded: memory count", Limit::Memories),
    ("resource limit exceeded: table count", Limit::Tables),
    ("too much data is being copied between the host and the guest", Limit::CallBytes),
];

/// How a guest ended that did not answer. `refused` is what it was refused more of.
pub(super) fn end_of(error: &Error, refused: Option<Limit>) -> End {
    if error.downcast_ref::<DeadlinePassed>().is_some() {
        return End::TimedOut;
    }
    if let Some(Misfit(reason)) = error.downcast_ref() {
        return End::Unfit(reason.clone());
    }
    if let Some(limit) = broken(error).or(refused) {
        return End::Exceeded(limit);
    }
    let text = if let Some(exit) = error.downcast_ref::<I32Exit>() {
        // The interface of WASI knows success and failure alone, whatever number the guest gave.
        let end = if exit.0 == 0 { "success" } else { "failure" };
        format!("the hook ended itself with {end} instead of answering")
    } else {
        match error.downcast_ref::<Trap>() {
            Some(Trap::UnreachableCodeReached) => {
                "the hook crashed (panic, abort or an exception that nobody caught)".to_owned()
            }
            Some(Trap::MemoryOutOfBounds) => {
                "the hook reached outside of its memory (or recursed too deeply)".to_owned()
            }
            Some(trap) => format!("the hook trapped: {trap}"),
            None => root_text(error),
        }
    };
    End::Trapped(text)
}

/// The limit that an error is about.
fn broken(error: &Error) -> Option<Limit> {
    if let Some(Exceeded(limit)) = error.downcast_ref() {
        return Some(*limit);
    }
    if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) {
        return Some(Limit::Handles);
    }
    if matches!(error.downcast_ref(), Some(Trap::StackOverflow)) {
        return Some(Limit::Stack);
    }
    let root = root_text(error);
    TOLD.iter().find(|(words, _)| root.starts_with(words)).map(|(_, limit)| *limit)
}

/// The innermost cause.
fn root_text(error: &Error) -> String {
    error.root_cause().to_string()
}

/// Every cause, the outermost first.
pub(super) fn whole_text(error: &Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
