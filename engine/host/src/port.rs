//! Who listens on a TCP port.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::fault::{self, not_allowed};
use crate::operation::{Fault, PortState};

/// See [`crate::operation::Operation::Port`].
pub(crate) fn look(address: &str, port: u16) -> Result<PortState, Fault> {
    let wanted: IpAddr =
        address.parse().map_err(|_| not_allowed(format!("`{address}` is not an IP address")))?;
    let mut listeners = Vec::new();
    for (path, required) in [("/proc/net/tcp", true), ("/proc/net/tcp6", false)] {
        match File::open(path).and_then(|table| read_listeners(BufReader::with_capacity(PAGE, table))) {
            Ok(found) => listeners.extend(found),
            Err(error) if required => return Err(fault::io("read", path, error)),
            Err(_) => {}
        }
    }
    let taken = listeners.into_iter().find(|found| found.port == port && collides(found.address, wanted));
    Ok(taken.map_or(PortState::Free, |found| PortState::Taken { by: owner(found.inode) }))
}

/// The kernel fills no more than this at one reading of such a table.
const PAGE: usize = 4096;

#[derive(Debug, PartialEq, Eq)]
struct Listener {
    address: IpAddr,
    port: u16,
    inode: u64,
}

/// The listening sockets of `/proc/net/tcp` or `tcp6`, which come first there (see proc_net_tcp in the kernel's documentation). What follows
/// them is left alone: where tens of thousands of connections come and go, reading those takes longer than anybody waits.
fn read_listeners(table: impl BufRead) -> io::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for line in table.lines().skip(1) {
        let line = line?;
        let fields: Vec<&str> = line.split_whitespace().collect();
        // State 0A is TCP_LISTEN.
        if fields.get(3) != Some(&"0A") {
            break;
        }
        listeners.extend(listener(&fields));
    }
    Ok(listeners)
}

fn listener(fields: &[&str]) -> Option<Listener> {
    let (address, port) = fields.get(1)?.split_once(':')?;
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
    use std::io::Read as _;

    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn the_table_is_read_as_far_as_its_listeners() {
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
        let line = |state: &str, inode: &str| {
            format!(
                "   0: 0100007F:1F90 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  1000 0 {inode} 1 0\n"
            )
        };
        let table = [head, &line("0A", "4711"), &line("0A", "4712"), &line("01", "4713")].concat();
        // Whoever reads on, fails.
        let endless = BufReader::with_capacity(table.len(), table.as_bytes().chain(Unreadable));
        let found = read_listeners(endless).expect("the connections are not read");
        let listening = |inode| Listener { address: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 8080, inode };
        assert_eq!(found, [listening(4711), listening(4712)]);
        assert_eq!(read_listeners(head.as_bytes()).expect("can be read"), []);
        assert!(read_listeners(BufReader::new(Unreadable)).is_err());
    }

    struct Unreadable;

    impl io::Read for Unreadable {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the connections are read"))
        }
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
