//! A small web shop: what the demo and the end-to-end tests deploy, one process per colour.
//!
//! It depends on nothing but the standard library, so that `rustc src/main.rs` builds it in a second. A release is told to
//! misbehave by the file `behaviour` beside its `bin/`; see [`Behaviour`].

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

static TERMINATED: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let behaviour = match Behaviour::of_this_release() {
        Ok(behaviour) => behaviour,
        Err(fault) => return complain(&format!("cannot read the behaviour of this release: {fault}")),
    };
    if args.first().is_some_and(|arg| arg == "migrate") {
        return migrate(&behaviour);
    }
    let option = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1));
    let listen = option("--listen").map_or("127.0.0.1", String::as_str);
    let Some(port) = option("--port").and_then(|port| port.parse::<u16>().ok()) else {
        return complain("usage: shop --port PORT [--listen ADDRESS] | shop migrate");
    };
    if let Some(status) = behaviour.exit {
        return complain_with(status, "KeyError: SESSION_SALT (lib/session.ex:14)");
    }
    match TcpListener::bind((listen, port)) {
        Ok(listener) => serve(&listener, behaviour),
        Err(fault) => complain(&format!("cannot listen on {listen}:{port}: {fault}")),
    }
}

#[expect(clippy::print_stderr, reason = "the log of the application is its standard error")]
fn complain_with(status: u8, text: &str) -> ExitCode {
    eprintln!("{text}");
    ExitCode::from(status)
}

fn complain(text: &str) -> ExitCode {
    complain_with(1, text)
}

/// How a release misbehaves: lines `KEY = VALUE`.
#[derive(Debug, Default, Clone)]
struct Behaviour {
    /// `version`: what the start page says beside release and colour.
    version: String,
    /// `exit`: ends at once with this status.
    exit: Option<u8>,
    /// `health = never`: is never ready.
    never_ready: bool,
    /// `silent`: number of health checks, from the start on, that get no answer.
    silent: usize,
    /// `checkout = 500`: the page that the smoke test visits fails.
    checkout: Option<u16>,
    /// `sick-after`: number of visits of the start page after which the health check fails.
    sick_after: Option<usize>,
    /// `migrate = fail`: the migration fails.
    migration_fails: bool,
    /// `stop = ignore`: does not end on SIGTERM.
    ignores_stop: bool,
}

impl Behaviour {
    fn of_this_release() -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let release = program.parent().and_then(Path::parent).map_or_else(PathBuf::new, Path::to_path_buf);
        let text = match std::fs::read_to_string(release.join("behaviour")) {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => String::new(),
            read => read?,
        };
        let mut behaviour = Self::default();
        for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
            match (key.trim(), value.trim()) {
                ("version", value) => value.clone_into(&mut behaviour.version),
                ("exit", value) => behaviour.exit = value.parse().ok(),
                ("health", value) => behaviour.never_ready = value == "never",
                ("silent", value) => behaviour.silent = value.parse().unwrap_or(0),
                ("checkout", value) => behaviour.checkout = value.parse().ok(),
                ("sick-after", value) => behaviour.sick_after = value.parse().ok(),
                ("migrate", value) => behaviour.migration_fails = value == "fail",
                ("stop", value) => behaviour.ignores_stop = value == "ignore",
                (key, _) => return Err(io::Error::other(format!("unknown key `{key}`"))),
            }
        }
        Ok(behaviour)
    }
}

/// Appends the release to the file `MIGRATIONS`, so that a test can count how often it ran.
fn migrate(behaviour: &Behaviour) -> ExitCode {
    if behaviour.migration_fails {
        return complain("relation \"orders\" already exists");
    }
    let Ok(ledger) = std::env::var("MIGRATIONS") else { return ExitCode::SUCCESS };
    let line = format!("{}\n", variable("CUTOVER_RELEASE"));
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&ledger);
    match file.and_then(|mut file| file.write_all(line.as_bytes())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => complain(&format!("cannot write {ledger}: {fault}")),
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// Answers requests until SIGTERM has come and all that were begun are answered.
fn serve(listener: &TcpListener, behaviour: Behaviour) -> ExitCode {
    let ignores_stop = behaviour.ignores_stop;
    let shop = Arc::new(Shop {
        behaviour,
        release: variable("CUTOVER_RELEASE"),
        color: variable("CUTOVER_COLOR"),
        visits: AtomicUsize::new(0),
        checks: AtomicUsize::new(0),
        busy: AtomicUsize::new(0),
    });
    on_termination(ignores_stop);
    let watched = Arc::clone(&shop);
    thread::spawn(move || {
        while !TERMINATED.load(Ordering::SeqCst) || watched.busy.load(Ordering::SeqCst) > 0 {
            thread::sleep(Duration::from_millis(10));
        }
        std::process::exit(0);
    });
    for stream in listener.incoming().flatten() {
        let shop = Arc::clone(&shop);
        thread::spawn(move || shop.talk(&stream));
    }
    ExitCode::SUCCESS
}

#[expect(
    unsafe_code,
    reason = "the standard library has no signals, and this program must be built by rustc alone"
)]
fn on_termination(ignore: bool) {
    const SIGTERM: i32 = 15;
    unsafe extern "C" {
        safe fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    }
    extern "C" fn note(_: i32) {
        TERMINATED.store(true, Ordering::SeqCst);
    }
    extern "C" fn nothing(_: i32) {}
    signal(SIGTERM, if ignore { nothing } else { note });
}

