//! Trees on their way from host to host: honest ones, and what a host can send that lies.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::{Arc, Mutex};

use cutover_host::artifact::Artifact;
use cutover_host::manifest::{ContentDigest, Entry, EntryKind, MAX_ENCODED, Manifest};
use cutover_host::operation::{Answer, Call, Fault, FaultKind, Operation, Staging};
use cutover_host::{Account, Host};
use lz4_flex::frame::FrameEncoder;
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};

use super::{Chunk, Failure, Flow, Link, LinkFuture, Stand, Tree, fetch, local_link, stage};
use crate::model::HostName;

const TREE: Tree<'_> = Tree { path: "~/work/dist", beneath: "~/work" };
const STAND: Stand<'_> = Stand { directory: "~/here", release: "artifact", token: "artifact", twin: None };

fn name(name: &str) -> HostName {
    HostName::new(name).expect("a name")
}

/// This machine as a host whose home is a scratch directory.
fn host(scratch: &TempDir) -> Arc<dyn Link> {
    let home = scratch.path().to_str().expect("UTF-8").to_owned();
    let account = Account { user: "me".to_owned(), uid: 0, home };
    local_link(name("here"), Arc::new(Host::new(Vec::new(), account)))
}

async fn finish(link: &dyn Link) -> Result<Answer, Failure> {
    let operation = Operation::StageFinish {
        directory: STAND.directory.to_owned(),
        release: STAND.release.to_owned(),
        token: STAND.token.to_owned(),
        record: String::new(),
        linked_dirs: Vec::new(),
        linked_files: Vec::new(),
    };
    link.perform(operation.call()).await
}

#[tokio::test]
async fn a_tree_arrives_as_it_was() {
    let (there, here) = (tempfile::tempdir().expect("made"), tempfile::tempdir().expect("made"));
    let dist = there.path().join("work/dist");
    fs::create_dir_all(dist.join("empty/within")).expect("made");
    fs::write(dist.join("two words\nand lines"), "words").expect("written");
    fs::write(dist.join("same"), "words").expect("written");
    fs::write(dist.join("nothing"), "").expect("written");
    let noise: Vec<u8> = (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    fs::write(dist.join("large"), noise).expect("written");
    fs::set_permissions(dist.join("large"), fs::Permissions::from_mode(0o751)).expect("set");
    symlink("../large", dist.join("empty/up")).expect("linked");
    let (from, to) = (host(&there), host(&here));
    fetch(from.as_ref(), TREE, to.as_ref(), STAND, u64::MAX).await.expect("arrives");
    finish(to.as_ref()).await.expect("is whole");
    let arrived = Artifact::read(&here.path().join("here/releases/artifact")).expect("reads");
    assert_eq!(arrived.digest(), Artifact::read(&dist).expect("reads").digest());

    let small = fetch(from.as_ref(), TREE, to.as_ref(), Stand { release: "other", ..STAND }, 1_000_000).await;
    let message = "the artifact has 3 MB, and there is room for 1 MB here".to_owned();
    assert_eq!(small, Err(Failure::Fault(Fault::new(FaultKind::NoSpace, message))));
    let nowhere = Tree { path: "~/work/nothing", ..TREE };
    let missing = fetch(from.as_ref(), nowhere, to.as_ref(), Stand { release: "other", ..STAND }, 1).await;
    assert!(
        matches!(&missing, Err(Failure::Fault(fault)) if fault.kind == FaultKind::NotFound),
        "{missing:?}"
    );
}

/// A host that sends what it likes.
#[derive(Debug)]
struct Liar {
    name: HostName,
    /// What it sends, and whether it sends more of the same for as long as anybody listens.
    says: Mutex<Vec<Vec<u8>>>,
    endless: bool,
    answer: Result<Answer, Failure>,
}

impl Link for Liar {
    fn name(&self) -> &HostName {
        &self.name
    }

    fn perform(&self, _call: Call) -> LinkFuture<'_, Answer> {
        Box::pin(async { Ok(Answer::Done) })
    }

    fn open(&self, _call: Call) -> LinkFuture<'_, Flow> {
        let says = std::mem::take(&mut *self.says.lock().expect("not poisoned"));
        let (endless, answer) = (self.endless, self.answer.clone());
        Box::pin(async move {
            let (upload, mut asked) = mpsc::channel(4);
            let (sends, download) = mpsc::channel(4);
            let (answers, answered) = oneshot::channel();
            tokio::spawn(async move { while asked.recv().await.is_some() {} });
            tokio::spawn(async move {
                let last = says.last().cloned().unwrap_or_default();
                for piece in says {
                    let _ = sends.send(Chunk::Out(piece)).await;
                }
                while endless && sends.send(Chunk::Out(last.clone())).await.is_ok() {}
                drop(sends);
                let _ = answers.send(answer);
            });
            Ok(Flow { upload, download, answer: answered })
        })
    }
}

fn file(path: &str, content: &[u8]) -> Entry {
    let kind =
        EntryKind::File { mode: 0o644, size: content.len() as u64, digest: ContentDigest::of(content) };
    Entry { path: path.into(), kind }
}

