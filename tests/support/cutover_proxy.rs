//! cutover's own proxy, with directory and ports of its own.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use crate::process::pid;
use crate::{Machine, Port, Process, Scratch, eventually};

/// A proxy; it ends with the value.
#[derive(Debug)]
pub struct CutoverProxy {
    program: PathBuf,
    directory: PathBuf,
    port: Port,
    process: Option<Process>,
}

impl CutoverProxy {
    /// One for a machine, where the program lies at this path; nothing runs yet.
    #[must_use]
    pub fn new(scratch: &Scratch, machine: &Machine, program: &Path) -> Self {
        let directory = scratch.join(format!("{}-proxy", machine.name()));
        Self { program: program.to_owned(), directory, port: Port::take(), process: None }
    }

    /// Settings of `builtin:proxy`, as an inline table.
    #[must_use]
    pub fn settings(&self) -> String {
        let (directory, program) = (self.directory.display(), self.program.display());
        format!(
            "{{ directory = \"{directory}\", program = \"{program}\", listen = [\"127.0.0.1:{}\"] }}",
            self.port
        )
    }

    /// The port of its front door.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port.number()
    }

    /// Its directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file of its routes.
    #[must_use]
    pub fn routes(&self) -> PathBuf {
        self.directory.join("routes.json")
    }

    /// Starts it and waits until it answers.
    ///
    /// # Panics
    /// When it ends instead.
    pub fn start(&mut self, machine: &Machine) {
        self.start_with(machine, &[]);
    }

    /// The same with further words.
    ///
    /// # Panics
    /// When it ends instead.
    pub fn start_with(&mut self, machine: &Machine, words: &[&str]) {
        let mut command = machine.command(&self.program, Path::new("/"));
        command.args(["proxy", "run", "--listen", &format!("127.0.0.1:{}", self.port), "--directory"]);
        command.arg(&self.directory).args(words);
        let mut process = Process::start(command, &self.directory.with_extension("log"));
        eventually("the proxy listens", Duration::from_secs(10), || {
            assert!(process.ended().is_none(), "the proxy ended: {}", process.log());
            let up = TcpStream::connect(("127.0.0.1", self.port())).is_ok();
            (up && self.ask("list").is_ok()).then_some(())
        });
        self.process = Some(process);
    }

    /// Has it follow itself, as `systemctl reload` does, and waits until the new process serves.
    ///
    /// # Panics
    /// When that does not come to be.
    pub fn upgrade(&self) {
        let before = self.ids();
        self.signal(Signal::HUP);
        eventually("a new process", Duration::from_secs(10), || {
            self.ids().iter().any(|id| !before.contains(id)).then_some(())
        });
        // The former one answers nothing there any more once the new one does.
        eventually("an answer of it", Duration::from_secs(10), || self.ask("list").ok());
    }

    /// Sends a signal to the newest of its processes.
    ///
    /// # Panics
    /// When there is none.
    pub fn signal(&self, signal: Signal) {
        kill_process(pid(*self.ids().last().unwrap()), signal).unwrap();
    }

    /// Has all of it stand still, or go on: connections are taken meanwhile, and nobody answers.
    ///
    /// # Panics
    /// When it does not run.
    pub fn freeze(&self, still: bool) {
        self.process.as_ref().unwrap().freeze(still);
    }

    /// Ends all of it as a crash would, and waits until nothing of it is left.
    pub fn crash(&mut self) {
        self.process = None;
        eventually("the proxy is gone", Duration::from_secs(10), || self.ids().is_empty().then_some(()));
    }

    /// Waits until so many of its processes are left.
    pub fn wait_for_processes(&self, count: usize) {
        eventually("processes of the proxy", Duration::from_secs(15), || {
            (self.ids().len() == count).then_some(())
        });
    }

    /// What it has said.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.as_ref().unwrap().log()
    }

    /// The answer to a line on the control socket, from outside.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn ask(&self, line: &str) -> std::io::Result<String> {
        let mut socket = UnixStream::connect(self.directory.join("control.sock"))?;
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
        socket.write_all(format!("{line}\n").as_bytes())?;
        socket.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Its processes, the oldest first.
    #[must_use]
    pub fn ids(&self) -> Vec<u32> {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let is_own = |id: &u32| {
            let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
            let program = words
                .first()
                .is_some_and(|word| Path::new(std::str::from_utf8(word).unwrap_or("")) == self.program);
            program && words.iter().any(|word| *word == self.directory.as_os_str().as_encoded_bytes())
        };
        let mut ids: Vec<u32> = ids.filter(is_own).collect();
        ids.sort_unstable();
        ids
    }
}
