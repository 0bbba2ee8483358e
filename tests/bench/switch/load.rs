//! The load that a switch is measured under: requests on connections that are kept and that are not, ones that take a second or two, websockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use test_support::{Connection, Websocket};

/// Clients of each kind.
const KEPT: usize = 4;
const CLOSED: usize = 2;
const SLOW: usize = 4;
const WEBSOCKETS: usize = 4;

/// Between two requests of a client.
const PAUSE: Duration = Duration::from_millis(4);
/// Between two words on a websocket.
const WORD: Duration = Duration::from_millis(50);
/// What the watcher of the machine sleeps each time.
const TICK: Duration = Duration::from_millis(1);
/// Reasons of failed requests that are told.
const REASONS: usize = 6;

/// Requests under way until the value is asked for what it saw.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Part>>,
}

/// What came back.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) requests: Vec<Request>,
    /// Why the first few failed.
    pub(crate) reasons: Vec<String>,
    /// Connections that the other side closed while nothing was asked on them: the client opens another, as any does.
    pub(crate) closed_idle: u64,
    /// Websockets that were opened.
    pub(crate) websockets: u64,
    /// Those that the other side has closed.
    pub(crate) cut: u64,
    /// How much later than asked for this program was woken, each time.
    pub(crate) noise: Vec<Duration>,
}

/// What one client saw.
type Part = Seen;

/// A request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) kind: Kind,
    pub(crate) begun: Instant,
    pub(crate) took: Duration,
    pub(crate) answer: Answer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// On a connection that is kept open.
    Kept,
    /// On one of its own.
    Closed,
    /// The same, and it takes from one second to two.
    Slow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Blue,
    Green,
    Failed,
}

impl Load {
    pub(crate) fn start(port: u16) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let kinds = [(Kind::Kept, KEPT), (Kind::Closed, CLOSED), (Kind::Slow, SLOW)];
        let mut clients = Vec::new();
        for (kind, count) in kinds {
            for client in 0..count {
                let stop = Arc::clone(&stop);
                let path = match kind {
                    Kind::Slow => format!("/slow/{}", 1000 + 1000 * client / (SLOW - 1)),
                    Kind::Kept | Kind::Closed => "/".to_owned(),
                };
                clients.push(thread::spawn(move || ask(port, kind, &path, &stop)));
            }
        }
        for _ in 0..WEBSOCKETS {
            let stop = Arc::clone(&stop);
            clients.push(thread::spawn(move || talk(port, &stop)));
        }
        let stopped = Arc::clone(&stop);
        clients.push(thread::spawn(move || listen_to_the_machine(&stopped)));
        Self { stop, clients }
    }

    pub(crate) fn finish(self) -> Seen {
        self.stop.store(true, Ordering::SeqCst);
        let mut seen = Seen::default();
        for client in self.clients {
            let part = client.join().expect("no client panics");
            seen.requests.extend(part.requests);
            seen.closed_idle += part.closed_idle;
            seen.websockets += part.websockets;
            seen.cut += part.cut;
            seen.noise.extend(part.noise);
            let room = REASONS.saturating_sub(seen.reasons.len());
            seen.reasons.extend(part.reasons.into_iter().take(room));
        }
        seen
    }
}

fn ask(port: u16, kind: Kind, path: &str, stop: &AtomicBool) -> Part {
    let close = kind != Kind::Kept;
    let mut seen = Seen::default();
    let mut connection: Option<Connection> = None;
    while !stop.load(Ordering::SeqCst) {
        if connection.as_ref().is_some_and(Connection::is_closed) {
            seen.closed_idle += 1;
            connection = None;
        }
        let begun = Instant::now();
        let answer = connection.take().map_or_else(|| Connection::open(([127, 0, 0, 1], port).into()), Ok);
        let answer = answer.and_then(|mut open| {
            let page = open.get(path, close)?;
            if !close && page.header("connection") != "close" {
                connection = Some(open);
            }
            Ok(page)
        });
        let answer = match answer {
            Ok(page) if page.status == 200 && page.header("x-color") == "blue" => Answer::Blue,
            Ok(page) if page.status == 200 && page.header("x-color") == "green" => Answer::Green,
            Ok(page) => seen.failed(kind, &format!("status {}", page.status)),
            Err(fault) => seen.failed(kind, &fault.to_string()),
        };
        seen.requests.push(Request { kind, begun, took: begun.elapsed(), answer });
        thread::sleep(PAUSE);
    }
    seen
}

impl Seen {
    fn failed(&mut self, kind: Kind, reason: &str) -> Answer {
        if self.reasons.len() < REASONS {
            self.reasons.push(format!("{kind:?}: {reason}"));
        }
        Answer::Failed
    }
}

/// One websocket, opened again whenever it is closed.
fn talk(port: u16, stop: &AtomicBool) -> Part {
    let mut seen = Seen::default();
    let mut open: Option<Websocket> = None;
    while !stop.load(Ordering::SeqCst) {
        match &mut open {
            Some(websocket) => {
                if websocket.say("hello").is_err() {
                    seen.cut += 1;
                    open = None;
                }
            }
            None => {
                open = Websocket::open(port).ok();
                seen.websockets += u64::from(open.is_some());
            }
        }
        thread::sleep(WORD);
    }
    seen
}

/// What else the machine does is seen by who should be woken each millisecond.
fn listen_to_the_machine(stop: &AtomicBool) -> Part {
    let mut seen = Seen::default();
    while !stop.load(Ordering::SeqCst) {
        let begun = Instant::now();
        thread::sleep(TICK);
        seen.noise.push(begun.elapsed().saturating_sub(TICK));
    }
    seen
}
