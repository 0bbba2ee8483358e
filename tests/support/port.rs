//! TCP ports that nobody else takes, across threads and processes.

use std::fs::{File, OpenOptions};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// A free port, ours until the value goes: outside the range that the kernel gives to outgoing connections, and guarded by a lock on a
/// file of its number.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _lock: File,
}

const FIRST: u16 = 20_000;
const LAST: u16 = 32_000;
static NEXT: AtomicU16 = AtomicU16::new(0);

impl Port {
    /// Takes one.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn take() -> Self {
        let directory = std::env::temp_dir().join("cutover-test-ports");
        std::fs::create_dir_all(&directory).unwrap();
        let span = LAST - FIRST;
        let start = u16::try_from(std::process::id() * 97 % u32::from(span)).unwrap();
        for _ in 0..span {
            let number = FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed) % span) % span;
            let file = directory.join(number.to_string());
            let lock = OpenOptions::new().create(true).truncate(false).write(true).open(file).unwrap();
            if lock.try_lock().is_ok() && TcpListener::bind(("0.0.0.0", number)).is_ok() {
                return Self { number, _lock: lock };
            }
        }
        panic!("no free port between {FIRST} and {LAST}");
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u16 {
        self.number
    }
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.number.fmt(f)
    }
}
