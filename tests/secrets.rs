//! A secret reaches the environment of the application's processes, and nothing else.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use test_support::{Behaviour, Test, assert_golden};

use crate::hooks::stranger;
use crate::{fleet, local};

const SECRET: &str = "hunter2-correct-horse";

/// The world with a secret of a command and one of a file.
fn with_secrets() -> Option<Test> {
    let mut test = local()?;
    test.set_up();
    let key = test.scratch().join("key");
    fs::write(&key, format!("{SECRET}-of-file\n")).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    test.config.push_str(&format!(
        "\n[app.env]\nTOKEN = {{ secret = \"token\" }}\nKEY = {{ secret = \"key\" }}\n\n\
         [secrets]\ntoken = {{ command = [\"sh\", \"-c\", \"echo ran >> ran; echo {SECRET_PARTS}\"] }}\nkey = {{ file = \"{key}\" }}\n",
        key = key.display(),
        SECRET_PARTS = "hunter2-'correct'-horse-of-command",
    ));
    test.configure(
        "listen = \"127.0.0.1\"\n",
        "listen = \"127.0.0.1\"\nmigrate = [\"bin/shop\", \"migrate\"]\n",
    );
    Some(test)
}

/// Files that hold a text.
fn holders(place: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            holders(&path, found);
        } else if kind.is_file() && fs::read(&path).is_ok_and(|bytes| contains(&bytes, SECRET.as_bytes())) {
            found.push(path);
        }
    }
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

#[test]
fn a_secret_is_in_private_files_of_the_environment_alone() {
    let Some(test) = with_secrets() else { return };
    for command in ["check", "plan", "config", "status"] {
        let ended = test.cutover(&[command]);
        let said = ended.stdout + &ended.stderr;
        assert!(!said.contains(SECRET), "{command}: {said}");
        assert!(!test.directory().join("ran").exists(), "`{command}` has run the secret's program");
    }
    for (version, behaviour) in
        [("v1", Behaviour::Sound), ("v2", Behaviour::FailsSmokeTest), ("v3", Behaviour::Sound)]
    {
        test.repository.push(version, behaviour);
        let ended = test.start(&["deploy", "--json", "-m", "a message"]).finish();
        let said = ended.stdout + &ended.stderr;
        assert!(!said.contains(SECRET), "{version}: {said}");
    }
    assert_eq!(test.live(), "v3 green");
    for command in [&["status", "--json"][..], &["history", "--json"], &["logs"], &["config", "--json"]] {
        let ended = test.cutover(command);
        let said = ended.stdout + &ended.stderr;
        assert!(!said.contains(SECRET), "{command:?}: {said}");
    }
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let words = fs::read(process.path().join("cmdline")).unwrap_or_default();
        // The test's own searches have no such argument.
        assert!(!contains(&words, SECRET.as_bytes()), "{}", String::from_utf8_lossy(&words));
    }

    let mut found = Vec::new();
    for place in ["/root", "/srv", "/var/lib", "/home", "/etc"] {
        holders(&test.desk.outside(place), &mut found);
    }
    assert!(!found.is_empty());
    let own = test.desk.outside("/srv/shop/env");
    for path in found {
        assert_eq!(path.parent(), Some(own.as_path()), "{}", path.display());
        let mode = path.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, 0o600, "{}", path.display());
    }
    assert_eq!(own.metadata().unwrap().permissions().mode() & 0o7777, 0o700);
}

