//! An API that answers in JSON, one request a connection.

use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value;

use crate::Port;
use crate::front_door::read;

type Answer = dyn Fn(&str, &[u8]) -> (u16, Value) + Send + Sync;

/// A server at `127.0.0.1`. It ends with the value.
#[derive(Debug)]
pub(crate) struct ApiServer {
    port: Port,
    ended: Arc<AtomicBool>,
}

impl ApiServer {
    /// Starts one. `answer` makes status and body of head and body; nothing, and no content type, is sent for `null`.
    pub(crate) fn start(answer: impl Fn(&str, &[u8]) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let (port, ended) = (Port::take(), Arc::new(AtomicBool::new(false)));
        let listener = TcpListener::bind(("127.0.0.1", port.number())).unwrap();
        let (accepting, answer): (_, Arc<Answer>) = (Arc::clone(&ended), Arc::new(answer));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.load(Ordering::SeqCst) {
                    return;
                }
                let answer = Arc::clone(&answer);
                thread::spawn(move || serve(&client, answer.as_ref()));
            }
        });
        Self { port, ended }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port.number()
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the one who waits for connections.
        drop(TcpStream::connect(("127.0.0.1", self.port.number())));
    }
}

fn serve(mut client: &TcpStream, answer: &Answer) {
    let Ok(Some((head, body))) = read(&mut BufReader::new(client)) else { return };
    let (status, value) = answer(&head, &body);
    let (kind, text) = match value {
        Value::Null => ("", String::new()),
        // What is no object is a page.
        Value::String(page) => ("Content-Type: text/html\r\n", page),
        value @ (Value::Object(_) | Value::Array(_) | Value::Bool(_) | Value::Number(_)) => {
            ("Content-Type: application/json\r\n", value.to_string())
        }
    };
    let head = format!(
        "HTTP/1.1 {status} Answer\r\n{kind}Content-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    // Who has heard enough hangs up.
    let _ = client.write_all((head + &text).as_bytes());
}
