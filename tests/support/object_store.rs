//! Real servers that keep objects, and ones that ignore conditions.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use crate::{Dialect, Port, Process, Scratch, eventually, get};

/// The bucket that it has.
const BUCKET: &str = "state";

/// A server that keeps objects, with one empty bucket. Ends with the value.
#[derive(Debug)]
pub struct ObjectStore {
    _server: Process,
    dialect: Dialect,
    port: Port,
}

impl ObjectStore {
    /// Starts one; none, with a word why, where it is not installed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(dialect: Dialect, scratch: &Scratch) -> Option<Self> {
        let port = Port::take();
        let server = Process::start(dialect.server(&port)?, &scratch.path().join("object-store.log"));
        eventually("the object store answers", Duration::from_secs(60), || {
            get("127.0.0.1", port.number(), "/").ok()
        });
        let mut stream = TcpStream::connect(("127.0.0.1", port.number())).unwrap();
        let make = format!(
            "PUT {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            dialect.bucket(BUCKET)
        );
        stream.write_all(make.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
        Some(Self { _server: server, dialect, port })
    }

    /// URL of a prefix in its bucket.
    #[must_use]
    pub fn url(&self, prefix: &str) -> String {
        format!("{}://{BUCKET}/{prefix}", self.dialect.scheme())
    }

    /// What the environment says of it.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        self.dialect.variables(self.port.number(), false)
    }

    /// What the environment says of one that is the same, but where nobody listens on the port, which is told too.
    #[must_use]
    pub fn silent(&self) -> (Vec<(String, String)>, Port) {
        let nobody = Port::take();
        (self.dialect.variables(nobody.number(), false), nobody)
    }

    /// What the environment says of one that is the same, but for ignoring the headers of conditions, as some do.
    ///
    /// # Panics
    /// When no socket is to be had.
    #[must_use]
    pub fn careless(&self) -> Vec<(String, String)> {
        let (listener, server) = (TcpListener::bind("127.0.0.1:0").unwrap(), self.port.number());
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                std::thread::spawn(move || pass_on(client, server));
            }
        });
        self.dialect.variables(port, true)
    }
}

/// One request without its conditions, and the answer.
fn pass_on(mut client: TcpStream, server: u16) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match client.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let is_kept =
        |line: &&str| !["if-", "connection:"].iter().any(|name| line.to_lowercase().starts_with(name));
    let lines: Vec<&str> = head.trim_end().split("\r\n").filter(is_kept).collect();
    let length = |line: &&str| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok();
    let mut body = vec![0; lines.iter().find_map(length).unwrap_or(0)];
    if client.read_exact(&mut body).is_err() {
        return;
    }
    let mut upstream = TcpStream::connect(("127.0.0.1", server)).unwrap();
    let head = lines.join("\r\n") + "\r\nConnection: close\r\n\r\n";
    upstream.write_all(head.as_bytes()).and_then(|()| upstream.write_all(&body)).unwrap();
    let _ = std::io::copy(&mut upstream, &mut client);
    let _ = client.shutdown(Shutdown::Both);
}
