//! Real peers for the end-to-end tests and the demo: machines with an SSH server, nginx, HAProxy, a git remote with an application, load.
//!
//! Everything lives in one scratch directory and ends with the value that started it, also when a test panics.
//! [`Test`] puts the pieces together; each piece can be used alone, as the demo does.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test ends, loudly, at what its set-up can't do"
)]

mod alb;
mod apache;
mod api_server;
mod application;
mod balancer;
mod cables;
mod caddy;
mod cgroup;
mod cloud_foundry;
mod cutover;
mod cutover_proxy;
mod dialect;
mod event_stream;
mod first_config;
mod front_door;
mod fuzz;
mod golden;
mod haproxy;
mod http;
mod kubernetes;
mod load;
mod login_page;
mod machine;
mod manual;
mod nginx;
mod node;
mod object_store;
mod oracle;
mod port;
mod process;
mod python;
mod registry;
mod relay;
mod repository;
mod scratch;
mod scripted;
mod skipped;
mod sshd;
mod systemd;
mod terminal;
mod test;
mod tls_files;
mod tls_front;
mod tls_server;
mod told_at_once;
mod toolchain;
mod traefik;
mod websocket;

pub use alb::Alb;
pub use apache::Apache;
pub use application::{Behaviour, program as demo_program};
pub use balancer::Balancer;
pub use cables::Cables;
pub use caddy::Caddy;
pub use cloud_foundry::CloudFoundry;
pub use cutover::{Ended, Running};
pub use cutover_proxy::CutoverProxy;
pub use dialect::Dialect;
pub use event_stream::EventStream;
pub use fuzz::Corpus;
pub use golden::{assert_golden, normalise};
pub use haproxy::Haproxy;
pub use http::{Connection, Page, get, get_saying};
pub use kubernetes::{Kubernetes, KubernetesStyle};
pub use load::{Load, Tally};
pub use login_page::LoginPage;
pub use machine::{Machine, SYSTEM_PATH};
pub use manual::{Block, Manual, Step};
pub use nginx::{Nginx, nginx_is_installed};
pub use node::componentize_qjs;
pub use object_store::ObjectStore;
pub use oracle::{Oracle, Seen};
pub use port::Port;
pub use process::Process;
pub use python::componentize_py;
pub use registry::{Access, BASIC, PASSWORD, Registry, USER, digest, manifest};
pub use relay::Relay;
pub use repository::Repository;
pub use scratch::Scratch;
pub use scripted::{Asked, Scripted};
pub use skipped::skip;
pub use sshd::Sshd;
pub use systemd::Systemd;
pub use terminal::Terminal;
pub use test::Test;
pub use tls_files::TlsFiles;
pub use tls_front::TlsFront;
pub use toolchain::toolchain;
pub use traefik::Traefik;
pub use websocket::Websocket;

use std::time::{Duration, Instant};

/// Asks every 10 ms until `question` has an answer.
///
/// # Panics
/// After `limit`.
pub fn eventually<T>(what: &str, limit: Duration, mut question: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = question() {
            return answer;
        }
        assert!(begun.elapsed() < limit, "waited {limit:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
