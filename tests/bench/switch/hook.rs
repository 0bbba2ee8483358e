//! Routers that cutover moves: set up as `cutover setup` says, with two releases deployed, of which `cutover rollback --to N` makes one live and then
//! the other.

use std::any::Any;

use test_support::{Apache, Behaviour, Caddy, CutoverProxy, Haproxy, Test};

use crate::contender::Subject;

/// A world with release 1 on blue and release 2, which is live, on green. Both go on running.
struct Behind {
    /// What is not nginx; it ends before its machine does.
    _router: Option<Box<dyn Any>>,
    test: Test,
}

impl Subject for Behind {
    fn port(&self) -> u16 {
        self.test.door()
    }

    fn make_ready(&mut self, _: &str) {}

    fn switch(&mut self, color: &str) {
        let number = if color == "blue" { "1" } else { "2" };
        let _ = self.test.cutover(&["rollback", "--to", number]).expect(0);
    }
}

/// Everything on one machine, and no wait that is longer than it has to be. Websockets stay open on the colour that was live before, so no
/// drain ends by itself where the router counts connections.
fn world() -> Option<Test> {
    let mut test = Test::local(env!("CARGO_BIN_EXE_cutover"))?;
    test.configure(
        "watch = \"2s\"\ndrain = { timeout = \"3s\" }",
        "watch = \"0s\"\ndrain = { timeout = \"1s\" }",
    );
    Some(test)
}

fn live(test: Test, router: Option<Box<dyn Any>>) -> Option<Box<dyn Subject>> {
    for version in ["v1", "v2"] {
        let _ = test.deploy(version, Behaviour::Sound).expect(0);
    }
    assert_eq!(test.live(), "v2 green");
    Some(Box::new(Behind { _router: router, test }))
}

pub(crate) fn nginx_file_test() -> Option<Box<dyn Subject>> {
    let mut test = world()?;
    test.set_up();
    live(test, None)
}

pub(crate) fn nginx_upstream() -> Option<Box<dyn Subject>> {
    let mut test = world()?;
    let (flags, upstream) = (test.nginx.settings(), test.nginx.upstream_settings());
    test.configure(&flags, &upstream).set_up();
    live(test, None)
}

pub(crate) fn nginx_symlink() -> Option<Box<dyn Subject>> {
    let mut test = world()?;
    let (flags, sites) = (test.nginx.settings(), test.nginx.write_sites("127.0.0.1", test.ports()));
    test.configure(&flags, &sites).start_nginx();
    live(test, None)
}

pub(crate) fn haproxy_map() -> Option<Box<dyn Subject>> {
    haproxy(Haproxy::settings)
}

pub(crate) fn haproxy_servers() -> Option<Box<dyn Subject>> {
    haproxy(Haproxy::servers_settings)
}

fn haproxy(settings: impl Fn(&Haproxy) -> String) -> Option<Box<dyn Subject>> {
    let mut test = world()?;
    let mut haproxy = Haproxy::new(test.scratch(), test.router());
    test.route_by("builtin:haproxy", &settings(&haproxy), haproxy.port()).set_up();
    haproxy.write_config(&test.setup_script("local"));
    haproxy.start(test.router());
    live(test, Some(Box::new(haproxy)))
}

pub(crate) fn apache() -> Option<Box<dyn Subject>> {
    let mut test = world()?;
    let mut apache = Apache::new(test.scratch(), test.router())?;
    test.route_by("builtin:apache", &apache.settings(), apache.port()).set_up();
    apache.start(test.router());
    live(test, Some(Box::new(apache)))
}

pub(crate) fn caddy() -> Option<Box<dyn Subject>> {
    let mut test = world()?;
    let mut caddy = Caddy::new(test.scratch(), test.router())?;
    test.route_by("builtin:caddy", &caddy.settings(), caddy.port()).set_up();
    caddy.start(test.router());
    live(test, Some(Box::new(caddy)))
}

pub(crate) fn proxy() -> Option<Box<dyn Subject>> {
    let mut test = world()?;
    let mut proxy = CutoverProxy::new(test.scratch(), test.router(), test.program());
    test.route_by("builtin:proxy", &proxy.settings(), proxy.port()).set_up();
    proxy.start(test.router());
    live(test, Some(Box::new(proxy)))
}
