//! Sockets and names.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;

use cutover_host::operation::{Answer, FaultKind, Operation};

use crate::stage::{Stage, Streams, eventually};

#[test]
fn an_exchange_over_a_unix_socket() {
    let stage = Stage::new();
    let listener = UnixListener::bind(stage.path("socket")).expect("binds");
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for _ in 0..2 {
                let (mut peer, _) = listener.accept().expect("accepts");
                let mut asked = String::new();
                peer.read_to_string(&mut asked).expect("reads");
                peer.write_all(format!("you said {asked}").as_bytes()).expect("writes");
            }
        });
        let ask = |limit| Operation::Exchange {
            socket: format!("unix:{}", stage.text("socket")),
            content: "show stat\n".into(),
            limit,
        };
        assert_eq!(stage.perform(ask(100)), Ok(Answer::Content("you said show stat\n".into())));
        assert_eq!(stage.fault(ask(5)), FaultKind::TooLarge);
    });
    let to = |socket: &str| Operation::Exchange { socket: socket.to_owned(), content: "x".into(), limit: 10 };
    std::os::unix::fs::symlink("socket", stage.path("link")).expect("linked");
    assert_eq!(stage.fault(to(&format!("unix:{}", stage.text("link")))), FaultKind::NotAllowed);
    drop(listener);
    assert_eq!(stage.fault(to(&format!("unix:{}", stage.text("socket")))), FaultKind::Refused);
    assert_eq!(stage.fault(to("unix:~/nothing")), FaultKind::NotFound);
    assert_eq!(stage.fault(to("tcp:localhost:80")), FaultKind::NotAllowed);
    assert_eq!(stage.fault(to("ftp:x")), FaultKind::NotAllowed);
}

#[test]
fn a_relay_passes_both_ways_until_both_have_closed() {
    let stage = Stage::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = listener.local_addr().expect("has one").port();
    let relay = |port| Operation::Relay { address: "127.0.0.1".to_owned(), port, connect_ms: 2000 };
    let streams = Streams::open();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let (mut peer, _) = listener.accept().expect("accepts");
            peer.write_all(b"welcome ").expect("writes");
            let mut asked = Vec::new();
            peer.read_to_end(&mut asked).expect("reads");
            peer.write_all(&asked).expect("writes");
        });
        let relaying = threads.spawn(|| stage.perform_with(relay(port), None, &streams));
        eventually("is welcomed", || streams.out_text() == "welcome ");
        streams.push(b"guest");
        streams.close();
        assert_eq!(relaying.join().expect("joins"), Ok(Answer::Done));
    });
    assert_eq!(streams.out_text(), "welcome guest");
    drop(listener);
    assert_eq!(stage.fault(relay(port)), FaultKind::Refused);
    let name = Operation::Relay { address: "localhost".to_owned(), port, connect_ms: 100 };
    assert_eq!(stage.fault(name), FaultKind::NotAllowed);
}

#[test]
fn names_are_resolved_as_this_host_does() {
    let stage = Stage::new();
    let resolve = |name: &str| Operation::Resolve { name: name.to_owned() };
    let Ok(Answer::Names(names)) = stage.perform(resolve("localhost")) else { panic!("unknown") };
    assert!(names.iter().any(|name| name == "127.0.0.1" || name == "::1"), "{names:?}");
    assert_eq!(stage.perform(resolve("192.0.2.1")), Ok(Answer::Names(vec!["192.0.2.1".to_owned()])));
    assert_eq!(stage.fault(resolve("no-such-name.invalid")), FaultKind::NotFound);
    for bad in ["-s", "", "a b"] {
        assert_eq!(stage.fault(resolve(bad)), FaultKind::NotAllowed, "{bad}");
    }
}
