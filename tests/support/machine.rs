//! Simulated machines: a process table, a host name and system directories of their own, on one kernel.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::cgroup::Cgroup;
use crate::eventually;
use crate::process::{Process, init_below};
use crate::systemd::BECOME_INIT;

/// A machine. In namespaces of its own where it is [`Machine::isolated`]: what a test starts on it, daemons included, goes with the
/// value, and its [own](OWN) directories and `/run` are empty, but for `/etc`, which is a copy. The network is shared, so each machine has an address in 127/8.
#[derive(Debug)]
pub struct Machine {
    name: String,
    address: String,
    directory: PathBuf,
    path: String,
    inside: Option<Inside>,
    /// The process whose network is its own, where it has one.
    network: Option<u32>,
    /// Where systemd is its init.
    booted: Option<Cgroup>,
}

#[derive(Debug)]
struct Inside {
    /// Holds the namespaces; their first process, a shell that takes in orphans, ends with it.
    _keeper: Process,
    init: u32,
}

/// System directories that each machine has for itself.
const OWN: [&str; 5] = ["/root", "/srv", "/var/lib", "/home", "/etc"];

/// What becomes the init process of a [`Machine::booted`]. Words: its directory, PATH, the scratch directory, its name, its own
/// directories. As for [`crate::Systemd`], nothing of this machine's may be emptied or written to.
const BOOT: &str = r#"
set -eu
hostname "$4"
mount --bind "$3" /mnt
for own in /tmp /run /var/tmp /var/log; do mount -t tmpfs -o mode=755 tmpfs "$own"; done
chmod 1777 /tmp /var/tmp
mkdir -p "$3"
mount --bind /mnt "$3"
umount /mnt
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --bind "$1/none" /usr/lib/systemd/system-generators
directory=$1 path=$2
shift 4
for own in "$@"; do mount --bind "$directory$own" "$own"; done
set -- "$directory" "$path"
mkdir -p /run/sshd /var/log/journal
storage=persistent
spared() {
    case $1 in
        systemd-journald.* | systemd-journald-dev-log.socket | systemd-journal-flush.service | dbus.* | systemd-logind.service | systemd-user-sessions.service) ;;
        *) false ;;
    esac
}
"#;

impl Machine {
    /// Whether this kernel and user can have isolated machines; otherwise why not.
    ///
    /// # Errors
    /// Says what is missing.
    pub fn can_isolate() -> Result<(), String> {
        let tried = Command::new("unshare").args(["--mount", "--pid", "--uts", "--fork", "true"]).output();
        match tried {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => {
                Err(format!("no namespaces here: {}", String::from_utf8_lossy(&output.stderr).trim()))
            }
            Err(fault) => Err(format!("`unshare` (util-linux) can't be run: {fault}")),
        }
    }

    /// The machine that we are on, with a home of its own in `directory`.
    #[must_use]
    pub fn this(directory: &Path, path: &str) -> Self {
        std::fs::create_dir_all(directory.join("root")).unwrap();
        Self {
            name: "localhost".to_owned(),
            address: "127.0.0.1".to_owned(),
            directory: directory.to_owned(),
            path: path.to_owned(),
            inside: None,
            network: None,
            booted: None,
        }
    }

