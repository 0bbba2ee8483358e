//! Keys of hosts: shown, pinned for the project, and insisted on.

use std::path::Path;

use rustix::process::Signal;
use test_support::{Behaviour, Ended, Running, Test, assert_golden};

use crate::{fleet, told, with_v1};

#[test]
fn keys_are_shown_pinned_and_insisted_on() {
    let Some(mut test) = with_v1(fleet()) else { return };
    let file = test.directory().join("cutover.known_hosts");
    let refused = test.cutover(&["trust"]).expect(2);
    assert!(!file.exists());
    assert_golden("trust-nobody-asked.txt", &shown(&test, refused));
    let pinned = test.cutover(&["trust", "--yes"]).expect(0);
    assert_golden("trust-new.txt", &shown(&test, pinned));
    let again = test.cutover(&["trust", "web1"]).expect(0);
    assert_golden("trust-pinned.txt", &shown(&test, again));
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);

    let (machine, sshd) = &mut test.hosts[1];
    sshd.change_host_key(machine);
    let refused = test.deploy("v3", Behaviour::Sound).expect(60);
    assert_golden("trust-another-key.txt", &shown(&test, refused));
    let refused = test.cutover(&["trust", "web2"]).expect(2);
    assert_golden("trust-changed.txt", &shown(&test, refused));
    let _ = test.cutover(&["trust", "web2", "--yes"]).expect(0);
    let _ = test.cutover(&["deploy"]).expect(0);
    assert_eq!(test.live(), "v3 blue");

    let ended = test.cutover(&["trust", "web9"]).expect(11);
    assert_golden("trust-no-host.txt", &shown(&test, ended));
    test.hosts[0].1.stop();
    let ended = test.cutover(&["trust"]).expect(11);
    assert_golden("trust-unreachable.txt", &shown(&test, ended));
    std::fs::write(&file, "web1 ssh-rsa\n").unwrap();
    let ended = test.cutover(&["status"]).expect(50);
    assert_golden("trust-malformed.txt", &shown(&test, ended));
}

/// The connection breaks in the middle of a run, and what answers there then has another key.
#[test]
fn a_key_that_changes_in_the_middle_is_not_spoken_to() {
    let Some(mut test) = with_v1(fleet()) else { return };
    test.repository.push("v2", Behaviour::Sound);
    let running = Running::halting(&test, &["deploy", "--json"], "16:before");
    assert!(running.wait_until_halted());
    for (machine, sshd) in &mut test.hosts[..2] {
        sshd.change_host_key(machine);
        let _ = machine
            .command("pkill", Path::new("/"))
            .args(["-KILL", "-f", "^[^ ]*cutover[^ ]* serve$"])
            .status();
    }
    running.signal(Signal::CONT);
    let ended = running.finish();
    // Something was changed, and can't be put back where nobody is spoken to.
    let last = ended.last_event();
    // What was on its way to a host then is cut off, and told first.
    assert!(
        ended.status == 40 && matches!(last["code"].as_str(), Some("host/untrusted" | "host/unreachable")),
        "{last}"
    );
    assert!(last.to_string().contains("has changed"), "{last}");
    assert_eq!(test.live(), "v1 blue");
    let refused = test.cutover(&["resume"]).expect(60);
    assert!(refused.stderr.contains("the key of host `web1`"), "{refused:?}");
    let _ = test.cutover(&["trust", "--yes"]).expect(0);
    let resumed = test.cutover(&["resume"]).expect(11);
    assert!(resumed.stderr.contains("everything is as it was before the deployment"), "{resumed:?}");
    let _ = test.cutover(&["status", "--check"]).expect(0);
}

fn shown(test: &Test, ended: Ended) -> String {
    const FINGERPRINT: usize = 43;
    let mut text = told(test, ended);
    let mut from = 0;
    while let Some(at) = text[from..].find("SHA256:") {
        let start = from + at + "SHA256:".len();
        text.replace_range(start..start + FINGERPRINT, "FINGERPRINT");
        from = start;
    }
    text
}
