//! Releases, from a directory here to a whole release there.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use cutover_host::artifact::Artifact;
use cutover_host::manifest::Manifest;
use cutover_host::operation::{Answer, Application, FaultKind, Operation, StagedRelease, Staging};
use lz4_flex::frame::FrameEncoder;

use crate::stage::{Stage, Streams};

pub(crate) const SHOP: &str = "~/shop";

fn begin(release: &str, token: &str) -> Operation {
    begin_beside(release, token, None)
}

fn begin_beside(release: &str, token: &str, twin: Option<&str>) -> Operation {
    Operation::StageBegin {
        directory: SHOP.to_owned(),
        release: release.to_owned(),
        token: token.to_owned(),
        twin: twin.map(str::to_owned),
    }
}

fn finish(release: &str, token: &str) -> Operation {
    Operation::StageFinish {
        directory: SHOP.to_owned(),
        release: release.to_owned(),
        token: token.to_owned(),
        record: format!("record of {release}"),
        linked_dirs: vec!["log".to_owned(), "public/uploads".to_owned()],
        linked_files: vec!["config/secret".to_owned()],
    }
}

fn inspect(stage: &Stage) -> Application {
    match stage.perform(Operation::InspectApplication { directory: SHOP.to_owned() }) {
        Ok(Answer::Application(application)) => application,
        other => panic!("{other:?}"),
    }
}

/// Begins and fills; answers what each of both said.
pub(crate) fn send(stage: &Stage, artifact: &Artifact, release: &str, token: &str) -> (Staging, Staging) {
    let streams = Streams::with(&artifact.manifest().encode());
    let Ok(Answer::Staging(begun)) = stage.perform_with(begin(release, token), None, &streams) else {
        panic!("does not begin")
    };
    let needed: Vec<u32> = streams
        .out()
        .chunks_exact(4)
        .map(|index| u32::from_be_bytes(index.try_into().expect("4 bytes")))
        .collect();
    let mut encoder = FrameEncoder::new(Vec::new());
    artifact.send(&needed, &mut encoder, |_| {}).expect("sends");
    let content = encoder.finish().expect("ends");
    let filled = fill(stage, token, &content).expect("fills");
    (begun, filled)
}

fn fill(stage: &Stage, token: &str, content: &[u8]) -> Result<Staging, cutover_host::operation::Fault> {
    let operation = Operation::StageFill { directory: SHOP.to_owned(), token: token.to_owned() };
    match stage.perform_with(operation, None, &Streams::with(content)) {
        Ok(Answer::Staging(staging)) => Ok(staging),
        Ok(other) => panic!("{other:?}"),
        Err(fault) => Err(fault),
    }
}

/// A tree with all that names, modes and links may be.
fn make_artifact(root: &Path) {
    fs::create_dir_all(root.join("bin")).expect("made");
    fs::create_dir_all(root.join("empty/within")).expect("made");
    fs::create_dir_all(root.join("public/uploads")).expect("made");
    fs::write(root.join("public/uploads/.keep"), "").expect("written");
    fs::write(root.join("bin/app"), "#!/bin/sh\n").expect("written");
    fs::set_permissions(root.join("bin/app"), fs::Permissions::from_mode(0o755)).expect("set");
    fs::write(root.join("two words"), "words").expect("written");
    fs::write(root.join("new\nline"), "line").expect("written");
    fs::write(root.join(OsStr::from_bytes(b"not \xff UTF-8")), "bytes").expect("written");
    fs::write(root.join("nothing"), "").expect("written");
    fs::write(root.join("same as words"), "words").expect("written");
    fs::write(root.join("read only"), "sealed").expect("written");
    fs::set_permissions(root.join("read only"), fs::Permissions::from_mode(0o400)).expect("set");
    fs::write(root.join("large"), vec![7; 700_000]).expect("written");
    symlink("bin/app", root.join("start")).expect("linked");
    symlink("nowhere", root.join("dangling")).expect("linked");
    symlink("../bin", root.join("empty/up")).expect("linked");
    fs::set_permissions(root.join("empty/within"), fs::Permissions::from_mode(0o700)).expect("set");
    fs::set_permissions(root.join("empty"), fs::Permissions::from_mode(0o555)).expect("set");
}

