//! A real web server with TLS that has files, sends on, refuses, and breaks off.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;

use crate::Scratch;
use crate::tls_server::TlsServer;

/// A web server at `https://127.0.0.1:…` under a certificate authority of its own. Ends with the value.
///
/// Below `/sent-on/` it sends on to the file of that name, below `/plain/` to one without TLS, `/round` to itself; `/private` is refused, and
/// what `/cut` answers breaks off.
#[derive(Debug)]
pub struct TlsFiles(TlsServer);

impl TlsFiles {
    /// Starts one; none, with a word why, where `openssl` is not installed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(scratch: &Scratch) -> Option<Self> {
        let server = TlsServer::start(scratch, "tls-files", |own, port| {
            format!(
                "root {own}/files;\n    \
                 location ~ ^/sent-on/(.*)$ {{ return 302 /$1; }}\n    \
                 location ~ ^/plain/(.*)$ {{ return 302 http://127.0.0.1:{port}/$1; }}\n    \
                 location = /round {{ return 302 /round; }}\n    location = /private {{ return 403; }}\n    \
                 location = /cut {{ proxy_pass http://127.0.0.1:{cut}; }}",
                own = own.display(),
                cut = breaking_off(),
            )
        })?;
        fs::create_dir_all(server.directory().join("files")).unwrap();
        Some(Self(server))
    }

    /// Puts a file there.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn put(&self, name: &str, content: &[u8]) {
        fs::write(self.0.directory().join("files").join(name), content).unwrap();
    }

    /// URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}/{path}", self.port())
    }

    /// What the environment says of whom to trust.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        vec![("SSL_CERT_FILE".to_owned(), self.0.directory().join("authority.pem").display().to_string())]
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.0.port()
    }
}

/// The port of a server that promises more than it sends.
fn breaking_off() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = client.read(&mut request);
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n\0asm\x0d\0\x01\0");
        }
    });
    port
}
