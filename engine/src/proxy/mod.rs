//! The front door for those who have no router: `cutover proxy`.
//!
//! A reverse proxy for HTTP/1.1, HTTP/2 and websockets, on hyper and the crate `axum-reverse-proxy`, which forwards one request over one
//! connection that is open already. It is no part of the engine: nothing else of this program knows it, and what moves its routes is the
//! hook `builtin:proxy`, by the control socket alone.
//!
//! - **A request is routed when it comes**, by the [`Table`] of that moment: a switch needs no connection to end. A change is on disk, and in
//!   effect for the next request of every connection, before it is answered.
//! - **A request has a connection to its instance of its own.** So nothing is ever sent on one that the instance is just closing, and
//!   what could not be sent at all goes to the next instance; what was sent is never sent again.
//! - **Whether instances are well is the engine's matter.** The proxy asks one that it can't reach after the others for a second, no more.
//! - **A request is open from its first byte to its last**, or to the end of its websocket: those counts are what a drain waits for.
//! - **Upgrades lose nothing** ([`handover`]): a new process gets the listening sockets; the old one answers what it has.

mod control;
mod front;
mod handover;
mod listener;
mod route;
mod serve;
mod site;
mod state_file;
mod systemd_notice;
mod table;
mod tls;
mod traffic;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use control::{Listing, Shown};
pub use route::{Route, RouteFault, Side, Testers, Upstream};
pub use serve::serve;
pub use table::{Refusal, Table, Versioned};
pub use traffic::{OpenAt, OpenCounts};

/// Takes lines for whoever runs the proxy.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// The control socket's name in the directory of a proxy.
pub const CONTROL_SOCKET: &str = "control.sock";

/// How a proxy is run.
pub struct Options {
    /// Where clients connect without TLS.
    pub listen: Vec<SocketAddr>,
    /// Where clients connect with TLS.
    pub listen_tls: Vec<SocketAddr>,
    /// Certificates and key for that, in PEM: the proxy's own first.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Of the routes, the control socket and the lock; the proxy's own.
    pub directory: PathBuf,
    /// How long an instance may take until its answer begins.
    pub response_timeout: Duration,
    /// How long requests are waited for when the proxy is to end.
    pub drain_timeout: Duration,
    /// The program that follows this one at an upgrade, and its words without its name.
    pub successor: (PathBuf, Vec<OsString>),
    /// Whether this process follows another, which is at the other end of its standard input.
    pub follows: bool,
    /// Where systemd is told how it stands, as `NOTIFY_SOCKET` has it.
    pub notify: Option<OsString>,
    /// Where faults are told.
    pub log: Log,
}
