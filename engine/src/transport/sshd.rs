//! A real sshd on a loopback port for one test, with keys and directories of its own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use super::{HelperPrograms, SshSettings};

/// An SSH server; ends when dropped.
pub(super) struct Sshd {
    pub(super) scratch: TempDir,
    pub(super) port: u16,
    child: Child,
}

impl Sshd {
    /// Starts one. `command` is forced on every login when given.
    pub(super) fn start(command: Option<&str>) -> Self {
        let scratch = tempfile::Builder::new().prefix("sshd").tempdir().expect("a directory");
        let path = |name: &str| scratch.path().join(name);
        for name in ["host_key", "client_key"] {
            make_key(&path(name));
        }
        let public = fs::read_to_string(path("client_key.pub")).expect("is there");
        let forced = command.map(|command| format!("command=\"{command}\" ")).unwrap_or_default();
        fs::write(path("authorized_keys"), format!("{forced}{public}")).expect("written");
        let port = free_port();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nLogLevel ERROR\n",
            path("host_key").display(),
            path("authorized_keys").display()
        );
        fs::write(path("sshd_config"), config).expect("written");
        // sshd refuses to start without its directory for unprivileged children, which a boot would make.
        let _ = fs::create_dir("/run/sshd");
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(path("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(path("sshd.log")).expect("made"))
            .process_group(0)
            .spawn()
            .expect("sshd is installed");
        let sshd = Self { scratch, port, child };
        sshd.trust("host_key.pub");
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || fs::read_to_string(sshd.path("sshd.log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "sshd does not listen: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        sshd
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Makes the client believe that the server's key is the one in this file.
    pub(super) fn trust(&self, key: &str) {
        let key = fs::read_to_string(self.path(key)).expect("is there");
        fs::write(self.path("known_hosts"), format!("[127.0.0.1]:{} {key}", self.port)).expect("written");
    }

    pub(super) fn destination(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How a client of this server alone is run.
    pub(super) fn settings(&self) -> SshSettings {
        let user_config = self.path("client_config");
        let text = format!(
            "UserKnownHostsFile {}\nGlobalKnownHostsFile none\nIdentitiesOnly yes\nIdentityAgent none\nForwardAgent yes\n",
            self.path("known_hosts").display()
        );
        fs::write(&user_config, text).expect("written");
        SshSettings {
            user_config,
            system_config: PathBuf::from("/nonexistent"),
            control_directory: self.scratch.path().to_owned(),
            pinned: Arc::default(),
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

pub(super) fn make_key(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path)
        .status()
        .expect("ssh-keygen is installed");
    assert!(made.success());
}

pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// The helper as cargo builds it for this machine; it need not be static here.
pub(super) fn helpers() -> HelperPrograms {
    static PROGRAM: OnceLock<&'static [u8]> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "cutover-host"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the helper builds");
        // Tests lie in `deps` beside the programs of the same profile.
        let own = std::env::current_exe().expect("has a path");
        let directory = own.ancestors().nth(2).expect("lies in a target directory");
        fs::read(directory.join("cutover-host")).expect("was built").leak()
    });
    HelperPrograms { x86_64: program, aarch64: program }
}
