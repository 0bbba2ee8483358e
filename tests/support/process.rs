//! Processes that end with the value that started them.

use std::fs::{self, File};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// A process in a group of its own; the whole group is killed when the value goes.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it with both outputs into the file `log`.
    ///
    /// # Panics
    /// When it can't be started.
    #[must_use]
    pub fn start(mut command: Command, log: &Path) -> Self {
        fs::create_dir_all(log.parent().unwrap()).unwrap();
        let out = File::create(log).unwrap();
        command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out).process_group(0);
        let child = command.spawn().unwrap_or_else(|fault| panic!("cannot start {command:?}: {fault}"));
        Self { child, log: log.to_owned() }
    }

    /// Its process identifier.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Kills every process whose program or working directory lies below `directory`: daemons that have left their group.
    pub fn end_all_below(directory: &Path) {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        for id in processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
            let is_below = |name: &str| {
                fs::read_link(format!("/proc/{id}/{name}")).is_ok_and(|target| target.starts_with(directory))
            };
            if is_below("exe") || is_below("cwd") {
                let _ = kill_process(pid(id), Signal::KILL);
            }
        }
    }

    /// Has its whole group stand still, or go on: connections are taken meanwhile, and nobody answers.
    pub fn freeze(&self, still: bool) {
        let signal = if still { Signal::STOP } else { Signal::CONT };
        let _ = kill_process_group(pid(self.child.id()), signal);
    }

    /// Sends a signal to it alone.
    pub fn signal(&self, signal: Signal) {
        let _ = kill_process(pid(self.child.id()), signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        end_group(&mut self.child);
    }
}

/// Kills a child's group and takes in its end.
pub(crate) fn end_group(child: &mut Child) {
    let _ = kill_process_group(pid(child.id()), Signal::KILL);
    let _ = child.kill();
    let _ = child.wait();
}

pub(crate) fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).unwrap()).unwrap()
}

/// Exit status as a shell tells it: 128 plus the number of a signal.
pub(crate) fn status_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// Children of a process.
pub(crate) fn children(id: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Processes of a group.
pub(crate) fn group_of(group: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_in = |id: &u32| {
        let text = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // State, parent, group.
        let fields = text.rsplit_once(") ").map(|(_, rest)| rest.split(' ').nth(2).map(str::to_owned));
        fields.flatten().is_some_and(|found| found == group.to_string())
    };
    ids.filter(is_in).collect()
}

/// The child of a process that is the first in a process namespace of its own.
pub(crate) fn init_below(id: u32) -> Option<u32> {
    let namespace = |id: &str| fs::read_link(format!("/proc/{id}/ns/pid")).ok();
    let ours = namespace("self");
    let is_other = |child: &u32| namespace(&child.to_string()).is_some_and(|found| Some(found) != ours);
    children(id).into_iter().find(is_other)
}

/// Whether a child of ours has ended, and nobody has asked how yet.
pub(crate) fn has_ended(id: u32) -> bool {
    matches!(state(id), 'Z' | 'X')
}

/// The letter of a process's state; `X` where there is none.
pub(crate) fn state(id: u32) -> char {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    text.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap_or('X')
}
