//! What is installed once on a router's host: a pure function of the settings and the instances.
//!
//! HAProxy has no includes: what is the operator's own, a person edits. Two backends of the style `map` lie in a file of their own, which
//! HAProxy reads by a second `-f`.

use cutover_hooks::setup::{addresses, fill, own_directory, own_file, parent};
use cutover_hooks::{Call, Color, HookError};

use crate::map::Map;
use crate::servers::Servers;

/// For the style `map`.
pub(crate) fn map_script(style: &Map, call: &Call, router: &str, user: &str) -> Result<String, HookError> {
    let Map { name, socket, map, config, .. } = style;
    let place = parent(config);
    let mut text = format!(
        "# HAProxy on {router}: how many percent of the requests of {name} go to green is a line in {map}\n"
    );
    // What HAProxy runs stays root's: whoever may write it is as good as root.
    text.push_str(&own_directory(parent(map), user));
    text.push_str(&own_file(map, user, &fill(include_str!("template/green.map"), &[("name", name)])));
    text.push_str(&membership(socket, user));
    let backends = backends(style, call, router)?;
    text.push_str(&format!("mkdir -p {place}\ncat > {config} <<'CUTOVER'\n{backends}CUTOVER\n"));
    text.push_str(&section(
        "in the global section of haproxy.cfg, where it does not say so already",
        &global(socket),
    ));
    text.push_str(&tunnel());
    text.push_str(&section(&format!("in its frontend of {name}"), &frontend(style)));
    text.push_str(&section(
        "let HAProxy read the backends, too, in /etc/default/haproxy",
        &format!("EXTRAOPTS=\"-S /run/haproxy-master.sock -f {config}\"\n"),
    ));
    text.push_str("# and: systemctl restart haproxy\n");
    Ok(text)
}

/// For the style `servers`.
pub(crate) fn servers_script(
    style: &Servers,
    call: &Call,
    router: &str,
    user: &str,
) -> Result<String, HookError> {
    let Servers { name, socket, backend, state_file, check_path, .. } = style;
    let mut text =
        format!("# HAProxy on {router}: requests of {name} go to the servers of {backend} that are ready\n");
    text.push_str(&membership(socket, user));
    let (mut global, mut lines) = (global(socket), String::new());
    if let Some(file) = state_file {
        text.push_str(&own_directory(parent(file), user));
        global.push_str(&format!("server-state-file {file}\n"));
        lines.push_str("load-server-state-from-file global\n");
    }
    lines.push_str(&check(check_path.as_deref()));
    // Where hosts have one place each, there is only one colour.
    let is_there = |color: &Color| call.instances.iter().any(|instance| instance.color == *color);
    for color in [Color::Blue, Color::Green].into_iter().filter(is_there) {
        let instances = call.instances.iter().filter(|instance| instance.color == color);
        for (instance, address) in instances.zip(servers(call, router, color)?) {
            // Until a deployment lets it in.
            lines.push_str(&format!("server {} {address} disabled\n", style.server(instance)));
        }
    }
    text.push_str(&section(
        "in the global section of haproxy.cfg, where it does not say so already",
        &global,
    ));
    text.push_str(&tunnel());
    text.push_str(&section(
        &format!("in its backend {backend}; what is live already goes without `disabled`"),
        &lines,
    ));
    text.push_str("# and: haproxy -c -f /etc/haproxy/haproxy.cfg && systemctl reload haproxy\n");
    Ok(text)
}

/// Lets the deploy user use the socket.
fn membership(socket: &str, user: &str) -> String {
    if user == "root" || !socket.starts_with("unix:") {
        return String::new();
    }
    format!("usermod -a -G {GROUP} {user}\n")
}

/// For the global section.
fn global(socket: &str) -> String {
    match socket.split_once(':') {
        Some(("unix", path)) => format!("stats socket {path} mode 660 group {GROUP} level admin\n"),
        Some((_, address)) => format!("stats socket {address} level admin\n"),
        None => String::new(),
    }
}

/// For websockets, of which HAProxy holds to other times than to requests only when it is told so.
fn tunnel() -> String {
    let place = "in a defaults section of haproxy.cfg, where it does not say so already: quiet websockets end after `timeout server` without it";
    section(place, "timeout tunnel 1h\n")
}

/// Health checks of a backend: a colour that was started is seen within a second.
fn check(path: Option<&str>) -> String {
    let path = path.map_or_else(String::new, |path| format!("option httpchk GET {path}\n"));
    format!("{path}default-server check inter 2s fastinter 250ms downinter 500ms rise 2 fall 3\n")
}

