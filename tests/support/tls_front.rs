//! A real server of TLS in front of a plain one, under a certificate authority of its own.

use std::fs;
use std::path::PathBuf;

use crate::Scratch;
use crate::tls_server::{TlsServer, certify};

/// `https://127.0.0.1:…`, which passes everything on. Ends with the value.
#[derive(Debug)]
pub struct TlsFront {
    server: TlsServer,
    elsewhere: PathBuf,
}

impl TlsFront {
    /// Starts one in front of a port of this machine; none, with a word why, where `openssl` is not installed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(scratch: &Scratch, behind: u16) -> Option<Self> {
        let site = format!("location / {{ proxy_pass http://127.0.0.1:{behind}; }}");
        let server = TlsServer::start(scratch, "tls-front", |_, _| site)?;
        let elsewhere = scratch.directory("tls-elsewhere");
        certify(&elsewhere).unwrap();
        Some(Self { server, elsewhere })
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.server.port()
    }

    /// Certificate of its authority, in PEM.
    ///
    /// # Panics
    /// When it is gone.
    #[must_use]
    pub fn authority(&self) -> String {
        fs::read_to_string(self.server.directory().join("authority.pem")).unwrap()
    }

    /// Certificate of another authority of the same name.
    ///
    /// # Panics
    /// When it is gone.
    #[must_use]
    pub fn other_authority(&self) -> String {
        fs::read_to_string(self.elsewhere.join("authority.pem")).unwrap()
    }
}
