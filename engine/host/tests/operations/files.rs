//! Files, links and directories.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use cutover_host::operation::{Answer, Beneath, FaultKind, Operation, Program};

use crate::stage::{Stage, shell};

fn mode(stage: &Stage, name: &str) -> u32 {
    fs::metadata(stage.path(name)).expect("is there").permissions().mode() & 0o7777
}

#[test]
fn a_file_is_replaced_as_a_whole_and_keeps_its_mode() {
    let stage = Stage::new();
    let write = |content: &str, mode| Operation::Write {
        path: "~/file".to_owned(),
        beneath: None,
        content: content.into(),
        mode,
    };
    assert_eq!(stage.perform(write("one", None)), Ok(Answer::Done));
    assert_eq!((stage.read("file").as_str(), mode(&stage, "file")), ("one", 0o644));
    assert_eq!(stage.perform(write("two", Some(0o600))), Ok(Answer::Done));
    assert_eq!(stage.perform(write("three", None)), Ok(Answer::Done));
    assert_eq!((stage.read("file").as_str(), mode(&stage, "file")), ("three", 0o600));
    assert_eq!(fs::read_dir(stage.scratch.path()).expect("lists").count(), 1, "nothing is left over");

    symlink("file", stage.path("link")).expect("linked");
    let through =
        Operation::Write { path: stage.text("link"), beneath: None, content: "x".into(), mode: None };
    assert_eq!(stage.fault(through), FaultKind::NotAllowed);
    assert_eq!(stage.read("file"), "three");
}

#[test]
fn reading_is_bounded() {
    let stage = Stage::new();
    stage.write("file", "12345");
    let read = |path: &str, limit| Operation::Read { path: stage.text(path), beneath: None, limit };
    assert_eq!(stage.perform(read("file", 5)), Ok(Answer::Content("12345".into())));
    assert_eq!(stage.fault(read("file", 4)), FaultKind::TooLarge);
    assert_eq!(stage.fault(read("nothing", 4)), FaultKind::NotFound);
    assert_eq!(stage.fault(read("", 4)), FaultKind::NotAllowed, "a directory");
    assert!(std::process::Command::new("mkfifo").arg(stage.path("pipe")).status().expect("runs").success());
    assert_eq!(stage.fault(read("pipe", 4)), FaultKind::NotAllowed, "does not wait for a writer");
}

#[test]
fn nothing_beneath_leads_out() {
    let stage = Stage::new();
    fs::create_dir_all(stage.path("in/sub")).expect("made");
    stage.write("secret", "secret");
    stage.write("in/fine", "fine");
    symlink("../../secret", stage.path("in/sub/out")).expect("linked");
    symlink("..", stage.path("in/up")).expect("linked");
    symlink("../fine", stage.path("in/sub/inside")).expect("linked");
    let beneath = Some(Beneath::Granted(stage.text("in")));
    let read = |path: &str| Operation::Read { path: stage.text(path), beneath: beneath.clone(), limit: 100 };
    assert_eq!(stage.perform(read("in/fine")), Ok(Answer::Content("fine".into())));
    // A link stays inside, but leads to what was not asked for by its own path.
    for path in ["in/sub/inside", "in/sub/out", "in/up/secret", "in/../secret", "secret", "inside", "in"] {
        assert_eq!(stage.fault(read(path)), FaultKind::NotAllowed, "{path}");
    }
    for path in ["in/up/new", "new"] {
        let path = stage.text(path);
        let content = "x".into();
        let write = Operation::Write { path: path.clone(), beneath: beneath.clone(), content, mode: None };
        assert_eq!(stage.fault(write), FaultKind::NotAllowed, "{path}");
        let link =
            Operation::WriteLink { path: path.clone(), beneath: beneath.clone(), target: "x".to_owned() };
        assert_eq!(stage.fault(link), FaultKind::NotAllowed, "{path}");
        let remove = Operation::Remove { path: path.clone(), beneath: beneath.clone() };
        assert_eq!(stage.fault(remove), FaultKind::NotAllowed, "{path}");
    }
    assert!(!stage.path("new").exists());
}

#[test]
fn appending_needs_the_exact_length() {
    let stage = Stage::new();
    let append =
        |at, content: &str| Operation::Append { path: "~/journal".to_owned(), at, content: content.into() };
    assert_eq!(stage.fault(append(3, "x")), FaultKind::NotFound);
    assert_eq!(stage.perform(append(0, "one\n")), Ok(Answer::Done));
    assert_eq!(mode(&stage, "journal"), 0o600);
    assert_eq!(stage.perform(append(4, "two\n")), Ok(Answer::Done));
    for at in [0, 4, 9] {
        assert_eq!(stage.fault(append(at, "lost\n")), FaultKind::Conflict, "{at}");
    }
    assert_eq!(stage.read("journal"), "one\ntwo\n");
}

