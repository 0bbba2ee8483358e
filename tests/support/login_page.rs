//! Something else where a control plane should be: it answers whatever it is asked with the same page.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::Port;

const PAGE: &str = "<html><head><title>Sign in</title></head><body>Who are you?</body></html>\n";

/// A page at `127.0.0.1`, with status 200. It ends with the value.
#[derive(Debug)]
pub struct LoginPage {
    port: Port,
    ended: Arc<AtomicBool>,
}

impl LoginPage {
    /// Opens one.
    ///
    /// # Panics
    /// When nobody can listen there.
    #[must_use]
    pub fn open() -> Self {
        let (port, ended) = (Port::take(), Arc::new(AtomicBool::new(false)));
        let listener = TcpListener::bind(("127.0.0.1", port.number())).unwrap();
        let accepting = Arc::clone(&ended);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.load(Ordering::SeqCst) {
                    return;
                }
                thread::spawn(move || serve(client));
            }
        });
        Self { port, ended }
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port.number()
    }
}

impl Drop for LoginPage {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the one who waits for connections.
        drop(TcpStream::connect(("127.0.0.1", self.port())));
    }
}

/// Whoever says something is answered, in HTTP or not.
fn serve(mut client: TcpStream) {
    let mut heard = [0; 16384];
    let _ = client.set_read_timeout(Some(Duration::from_secs(5)));
    if !client.read(&mut heard).is_ok_and(|count| count > 0) {
        return;
    }
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{PAGE}",
        PAGE.len()
    );
    let _ = client.write_all(answer.as_bytes()).and_then(|()| client.shutdown(Shutdown::Write));
    // Who hangs up on what was not read yet takes the answer with it.
    while client.read(&mut heard).is_ok_and(|count| count > 0) {}
}
