//! What is installed once on a router's host: a pure function of the settings and the instances.
//!
//! HAProxy has no includes: the backends lie in a file of their own, which it reads by a second `-f`, and three lines go into the frontend,
//! which is the operator's.

use cutover_hooks::{Call, Color, HookError};

use crate::map::Map;

/// The script.
pub(crate) fn script(style: &Map, call: &Call, router: &str, user: &str) -> Result<String, HookError> {
    let Map { name, socket, map, config, .. } = style;
    let (directory, place) = (parent(map), parent(config));
    // Root would follow links that lie in a directory of the user's. What HAProxy runs stays root's: whoever may write it is as good as root.
    let as_user = if user == "root" { String::new() } else { format!("runuser -u {user} -- ") };
    let mut text = format!(
        "# HAProxy on {router}: how many percent of the requests of {name} go to green is a line in {map}\n\
         install -d -m 755 -o {user} {directory}\n\
         {as_user}sh -c 'test -e {map} || cat > {map}' <<'CUTOVER'\n{}CUTOVER\n",
        fill(include_str!("template/green.map"), &[("name", name)]),
    );
    if user != "root" && socket.starts_with("unix:") {
        text.push_str(&format!("usermod -a -G {GROUP} {user}\n"));
    }
    text.push_str(&format!(
        "mkdir -p {place}\ncat > {config} <<'CUTOVER'\n{}CUTOVER\n",
        backends(style, call, router)?
    ));
    if let Some(path) = socket.strip_prefix("unix:") {
        text.push_str(&format!(
            "# Then, in the global section of haproxy.cfg, where it does not say so already:\n\
             #     stats socket {path} mode 660 group {GROUP} level admin\n"
        ));
    }
    text.push_str("# Then, in its frontend of ");
    text.push_str(name);
    text.push_str(":\n");
    for line in frontend(style).lines() {
        text.push_str(&format!("#     {line}\n"));
    }
    text.push_str(&format!(
        "# Then let HAProxy read the backends, too, in /etc/default/haproxy:\n\
         #     EXTRAOPTS=\"-S /run/haproxy-master.sock -f {config}\"\n\
         # and: systemctl restart haproxy\n"
    ));
    Ok(text)
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
    let mut text = "# Written by `cutover setup`. Change cutover.toml, and print it again, when hosts or ports change.\n".to_owned();
    let check = match &style.check_path {
        Some(path) => format!("    option httpchk GET {path}\n"),
        None => String::new(),
    };
    for (color, backend) in [(Color::Blue, &style.blue), (Color::Green, &style.green)] {
        let hosts = call.instances.iter().filter(|instance| instance.color == color);
        let hosts = hosts.map(|instance| instance.host.as_str());
        let lines = hosts.zip(servers(call, router, color)?);
        let lines: String = lines.map(|(host, address)| format!("    server {host} {address}\n")).collect();
        let values = [("backend", backend.as_str()), ("check", &check), ("servers", &lines)];
        text.push_str(&fill(include_str!("template/backend.cfg"), &values));
    }
    Ok(text)
}

/// `address:port` of each instance of a colour, as this router reaches it.
pub(crate) fn servers(call: &Call, router: &str, color: Color) -> Result<Vec<String>, HookError> {
    let instances = call.instances.iter().filter(|instance| instance.color == color);
    let servers: Vec<String> = instances.map(|instance| instance.authority_from(router)).collect();
    if servers.is_empty() {
        return Err(HookError::failed(format!("{color} has no instances")));
    }
    let harmless = |c: char| c.is_ascii_alphanumeric() || ".:-[]".contains(c);
    match servers.iter().find(|server| !server.chars().all(harmless)) {
        Some(server) => Err(HookError::failed(format!("`{server}` is no address for a server of HAProxy"))),
        None => Ok(servers),
    }
}

fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let replace = |text: String, (key, value): &(&str, &str)| text.replace(&format!("@{key}@"), value);
    values.iter().fold(template.to_owned(), replace)
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("/", |(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    use cutover_hooks::fake;

    use super::*;
    use crate::settings::Settings;

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

    #[test]
    fn the_scripts_are_these() {
        let call = call();
        let of = |settings: &str, user| {
            let settings: Settings = serde_json::from_str(settings).expect("settings");
            script(&settings.style(&call), &call, "lb1", user).expect("a script")
        };
        assert_eq!(of("{}", "deploy"), include_str!("../golden/setup.sh"));
        let settings = r#"{"socket": "tcp:127.0.0.1:9999", "check-path": "/up"}"#;
        assert_eq!(of(settings, "root"), include_str!("../golden/setup-over-tcp.sh"));
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
        assert!(backends(&Settings::default().style(&call), &call, "lb1").is_err());
        call.instances.clear();
        assert_eq!(servers(&call, "lb1", Color::Blue), Err(HookError::failed("blue has no instances")));
    }
}
