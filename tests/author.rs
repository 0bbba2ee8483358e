//! What `cutover hook new` writes is tested by its language's own tools, built by `cutover hook build`, and deployed with.

use std::process::Command;

use test_support::{Balancer, Behaviour, Test, assert_golden, toolchain};

use crate::local;

const KINDS: [&str; 4] = ["build", "health-check", "smoke-test", "router"];

/// A world with a project, in which hooks are begun.
struct Author {
    test: Test,
    language: &'static str,
    /// What the compilers need.
    variables: Vec<(String, String)>,
}

impl Author {
    fn new(language: &'static str) -> Option<Self> {
        Some(Self { test: local()?, language, variables: Vec::new() })
    }

    /// Begins a hook whose name is its kind, and installs what builds it. False, with a word why, where that can't be.
    fn begin(&mut self, kind: &str) -> bool {
        let words = ["hook", "new", kind, "--kind", kind, "--lang", self.language];
        let _ = self.test.cutover(&words).expect(0);
        let installed = toolchain(self.language, &self.test.directory().join(kind));
        self.variables = installed.clone().unwrap_or_default();
        installed.is_some()
    }

    /// Runs a program of this machine, where the compilers are, in the project or a hook's directory.
    fn run(&self, directory: &str, program: &str, args: &[&str]) -> String {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.test.directory().join(directory));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        // Not that of whoever runs the tests.
        for (name, place) in [("XDG_CACHE_HOME", "cache"), ("XDG_STATE_HOME", "state")] {
            command.env(name, self.test.scratch().directory(place));
        }
        let ended = command.output().unwrap();
        let text =
            [ended.stdout, ended.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert!(ended.status.success(), "{program} {args:?} in {directory}: {text}");
        text
    }

    fn build(&self, hook: &str) -> String {
        self.run("", env!("CARGO_BIN_EXE_cutover"), &["hook", "build", hook])
    }

    /// Deploys with a health check, and sees that it was asked.
    fn deploy_with_health_check(&mut self) {
        let test = &mut self.test;
        test.configure(
            "[health-check]\n",
            "[health-check]\nhook = \"health-check/health-check.wasm\"\ngrants = { http = [{ to = \"instances\" }] }\n",
        );
        test.set_up();
        let deployed = test.deploy("v1", Behaviour::Sound).expect(0);
        assert!(deployed.stdout.contains("2 of 2, each says release 1"), "{}", deployed.stdout);
        assert_eq!(test.live(), "v1 blue");
        test.configure("settings = { path = \"/up\" }", "settings = { path = \"up\" }");
        let refused = test.cutover(&["check"]).expect(50);
        assert!(refused.stderr.contains("`up` does not begin with `/`"), "{}", refused.stderr);
    }

    /// Deploys twice with a router in front of which a balancer is, and holds it against its contract.
    fn deploy_with_router(&mut self) {
        let test = &mut self.test;
        let (blue, green) = test.ports();
        let balancer = Balancer::start(format!("127.0.0.1:{blue}"), format!("127.0.0.1:{green}"));
        test.route_by("router/router.wasm", &format!("{{ url = \"{}\" }}", balancer.url()), balancer.door());
        let grants =
            format!("grants = {{ http = [{{ to = \"{}\", via = \"routers\" }}] }}", balancer.origin());
        test.configure(
            "hook = \"router/router.wasm\"\n",
            &format!("hook = \"router/router.wasm\"\n{grants}\n"),
        );
        let _ = test.deploy("v1", Behaviour::Sound).expect(0);
        assert_eq!(test.live(), "v1 blue");
        let _ = test.deploy("v2", Behaviour::Sound).expect(0);
        assert_eq!(test.live(), "v2 green");
        let _ = test.cutover(&["hook", "conformance", "--yes"]).expect(0);
    }
}

#[test]
fn in_rust_every_kind_is_tested_and_built() {
    let Some(mut author) = Author::new("rust") else { return };
    for kind in KINDS {
        assert!(author.begin(kind));
        assert!(author.run(kind, "cargo", &["test"]).contains("test result: ok. 1 passed"));
        let told = author.build(kind);
        assert!(told.contains(&format!("{kind}/{kind}.wasm  {kind} hook (contract 0.1.0)")), "{told}");
    }
    author.deploy_with_health_check();
}

