//! The style `servers`: one backend has the servers of both colours, and those of one colour get requests.

use std::time::Duration;

use cutover_hooks::hosts::{self, IfFound};
use cutover_hooks::{Call, Color, Context, HookError, Instance, Observation, Routing, engine};

use crate::admin_socket::AdminSocket;
use crate::backend::Backend;
use crate::server::Sight;
use crate::server_state::{self, ServerState};
use crate::setup;

/// Everything that the style needs to know.
#[derive(Debug)]
pub struct Servers {
    pub(crate) name: String,
    pub(crate) socket: String,
    pub(crate) backend: String,
    /// With `{color}` and `{host}`.
    pub(crate) server: String,
    pub(crate) state_file: Option<String>,
    pub(crate) check_path: Option<String>,
}

/// Between two looks at servers that are not up yet.
const PAUSE: Duration = Duration::from_millis(100);

const STATE: &str = "show servers state";

impl Servers {
    pub(crate) fn observe(&self, call: &Call, router: &str) -> Result<Observation, HookError> {
        let socket = self.socket(router);
        let backend = Backend::ask(&socket, &self.backend)?;
        self.require_servers(call, &backend)?;
        let (_, states) = self.states(&socket)?;
        let routing = self.routing(call, &states);
        let mut labels = vec![("servers".to_owned(), backend.words())];
        let kept = match self.kept(router)? {
            None => {
                labels.push(("after-a-reload".to_owned(), "not kept: `state-file` is not set".to_owned()));
                None
            }
            Some(kept) => Some(self.routing(call, &kept)),
        };
        let settled = kept.as_ref().is_none_or(|kept| *kept == routing);
        if let Some(kept) = kept.filter(|kept| *kept != routing) {
            labels.push(("after-a-reload".to_owned(), words(&kept)));
        }
        Ok(Observation { routing: Some(routing), settled, labels })
    }

    pub(crate) fn prepare(&self, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        let socket = self.socket(router);
        let backend = Backend::ask(&socket, &self.backend)?;
        self.require_servers(call, &backend)?;
        let (text, states) = self.states(&socket)?;
        let takers = self.takers(call, want);
        for state in states.iter().filter(|state| takers.contains(&state.name)) {
            // What it is already, or what has it checked while it gets no requests yet.
            socket.change(&self.command(&state.name, if state.takes { "ready" } else { "drain" }))?;
        }
        let backend = Backend::ask(&socket, &self.backend)?;
        for server in backend.servers().filter(|server| takers.contains(&server.name)) {
            if server.sight() != Sight::Drained {
                backend.require_up(server)?;
            }
        }
        if let Some(file) = &self.state_file {
            self.write(router, file, &text)?;
        }
        let now = self.routing(call, &states);
        if now == *want {
            return Ok(String::new());
        }
        let lines = |routing: &Routing, sign: char| {
            let takers = self.takers(call, routing);
            if takers.is_empty() {
                return format!("{sign}no server: 503\n");
            }
            takers.iter().map(|server| format!("{sign}{}/{server}\n", self.backend)).collect()
        };
        Ok(format!("--- {router}, now\n+++ {router}, then\n{}{}", lines(&now, '-'), lines(want, '+')))
    }

    pub(crate) fn apply(&self, call: &Call, router: &str, want: &Routing) -> Result<(), HookError> {
        let socket = self.socket(router);
        let takers = self.takers(call, want);
        let (_, states) = self.states(&socket)?;
        let ours = self.names(call);
        for state in states.iter().filter(|state| takers.contains(&state.name) && !state.takes) {
            socket.change(&self.command(&state.name, "ready"))?;
        }
        // Whoever drains before the others are up loses requests.
        self.wait(&socket, &takers)?;
        let others: Vec<&str> = states
            .iter()
            .filter(|state| state.takes && ours.contains(&state.name) && !takers.contains(&state.name))
            .map(|state| state.name.as_str())
            .collect();
        for server in &others {
            socket.change(&self.command(server, "drain"))?;
        }
        if !others.is_empty() && !takers.is_empty() {
            self.require_one_up(&socket, &takers, &others)?;
        }
        if let Some(file) = &self.state_file {
            let (text, _) = self.states(&socket)?;
            self.write(router, file, &text)?;
        }
        Ok(())
    }

