//! The way in of a router that is no program of ours: it shares requests by weights that it looks up, and not by what it is told.

use std::io::{self, BufRead, BufReader, Result, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use crate::Port;

/// Instances that share one weight.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Backend {
    pub(crate) weight: u32,
    /// `address:port`
    pub(crate) targets: Vec<String>,
}

/// Takes requests at `127.0.0.1`, each on its own, whatever connection it comes over. It ends with the value.
#[derive(Debug)]
pub(crate) struct FrontDoor {
    port: Port,
    ended: Arc<AtomicBool>,
}

struct Shared {
    look: Box<dyn Fn() -> Vec<Backend> + Send + Sync>,
    requests: AtomicU32,
}

impl FrontDoor {
    /// Opens one. `look` tells the backends, for each request anew.
    pub(crate) fn open(look: impl Fn() -> Vec<Backend> + Send + Sync + 'static) -> Self {
        let (port, ended) = (Port::take(), Arc::new(AtomicBool::new(false)));
        let listener = TcpListener::bind(("127.0.0.1", port.number())).unwrap();
        let shared = Arc::new(Shared { look: Box::new(look), requests: AtomicU32::default() });
        let accepting = Arc::clone(&ended);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                thread::spawn(move || serve(&client, &shared));
            }
        });
        Self { port, ended }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port.number()
    }
}

impl Drop for FrontDoor {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the one who waits for connections.
        drop(TcpStream::connect(("127.0.0.1", self.port.number())));
    }
}

/// One request after the other, until the client has enough.
fn serve(client: &TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(client);
    while let Ok(Some((head, body))) = read(&mut reader) {
        let lines = head.to_ascii_lowercase();
        if lines.contains("\r\nupgrade: ") || lines.contains("\r\naccept: text/event-stream\r\n") {
            return tunnel(&head, reader, client, shared);
        }
        let closes = lines.contains("\r\nconnection: close");
        let answer = pass_on(&without_connection(&head), &body, shared);
        let (mut writer, last) = (client, if closes { "Connection: close\r\n" } else { "" });
        let (first, rest) = answer.split_once("\r\n").unwrap();
        if writer.write_all(format!("{first}\r\n{last}{rest}").as_bytes()).is_err() || closes {
            return;
        }
    }
}

/// A websocket, or events: whatever either side says from now on, until one of them ends it.
fn tunnel(head: &str, mut reader: BufReader<&TcpStream>, client: &TcpStream, shared: &Shared) {
    let upstream = match reach(shared) {
        Ok(upstream) => upstream,
        Err(status) => return drop({ client }.write_all(none(status).as_bytes())),
    };
    let end = || [client, &upstream].map(|side| drop(side.shutdown(Shutdown::Both)));
    let (mut there, mut back, mut out) = (&upstream, &upstream, client);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = there.write_all(head.as_bytes()).and_then(|()| io::copy(&mut reader, &mut there));
            end();
        });
        let _ = io::copy(&mut back, &mut out);
        end();
    });
}

/// Head and body of the next message; none at the end.
pub(crate) fn read(from: &mut impl BufRead) -> Result<Option<(String, Vec<u8>)>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if from.read_line(&mut head)? == 0 {
            return Ok(None);
        }
    }
    let length = |line: &str| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok();
    let mut body = vec![0; head.lines().find_map(length).unwrap_or(0)];
    from.read_exact(&mut body)?;
    Ok(Some((head, body)))
}

fn without_connection(head: &str) -> String {
    let kept =
        head.split_inclusive("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    kept.collect()
}

/// The answer of one of those that have a weight: of one that can be reached, where there is one.
fn pass_on(head: &str, body: &[u8], shared: &Shared) -> String {
    let mut upstream = match reach(shared) {
        Ok(upstream) => upstream,
        Err(status) => return none(status),
    };
    let mut text = head.trim_end().to_owned();
    text.push_str("\r\nConnection: close\r\n\r\n");
    let sent = upstream.write_all(text.as_bytes()).and_then(|()| upstream.write_all(body));
    let answer = sent.and_then(|()| read(&mut BufReader::new(upstream)));
    match answer {
        Ok(Some((head, body))) => without_connection(&head) + &String::from_utf8_lossy(&body),
        Ok(None) | Err(_) => none(UNREACHABLE),
    }
}

const UNREACHABLE: &str = "502 Bad Gateway";

fn none(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")
}

/// One of those whose turn it is, or the status of the answer where there is none.
fn reach(shared: &Shared) -> std::result::Result<TcpStream, &'static str> {
    let turn = shared.requests.fetch_add(1, Ordering::SeqCst);
    let targets = chosen(&(shared.look)(), turn).ok_or("503 Service Unavailable")?;
    let first = usize::try_from(turn).unwrap();
    let mut in_turn = (0..targets.len()).map(|index| &targets[(first + index) % targets.len()]);
    in_turn.find_map(|target| TcpStream::connect(target).ok()).ok_or(UNREACHABLE)
}

/// Whose turn it is: each has its part of any hundred requests, well mixed.
fn chosen(backends: &[Backend], turn: u32) -> Option<Vec<String>> {
    // A prime that no sum of weights is a multiple of.
    const STRIDE: u32 = 7919;
    let total: u32 = backends.iter().map(|backend| backend.weight).sum();
    let mut point = turn.wrapping_mul(STRIDE).checked_rem(total)?;
    for backend in backends {
        match point.checked_sub(backend.weight) {
            Some(rest) => point = rest,
            None => return Some(backend.targets.clone()),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_share_of_a_hundred() {
        let backend = |weight, name: &str| Backend { weight, targets: vec![name.to_owned()] };
        for weight in [0, 1, 10, 50, 99, 100] {
            let backends = [backend(100 - weight, "blue"), backend(weight, "green")];
            let green = (0..100).filter(|turn| chosen(&backends, *turn).unwrap() == ["green"]).count();
            assert_eq!(green, usize::try_from(weight).unwrap());
        }
        assert_eq!(chosen(&[backend(0, "blue")], 1), None);
    }
}