fn announced(manifest: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(manifest.len()).expect("short").to_be_bytes().to_vec();
    bytes.extend(manifest);
    bytes
}

fn packed(content: &[u8]) -> Vec<u8> {
    let mut encoder = FrameEncoder::new(Vec::new());
    encoder.write_all(content).expect("packs");
    encoder.finish().expect("ends")
}

#[tokio::test]
async fn a_host_that_lies_is_not_believed() {
    let honest = Manifest::new(vec![file("a", b"content")]).expect("fine").encode();
    // Encodings that no manifest has: made by hand of an honest one, and of what follows its first line.
    let head = Manifest::new(Vec::new()).expect("fine").encode();
    let hostile = |kind: u8, path: &[u8], rest: &[u8]| {
        let mut bytes = head.clone();
        bytes.push(kind);
        bytes.extend(u16::try_from(path.len()).expect("short").to_be_bytes());
        bytes.extend(path);
        bytes.extend(rest);
        bytes
    };
    let plain = [&[0o1, 0o244][..], &[0; 40]].concat();
    let set_uid = [&[0o10, 0o755_u16 as u8][..], &[0; 40]].concat();
    let link = |target: &[u8]| [&[0, target.len() as u8][..], target].concat();
    let staging = Ok(Answer::Staging(Staging::default()));
    let finished = |says: Vec<Vec<u8>>| (says, false, staging.clone());
    let described = |manifest: &[u8]| finished(vec![announced(manifest)]);
    let sent = |content: Vec<u8>| finished(vec![announced(&honest), content]);
    let broke = Failure::Broken("the connection to host `liar` broke".to_owned());
    let refusal = Failure::Fault(Fault::new(FaultKind::Failed, "`a` became shorter while it was sent"));
    let cases = [
        ("up", described(&hostile(b'f', b"../evil", &plain)), "describes a tree that is refused: `../evil`"),
        ("absolute", described(&hostile(b'f', b"/etc/evil", &plain)), "is refused: `/etc/evil`"),
        ("set-uid", described(&hostile(b'f', b"evil", &set_uid)), "is refused: `evil`: it has set-id"),
        ("link out", described(&hostile(b'l', b"evil", &link(b"/etc"))), "`evil`: the link is absolute"),
        ("link up", described(&hostile(b'l', b"evil", &link(b".."))), "`evil`: the link leads out"),
        ("nonsense", described(b"nonsense"), "is refused: it is not a manifest"),
        ("too long", finished(vec![((MAX_ENCODED + 1) as u32).to_be_bytes().to_vec()]), "does not belong"),
        ("more than announced", finished(vec![[announced(&head), vec![0]].concat()]), "does not belong"),
        ("nothing", finished(Vec::new()), "does not belong"),
        ("half a manifest", finished(vec![announced(&honest)[..20].to_vec()]), "does not belong"),
        ("other content", sent(packed(b"CONTENT")), "did not send what it has described: `a` arrived with"),
        ("too little", sent(packed(b"con")), "did not send what it has described"),
        ("too much", sent(packed(b"content and more")), "more was sent than was asked for"),
        ("not packed", sent(b"content".to_vec()), "did not send what it has described"),
        ("no content", described(&honest), "did not send what it has described"),
        ("without end", (vec![announced(&honest), vec![7; 60_000]], true, staging.clone()), "host `liar`"),
        ("breaks", (vec![announced(&honest)], false, Err(broke)), "the connection to host `liar` broke"),
        ("gives up", (vec![announced(&honest)], false, Err(refusal)), "`a` became shorter"),
        (
            "gives up late",
            (vec![announced(&honest), packed(b"content")], false, Err(Failure::Broken("late".into()))),
            "late",
        ),
    ];
    for (case, (says, endless, answer), reason) in cases {
        let here = tempfile::tempdir().expect("made");
        let liar = Liar { name: name("liar"), says: Mutex::new(says), endless, answer };
        let to = host(&here);
        let failure = fetch(&liar, TREE, to.as_ref(), STAND, 1 << 30).await.expect_err(case);
        assert!(failure.to_string().contains(reason), "{case}: {failure}");
        assert!(!here.path().join("here/releases/artifact").exists(), "{case}");
        let outside: Vec<_> = fs::read_dir(here.path()).expect("lists").flatten().collect();
        assert!(outside.iter().all(|entry| entry.file_name() == "here"), "{case}: {outside:?}");
    }
}

#[tokio::test]
async fn counts_that_can_not_be_are_borne() {
    let tree = tempfile::tempdir().expect("made");
    fs::write(tree.path().join("a"), "content").expect("written");
    let artifact = Arc::new(Artifact::read(tree.path()).expect("reads"));
    let counts = Staging { reused_bytes: u64::MAX, received_bytes: u64::MAX, ..Staging::default() };
    let answer = Ok(Answer::Staging(counts));
    let liar = Liar { name: name("liar"), says: Mutex::default(), endless: false, answer };
    let staged = stage(&liar, STAND, &artifact, Arc::new(|_| {})).await.expect("is told");
    assert_eq!((staged.reused_bytes, staged.received_bytes), (u64::MAX, u64::MAX));
}
