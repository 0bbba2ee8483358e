//! What systemd is told, where it asked for it.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Sends lines to a `NOTIFY_SOCKET`. One that is not there is nobody's fault here.
pub(super) fn tell(socket: Option<&OsStr>, lines: &str) {
    let Some(socket) = socket else { return };
    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(socket),
    };
    if let (Ok(address), Ok(from)) = (address, UnixDatagram::unbound()) {
        let _ = from.send_to_addr(lines.as_bytes(), &address);
    }
}
