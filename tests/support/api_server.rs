//! An API that answers in JSON, one request a connection.

use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::Port;
use crate::front_door::read;

/// How an API treats who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It answers.
    Answers,
    /// It takes connections, and does what is asked, and answers, once it answers again.
    Silent,
    /// It hears what is asked, does nothing, and hangs up.
    HangsUp,
}

type Answer = dyn Fn(&str, &[u8]) -> (u16, Value) + Send + Sync;

/// A server at `127.0.0.1`. It ends with the value.
#[derive(Debug)]
pub(crate) struct ApiServer {
    port: Port,
    ended: Arc<AtomicBool>,
    manner: Arc<Mutex<Manner>>,
}

impl ApiServer {
    /// Starts one. `answer` makes status and body of head and body; nothing, and no content type, is sent for `null`.
    pub(crate) fn start(answer: impl Fn(&str, &[u8]) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let (port, ended) = (Port::take(), Arc::new(AtomicBool::new(false)));
        let manner = Arc::new(Mutex::new(Manner::Answers));
        let listener = TcpListener::bind(("127.0.0.1", port.number())).unwrap();
        let (accepting, answer): (_, Arc<Answer>) = (Arc::clone(&ended), Arc::new(answer));
        let treated = Arc::clone(&manner);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.load(Ordering::SeqCst) {
                    return;
                }
                let (answer, accepting, treated) =
                    (Arc::clone(&answer), Arc::clone(&accepting), Arc::clone(&treated));
                thread::spawn(move || {
                    while *treated.lock().unwrap() == Manner::Silent && !accepting.load(Ordering::SeqCst) {
                        thread::sleep(Duration::from_millis(10));
                    }
                    let manner = *treated.lock().unwrap();
                    serve(&client, (manner == Manner::Answers).then_some(answer.as_ref()));
                });
            }
        });
        Self { port, ended, manner }
    }

    pub(crate) fn treat(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
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

fn serve(mut client: &TcpStream, answer: Option<&Answer>) {
    let Ok(Some((head, body))) = read(&mut BufReader::new(client)) else { return };
    let Some(answer) = answer else { return };
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
