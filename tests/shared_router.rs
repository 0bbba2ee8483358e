//! Two applications behind one nginx: of two switches at once, one waits for the other.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use test_support::{Behaviour, Port, Running, Test, eventually, get};

use crate::local;

/// `shop`, and beside it `blog` with a configuration of its own, behind one nginx whose whole configuration each checks before it
/// reloads it.
struct Shared {
    test: Test,
    /// Where `blog`'s configuration is.
    blog: PathBuf,
    /// Where `blog` listens: blue, green, its front door.
    ports: [Port; 3],
    /// nginx's directory.
    nginx: PathBuf,
}

/// Name of a file; while it is there, checks of nginx's configuration go on.
const HOLD: &str = "hold";

/// Both have a version live.
fn shared() -> Option<Shared> {
    let mut test = local()?;
    let sites = test.nginx.write_sites("127.0.0.1", test.ports());
    let flags = test.nginx.settings();
    test.configure(&flags, &sites).configure("watch = \"2s\"", "watch = \"1s\"");
    let nginx = test.nginx.extra().parent().unwrap().to_owned();
    let own = nginx.display();
    for app in ["shop", "blog"] {
        let text = format!(
            // Before a turn, nobody is held up.
            "#!/bin/sh\nif grep -qs {app} /root/.local/state/cutover/.router/lock.json; then\necho {app} >>{own}/checks\n\
             while [ -e {own}/{HOLD} ]; do sleep 0.1; done\nfi\nexec \"$@\"\n"
        );
        let script = test.scratch().write(format!("check-{app}"), text);
        fs::set_permissions(script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let check = |app: &str| format!("test = [\"{}/check-{app}\", ", test.scratch().path().display());
    let shop = test.config.replace("test = [", &check("shop"));

    let ports = [Port::take(), Port::take(), Port::take()];
    fs::write(test.nginx.extra(), format!("include {own}/blog-live;\n")).unwrap();
    std::os::unix::fs::symlink("/dev/null", nginx.join("blog-live")).unwrap();
    for (color, port) in [("blue", &ports[0]), ("green", &ports[1])] {
        let site = format!(
            "server {{\n  listen {};\n  location / {{ proxy_pass http://127.0.0.1:{port}; }}\n  \
             location = /deployment_id {{ return 200 \"{color}\"; }}\n}}\n",
            ports[2]
        );
        fs::write(nginx.join(format!("blog-site-{color}")), site).unwrap();
    }
    let (blue, green) = test.ports();
    let mut config = test.config.replace("test = [", &check("blog"));
    for (from, to) in [
        ("name = \"shop\"".to_owned(), "name = \"blog\"".to_owned()),
        ("/srv/shop".to_owned(), "/srv/blog".to_owned()),
        (format!("{own}/choice/live"), format!("{own}/blog-live")),
        (format!("{own}/site-"), format!("{own}/blog-site-")),
        (format!("blue = {{ port = {blue} }}"), format!("blue = {{ port = {} }}", ports[0])),
        (format!("green = {{ port = {green} }}"), format!("green = {{ port = {} }}", ports[1])),
        (format!("127.0.0.1:{}/", test.nginx.port()), format!("127.0.0.1:{}/", ports[2])),
    ] {
        assert!(config.contains(&from), "`{from}` is not in:\n{config}");
        config = config.replace(&from, &to);
    }
    test.config = shop;
    let blog = test.scratch().directory("blog");
    fs::write(blog.join("cutover.toml"), config).unwrap();
    test.start_nginx();
    let shared = Shared { test, blog, ports, nginx };
    let _ = shared.test.deploy("v1", Behaviour::Sound).expect(0);
    let _ = shared.start_blog(&["deploy"]).finish().expect(0);
    assert_eq!(shared.live(), ["v1 blue", "v1 blue"]);
    fs::remove_file(shared.nginx.join("checks")).unwrap();
    Some(shared)
}

impl Shared {
    fn start_blog(&self, args: &[&str]) -> Running {
        let mut command = self.test.desk.command(self.test.program(), &self.blog);
        command.args(args);
        Running::start(&self.test.desk, command)
    }

    fn live(&self) -> [String; 2] {
        let page = get("127.0.0.1", self.ports[2].number(), "/").unwrap();
        let version = page.body.split(' ').next().unwrap_or("").to_owned();
        [self.test.live(), format!("{version} {}", page.header("x-color"))]
    }

    /// Starts a deployment of `shop` that comes as far as its turn at the router, and stays there until `HOLD` is removed.
    fn shop_in_its_turn(&self) -> Running {
        fs::write(self.nginx.join(HOLD), "").unwrap();
        let shop = self.test.start(&["deploy", "--json"]);
        eventually("shop's turn", Duration::from_secs(60), || self.checks().contains("shop").then_some(()));
        shop
    }

    /// Whose checks of nginx's configuration were begun, in order.
    fn checks(&self) -> String {
        fs::read_to_string(self.nginx.join("checks")).unwrap_or_default().replace('\n', " ")
    }

    /// What the router's host keeps of turns.
    fn turn(&self) -> PathBuf {
        self.test.desk.outside("/root/.local/state/cutover/.router/lock.json")
    }

    fn lock(&self) -> Value {
        serde_json::from_slice(&fs::read(self.turn()).unwrap()).unwrap()
    }
}

fn is_told_to_wait(event: &Value) -> bool {
    let text = event["text"].as_str().unwrap_or_default();
    event["event"] == "warning" && text.starts_with("waiting for the turn at local of ")
}

#[test]
fn two_applications_switch_one_after_the_other() {
    let Some(shared) = shared() else { return };
    shared.test.repository.push("v2", Behaviour::Sound);
    let shop = shared.shop_in_its_turn();
    let mut blog = shared.start_blog(&["deploy", "--json"]);
    let told = blog.wait_for("word of the wait", is_told_to_wait);
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("of shop, deployment 01") && text.contains(", since 2"), "{text}");
    assert_eq!(shared.lock()["holder"]["command"], "deploy");
    fs::remove_file(shared.nginx.join(HOLD)).unwrap();
    let _ = shop.finish().expect(0);
    let _ = blog.finish().expect(0);
    assert_eq!(shared.live(), ["v2 green", "v2 green"]);
    assert_eq!(shared.checks(), "shop shop blog blog ", "prepare and apply of one are not torn apart");
    assert_eq!(shared.lock()["holder"], Value::Null, "and it is free after that");
}

#[test]
fn a_turn_ends_with_its_holder() {
    let Some(shared) = shared() else { return };
    shared.test.repository.push("v2", Behaviour::Sound);
    let shop = shared.shop_in_its_turn();
    let _ = shop.kill();
    fs::remove_file(shared.nginx.join(HOLD)).unwrap();
    let mut lock = shared.lock();
    assert_ne!(lock["holder"], Value::Null, "nobody has freed it");
    let _ = shared.start_blog(&["deploy"]).finish().expect(0);
    assert_eq!(shared.live(), ["v1 blue", "v2 green"]);
    let _ = shared.test.cutover(&["resume"]).expect(10);
    assert_eq!(shared.live(), ["v1 blue", "v2 green"]);

    // A holder on a machine that we know nothing of, which gave its last sign of life a moment less than 60 s ago.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let epoch = shared.lock()["epoch"].clone();
    lock["epoch"] = epoch;
    lock["holder"]["who"] = json!("ann@elsewhere pid 1");
    lock["holder"].as_object_mut().unwrap().remove("process");
    lock["renewed-ms"] = json!(u64::try_from(now).unwrap() - 40_000);
    lock["acquired-ms"] = lock["renewed-ms"].clone();
    fs::write(shared.turn(), lock.to_string()).unwrap();
    let mut again = shared.test.start(&["deploy", "--json"]);
    let told = again.wait_for("word of the wait", is_told_to_wait);
    assert!(told["text"].as_str().unwrap().ends_with("(ann@elsewhere pid 1)"), "{told}");
    let _ = again.finish().expect(0);
    assert_eq!(shared.live(), ["v2 green", "v2 green"]);
}
