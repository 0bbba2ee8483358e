//! A real web server with TLS that has files, sends on, refuses, and breaks off.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::nginx::nginx_program;
use crate::skipped::skip;
use crate::{Port, Process, Scratch, eventually};

/// A web server at `https://127.0.0.1:…` under a certificate authority of its own. Ends with the value.
///
/// Below `/sent-on/` it sends on to the file of that name, below `/plain/` to one without TLS, `/round` to itself; `/private` is refused, and
/// what `/cut` answers breaks off.
#[derive(Debug)]
pub struct TlsFiles {
    _server: Process,
    directory: PathBuf,
    port: Port,
}

impl TlsFiles {
    /// Starts one; none, with a word why, where `openssl` is not installed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(scratch: &Scratch) -> Option<Self> {
        let directory = scratch.directory("tls-files");
        if let Err(reason) = certify(&directory) {
            skip(&reason);
            return None;
        }
        let (port, own) = (Port::take(), directory.display());
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("  {kind}_temp_path {own}/{kind};\n"))
            .concat();
        let config = format!(
            "user root;\ndaemon off;\npid {own}/nginx.pid;\nerror_log {own}/error.log;\nevents {{}}\n\
             http {{\n  access_log off;\n{temporary}  server {{\n    listen 127.0.0.1:{port} ssl;\n    \
             ssl_certificate {own}/server.pem;\n    ssl_certificate_key {own}/server.key;\n    root {own}/files;\n    \
             location ~ ^/sent-on/(.*)$ {{ return 302 /$1; }}\n    \
             location ~ ^/plain/(.*)$ {{ return 302 http://127.0.0.1:{port}/$1; }}\n    \
             location = /round {{ return 302 /round; }}\n    location = /private {{ return 403; }}\n    \
             location = /cut {{ proxy_pass http://127.0.0.1:{cut}; }}\n  }}\n}}\n",
            cut = breaking_off(),
        );
        fs::create_dir_all(directory.join("files")).unwrap();
        fs::write(directory.join("nginx.conf"), config).unwrap();
        let mut command = Command::new(nginx_program());
        command.arg("-p").arg(&directory).arg("-c").arg(directory.join("nginx.conf")).args(["-e", "stderr"]);
        let mut server = Process::start(command, &directory.join("log"));
        eventually("the server of files listens", Duration::from_secs(10), || {
            assert!(server.ended().is_none(), "nginx ended: {}", server.log());
            std::net::TcpStream::connect(("127.0.0.1", port.number())).ok()
        });
        Some(Self { _server: server, directory, port })
    }

    /// Puts a file there.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn put(&self, name: &str, content: &[u8]) {
        fs::write(self.directory.join("files").join(name), content).unwrap();
    }

    /// URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}/{path}", self.port)
    }

    /// What the environment says of whom to trust.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        vec![("SSL_CERT_FILE".to_owned(), self.directory.join("authority.pem").display().to_string())]
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port.number()
    }
}

/// Makes an authority, `authority.pem`, and a certificate of it for 127.0.0.1 and localhost: `server.pem`, `server.key`.
pub(crate) fn certify(directory: &Path) -> Result<(), String> {
    let make = |words: &[&str]| {
        let mut command = Command::new("openssl");
        command.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ]);
        match command.args(words).current_dir(directory).output() {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(fault) => Err(format!("`openssl` can't be run ({fault}): `cargo xtask test` installs it")),
        }
    };
    make(&["-subj", "/CN=authority of the tests", "-keyout", "authority.key", "-out", "authority.pem"])?;
    make(&[
        "-subj",
        "/CN=127.0.0.1",
        "-addext",
        "subjectAltName=IP:127.0.0.1,DNS:localhost",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-CA",
        "authority.pem",
        "-CAkey",
        "authority.key",
        "-keyout",
        "server.key",
        "-out",
        "server.pem",
    ])
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
