//! Varnish and a label of its VCLs as the router, by the hook in Go of `example-hooks/varnish`.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cutover::model::HookKind;
use test_support::{Behaviour, Port, Process, Test, eventually, get};

use crate::hooks::of_template;
use crate::local;

/// A real Varnish; it ends with the value.
struct Varnish {
    directory: PathBuf,
    port: Port,
    process: Option<Process>,
}

impl Varnish {
    /// Starts it with what the script of `cutover setup` tells, and what the hook has written for the next start.
    fn start(&mut self, test: &Test) {
        let own = self.directory.display();
        let script = test.setup_script("local");
        let (_, told) = script.split_once("# Then, in /etc/varnish/start.cli").unwrap();
        let lines = told.lines().skip(1).map_while(|line| line.strip_prefix("#     "));
        let mut start: String = lines.map(|line| format!("{line}\n")).collect();
        start.push_str(&fs::read_to_string(self.directory.join("shop.cli")).unwrap());
        start.push_str(&format!("vcl.load main {own}/main.vcl\nvcl.use main\n"));
        let all = "vcl 4.1;\nbackend none none;\nsub vcl_recv { return (vcl(shop)); }\n";
        fs::write(self.directory.join("main.vcl"), all).unwrap();
        fs::write(self.directory.join("start.cli"), start).unwrap();
        let mut varnishd = test.router().command("/usr/sbin/varnishd", Path::new("/"));
        varnishd.args(["-F", "-j", "none", "-s", "malloc,16M", "-f", "", "-a"]);
        varnishd.arg(format!("127.0.0.1:{}", self.port)).arg("-n").arg(self.directory.join("instance"));
        varnishd.arg("-I").arg(self.directory.join("start.cli"));
        let mut process = Process::start(varnishd, &self.directory.join("log"));
        // It listens before it answers.
        eventually("Varnish answers", Duration::from_secs(30), || {
            assert!(process.ended().is_none(), "Varnish ended: {}", process.log());
            get("127.0.0.1", self.port.number(), "/").ok()
        });
        self.process = Some(process);
    }

    /// Ends it. Its worker, which has the port, goes a moment later.
    fn stop(&mut self) {
        self.process = None;
        eventually("Varnish is gone", Duration::from_secs(10), || {
            TcpListener::bind(("127.0.0.1", self.port.number())).ok()
        });
    }
}

/// A world whose front door is Varnish, set up by what `cutover setup` prints, with `v1` live.
fn with_v1() -> Option<(Test, Varnish)> {
    let mut test = local()?;
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../example-hooks/varnish");
    let files = ["hook.go", "hook_test.go", "imports_wasm.go"]
        .map(|file| (file, fs::read_to_string(example.join(file)).unwrap()));
    let wasm =
        of_template("go", HookKind::Router, "varnish", &test.scratch().directory("hooks"), &[], &files)?;
    fs::write(test.directory().join("varnish.wasm"), wasm).unwrap();
    let directory = test.scratch().directory("varnish");
    let own = directory.display();
    let instance = format!("{own}/instance");
    let mut varnish = Varnish { directory: directory.clone(), port: Port::take(), process: None };
    test.route_by(
        "varnish.wasm",
        &format!("{{ directory = \"{own}\", instance = \"{instance}\" }}"),
        varnish.port.number(),
    );
    let admin = |words: &str, more: &str| {
        format!(
            "{{ hosts = \"routers\", program = \"/usr/bin/varnishadm\", args = [\"-n\", \"{instance}\", {words}]{more} }}"
        )
    };
    let file = format!("[{{ hosts = \"routers\", path = \"{own}/shop.cli\" }}]");
    let exec = [
        admin("\"vcl.list\"", ", read-only = true"),
        admin("\"ban\", \"obj.http.x-cutover\", \"==\", \"*\"", ""),
        admin("\"vcl.label\", \"shop\", \"*\"", ""),
    ];
    let grants = format!("grants = {{ exec = [{}], read = {file}, write = {file} }}\n", exec.join(", "));
    test.configure("hook = \"varnish.wasm\"\n", &format!("hook = \"varnish.wasm\"\n{grants}"));
    test.set_up();
    varnish.start(&test);
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v1 blue");
    Some((test, varnish))
}

#[test]
fn varnish_is_switched_goes_on_after_a_restart_and_keeps_the_contract() {
    let Some((test, mut varnish)) = with_v1() else { return };
    let load = test.load();
    for (version, live) in [("v2", "v2 green"), ("v3", "v3 blue")] {
        let _ = test.deploy(version, Behaviour::Sound).expect(0);
        assert_eq!(test.live(), live);
    }
    load.finish().assert_none_failed();

    varnish.stop();
    varnish.start(&test);
    assert_eq!(test.live(), "v3 blue");
    let _ = test.cutover(&["status", "--check"]).expect(0);
    let _ = test.cutover(&["hook", "conformance", "--yes"]).expect(0);
    assert_eq!(test.live(), "v3 blue");
}
