//! Fuzz targets: the configuration, the grants in it, and the lock file beside it.

use camino::Utf8Path;

use super::{Input, Loaded, Surroundings, load, load_to_look, read_lock, render, write_lock};
use crate::model::grant::{
    Allowed, Grants, HttpRequest, Mode, Origin, Request, Scope, SecretPlace, SecretRequest, Url, is_special,
    split_socket,
};
use crate::model::{Color, HostName, Instance, Labels, SettingFault, VENDORED};

/// A whole file; a first line `# -e NAME` chooses the environment.
pub fn configuration(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let environment = text.lines().next().and_then(|line| line.strip_prefix("# -e "));
    let root = Utf8Path::new("/project/shop");
    let input = Input { file: "cutover.toml", text, root, environment };
    match load(input, &Nobody) {
        Ok(loaded) => check(&loaded),
        Err(faults) => {
            assert!(faults.iter().count() > 0 && !faults.to_string().is_empty(), "faults say what they are");
            if let Ok(loaded) = load_to_look(input, &Nobody, &[]) {
                assert!(loaded.set_aside.is_some(), "what has faults is not read whole");
                check(&loaded);
            }
        }
    }
}

/// A lock file that is read is written and read as the same, and leads nowhere but to what is requested or below the folder of copies.
pub fn lock_file(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let lock = match read_lock(text) {
        Ok(lock) => lock,
        Err(fault) => return assert!(!fault.to_string().is_empty(), "a fault says what it is"),
    };
    let written = write_lock(&lock);
    assert_eq!(read_lock(&written).as_ref(), Ok(&lock), "what is written is read");
    assert_eq!(lock.changes(&lock), []);
    for (requested, hook) in &lock.hooks {
        let is_copy = |path: &str| !path.is_empty() && path.split('/').all(|part| part != "..");
        let copy = hook.resolved.strip_prefix(VENDORED);
        let of_registry = [requested, &hook.resolved].iter().all(|text| text.starts_with("oci://"));
        assert!(
            hook.resolved == *requested || of_registry || copy.is_some_and(is_copy),
            "{requested} leads to {}",
            hook.resolved
        );
    }
}

/// What is accepted holds together.
fn check(loaded: &Loaded) {
    let deployment = &loaded.deployment;
    let hosts = &deployment.hosts;
    assert!(deployment.application.hosts.iter().all(|host| hosts.contains_key(host)));
    assert!(
        deployment
            .router
            .names
            .iter()
            .all(|router| hosts.contains_key(router) || router.as_str() == "router")
    );
    assert!(hosts.contains_key(&deployment.build.builder));
    assert!(
        deployment.application.directory.starts_with('/')
            || deployment.application.directory.starts_with("~/")
    );
    assert_ne!(deployment.application.blue.port, deployment.application.green.port);
    let _ = render(&loaded.settings);
}

/// Before a line `---`, the grants of a router's hook as in the configuration; after it, one request a line. Nothing is allowed outside
/// of what is written, more reading never less.
pub fn grants(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (written, asked) = text.split_once("\n---\n").unwrap_or(("", text));
    let text = format!("{BEFORE}{written}\n");
    let root = Utf8Path::new("/project/shop");
    let input = Input { file: "cutover.toml", text: &text, root, environment: None };
    let Ok(loaded) = load(input, &Nobody) else {
        return assert!(!written.is_empty(), "nothing is wrong with that");
    };
    let grants = &loaded.deployment.router.hook.grants;
    for line in asked.lines() {
        parse(line);
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        ask(grants, &words);
    }
}

const BEFORE: &str = r#"
name = "shop"
[hosts]
web1 = { ssh = "deploy@web1" }
lb1 = { ssh = "deploy@lb1" }
[app]
hosts = ["web1"]
start = ["bin/shop"]
blue = { port = 4001 }
green = { port = 4002 }
[secrets]
lb = { env = "LB" }
[router]
hosts = ["lb1"]
front-door = []
hook = "hooks/vendor-smoke.wasm"
[router.grants]
"#;

/// Texts mean one thing: what is shown of them is read as the same.
fn parse(text: &str) {
    if let Ok(url) = Url::parse(text) {
        assert_eq!(Url::parse(&url.to_string()).as_ref(), Ok(&url));
        assert_eq!(Origin::parse(&url.origin.to_string()).as_ref(), Ok(&url.origin));
        let _ = url.origin.address().map(is_special);
    }
    let _ = split_socket(text);
}

