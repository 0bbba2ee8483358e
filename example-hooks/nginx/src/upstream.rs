//! The style `upstream`: a file names the servers that get requests, with their weights; a switch is that file and a reload.
//!
//! The file is written as a whole from the shares and the instances of the call, so hosts that came or went are in it with the next switch.
//! What nginx runs is asked of nginx, on a port of its own; what it will run after its next start stands in the first line of the file.

use cutover_hooks::hosts::{self, IfFound};
use cutover_hooks::setup::{as_user, fill, own_directory, own_file, parent};
use cutover_hooks::testers::Testers;
use cutover_hooks::{Call, Color, HookError, Observation, Routing};

use crate::include::{CONNECTION, QUIET, VERSION, http_level, servers};
use crate::master::Master;
use crate::status;
use crate::testers::{self, Choice};
use crate::workers::is_reloading;

/// Everything that the style needs to know.
#[derive(Debug)]
pub struct Upstream {
    pub(crate) name: String,
    pub(crate) include: String,
    pub(crate) http_include: String,
    pub(crate) status_port: u16,
    pub(crate) testers: Option<Testers>,
    pub(crate) nginx: Master,
}

/// What nginx is to run, or runs.
#[derive(Debug, PartialEq)]
struct Loaded {
    routing: Routing,
    /// As they stand in the file.
    servers: String,
    /// Whose are the requests that say so.
    testers: String,
}

impl Upstream {
    pub(crate) fn observe(&self, call: &Call, router: &str) -> Result<Observation, HookError> {
        let written = read_header(&self.written(router)?).ok_or_else(|| self.foreign(router))?;
        let workers = self.nginx.workers(router)?;
        let loaded = self.loaded(router)?;
        let settled = loaded.routing == written && !is_reloading(&workers);
        self.nginx.check_before_switch(call, router)?;
        let mut labels = vec![("servers".to_owned(), loaded.servers)];
        if loaded.testers != testers::NOBODY {
            labels.push(("testers".to_owned(), loaded.testers));
        }
        Ok(Observation { routing: Some(loaded.routing), settled, labels })
    }

    pub(crate) fn prepare(&self, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        let now = self.written(router)?;
        let then = self.text(call, router, want)?;
        self.nginx.check_as_it_is(router)?;
        if now == then {
            return Ok(String::new());
        }
        // The map's own upstreams have the same servers once more.
        let lines = |text: &str, mark: char| {
            let (servers, rest) = text.split_once("\n}").unwrap_or((text, ""));
            let servers = servers.lines().filter(|line| line.starts_with("    server "));
            let words = rest.lines().filter(|line| testers::is_word(line));
            servers.chain(words).map(|line| format!("{mark}{line}\n")).collect::<String>()
        };
        let Self { include, .. } = self;
        let (less, more) = (lines(&now, '-'), lines(&then, '+'));
        Ok(format!("--- {router}:{include}\n+++ {router}:{include}\n{less}{more}"))
    }

    pub(crate) fn apply(&self, call: &Call, router: &str, want: &Routing) -> Result<(), HookError> {
        let now = self.written(router)?;
        let then = self.text(call, router, want)?;
        let before = self.nginx.workers(router)?;
        let wanted = Loaded {
            routing: want.clone(),
            servers: list(call, router, want)?.join(", "),
            testers: testers::status(self.testers.as_ref(), self.choice(call, router, want)?.as_ref()),
        };
        if now == then && self.loaded(router)? == wanted && !is_reloading(&before) {
            return Ok(());
        }
        self.write(router, &then)?;
        if let Err(error) = self.nginx.read_anew(router) {
            // nginx still runs what it ran: only the file has to follow it. The first error stays the one that is told.
            let Self { include, .. } = self;
            return Err(match self.write(router, &now) {
                Ok(()) => error.hint(format!("`{include}` is as it was")),
                Err(back) => error.hint(format!("`{include}` could not be put back: {}", back.text())),
            });
        }
        self.nginx.wait(router, &before)
    }

    /// Connections to a colour that gets no requests: the file that nginx has left was made of these very servers.
    pub(crate) fn connections(
        &self,
        call: &Call,
        router: &str,
        color: Color,
    ) -> Result<Option<u32>, HookError> {
        if self.loaded(router)?.routing.share(color) > 0 {
            return Ok(None);
        }
        self.nginx.connections(router, &servers(call, router, color)?, true)
    }

    fn write(&self, router: &str, text: &str) -> Result<(), HookError> {
        Ok(hosts::write_text(router, &self.include, text, Some(0o644))?)
    }

    /// The file as it is.
    fn written(&self, router: &str) -> Result<String, HookError> {
        hosts::read_text(router, &self.include).if_found()?.ok_or_else(|| {
            let text = format!("there is no `{}` on `{router}`", self.include);
            HookError::failed(text).hint("`cutover setup` prints how it is made once")
        })
    }

