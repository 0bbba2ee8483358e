//! A bounded load of keep-alive requests, which counts what comes back.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::http::{Connection, Page};

/// Requests under way until the value is asked for its tally, or goes.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    tally: Arc<Mutex<Tally>>,
    clients: Vec<JoinHandle<()>>,
}

/// What came back.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Requests sent.
    pub requests: u64,
    /// Those without an answer, or with another status than 200.
    pub failed: u64,
    /// The first few of their reasons.
    pub reasons: Vec<String>,
    /// Answers by what they said of themselves (release, colour).
    pub answers: BTreeMap<(String, String), u64>,
    /// The same, in the order in which each first came.
    pub order: Vec<(String, String)>,
}

/// Connections at once; every fourth is closed after each request.
const CLIENTS: usize = 8;
/// Between two requests of a client.
const PAUSE: Duration = Duration::from_millis(4);
/// However long a test takes, no client goes on for longer.
const LONGEST: Duration = Duration::from_secs(600);

impl Load {
    /// Begins to ask for `/` at a port of loopback.
    #[must_use]
    pub fn start(port: u16) -> Self {
        Self::start_closing(port, |client| client % 4 == 3)
    }

    /// The same where no connection is kept: what nginx resets when it reloads are idle ones.
    #[must_use]
    pub fn start_without_keep_alive(port: u16) -> Self {
        Self::start_closing(port, |_| true)
    }

    fn start_closing(port: u16, closes: impl Fn(usize) -> bool) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let tally = Arc::new(Mutex::new(Tally::default()));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let clients = (0..CLIENTS)
            .map(|client| {
                let (stop, tally) = (Arc::clone(&stop), Arc::clone(&tally));
                let close = closes(client);
                thread::spawn(move || ask(address, close, &stop, &tally))
            })
            .collect();
        Self { stop, tally, clients }
    }

    /// How it stands.
    ///
    /// # Panics
    /// When a client has panicked.
    #[must_use]
    pub fn so_far(&self) -> Tally {
        self.tally.lock().unwrap().clone()
    }

    /// Waits for a number of further answers.
    pub fn wait_for(&self, requests: u64) {
        let wanted = self.so_far().requests + requests;
        crate::eventually("requests", Duration::from_secs(30), || {
            (self.so_far().requests >= wanted).then_some(())
        });
    }

    /// Ends it.
    #[must_use]
    pub fn finish(mut self) -> Tally {
        self.halt();
        self.so_far()
    }

    fn halt(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for client in self.clients.drain(..) {
            let _ = client.join();
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.halt();
    }
}

fn ask(address: SocketAddr, close: bool, stop: &AtomicBool, tally: &Mutex<Tally>) {
    let begun = Instant::now();
    let mut connection = None;
    while !stop.load(Ordering::SeqCst) && begun.elapsed() < LONGEST {
        let answer = match connection.take() {
            Some(open) => Ok(open),
            None => Connection::open(address),
        }
        .and_then(|mut open| {
            let page = open.get("/", close)?;
            if !close && page.header("connection") != "close" {
                connection = Some(open);
            }
            Ok(page)
        });
        tally.lock().unwrap().count(answer);
        thread::sleep(PAUSE);
    }
}

impl Tally {
    fn count(&mut self, answer: std::io::Result<Page>) {
        self.requests += 1;
        let fault = match answer {
            Ok(page) if page.status == 200 => {
                let key = (page.header("x-release").to_owned(), page.header("x-color").to_owned());
                if !self.answers.contains_key(&key) {
                    self.order.push(key.clone());
                }
                *self.answers.entry(key).or_default() += 1;
                return;
            }
            Ok(page) => format!("status {}: {}", page.status, page.body),
            Err(fault) => fault.to_string(),
        };
        self.failed += 1;
        if self.reasons.len() < 10 {
            self.reasons.push(fault);
        }
    }

    /// Fails a test unless all requests, and some, were answered.
    ///
    /// # Panics
    /// Then.
    pub fn assert_none_failed(&self) {
        assert!(self.requests > 0, "no request was sent");
        assert_eq!(self.failed, 0, "of {} requests: {:?}", self.requests, self.reasons);
    }
}
