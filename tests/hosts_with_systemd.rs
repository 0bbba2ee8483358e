//! Hosts with a real systemd, logind and sudo, and a deploy user who is not root.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use test_support::{Behaviour, Machine, Test, eventually};

fn world(driver: &str) -> Option<Test> {
    let mut test = Test::on_systemd(env!("CARGO_BIN_EXE_cutover"), "deploy")?;
    test.configure("driver = \"detached\"\n", driver);
    test.configure(
        "start = [\"bin/shop\", ",
        "start = [\"sh\", \"-c\", 'echo \"$CUTOVER_COLOR is up\"; exec bin/shop \"$@\"', \"shop\", ",
    );
    Some(test)
}

fn run(machine: &Machine, words: &[&str]) -> Output {
    machine.command(words[0], Path::new("/")).args(&words[1..]).output().unwrap()
}

/// What a program of root's says there, which must end well.
fn said(machine: &Machine, words: &[&str]) -> String {
    let ran = run(machine, words);
    assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn sudo_allows_just_what_setup_printed() {
    let Some(mut test) = world("driver = \"systemd\"\nuser = \"shop\"\n") else { return };
    test.set_up();
    let checked = test.cutover(&["check", "--hosts"]).expect(0);
    assert!(checked.stdout.contains("all 14 commands are allowed"), "{checked:?}");
    let web1 = test.machine("web1");
    said(web1, &["visudo", "-c"]);
    for forbidden in
        ["/usr/bin/true", "/usr/bin/systemctl start ssh.service", "/usr/bin/systemctl daemon-reload"]
    {
        let words: Vec<&str> =
            ["runuser", "-u", "deploy", "--", "sudo", "-n"].into_iter().chain(forbidden.split(' ')).collect();
        assert!(!run(web1, &words).status.success(), "{forbidden}");
    }

    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    let load = test.load();
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v2 green");
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
    load.finish().assert_none_failed();
    let web1 = test.machine("web1");
    assert_eq!(said(web1, &["systemctl", "show", "-P", "User", "cutover-shop@blue.service"]), "shop\n");
    let logs = test.cutover(&["logs", "--live"]).expect(0);
    assert_eq!(logs.stdout, "web1 │ blue is up\n");

    // One line less.
    let file = web1.outside("/etc/sudoers.d/cutover-shop");
    let whole = fs::read_to_string(&file).unwrap();
    let lost = "/usr/bin/systemctl start cutover-shop@green.service";
    let rest: String =
        whole.lines().filter(|line| !line.ends_with(lost)).map(|line| format!("{line}\n")).collect();
    assert_ne!(rest, whole);
    fs::write(&file, rest).unwrap();
    let checked = test.cutover(&["check", "--hosts"]);
    assert_ne!(checked.status, 0);
    assert!(checked.stdout.contains(&format!("1 of 14 commands are refused: `{lost}`")), "{checked:?}");
    let refused = test.deploy("v3", Behaviour::Sound).expect(11);
    let told = format!("web1 is not ready: sudoers: 1 of 14 commands are refused: `{lost}`");
    assert!(refused.stderr.contains(&told) && refused.stderr.contains("cutover setup"), "{refused:?}");
    assert_eq!(test.live(), "v1 blue");
    let releases = fs::read_dir(test.machine("web1").outside("/srv/shop/releases")).unwrap();
    assert_eq!(releases.flatten().filter(|entry| entry.path().is_dir()).count(), 2, "v3 was not staged");
}

#[test]
fn the_users_own_systemd_runs_what_is_live_also_after_a_reboot() {
    let Some(mut test) = world("driver = { systemd = { scope = \"user\" } }\n") else { return };
    let missing = test.cutover(&["check", "--hosts"]);
    assert!(missing.stdout.contains("processes of `deploy` end with its session"), "{missing:?}");
    test.set_up();
    let checked = test.cutover(&["check", "--hosts"]).expect(0);
    assert!(checked.stdout.contains("processes of `deploy` outlive its session"), "{checked:?}");
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    let load = test.load();
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    let _ = test.cutover(&["rollback"]).expect(0);
    let _ = test.cutover(&["rollback", "--to", "2"]).expect(0);
    assert_eq!(test.live(), "v2 green");
    load.finish().assert_none_failed();
    let logs = test.cutover(&["logs", "--live"]).expect(0);
    // Beside what systemd says of the unit.
    assert!(logs.stdout.lines().any(|line| line == "web1 │ green is up"), "{logs:?}");

    let scratch = test.scratch().path().to_owned();
    let (web1, sshd) = &mut test.hosts[0];
    web1.reboot(&scratch);
    sshd.restart(web1);
    eventually("the live release is up again", Duration::from_secs(20), || {
        (test.front_door("/").status == 200).then_some(())
    });
    assert_eq!(test.live(), "v2 green");
    let status = test.cutover(&["status"]).expect(0);
    assert!(status.stdout.contains("stopped"), "blue was not to come up: {status:?}");
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v3 blue");
}

#[test]
fn processes_outlive_a_session_that_logind_would_clear() {
    let Some(mut test) = world("driver = \"detached\"\nmigrate = [\"bin/shop\", \"migrate\"]\n") else {
        return;
    };
    let web1 = test.machine("web1");
    let settings = web1.outside("/etc/systemd/logind.conf.d");
    fs::create_dir_all(&settings).unwrap();
    fs::write(settings.join("clear.conf"), "[Login]\nKillUserProcesses=yes\n").unwrap();
    said(web1, &["systemctl", "restart", "systemd-logind"]);
    let setup = test.cutover(&["setup"]).expect(0);
    assert!(setup.stdout.contains("loginctl enable-linger deploy"), "{setup:?}");
    test.set_up();
    said(test.machine("web1"), &["loginctl", "disable-linger", "deploy"]);
    let checked = test.cutover(&["check", "--hosts"]);
    assert!(checked.stdout.contains("loginctl enable-linger deploy"), "{checked:?}");
    let refused = test.deploy("v1", Behaviour::Sound).expect(11);
    assert!(
        refused.stderr.contains("web1 is not ready: linger: processes of `deploy` end with its session"),
        "{refused:?}"
    );

    said(test.machine("web1"), &["loginctl", "enable-linger", "deploy"]);
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    eventually("all sessions are over", Duration::from_secs(20), || {
        said(test.machine("web1"), &["loginctl", "list-sessions", "--no-legend"]).is_empty().then_some(())
    });
    assert_eq!(test.live(), "v2 green");
    let status = test.cutover(&["status"]).expect(0);
    assert!(status.stdout.contains("warm"), "{status:?}");
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
}
