//! Ends of log files.

use std::fs;
use std::io::Write as _;

use cutover_host::operation::{Answer, FaultKind, Operation};

use crate::stage::{Stage, Streams, eventually};

fn tail(lines: u32, follow: bool) -> Operation {
    Operation::Tail { path: "~/log".to_owned(), lines, follow }
}

#[test]
fn the_last_lines_are_sent() {
    let stage = Stage::new();
    let ask = |lines| {
        let streams = Streams::default();
        assert_eq!(stage.perform_with(tail(lines, false), None, &streams), Ok(Answer::Done));
        streams.out_text()
    };
    assert_eq!(ask(5), "", "there is no file");
    stage.write("log", "one\ntwo\nthree\nhalf");
    let table = [
        (0, ""),
        (1, "half"),
        (2, "three\nhalf"),
        (4, "one\ntwo\nthree\nhalf"),
        (9, "one\ntwo\nthree\nhalf"),
    ];
    for (lines, expected) in table {
        assert_eq!(ask(lines), expected, "{lines}");
    }
    let long: String = (0..20_000).map(|number| format!("line {number}\n")).collect();
    stage.write("log", &long);
    assert_eq!(ask(2), "line 19998\nline 19999\n");
    assert_eq!(ask(10_000).lines().next(), Some("line 10000"));
    assert_eq!(
        stage.fault(Operation::Tail { path: "~".to_owned(), lines: 1, follow: false }),
        FaultKind::NotAllowed
    );
}

#[test]
fn what_is_appended_follows_also_into_a_new_file() {
    let stage = Stage::new();
    stage.write("log", "old\n");
    let streams = Streams::open();
    let append = |text: &str| {
        let mut file = fs::File::options().append(true).create(true).open(stage.path("log")).expect("opens");
        file.write_all(text.as_bytes()).expect("writes");
    };
    std::thread::scope(|threads| {
        let following = threads.spawn(|| stage.perform_with(tail(1, true), None, &streams));
        eventually("the old line", || streams.out_text() == "old\n");
        append("new\n");
        eventually("the new line", || streams.out_text() == "old\nnew\n");
        append("last\n");
        fs::rename(stage.path("log"), stage.path("log.1")).expect("moved");
        append("rotated\n");
        eventually("the next file", || streams.out_text() == "old\nnew\nlast\nrotated\n");
        streams.close();
        assert_eq!(following.join().expect("joins"), Ok(Answer::Done));
    });
}
