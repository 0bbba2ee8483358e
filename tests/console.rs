//! `cutover exec` at a terminal: the program at the other end gets one too, with the application's environment and all keys.

use std::fs;
use std::time::Duration;

use test_support::{Terminal, Test};

use crate::{fleet, local, with_v1};

/// A shell of the application that says what it is at, what it knows, and what is typed.
const SHELL: &str = "trap 'echo interrupted' INT; trap 'echo now $(stty size)' WINCH; test -t 0 && test -t 1 && test -t 2 && \
     echo \"$TERM $(stty size) $CUTOVER_COLOR ${PWD##*/releases/*}\"; \
     while :; do read word || continue; echo \"got [$word]\"; test \"$word\" = end && exit 42; done";

/// What a person at a terminal does with the shell, and sees.
fn talk(mut terminal: Terminal, place: &str) {
    terminal.wait_for("xterm 24 80 blue \n");
    assert!(terminal.screen().starts_with(place), "{}", terminal.screen());
    terminal.press("one\r");
    terminal.wait_for("got [one]");
    terminal.press("\u{3}");
    terminal.wait_for("interrupted");
    terminal.resize(132, 43);
    // The shell looks at signals between lines, and this one comes on a way of its own.
    for _ in 0..50 {
        terminal.press("\r");
        std::thread::sleep(Duration::from_millis(100));
        if terminal.screen().contains("now 43 132") {
            break;
        }
    }
    terminal.wait_for("now 43 132");
    terminal.press("end\r");
    let ended = terminal.finish().expect(42);
    assert!(ended.stdout.ends_with("got [end]\n"), "{}", ended.stdout);
}

fn shell<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["exec"], more, &["--", "bash", "-c", SHELL]].concat()
}

#[test]
fn over_ssh() {
    let Some(test) = with_v1(fleet()) else { return };
    talk(test.at_terminal(&shell(&["--host", "web2"])), "web2, blue, release 1\n");
    ends_like_the_program(&test);
    // The environment never stands in an argument: what it says is read over there.
    let terminal = test.at_terminal(&["exec", "--", "bash", "-c", "echo ready; read word"]);
    terminal.wait_for("ready");
    let told = argument_of_ssh();
    assert!(told.contains("echo ready") && told.contains("-blue.") && told.contains(".env"), "{told}");
    assert!(!told.contains("CUTOVER_COLOR"), "{told}");
    drop(terminal);
    a_broken_connection_gives_the_terminal_back(&test);
}

#[test]
fn on_this_machine() {
    let Some(test) = with_v1(local()) else { return };
    talk(test.at_terminal(&shell(&[])), "local, blue, release 1\n");
    ends_like_the_program(&test);
    // What is asked for as a stream stays one, and Ctrl-C ends it.
    let mut terminal =
        test.at_terminal(&["exec", "-T", "--", "sh", "-c", "test -t 0 || echo no terminal; sleep 60"]);
    terminal.wait_for("no terminal");
    terminal.press("\u{3}");
    let _ = terminal.finish().expect(130);
    let piped =
        test.cutover(&["exec", "--", "sh", "-c", "test -t 0 || test -t 1 || echo no terminal"]).expect(0);
    assert_eq!(piped.stdout, "no terminal\n");
    let _ = test.cutover(&["exec", "--", "bin/nothing"]).expect(127).expect_text("bin/nothing");
}

fn ends_like_the_program(test: &Test) {
    for (script, status) in [("exit 0", 0), ("exit 255", 255), ("kill -9 $$", 137)] {
        let _ = test.at_terminal(&["exec", "--", "sh", "-c", script]).finish().expect(status);
    }
    // Whatever modes it leaves behind.
    let _ = test.at_terminal(&["exec", "--", "sh", "-c", "stty raw -echo"]).finish().expect(0);
    let missing = test.at_terminal(&["exec", "--", "bin/nothing"]).finish();
    assert_eq!(missing.status, 127);
    assert!(missing.stdout.contains("bin/nothing"), "{}", missing.stdout);
}

/// What the `ssh` of a terminal was told to run, in plain text.
fn argument_of_ssh() -> String {
    let commands = fs::read_dir("/proc").unwrap().flatten().filter_map(|process| {
        let words = String::from_utf8(fs::read(process.path().join("cmdline")).ok()?).ok()?;
        words.starts_with("ssh\0").then_some(words)
    });
    let digits =
        commands.filter_map(|words| Some(words.trim_end_matches('\0').rsplit_once(' ')?.1.to_owned()));
    let byte = |at: usize, digits: &str| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let texts =
        digits.map(|digits| (0..digits.len()).step_by(2).filter_map(|at| byte(at, &digits)).collect());
    texts.map(|bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

fn a_broken_connection_gives_the_terminal_back(test: &Test) {
    // Its shell's parent is the SSH server's process of this connection.
    let script = "stty raw -echo; kill -9 $(ps -o ppid= $PPID)";
    let ended = test.at_terminal(&["exec", "--host", "web1", "--", "sh", "-c", script]).finish();
    assert_eq!(ended.status, 11, "{}", ended.stdout);
    assert!(ended.stdout.contains("the connection to host `web1` broke"), "{}", ended.stdout);
}
