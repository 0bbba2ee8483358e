//! What routes in the demo: nginx, or cutover's own proxy where nginx can't be had.

use std::path::Path;

use serde_json::Value;
use test_support::{CutoverProxy, Machine, Nginx, Scratch};

/// One of the two; it ends with the value.
pub(crate) enum FrontDoor {
    Nginx(Nginx),
    Proxy(CutoverProxy),
}

impl FrontDoor {
    /// For a machine, where cutover lies at `program`.
    pub(crate) fn new(has_nginx: bool, scratch: &Scratch, machine: &Machine, program: &Path) -> Self {
        if has_nginx {
            Self::Nginx(Nginx::new(scratch, machine))
        } else {
            Self::Proxy(CutoverProxy::new(scratch, machine, program))
        }
    }

    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Nginx(nginx) => nginx.port(),
            Self::Proxy(proxy) => proxy.port(),
        }
    }

    /// Lines for `[router]`.
    pub(crate) fn lines(&self) -> String {
        match self {
            Self::Nginx(nginx) => format!("settings = {}", nginx.settings()),
            Self::Proxy(proxy) => format!("hook = \"builtin:proxy\"\nsettings = {}", proxy.settings()),
        }
    }

    /// Whether a part of what `cutover setup` prints is done: a unit of systemd would outlast the demo.
    pub(crate) fn wants(&self, part: &Value) -> bool {
        let is_unit = part["script"].as_str().is_some_and(|script| script.contains("/cutover-proxy.service"));
        matches!(self, Self::Nginx(_)) || !is_unit
    }

    pub(crate) fn start(&mut self, machine: &Machine) {
        match self {
            Self::Nginx(nginx) => nginx.start(machine),
            Self::Proxy(proxy) => proxy.start(machine),
        }
    }
}
