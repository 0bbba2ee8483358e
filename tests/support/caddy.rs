//! A real Caddy with directory, configuration and ports of its own, and another user than root's.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::skipped::skip;
use crate::{Machine, Port, Process, Scratch, eventually};

const PROGRAM: &str = "/usr/bin/caddy";

/// A Caddy; it ends with the value.
#[derive(Debug)]
pub struct Caddy {
    directory: PathBuf,
    port: Port,
    status_port: Port,
    process: Option<Process>,
}

impl Caddy {
    /// Writes the configuration of one for `machine`; nothing runs yet. None, with a message, where Caddy is not installed.
    ///
    /// # Panics
    /// When it can't be written.
    #[must_use]
    pub fn new(scratch: &Scratch, machine: &Machine) -> Option<Self> {
        if !Path::new(PROGRAM).is_file() {
            skip(&format!("`{PROGRAM}` is not installed: `cargo xtask test` does that"));
            return None;
        }
        let directory = scratch.directory(format!("{}-caddy", machine.name()));
        let caddy = Self { directory, port: Port::take(), status_port: Port::take(), process: None };
        // Where it keeps what it makes.
        let home = scratch.directory(caddy.home());
        fs::set_permissions(home, fs::Permissions::from_mode(0o777)).unwrap();
        let config = format!(
            "{{\n\tadmin off\n\tauto_https off\n}}\nimport {}\nhttp://:{} {{\n\tbind 127.0.0.1\n\timport cutover-shop\n}}\n",
            caddy.import().display(),
            caddy.port
        );
        fs::write(caddy.directory.join("Caddyfile"), config).unwrap();
        Some(caddy)
    }

    fn home(&self) -> PathBuf {
        self.directory.join("home")
    }

    /// Settings of `builtin:caddy`, as an inline table.
    #[must_use]
    pub fn settings(&self) -> String {
        format!(
            "{{ directory = \"{}\", status-port = {}, import = \"{}\" }}",
            self.flags().display(),
            self.status_port,
            self.import().display()
        )
    }

    /// The file that the Caddyfile imports.
    #[must_use]
    pub fn import(&self) -> PathBuf {
        self.directory.join("cutover/shop.caddy")
    }

    /// Directory of the files that choose the colour.
    #[must_use]
    pub fn flags(&self) -> PathBuf {
        self.directory.join("flags")
    }

    /// The port of its front door.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The port on which it tells its colour.
    #[must_use]
    pub fn status_port(&self) -> u16 {
        self.status_port.number()
    }

    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// When it ends instead.
    pub fn start(&mut self, machine: &Machine) {
        let mut command = machine.command("setpriv", Path::new("/"));
        command.args(["--reuid=www-data", "--regid=www-data", "--clear-groups", "env"]);
        for variable in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.arg(format!("{variable}={}", self.home().display()));
        }
        command
            .args([PROGRAM, "run", "--adapter", "caddyfile", "--config"])
            .arg(self.directory.join("Caddyfile"));
        let mut process = Process::start(command, &self.directory.join("log"));
        eventually("Caddy listens", Duration::from_secs(10), || {
            assert!(process.ended().is_none(), "Caddy ended: {}", process.log());
            TcpStream::connect(("127.0.0.1", self.port())).is_ok().then_some(())
        });
        self.process = Some(process);
    }

    /// Has all of it stand still, or go on: connections are taken meanwhile, and nobody answers.
    ///
    /// # Panics
    /// When it does not run.
    pub fn freeze(&self, still: bool) {
        self.process.as_ref().unwrap().freeze(still);
    }

    /// Ends it as a crash would, and waits until nothing of it is left.
    pub fn stop(&mut self) {
        self.process = None;
        eventually("Caddy is gone", Duration::from_secs(10), || {
            TcpStream::connect(("127.0.0.1", self.port())).is_err().then_some(())
        });
    }
}
