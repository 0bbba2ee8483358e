//! Debian's registry of OCI artifacts, for real, and what is pushed to it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::skipped::skip;
use crate::tls_server::certify;
use crate::{Port, Process, Scratch, eventually};

/// The one who may do everything where a login is wanted.
pub const USER: &str = "ci";
/// Of that user.
pub const PASSWORD: &str = "correct-horse-7431";
/// The same for `htpasswd`, of which the registry takes bcrypt alone.
const HTPASSWD: &str = "ci:$2b$04$6gazpz8FHOuh9YAkmoESBuNH0fM4OIBPy.YvaD8XfensOw3y0GBR.\n";
/// User and password as the header has them.
pub const BASIC: &str = "Y2k6Y29ycmVjdC1ob3JzZS03NDMx";
/// What Wasm artifacts have for a config.
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// What they have for a layer.
const LAYER: &str = "application/wasm";
/// A manifest of one artifact.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Who may read a registry, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Open,
    /// Who has [`USER`] and [`PASSWORD`].
    Login,
    /// The same, over TLS alone.
    Encrypted,
}

/// A registry at `127.0.0.1:…`. Ends with the value.
#[derive(Debug)]
pub struct Registry {
    _server: Process,
    directory: PathBuf,
    port: Port,
}

impl Registry {
    /// Starts one; none, with a word why, where it is not installed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(scratch: &Scratch, access: Access) -> Option<Self> {
        let program = Path::new("/usr/bin/docker-registry");
        if !program.is_file() {
            skip("`docker-registry` is not installed: `cargo xtask test` installs it");
            return None;
        }
        let (directory, port) = (scratch.directory("registry"), Port::take());
        let own = directory.display();
        let tls = if access == Access::Encrypted {
            if let Err(reason) = certify(&directory) {
                skip(&reason);
                return None;
            }
            format!(", tls: {{ certificate: {own}/server.pem, key: {own}/server.key }}")
        } else {
            String::new()
        };
        let mut config = format!(
            "version: 0.1\nlog: {{ level: warn }}\nstorage: {{ filesystem: {{ rootdirectory: {own}/storage }} }}\n\
             http: {{ addr: 127.0.0.1:{port}, secret: of-no-worth{tls} }}\n"
        );
        if access != Access::Open {
            fs::write(directory.join("htpasswd"), HTPASSWD).unwrap();
            config += &format!("auth: {{ htpasswd: {{ realm: registry, path: {own}/htpasswd }} }}\n");
        }
        fs::write(directory.join("config.yml"), config).unwrap();
        let mut command = Command::new(program);
        command.arg("serve").arg(directory.join("config.yml"));
        let mut server = Process::start(command, &directory.join("log"));
        eventually("the registry listens", Duration::from_secs(20), || {
            assert!(server.ended().is_none(), "docker-registry ended: {}", server.log());
            TcpStream::connect(("127.0.0.1", port.number())).ok()
        });
        Some(Self { _server: server, directory, port })
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port.number()
    }

    /// `oci://127.0.0.1:PORT/…`
    #[must_use]
    pub fn reference(&self, rest: &str) -> String {
        format!("oci://127.0.0.1:{}/{rest}", self.port)
    }

    /// What the environment says of whom to trust, where it is [`Access::Encrypted`].
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        vec![("SSL_CERT_FILE".to_owned(), self.directory.join("authority.pem").display().to_string())]
    }

    /// Pushes a component as the layout of Wasm artifacts has it: gives the digest of its manifest.
    ///
    /// # Panics
    /// When the registry does not take it.
    pub fn push(&self, repository: &str, tag: &str, wasm: &[u8]) -> String {
        let config = json!({
            "created": "2026-01-01T00:00:00Z", "architecture": "wasm", "os": "wasip2", "layerDigests": [digest(wasm)],
        });
        let config = self.blob(repository, CONFIG, config.to_string().as_bytes());
        let layer = self.blob(repository, LAYER, wasm);
        self.manifest(repository, tag, MANIFEST, &manifest(&config, &[layer]))
    }

    /// Pushes a manifest, or what passes for one.
    ///
    /// # Panics
    /// When the registry does not take it.
    pub fn manifest(&self, repository: &str, tag: &str, media_type: &str, text: &Value) -> String {
        let text = text.to_string();
        let path = format!("/v2/{repository}/manifests/{tag}");
        let answer = self.send("PUT", &path, media_type, text.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        digest(text.as_bytes())
    }

    /// Pushes a blob: gives its descriptor.
    ///
    /// # Panics
    /// When the registry does not take it.
    pub fn blob(&self, repository: &str, media_type: &str, content: &[u8]) -> Value {
        let began = self.send("POST", &format!("/v2/{repository}/blobs/uploads/"), LAYER, b"");
        let location = began
            .lines()
            .find_map(|line| line.strip_prefix("Location: "))
            .unwrap_or_else(|| panic!("{began}"));
        let path = location.trim().split_once("/v2/").unwrap().1;
        let digest = digest(content);
        let ended =
            self.send("PUT", &format!("/v2/{path}&digest={digest}"), "application/octet-stream", content);
        assert!(ended.starts_with("HTTP/1.1 201"), "{ended}");
        json!({ "mediaType": media_type, "digest": digest, "size": content.len() })
    }

    /// Puts other bytes in place of a blob, as who can write to its disk does.
    ///
    /// # Panics
    /// When there is no such blob.
    pub fn tamper(&self, content: &[u8], other: &[u8]) {
        let digest = digest(content);
        let digits = digest.strip_prefix("sha256:").unwrap();
        let blobs = self.directory.join("storage/docker/registry/v2/blobs/sha256");
        let path = blobs.join(&digits[..2]).join(digits).join("data");
        assert!(path.is_file(), "{}", path.display());
        fs::write(path, other).unwrap();
    }

    fn send(&self, method: &str, path: &str, media_type: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port())).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Basic {BASIC}\r\nContent-Type: {media_type}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

/// A manifest of an image with these descriptors.
#[must_use]
pub fn manifest(config: &Value, layers: &[Value]) -> Value {
    json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers })
}

/// As registries write it.
#[must_use]
pub fn digest(content: &[u8]) -> String {
    let digits = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("sha256:{digits}")
}