fn ask(grants: &Grants, words: &[String]) {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (origin, args): (Origin, Vec<String>);
    let dates = ["20260102".to_owned()];
    let request = match words[..] {
        ["exec", host, program, ref rest @ ..] => {
            args = rest.iter().map(|&arg| arg.to_owned()).collect();
            let env = Vec::new();
            Request::Exec { host, program, args: &args, env, directory: None, input: false, as_root: false }
        }
        ["sudo", host, program, ref rest @ ..] => {
            args = rest.iter().map(|&arg| arg.to_owned()).collect();
            let env = vec!["LANG"];
            Request::Exec {
                host,
                program,
                args: &args,
                env,
                directory: Some("/"),
                input: true,
                as_root: true,
            }
        }
        ["read", host, path] => Request::Read { host, path },
        ["write", host, path] => Request::Write { host, path },
        ["link", host, path, target] => Request::Link { host, path, target },
        ["connect", host, to, ref content @ ..] => {
            args = vec![content.join(" ")];
            Request::Connect { host, to, content: &args[0] }
        }
        ["http", method, url, ref via @ ..] => {
            let Ok(url) = Url::parse(url) else { return };
            origin = url.origin;
            let via = via.first().copied();
            Request::Http(HttpRequest { method, origin: &origin, connect_to: None, via })
        }
        ["header", name, url, header] => {
            let Ok(url) = Url::parse(url) else { return };
            origin = url.origin;
            let place = SecretPlace::Header { origin: &origin, dialled: &origin, header };
            Request::Secret(SecretRequest { name, place })
        }
        ["variable", name, program, variable] => {
            Request::Secret(SecretRequest { name, place: SecretPlace::Variable { program, variable } })
        }
        ["hmac", name, prefix, ref chain @ ..] => {
            args = chain.iter().map(|&part| part.to_owned()).collect();
            let place = SecretPlace::Hmac { prefix, chain: &args, dates: &dates };
            Request::Secret(SecretRequest { name, place })
        }
        ["reveal", name] => Request::Secret(SecretRequest { name, place: SecretPlace::Hook }),
        _ => return,
    };
    let [changing, looking, reading, closed] = [Mode::Changing, Mode::Looking, Mode::Reading, Mode::Closed]
        .map(|mode| within(mode, |scope| grants.check(&request, scope)));
    assert!(closed.is_err(), "{request} was allowed where nothing is");
    for lesser in [looking, reading] {
        assert!(lesser.is_err() || changing.is_ok(), "{request} was allowed to those who only look alone");
    }
    assert!(within(Mode::Changing, |scope| Grants::default().check(&request, scope)).is_err(), "{request}");
    match changing {
        Ok(Allowed::Host { host, .. }) => {
            assert!(["web1", "lb1", "local"].contains(&host.as_str()), "{request} on {host}");
            if let Request::Read { path, .. } | Request::Write { path, .. } | Request::Link { path, .. } =
                request
            {
                let odd = |part: &str| part.is_empty() || matches!(part, "." | ".." | ".ssh");
                assert!(path.starts_with('/') && !path[1..].split('/').any(odd), "{request}");
            }
        }
        Ok(Allowed::Http { .. } | Allowed::Secret) => {}
        Err(denied) => assert!(!denied.grant.contains('\n'), "{denied:?}"),
    }
}

fn within<T>(mode: Mode, look: impl FnOnce(&Scope<'_>) -> T) -> T {
    let name = |text| HostName::new(text).expect("a name");
    let (app, routers, builder) = ([name("web1")], [name("lb1")], name("local"));
    let instance = |color| Instance {
        host: name("web1"),
        color,
        listen: "127.0.0.1".to_owned(),
        address: "127.0.0.1".to_owned(),
        port: 4001,
        labels: Labels::default(),
    };
    let (instances, places) = ([instance(Color::Blue)], []);
    look(&Scope {
        mode,
        app: &app,
        routers: &routers,
        builder: &builder,
        instances: &instances,
        places: &places,
        bare_programs: false,
    })
}

/// A world with one component in a file, and nothing that is bundled but names.
struct Nobody;

impl Surroundings for Nobody {
    fn is_file(&self, path: &Utf8Path) -> bool {
        path == "/project/shop/hooks/vendor-smoke.wasm"
    }

    fn builtins(&self) -> &[&str] {
        &["command-build", "http-health", "http-smoke", "nginx"]
    }

    fn bundled_grants(&self, _: &str, _: &str, _: &serde_json::Value) -> Result<String, SettingFault> {
        Ok("http = [{ to = 'instances' }]".to_owned())
    }

    fn settings_schema(&self, _: &str) -> Option<serde_json::Value> {
        None
    }
}
