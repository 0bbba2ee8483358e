//! What a guest's end looks like to people. wasmtime's own texts begin with a backtrace and name the cause last, or not at all.

use wasmtime::{Error, Trap};
use wasmtime_wasi::I32Exit;

use super::deadline::DeadlinePassed;
use super::limiter::Limiter;
use super::misfit::Misfit;
use crate::hook::limits;
use crate::hook::wire::End;

/// How a guest ended that did not answer.
pub(super) fn end_of(error: &Error, limiter: &Limiter) -> End {
    if error.downcast_ref::<DeadlinePassed>().is_some() {
        return End::TimedOut;
    }
    if let Some(Misfit(reason)) = error.downcast_ref() {
        return End::Unfit(reason.clone());
    }
    let mut text = if let Some(exit) = error.downcast_ref::<I32Exit>() {
        // The interface of WASI knows success and failure alone, whatever number the guest gave.
        let end = if exit.0 == 0 { "success" } else { "failure" };
        format!("the hook ended itself with {end} instead of answering")
    } else {
        match error.downcast_ref::<Trap>() {
            Some(Trap::UnreachableCodeReached) => {
                "the hook crashed (panic, abort or an exception that nobody caught)".to_owned()
            }
            Some(Trap::StackOverflow) => "the hook recursed too deeply".to_owned(),
            Some(Trap::MemoryOutOfBounds) => {
                "the hook reached outside of its memory (or recursed too deeply)".to_owned()
            }
            Some(trap) => format!("the hook trapped: {trap}"),
            None => root_text(error),
        }
    };
    if limiter.refused {
        text.push_str(&format!(", after it was refused more than {} MiB of memory", limits::MEMORY >> 20));
    }
    End::Trapped(text)
}

/// The innermost cause.
pub(super) fn root_text(error: &Error) -> String {
    error.root_cause().to_string()
}

/// Every cause, the outermost first.
pub(super) fn whole_text(error: &Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