#[test]
fn in_javascript_every_kind_is_tested_and_built() {
    let Some(mut author) = Author::new("js") else { return };
    for kind in KINDS {
        if !author.begin(kind) {
            return;
        }
        assert!(author.run(kind, "node", &["--test"]).contains("pass 1"));
        let told = author.build(kind);
        assert!(told.contains(&format!("{kind}/{kind}.wasm  {kind} hook (contract 0.1.0)")), "{told}");
    }
    author.deploy_with_health_check();
}

#[test]
fn a_router_in_javascript_moves_traffic() {
    let Some(mut author) = Author::new("js") else { return };
    if author.begin("router") {
        author.build("router");
        author.deploy_with_router();
    }
}

#[test]
fn in_typescript_types_are_checked_and_a_hook_built() {
    let Some(mut author) = Author::new("ts") else { return };
    for kind in KINDS {
        if !author.begin(kind) {
            return;
        }
        let told = author.build(kind);
        assert!(told.contains(&format!("{kind}/{kind}.wasm  {kind} hook (contract 0.1.0)")), "{told}");
        assert!(author.run(kind, "node", &["--test"]).contains("pass 1"));
    }
    author.deploy_with_health_check();
}

#[test]
fn in_python_a_hook_is_tested_built_and_deployed_with() {
    let Some(mut author) = Author::new("python") else { return };
    for kind in KINDS {
        if !author.begin(kind) {
            return;
        }
        author.run(kind, ".venv/bin/componentize-py", &["-d", "wit", "-w", "hook", "bindings", "stubs"]);
        assert!(author.run(kind, "python3", &["-m", "unittest"]).ends_with("OK\n"));
    }
    let told = author.build("health-check");
    assert!(told.contains("health-check hook (contract 0.1.0)"), "{told}");
    author.deploy_with_health_check();
}

#[test]
fn in_c_every_kind_is_tested_and_built() {
    let Some(mut author) = Author::new("c") else { return };
    for kind in KINDS {
        if !author.begin(kind) {
            return;
        }
        assert!(author.run(kind, "make", &["test"]).ends_with("\nok\n"));
        let told = author.build(kind);
        assert!(told.contains(&format!("{kind}/{kind}.wasm  {kind} hook (contract 0.1.0)")), "{told}");
    }
    author.deploy_with_health_check();
}

#[test]
fn a_router_in_c_moves_traffic() {
    let Some(mut author) = Author::new("c") else { return };
    if author.begin("router") {
        author.build("router");
        author.deploy_with_router();
    }
}