/// Looks at the arguments of every process there is until told to stop: those that held the secret.
fn watch_arguments(over: Arc<AtomicBool>) -> std::thread::JoinHandle<Vec<String>> {
    std::thread::spawn(move || {
        let mut found = Vec::new();
        while !over.load(Ordering::Relaxed) {
            for process in fs::read_dir("/proc").unwrap().flatten() {
                let words = fs::read(process.path().join("cmdline")).unwrap_or_default();
                if contains(&words, SECRET.as_bytes()) {
                    found.push(String::from_utf8_lossy(&words).into_owned());
                }
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        found
    })
}

#[test]
fn process_migration_and_exec_have_one_environment_also_after_a_rollback() {
    let Some(mut test) = fleet() else { return };
    let names = "TOKEN|PLAIN|SIDE|FROM_FILE|BOTH|CUTOVER_RELEASE|CUTOVER_COLOR|PORT";
    let show = format!("env | grep -E '^({names})=' | sort");
    // The migration is told to keep what it saw, the process what it was started with.
    test.configure(
        "stop-timeout",
        &format!("migrate = [\"sh\", \"-c\", \"umask 077; {show} > migrated\"]\nenv-file = \"shared/.env\"\nstop-timeout"),
    );
    test.configure(
        "start = [\"bin/shop\", ",
        &format!(
            "start = [\"sh\", \"-c\", \"umask 077; {show} > started; exec bin/shop \\\"$@\\\"\", \"shop\", "
        ),
    );
    let (blue, green) = test.ports();
    for (port, side) in [(blue, "left"), (green, "right")] {
        test.configure(
            &format!("{{ port = {port} }}"),
            &format!("{{ port = {port}, env = {{ SIDE = \"{side}\" }} }}"),
        );
    }
    let token = test.scratch().join("token");
    test.config.push_str(&format!(
        "\n[app.env]\nTOKEN = {{ secret = \"token\" }}\nPLAIN = \"it's $HOME \\\"quoted\\\"\"\nBOTH = \"of the configuration\"\n\n\
         [secrets]\ntoken = {{ file = \"{}\" }}\n",
        token.display()
    ));
    let set = |value: &str| {
        fs::write(&token, format!("{SECRET}-{value}\n")).unwrap();
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    };
    set("one");
    test.set_up();
    for host in ["web1", "web2"] {
        let shared = test.machine(host).outside("/srv/shop/shared");
        fs::create_dir_all(&shared).unwrap();
        fs::write(shared.join(".env"), "FROM_FILE='of the operator'\nBOTH=of_the_file\n").unwrap();
    }
    let over = Arc::new(AtomicBool::new(false));
    let watching = watch_arguments(Arc::clone(&over));
    let deploy = |version: &str| {
        test.repository.push(version, Behaviour::Sound);
        let ended = test.start(&["deploy", "--json", "-vv"]).finish().expect(0);
        let said = ended.stdout + &ended.stderr;
        assert!(!said.contains(SECRET), "{version}: {said}");
    };
    let exec = |choice: &[&str], script: &str| {
        // With the secret in it on purpose: what a program prints for its own user is passed on.
        test.cutover(&[&["exec"], choice, &["--", "sh", "-c", script]].concat()).expect(0).stdout
    };
    let expected = |side: &str, port: u16, value: &str, color: &str, release: &str| {
        format!(
            "BOTH=of the configuration\nCUTOVER_COLOR={color}\nCUTOVER_RELEASE={release}\nFROM_FILE=of the operator\n\
             PLAIN=it's $HOME \"quoted\"\nPORT={port}\nSIDE={side}\nTOKEN={SECRET}-{value}\n"
        )
    };
    deploy("v1");
    set("two");
    deploy("v2");
    let release = |choice: &[&str]| exec(choice, "echo $CUTOVER_RELEASE").trim().to_owned();
    let (first, second) = (release(&["--idle"]), release(&["--live"]));
    assert_ne!(first, second);
    for host in ["web1", "web2"] {
        let new = expected("right", green, "two", "green", &second);
        assert_eq!(exec(&["--host", host], &show), new, "exec on {host}");
        assert_eq!(exec(&["--host", host], "cat started"), new, "process on {host}");
        assert_eq!(exec(&["--idle", "--host", host], &show), expected("left", blue, "one", "blue", &first));
    }
    assert_eq!(exec(&["--host", "web1"], "cat migrated"), expected("right", green, "two", "green", &second));

    set("three");
    let _ = test.cutover(&["rollback"]).expect(0);
    let old = expected("left", blue, "one", "blue", &first);
    assert_eq!(exec(&["--live"], &show), old, "a rollback has the values that its release was deployed with");
    assert_eq!(exec(&["--live"], "cat started"), old);
    over.store(true, Ordering::Relaxed);
    assert_eq!(watching.join().unwrap(), Vec::<String>::new());

    let mut found = Vec::new();
    for place in ["/root", "/srv", "/var/lib", "/home", "/etc"] {
        for machine in test.hosts.iter().map(|(machine, _)| machine).chain([&test.desk]) {
            holders(&machine.outside(place), &mut found);
        }
    }
    // What the test itself had its programs write lies in the releases.
    found.retain(|path| !path.ends_with("started") && !path.ends_with("migrated"));
    assert_eq!(found.len(), 8, "two releases in two colours on two hosts: {found:?}");
    for path in found {
        assert_eq!(path.parent().and_then(Path::file_name), Some("env".as_ref()), "{}", path.display());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600, "{}", path.display());
    }
}

#[test]
fn a_secret_that_can_not_be_had_costs_no_build() {
    let Some(mut test) = local() else { return };
    test.set_up();
    let table = "\n[app.env]\nTOKEN = { secret = \"token\" }\nKEY = { secret = \"key\" }\n\n\
         [secrets]\ntoken = { command = [\"sh\", \"-c\", \"echo ran >> ran; exit 3\"] }\nkey = { env = \"SHOP_KEY\" }\n";
    test.configure("\n[app.release-marker]", &format!("{table}\n[app.release-marker]"));
    let not_set = "[secret/not-set]: secret `key`: the variable `SHOP_KEY` is not set";
    let _ = test.cutover(&["check"]).expect(0).expect_text(&format!("warning{not_set}"));
    let ran = || test.directory().join("ran").exists();
    assert!(!ran(), "who only looks runs no secret's program");
    let ended = test.deploy("v1", Behaviour::Sound).expect(11).expect_text(&format!("error{not_set}"));
    assert!(!ended.stdout.contains("\nbuild"), "{}", ended.stdout);
    assert!(ran(), "both are looked for");
    fs::remove_file(test.directory().join("ran")).unwrap();
    let _ = test.cutover(&["plan"]).expect(11).expect_text("the variable `SHOP_KEY` is not set");
    assert!(!ran(), "a plan runs no secret's program");
}

/// Answers each request with its body, with these headers besides; gives its port, and what it got so far.
fn reflecting(headers: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let got = Arc::<Mutex<Vec<String>>>::default();
    let kept = Arc::clone(&got);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut request, mut piece) = (String::new(), [0; 4096]);
            while !request.contains("braces={}") {
                let length = stream.read(&mut piece).unwrap();
                assert_ne!(length, 0, "{request}");
                request.push_str(&String::from_utf8_lossy(&piece[..length]));
            }
            let body = request.split_once("\r\n\r\n").unwrap().1;
            let answer = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).unwrap();
            kept.lock().unwrap().push(request);
        }
    });
    (port, got)
}

