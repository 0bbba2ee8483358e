//! Which process a number means: numbers are used again, a start time within a boot is not.

use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use serde::{Deserialize, Serialize};

use crate::facts::boot_id;
use crate::fault;
use crate::operation::Fault;

/// One process, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Its number, also that of its process group and session.
    pub(crate) pid: u32,
    /// Field 22 of `/proc/PID/stat`: clock ticks since the boot.
    start_time: u64,
    boot_id: String,
}

impl Identity {
    /// Of a process that runs now.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        Some(Self { pid, start_time: stat(pid)?.0, boot_id: boot_id() })
    }

    /// Whether that very process runs (a zombie does not).
    pub(crate) fn is_alive(&self) -> bool {
        self.boot_id == boot_id()
            && stat(self.pid)
                .is_some_and(|(start, state)| start == self.start_time && !matches!(state, 'Z' | 'X'))
    }

    /// Sends a signal to the process group that it leads. True when it was there.
    pub(crate) fn signal(&self, signal: Signal) -> Result<bool, Fault> {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return Ok(false) };
        // While the descriptor is open and the process alive, the number can't pass to another.
        let held = pidfd_open(pid, PidfdFlags::empty());
        if !self.is_alive() {
            return Ok(false);
        }
        let sent = kill_process_group(pid, signal);
        drop(held);
        match sent {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(error) => Err(fault::io("signal process", self.pid, error)),
        }
    }
}

/// Start time and state letter of a process.
fn stat(pid: u32) -> Option<(u64, char)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may have blanks and brackets in it; what follows its last bracket has none.
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    Some((fields.get(19)?.parse().ok()?, fields.first()?.chars().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_was_used_again_is_another_process() {
        let own = Identity::of(std::process::id()).expect("runs");
        assert!(own.is_alive());
        let before = Identity { start_time: own.start_time - 1, ..own.clone() };
        assert!(!before.is_alive());
        assert_eq!(before.signal(Signal::KILL), Ok(false));
        let last_boot = Identity { boot_id: "another".to_owned(), ..own };
        assert_eq!(last_boot.signal(Signal::KILL), Ok(false));
    }
}