#[test]
fn a_release_arrives_as_it_was_and_only_what_is_new_is_sent() {
    let stage = Stage::new();
    make_artifact(&stage.path("artifact"));
    fs::create_dir_all(stage.path("shop/shared/config")).expect("made");
    stage.write("shop/shared/config/secret", "secret");
    let artifact = Artifact::read(&stage.path("artifact")).expect("reads");
    let total = artifact.manifest().total_bytes();
    let (begun, filled) = send(&stage, &artifact, "r1", "t1");
    let wire = total - 5;
    assert_eq!(begun, Staging { complete: false, total_bytes: total, reused_bytes: 0, received_bytes: wire });
    assert_eq!(
        filled,
        Staging { complete: false, total_bytes: total, reused_bytes: 5, received_bytes: wire }
    );
    assert_eq!(inspect(&stage).partials, ["t1"]);
    assert_eq!(stage.perform(finish("r1", "t1")), Ok(Answer::Done));
    assert_eq!(stage.perform(finish("r1", "t1")), Ok(Answer::Done), "again");

    // What was linked in gives way to nothing else; all other paths are exactly those of the artifact.
    let release = stage.path("shop/releases/r1");
    assert_eq!(fs::read_link(release.join("log")).expect("a link"), Path::new("../../shared/log"));
    assert_eq!(
        fs::read_link(release.join("public/uploads")).expect("a link"),
        Path::new("../../../shared/public/uploads")
    );
    assert_eq!(fs::read_to_string(release.join("config/secret")).expect("is there"), "secret");
    assert!(release.join("public/uploads").is_dir() && release.join("log").is_dir());
    for link in ["log", "public/uploads", "config/secret"] {
        fs::remove_file(release.join(link)).expect("removed");
    }
    fs::remove_dir(release.join("config")).expect("removed");
    fs::create_dir(release.join("public/uploads")).expect("made");
    fs::write(release.join("public/uploads/.keep"), "").expect("written");
    assert_eq!(Artifact::read(&release).expect("reads").digest(), artifact.digest());
    assert_eq!(fs::metadata(release.join("large")).expect("is there").mode() & 0o7777, 0o644);
    let staged = StagedRelease {
        id: "r1".to_owned(),
        digest: artifact.digest().to_owned(),
        record: "record of r1".to_owned(),
    };
    assert_eq!(inspect(&stage).releases, [staged]);

    fs::write(stage.path("artifact/large"), vec![8; 1000]).expect("written");
    let changed = Artifact::read(&stage.path("artifact")).expect("reads");
    let (begun, _) = send(&stage, &changed, "r2", "t2");
    assert_eq!((begun.received_bytes, begun.reused_bytes), (1000, total - 700_000));
    assert_eq!(stage.perform(finish("r2", "t2")), Ok(Answer::Done));

    let streams = Streams::with(&artifact.manifest().encode());
    let again = stage.perform_with(begin("r1", "t3"), None, &streams);
    assert_eq!(
        again,
        Ok(Answer::Staging(Staging { complete: true, total_bytes: total, ..Staging::default() }))
    );
    let streams = Streams::with(&changed.manifest().encode());
    let other = stage.perform_with(begin("r1", "t3"), None, &streams).expect_err("another release");
    assert_eq!(other.kind, FaultKind::Conflict);
}

#[test]
fn a_file_that_rotted_on_the_host_is_not_reused() {
    let stage = Stage::new();
    fs::create_dir_all(stage.path("artifact")).expect("made");
    stage.write("artifact/a", "content");
    fs::create_dir_all(stage.path("shop/shared/config")).expect("made");
    stage.write("shop/shared/config/secret", "secret");
    let artifact = Artifact::read(&stage.path("artifact")).expect("reads");
    send(&stage, &artifact, "r1", "t1");
    stage.perform(finish("r1", "t1")).expect("finishes");
    stage.write("shop/releases/r1/a", "rotten!");
    let (begun, _) = send(&stage, &artifact, "r2", "t2");
    assert_eq!((begun.reused_bytes, begun.received_bytes), (0, 7));
    stage.write("shop/releases/.partial-t2/tree/a", "CONTENT");
    assert_eq!(stage.fault(finish("r2", "t2")), FaultKind::Digest, "what changed since it came is noticed");
    assert_eq!(inspect(&stage).releases.len(), 1);
}

