//! The least of an HTTP client.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Status code.
    pub status: u16,
    /// Names in lower case, values as they came.
    pub headers: Vec<(String, String)>,
    /// The body, which must be text.
    pub body: String,
}

impl Page {
    /// Value of a header, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// A connection for one request after the other.
#[derive(Debug)]
pub struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    /// Opens one.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(3))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.set_nodelay(true)?;
        Ok(Self { reader: BufReader::new(stream) })
    }

    /// Whether the other side has closed it, or said something unasked: no client asks for more on such a one.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        let stream = self.reader.get_ref();
        if stream.set_nonblocking(true).is_err() {
            return true;
        }
        let is_quiet = stream.peek(&mut [0]).is_err_and(|fault| fault.kind() == ErrorKind::WouldBlock);
        !is_quiet || stream.set_nonblocking(false).is_err()
    }

    /// Asks for a page; `close` says so to the server.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn get(&mut self, path: &str, close: bool) -> Result<Page> {
        self.send(&format!("GET {path}"), close, "", "")
    }

    /// `headers` are whole lines.
    fn send(&mut self, what: &str, close: bool, headers: &str, body: &str) -> Result<Page> {
        let connection = if close { "close" } else { "keep-alive" };
        let length =
            if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let request = format!(
            "{what} HTTP/1.1\r\nhost: shop.example\r\nconnection: {connection}\r\n{headers}{length}\r\n{body}"
        );
        self.reader.get_mut().write_all(request.as_bytes())?;
        let mut first = String::new();
        if self.reader.read_line(&mut first)? == 0 {
            return Err(Error::other("connection closed before the answer"));
        }
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| Error::other(format!("not an answer: {first:?}")))?;
        let mut page = Page { status, headers: Vec::new(), body: String::new() };
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line)?;
            match line.trim_end().split_once(':') {
                Some((name, value)) => {
                    page.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
                }
                None => break,
            }
        }
        let length: usize = page.header("content-length").parse().unwrap_or(0);
        let mut body = vec![0; length.min(1 << 20)];
        self.reader.read_exact(&mut body)?;
        page.body = String::from_utf8_lossy(&body).into_owned();
        Ok(page)
    }
}

/// One page over a fresh connection.
///
/// # Errors
/// When there is no answer.
pub fn get(address: &str, port: u16, path: &str) -> Result<Page> {
    let address = SocketAddr::new(address.parse().map_err(Error::other)?, port);
    Connection::open(address)?.get(path, true)
}

/// The same for a request that says this, too: `x-canary: always`.
///
/// # Errors
/// When there is no answer.
pub fn get_saying(address: &str, port: u16, path: &str, header: &str) -> Result<Page> {
    let address = SocketAddr::new(address.parse().map_err(Error::other)?, port);
    Connection::open(address)?.send(&format!("GET {path}"), true, &format!("{header}\r\n"), "")
}

/// The answer to a text that is sent over a fresh connection.
pub(crate) fn post(address: &str, port: u16, path: &str, body: &str) -> Result<Page> {
    let address = SocketAddr::new(address.parse().map_err(Error::other)?, port);
    Connection::open(address)?.send(&format!("POST {path}"), true, "", body)
}
