//! A real SSH server for a machine, with keys made for the test.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{Machine, Port, Process, Scratch, eventually};

/// An SSH server. It ends with the value; sessions that are open go with their machine.
#[derive(Debug)]
pub struct Sshd {
    user: String,
    port: Port,
    address: String,
    host_key: String,
    directory: PathBuf,
    process: Option<Process>,
}

impl Sshd {
    /// Makes a key pair without a passphrase at `path` and returns the public half.
    ///
    /// # Panics
    /// When `ssh-keygen` fails.
    pub fn make_key(path: &Path) -> String {
        let _ = fs::remove_file(path);
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(path);
        assert!(keygen.status().unwrap().success(), "{keygen:?}");
        fs::read_to_string(path.with_extension("pub")).unwrap().trim().to_owned()
    }

    /// Starts one on `machine` that lets the holder of `user_key` (a public key) in as `user`.
    ///
    /// # Panics
    /// When it doesn't answer within ten seconds.
    #[must_use]
    pub fn start(scratch: &Scratch, machine: &Machine, user_key: &str, user: &str) -> Self {
        let directory = scratch.directory(format!("{}-sshd", machine.name()));
        let mut sshd = Self {
            user: user.to_owned(),
            port: Port::take(),
            address: machine.address().to_owned(),
            host_key: Self::make_key(&directory.join("host-key")),
            directory,
            process: None,
        };
        fs::write(sshd.directory.join("authorized-keys"), format!("{user_key}\n")).unwrap();
        sshd.restart(machine);
        sshd
    }

    /// Starts it again, with what its directory holds by now.
    pub fn restart(&mut self, machine: &Machine) {
        self.process = None;
        let directory = self.directory.display();
        // Where sessions are logind's, they are begun by PAM.
        let pam = if machine.is_booted() { "yes" } else { "no" };
        let config = format!(
            "Port {}\nListenAddress {}\nHostKey {directory}/host-key\nAuthorizedKeysFile {directory}/authorized-keys\n\
             PidFile none\nStrictModes no\nUsePAM {pam}\nUseDNS no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin prohibit-password\nPrintMotd no\nPrintLastLog no\nLogLevel VERBOSE\n",
            self.port, self.address,
        );
        let file = self.directory.join("sshd_config");
        fs::write(&file, config).unwrap();
        let server = ["/usr/sbin/sshd", "-D", "-e", "-f"];
        let words: &[&str] = if machine.is_booted() {
            &["systemd-run", "--quiet", "--wait", "--pipe", "--collect", "--property=KillMode=process", "--"]
        } else {
            &[]
        };
        let words = [words, &server].concat();
        let mut command = machine.command(words[0], Path::new("/"));
        command.args(&words[1..]).arg(file);
        let mut process = Process::start(command, &self.directory.join("log"));
        eventually(&format!("sshd of `{}`", machine.name()), Duration::from_secs(10), || {
            assert!(process.ended().is_none(), "sshd of `{}` ended: {}", machine.name(), process.log());
            std::net::TcpStream::connect((self.address.as_str(), self.port.number())).is_ok().then_some(())
        });
        self.process = Some(process);
    }

    /// The port that it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port.number()
    }

    /// Gives it another host key, as a stranger in its place would have.
    pub fn change_host_key(&mut self, machine: &Machine) {
        Self::make_key(&self.directory.join("host-key"));
        self.restart(machine);
    }

    /// Ends it: the machine can't be reached any more.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// `USER@ADDRESS:PORT`.
    #[must_use]
    pub fn destination(&self) -> String {
        format!("{}@{}:{}", self.user, self.address, self.port)
    }

    /// Where it listens.
    ///
    /// # Panics
    /// Never: a machine's address is one.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.address.parse().unwrap(), self.port.number())
    }

    /// The user that it lets in.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The line that a client's `known_hosts` needs.
    #[must_use]
    pub fn known_hosts_line(&self) -> String {
        self.known_hosts_line_at(self.address())
    }

    /// The same for a client who comes by another address.
    #[must_use]
    pub fn known_hosts_line_at(&self, address: SocketAddr) -> String {
        format!("[{}]:{} {}\n", address.ip(), address.port(), self.host_key)
    }

    /// Lets nobody in but the holder of another key.
    pub fn authorize(&self, user_key: &str) {
        fs::write(self.directory.join("authorized-keys"), format!("{user_key}\n")).unwrap();
    }
}
