//! One backend of the running HAProxy, held against the instances of `cutover.toml`.

use std::net::SocketAddr;

use cutover_hooks::{Call, Color, HookError, Instance};

use crate::admin_socket::{AdminSocket, INSTALL, LEVEL};
use crate::server::{Server, State};
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

    /// Servers with their states, for people.
    pub(crate) fn words(&self) -> String {
        let words: Vec<String> = self.servers().map(Server::words).collect();
        words.join(", ")
    }

    /// Those that get requests as a rule.
    fn servers(&self) -> impl Iterator<Item = &Server> {
        self.statistics.servers.iter().filter(|server| !server.backup)
    }

    /// Makes sure that its servers are the instances of a colour.
    pub(crate) fn require_instances(&self, call: &Call, color: Color) -> Result<(), HookError> {
        let AdminSocket { router, socket } = self.socket;
        let found: Vec<&str> = self.servers().map(|server| server.address.as_str()).collect();
        if found.contains(&"") {
            let text = format!("`{socket}` on `{router}` does not tell the addresses of servers");
            return Err(HookError::failed(text).hint(LEVEL));
        }
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

    /// Makes sure that new requests for a colour would find a server, in HAProxy's own eyes. The server of a host that was left out when
    /// the colour was filled may be down.
    pub(crate) fn require_up(&self, call: &Call, color: Color) -> Result<(), HookError> {
        let router = self.socket.router;
        let left_out: Vec<String> = instances(call, color)
            .filter(|instance| instance.labels.iter().any(|(key, _)| key == "left-out"))
            .map(|instance| instance.authority_from(router))
            .collect();
        let is_left_out = |server: &&Server| left_out.iter().any(|address| is_same(address, &server.address));
        for server in self.servers().filter(|server| !is_left_out(server)) {
            let text =
                || format!("{color} can't be switched to on `{router}`: {}/{}", self.name, server.words());
            match server.state() {
                State::Up => {}
                // Its next check may be a moment away.
                State::Down => {
                    return Err(HookError::temporary(text()).hint(
                        "HAProxy checks it by itself, at the address and in the way that haproxy.cfg says",
                    ));
                }
                State::Away => {
                    let ready = format!("set server {}/{} state ready", self.name, server.name);
                    return Err(HookError::failed(text()).hint(format!(
                        "somebody took it out; `{ready}` on the admin socket brings it back"
                    )));
                }
            }
        }
        Ok(())
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