#[test]
fn what_was_built_on_the_host_is_taken_from_there() {
    let stage = Stage::new();
    fs::create_dir_all(stage.path("artifact")).expect("made");
    stage.write("artifact/a", "content");
    stage.write("artifact/b", "changes later");
    let artifact = Artifact::read(&stage.path("artifact")).expect("reads");
    stage.write("artifact/b", "is other now");
    for (twin, reused) in [("~/artifact", 7), ("~/nothing", 0), ("~/artifact/a", 0)] {
        let streams = Streams::with(&artifact.manifest().encode());
        let begun = stage.perform_with(begin_beside("r1", "t1", Some(twin)), None, &streams);
        let want =
            Staging { total_bytes: 20, reused_bytes: reused, received_bytes: 20 - reused, complete: false };
        assert_eq!(begun, Ok(Answer::Staging(want)), "{twin}");
    }
    assert_eq!(stage.fault(begin_beside("r1", "t1", Some("../x"))), FaultKind::NotAllowed);
}

#[test]
fn false_contents_and_broken_uploads_are_refused() {
    let stage = Stage::new();
    fs::create_dir_all(stage.path("artifact")).expect("made");
    stage.write("artifact/a", "content");
    let artifact = Artifact::read(&stage.path("artifact")).expect("reads");
    let streams = Streams::with(&artifact.manifest().encode());
    stage.perform_with(begin("r1", "t1"), None, &streams).expect("begins");
    let packed = |content: &str| {
        let mut encoder = FrameEncoder::new(Vec::new());
        encoder.write_all(content.as_bytes()).expect("packs");
        encoder.finish().expect("ends")
    };
    let kind = |content: &[u8]| fill(&stage, "t1", content).expect_err("is refused").kind;
    assert_eq!(kind(&packed("CONTENT")), FaultKind::Digest);
    assert_eq!(kind(&packed("cont")), FaultKind::Failed);
    assert_eq!(kind(&packed("content and more")), FaultKind::Failed);
    assert_eq!(kind(b"no frame at all"), FaultKind::Failed);
    assert_eq!(kind(&packed("content")[..9]), FaultKind::Failed);
    assert_eq!(stage.fault(finish("r1", "t1")), FaultKind::Digest);
    assert!(inspect(&stage).releases.is_empty());
}

#[test]
fn hostile_manifests_make_nothing() {
    let stage = Stage::new();
    let empty = Manifest::new(Vec::new()).expect("fine").encode();
    let file = |path: &[u8], mode: u16| {
        let mut bytes = empty.clone();
        bytes.push(b'f');
        bytes.extend((path.len() as u16).to_be_bytes());
        bytes.extend(path);
        bytes.extend(mode.to_be_bytes());
        bytes.extend([0; 40]);
        bytes
    };
    let cases = [
        file(b"../../evil", 0o644),
        file(b"/tmp/evil", 0o644),
        file(b"evil", 0o4755),
        b"nonsense".to_vec(),
        empty[..5].to_vec(),
    ];
    for manifest in cases {
        let fault =
            stage.perform_with(begin("r1", "t1"), None, &Streams::with(&manifest)).expect_err("is refused");
        assert_eq!(fault.kind, FaultKind::NotAllowed, "{fault}");
    }
    assert!(!stage.path("shop").exists());
    for (release, token) in [("../x", "t"), ("r", "../x"), ("", "t"), (".hidden", "t")] {
        let fault =
            stage.perform_with(begin(release, token), None, &Streams::with(&empty)).expect_err("is refused");
        assert_eq!(fault.kind, FaultKind::NotAllowed);
    }
}

