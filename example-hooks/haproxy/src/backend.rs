//! One backend of the running HAProxy, held against the instances of `cutover.toml`.

use std::net::SocketAddr;

use cutover_hooks::{Call, Color, HookError, Instance};

use crate::admin_socket::{AdminSocket, INSTALL, LEVEL};
use crate::server::{Server, Sight};
use crate::statistics::{self, Statistics};

/// A backend with what HAProxy says of it.
#[derive(Debug)]
pub(crate) struct Backend<'a> {
    socket: &'a AdminSocket<'a>,
    name: &'a str,
    statistics: Statistics,
}

impl<'a> Backend<'a> {
    pub(crate) fn ask(socket: &'a AdminSocket<'a>, name: &'a str) -> Result<Self, HookError> {
        Ok(Self { socket, name, statistics: statistics::ask(socket, name)? })
    }

    pub(crate) const fn sessions(&self) -> u32 {
        self.statistics.sessions
    }

    pub(crate) const fn router(&self) -> &str {
        self.socket.router
    }

    /// Servers with their states, for people.
    pub(crate) fn words(&self) -> String {
        let words: Vec<String> = self.servers().map(Server::words).collect();
        words.join(", ")
    }

    /// Those that get requests as a rule.
    pub(crate) fn servers(&self) -> impl Iterator<Item = &Server> {
        self.statistics.servers.iter().filter(|server| !server.backup)
    }

    /// Makes sure that its servers are the instances of a colour, whatever they are called.
    pub(crate) fn require_instances(&self, call: &Call, color: Color) -> Result<(), HookError> {
        self.require_addresses()?;
        let router = self.socket.router;
        let found: Vec<&str> = self.servers().map(|server| server.address.as_str()).collect();
        let wanted: Vec<String> =
            instances(call, color).map(|instance| instance.authority_from(router)).collect();
        let same = wanted.len() == found.len()
            && wanted.iter().all(|wanted| found.iter().any(|found| is_same(wanted, found)));
        if same {
            return Ok(());
        }
        let found = if found.is_empty() { "nothing".to_owned() } else { found.join(" ") };
        let (wanted, name) = (wanted.join(" "), self.name);
        let text = format!(
            "HAProxy on `{router}` has {found} in backend `{name}`, cutover.toml has {wanted} for {color}"
        );
        Err(HookError::failed(text).hint(INSTALL))
    }

    /// Makes sure that it has a server of that name at that address.
    pub(crate) fn require_server(&self, name: &str, wanted: &str) -> Result<(), HookError> {
        self.require_addresses()?;
        let (router, backend) = (self.socket.router, self.name);
        let text = match self.servers().find(|server| server.name == name) {
            Some(server) if is_same(wanted, &server.address) => return Ok(()),
            Some(Server { address, .. }) => {
                format!(
                    "HAProxy on `{router}` has `{backend}/{name}` at {address}, cutover.toml has it at {wanted}"
                )
            }
            None => format!("HAProxy on `{router}` has no server `{name}` in backend `{backend}`"),
        };
        Err(HookError::failed(text).hint(INSTALL))
    }

    fn require_addresses(&self) -> Result<(), HookError> {
        let AdminSocket { router, socket } = self.socket;
        if self.servers().all(|server| !server.address.is_empty()) {
            return Ok(());
        }
        let text = format!("`{socket}` on `{router}` does not tell the addresses of servers");
        Err(HookError::failed(text).hint(LEVEL))
    }

    /// Makes sure that new requests for a colour would find all its servers up, in HAProxy's own eyes. That of a host that was left out
    /// when the colour was filled may be down.
    pub(crate) fn require_all_up(&self, call: &Call, color: Color) -> Result<(), HookError> {
        let router = self.socket.router;
        let left_out = instances(call, color).filter(|instance| instance.is_left_out());
        let left_out: Vec<String> = left_out.map(|instance| instance.authority_from(router)).collect();
        let awaited = |server: &&Server| !left_out.iter().any(|address| is_same(address, &server.address));
        self.servers().filter(awaited).try_for_each(|server| self.require_up(server))
    }

    /// Makes sure that one of its servers would get requests.
    pub(crate) fn require_up(&self, server: &Server) -> Result<(), HookError> {
        let (router, backend, Server { name, .. }) = (self.socket.router, self.name, server);
        let text = format!("HAProxy on `{router}` does not see `{backend}/{name}` up: {}", server.state());
        match server.sight() {
            Sight::Up => Ok(()),
            Sight::NotUp => Err(HookError::temporary(text)
                .hint("HAProxy checks it by itself, at the address and in the way that haproxy.cfg says")),
            Sight::Drained | Sight::Out => {
                let ready = format!("set server {backend}/{name} state ready");
                Err(HookError::failed(text).hint(format!(
                    "somebody has taken it out: `{ready}` on the admin socket lets it in again"
                )))
            }
        }
    }
}

fn instances(call: &Call, color: Color) -> impl Iterator<Item = &Instance> {
    call.instances.iter().filter(move |instance| instance.color == color)
}

/// Whether an address of ours may be that of a server. HAProxy has looked up names, so that of those only the port can be compared.
fn is_same(ours: &str, servers: &str) -> bool {
    let port = |address: &str| address.rsplit_once(':').map(|(_, port)| port.to_owned());
    match (ours.parse::<SocketAddr>(), servers.parse::<SocketAddr>()) {
        (Ok(ours), Ok(servers)) => ours == servers,
        _ => port(ours) == port(servers),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_their_port() {
        for (ours, servers, same) in [
            ("10.0.0.11:4001", "10.0.0.11:4001", true),
            ("10.0.0.11:4001", "10.0.0.12:4001", false),
            ("10.0.0.11:4001", "10.0.0.11:4002", false),
            ("[fd00:0::12]:4001", "[fd00::12]:4001", true),
            ("web1.internal:4001", "10.0.0.11:4001", true),
            ("web1.internal:4001", "10.0.0.11:4002", false),
        ] {
            assert_eq!(is_same(ours, servers), same, "{ours} {servers}");
        }
    }
}
