//! Driver `detached`: the helper's own supervisor. For this machine, containers and hosts without an init system; a reboot starts
//! nothing.

use cutover_host::operation::{Answer, Operation, Process, ProcessState};

use super::drive::nonsense;
use super::{DriverFailure, InstanceState, Launch, Slot};
use crate::model::{ReleaseId, Timestamp};

/// Bytes of a log before it is moved aside; with the one that was moved, twice that is kept.
const LOG_LIMIT: u64 = 16 * 1024 * 1024;

pub(super) fn start(slot: &Slot<'_>, release: &ReleaseId, launch: &Launch) -> Operation {
    let process = Process {
        directory: slot.process_directory(),
        release: release.to_string(),
        program: slot.program(release, launch, &launch.start),
        log: slot.log_file(release),
        log_limit: LOG_LIMIT,
    };
    Operation::StartProcess { process }
}

pub(super) fn status(slot: &Slot<'_>) -> Operation {
    Operation::ProcessStatus { directory: slot.process_directory() }
}

pub(super) fn stop(slot: &Slot<'_>) -> Operation {
    let grace_ms = u64::try_from(slot.stop_timeout().as_millis()).unwrap_or(u64::MAX);
    Operation::StopProcess { directory: slot.process_directory(), grace_ms }
}

pub(super) fn read_state(answer: &Answer) -> Result<InstanceState, DriverFailure> {
    let Answer::Process(state) = answer else { return Err(nonsense("a process", answer)) };
    Ok(match state {
        ProcessState::Absent => InstanceState::Stopped,
        ProcessState::Running { pid, release, started_ms } => InstanceState::Running {
            release: ReleaseId::parse(release),
            since: Some(Timestamp(*started_ms)),
            pid: Some(*pid),
        },
        ProcessState::Exited { status, release } => InstanceState::Failed {
            release: ReleaseId::parse(release),
            why: match status {
                Some(status) => format!("exit status {status}"),
                None => "the host went down".to_owned(),
            },
        },
    })
}
