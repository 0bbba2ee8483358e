//! Sockets that only this host reaches: exchanges, relays, names.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{FileType, OFlags};
use rustix::net::{Shutdown, shutdown};

use crate::account::Account;
use crate::fault::{self, not_allowed};
use crate::fence::Stay;
use crate::operation::{Fault, FaultKind, Program};
use crate::place::{absolute, open_granted};
use crate::program;
use crate::scope::{Scope, wait_for};
use crate::stream::{Flag, Lane};

/// See [`crate::operation::Operation::Exchange`].
pub(crate) fn exchange(
    account: &Account,
    socket: &str,
    content: &[u8],
    limit: u64,
    scope: &Scope<'_>,
) -> Result<Vec<u8>, Fault> {
    let connection: OwnedFd = match socket.split_once(':') {
        Some(("unix", path)) => {
            let path = absolute(account, path)?;
            let place = open_granted(&path, OFlags::PATH)?;
            let found = rustix::fs::fstat(&place).map_err(|error| fault::io("look at", &path, error))?;
            if !FileType::from_raw_mode(found.st_mode).is_socket() {
                return Err(not_allowed(format!("`{path}` is not a socket")));
            }
            UnixStream::connect(format!("/proc/self/fd/{}", place.as_raw_fd()))
                .map(OwnedFd::from)
                .map_err(|error| fault::io("connect to", &path, error))?
        }
        Some(("tcp", address)) => {
            let address: SocketAddr = address.parse().map_err(|_| {
                not_allowed(format!("`{socket}` has no literal address and port after `tcp:`"))
            })?;
            connect(address, scope.left()?)?.into()
        }
        _ => return Err(not_allowed(format!("`{socket}` is neither `unix:/path` nor `tcp:ADDRESS:PORT`"))),
    };
    let fails = |error: rustix::io::Errno| fault::io("talk to", socket, error);
    rustix::io::ioctl_fionbio(&connection, true).map_err(fails)?;
    let (mut rest, mut closed) = (content, false);
    let mut answer = Vec::new();
    let mut buffer = [0; 16 << 10];
    loop {
        if rest.is_empty() && !closed {
            // A peer that has closed already has said what it wants to say.
            let _ = shutdown(&connection, Shutdown::Write);
            closed = true;
        }
        let flags = if rest.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
        let mut fds = [PollFd::new(&connection, flags)];
        scope.wait(&mut fds, None)?;
        let ready = fds[0].revents();
        if ready.contains(PollFlags::OUT) && !rest.is_empty() {
            match rustix::io::write(&connection, rest) {
                Ok(written) => rest = &rest[written..],
                Err(rustix::io::Errno::AGAIN) => {}
                Err(rustix::io::Errno::PIPE) => rest = &[],
                Err(error) => return Err(fails(error)),
            }
        }
        if ready.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            match rustix::io::read(&connection, &mut buffer) {
                Ok(0) => return Ok(answer),
                Ok(length) => answer.extend_from_slice(&buffer[..length]),
                Err(rustix::io::Errno::AGAIN) => {}
                Err(error) => return Err(fails(error)),
            }
            if answer.len() as u64 > limit {
                return Err(Fault::new(
                    FaultKind::TooLarge,
                    format!("`{socket}` answered more than {limit} bytes"),
                ));
            }
        }
    }
}

/// See [`crate::operation::Operation::Resolve`].
pub(crate) fn resolve(account: &Account, name: &str, scope: &Scope<'_>) -> Result<Vec<String>, Fault> {
    if name.is_empty()
        || name.starts_with('-')
        || name.contains(|c: char| c.is_whitespace() || c.is_control())
    {
        return Err(not_allowed(format!("`{}` is not a name of a host", name.escape_debug())));
    }
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(vec![address.to_string()]);
    }
    // A static program can't load the host's own name services, so its `getent` is asked, if it has one.
    let ask = Program {
        program: "getent".to_owned(),
        args: vec!["ahosts".to_owned(), name.to_owned()],
        output_limit: 64 << 10,
        ..Program::default()
    };
    let mut addresses: Vec<IpAddr> = match program::run(account, &ask, scope, || Ok(None)) {
        Ok(exit) if exit.status == 0 => {
            let text = exit.out.to_text();
            text.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
        }
        Err(fault) if fault.kind != FaultKind::NotFound => return Err(fault),
        Ok(_) => Vec::new(),
        Err(_) => (name, 0)
            .to_socket_addrs()
            .map(|found| found.map(|address| address.ip()).collect())
            .unwrap_or_default(),
    };
    addresses.sort_unstable();
    addresses.dedup();
    if addresses.is_empty() {
        return Err(Fault::new(FaultKind::NotFound, format!("this host knows no address of `{name}`")));
    }
    Ok(addresses.iter().map(IpAddr::to_string).collect())
}