    /// A new machine; its own directories lie in `directory`, and what is `shown` of this machine, wherever that is, appears in
    /// `directory/shown` under its own name.
    ///
    /// # Panics
    /// When it doesn't come up within ten seconds.
    #[must_use]
    pub fn isolated(name: &str, address: &str, directory: &Path, shown: &[&Path]) -> Self {
        for own in OWN {
            std::fs::create_dir_all(directory.join(&own[1..])).unwrap();
        }
        let copied = Command::new("cp").args(["-a", "/etc/."]).arg(directory.join("etc")).status();
        assert!(copied.unwrap().success(), "/etc can't be copied");
        // Before the machine's own directories hide where it lies.
        let shows: String = shown.iter().map(|from| show(from, &directory.join("shown"))).collect();
        let ready = directory.join("ready");
        let _ = std::fs::remove_file(&ready);
        let binds: String = OWN.iter().map(|own| format!("mount --bind \"$1{own}\" {own}\n")).collect();
        let script = format!(
            "set -eu\nhostname \"$2\"\n{shows}{binds}mount -t tmpfs -o mode=755 tmpfs /run\nmkdir /run/sshd /run/lock\n\
             echo up > \"$1/ready\"\nwhile :; do sleep 3600; done\n"
        );
        let mut command = Command::new("setpriv");
        command.args([
            "--pdeathsig",
            "KILL",
            "unshare",
            "--mount",
            "--pid",
            "--uts",
            "--fork",
            "--kill-child",
        ]);
        command.args(["--mount-proc", "--propagation", "private", "sh", "-c", &script, "sh"]);
        command.arg(directory).arg(name).env_clear().env("PATH", SYSTEM_PATH).current_dir("/");
        let keeper = Process::start(command, &directory.join("init.log"));
        eventually(&format!("machine `{name}` comes up: {}", keeper.log()), Duration::from_secs(10), || {
            ready.exists().then_some(())
        });
        let init = eventually("first process", Duration::from_secs(5), || init_below(keeper.id()));
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
            directory: directory.to_owned(),
            path: SYSTEM_PATH.to_owned(),
            inside: Some(Inside { _keeper: keeper, init }),
            network: None,
            booted: None,
        }
    }

    /// One with a real systemd as its init, with logind and a message bus. Its own directories outlive a [`Machine::reboot`].
    ///
    /// # Panics
    /// When it doesn't come up within 30 seconds.
    #[must_use]
    pub fn booted(name: &str, address: &str, directory: &Path, scratch: &Path) -> Self {
        for own in OWN {
            std::fs::create_dir_all(directory.join(&own[1..])).unwrap();
        }
        let copied = Command::new("cp").args(["-a", "/etc/."]).arg(directory.join("etc")).status();
        assert!(copied.unwrap().success(), "/etc can't be copied");
        let units = directory.join("etc/systemd/system");
        std::fs::remove_dir_all(&units).unwrap();
        for made in [units, directory.join("none")] {
            std::fs::create_dir_all(made).unwrap();
        }
        std::fs::write(directory.join("etc/hostname"), format!("{name}\n")).unwrap();
        let mut machine = Self {
            name: name.to_owned(),
            address: address.to_owned(),
            directory: directory.to_owned(),
            path: SYSTEM_PATH.to_owned(),
            inside: None,
            network: None,
            booted: None,
        };
        machine.boot(scratch);
        machine
    }

    /// Cuts the power of a [`Machine::booted`], and boots it again.
    pub fn reboot(&mut self, scratch: &Path) {
        assert!(self.is_booted(), "`{}` has no systemd", self.name);
        self.inside = None;
        self.boot(scratch);
    }

    fn boot(&mut self, scratch: &Path) {
        let cgroup = Cgroup::new();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).args(cgroup.prefix());
        command.args([
            "unshare",
            "--mount",
            "--pid",
            "--uts",
            "--ipc",
            "--cgroup",
            "--propagation",
            "private",
        ]);
        command.args(["--fork", "--kill-child", "--mount-proc", "sh", "-c"]);
        command.arg(format!("{BOOT}{BECOME_INIT}")).arg("sh").arg(&self.directory).arg(SYSTEM_PATH);
        command.arg(scratch).arg(&self.name).args(OWN);
        command.env_clear().env("PATH", SYSTEM_PATH).current_dir("/");
        let keeper = Process::start(command, &self.directory.join("boot.log"));
        let init = eventually("init", Duration::from_secs(10), || init_below(keeper.id()));
        self.booted = Some(cgroup);
        self.inside = Some(Inside { _keeper: keeper, init });
        eventually(&format!("systemd of `{}` is up", self.name), Duration::from_secs(30), || {
            let mut asked = self.command("systemctl", Path::new("/"));
            asked.args(["is-active", "--quiet", "multi-user.target", "systemd-logind.service"]);
            asked.output().unwrap().status.success().then_some(())
        });
    }

    /// Its host name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address on which its servers listen.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where a path of the machine is seen from outside.
    #[must_use]
    pub fn outside(&self, path: &str) -> PathBuf {
        let own = OWN.iter().any(|own| Path::new(path).starts_with(own));
        if own && self.inside.is_some() {
            self.directory.join(path.trim_start_matches('/'))
        } else {
            path.into()
        }
    }

    /// Home directory of its user, as seen on the machine.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        if self.inside.is_some() { "/root".into() } else { self.directory.join("root") }
    }

    /// Whether systemd is its init.
    pub(crate) const fn is_booted(&self) -> bool {
        self.booted.is_some()
    }

    /// Whether a command on it is a process below the one that is spawned.
    pub(crate) const fn is_isolated(&self) -> bool {
        self.inside.is_some()
    }

    /// Words that, put before a command of this machine's, have it done on that one.
    pub(crate) fn entrance(&self) -> String {
        let inside = self.inside.as_ref().map(|inside| inside.init);
        let init = inside.unwrap_or_else(|| panic!("`{}` is no machine of its own", self.name));
        format!("nsenter --target {init} --mount --pid --uts --wdns=/root --")
    }

    /// Makes a user without password, whose shell reads no start-up file.
    ///
    /// # Panics
    /// When the machine refuses.
    pub fn add_user(&self, name: &str) {
        // An SSH server refuses a locked account; with `*` there is no password, and no lock.
        let args = ["--create-home", "--skel", "/nonexistent", "--shell", "/bin/sh", "--password", "*", name];
        let made = self.command("useradd", Path::new("/")).args(args).output().unwrap();
        assert!(made.status.success(), "useradd {name}: {}", String::from_utf8_lossy(&made.stderr));
    }

    /// From now on what is started on it has the network that a process is in, or the one that all share.
    pub(crate) fn join_network(&mut self, process: Option<u32>) {
        self.network = process;
    }

    /// A command on it, with nothing of our environment.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>, directory: &Path) -> Command {
        let mut command = match &self.inside {
            Some(inside) => {
                let mut command = Command::new("nsenter");
                command.arg("--target").arg(inside.init.to_string()).args(["--mount", "--pid", "--uts"]);
                command.args(self.network.map(|process| format!("--net=/proc/{process}/ns/net")));
                command.arg(format!("--wdns={}", directory.display())).arg("--").arg(program);
                command
            }
            None => {
                let mut command = Command::new(program);
                command.current_dir(directory);
                command
            }
        };
        command.env_clear().env("PATH", &self.path).env("HOME", self.home()).env("LANG", "C.UTF-8");
        command.env("USER", "root").env("LOGNAME", "root");
        command
    }
}

/// Makes a place for a file or directory and returns the command that shows it there.
fn show(from: &Path, directory: &Path) -> String {
    let place = directory.join(from.file_name().unwrap());
    std::fs::create_dir_all(if from.is_dir() { &place } else { directory }).unwrap();
    if from.is_file() {
        std::fs::write(&place, "").unwrap();
    }
    format!("mount --bind '{}' '{}'\n", from.display(), place.display())
}

/// Where a machine finds its programs.
pub const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