/// The world with the stranger as its health check, that does what is said with the secret of a file; `to` is where it may send it.
fn with_stranger(deed: &str, to: &str, secrets: &str) -> Option<Test> {
    let mut test = local()?;
    test.set_up();
    fs::write(test.directory().join("stranger.wasm"), stranger()).unwrap();
    let key = test.scratch().join("key");
    fs::write(&key, format!("{SECRET}\n")).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let of_app = "hosts = \"app\"";
    test.configure(
        "[health-check]\nsettings = { path = \"/up\" }\n",
        &format!(
            "[health-check]\nhook = \"stranger.wasm\"\nsettings = {{ do = \"{deed}\", to = \"{to}\" }}\n\
             grants.http = [{{ to = \"{to}\" }}]\n\
             grants.exec = [{{ {of_app}, program = \"/usr/bin/printenv\", args = [\"TOKEN\"], env = [\"TOKEN\"] }}, \
             {{ {of_app}, program = \"/bin/echo\", args = [\"one\", \"*\"] }}]\n\
             grants.secrets = [{secrets}]\n"
        ),
    );
    test.config.push_str(&format!("\n[secrets]\ntoken = {{ file = \"{}\" }}\n", key.display()));
    Some(test)
}

/// Files on the machine that hold the secret.
fn traces(test: &Test) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for place in ["/root", "/srv", "/var/lib", "/home", "/etc"] {
        holders(&test.desk.outside(place), &mut found);
    }
    found
}