    fn foreign(&self, router: &str) -> HookError {
        let text = format!("`{}` on `{router}` was not written by cutover", self.include);
        HookError::failed(text).hint("take it away, and make it as `cutover setup` prints it")
    }

    /// What the running nginx says of itself.
    fn loaded(&self, router: &str) -> Result<Loaded, HookError> {
        let answer = status::ask(&self.name, self.status_port, router)?;
        let shares = answer.value("shares").and_then(read_shares);
        let routing = shares.ok_or_else(|| status::unknown(&self.name, router))?;
        let value = |key| answer.value(key).unwrap_or_default().to_owned();
        Ok(Loaded { routing, servers: value("servers"), testers: value("testers") })
    }

    /// The whole file.
    fn text(&self, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        let choice = self.choice(call, router, want)?;
        Ok(self.text_of(want, &list(call, router, want)?, choice.as_ref()))
    }

    /// Who is there to be chosen by requests that say so.
    fn choice(&self, call: &Call, router: &str, want: &Routing) -> Result<Option<Choice>, HookError> {
        let color = self.testers.as_ref().and_then(|_| Testers::color(call, want));
        let servers = |color| taking_part(call, router, color);
        let choice = |color| Ok(Choice { color, blue: servers(Color::Blue)?, green: servers(Color::Green)? });
        color.map(choice).transpose()
    }

    fn text_of(&self, want: &Routing, servers: &[String], choice: Option<&Choice>) -> String {
        let testers = self.testers.as_ref();
        fill(
            include_str!("template/upstream.conf"),
            &[
                ("name", &self.name),
                ("pass", &testers::pass(testers, &self.name)),
                ("choice", &testers::include(testers, &self.name, choice)),
                ("testers", &testers::status(testers, choice)),
                ("blue-share", &want.blue.to_string()),
                ("green-share", &want.green.to_string()),
                ("servers", &servers.join(";\n    server ")),
                ("server-list", &servers.join(", ")),
                ("status-host", &status::host(&self.name)),
                ("status-port", &self.status_port.to_string()),
                ("version", &VERSION.to_string()),
            ],
        )
    }

    /// What is to be done once on a router's host, as a script.
    pub(crate) fn setup(&self, router: &str, user: &str) -> String {
        let Self { name, include, http_include, .. } = self;
        let (place, included) = http_level(http_include);
        let none = Routing::to(None);
        let mut made = own_directory(parent(include), user)
            + &own_file(include, user, &self.text_of(&none, &nobody(), None));
        let testers = self.testers.as_ref();
        let pass = fill(include_str!("template/pass.conf"), &[("pass", &testers::pass(testers, name))]);
        let location: String = pass.lines().map(|line| format!("#         {line}\n")).collect();
        if testers.is_some() {
            // The file may be of a time before there were testers.
            let map = testers::include(testers, name, None);
            let variable = testers::variable(name);
            let add = format!("grep -qF \"\\${variable} {{\" {include} || cat >> {include}");
            made.push_str(&format!("{}sh -c '{add}' <<'CUTOVER'\n{map}CUTOVER\n", as_user(user)));
        }
        format!(
            "# nginx on {router}: {include} says where requests of {name} go. Who may change it chooses what nginx runs:\n\
             # {user} is as good as root there.\n\
             {made}\
             {place}\
             cat > {http_include} <<'CUTOVER'\n{CONNECTION}include {include};\nCUTOVER\n\
             {included}\
             # Then, in the server block of {name}:\n\
             #     location / {{\n\
             {location}\
             #     }}\n\
             # and: nginx -t && nginx -s reload\n\
             {QUIET}",
        )
    }
}

/// Servers of a colour that have its release: nothing is sent to a host that was left out.
fn taking_part(call: &Call, router: &str, color: Color) -> Result<Vec<String>, HookError> {
    let mut whole = call.clone();
    whole.instances.retain(|instance| !instance.is_left_out());
    servers(&whole, router, color)
}

/// Servers with their weights. Each colour's share is split among its instances, whatever their number: a server's weight is the share of its
/// colour times the number of instances of the other one.
fn list(call: &Call, router: &str, want: &Routing) -> Result<Vec<String>, HookError> {
    match want.only() {
        Some(color) => taking_part(call, router, color),
        None if want.blue + want.green == 0 => Ok(nobody()),
        None => {
            let (blue, green) =
                (taking_part(call, router, Color::Blue)?, taking_part(call, router, Color::Green)?);
            let weighted = |servers: &[String], share: u32, others: usize| {
                let weight = u64::from(share) * others as u64;
                servers.iter().map(|server| format!("{server} weight={weight}")).collect::<Vec<_>>()
            };
            let mut all = weighted(&blue, want.blue, green.len());
            all.extend(weighted(&green, want.green, blue.len()));
            Ok(all)
        }
    }
}

