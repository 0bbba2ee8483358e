//! A wire between two machines that a test can cut or make worse.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use crate::Port;

/// Of a bad wire, this many pieces come through for each that is lost.
const COME_THROUGH: u64 = 40;
/// Until TCP has sent again what was lost.
const SENT_AGAIN: Duration = Duration::from_secs(1);

/// Passes TCP connections on to one address. Its connections break with the value.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    wire: Arc<Wire>,
    // Ours as long as somebody may connect to it.
    _port: Port,
}

#[derive(Debug, Default)]
struct Wire(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// How late each piece arrives on a bad wire.
    late: Option<Duration>,
    passed: u64,
    ended: bool,
    open: Vec<TcpStream>,
}

impl Relay {
    /// Begins to pass on what comes to `address`, at a port of its own, to `target`.
    ///
    /// # Panics
    /// When nobody can listen there.
    #[must_use]
    pub fn start(address: &str, target: SocketAddr) -> Self {
        let port = Port::take();
        let listener = TcpListener::bind((address, port.number())).unwrap();
        let address = listener.local_addr().unwrap();
        let wire = Arc::new(Wire::default());
        let accepting = Arc::clone(&wire);
        thread::spawn(move || {
            for near in listener.incoming() {
                if accepting.state().ended {
                    return;
                }
                if let (Ok(near), Ok(far)) = (near, TcpStream::connect(target)) {
                    accepting.join(&near, &far);
                }
            }
        });
        Self { address, wire, _port: port }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks every connection that passes. New ones pass.
    pub fn cut(&self) {
        for stream in self.wire.state().open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// From now on every piece arrives late by as much, in each direction, and now and then one has to be sent again.
    pub fn worsen(&self, late: Duration) {
        self.wire.state().late = Some(late);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.wire.state().ended = true;
        self.cut();
        // The listener's thread looks up from its wait.
        drop(TcpStream::connect(self.address));
    }
}

impl State {
    /// How late the next piece is.
    fn next_is_late(&mut self) -> Duration {
        let Some(late) = self.late else { return Duration::ZERO };
        self.passed += 1;
        late + if self.passed.is_multiple_of(COME_THROUGH) { SENT_AGAIN } else { Duration::ZERO }
    }
}

impl Wire {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn join(self: &Arc<Self>, near: &TcpStream, far: &TcpStream) {
        let copies =
            [(near, far), (far, near)].map(|(from, to)| Some((from.try_clone().ok()?, to.try_clone().ok()?)));
        for (from, to) in copies.into_iter().flatten() {
            self.state().open.extend([&from, &to].into_iter().filter_map(|stream| stream.try_clone().ok()));
            let wire = Arc::clone(self);
            thread::spawn(move || wire.pass(from, to));
        }
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut bytes = [0; 32 << 10];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            let late = self.state().next_is_late();
            thread::sleep(late);
            if to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    }
}