/// Where the server at a port is, and leave for each use of the secret there and here.
fn all_uses(port: u16) -> (String, String) {
    let to = format!("http://127.0.0.1:{port}");
    let secrets = format!(
        "{{ name = \"token\", to = \"{to}\", header = \"authorization\" }}, \
         {{ name = \"token\", to = \"{to}\", body = true }}, \
         {{ name = \"token\", exec = \"/usr/bin/printenv\", env = \"TOKEN\" }}, \
         {{ name = \"token\", hmac = {{ chain = [] }} }}, {{ name = \"token\", reveal = true }}"
    );
    (to, secrets)
}

#[test]
fn a_hook_uses_secrets_that_reach_their_places_and_nobody_else() {
    let (port, got) = reflecting("");
    let (to, secrets) = all_uses(port);
    let Some(test) = with_stranger("use-secrets", &to, &secrets) else { return };
    test.repository.push("v1", Behaviour::Sound);
    let plan = test.cutover(&["plan"]).expect(0).stdout;
    assert!(plan.contains("for hook health-check"), "{plan}");
    let over = Arc::new(AtomicBool::new(false));
    let watching = watch_arguments(Arc::clone(&over));
    let ended = test.cutover(&["deploy", "-vv"]).expect(0);
    over.store(true, Ordering::Relaxed);
    assert_eq!(watching.join().unwrap(), Vec::<String>::new());
    let said = ended.stdout + &ended.stderr;
    assert!(said.contains("*** braces={} / *** / 32 / ***"), "{said}");
    assert!(said.contains("hand secret `token` in `TOKEN` to `/usr/bin/printenv`"), "{said}");
    assert!(!said.contains(SECRET), "{said}");
    let got = got.lock().unwrap().clone();
    assert!(got.len() >= 2, "{got:?}");
    for request in got {
        assert!(request.contains(&format!("\r\nauthorization: Bearer {SECRET}\r\n")), "{request}");
        assert!(request.ends_with(&format!("\r\n\r\n{SECRET} braces={{}}")), "{request}");
    }
    assert_eq!(traces(&test), Vec::<PathBuf>::new());
}

#[test]
fn an_answer_in_which_no_secret_can_be_masked_is_kept_back() {
    let (port, got) = reflecting("Content-Encoding: gzip\r\n");
    let (to, secrets) = all_uses(port);
    let Some(test) = with_stranger("use-secrets", &to, &secrets) else { return };
    test.repository.push("v1", Behaviour::Sound);
    let failed = test.cutover(&["deploy"]).expect(10);
    let told = test.normalise(&(failed.stdout + &failed.stderr));
    assert_golden("secret-encoded-answer.txt", &told);
    assert!(!got.lock().unwrap().is_empty());
}

