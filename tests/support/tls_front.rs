//! A real server of TLS in front of a plain one, under a certificate authority of its own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::nginx::nginx_program;
use crate::skipped::skip;
use crate::tls_files::certify;
use crate::{Port, Process, Scratch, eventually};

/// `https://127.0.0.1:…`, which passes everything on. Ends with the value.
#[derive(Debug)]
pub struct TlsFront {
    _server: Process,
    directory: PathBuf,
    port: Port,
}

impl TlsFront {
    /// Starts one in front of a port of this machine; none, with a word why, where `openssl` is not installed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(scratch: &Scratch, behind: u16) -> Option<Self> {
        let directory = scratch.directory("tls-front");
        let elsewhere = scratch.directory("tls-elsewhere");
        if let Err(reason) = certify(&directory).and_then(|()| certify(&elsewhere)) {
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
             ssl_certificate {own}/server.pem;\n    ssl_certificate_key {own}/server.key;\n    \
             location / {{ proxy_pass http://127.0.0.1:{behind}; }}\n  }}\n}}\n",
        );
        fs::write(directory.join("nginx.conf"), config).unwrap();
        let mut command = Command::new(nginx_program());
        command.arg("-p").arg(&directory).arg("-c").arg(directory.join("nginx.conf")).args(["-e", "stderr"]);
        let mut server = Process::start(command, &directory.join("log"));
        eventually("the front listens", Duration::from_secs(10), || {
            assert!(server.ended().is_none(), "nginx ended: {}", server.log());
            std::net::TcpStream::connect(("127.0.0.1", port.number())).ok()
        });
        Some(Self { _server: server, directory, port })
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port.number()
    }

    /// Certificate of its authority, in PEM.
    ///
    /// # Panics
    /// When it is gone.
    #[must_use]
    pub fn authority(&self) -> String {
        fs::read_to_string(self.directory.join("authority.pem")).unwrap()
    }

    /// Certificate of another authority of the same name.
    ///
    /// # Panics
    /// When it is gone.
    #[must_use]
    pub fn other_authority(&self) -> String {
        fs::read_to_string(self.directory.join("../tls-elsewhere/authority.pem")).unwrap()
    }
}
