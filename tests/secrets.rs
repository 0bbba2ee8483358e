//! A secret reaches the environment of the application's processes, and nothing else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use test_support::{Behaviour, Test};

use crate::local;

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