#[test]
fn a_hook_that_tells_the_secret_that_it_sees_tells_nobody() {
    let secrets = "{ name = \"token\", reveal = true }";
    let Some(test) = with_stranger("leak-secret", "http://127.0.0.1:1", secrets) else { return };
    let over = Arc::new(AtomicBool::new(false));
    let watching = watch_arguments(Arc::clone(&over));
    test.repository.push("v1", Behaviour::Sound);
    let failed = test.cutover(&["deploy", "-vv"]).expect(10);
    over.store(true, Ordering::Relaxed);
    assert_eq!(watching.join().unwrap(), Vec::<String>::new());
    let told = failed.stdout + &failed.stderr;
    assert!(!told.contains(SECRET), "{told}");
    assert!(told.contains("the secret is ***"), "{told}");
    assert!(told.contains("exec `/bin/echo one ***` on `"), "{told}");
    for command in [&["history", "--json"][..], &["status", "--json"], &["doctor"]] {
        let ended = test.cutover(command);
        let said = ended.stdout + &ended.stderr;
        assert!(!said.contains(SECRET), "{command:?}: {said}");
    }
    let history = test.cutover(&["history", "--json"]).stdout;
    assert!(history.contains("the secret is ***"), "{history}");
    assert!(history.contains("exec `/bin/echo one ***` on `"), "what was denied is kept: {history}");
    assert_eq!(traces(&test), Vec::<PathBuf>::new());
}

#[test]
fn a_secret_without_its_entry_is_denied_with_the_line_to_add() {
    let Some(test) = with_stranger("use-secrets", "http://127.0.0.1:1", "") else { return };
    test.repository.push("v1", Behaviour::Sound);
    let failed = test.cutover(&["deploy"]).expect(10);
    assert_golden("secret-not-granted.txt", &test.normalise(&(failed.stdout + &failed.stderr)));
    // It is kept as well: once each, though a health check asks again and again.
    let history = test.cutover(&["history", "--json"]).expect(0).last_event();
    let asked = |what: &str, key: &str| {
        serde_json::json!({
            "hook": "health-check",
            "request": format!("send secret `token` in {what} to http://127.0.0.1:1"),
            "grant": format!("secrets = [{{ name = \"token\", to = \"http://127.0.0.1:1\", {key} }}]"),
        })
    };
    let denied =
        [asked("header `authorization`", "header = \"authorization\""), asked("a body", "body = true")];
    assert_eq!(history["entries"][0]["denied"], serde_json::json!(denied), "{history:#}");
    let name =
        format!("shop/default/journal/{}.jsonl", history["entries"][0]["deployment"].as_str().unwrap());
    let places = ["/var/lib/cutover", "/root/.local/state/cutover"];
    let journals = places.map(|place| test.desk.outside(place).join(&name));
    let journal = journals.iter().find_map(|path| fs::read_to_string(path).ok()).expect("a journal");
    let records = journal.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let kept: Vec<_> = records.filter(|line| line["record"]["record"] == "denied").collect();
    let kept: Vec<_> =
        kept.iter().flat_map(|line| line["record"]["denials"].as_array().unwrap().clone()).collect();
    assert_eq!(kept, denied);
}

#[test]
fn all_secrets_that_can_not_be_had_are_told_at_once() {
    let secrets = "{ name = \"token\", hmac = { chain = [] } }, { name = \"other\", reveal = true }";
    let Some(mut test) = with_stranger("use-secrets", "http://127.0.0.1:1", secrets) else { return };
    let key = test.scratch().join("key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let script = "echo ran >> ran; exit 3";
    test.config.push_str(&format!(
        "other = {{ command = [\"sh\", \"-c\", \"{script}\"] }}\nthird = {{ env = \"THIRD\" }}\n"
    ));
    test.configure("\n[app.release-marker]", "\n[app.env]\nX = { secret = \"third\" }\n[app.release-marker]");
    test.repository.push("v1", Behaviour::Sound);
    let refused = test.cutover(&["deploy"]);
    let told = test.normalise(&(refused.stdout + &refused.stderr)).replace(&key.display().to_string(), "KEY");
    assert_golden("secrets-not-there.txt", &told);
    let ran = test.directory().join("ran");
    assert!(ran.exists(), "all are looked for");
    fs::remove_file(&ran).unwrap();
    for command in ["check", "plan"] {
        let ended = test.cutover(&[command]);
        let said = ended.stdout + &ended.stderr;
        assert!(said.contains("has mode 0644, so others than its owner have access"), "{command}: {said}");
        assert!(!ran.exists(), "`{command}` has run the secret's program");
    }
}
