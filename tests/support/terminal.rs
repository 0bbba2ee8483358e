//! Runs of the program under test at a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::fs::{Mode, OFlags, open};
use rustix::ioctl::{Getter, Setter, ioctl, opcode};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::process::{end_group, status_code};
use crate::{Ended, Machine, eventually};

/// A terminal with a person's side and a program on the other. Killed when the value goes.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    ours: File,
    theirs: File,
    seen: Arc<Mutex<Vec<u8>>>,
}

/// What a person waits for.
const PATIENCE: Duration = Duration::from_secs(30);

impl Terminal {
    /// Starts a command, which [`Machine::command`] has made out of `setsid` and what is to be run, at a terminal of 80 columns and 24 rows.
    ///
    /// # Panics
    /// When this machine gives no terminal.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let (ours, theirs) = pair();
        tcsetwinsize(&ours, size(80, 24)).unwrap();
        let side = || Stdio::from(theirs.try_clone().unwrap());
        command.stdin(side()).stdout(side()).stderr(side()).process_group(0);
        command.env("TERM", "xterm").env("NO_COLOR", "1");
        let child = command.spawn().unwrap_or_else(|fault| panic!("cannot start {command:?}: {fault}"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (mut shown, heard) = (ours.try_clone().unwrap(), Arc::clone(&seen));
        thread::spawn(move || {
            let mut piece = [0; 4096];
            // It fails once nobody has the other side open.
            while let Ok(length @ 1..) = shown.read(&mut piece) {
                heard.lock().unwrap().extend_from_slice(&piece[..length]);
            }
        });
        Self { child, ours, theirs, seen }
    }

    /// Presses keys.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn press(&mut self, keys: &str) {
        self.ours.write_all(keys.as_bytes()).unwrap();
    }

    /// Makes the window another size.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn resize(&self, columns: u16, rows: u16) {
        tcsetwinsize(&self.ours, size(columns, rows)).unwrap();
    }

    /// Waits until a text is on the screen.
    ///
    /// # Panics
    /// When that takes too long.
    pub fn wait_for(&self, text: &str) {
        let begun = std::time::Instant::now();
        while !self.screen().contains(text) {
            assert!(begun.elapsed() < PATIENCE, "`{text}` is not in\n{}", self.screen());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// All that was shown so far.
    ///
    /// # Panics
    /// When what reads it has.
    #[must_use]
    pub fn screen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).replace("\r\n", "\n")
    }

    /// Whether lines are gathered and shown by the terminal, as a shell wants it.
    ///
    /// # Panics
    /// When the terminal is gone.
    #[must_use]
    pub fn is_cooked(&self) -> bool {
        tcgetattr(&self.theirs)
            .unwrap()
            .local_modes
            .contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// Waits for the end of the program; what was shown is its `stdout`.
    ///
    /// # Panics
    /// When that takes too long.
    #[must_use]
    pub fn finish(mut self) -> Ended {
        let begun = std::time::Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end:\n{}", self.screen());
            thread::sleep(Duration::from_millis(10));
        };
        assert!(self.is_cooked(), "the terminal is not as it was:\n{}", self.screen());
        // What was written last is read a moment later.
        let mut before = 0;
        eventually("the screen rests", PATIENCE, || {
            thread::sleep(Duration::from_millis(50));
            let now = self.seen.lock().unwrap().len();
            (std::mem::replace(&mut before, now) == now).then_some(())
        });
        Ended { status: status_code(status), stdout: self.screen(), stderr: String::new() }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        end_group(&mut self.child);
    }
}

impl Machine {
    /// A command on it that has the terminal at its standard input for its own.
    #[must_use]
    pub fn terminal_command(&self, program: &std::path::Path, directory: &std::path::Path) -> Command {
        let mut command = self.command("setsid", directory);
        command.args(["--ctty", "--wait"]).arg(program);
        command
    }
}

const fn size(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

/// Both sides of a new terminal, as pty(7) says.
fn pair() -> (File, File) {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let ours = open("/dev/ptmx", flags, Mode::empty()).unwrap();
    #[expect(unsafe_code, reason = "there is no other way to ask for a terminal without another library")]
    // SAFETY: TIOCSPTLCK reads one int, TIOCGPTN writes one unsigned int; these are their numbers and types (ioctl_tty(2)).
    let number = unsafe {
        ioctl(ours.as_fd(), Setter::<{ opcode::write::<i32>(b'T', 0x31) }, i32>::new(0)).unwrap();
        ioctl(ours.as_fd(), Getter::<{ opcode::read::<u32>(b'T', 0x30) }, u32>::new()).unwrap()
    };
    let theirs = open(format!("/dev/pts/{number}"), flags, Mode::empty()).unwrap();
    (File::from(ours), File::from(theirs))
}
