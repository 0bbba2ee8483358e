//! `cutover check --against`: each pull request of `tests/against` is told by what it widens, and nothing of what it names is touched.
//!
//! `tests/against/BASE/project` is a project, `tests/against/BASE/NAME.diff` a pull request against it and `NAME.txt` what is said of it.
//! A name that begins with `no-` is one that widens nothing.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::{Ended, SYSTEM_PATH, Scratch, assert_golden, skip};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cutover");

/// Programs that a configuration or a connection would start: each leaves a trace.
const TRAPS: [&str; 9] = ["ssh", "ssh-keyscan", "sudo", "sh", "make", "npm", "pass", "curl", "docker"];

/// A checkout with a project in it.
struct Checkout {
    scratch: Scratch,
}

impl Checkout {
    fn new() -> Self {
        let scratch = Scratch::new();
        for directory in ["home", "checkout", "traps"] {
            scratch.directory(directory);
        }
        for name in TRAPS {
            let script = format!("#!/bin/sh\necho {name} >> {}\n", scratch.join("touched").display());
            let path = scratch.write(format!("traps/{name}"), script);
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let checkout = Self { scratch };
        checkout.git(&["init", "--quiet", "--initial-branch", "main"]);
        checkout
    }

    /// With a project of `tests/against`, committed.
    fn of(base: &str) -> Self {
        let checkout = Self::new();
        copy(&corpus().join(base).join("project"), &checkout.directory());
        checkout.commit("Before");
        checkout
    }

    fn directory(&self) -> PathBuf {
        self.scratch.join("checkout")
    }

    fn write(&self, name: &str, text: &str) {
        self.scratch.write(format!("checkout/{name}"), text);
    }

    fn git(&self, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]).args(args);
        command.current_dir(self.directory()).env("HOME", self.scratch.join("home"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn commit(&self, subject: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", subject]);
    }

    /// A run that finds nothing but traps on its PATH, and is ended when it waits for something.
    fn command(&self, before: &[&str], words: &[&str]) -> Command {
        let mut command = Command::new(installed("timeout").unwrap());
        command.arg("60").args(before).arg(PROGRAM).args(words).current_dir(self.directory()).env_clear();
        command.env("HOME", self.scratch.join("home")).env("PATH", self.scratch.join("traps"));
        command.env("SHOP_DATABASE_URL", "canary-of-the-environment");
        command
    }

    fn run(&self, words: &[&str]) -> Ended {
        let output = self.command(&[], words).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended {
            status: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// What a person reads, wherever this lies.
    fn told(&self, ended: &Ended) -> String {
        let text = format!("{}{}", ended.stdout, ended.stderr);
        let commit = self.git(&["rev-parse", "HEAD"]);
        let text = text.replace(&commit, "COMMIT").replace(&commit[..12], "COMMIT");
        text.replace(self.scratch.path().to_str().unwrap(), "SCRATCH")
    }

    fn assert_untouched(&self) {
        let touched = fs::read_to_string(self.scratch.join("touched")).unwrap_or_default();
        assert_eq!(touched, "", "programs that were started");
    }
}

/// Where a program of the system is, which is on no PATH here.
fn installed(name: &str) -> Option<PathBuf> {
    SYSTEM_PATH.split(':').map(|directory| Path::new(directory).join(name)).find(|path| path.is_file())
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("tests").join("against")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn pull_requests(base: &str) -> Vec<String> {
    let names = fs::read_dir(corpus().join(base)).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let mut names: Vec<String> =
        names.filter_map(|name| Some(name.strip_suffix(".diff")?.to_owned())).collect();
    names.sort();
    names
}

#[test]
fn each_pull_request_is_told_by_what_it_widens() {
    let mut wider = 0;
    for base in ["fleet", "scripts", "small"] {
        let checkout = Checkout::of(base);
        let same = checkout.run(&["check", "--against", "HEAD"]).expect(0);
        assert!(same.stdout.contains("nothing got wider"), "{}", same.stdout);
        for name in pull_requests(base) {
            let diff = corpus().join(base).join(format!("{name}.diff"));
            checkout.git(&["apply", diff.to_str().unwrap()]);
            let ended = checkout.run(&["check", "--against", "HEAD"]);
            assert_golden(&format!("../against/{base}/{name}.txt"), &checkout.told(&ended));
            let narrow = name.starts_with("no-");
            assert_eq!(ended.status, if narrow { 0 } else { 60 }, "{name}: {}", checkout.told(&ended));
            wider += usize::from(!narrow);
            checkout.git(&["reset", "--quiet", "--hard"]);
            checkout.git(&["clean", "--quiet", "-fd"]);
        }
        checkout.assert_untouched();
    }
    assert!(wider >= 40, "{wider} pull requests that widen something");
}

#[test]
fn tools_read_the_same_and_one_environment_can_be_meant() {
    let checkout = Checkout::of("fleet");
    let apply = |name: &str| {
        checkout.git(&["reset", "--quiet", "--hard"]);
        checkout.git(&["apply", corpus().join(format!("fleet/{name}.diff")).to_str().unwrap()]);
    };
    apply("environment-only");
    let json = checkout.run(&["check", "--against", "HEAD", "--json"]).expect(60);
    assert_golden("against.json", &checkout.told(&json));
    let one = checkout.run(&["check", "--against", "HEAD", "-e", "production"]).expect(60);
    assert!(one.stdout.contains("processes run as `root`"), "{}", one.stdout);
    let other = checkout.run(&["check", "--against", "HEAD", "-e", "staging"]).expect(0);
    assert!(other.stdout.contains("staging: nothing got wider"), "{}", other.stdout);
    assert_eq!(
        checkout.run(&["check", "--against", "HEAD", "-e", "staging", "--quiet"]).expect(0).stdout,
        ""
    );
    // A hook that nothing locks is one that may hold anything.
    let _ = checkout.run(&["check", "--against", "HEAD", "--locked"]).expect(50);
}

#[test]
fn what_can_not_be_compared_is_said() {
    let checkout = Checkout::new();
    checkout.commit("Nothing");
    checkout.git(&["tag", "empty"]);
    let keep = |tag: &str, change: &dyn Fn()| {
        copy(&corpus().join("fleet/project"), &checkout.directory());
        change();
        checkout.commit(tag);
        checkout.git(&["tag", tag]);
        checkout.git(&["rm", "--quiet", "-r", "."]);
    };
    keep("sound", &|| {});
    keep("no-toml", &|| checkout.write("cutover.toml", "name = shop\n"));
    keep("faults", &|| checkout.write("cutover.toml", "name = \"shop\"\nbiuld = {}\n"));
    keep("no-hook", &|| fs::remove_file(checkout.directory().join("hooks/router.wasm")).unwrap());
    keep("no-lock", &|| checkout.write("cutover.lock", "<<<<<<< ours\n"));
    keep("no-keys", &|| checkout.write("cutover.known_hosts", "web1 ssh-rsa\n"));
    keep("link", &|| {
        let file = checkout.directory().join("cutover.toml");
        fs::remove_file(&file).unwrap();
        symlink("/etc/passwd", file).unwrap();
    });
    keep("binary", &|| fs::write(checkout.directory().join("cutover.lock"), [0xff, 0xfe]).unwrap());
    keep("large", &|| checkout.write("cutover.toml", &"#".repeat(1 << 21)));
    copy(&corpus().join("fleet/project"), &checkout.directory());

    let mut text = String::new();
    let mut run = |words: &[&str], status: i32| {
        text.push_str(&format!("$ cutover {}\n", words.join(" ")));
        text.push_str(&checkout.told(&checkout.run(words).expect(status)));
    };
    for (revision, status) in [
        ("nothing", 2),
        ("", 2),
        ("HEAD:cutover.toml", 2),
        ("empty", 50),
        ("no-toml", 50),
        ("faults", 50),
        ("no-hook", 50),
        ("no-lock", 50),
        ("no-keys", 50),
        ("link", 50),
        ("binary", 50),
        ("large", 50),
    ] {
        run(&["check", "--against", revision], status);
    }
    run(&["check", "--against=--output=x"], 2);
    run(&["check", "--against", "sound", "--hosts"], 2);
    run(&["check", "--against", "sound", "-e", "qa"], 50);
    run(&["check", "--against", "nothing", "--json"], 2);
    fs::remove_file(checkout.directory().join("hooks/cart.wasm")).unwrap();
    run(&["check", "--against", "sound"], 50);
    copy(&corpus().join("fleet/project"), &checkout.directory());
    fs::rename(checkout.directory().join(".git"), checkout.scratch.join("history")).unwrap();
    let ended = checkout.run(&["check", "--against", "sound"]).expect(11);
    let told = format!("{}{}", ended.stdout, ended.stderr);
    text.push_str("$ cutover check --against sound\n");
    text.push_str(&told.replace(checkout.scratch.path().to_str().unwrap(), "SCRATCH"));
    assert_golden("against-bad-input.txt", &text);
    checkout.assert_untouched();
}

/// Whoever changes files of a project does not decide what the past was.
#[test]
fn a_change_can_not_bring_a_past_of_its_own() {
    let checkout = Checkout::new();
    let there = checkout.directory();
    for name in ["deploy", "examples/demo"] {
        copy(&corpus().join("small/project"), &there.join(name));
    }
    checkout.commit("Before");
    let mut text = String::new();
    let mut run = |what: &str, file: &str, revision: &str, status: i32| {
        let ended = checkout.run(&["check", "-c", file, "--against", revision]).expect(status);
        text.push_str(&format!(
            "# {what}\n$ cutover check -c {file} --against {revision}\n{}",
            checkout.told(&ended)
        ));
    };
    run("as it is", "deploy/cutover.toml", "main", 0);

    checkout.git(&["tag", "main"]);
    run("a tag called as the branch", "deploy/cutover.toml", "main", 2);
    checkout.git(&["tag", "-d", "main"]);

    // What git takes for a repository: as plain files of a commit.
    for directory in ["objects", "refs"] {
        fs::create_dir(there.join("deploy").join(directory)).unwrap();
    }
    checkout.write("deploy/HEAD", "ref: refs/heads/main\n");
    checkout
        .write("deploy/config", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n");
    run("a repository among the files", "deploy/cutover.toml", "main", 60);
    checkout
        .write("deploy/config", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ..\n");
    run("one that names the work tree around it", "deploy/cutover.toml", "main", 60);

    fs::rename(there.join("deploy"), checkout.scratch.join("moved")).unwrap();
    symlink("examples/demo", there.join("deploy")).unwrap();
    run("another project behind a link", "deploy/cutover.toml", "main", 50);
    fs::remove_file(there.join("deploy")).unwrap();

    let known = there.join("examples/demo/cutover.known_hosts");
    symlink("/nonexistent", &known).unwrap();
    run("a file behind a link", "examples/demo/cutover.toml", "main", 50);
    fs::remove_file(known).unwrap();

    let inner = there.to_str().unwrap().to_owned();
    checkout.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "--", &inner, "part"]);
    run("a submodule", "part/deploy/cutover.toml", "main", 11);
    assert_golden("against-own-past.txt", &text);
    checkout.assert_untouched();
}

/// Everything that a configuration can name is there and would tell: a program for a secret, a file with one that nobody could open without
/// waiting, hosts and front doors that count their callers. Beneath it, the system calls themselves.
#[test]
fn nothing_that_a_configuration_names_is_touched() {
    let checkout = Checkout::of("fleet");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let pipe = checkout.scratch.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let trap = checkout.scratch.join("traps/pass");
    // What a checkout's own settings name is no more git's to start.
    for key in [
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.editor",
        "filter.x.smudge",
        "diff.x.textconv",
    ] {
        checkout.git(&["config", key, checkout.scratch.join("traps/sh").to_str().unwrap()]);
    }
    checkout.write(".git/info/attributes", "* filter=x diff=x\n");
    let file = checkout.directory().join("cutover.toml");
    let text = fs::read_to_string(&file).unwrap();
    let text = text
        .replace("{ env = \"SHOP_DATABASE_URL\" }", &format!("{{ command = [\"{}\"] }}", trap.display()))
        .replace("\"secrets/lb-token\"", &format!("\"{}\"", pipe.display()))
        .replace("deploy@web1.example.com", &format!("deploy@127.0.0.1:{port}"))
        .replace("deploy@lb1.example.com", &format!("deploy@localhost:{port}"))
        .replace("git@example.com:shop.git", &format!("https://127.0.0.1:{port}/shop.git"))
        .replace("https://shop.example.com", &format!("http://127.0.0.1:{port}"))
        .replace("https://api.example.com", &format!("http://127.0.0.1:{port}"));
    fs::write(&file, text).unwrap();
    checkout.write("hooks/router.wasm", "no component at all");

    let told = checkout.run(&["check", "--against", "HEAD"]).expect(60).stdout;
    for text in ["comes from the program", "comes from the file", "is reached as", "is another component"] {
        assert!(told.contains(text), "{text}: {told}");
    }
    assert!(!told.contains("canary"), "{told}");
    checkout.assert_untouched();
    assert!(listener.accept().is_err(), "nobody called");

    let Some(strace) = installed("strace") else {
        return skip("strace is not installed: only traps, not system calls, tell what was touched");
    };
    let log = checkout.scratch.join("calls");
    let (strace, out) = (strace.to_str().unwrap(), log.to_str().unwrap());
    let tracing = [strace, "-f", "-qq", "-e", "trace=execve,execveat,socket,connect,open,openat", "-o", out];
    let ended = checkout.command(&tracing, &["check", "--against", "HEAD"]).output().unwrap();
    assert_eq!(ended.status.code(), Some(60), "{}", String::from_utf8_lossy(&ended.stderr));
    let calls = fs::read_to_string(&log).unwrap();
    let started = |line: &&str| line.contains("execve") && line.ends_with("= 0");
    let (git, others): (Vec<&str>, Vec<&str>) =
        calls.lines().filter(started).partition(|line| line.contains("/git\", [\"git\""));
    // Itself alone, which is no sandbox either; and nothing that git would start.
    assert!(others.len() == 1 && others[0].contains(PROGRAM), "{others:#?}");
    assert!(git.len() > 3, "{calls}");
    let touched = |line: &&str| {
        line.contains("AF_INET") || line.contains("connect(") || line.contains(pipe.to_str().unwrap())
    };
    assert_eq!(calls.lines().filter(touched).collect::<Vec<_>>(), [""; 0], "connections and secrets");
}