    /// Waits until HAProxy sees all of them up. After half of the call's time some may be down, or one lost host would close the way back
    /// from a sick colour; one that was not let in may not.
    fn wait(&self, socket: &AdminSocket<'_>, takers: &[String]) -> Result<(), HookError> {
        loop {
            let backend = Backend::ask(socket, &self.backend)?;
            let awaited: Vec<_> = backend.servers().filter(|server| takers.contains(&server.name)).collect();
            let (up, others): (Vec<_>, Vec<_>) =
                awaited.into_iter().partition(|server| server.sight() == Sight::Up);
            let Some(first) = others.first() else { return Ok(()) };
            // The other half of the time is for the rest of the switch.
            if engine::remaining() < engine::elapsed() {
                let kept_out = others.iter().find(|server| server.sight() != Sight::NotUp);
                return match (kept_out, up.is_empty()) {
                    (None, false) => Ok(()),
                    (kept_out, _) => backend.require_up(kept_out.unwrap_or(first)),
                };
            }
            engine::sleep(PAUSE);
        }
    }

    /// Once the others were drained. Who took out all that are to get requests between the look at them and that has left none: then the others get
    /// them back.
    fn require_one_up(
        &self,
        socket: &AdminSocket<'_>,
        takers: &[String],
        drained: &[&str],
    ) -> Result<(), HookError> {
        let backend = Backend::ask(socket, &self.backend)?;
        let awaited: Vec<_> = backend.servers().filter(|server| takers.contains(&server.name)).collect();
        if awaited.iter().any(|server| server.sight() == Sight::Up) {
            return Ok(());
        }
        let (words, names) =
            (awaited.iter().map(|server| server.words()).collect::<Vec<_>>().join(", "), drained.join(" "));
        let error = HookError::failed(format!(
            "HAProxy on `{}` sees none of those up any more that are to get requests: {words}",
            backend.router()
        ));
        let again = |server: &&str| socket.change(&self.command(server, "ready"));
        Err(match drained.iter().try_for_each(again) {
            Ok(()) => error.hint(format!("{names} get requests again, as before")),
            Err(back) => error.hint(format!("{names} could not be let in again: {}", back.text())),
        })
    }

    pub(crate) fn connections(&self, call: &Call, router: &str, color: Color) -> Result<u32, HookError> {
        let socket = self.socket(router);
        let backend = Backend::ask(&socket, &self.backend)?;
        let counted = instances(call, color).filter(|instance| call.counts(instance));
        let own: Vec<String> = counted.map(|instance| self.server(instance)).collect();
        let servers = backend.servers().filter(|server| own.contains(&server.name));
        Ok(servers.map(|server| server.sessions).fold(0, u32::saturating_add))
    }

    /// What is to be done once on a router's host, as a script.
    pub(crate) fn setup(&self, call: &Call, router: &str, user: &str) -> Result<String, HookError> {
        setup::servers_script(self, call, router, user)
    }

    /// How requests are shared where servers are in these states.
    fn routing(&self, call: &Call, states: &[ServerState]) -> Routing {
        let state = |instance: &Instance| {
            let name = self.server(instance);
            states.iter().find(|state| state.name == name && state.takes)
        };
        let weight =
            |color| -> u32 { instances(call, color).filter_map(state).map(|state| state.weight).sum() };
        let (blue, green) = (weight(Color::Blue), weight(Color::Green));
        let green = match (blue, green) {
            (0, 0) => return Routing::to(None),
            (0, _) => return self.without(call, Routing::to(Some(Color::Green)), &state),
            (_, 0) => return self.without(call, Routing::to(Some(Color::Blue)), &state),
            // Neither colour gets all, nor nothing.
            (blue, green) => (100 * green / (blue + green)).clamp(1, 99),
        };
        self.without(call, Routing { blue: 100 - green, green, out: Vec::new() }, &state)
    }