#[test]
fn links_are_swapped_and_nothing_else_is_replaced() {
    let stage = Stage::new();
    let path = stage.text("current");
    let link =
        |target: &str| Operation::WriteLink { path: path.clone(), beneath: None, target: target.to_owned() };
    let read = || stage.perform(Operation::ReadLink { path: path.clone(), beneath: None });
    for target in ["releases/1", "releases/2"] {
        assert_eq!(stage.perform(link(target)), Ok(Answer::Done));
        assert_eq!(read(), Ok(Answer::Text(target.to_owned())));
    }
    fs::remove_file(&path).expect("removed");
    assert_eq!(read().expect_err("is gone").kind, FaultKind::NotFound);
    fs::create_dir(&path).expect("made");
    assert_eq!(stage.fault(link("releases/3")), FaultKind::Conflict);
    assert_eq!(fs::read_dir(stage.scratch.path()).expect("lists").count(), 1, "nothing is left over");
}

#[test]
fn names_directories_and_removal() {
    let stage = Stage::new();
    let make = |path: &str, mode| Operation::MakeDirectory { path: stage.text(path), mode };
    assert_eq!(stage.perform(make("a/b/c", 0o750)), Ok(Answer::Done));
    assert_eq!((mode(&stage, "a/b/c"), mode(&stage, "a")), (0o750, 0o750));
    assert_eq!(stage.perform(make("a/b", 0o777)), Ok(Answer::Done));
    assert_eq!(mode(&stage, "a/b"), 0o750, "what is there is left alone");
    stage.write("a/file", "");
    assert_eq!(stage.fault(make("a/file", 0o755)), FaultKind::Conflict);
    let list = |path: &str| Operation::ListNames {
        path: stage.text(path),
        beneath: Some(Beneath::Granted(stage.text("a"))),
    };
    assert_eq!(stage.perform(list("a")), Ok(Answer::Names(vec!["b".to_owned(), "file".to_owned()])));
    assert_eq!(stage.fault(list("a/x")), FaultKind::NotFound);
    let remove = |path: &str| Operation::Remove { path: stage.text(path), beneath: None };
    for path in ["a/file", "a/file", "nowhere/file"] {
        assert_eq!(stage.perform(remove(path)), Ok(Answer::Done));
    }
    assert_eq!(stage.fault(remove("a/b")), FaultKind::NotAllowed);
}

#[test]
fn what_is_set_aside_keeps_its_content_and_replaces_nothing() {
    let stage = Stage::new();
    stage.write("journal", "one");
    let aside =
        |path: &str, name: &str| Operation::SetAside { path: stage.text(path), name: name.to_owned() };
    assert_eq!(stage.perform(aside("journal", "journal.aside-3")), Ok(Answer::Done));
    assert_eq!((stage.read("journal.aside-3"), stage.path("journal").exists()), ("one".to_owned(), false));
    assert_eq!(stage.perform(aside("journal", "journal.aside-3")), Ok(Answer::Done), "it is so already");
    stage.write("journal", "two");
    assert_eq!(stage.fault(aside("journal", "journal.aside-3")), FaultKind::Conflict);
    assert_eq!((stage.read("journal.aside-3"), stage.read("journal")), ("one".to_owned(), "two".to_owned()));
    for name in ["", ".", "..", "a/b", "/etc/passwd"] {
        assert_eq!(stage.fault(aside("journal", name)), FaultKind::NotAllowed, "{name}");
    }
}

#[test]
fn a_link_in_the_place_of_what_was_granted_leads_nowhere() {
    let stage = Stage::new();
    fs::create_dir(stage.path("real")).expect("made");
    stage.write("real/file", "secret");
    symlink("real", stage.path("link")).expect("linked");
    for (directory, refused) in [("real", false), ("link", true)] {
        let beneath = || Some(Beneath::Granted(stage.text(directory)));
        let path = |name: &str| stage.text(&format!("{directory}/{name}"));
        let operations = [
            Operation::Read { path: path("file"), beneath: beneath(), limit: 100 },
            Operation::Write { path: path("new"), beneath: beneath(), content: "x".into(), mode: None },
            Operation::WriteLink { path: path("to"), beneath: beneath(), target: "file".to_owned() },
            Operation::ReadLink { path: path("to"), beneath: beneath() },
            Operation::ListNames { path: stage.text(directory), beneath: beneath() },
            Operation::Remove { path: path("new"), beneath: beneath() },
            Operation::Run {
                program: Program {
                    directory: Some(stage.text(directory)),
                    directory_granted: true,
                    ..shell("test -f file")
                },
            },
        ];
        for operation in operations {
            let kind = stage.perform(operation.clone()).map_err(|fault| fault.kind);
            if refused {
                assert_eq!(kind, Err(FaultKind::NotAllowed), "{operation:?}");
            } else {
                assert!(kind.is_ok(), "{operation:?}: {kind:?}");
            }
        }
    }
}

#[test]
fn a_host_says_what_it_is() {
    let stage = Stage::new();
    let paths = vec!["~/new/deep".to_owned(), "/proc".to_owned()];
    let Ok(Answer::Facts(facts)) = stage.perform(Operation::Facts { paths }) else { panic!("no facts") };
    assert_eq!(facts.home, stage.scratch.path().to_str().expect("UTF-8"));
    assert_eq!(facts.architecture, std::env::consts::ARCH);
    let [new, proc] = facts.room.as_slice() else { panic!("{facts:?}") };
    assert_eq!((new.path.as_str(), new.exists, new.writable), ("~/new/deep", false, true));
    assert!(new.bytes > 0 && proc.exists);
}
