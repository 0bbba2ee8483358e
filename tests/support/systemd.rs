//! A real systemd, as init of a machine of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::cgroup::Cgroup;
use crate::process::{Process, init_below};
use crate::{SYSTEM_PATH, Scratch, eventually};

/// What becomes the init process, in namespaces of its own.
///
/// systemd empties `/tmp` and writes to `/run`, `/var/log` and `/proc/sys` when it boots: the first three are covered, and all units of
/// the distribution are masked but the journal. The generators, which read the machine's `fstab` and more, are hidden.
const BOOT: &str = r#"
set -eu
mount --make-rprivate /
mount --bind "$1" /mnt
for own in /tmp /run /var/tmp /var/log; do mount -t tmpfs -o mode=755 tmpfs "$own"; done
mkdir -p "$1"
mount --bind /mnt "$1"
umount /mnt
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --bind "$1/units" /etc/systemd/system
mount --bind "$1/none" /usr/lib/systemd/system-generators
storage=volatile
spared() { case $1 in systemd-journald.* | systemd-journald-dev-log.socket) ;; *) false ;; esac }
"#;

/// The end of both ways to boot: keeps the journal in `storage`, masks all units of the distribution that are not `spared`, and becomes init.
pub(crate) const BECOME_INIT: &str = r#"
mkdir -p /run/systemd/system /run/systemd/journald.conf.d
printf '[Journal]\nStorage=%s\nReadKMsg=no\nAudit=no\n' "$storage" > /run/systemd/journald.conf.d/test.conf
for unit in /usr/lib/systemd/system/*.target.wants/*; do
    spared "${unit##*/}" || ln -sf /dev/null "/run/systemd/system/${unit##*/}"
done
exec env -i PATH="$2" container=test /lib/systemd/systemd --system --log-target=console --unit=multi-user.target
"#;

/// A machine that systemd has booted. Its files are those of this machine, but `/etc/systemd/system`, which outlives a reboot.
#[derive(Debug)]
pub struct Systemd {
    directory: PathBuf,
    /// Holds the namespaces; they go with it, and all processes in them.
    keeper: Option<Process>,
    init: u32,
    // Gone only when no process is left.
    cgroup: Cgroup,
}

impl Systemd {
    /// Whether this machine can have one; otherwise why not.
    ///
    /// # Errors
    /// Says what is missing.
    pub fn can_boot() -> Result<(), String> {
        if !Path::new("/lib/systemd/systemd").exists() {
            return Err("systemd is not installed".to_owned());
        }
        let tried = Command::new("unshare").args(NAMESPACES).args(["--fork", "true"]).output();
        match tried {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => {
                Err(format!("no namespaces here: {}", String::from_utf8_lossy(&output.stderr).trim()))
            }
            Err(fault) => Err(format!("`unshare` (util-linux) can't be run: {fault}")),
        }
    }

    /// Boots one. Paths below the scratch directory are the same inside and outside.
    ///
    /// # Panics
    /// When it is not up within 30 seconds.
    #[must_use]
    pub fn boot(scratch: &Scratch) -> Self {
        let directory = scratch.directory("systemd");
        scratch.directory("systemd/units");
        scratch.directory("systemd/none");
        let mut machine = Self { directory, keeper: None, init: 0, cgroup: Cgroup::new() };
        machine.start();
        machine
    }

    /// Cuts the power, and boots again.
    pub fn reboot(&mut self) {
        self.keeper = None;
        self.cgroup = Cgroup::new();
        self.start();
    }

    fn start(&mut self) {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).args(self.cgroup.prefix()).arg("unshare").args(NAMESPACES);
        command.args(["--fork", "--kill-child", "--mount-proc", "sh", "-c"]);
        command.arg(format!("{BOOT}{BECOME_INIT}")).arg("sh");
        command.arg(&self.directory).arg(SYSTEM_PATH).env_clear().env("PATH", SYSTEM_PATH).current_dir("/");
        let keeper = Process::start(command, &self.directory.join("boot.log"));
        self.init = eventually("init", Duration::from_secs(10), || init_below(keeper.id()));
        self.keeper = Some(keeper);
        eventually("systemd is up", Duration::from_secs(30), || {
            let (status, _) = self.run(&["systemctl", "is-active", "--quiet", "multi-user.target"]);
            (status == Some(0)).then_some(())
        });
    }

    /// A directory of this machine that is seen inside under the same name.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Writes a unit into `/etc/systemd/system` and lets systemd read it.
    pub fn install(&self, name: &str, text: &str) {
        std::fs::write(self.directory.join("units").join(name), text).unwrap();
        let (status, said) = self.run(&["systemctl", "daemon-reload"]);
        assert_eq!(status, Some(0), "{said}");
    }

    /// Words that, put before a command, run it inside.
    #[must_use]
    pub fn prefix(&self) -> Vec<String> {
        let init = self.init.to_string();
        ["nsenter", "--target", &init, "--all", "--"].map(str::to_owned).to_vec()
    }

    /// Runs a command inside: its status, and all that it said.
    pub fn run(&self, command: &[&str]) -> (Option<i32>, String) {
        let prefix = self.prefix();
        let mut inside = Command::new(&prefix[0]);
        inside.args(&prefix[1..]).args(command).env_clear().env("PATH", SYSTEM_PATH).current_dir("/");
        let output = inside.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }
}

const NAMESPACES: [&str; 8] =
    ["--pid", "--mount", "--cgroup", "--net", "--uts", "--ipc", "--propagation", "private"];
