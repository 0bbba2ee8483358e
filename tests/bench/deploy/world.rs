//! What both contenders deploy to: hosts of an application, each with an SSH server, and one with nginx before them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use test_support::{Machine, Port, Sshd, Test, demo_program, get};

/// Files of a release beside its program, and bytes of each.
const FILES: usize = 200;
const FILE_BYTES: usize = 20_000;
/// Of those files, so many differ from release to release.
const CHANGED: usize = 20;

/// Hosts, a router, and a tree to deploy. All of it ends with the value.
pub(crate) struct World {
    test: Test,
    tree: PathBuf,
    release: usize,
    script: Script,
}

/// What the script needs for itself: other ports and another front door than cutover's, at the same nginx.
struct Script {
    door: Port,
    colors: [Port; 2],
    config: PathBuf,
    flags: PathBuf,
}

/// One deployment by cutover.
pub(crate) struct Deployed {
    pub(crate) took: Duration,
    pub(crate) events: Vec<Value>,
}

impl World {
    /// Makes one with so many hosts for the application; none where machines can't be simulated.
    pub(crate) fn new(hosts: u8) -> Option<Self> {
        let mut test = Test::fleet_of(env!("CARGO_BIN_EXE_cutover"), "deploy", hosts)?;
        configure(&mut test);
        test.set_up();
        let tree = test.scratch().directory("tree");
        fs::create_dir(tree.join("bin")).expect("a directory");
        fs::copy(demo_program(), tree.join("bin/shop")).expect("the program");
        fs::create_dir(tree.join("public")).expect("a directory");
        let script = Script::new(&test);
        let door = format!(
            "{}{}",
            fs::read_to_string(script.door_file(&test)).expect("set up"),
            script.server(&test)
        );
        fs::write(script.door_file(&test), door).expect("written");
        test.nginx.stop();
        test.start_nginx();
        Some(Self { test, tree, release: 0, script })
    }

    /// Bytes of a release.
    pub(crate) fn release_bytes(&self) -> u64 {
        let program = fs::metadata(self.tree.join("bin/shop")).expect("the program").len();
        program + (FILES * FILE_BYTES) as u64
    }

    /// Deploys the next release with cutover.
    pub(crate) fn cutover(&mut self) -> Deployed {
        self.next_release();
        let tree = self.tree.display().to_string();
        let command = self.test.command(&["--json", "deploy", "--artifact", &tree]);
        let begun = Instant::now();
        let ended = test_support::Running::start(&self.test.desk, command).finish().expect(0);
        let took = begun.elapsed();
        let page = self.test.front_door("/");
        assert!(page.body.starts_with(&format!("v{} ", self.release)), "{}", page.body);
        Deployed { took, events: ended.events() }
    }

    /// Deploys the next release with the script.
    pub(crate) fn script(&mut self) -> Duration {
        self.next_release();
        let mut command = self.script.command(&self.test, &self.tree, self.release);
        let begun = Instant::now();
        let output = command.stdin(Stdio::null()).output().expect("bash");
        let took = begun.elapsed();
        assert!(output.status.success(), "the script failed: {}", String::from_utf8_lossy(&output.stderr));
        let page = get("127.0.0.1", self.script.door.number(), "/").expect("an answer");
        assert!(page.body.starts_with(&format!("v{} ", self.release)), "{}", page.body);
        took
    }

    /// Some files change with each release.
    fn next_release(&mut self) {
        self.release += 1;
        fs::write(self.tree.join("behaviour"), format!("version = v{}\n", self.release)).expect("written");
        let files = if self.release == 1 { FILES } else { CHANGED };
        for number in 0..files {
            fs::write(self.tree.join(format!("public/{number}.css")), text(self.release * FILES + number))
                .expect("written");
        }
    }
}

/// Text of sixteen letters, which compresses to half its size at most; another one for each seed.
fn text(seed: usize) -> Vec<u8> {
    let mut state = seed as u64 + 1;
    let letter = || {
        // Xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        b"abcdefghijklmnop"[(state >> 60) as usize]
    };
    std::iter::repeat_with(letter).take(FILE_BYTES).collect()
}

/// No wait that the script doesn't have; the old colour is stopped at the end; otherwise as it comes.
pub(crate) fn configure(test: &mut Test) {
    let (smoke_test, _) = test.config.split_once("[router]").expect("a router");
    let (_, smoke_test) = smoke_test.split_once("[[smoke-test]]").expect("a smoke test");
    let smoke_test = format!("[[smoke-test]]{smoke_test}");
    let door = format!("http://127.0.0.1:{}/up", test.nginx.port());
    test.configure(&smoke_test, "")
        .configure(
            "watch = \"2s\"\ndrain = { timeout = \"3s\" }",
            "watch = \"0s\"\ndrain = { timeout = \"0s\" }\nretire = \"stop\"",
        )
        .configure(&format!("[{{ url = \"{door}\", via = \"lb1\" }}]"), &format!("[\"{door}\"]"));
}

impl Script {
    fn new(test: &Test) -> Self {
        let flags = test.scratch().directory("script-flags");
        let chmod = Command::new("chmod").arg("777").arg(&flags).status();
        assert!(chmod.expect("chmod").success());
        let host = |(machine, sshd): &(Machine, Sshd)| {
            let (name, address) = (machine.name(), sshd.address());
            format!(
                "Host {name}\n  HostName {}\n  Port {}\n  User {}\n",
                address.ip(),
                address.port(),
                sshd.user()
            )
        };
        let hosts: String = test.hosts.iter().map(host).collect();
        let shared = "Host *\n  BatchMode yes\n  ControlMaster auto\n  ControlPersist 60\n  ControlPath ~/.ssh/script-%C\n";
        let config = test.scratch().write("script-ssh-config", hosts + shared);
        Self { door: Port::take(), colors: [Port::take(), Port::take()], config, flags }
    }

    /// The file of nginx that both front doors are in.
    fn door_file(&self, test: &Test) -> PathBuf {
        test.nginx.config().with_file_name("http.conf")
    }

    /// The script's front door: a flag chooses the colour, as it does for cutover.
    fn server(&self, test: &Test) -> String {
        let mut text = String::new();
        for (color, port) in ["blue", "green"].iter().zip(&self.colors) {
            let app = &test.hosts[..test.hosts.len() - 1];
            let server = |(machine, _): &(Machine, Sshd)| format!("  server {}:{port};\n", machine.address());
            text +=
                &format!("upstream script-{color} {{\n{}}}\n", app.iter().map(server).collect::<String>());
        }
        text + &format!(
            "server {{\n  listen 127.0.0.1:{};\n  location / {{\n    set $script blue;\n    \
             if (-f {}/green) {{ set $script green; }}\n    proxy_pass http://script-$script;\n  }}\n}}\n",
            self.door,
            self.flags.display(),
        )
    }

    fn command(&self, test: &Test, tree: &Path, release: usize) -> Command {
        let names: Vec<&str> = test.hosts.iter().map(|(machine, _)| machine.name()).collect();
        let (router, hosts) = names.split_last().expect("a router");
        let mut command = test.desk.command("bash", Path::new("/"));
        command
            .args(["-c", include_str!("script.sh")])
            .env("CONFIG", &self.config)
            .env("HOSTS", hosts.join(" "));
        command.env("ROUTER", router).env("TREE", tree).env("RELEASE", format!("{release:06}"));
        command.env("BLUE", self.colors[0].to_string()).env("GREEN", self.colors[1].to_string());
        command.env("FLAGS", &self.flags);
        command
    }
}