#[test]
fn what_is_begun_and_what_stands_in_its_way_is_told() {
    let Some(test) = local() else { return };
    let mut text = String::new();
    let mut run = |words: &[&str], status: i32| {
        let ended = test.cutover(&[&["hook"], words].concat()).expect(status);
        text.push_str(&format!("$ cutover hook {}\n{}{}", words.join(" "), ended.stdout, ended.stderr));
    };
    let router = ["--kind", "router"];
    run(&[&["new", "hooks/lb", "--lang", "js", "--needs", "hosts,secrets"], &router[..]].concat(), 0);
    run(&[&["new", "hooks/lb", "--lang", "rust"], &router[..]].concat(), 11);
    run(&[&["new", "My_LB", "--lang", "rust"], &router[..]].concat(), 2);
    run(&[&["new", "42", "--lang", "rust"], &router[..]].concat(), 2);
    run(&[&["new", "lb", "--lang", "rust", "--needs", "hosts"], &router[..]].concat(), 2);
    run(&["new", "lb", "--lang", "rusty", "--kind", "router"], 2);
    run(&["new", "lb", "--lang", "rust", "--kind", "routers"], 2);
    run(&["build"], 50);
    run(&["build", "hooks/lb"], 11);
    let manifest = test.directory().join("hooks/lb/hook.toml");
    let was = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, was.replace("\"js\"", "\"cobol\"")).unwrap();
    run(&["build", "hooks/lb"], 50);

    // A compiler that fails, and one that makes something else.
    let tools = test.directory().join("hooks/lb/node_modules/.bin");
    std::fs::create_dir_all(&tools).unwrap();
    let compiler = tools.join("componentize-qjs");
    for script in [
        "echo bundling; echo 'SyntaxError: at hook.js:3' >&2; exit 1",
        "printf '\\0asm\\1\\0\\0\\0' > lb.wasm",
    ] {
        std::fs::write(&manifest, &was).unwrap();
        std::fs::write(&compiler, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&compiler, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        run(&["build", "hooks/lb"], if script.contains("exit") { 11 } else { 50 });
    }
    let smoke = cutover::bundled::hook("http-smoke").unwrap().wasm;
    std::fs::write(test.directory().join("hooks/lb/smoke.wasm"), smoke).unwrap();
    std::fs::write(&compiler, "#!/bin/sh\ncp smoke.wasm lb.wasm\n").unwrap();
    run(&["build", "hooks/lb"], 50);
    std::fs::write(&manifest, was.replace("\"router\"", "\"smoke-test\"")).unwrap();
    let ended = test.cutover(&["hook", "build", "hooks/lb"]).expect(0);
    let lines =
        "[[smoke-test]]\nname = \"…\"\nhook = \"hooks/lb/lb.wasm\"\n\n[smoke-test.grants]\nhttp = []\n";
    assert!(ended.stdout.ends_with(&format!("for the configuration:\n{lines}")), "{}", ended.stdout);
    assert_golden("author.txt", &text);
}

#[test]
fn in_go_every_kind_is_tested_and_built() {
    let Some(mut author) = Author::new("go") else { return };
    for kind in KINDS {
        if !author.begin(kind) {
            return;
        }
        assert!(author.run(kind, "go", &["test", "."]).starts_with(&format!("ok  \tlocal/{kind}\t")));
        let told = author.build(kind);
        assert!(told.contains(&format!("{kind}/{kind}.wasm  {kind} hook (contract 0.1.0)")), "{told}");
    }
    author.deploy_with_health_check();
}

#[test]
fn a_router_in_go_moves_traffic() {
    let Some(mut author) = Author::new("go") else { return };
    if author.begin("router") {
        author.build("router");
        author.deploy_with_router();
    }
}

/// What calls more than its world has is told which line is missing there.
#[test]
fn a_module_that_does_not_fit_its_world_is_told() {
    let Some(test) = local() else { return };
    let _ = test.cutover(&["hook", "new", "ready", "--kind", "health-check", "--lang", "c"]).expect(0);
    let directory = test.directory().join("ready");
    let world = directory.join("wit/world.wit");
    let was = std::fs::read_to_string(&world).unwrap();
    std::fs::write(&world, was.replace("    import cutover:hook/hosts@0.1.0;\n", "")).unwrap();
    let module =
        "(module (import \"cutover:hook/hosts@0.1.0\" \"remove\" (func (param i32 i32 i32 i32 i32))))";
    std::fs::write(directory.join("module.wasm"), wat::parse_str(module).unwrap()).unwrap();
    std::fs::create_dir_all(directory.join(".venv/bin")).unwrap();
    let compiler = directory.join(".venv/bin/python-zig");
    std::fs::write(&compiler, "#!/bin/sh\ncp module.wasm ready.wasm\n").unwrap();
    std::fs::set_permissions(&compiler, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let told = |status: i32| test.cutover(&["hook", "build", "ready"]).expect(status).stderr;
    assert_eq!(
        told(11),
        "error[hook/not-built]: the hook calls `cutover:hook/hosts@0.1.0`, which `wit/world.wit` does not import\n  \
         hint: add to it: `import cutover:hook/hosts@0.1.0;`\n"
    );
    std::fs::write(&world, was).unwrap();
    assert_eq!(
        told(11),
        "error[hook/not-built]: what the compiler has made fits no component of `wit/world.wit`: failed to find export of interface `cutover:hook/health-check@0.1.0` function \
         `validate`\n"
    );
    assert!(!directory.join("ready.wasm").exists(), "the module is still there");
}
