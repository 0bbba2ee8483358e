//! nginx with TLS, under a certificate authority of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::nginx::nginx_program;
use crate::skipped::skip;
use crate::{Port, Process, Scratch, eventually};

/// A server at `https://127.0.0.1:…`. Ends with the value.
#[derive(Debug)]
pub(crate) struct TlsServer {
    _process: Process,
    directory: PathBuf,
    port: Port,
}

impl TlsServer {
    /// Starts one with this in its site, which is told its directory and port; none, with a word why, where `openssl` is not installed.
    ///
    /// # Panics
    /// When it does not start.
    pub(crate) fn start(
        scratch: &Scratch,
        name: &str,
        site: impl FnOnce(&Path, &Port) -> String,
    ) -> Option<Self> {
        let directory = scratch.directory(name);
        if let Err(reason) = certify(&directory) {
            skip(&reason);
            return None;
        }
        let (port, own) = (Port::take(), directory.display());
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("  {kind}_temp_path {own}/{kind};\n"))
            .concat();
        let site = site(&directory, &port);
        let config = format!(
            "user root;\ndaemon off;\npid {own}/nginx.pid;\nerror_log {own}/error.log;\nevents {{}}\n\
             http {{\n  access_log off;\n{temporary}  server {{\n    listen 127.0.0.1:{port} ssl;\n    \
             ssl_certificate {own}/server.pem;\n    ssl_certificate_key {own}/server.key;\n    {site}\n  }}\n}}\n",
        );
        fs::write(directory.join("nginx.conf"), config).unwrap();
        let mut command = Command::new(nginx_program());
        command.arg("-p").arg(&directory).arg("-c").arg(directory.join("nginx.conf")).args(["-e", "stderr"]);
        let mut process = Process::start(command, &directory.join("log"));
        eventually(&format!("`{name}` listens"), Duration::from_secs(10), || {
            assert!(process.ended().is_none(), "nginx ended: {}", process.log());
            std::net::TcpStream::connect(("127.0.0.1", port.number())).ok()
        });
        Some(Self { _process: process, directory, port })
    }

    /// Where its files are: certificates among them.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Its port.
    pub(crate) const fn port(&self) -> u16 {
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
