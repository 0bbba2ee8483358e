//! A real Traefik with directories and ports of its own, and another user than root's.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::skipped::skip;
use crate::{Machine, Port, Process, Scratch, eventually, get};

/// A Traefik; it ends with the value.
#[derive(Debug)]
pub struct Traefik {
    directory: PathBuf,
    port: Port,
    api_port: Port,
    process: Option<Process>,
}

impl Traefik {
    /// Writes the configuration of one for `machine`, with the router of `shop`; nothing runs yet. None, with a message, where Traefik is not
    /// installed.
    ///
    /// # Panics
    /// When it can't be written.
    #[must_use]
    pub fn new(scratch: &Scratch, machine: &Machine) -> Option<Self> {
        let test = std::env::current_exe().unwrap();
        // Beside the profile that the tests were built in.
        let installed = test.ancestors().nth(3).unwrap().join("peers/traefik/bin/traefik");
        if !installed.is_file() {
            skip(&format!("`{}` is not installed: `cargo xtask test` does that", installed.display()));
            return None;
        }
        let directory = scratch.directory(format!("{}-traefik", machine.name()));
        let traefik = Self { directory, port: Port::take(), api_port: Port::take(), process: None };
        // Where a machine sees it, wherever the build is.
        let program = traefik.program();
        fs::hard_link(&installed, &program).or_else(|_| fs::copy(&installed, &program).map(drop)).unwrap();
        traefik.pause_between_changes("100ms");
        fs::create_dir(traefik.dynamic()).unwrap();
        let router = "http:\n  routers:\n    shop:\n      entryPoints: [web]\n      rule: PathPrefix(`/`)\n      service: cutover-shop\n";
        fs::write(traefik.dynamic().join("shop.yml"), router).unwrap();
        Some(traefik)
    }

    fn program(&self) -> PathBuf {
        self.directory.join("traefik")
    }

    /// Directory that it watches.
    #[must_use]
    pub fn dynamic(&self) -> PathBuf {
        self.directory.join("dynamic")
    }

    /// The file that says where requests go.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.dynamic().join("cutover-shop.yml")
    }

    /// Puts another text in place of that file, at once: an editor that empties it first has Traefik answer 404 for a moment.
    ///
    /// # Panics
    /// When it can't.
    pub fn by_hand(&self, text: &str) {
        let other = self.directory.join("by-hand.yml");
        fs::write(&other, text).unwrap();
        fs::rename(&other, self.file()).unwrap();
    }

    /// Settings of `builtin:traefik`, as an inline table.
    #[must_use]
    pub fn settings(&self) -> String {
        format!("{{ directory = \"{}\", api-port = {} }}", self.dynamic().display(), self.api_port)
    }

    /// The port of its front door.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The port of its API.
    #[must_use]
    pub fn api_port(&self) -> u16 {
        self.api_port.number()
    }

    /// Has it wait so long between two changes, from its next start on: its default is `2s`.
    ///
    /// # Panics
    /// When its configuration can't be written.
    pub fn pause_between_changes(&self, pause: &str) {
        let config = format!(
            "global:\n  checkNewVersion: false\n  sendAnonymousUsage: false\n\
             entryPoints:\n  web:\n    address: 127.0.0.1:{}\n  traefik:\n    address: 127.0.0.1:{}\n\
             providers:\n  providersThrottleDuration: {pause}\n  file:\n    directory: {}\n\
             api:\n  insecure: true\n",
            self.port,
            self.api_port,
            self.dynamic().display()
        );
        fs::write(self.directory.join("traefik.yml"), config).unwrap();
    }

    /// Starts it and waits until it has read its files: it listens before, and answers 404.
    ///
    /// # Panics
    /// When it ends instead.
    pub fn start(&mut self, machine: &Machine) {
        let mut command = machine.command("setpriv", Path::new("/"));
        command.args(["--reuid=www-data", "--regid=www-data", "--clear-groups"]).arg(self.program());
        command.arg(format!("--configFile={}", self.directory.join("traefik.yml").display()));
        let mut process = Process::start(command, &self.directory.join("log"));
        eventually("Traefik routes", Duration::from_secs(20), || {
            assert!(process.ended().is_none(), "Traefik ended: {}", process.log());
            get("127.0.0.1", self.port(), "/").is_ok_and(|page| page.status != 404).then_some(())
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
        eventually("Traefik is gone", Duration::from_secs(10), || {
            TcpStream::connect(("127.0.0.1", self.port())).is_err().then_some(())
        });
    }

    /// Lets only the owner into the directory that it watches, or its user too.
    ///
    /// # Panics
    /// When it can't.
    pub fn let_in(&self, in_: bool) {
        let mode = if in_ { 0o755 } else { 0o700 };
        fs::set_permissions(self.dynamic(), fs::Permissions::from_mode(mode)).unwrap();
    }
}
