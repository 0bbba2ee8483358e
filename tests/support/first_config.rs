//! The configuration of a test's world.

use crate::{Machine, Sshd, Test};

/// The name of two routers.
pub(crate) const DOOR: &str = "shop.test";

/// The configuration that most tests begin with: quick, with a smoke test and a proof of the release.
pub(crate) fn first_config(test: &Test) -> String {
    let door = format!("http://127.0.0.1:{}/up", test.nginx.port());
    let (hosts, app_hosts, router_hosts, front_door, listen) = if test.hosts.is_empty() {
        (String::new(), String::new(), String::new(), format!("[\"{door}\"]"), "127.0.0.1")
    } else {
        let named = |kind: &str| {
            let names = test.hosts.iter().map(|(machine, _)| machine.name());
            let names: Vec<String> =
                names.filter(|name| name.starts_with(kind)).map(|name| format!("\"{name}\"")).collect();
            format!("hosts = [{}]\n", names.join(", "))
        };
        let front_door = match &test.second_nginx {
            Some(nginx) => format!("[\"http://{DOOR}:{}/up\"]", nginx.port()),
            None => format!("[{{ url = \"{door}\", via = \"lb1\" }}]"),
        };
        let line = |(machine, sshd): &(Machine, Sshd)| {
            let (name, address) = (machine.name(), machine.address());
            format!("{name} = {{ ssh = \"{}\", address = \"{address}\" }}\n", sshd.destination())
        };
        let hosts: String = test.hosts.iter().map(line).collect();
        (format!("[hosts]\n{hosts}\n"), named("web"), named("lb"), front_door, "{address}")
    };
    format!(
        r#"name = "shop"

{hosts}[build]
repository = "{repository}"
settings = {{ run = [["cp", "-R", "app", "dist"]], artifact = "dist" }}

[app]
{app_hosts}directory = "/srv/shop"
driver = "detached"
start = ["bin/shop", "--listen", "{{listen}}", "--port", "{{port}}"]
listen = "{listen}"
stop-timeout = "2s"
blue = {{ port = {blue} }}
green = {{ port = {green} }}

[app.release-marker]
header = "x-release"

[health-check]
settings = {{ path = "/up" }}
interval = "100ms"
healthy-after = 2
deadline = "15s"

[[smoke-test]]
name = "checkout"
hook = "builtin:http-smoke"
settings = {{ requests = [{{ name = "cart-is-there", path = "/checkout" }}, {{ name = "start-page", path = "/" }}] }}

[router]
{router_hosts}settings = {settings}
front-door = {front_door}

[pipeline]
watch = "2s"
drain = {{ timeout = "3s" }}
"#,
        repository = test.repository.url(),
        settings = test.nginx.settings(),
        blue = test.ports().0,
        green = test.ports().1,
    )
}