#[test]
fn what_no_release_may_have_is_refused_where_it_is_built() {
    let stage = Stage::new();
    let root = stage.path("artifact");
    fs::create_dir(&root).expect("made");
    let reason = || Artifact::read(&root).expect_err("is refused").message;
    let made = std::process::Command::new("mkfifo").arg(root.join("pipe")).status().expect("runs");
    assert!(made.success() && reason().ends_with("is a named pipe: no release may have one"));
    fs::remove_file(root.join("pipe")).expect("removed");
    fs::write(root.join("tool"), "").expect("written");
    fs::set_permissions(root.join("tool"), fs::Permissions::from_mode(0o4755)).expect("set");
    assert!(reason().ends_with("has set-id bits: no release may have any"));
    fs::remove_file(root.join("tool")).expect("removed");
    for target in ["/etc/passwd", "../outside"] {
        symlink(target, root.join("link")).expect("linked");
        assert!(reason().contains("`link`: the link"), "{}", reason());
        fs::remove_file(root.join("link")).expect("removed");
    }
    assert!(Artifact::read(&root).is_ok());
}

#[test]
fn links_from_shared_must_have_their_place() {
    let stage = Stage::new();
    fs::create_dir_all(stage.path("artifact")).expect("made");
    stage.write("artifact/public", "a file where a directory is to be");
    let artifact = Artifact::read(&stage.path("artifact")).expect("reads");
    send(&stage, &artifact, "r1", "t1");
    assert_eq!(stage.fault(finish("r1", "t1")), FaultKind::NotFound, "the shared file is missing");
    fs::create_dir_all(stage.path("shop/shared/config")).expect("made");
    stage.write("shop/shared/config/secret", "");
    assert_eq!(stage.fault(finish("r1", "t1")), FaultKind::Conflict);
    let out = Operation::StageFinish {
        directory: SHOP.to_owned(),
        release: "r1".to_owned(),
        token: "t1".to_owned(),
        record: String::new(),
        linked_dirs: vec!["../escape".to_owned()],
        linked_files: Vec::new(),
    };
    assert_eq!(stage.fault(out), FaultKind::NotAllowed);
}

#[test]
fn leftovers_and_old_releases_go() {
    let stage = Stage::new();
    assert_eq!(inspect(&stage), Application::default());
    make_artifact(&stage.path("artifact"));
    fs::create_dir_all(stage.path("shop/shared/config")).expect("made");
    stage.write("shop/shared/config/secret", "");
    let artifact = Artifact::read(&stage.path("artifact")).expect("reads");
    for (release, token) in [("r1", "t1"), ("r2", "t2")] {
        send(&stage, &artifact, release, token);
        stage.perform(finish(release, token)).expect("finishes");
    }
    for token in ["t3", "t4"] {
        send(&stage, &artifact, "r3", token);
    }
    symlink("releases/r2", stage.path("shop/current")).expect("linked");
    symlink("/elsewhere/r1", stage.path("shop/blue")).expect("linked");
    let application = inspect(&stage);
    let ids: Vec<&str> = application.releases.iter().map(|release| release.id.as_str()).collect();
    assert_eq!(
        (ids.as_slice(), application.partials.as_slice()),
        (&["r1", "r2"][..], &["t3".to_owned(), "t4".to_owned()][..])
    );
    assert_eq!(
        (application.current.as_deref(), application.blue, application.green),
        (Some("r2"), None, None)
    );

    let partials = || Operation::RemovePartials { directory: SHOP.to_owned() };
    for _ in 0..2 {
        assert_eq!(stage.perform(partials()), Ok(Answer::Done));
        assert_eq!(inspect(&stage).partials, [""; 0]);
    }
    let remove =
        |release: &str| Operation::RemoveRelease { directory: SHOP.to_owned(), release: release.to_owned() };
    for release in ["r1", "r1", "never"] {
        assert_eq!(stage.perform(remove(release)), Ok(Answer::Done));
    }
    let mut left: Vec<String> = fs::read_dir(stage.path("shop/releases"))
        .expect("lists")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    left.sort();
    assert_eq!(left, ["r2", "r2.json", "r2.manifest"]);
}
