//! A client of a response that goes on and on: events in chunks, as a browser's `EventSource` has them.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A response that is open as long as the value.
#[derive(Debug)]
pub struct EventStream {
    reader: BufReader<TcpStream>,
    /// What was received and is no whole line yet.
    rest: String,
}

impl EventStream {
    /// Begins one at a port of loopback.
    ///
    /// # Errors
    /// When the answer is another one.
    pub fn open(port: u16) -> Result<Self> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream
            .write_all(b"GET /events HTTP/1.1\r\nhost: shop.example\r\naccept: text/event-stream\r\n\r\n")?;
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Err(Error::other(format!("closed after {head:?}")));
            }
        }
        let in_chunks = head.to_ascii_lowercase().contains("transfer-encoding: chunked\r\n");
        if head.starts_with("HTTP/1.1 200 ") && in_chunks {
            Ok(Self { reader, rest: String::new() })
        } else {
            Err(Error::other(format!("no stream: {head:?}")))
        }
    }

    /// The colour that sends events now: those of before are passed over.
    ///
    /// # Errors
    /// When the other side has ended it.
    pub fn says(&mut self) -> Result<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(Error::other)?.as_millis();
        loop {
            while let Some((line, rest)) = self.rest.split_once('\n') {
                let event = line.strip_prefix("data: ").and_then(|event| event.split_once(' '));
                let color = event.filter(|(_, at)| at.parse().is_ok_and(|at: u128| at >= now));
                let color = color.map(|(color, _)| color.to_owned());
                self.rest = rest.to_owned();
                if let Some(color) = color {
                    return Ok(color);
                }
            }
            let chunk = self.chunk()?;
            self.rest.push_str(&chunk);
        }
    }

    fn chunk(&mut self) -> Result<String> {
        let mut size = String::new();
        if self.reader.read_line(&mut size)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let size = usize::from_str_radix(size.trim_end(), 16).map_err(Error::other)?;
        if size == 0 {
            return Err(Error::other("it has ended as a whole one does"));
        }
        let mut chunk = vec![0; size + 2];
        self.reader.read_exact(&mut chunk)?;
        chunk.truncate(size);
        String::from_utf8(chunk).map_err(Error::other)
    }
}
