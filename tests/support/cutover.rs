//! Runs of the program under test.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process, kill_process_group};
use serde_json::Value;

use crate::process::{children, end_group, group_of, has_ended, pid, state, status_code};
use crate::{Machine, Test, eventually};

/// A run under way. Killed when the value goes.
#[derive(Debug)]
pub struct Running {
    child: Child,
    inside: bool,
    lines: Receiver<String>,
    stdout: String,
    stderr: Option<JoinHandle<String>>,
    begun: Instant,
}

/// A run that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Exit status; 128 plus the signal's number when a signal ended it.
    pub status: i32,
    /// Data.
    pub stdout: String,
    /// All else.
    pub stderr: String,
}

/// No run of a test takes longer.
const LONGEST: Duration = Duration::from_secs(180);

impl Running {
    /// Starts `command`, which [`Machine::command`] has made.
    ///
    /// # Panics
    /// When it can't be started.
    #[must_use]
    pub fn start(machine: &Machine, mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|fault| panic!("cannot start {command:?}: {fault}"));
        let (sender, lines) = mpsc::channel();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            let mut line = Vec::new();
            while out.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line).into_owned();
                line.clear();
                if sender.send(text).is_err() {
                    return;
                }
            }
        });
        let mut errors = child.stderr.take().unwrap();
        let stderr = thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = errors.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let inside = machine.is_isolated();
        Self { child, inside, lines, stdout: String::new(), stderr: Some(stderr), begun: Instant::now() }
    }

    /// Starts the program so that it halts at a place, as `engine/src/transport/halt.rs` names them.
    #[must_use]
    pub fn halting(test: &Test, args: &[&str], place: &str) -> Self {
        let mut command = test.command(args);
        command.env("CUTOVER_TEST_HALT_AT", place);
        Self::start(&test.desk, command)
    }

    /// Reads lines of `--json` output until `wanted` holds for one.
    ///
    /// # Panics
    /// When the run ends before.
    pub fn wait_for(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let Some(line) = self.next_line() else {
                panic!("no {what} in the whole run:\n{}", self.stdout);
            };
            if let Some(event) = serde_json::from_str(&line).ok().filter(&wanted) {
                return event;
            }
        }
    }

    /// Reads lines of `--json` output until a step begins.
    pub fn wait_for_step(&mut self, step: &str) {
        self.wait_for(step, |event| event["event"] == "step-started" && event["step"] == step);
    }

    fn next_line(&mut self) -> Option<String> {
        let left = LONGEST.saturating_sub(self.begun.elapsed());
        match self.lines.recv_timeout(left) {
            Ok(line) => {
                self.stdout.push_str(&line);
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                panic!("the run takes longer than {LONGEST:?}:\n{}", self.stdout)
            }
        }
    }

    /// Identifier of the program's process; none when it has ended.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        let own = self.child.id();
        if !self.inside {
            return Some(own);
        }
        eventually("the program", Duration::from_secs(5), || match children(own).first() {
            Some(program) => Some(Some(*program)),
            None => has_ended(own).then_some(None),
        })
    }

    /// Waits until the program has stopped itself; false when it has ended instead.
    ///
    /// # Panics
    /// When neither happens within a minute.
    #[must_use]
    pub fn wait_until_halted(&self) -> bool {
        eventually("the program halts", Duration::from_secs(60), || {
            let Some(id) = self.id() else { return Some(false) };
            // `nsenter` stops with the program that it waits for.
            let states = [id, self.child.id()].map(state);
            if states.iter().any(|state| matches!(state, 'Z' | 'X')) {
                return Some(false);
            }
            (states == ['T', 'T']).then_some(true)
        })
    }

    /// Sends a signal to the program, unless it has ended.
    pub fn signal(&self, signal: Signal) {
        let own = self.child.id();
        if let Some(id) = self.id() {
            let _ = kill_process(pid(id), signal);
        }
        // `nsenter` stops with the program that it waits for, and then does not see its end.
        if self.inside && matches!(signal, Signal::CONT | Signal::KILL) {
            let _ = kill_process(pid(own), Signal::CONT);
        }
    }

    /// Sends a signal to all processes of the run, as a terminal does.
    pub fn signal_group(&self, signal: Signal) {
        let _ = kill_process_group(pid(self.child.id()), signal);
    }

    /// What a terminal does at Ctrl-C: the signal goes to every process of the group.
    pub fn press_ctrl_c(&self) {
        let group = self.child.id();
        for process in group_of(group) {
            // A helper of ours, on whose exit status we wait.
            if !(self.inside && process == group) {
                let _ = kill_process(pid(process), Signal::INT);
            }
        }
    }

    /// Ends it as a power cut would: no handler, no flush.
    #[must_use]
    pub fn kill(self) -> Ended {
        self.signal(Signal::KILL);
        self.finish()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When that takes longer than three minutes.
    #[must_use]
    pub fn finish(mut self) -> Ended {
        while self.next_line().is_some() {}
        let limit = Duration::from_secs(20);
        let status = eventually("the end of a run that has closed its output", limit, || {
            self.child.try_wait().unwrap()
        });
        let stderr = self.stderr.take().unwrap().join().unwrap();
        Ended { status: status_code(status), stdout: std::mem::take(&mut self.stdout), stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        end_group(&mut self.child);
    }
}

impl Ended {
    /// Fails the test unless the exit status is this.
    ///
    /// # Panics
    /// Then.
    #[track_caller]
    pub fn expect(self, status: i32) -> Self {
        // The end comes first: where a report of a failed test is cut, it is cut behind.
        let end = self.stdout.lines().last().unwrap_or_default();
        assert_eq!(
            self.status, status,
            "exit status; stdout ends with\n{end}\n── stderr\n{}── stdout\n{}",
            self.stderr, self.stdout
        );
        self
    }

    /// Lines of `--json` output.
    ///
    /// # Panics
    /// When one is not JSON.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|fault| panic!("{fault}: {line}"));
        self.stdout.lines().map(parse).collect()
    }

    /// The last event.
    #[must_use]
    pub fn last_event(&self) -> Value {
        self.events().pop().unwrap_or_default()
    }

    /// Fails the test unless the whole output, both streams, holds `text`.
    ///
    /// # Panics
    /// Then.
    #[track_caller]
    pub fn expect_text(self, text: &str) -> Self {
        let found = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(found, "`{text}` is not in\n── stdout\n{}── stderr\n{}", self.stdout, self.stderr);
        self
    }
}