/// Lines that a person puts where only a person knows.
fn section(place: &str, lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("#     {line}\n")).collect();
    format!("# Then, {place}:\n{lines}")
}

/// The group of HAProxy, as it is packaged.
const GROUP: &str = "haproxy";

/// For the frontend: which backend a request goes to. One number decides, so that no request can see both colours or neither while it
/// changes.
pub(crate) fn frontend(style: &Map) -> String {
    let Map { name, map, blue, green, .. } = style;
    // A name has no dot, a variable no dash: no two names make the same variable.
    let variable = format!("txn.cutover.{}", name.replace('-', "."));
    let values =
        [("name", name.as_str()), ("map", map), ("blue", blue), ("green", green), ("variable", &variable)];
    fill(include_str!("template/frontend.cfg"), &values)
}

fn backends(style: &Map, call: &Call, router: &str) -> Result<String, HookError> {
    let head = "# Written by `cutover setup`. Change cutover.toml, and print it again, when hosts or ports change.\n";
    let mut text = head.to_owned();
    for (color, backend) in [(Color::Blue, &style.blue), (Color::Green, &style.green)] {
        text.push_str(&format!("\nbackend {backend}\n    mode http\n    option forwardfor\n"));
        text.extend(check(style.check_path.as_deref()).lines().map(|line| format!("    {line}\n")));
        let hosts = call.instances.iter().filter(|instance| instance.color == color);
        let hosts = hosts.map(|instance| instance.host.as_str());
        let lines = hosts.zip(servers(call, router, color)?);
        text.extend(lines.map(|(host, address)| format!("    server {host} {address}\n")));
    }
    Ok(text)
}

/// `address:port` of each instance of a colour, as this router reaches it.
pub(crate) fn servers(call: &Call, router: &str, color: Color) -> Result<Vec<String>, HookError> {
    addresses(call, router, color, "a server of HAProxy")
}

#[cfg(test)]
mod tests {
    use cutover_hooks::fake;

    use super::*;
    use crate::settings::{Settings, Style};

    fn call() -> Call {
        let mut instances = Vec::new();
        for color in [Color::Blue, Color::Green] {
            instances.push(fake::instance("web1", color, "10.0.0.11"));
            instances.push(fake::instance("web2", color, "fd00::12"));
        }
        let mut call = fake::call("{}", instances);
        call.facts.push(("environment".to_owned(), "production".to_owned()));
        call
    }

    fn script(settings: &str, user: &str) -> String {
        let (settings, call): (Settings, Call) = (serde_json::from_str(settings).expect("settings"), call());
        match settings.style(&call) {
            Style::Map(style) => map_script(&style, &call, "lb1", user),
            Style::Servers(style) => servers_script(&style, &call, "lb1", user),
        }
        .expect("a script")
    }

    #[test]
    fn the_scripts_are_these() {
        assert_eq!(script("{}", "deploy"), include_str!("../golden/map.sh"));
        let settings = r#"{"socket": "tcp:127.0.0.1:9999", "check-path": "/up"}"#;
        assert_eq!(script(settings, "root"), include_str!("../golden/map-over-tcp.sh"));
        let settings =
            r#"{"style": "servers", "state-file": "/var/lib/cutover-haproxy/state", "check-path": "/up"}"#;
        assert_eq!(script(settings, "deploy"), include_str!("../golden/servers.sh"));
        let settings = r#"{"style": "servers", "backend": "web", "server": "shop-{color}-{host}"}"#;
        assert_eq!(script(settings, "root"), include_str!("../golden/servers-of-others.sh"));
    }

    #[test]
    fn a_router_reaches_what_runs_beside_it_over_loopback() {
        let found = servers(&call(), "web2", Color::Green).expect("servers");
        assert_eq!(found, ["10.0.0.11:4002", "127.0.0.1:4002"]);
    }

    #[test]
    fn nothing_slips_in_through_an_address() {
        let mut call = call();
        call.instances[1].address = "x check-send-proxy\nserver y".to_owned();
        assert_eq!(
            servers(&call, "lb1", Color::Blue),
            Err(HookError::failed(
                "`x check-send-proxy\nserver y:4001` is no address for a server of HAProxy"
            ))
        );
        call.instances.clear();
        assert_eq!(servers(&call, "lb1", Color::Blue), Err(HookError::failed("blue has no instances")));
    }
}
