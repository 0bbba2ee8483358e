//! A web server that says what a test has it say, and remembers what it was asked.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request without a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `/v2/lb/manifests/1?x=y`.
    pub target: String,
    /// The `Authorization` header; empty for none.
    pub authorization: String,
}

/// The server, at `127.0.0.1:…`. It ends with the process: who asks holds it no longer than a test.
pub struct Scripted {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripted").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Scripted {
    /// Starts one. `script` gives status, headers (each with its line end) and body.
    ///
    /// # Panics
    /// When no socket is to be had.
    #[must_use]
    pub fn start(script: impl Fn(&Asked) -> (u16, String, Vec<u8>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Some(request) = read(&client) else { continue };
                noted.lock().unwrap().push(request.clone());
                let (status, headers, body) = script(&request);
                answer(client, status, &headers, &body);
            }
        });
        Self { port, asked }
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What it was asked since this was asked last.
    ///
    /// # Panics
    /// When its script did.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn read(client: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(client).lines().map_while(Result::ok);
    let target = lines.next()?.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?.to_owned();
    let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let value = |line: &String| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("authorization").then(|| value.trim().to_owned())
    };
    Some(Asked { target, authorization: headers.iter().find_map(value).unwrap_or_default() })
}

fn answer(mut client: TcpStream, status: u16, headers: &str, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status} Scripted\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // Who has heard enough hangs up.
    let _ = client.write_all(head.as_bytes()).and_then(|()| client.write_all(body));
}