/// See [`crate::operation::Operation::Relay`]. Only what comes of connecting is [`FaultKind::Refused`], [`FaultKind::NoRoute`] or
/// [`FaultKind::TimedOut`]: what befalls a connection later is no sign that there was none.
/// What is let in stays until the connection ends, which is cut soon after a fence was raised.
pub(crate) fn relay(
    address: &str,
    port: u16,
    connect_ms: u64,
    scope: &Scope<'_>,
    stay: impl FnOnce() -> Result<Option<Stay>, Fault>,
) -> Result<(), Fault> {
    let ip: IpAddr =
        address.parse().map_err(|_| not_allowed(format!("`{address}` is not a literal IP address")))?;
    let limit = Duration::from_millis(connect_ms);
    let limit = scope.left()?.map_or(limit, |left| left.min(limit));
    let stay = stay()?;
    let socket = connect(SocketAddr::new(ip, port), Some(limit))?;
    let shown = format!("{address}:{port}");
    let fails = |error: io::Error| lost(&shown, error);
    socket.set_nodelay(true).and_then(|()| socket.set_nonblocking(true)).map_err(fails)?;
    let over = Flag::new().map_err(fails)?;
    std::thread::scope(|threads| {
        threads.spawn(|| {
            send_received(&socket, &over, scope);
            let _ = socket.shutdown(std::net::Shutdown::Write);
        });
        let received = receive_sent(&socket, scope, stay.as_ref(), &shown);
        // Whoever closes its side has said all: the engine sees the end at once, as it would on a connection of its own.
        over.raise();
        scope.stream.end_receiving();
        received
    })
}

/// From the engine to the socket.
fn send_received(socket: &TcpStream, over: &Flag, scope: &Scope<'_>) {
    while let Some(piece) = scope.stream.receive() {
        let mut rest = piece.as_slice();
        while !rest.is_empty() {
            let mut fds = [
                PollFd::new(socket, PollFlags::OUT),
                PollFd::new(over, PollFlags::IN),
                PollFd::new(scope.stream.cancelled(), PollFlags::IN),
            ];
            if wait_for(&mut fds, None).is_err() || fds[1..].iter().any(|fd| !fd.revents().is_empty()) {
                return;
            }
            match rustix::io::write(socket.as_fd(), rest) {
                Ok(written) => rest = &rest[written..],
                Err(rustix::io::Errno::AGAIN) => {}
                Err(_) => {
                    scope.stream.end_receiving();
                    return;
                }
            }
        }
    }
}

/// From the socket to the engine.
fn receive_sent(
    socket: &TcpStream,
    scope: &Scope<'_>,
    stay: Option<&Stay>,
    shown: &str,
) -> Result<(), Fault> {
    let mut buffer = [0; 32 << 10];
    loop {
        let mut fds = [PollFd::new(socket, PollFlags::IN)];
        scope.wait(&mut fds, stay.map(|_| Stay::LOOK))?;
        stay.map_or(Ok(()), Stay::check)?;
        if fds[0].revents().is_empty() {
            continue;
        }
        match rustix::io::read(socket.as_fd(), &mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => scope.stream.send(Lane::Out, &buffer[..length])?,
            Err(rustix::io::Errno::AGAIN) => {}
            Err(error) => return Err(lost(shown, error.into())),
        }
    }
}

/// What befalls a connection that was made.
fn lost(shown: &str, error: io::Error) -> Fault {
    Fault { kind: FaultKind::Failed, ..fault::io("talk to", shown, error) }
}

fn connect(address: SocketAddr, limit: Option<Duration>) -> Result<TcpStream, Fault> {
    match limit {
        Some(limit) => TcpStream::connect_timeout(&address, limit.max(Duration::from_millis(1))),
        None => TcpStream::connect(address),
    }
    .map_err(|error| {
        if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) {
            Fault::new(FaultKind::TimedOut, format!("`{address}` did not answer in time"))
        } else {
            fault::io("connect to", address, error)
        }
    })
}
