//! Directories that last as long as they are held, and trees on their way back to the engine.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::thread;

use cutover_host::Stream as _;
use cutover_host::artifact::Artifact;
use cutover_host::manifest::Manifest;
use cutover_host::operation::{Answer, Fault, FaultKind, Operation, Staging};
use lz4_flex::frame::FrameDecoder;

use crate::stage::{Stage, Streams, eventually, shell};

fn hold(token: &str) -> Operation {
    Operation::HoldDirectory { directory: "~/builds".to_owned(), token: token.to_owned() }
}

fn send(path: &str) -> Operation {
    Operation::SendTree { path: path.to_owned(), beneath: "~/work".to_owned() }
}

#[test]
fn a_directory_lasts_as_long_as_it_is_held() {
    let stage = Stage::new();
    let (one, two) = (Streams::open(), Streams::open());
    thread::scope(|threads| {
        let first = threads.spawn(|| stage.perform_with(hold("one"), None, &one));
        eventually("it is there", || one.out() == stage.text("builds/one").as_bytes());
        let mode = fs::metadata(stage.path("builds/one")).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert_eq!(stage.fault(hold("one")), FaultKind::Conflict);
        // What a build leaves: a directory that can't be written to, and a file in it.
        fs::create_dir(stage.path("builds/one/sealed")).expect("made");
        stage.write("builds/one/sealed/file", "");
        fs::set_permissions(stage.path("builds/one/sealed"), fs::Permissions::from_mode(0o555)).expect("set");
        // What a holder left that was killed, and what is none of ours.
        fs::create_dir_all(stage.path("builds/dead/checkout")).expect("made");
        stage.write("builds/dead/held", "");
        fs::create_dir_all(stage.path("builds/not ours")).expect("made");
        stage.write("builds/file", "");
        let second = threads.spawn(|| stage.perform_with(hold("two"), None, &two));
        eventually("the other is there", || !two.out().is_empty());
        assert_eq!(names(&stage), ["file", "mutex", "not ours", "one", "two"]);
        one.close();
        assert_eq!(first.join().expect("ends"), Ok(Answer::Done));
        assert_eq!(names(&stage), ["file", "mutex", "not ours", "two"]);
        // The engine is gone.
        two.cancelled.raise();
        two.end_receiving();
        assert_eq!(second.join().expect("ends"), Ok(Answer::Done));
        assert_eq!(names(&stage), ["file", "mutex", "not ours"]);
    });
    for token in ["..", "", "a/b", ".x"] {
        assert_eq!(stage.fault(hold(token)), FaultKind::NotAllowed, "{token}");
    }
}

#[test]
fn what_still_writes_below_it_does_not_keep_it() {
    let stage = Stage::new();
    let (held, running) = (Streams::open(), Streams::default());
    thread::scope(|threads| {
        let holding = threads.spawn(|| stage.perform_with(hold("one"), None, &held));
        eventually("it is there", || !held.out().is_empty());
        let mut program = shell("i=0; while :; do i=$((i+1)); mkdir -p d$i && : > d$i/f; done");
        program.directory = Some(stage.text("builds/one"));
        let busy = threads.spawn(|| stage.perform_with(Operation::Run { program }, None, &running));
        eventually("it writes", || stage.path("builds/one/d9").exists());
        held.close();
        running.cancelled.raise();
        assert!(busy.join().expect("ends").is_err());
        assert_eq!(holding.join().expect("ends"), Ok(Answer::Done));
    });
    assert!(!stage.path("builds/one").exists());
}

fn names(stage: &Stage) -> Vec<String> {
    let entries = fs::read_dir(stage.path("builds")).expect("lists");
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Has a tree described, asks for `wanted` of it; answers the manifest, the contents and what was said at the end.
fn fetch(stage: &Stage, path: &str, wanted: &[u32]) -> Result<(Manifest, Vec<u8>, Staging), Fault> {
    let list: Vec<u8> = wanted.iter().flat_map(|index| index.to_be_bytes()).collect();
    let streams = Streams::with(&list);
    let Answer::Staging(staging) = stage.perform_with(send(path), None, &streams)? else {
        panic!("answers something else")
    };
    let out = streams.out();
    let (length, rest) = out.split_first_chunk().expect("a length");
    let (manifest, packed) = rest.split_at(u32::from_be_bytes(*length) as usize);
    let mut contents = Vec::new();
    FrameDecoder::new(packed).read_to_end(&mut contents).expect("unpacks");
    Ok((Manifest::decode(manifest).expect("a manifest"), contents, staging))
}

#[test]
fn a_tree_is_described_and_sent_as_far_as_it_is_wanted() {
    let stage = Stage::new();
    fs::create_dir_all(stage.path("work/dist/empty")).expect("made");
    for (name, content) in [("a", "first "), ("b", "second "), ("c", "third")] {
        stage.write(&format!("work/dist/{name}"), content);
    }
    symlink("a", stage.path("work/dist/link")).expect("linked");
    let known = Artifact::read(&stage.path("work/dist")).expect("reads");
    let (manifest, contents, staging) = fetch(&stage, "~/work/dist", &[2, 0]).expect("is sent");
    assert_eq!(manifest, *known.manifest());
    assert_eq!(contents, b"thirdfirst ");
    assert_eq!(staging, Staging { total_bytes: 18, received_bytes: 11, ..Staging::default() });
    let (_, contents, _) = fetch(&stage, "~/work/dist", &[]).expect("is sent");
    assert_eq!(contents, b"");

    let (alone, contents, _) = fetch(&stage, "~/work/dist/b", &[0]).expect("is sent");
    assert_eq!(alone.entries().iter().map(|entry| entry.path.as_slice()).collect::<Vec<_>>(), [b"b"]);
    assert_eq!(contents, b"second ");
}

#[test]
fn only_what_lies_in_the_directory_itself_is_sent() {
    let stage = Stage::new();
    fs::create_dir_all(stage.path("work/dist")).expect("made");
    fs::create_dir_all(stage.path("other")).expect("made");
    stage.write("other/secret", "secret");
    symlink("../other", stage.path("work/out")).expect("linked");
    symlink("dist", stage.path("work/in")).expect("linked");
    let pipe = stage.path("work/pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("runs").success());
    for (path, kind) in [
        ("~/work/out", FaultKind::NotAllowed),
        ("~/work/out/secret", FaultKind::NotAllowed),
        ("~/work/in", FaultKind::NotAllowed),
        ("~/work/pipe", FaultKind::NotAllowed),
        ("~/work/../other", FaultKind::NotAllowed),
        ("~/other", FaultKind::NotAllowed),
        ("~/work", FaultKind::NotAllowed),
        ("~/work/nothing", FaultKind::NotFound),
    ] {
        assert_eq!(fetch(&stage, path, &[]).expect_err(path).kind, kind, "{path}");
    }
    symlink("/etc/passwd", stage.path("work/dist/link")).expect("linked");
    assert_eq!(fetch(&stage, "~/work/dist", &[]).expect_err("a link out of it").kind, FaultKind::NotAllowed);
    fs::remove_file(stage.path("work/dist/link")).expect("removed");
    assert_eq!(fetch(&stage, "~/work/dist", &[0]).expect_err("no entry").kind, FaultKind::Failed);
}
