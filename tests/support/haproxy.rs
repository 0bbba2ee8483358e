//! A real HAProxy with configuration, port and admin socket in the scratch directory.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{Machine, Port, Process, Scratch, eventually};

/// Its program, on Debian.
const PROGRAM: &str = "/usr/sbin/haproxy";

/// An HAProxy; it ends with the value.
#[derive(Debug)]
pub struct Haproxy {
    directory: PathBuf,
    port: Port,
    process: Option<Process>,
}

impl Haproxy {
    /// Whether it can be run here.
    #[must_use]
    pub fn is_installed() -> bool {
        Command::new(PROGRAM).arg("-v").output().is_ok_and(|output| output.status.success())
    }

    /// One for a machine; nothing is written yet, and nothing runs.
    #[must_use]
    pub fn new(scratch: &Scratch, machine: &Machine) -> Self {
        let directory = scratch.directory(format!("{}-haproxy", machine.name()));
        Self { directory, port: Port::take(), process: None }
    }

    /// The port of its front door.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port.number()
    }

    /// Settings of `builtin:haproxy`, as an inline table.
    #[must_use]
    pub fn settings(&self) -> String {
        let own = self.directory.display();
        format!(
            "{{ socket = \"unix:{own}/admin.sock\", map = \"{own}/shop/green.map\", config = \"{own}/shop.cfg\", \
             check-path = \"/up\" }}"
        )
    }

    /// The map file.
    #[must_use]
    pub fn map(&self) -> PathBuf {
        self.directory.join("shop/green.map")
    }

    /// The file of the backends.
    #[must_use]
    pub fn backends(&self) -> PathBuf {
        self.directory.join("shop.cfg")
    }

    /// The admin socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.directory.join("admin.sock")
    }

    /// Its main configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.directory.join("haproxy.cfg")
    }

    /// Settings of its style `servers`, as an inline table.
    #[must_use]
    pub fn servers_settings(&self) -> String {
        let own = self.directory.display();
        format!(
            "{{ style = \"servers\", socket = \"unix:{own}/admin.sock\", state-file = \"{own}/states/state\", \
             check-path = \"/up\" }}"
        )
    }

    /// The file of the servers' states.
    #[must_use]
    pub fn states(&self) -> PathBuf {
        self.directory.join("states/state")
    }

    /// Writes its main configuration with the lines that a script of `cutover setup` tells a person to put into it.
    ///
    /// # Panics
    /// When the script tells none.
    pub fn write_config(&self, script: &str) {
        let told = |section: &str| {
            let (_, rest) = script.split_once(&format!("# Then, {section}"))?;
            let lines = rest.lines().skip(1).map_while(|line| line.strip_prefix("#     "));
            Some(lines.map(|line| format!("    {line}\n")).collect::<String>())
        };
        let global = told("in the global section").unwrap();
        let defaults = told("in a defaults section").unwrap();
        let frontend = told("in its frontend of shop");
        let backend = told("in its backend shop");
        assert!(frontend.is_some() != backend.is_some(), "{script}");
        let config = format!(
            "global\n    user haproxy\n    group haproxy\n{global}\
             defaults\n    mode http\n    timeout connect 2s\n    timeout client 30s\n    timeout server 30s\n{defaults}\
             frontend door\n    bind 127.0.0.1:{}\n{}{}",
            self.port,
            frontend.unwrap_or_else(|| "    default_backend shop\n".to_owned()),
            backend.map_or_else(String::new, |lines| format!("backend shop\n{lines}")),
        );
        fs::write(self.config(), config).unwrap();
    }

    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// When it ends instead.
    pub fn start(&mut self, machine: &Machine) {
        let mut command = machine.command(PROGRAM, Path::new("/"));
        command.args(["-W", "-db", "-f"]).arg(self.config());
        if self.backends().exists() {
            command.arg("-f").arg(self.backends());
        }
        command.arg("-p").arg(self.directory.join("pid"));
        let mut process = Process::start(command, &self.directory.join("log"));
        eventually("HAProxy listens", Duration::from_secs(10), || {
            assert!(process.ended().is_none(), "HAProxy ended: {}", process.log());
            let up = std::net::TcpStream::connect(("127.0.0.1", self.port.number())).is_ok();
            (up && self.worker().is_some()).then_some(())
        });
        self.process = Some(process);
    }

    /// Reads the configuration and the map anew, as `systemctl reload haproxy` does, and waits until that is done.
    ///
    /// # Panics
    /// When it is not done within ten seconds.
    pub fn reload(&self, machine: &Machine) {
        let before = self.worker();
        let pid = fs::read_to_string(self.directory.join("pid")).unwrap();
        let told = machine.command("kill", Path::new("/")).args(["-USR2", pid.trim()]).output().unwrap();
        assert!(told.status.success(), "{told:?}");
        eventually("HAProxy's new worker", Duration::from_secs(10), || {
            self.worker().is_some_and(|now| Some(now) != before).then_some(())
        });
    }

    /// Has all of it stand still, or go on: connections are taken meanwhile, and nobody answers.
    ///
    /// # Panics
    /// When it does not run.
    pub fn freeze(&self, still: bool) {
        self.process.as_ref().unwrap().freeze(still);
    }

    /// Ends it; its socket stays there and refuses.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// The answer to a line on the admin socket, from outside.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn ask(&self, line: &str) -> std::io::Result<String> {
        let mut socket = UnixStream::connect(self.socket())?;
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
        socket.write_all(format!("{line}\n").as_bytes())?;
        socket.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Process number of the worker that answers.
    fn worker(&self) -> Option<String> {
        let info = self.ask("show info").ok()?;
        info.lines().find_map(|line| line.strip_prefix("Pid: ")).map(str::to_owned)
    }
}
