//! The least of a websocket client: messages of text, short ones, one after the other.

use std::io::{BufRead, BufReader, Error, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A websocket that is open as long as the value.
#[derive(Debug)]
pub struct Websocket {
    reader: BufReader<TcpStream>,
}

/// What RFC 6455 has as its example: a key, and what a server answers to it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

impl Websocket {
    /// Opens one at a port of loopback.
    ///
    /// # Errors
    /// When the server does not want any.
    pub fn open(port: u16) -> Result<Self> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let request = format!(
            "GET /socket HTTP/1.1\r\nhost: shop.example\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: {KEY}\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Err(Error::other(format!("closed after {head:?}")));
            }
        }
        let lines = head.to_ascii_lowercase();
        if head.starts_with("HTTP/1.1 101 ") && lines.contains(&ACCEPT.to_ascii_lowercase()) {
            Ok(Self { reader })
        } else {
            Err(Error::other(format!("no websocket: {head:?}")))
        }
    }

    /// Sends a text, and takes the one that comes back.
    ///
    /// # Errors
    /// When the other side has closed.
    pub fn say(&mut self, text: &str) -> Result<String> {
        let length = u8::try_from(text.len()).map_err(Error::other)?;
        // Masked, as all that clients send, with zeros.
        let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
        frame.extend_from_slice(text.as_bytes());
        self.reader.get_mut().write_all(&frame)?;
        let mut head = [0; 2];
        self.reader.read_exact(&mut head)?;
        let mut payload = vec![0; usize::from(head[1])];
        self.reader.read_exact(&mut payload)?;
        String::from_utf8(payload).map_err(Error::other)
    }
}
