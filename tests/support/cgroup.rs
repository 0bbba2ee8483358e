//! A control group for a systemd of a test's own.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// In a mount namespace of its own: where the groups are to be seen differs from machine to machine.
const ENTER: &str = "mount -t cgroup2 cgroup2 /mnt && mkdir \"/mnt/$1\" && echo $$ > \"/mnt/$1/cgroup.procs\" && \
                     umount /mnt && shift && exec \"$@\"";
const REMOVE: &str = "mount -t cgroup2 cgroup2 /mnt && find \"/mnt/$1\" -depth -type d -exec rmdir {} +";

/// A group that goes with the value, with all groups in it. Two systemds in one would take each other's processes for their own.
#[derive(Debug)]
pub(crate) struct Cgroup {
    name: String,
}

impl Cgroup {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self { name: format!("cutover-test-{}-{count}", std::process::id()) }
    }

    /// Words that, put before a command, make the group and run the command in it.
    pub(crate) fn prefix(&self) -> [&str; 9] {
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", ENTER, "sh", &self.name]
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let begun = Instant::now();
        // Its processes were killed just now, and may not be gone yet.
        while begun.elapsed() < Duration::from_secs(5) {
            let mut remove = Command::new("unshare");
            remove.args(["--mount", "--propagation", "private", "sh", "-c", REMOVE, "sh", &self.name]);
            match remove.output() {
                Ok(output) if !output.status.success() => std::thread::sleep(Duration::from_millis(50)),
                _ => return,
            }
        }
    }
}
