//! `cutover hook conformance`: rules that are kept, and each that is not.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use test_support::{Behaviour, Haproxy, KubernetesStyle, Test, assert_golden, eventually, skip};

use crate::hooks::stranger;
use crate::{
    apache, aws_alb, caddy, canary, cloud_foundry, fleet, haproxy, kubernetes, local, proxy, told, traefik,
    with_v1,
};

const CONFORMANCE: [&str; 4] = ["hook", "conformance", "--yes", "--color=never"];

/// Both colours run.
fn twice_deployed(test: Option<Test>) -> Option<Test> {
    let test = with_v1(test)?;
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    Some(test)
}

/// Where `v2` is live and `v1` is warm: every rule is kept, and all is put back.
fn assert_kept(test: &Test) {
    let told = told(test, test.cutover(&CONFORMANCE).expect(0));
    // How often a hook asks that waits for something is the machine's affair, and so is whether it takes long enough to say how far it has come.
    let (head, rules) = told.split_once('\n').unwrap();
    assert!(head.contains(" calls of imports, "), "{head}");
    let is_progress = |line: &&str| line.starts_with("switch  ") && line.contains("  …  ");
    let rules: String =
        rules.lines().filter(|line| !is_progress(line)).map(|line| format!("{line}\n")).collect();
    assert_golden("conformance-kept.txt", &rules);
    assert_eq!(test.live(), "v2 green", "it is put back");
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

/// A router that is a file, and a hook of a stranger's for it.
pub(crate) struct Careless {
    pub(crate) test: Test,
    file: String,
    /// What its settings end with.
    sin: String,
}

impl Careless {
    pub(crate) fn new() -> Option<Self> {
        let mut test = twice_deployed(local())?;
        fs::create_dir_all(test.directory().join("hooks")).unwrap();
        fs::write(test.directory().join("hooks/careless.wasm"), stranger()).unwrap();
        let file = test.scratch().join("color").display().to_string();
        let own = format!("settings = {}\n", test.nginx.settings());
        let grant = format!("[{{ hosts = \"routers\", path = \"{file}\" }}]");
        let grants = format!("{{ exec = [], http = [], secrets = [], read = {grant}, write = {grant} }}");
        let hook = "hooks/careless.wasm";
        let ours = format!(
            "hook = \"{hook}\"\ngrants = {grants}\nsettings = {{ do = \"route\", to = \"{file}\" }}\n"
        );
        test.configure(&own, &ours);
        Some(Self { test, file, sin: " }\n".to_owned() })
    }

    /// Has one rule not kept, and green live.
    pub(crate) fn sins(&mut self, sin: &str) {
        fs::write(&self.file, "green").unwrap();
        let sin = format!(", sin = \"{sin}\" }}\n");
        let (file, before) = (&self.file, std::mem::replace(&mut self.sin, sin));
        self.test.configure(&format!("\"{file}\"{before}"), &format!("\"{file}\"{}", self.sin));
    }
}

/// The rules that were broken.
fn broken(test: &Test) -> Vec<String> {
    let ended = test.cutover(&["hook", "conformance", "--yes", "--json"]);
    let view: serde_json::Value = serde_json::from_str(ended.stdout.trim()).unwrap_or_else(|fault| {
        panic!("{fault}: {}{}", ended.stdout, ended.stderr);
    });
    let rules = view["rules"].as_array().unwrap_or_else(|| panic!("{view}")).iter();
    let broken: Vec<String> = rules
        .filter(|rule| rule["times"] != 0)
        .map(|rule| rule["rule"].as_str().unwrap().to_owned())
        .collect();
    let code = if broken.is_empty() { 0 } else { 70 };
    let _ = ended.expect(code);
    broken
}

#[test]
fn nginx_by_a_file_keeps_every_rule() {
    let Some(test) = twice_deployed(local()) else { return };
    assert_kept(&test);
}

#[test]
fn nginx_by_a_link_keeps_every_rule() {
    let Some(mut test) = local() else { return };
    let sites = test.nginx.write_sites("127.0.0.1", test.ports());
    let flags = test.nginx.settings();
    test.configure(&flags, &sites);
    test.start_nginx();
    for version in ["v1", "v2"] {
        let _ = test.deploy(version, Behaviour::Sound).expect(0);
    }
    assert_kept(&test);
}

#[test]
fn nginx_by_an_upstream_keeps_every_rule() {
    let Some(test) = twice_deployed(canary::behind_upstream()) else { return };
    assert_kept(&test);
}

#[test]
fn haproxy_by_a_map_keeps_every_rule() {
    let Some(world) = haproxy::with_v1(local()) else { return };
    let _ = world.test.deploy("v2", Behaviour::Sound).expect(0);
    assert_kept(&world.test);
}

#[test]
fn haproxy_by_servers_keeps_every_rule() {
    let Some(world) = haproxy::live(haproxy::routed_by(local(), Haproxy::servers_settings)) else { return };
    let _ = world.test.deploy("v2", Behaviour::Sound).expect(0);
    assert_kept(&world.test);
}

/// Two hosts, of which one can be taken out, behind a router that can do so. `CUTOVER_TEST_NIGHTLY=1` runs it.
fn two_hosts() -> Option<Test> {
    if std::env::var_os("CUTOVER_TEST_NIGHTLY").is_none() {
        skip("routers of two hosts are held against the contract with `CUTOVER_TEST_NIGHTLY=1`");
        return None;
    }
    fleet()
}

#[test]
fn haproxy_by_servers_of_two_hosts_keeps_every_rule() {
    let routed = haproxy::routed_by(two_hosts(), Haproxy::servers_settings);
    let Some(mut world) = haproxy::live(routed) else { return };
    world.test.configure("timeout = \"3s\"", "timeout = \"1s\"");
    let _ = world.test.deploy("v2", Behaviour::Sound).expect(0);
    assert_kept(&world.test);
}

#[test]
fn apache_of_two_hosts_keeps_every_rule() {
    let Some((test, _apache)) = apache::with_v1(two_hosts()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_kept(&test);
}

#[test]
fn our_own_proxy_of_two_hosts_keeps_every_rule() {
    let Some(world) = proxy::with_v1(two_hosts()) else { return };
    let _ = world.test.deploy("v2", Behaviour::Sound).expect(0);
    assert_kept(&world.test);
}

#[test]
fn apache_keeps_every_rule() {
    let Some((test, _apache)) = apache::with_v1(local()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_kept(&test);
}

#[test]
fn aws_alb_keeps_every_rule() {
    let Some((test, _alb)) = aws_alb::with_v1(local()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_kept(&test);
}

#[test]
fn kubernetes_by_a_service_keeps_every_rule() {
    let Some((test, _cluster)) = kubernetes::with_v1(KubernetesStyle::Service) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_kept(&test);
}

#[test]
fn kubernetes_by_a_route_keeps_every_rule() {
    let Some((test, _cluster)) = kubernetes::with_v1(KubernetesStyle::Gateway) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_kept(&test);
}

#[test]
fn caddy_keeps_every_rule() {
    let Some((test, _caddy)) = caddy::with_v1(local()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_kept(&test);
}

#[test]
fn traefik_keeps_every_rule() {
    let Some((test, _traefik)) = traefik::with_v1(local()) else { return };
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_kept(&test);
}

#[test]
fn cloud_foundry_keeps_every_rule() {
    let Some((mut test, _foundation)) = cloud_foundry::with_v1() else { return };
    // It is waited for at each of some hundred switches.
    test.configure("overlap = 2", "overlap = 1");
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_kept(&test);
}

#[test]
fn our_own_proxy_keeps_every_rule() {
    let Some(world) = proxy::with_v1(local()) else { return };
    let _ = world.test.deploy("v2", Behaviour::Sound).expect(0);
    assert_kept(&world.test);
}

#[test]
fn a_rule_that_is_broken_is_told_with_where() {
    let Some(mut careless) = Careless::new() else { return };
    fs::write(&careless.file, "green").unwrap();
    assert_eq!(broken(&careless.test), ["front-door"], "what it says of itself moves no traffic");
    let door = format!("front-door = [\"http://127.0.0.1:{}/up\"]", careless.test.door());
    careless.test.configure(&door, "front-door = []");
    assert_eq!(broken(&careless.test), [] as [&str; 0]);
    for (sin, rules) in [
        ("says-yes", &["honest"][..]),
        ("two-steps", &["never-dark"]),
        ("only-once", &["again", "mends", "meanwhile"]),
        ("as-prepared", &["meanwhile"]),
        ("guesses", &["no-guess"]),
        ("mends", &["looks"]),
        ("too-early", &["prepares", "nothing-to-do", "harmless"]),
        ("talks", &["nothing-to-do"]),
    ] {
        careless.sins(sin);
        assert_eq!(broken(&careless.test), rules, "{sin}");
    }
    careless.sins("two-steps");
    let ended = careless.test.cutover(&CONFORMANCE).expect(70);
    assert_golden("conformance-two-steps.txt", &told(&careless.test, ended));
    // In the place of the one of the configuration, which need not be a component.
    let hooks = careless.test.directory().join("hooks");
    fs::rename(hooks.join("careless.wasm"), hooks.join("newer.wasm")).unwrap();
    fs::write(hooks.join("careless.wasm"), "").unwrap();
    let ended = careless.test.cutover(&[&CONFORMANCE[..], &["hooks/newer.wasm"]].concat()).expect(70);
    assert_golden("conformance-two-steps.txt", &told(&careless.test, ended).replace("newer", "careless"));
}

#[test]
fn who_never_settles_does_not_switch() {
    let Some(mut careless) = Careless::new() else { return };
    careless.test.configure("[router]\n", "[router]\ntimeout = \"1s\"\n");
    careless.sins("never-settles");
    let ended = careless.test.cutover(&CONFORMANCE).expect(70);
    assert_golden("conformance-never-settles.txt", &told(&careless.test, ended));
}

/// Moves nginx as the file says, each time a while later, until the value goes.
struct Follower {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    fn start(file: &str, flags: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (file, green, stopped) = (file.to_owned(), flags.join("green"), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::SeqCst) {
                let says_green = fs::read_to_string(&file).is_ok_and(|said| said.contains("green"));
                if says_green != green.exists() {
                    thread::sleep(Duration::from_secs(1));
                    let moved = if says_green { fs::write(&green, "") } else { fs::remove_file(&green) };
                    moved.unwrap();
                }
                thread::sleep(Duration::from_millis(10));
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = self.thread.take().unwrap().join();
    }
}

#[test]
fn front_doors_that_follow_late_are_waited_for() {
    let Some(careless) = Careless::new() else { return };
    let test = &careless.test;
    fs::write(&careless.file, "green").unwrap();
    fs::write(test.nginx.flags().join("blue"), "").unwrap();
    let follower = Follower::start(&careless.file, &test.nginx.flags());
    assert_eq!(broken(test), [] as [&str; 0]);
    eventually("it is put back", Duration::from_secs(10), || (test.live() == "v2 green").then_some(()));
    drop(follower);
}

#[test]
fn a_person_sees_how_far_it_has_come() {
    let Some(test) = twice_deployed(local()) else { return };
    let terminal = test.at_terminal(&["hook", "conformance", "--yes"]);
    terminal.wait_for("  `apply`, at \"");
    terminal.finish().expect(0).expect_text("rules kept");
}

#[test]
fn nothing_is_moved_where_it_can_not_go_back_and_forth() {
    let Some(test) = with_v1(local()) else { return };
    let ended = test.cutover(&CONFORMANCE).expect(11);
    assert_golden("conformance-one-color.txt", &told(&test, ended));
    let ended = test.cutover(&["hook", "conformance"]).expect(2);
    assert_golden("conformance-unconfirmed.txt", &told(&test, ended));
    let ended = test.cutover(&["hook", "conformance", "--yes", "--router", "lb7"]).expect(2);
    assert_golden("conformance-no-router.txt", &told(&test, ended));
    assert_eq!(test.live(), "v1 blue");
}