struct Shop {
    behaviour: Behaviour,
    release: String,
    color: String,
    visits: AtomicUsize,
    checks: AtomicUsize,
    busy: AtomicUsize,
}

impl Shop {
    /// One connection: requests one after the other until either side wants no more.
    fn talk(&self, stream: &TcpStream) {
        let _ = stream.set_nodelay(true);
        let mut reader = BufReader::new(stream);
        loop {
            let mut first = String::new();
            if !matches!(reader.read_line(&mut first), Ok(1..)) {
                return;
            }
            self.busy.fetch_add(1, Ordering::SeqCst);
            let more = self.answer(&first, &mut reader, stream);
            self.busy.fetch_sub(1, Ordering::SeqCst);
            if !matches!(more, Ok(true)) {
                return;
            }
        }
    }

    fn answer(&self, first: &str, reader: &mut impl BufRead, mut stream: &TcpStream) -> io::Result<bool> {
        let mut close = false;
        let mut upgrade = false;
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let line = line.trim_end().to_ascii_lowercase();
            match line.split_once(':') {
                Some(("connection", value)) => close |= value.trim() == "close",
                Some(("upgrade", value)) => upgrade = value.trim() == "websocket",
                Some(("content-length", value)) => length = value.trim().parse().unwrap_or(0),
                Some(_) => {}
                None => break,
            }
        }
        io::copy(&mut io::Read::take(&mut *reader, length), &mut io::sink())?;
        let path = first.split(' ').nth(1).unwrap_or("/");
        if path == "/socket" && upgrade {
            return self.converse(reader, stream).map(|()| false);
        }
        if path == "/events" {
            return self.narrate(stream);
        }
        let (status, kind, body) = self.page(path.split('?').next().unwrap_or(path));
        close |= TERMINATED.load(Ordering::SeqCst) || first.trim_end().ends_with("HTTP/1.0");
        let connection = if close { "close" } else { "keep-alive" };
        let answer = format!(
            "HTTP/1.1 {status} Status\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nx-release: {}\r\nx-color: {}\r\n\
             connection: {connection}\r\n\r\n{body}",
            body.len(),
            self.release,
            self.color,
        );
        stream.write_all(answer.as_bytes())?;
        Ok(!close)
    }

    /// Events in chunks, twenty a second, each with the colour and the milliseconds since 1970 when it was sent, as long as somebody takes them.
    fn narrate(&self, mut stream: &TcpStream) -> io::Result<bool> {
        let head = "HTTP/1.1 200 Status\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n\
                    x-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes())?;
        loop {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
            let event = format!("data: {} {}\n\n", self.color, now.as_millis());
            stream.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes())?;
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// A websocket that answers each text, which must be short, with the colour and that text. It knows the one key that RFC 6455 has as
    /// its example.
    fn converse(&self, reader: &mut impl BufRead, mut stream: &TcpStream) -> io::Result<()> {
        let head = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
                    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        stream.write_all(head.as_bytes())?;
        loop {
            // Kind and length, then the mask, which all that clients send has.
            let mut head = [0; 6];
            reader.read_exact(&mut head)?;
            let mut text = vec![0; usize::from(head[1] & 0x7f)];
            reader.read_exact(&mut text)?;
            for (place, byte) in text.iter_mut().enumerate() {
                *byte ^= head[2 + place % 4];
            }
            let answer = format!("{} {}", self.color, String::from_utf8_lossy(&text));
            let length = u8::try_from(answer.len()).map_err(io::Error::other)?;
            stream.write_all(&[&[0x81, length], answer.as_bytes()].concat())?;
        }
    }

    fn page(&self, path: &str) -> (u16, &'static str, String) {
        let text = "text/plain";
        match path {
            "/" => {
                self.visits.fetch_add(1, Ordering::SeqCst);
                let version = &self.behaviour.version;
                (200, text, format!("{version} release {} {}\n", self.release, self.color))
            }
            "/up" if self.is_sick() => (503, text, "out of order\n".to_owned()),
            "/up" => {
                if self.checks.fetch_add(1, Ordering::SeqCst) < self.behaviour.silent {
                    thread::sleep(Duration::from_secs(5));
                }
                (200, text, "ok\n".to_owned())
            }
            "/deployment_id" => (200, text, self.color.clone()),
            "/checkout" => match self.behaviour.checkout {
                Some(status) => {
                    let fault = "KeyError: SESSION_SALT (lib/session.ex:14)";
                    complain(fault);
                    (status, text, format!("{fault}\n"))
                }
                None => (200, "application/json", r#"{"cart":{"items":3}}"#.to_owned()),
            },
            "/cart" => (200, text, "Your cart\n".to_owned()),
            "/greeting" => (200, text, variable("GREETING")),
            _ if path.starts_with("/slow") => {
                // `/slow/1500`: so many milliseconds.
                let millis = path.strip_prefix("/slow/").and_then(|millis| millis.parse().ok());
                thread::sleep(Duration::from_millis(millis.unwrap_or(800).min(5000)));
                (200, text, "at last\n".to_owned())
            }
            _ => (404, text, "no such page\n".to_owned()),
        }
    }

    fn is_sick(&self) -> bool {
        let enough = |limit| self.visits.load(Ordering::SeqCst) >= limit;
        self.behaviour.never_ready || self.behaviour.sick_after.is_some_and(enough)
    }
}