/// nginx wants a server in each upstream. One that is down makes it answer 502.
fn nobody() -> Vec<String> {
    vec!["127.0.0.1:1 down".to_owned()]
}

/// `# cutover: blue 95 green 5`.
fn read_header(text: &str) -> Option<Routing> {
    let shares = text.lines().next()?.strip_prefix("# cutover: blue ")?;
    let (blue, green) = shares.split_once(" green ")?;
    routing(blue, green)
}

/// `95 5`.
fn read_shares(text: &str) -> Option<Routing> {
    let (blue, green) = text.split_once(' ')?;
    routing(blue, green)
}

fn routing(blue: &str, green: &str) -> Option<Routing> {
    let routing = Routing { blue: blue.parse().ok()?, green: green.parse().ok()?, out: Vec::new() };
    matches!(routing.blue.checked_add(routing.green), Some(0 | 100)).then_some(routing)
}

#[cfg(test)]
mod tests {
    use cutover_hooks::fake;

    use super::*;

    fn call(hosts: [&[&str]; 2]) -> Call {
        let mut instances = Vec::new();
        for (color, hosts) in [Color::Blue, Color::Green].into_iter().zip(hosts) {
            for (index, host) in hosts.iter().enumerate() {
                instances.push(fake::instance(host, color, &format!("10.0.0.{}", 11 + index)));
            }
        }
        fake::call("{}", instances)
    }

    fn shares(blue: u32, green: u32) -> Routing {
        Routing { blue, green, out: Vec::new() }
    }

    #[test]
    fn shares_are_split_among_the_instances_of_a_color() {
        let two = call([&["web1", "web2"], &["web1"]]);
        let listed = |want: &Routing| list(&two, "lb1", want).expect("servers");
        assert_eq!(
            listed(&shares(95, 5)),
            ["10.0.0.11:4001 weight=95", "10.0.0.12:4001 weight=95", "10.0.0.11:4002 weight=10"]
        );
        assert_eq!(listed(&shares(100, 0)), ["10.0.0.11:4001", "10.0.0.12:4001"]);
        assert_eq!(listed(&shares(0, 100)), ["10.0.0.11:4002"]);
        assert_eq!(listed(&shares(0, 0)), ["127.0.0.1:1 down"]);
    }

    #[test]
    fn a_host_that_was_left_out_gets_nothing() {
        let mut two = call([&["web1", "web2"], &["web1", "web2"]]);
        two.instances[3].labels.push(("left-out".to_owned(), "yes".to_owned()));
        let listed = |want: &Routing| list(&two, "lb1", want).expect("servers");
        assert_eq!(listed(&shares(0, 100)), ["10.0.0.11:4002"]);
        assert_eq!(
            listed(&shares(100, 0)),
            ["10.0.0.11:4001", "10.0.0.12:4001"],
            "blue has its release there"
        );
    }

    #[test]
    fn the_file_is_this_and_tells_its_shares() {
        let mut upstream = Upstream {
            name: "shop-production".to_owned(),
            include: "/x".to_owned(),
            http_include: "/y".to_owned(),
            status_port: 8099,
            testers: None,
            nginx: Master {
                test: Vec::new(),
                reload: Vec::new(),
                as_root: true,
                pid_file: String::new(),
                ps: String::new(),
                ss: String::new(),
            },
        };
        let two = call([&["web1", "web2"], &["web1", "web2"]]);
        let text = upstream.text(&two, "lb1", &shares(95, 5)).expect("text");
        assert_eq!(text, include_str!("../golden/upstream.conf"));
        assert_eq!(read_header(&text), Some(shares(95, 5)));
        let header = Some("X-Canary".to_owned());
        upstream.testers = Some(Testers { header, cookie: None });
        let text = upstream.text(&two, "lb1", &shares(95, 5)).expect("text");
        assert_eq!(text, include_str!("../golden/upstream-testers.conf"));
        // Once one colour has everything, only the map is left, which says so.
        let text = upstream.text(&two, "lb1", &shares(100, 0)).expect("text");
        let (cookie, whole) = (Some("canary".to_owned()), text);
        upstream.testers = Some(Testers { header: None, cookie });
        let text = upstream.text(&two, "lb1", &shares(100, 0)).expect("text");
        assert_eq!(text, whole.replace("$http_x_canary", "$cookie_canary"));
        assert_eq!(text, include_str!("../golden/upstream-testers-after.conf"));
        for odd in [
            "",
            "# cutover: blue 95",
            "# cutover: blue 95 green 6",
            "server {}",
            "# cutover: blue 4294967295 green 5",
        ] {
            assert_eq!(read_header(odd), None, "{odd}");
        }
    }
}