    /// The same with the hosts that get nothing of it. One that was left out when its colour was filled gets nothing by itself.
    fn without<'a>(
        &self,
        call: &'a Call,
        mut routing: Routing,
        takes: &impl Fn(&'a Instance) -> Option<&'a ServerState>,
    ) -> Routing {
        let live = |instance: &&Instance| routing.share(instance.color) > 0 && !instance.is_left_out();
        let mut out: Vec<String> = Vec::new();
        for instance in call.instances.iter().filter(live) {
            let mut own = call.instances.iter().filter(live).filter(|other| other.host == instance.host);
            if own.all(|own| takes(own).is_none()) && !out.contains(&instance.host) {
                out.push(instance.host.clone());
            }
        }
        routing.out = out;
        routing
    }

    /// Servers that are to get requests.
    fn takers(&self, call: &Call, want: &Routing) -> Vec<String> {
        let takes = |instance: &&Instance| {
            want.share(instance.color) > 0 && !want.out.contains(&instance.host) && !instance.is_left_out()
        };
        call.instances.iter().filter(takes).map(|instance| self.server(instance)).collect()
    }

    /// Makes sure that the backend has the servers of these instances, and no others beside backups.
    fn require_servers(&self, call: &Call, backend: &Backend<'_>) -> Result<(), HookError> {
        let (router, name) = (backend.router(), &self.backend);
        for instance in &call.instances {
            backend.require_server(&self.server(instance), &instance.authority_from(router))?;
        }
        let ours = self.names(call);
        match backend.servers().find(|server| !ours.contains(&server.name)) {
            None => Ok(()),
            Some(other) => {
                let other = &other.name;
                let text = format!(
                    "HAProxy on `{router}` has a server `{other}` in backend `{name}`, cutover.toml has none"
                );
                Err(HookError::failed(text).hint(format!(
                    "it would get requests of either colour: make it `backup`, or remove it; servers of ours are called `{}`",
                    self.server
                )))
            }
        }
    }

    fn names(&self, call: &Call) -> Vec<String> {
        call.instances.iter().map(|instance| self.server(instance)).collect()
    }

    pub(crate) fn server(&self, instance: &Instance) -> String {
        self.server.replace("{color}", instance.color.as_str()).replace("{host}", &instance.host)
    }

    /// What HAProxy has in its memory: its own words, and the servers of the backend.
    fn states(&self, socket: &AdminSocket<'_>) -> Result<(String, Vec<ServerState>), HookError> {
        let text = socket.ask(STATE)?;
        match server_state::parse(&text, &self.backend) {
            Some(states) => Ok((text, states)),
            None => Err(socket.nonsense(STATE, &text)),
        }
    }

    /// What HAProxy would have after a reload; none where it keeps nothing. A file that is not there, or that HAProxy would not
    /// understand either, says nothing of any server.
    fn kept(&self, router: &str) -> Result<Option<Vec<ServerState>>, HookError> {
        let Some(file) = &self.state_file else { return Ok(None) };
        let text = hosts::read_text(router, file).if_found().context("read the state file")?;
        Ok(Some(text.and_then(|text| server_state::parse(&text, &self.backend)).unwrap_or_default()))
    }

    fn write(&self, router: &str, file: &str, text: &str) -> Result<(), HookError> {
        hosts::write_text(router, file, text, Some(0o644)).context("write the state file").map_err(|error| {
            error.hint("its directory belongs to the deploy user: `cutover setup` prints how")
        })
    }

    fn command(&self, server: &str, state: &str) -> String {
        format!("set server {}/{server} state {state}", self.backend)
    }

    fn socket<'a>(&'a self, router: &'a str) -> AdminSocket<'a> {
        AdminSocket { router, socket: &self.socket }
    }
}

fn instances(call: &Call, color: Color) -> impl Iterator<Item = &Instance> {
    call.instances.iter().filter(move |instance| instance.color == color)
}

fn words(routing: &Routing) -> String {
    let out =
        if routing.out.is_empty() { String::new() } else { format!(" without {}", routing.out.join(", ")) };
    match routing.only() {
        Some(color) => format!("{color}{out}"),
        None if routing.blue + routing.green == 0 => "none".to_owned(),
        None => format!("blue {} %, green {} %{out}", routing.blue, routing.green),
    }
}
