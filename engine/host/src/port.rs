//! Who listens on a TCP port.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::fault::{self, not_allowed};
use crate::operation::{Fault, PortState};

/// See [`crate::operation::Operation::Port`].
pub(crate) fn look(address: &str, port: u16) -> Result<PortState, Fault> {
    let wanted: IpAddr =
        address.parse().map_err(|_| not_allowed(format!("`{address}` is not an IP address")))?;
    let mut listeners = Vec::new();
    for (path, required) in [("/proc/net/tcp", true), ("/proc/net/tcp6", false)] {
        match fs::read_to_string(path) {
            Ok(table) => listeners.extend(table.lines().filter_map(listener)),
            Err(error) if required => return Err(fault::io("read", path, error)),
            Err(_) => {}
        }
    }
    let taken = listeners.into_iter().find(|found| found.port == port && collides(found.address, wanted));
    Ok(taken.map_or(PortState::Free, |found| PortState::Taken { by: owner(found.inode) }))
}

#[derive(Debug, PartialEq, Eq)]
struct Listener {
    address: IpAddr,
    port: u16,
    inode: u64,
}

/// A line of `/proc/net/tcp` or `tcp6` (see proc_net_tcp in the kernel's documentation), if it is a listening socket.
fn listener(line: &str) -> Option<Listener> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (address, port) = fields.get(1)?.split_once(':')?;
    // State 0A is TCP_LISTEN.
    if *fields.get(3)? != "0A" {
        return None;
    }
    Some(Listener {
        address: parse_address(address)?,
        port: u16::from_str_radix(port, 16).ok()?,
        inode: fields.get(9)?.parse().ok()?,
    })
}

/// Words of 32 bits in the machine's own order, in hexadecimal digits.
fn parse_address(digits: &str) -> Option<IpAddr> {
    let words: Vec<[u8; 4]> = digits
        .as_bytes()
        .chunks_exact(8)
        .map(|word| u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok().map(u32::to_ne_bytes))
        .collect::<Option<_>>()?;
    match words.as_slice() {
        [word] => Some(IpAddr::V4(Ipv4Addr::from(*word))),
        [_, _, _, _] => Some(IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(words.concat()).ok()?))),
        _ => None,
    }
}

/// Whether a listener on one address keeps another from listening on the other, or answers in its place.
fn collides(one: IpAddr, other: IpAddr) -> bool {
    let (one, other) = (one.to_canonical(), other.to_canonical());
    // `::` takes connections for IPv4 too, unless the program asked otherwise, which can't be seen here.
    let everything = |address: IpAddr| address == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    one == other
        || everything(one)
        || everything(other)
        || (one.is_ipv4() == other.is_ipv4() && (one.is_unspecified() || other.is_unspecified()))
}

/// Program and pid that hold a socket, if this user may see it.
fn owner(inode: u64) -> Option<String> {
    let wanted = format!("socket:[{inode}]");
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let name = process.file_name();
        let pid: u32 = name.to_str()?.parse().ok()?;
        let mut files = fs::read_dir(process.path().join("fd")).ok()?.flatten();
        files
            .find(|file| fs::read_link(file.path()).is_ok_and(|link| link.as_os_str() == wanted.as_str()))?;
        let program = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
        Some(format!("{} (pid {pid})", program.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel_are_understood() {
        let line =
            "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 4711 1 0";
        let expected = Listener { address: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 8080, inode: 4711 };
        #[cfg(target_endian = "little")]
        assert_eq!(listener(line), Some(expected));
        assert_eq!(listener(&line.replace(" 0A ", " 01 ")), None);
        assert_eq!(listener("  sl  local_address rem_address   st"), None);
    }

    #[test]
    fn addresses_collide() {
        let table = [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("0.0.0.0", "127.0.0.2", true),
            ("127.0.0.2", "0.0.0.0", true),
            ("::", "127.0.0.1", true),
            ("::1", "127.0.0.1", false),
            ("0.0.0.0", "::1", false),
            ("::ffff:127.0.0.1", "127.0.0.1", true),
        ];
        for (one, other, expected) in table {
            let parse = |text: &str| text.parse::<IpAddr>().expect("an address");
            assert_eq!(collides(parse(one), parse(other)), expected, "{one} {other}");
        }
    }

    #[test]
    fn a_listener_is_found_with_its_program() {
        let listening = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
        let port = listening.local_addr().expect("has an address").port();
        let PortState::Taken { by: Some(by) } = look("127.0.0.1", port).expect("can be asked") else {
            panic!("port {port} is taken");
        };
        assert!(by.ends_with(&format!("(pid {})", std::process::id())), "{by}");
        drop(listening);
        assert_eq!(look("127.0.0.1", port), Ok(PortState::Free));
    }
}
