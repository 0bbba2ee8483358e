//! A secret reaches the environment of the application's processes, and nothing else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use test_support::{Behaviour, Test};

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
