//! Looks at router and instances all the time, and knows what may never be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::{Test, get};

/// A look every [`PAUSE`] until the value is asked for what it saw, or goes.
#[derive(Debug)]
pub struct Oracle {
    stop: Arc<AtomicBool>,
    looking: Option<JoinHandle<Seen>>,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Looks in all.
    pub looks: u64,
    /// What may never be, with the first few words of each.
    pub violations: Vec<String>,
}

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

impl Oracle {
    /// Begins to look at a world whose front door answers.
    #[must_use]
    pub fn start(test: &Test) -> Self {
        let door = (test.nginx.address().to_owned(), test.door());
        let apps =
            test.hosts.iter().map(|(machine, _)| machine).filter(|machine| machine.name().starts_with("web"));
        let apps: Vec<(String, String)> =
            apps.map(|machine| (machine.name().to_owned(), machine.address().to_owned())).collect();
        let ports = test.ports();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let looking = thread::spawn(move || {
            let mut seen = Seen::default();
            while !stopped.load(Ordering::SeqCst) {
                seen.looks += 1;
                if let Some(violation) = look(&door, &apps, ports) {
                    seen.violations.push(violation);
                }
                thread::sleep(PAUSE);
            }
            seen
        });
        Self { stop, looking: Some(looking) }
    }

    /// Ends it.
    ///
    /// # Panics
    /// When it has panicked.
    #[must_use]
    pub fn finish(mut self) -> Seen {
        self.stop.store(true, Ordering::SeqCst);
        self.looking.take().unwrap().join().unwrap()
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// Every instance of the colour that the router sends to answers well, and all are of one release. What moved while we looked is not
/// judged.
fn look(door: &(String, u16), apps: &[(String, String)], (blue, green): (u16, u16)) -> Option<String> {
    let shown = |page: &crate::Page| {
        (page.status, page.header("x-color").to_owned(), page.header("x-release").to_owned())
    };
    let ask = || {
        get(&door.0, door.1, "/").map(|page| shown(&page)).map_err(|fault| format!("the front door: {fault}"))
    };
    let before = match ask() {
        Ok(before) => before,
        Err(fault) => return Some(fault),
    };
    let port = if before.1 == "blue" { blue } else { green };
    let mut wrong = None;
    for (name, address) in apps {
        let found = match get(address, port, "/") {
            Ok(page) if page.status == 200 && page.header("x-release") == before.2 => continue,
            Ok(page) => format!("{:?}", shown(&page)),
            Err(fault) => fault.to_string(),
        };
        wrong = Some(format!("the router shows {before:?}, and {name} says {found}"));
    }
    wrong.filter(|_| ask().is_ok_and(|after| after == before))
}
