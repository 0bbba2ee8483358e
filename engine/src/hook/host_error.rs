//! What a hook is told of a host that failed.

use std::time::Duration;

use cutover_host::operation::FaultKind;

use crate::hook::contract::cutover::hook::hosts::HostError;
use crate::transport::Failure;

pub(super) fn host_error(failure: Failure) -> HostError {
    match failure {
        Failure::Fault(fault) if fault.kind == FaultKind::NotFound => HostError::NotFound(fault.message),
        Failure::Fault(fault) if fault.kind == FaultKind::TimedOut => HostError::TimedOut(fault.message),
        Failure::Fault(fault) => HostError::Failed(fault.message),
        Failure::Unreachable(text) | Failure::Untrusted(text) => HostError::Unreachable(text),
        Failure::Broken(text) | Failure::Nonsense(text) => HostError::Broken(text),
    }
}

/// The same, but of an exchange that took too long: which socket it was, and how long it had.
pub(super) fn with_limit(error: HostError, socket: &str, limit: Duration) -> HostError {
    if !matches!(error, HostError::TimedOut(_)) {
        return error;
    }
    let seconds = (limit.as_secs_f64() * 10.0).round() / 10.0;
    HostError::TimedOut(format!("`{socket}`: no whole answer within {seconds} s"))
}
