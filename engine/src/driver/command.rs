//! Driver `command`: programs of the operator's start, stop and tell.

use cutover_host::operation::{Exit, Program};

use super::{DriverFailure, InstanceState};
use crate::model::ReleaseId;

/// Status of a status program that found nothing running, as of init scripts (LSB 5.0, "Init Script Actions").
const STOPPED: i32 = 3;

/// What the status program's end means.
pub(super) fn read_state(program: &Program, exit: &Exit, release: ReleaseId) -> InstanceState {
    match exit.status {
        0 => InstanceState::Running { release: Some(release), since: None, pid: None },
        STOPPED => InstanceState::Stopped,
        _ => {
            let why = DriverFailure::program(&program.program, &program.args, exit).to_string();
            InstanceState::Failed { release: Some(release), why }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_status_is_the_state() {
        let release = ReleaseId::parse("20260101T000000Z-0a1b2c3d-wxyz").expect("an identifier");
        let program =
            Program { program: "/opt/ctl".into(), args: vec!["status".into()], ..Program::default() };
        let read = |status, errors: &str| {
            let exit = Exit { status, errors: errors.into(), ..Exit::default() };
            read_state(&program, &exit, release.clone())
        };
        let running = InstanceState::Running { release: Some(release.clone()), since: None, pid: None };
        assert_eq!(read(0, ""), running);
        assert_eq!(read(3, "not running\n"), InstanceState::Stopped);
        assert_eq!(
            read(1, "dead,\n\npid file left\n"),
            InstanceState::Failed {
                release: Some(release.clone()),
                why: "`/opt/ctl status` ended with status 1: dead,; pid file left".into()
            }
        );
    }
}
