//! `exec` and `logs` over SSH: each side, a release by its number, standard streams, and a log that is moved aside while it is read.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use test_support::{Behaviour, Test, eventually};

use crate::{fleet, with_v1};

/// v1 in blue, warm, and v2 in green, live; what runs says so, and writes more than a log file holds when it is told to.
fn both_colors() -> Option<Test> {
    let mut test = fleet()?;
    test.configure(
        "start = [\"bin/shop\", ",
        "start = [\"sh\", \"-c\", 'echo \"$CUTOVER_COLOR is up\"; (while [ ! -e flood ]; do sleep 0.1; done; \
         yes $(printf %01000d 7) | head -n 17000; echo \"$CUTOVER_COLOR is dry\") & exec bin/shop \"$@\"', \"shop\", ",
    );
    let test = with_v1(Some(test))?;
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);
    Some(test)
}

#[test]
fn a_program_runs_in_the_release_that_is_meant() {
    let Some(test) = both_colors() else { return };
    let say = ["sh", "-c", "echo $CUTOVER_COLOR; grep version behaviour"];
    let exec = |choice: &[&str]| {
        let words = [&["exec"], choice, &["--"], &say].concat();
        test.cutover(&words).expect(0).stdout
    };
    assert_eq!(exec(&[]), "green\nversion = v2\n");
    assert_eq!(exec(&["--live", "--host", "web2"]), "green\nversion = v2\n");
    assert_eq!(exec(&["--idle"]), "blue\nversion = v1\n");
    assert_eq!(exec(&["--release", "1"]), "blue\nversion = v1\n");
    let failed = test.cutover(&["exec", "--", "sh", "-c", "echo out; echo errors >&2; exit 7"]).expect(7);
    assert_eq!((failed.stdout.as_str(), failed.stderr.contains("errors\n")), ("out\n", true), "{failed:?}");
    let _ = test.cutover(&["exec", "--", "bin/nonsense"]).expect_text("bin/nonsense");

    let mut command = test.command(&["exec", "--host", "web2", "--", "sh", "-c", "hostname; wc -c"]);
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // More than any buffer on the way holds.
    running.stdin.take().unwrap().write_all(&vec![7; 3_000_000]).unwrap();
    let output = running.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "web2\n3000000\n");
}

#[test]
fn logs_are_of_the_release_that_is_meant_and_follow_a_file_that_is_moved() {
    let Some(test) = both_colors() else { return };
    let logs = |choice: &[&str]| {
        let said = test.cutover(&[&["logs"], choice].concat()).expect(0).stdout;
        let mut lines: Vec<&str> = said.lines().collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    assert_eq!(logs(&[]), "web1 │ green is up\nweb2 │ green is up");
    assert_eq!(logs(&["--idle"]), "web1 │ blue is up\nweb2 │ blue is up");
    assert_eq!(logs(&["--release", "1", "--host", "web2"]), "web2 │ blue is up");

    let mut following = test.start(&["logs", "-f", "--json", "--host", "web2"]);
    following.wait_for("first line", |line| line["text"] == "green is up");
    let _ = test.cutover(&["exec", "--host", "web2", "--", "touch", "flood"]).expect(0);
    following.wait_for("last line", |line| line["text"] == "green is dry");
    following.signal(rustix::process::Signal::INT);
    let ended = following.finish();
    assert_eq!(ended.stdout.lines().count(), 17_002, "none is lost where one file ends and the next begins");
    assert_eq!(logs(&["--host", "web2", "-n", "1"]), "web2 │ green is dry");
    let moved = format!("ls {}/log", "/srv/shop");
    eventually("the file was moved aside", Duration::from_secs(5), || {
        let said = test.cutover(&["exec", "--host", "web2", "--", "sh", "-c", &moved]).expect(0).stdout;
        said.contains("-green.log.1\n").then_some(())
    });
}
