//! HTTP servers with bad manners, for as long as the process lives.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// Answers each request as it likes; `http://127.0.0.1:PORT`.
pub(super) fn server(answer: fn(&mut TcpStream) -> std::io::Result<()>) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                // A client that has heard enough is gone.
                let _ = stream.read(&mut [0; 4096]).and_then(|_| answer(&mut stream));
            });
        }
    });
    format!("http://127.0.0.1:{port}")
}

pub(super) fn silent(_: &mut TcpStream) -> std::io::Result<()> {
    thread::sleep(Duration::from_secs(60));
    Ok(())
}

pub(super) fn dripping(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")?;
    loop {
        stream.write_all(b"x")?;
        thread::sleep(Duration::from_millis(20));
    }
}

pub(super) fn stalling(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\nx")?;
    silent(stream)
}

pub(super) fn endless(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    loop {
        stream.write_all(&[b'x'; 60_000])?;
    }
}

pub(super) fn headers(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
    loop {
        stream
            .write_all(b"x-flood: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n")?;
    }
}

pub(super) fn redirecting(stream: &mut TcpStream) -> std::io::Result<()> {
    let target = "http://169.254.169.254/latest/meta-data";
    let text = format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 4\r\n\r\nover");
    stream.write_all(text.as_bytes())
}

pub(super) fn brief(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
}
