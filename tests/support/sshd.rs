//! A real SSH server for a machine, with keys made for the test.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::{Machine, Port, Process, Scratch, eventually};

/// An SSH server. It ends with the value; sessions that are open go with their machine.
#[derive(Debug)]
pub struct Sshd {
    user: String,
    /// The name that clients know it by, in their own configuration.
    alias: Option<String>,
    port: Arc<Port>,
    address: String,
    /// Where it listens, too.
    second_address: Option<Ipv4Addr>,
    host_key: String,
    directory: PathBuf,
    process: Option<Arc<Process>>,
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
            alias: None,
            port: Arc::new(Port::take()),
            address: machine.address().to_owned(),
            second_address: None,
            host_key: Self::make_key(&directory.join("host-key")),
            directory,
            process: None,
        };
        fs::write(sshd.directory.join("authorized-keys"), format!("{user_key}\n")).unwrap();
        sshd.restart(machine);
        sshd
    }

    /// Starts one that leads to all of these machines, each with a key of its own, which is put into `keys` with a client
    /// configuration that names the machines. So many clients as at a real server stand before one door.
    ///
    /// # Panics
    /// When it doesn't answer within ten seconds.
    #[must_use]
    pub fn start_for_all(scratch: &Scratch, machines: &[Machine], keys: &Path) -> Vec<Self> {
        let directory = scratch.directory("sshd");
        let host_key = Self::make_key(&directory.join("host-key"));
        let (address, port) = ("127.0.0.10", Arc::new(Port::take()));
        let (mut config, mut authorized) = (String::new(), String::new());
        for machine in machines {
            let name = machine.name();
            let script =
                format!("#!/bin/sh\nexec {} /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"\n", machine.entrance());
            let enter = scratch.write(format!("sshd/enter-{name}"), script);
            fs::set_permissions(&enter, fs::Permissions::from_mode(0o755)).unwrap();
            let key = Self::make_key(&keys.join(name));
            authorized += &format!("command=\"{}\" {key}\n", enter.display());
            config += &format!(
                "Host {name}\n  HostName {address}\n  Port {port}\n  User root\n  IdentityFile ~/.ssh/{name}\n  IdentitiesOnly yes\n"
            );
        }
        fs::write(keys.join("config"), config).unwrap();
        fs::write(directory.join("authorized-keys"), authorized).unwrap();
        let home = scratch.directory("sshd/home");
        // Like a machine: without start-up files.
        let script = "mount --bind \"$1\" /root && mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -e -f \"$2\"";
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private"]);
        command.args(["sh", "-c", script, "sh"]).arg(&home).arg(directory.join("sshd_config"));
        command.env_clear().env("PATH", crate::SYSTEM_PATH).current_dir("/");
        let mut first = Self {
            user: "root".to_owned(),
            alias: None,
            port,
            address: address.to_owned(),
            second_address: None,
            host_key,
            directory,
            process: None,
        };
        first.write_config("no");
        first.serve("all", command);
        let member = |machine: &Machine| Self {
            user: first.user.clone(),
            alias: Some(machine.name().to_owned()),
            port: Arc::clone(&first.port),
            address: first.address.clone(),
            second_address: first.second_address,
            host_key: first.host_key.clone(),
            directory: first.directory.clone(),
            process: first.process.clone(),
        };
        machines.iter().map(member).collect()
    }

    /// What it has said.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// Clients that it has let nobody in for yet, as it says in its own title (`3 of 10-100 startups`).
    #[must_use]
    pub fn startups(&self) -> Option<usize> {
        let title = fs::read(format!("/proc/{}/cmdline", self.process.as_ref()?.id())).ok()?;
        let title = String::from_utf8_lossy(&title).into_owned();
        let (_, count) = title.split_once("[listener] ")?;
        count.split(' ').next()?.parse().ok()
    }

    /// Starts it again, with what its directory holds by now.
    pub fn restart(&mut self, machine: &Machine) {
        self.process = None;
        // Where sessions are logind's, they are begun by PAM.
        let pam = if machine.is_booted() { "yes" } else { "no" };
        self.write_config(pam);
        let server = ["/usr/sbin/sshd", "-D", "-e", "-f"];
        let words: &[&str] = if machine.is_booted() {
            &["systemd-run", "--quiet", "--wait", "--pipe", "--collect", "--property=KillMode=process", "--"]
        } else {
            &[]
        };
        let words = [words, &server].concat();
        let mut command = machine.command(words[0], Path::new("/"));
        command.args(&words[1..]).arg(self.directory.join("sshd_config"));
        self.serve(machine.name(), command);
    }

    fn write_config(&self, pam: &str) {
        let directory = self.directory.display();
        let second = self.second_address.map(|address| format!("ListenAddress {address}\n"));
        let config = format!(
            "Port {}\nListenAddress {}\n{}HostKey {directory}/host-key\nAuthorizedKeysFile {directory}/authorized-keys\n\
             PidFile none\nStrictModes no\nUsePAM {pam}\nUseDNS no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin prohibit-password\nPrintMotd no\nPrintLastLog no\nLogLevel VERBOSE\n",
            self.port,
            self.address,
            second.unwrap_or_default(),
        );
        fs::write(self.directory.join("sshd_config"), config).unwrap();
    }

    fn serve(&mut self, name: &str, command: Command) {
        let mut process = Process::start(command, &self.directory.join("log"));
        eventually(&format!("sshd of `{name}`"), Duration::from_secs(10), || {
            assert!(process.ended().is_none(), "sshd of `{name}` ended: {}", process.log());
            std::net::TcpStream::connect((self.address.as_str(), self.port.number())).is_ok().then_some(())
        });
        self.process = Some(Arc::new(process));
    }

    /// Starts it again so that it listens at an address besides its own: which one that is, with the port.
    pub fn listen_also(&mut self, address: Ipv4Addr, machine: &Machine) -> SocketAddr {
        self.second_address = Some(address);
        self.restart(machine);
        SocketAddr::new(address.into(), self.port.number())
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
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

    /// `USER@ADDRESS:PORT`, or what clients call it.
    #[must_use]
    pub fn destination(&self) -> String {
        self.alias.clone().unwrap_or_else(|| format!("{}@{}:{}", self.user, self.address, self.port))
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
