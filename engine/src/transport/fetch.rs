//! Bringing a tree from a host to another one, through this process: the first describes and sends it, the second checks and keeps it,
//! with the same operations that bring a release to a host.

use std::time::Duration;

use cutover_host::manifest::{MAX_ENCODED, Manifest};
use cutover_host::operation::{Answer, Fault, FaultKind, Operation};
use tokio::sync::mpsc;

use super::upload::{Stand, answered, begin, nonsense};
use super::{Chunk, Failure, Flow, Link};
use crate::model::Size;

/// How long a sender may take to say why it ended early.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Bytes that say how long the manifest is.
const LENGTH: usize = 4;

/// A tree on a host.
#[derive(Debug, Clone, Copy)]
pub struct Tree<'a> {
    /// Its path.
    pub path: &'a str,
    /// Directory that it must lie beneath.
    pub beneath: &'a str,
}

/// Fetches a tree up to, not including, [`Operation::StageFinish`]. `room` is how many bytes there are for it. Nothing that `from` says is
/// believed: the manifest is checked before anything is made of it, and `to` checks every size and digest.
///
/// # Errors
/// When either can't be reached, the tree is none that can be a release, or `from` sends something else than it has described.
pub async fn fetch(
    from: &dyn Link,
    tree: Tree<'_>,
    to: &dyn Link,
    stand: Stand<'_>,
    room: u64,
) -> Result<(), Failure> {
    let operation = Operation::SendTree { path: tree.path.to_owned(), beneath: tree.beneath.to_owned() };
    let Flow { upload, mut download, answer } = from.open(operation.call()).await?;
    let Some(encoded) = receive_manifest(from, &mut download).await? else {
        return Err(answered(from, answer.await).err().unwrap_or_else(|| nonsense(from)));
    };
    let manifest = Manifest::decode(&encoded).map_err(|refused| {
        Failure::Nonsense(format!("host `{}` describes a tree that is refused: {refused}", from.name()))
    })?;
    drop(encoded);
    let total = manifest.total_bytes();
    if total > room {
        let (total, room) = (Size::bytes(total), Size::bytes(room));
        return Err(refused(format!("the artifact has {total}, and there is room for {room} here")));
    }
    let (_, needed) = begin(to, stand, &manifest).await?;
    let filling = to.open(stand.fill().call()).await?;
    if upload.send(needed).await.is_err() {
        return Err(answered(from, answer.await).err().unwrap_or_else(|| nonsense(from)));
    }
    drop(upload);
    // What can't be packed travels as it is, with a few bytes around each block of it.
    let mut left = total.saturating_add(total / 64).saturating_add(1 << 16);
    while let Some(chunk) = download.recv().await {
        let Chunk::Out(bytes) = chunk else { return Err(nonsense(from)) };
        let Some(rest) = left.checked_sub(bytes.len() as u64) else {
            return Err(Failure::Nonsense(format!(
                "host `{}` sends more than it has described",
                from.name()
            )));
        };
        left = rest;
        if filling.upload.send(bytes).await.is_err() {
            // It takes no more; its answer says why.
            break;
        }
    }
    let Flow { upload, download: said, answer: filled } = filling;
    drop((upload, said, download));
    match answered(to, filled.await) {
        Ok(Answer::Staging(_)) => {}
        Ok(_) => return Err(nonsense(to)),
        Err(Failure::Fault(fault)) => {
            // When the sender says why it ended early, that is the reason.
            let sent = tokio::time::timeout(LAST_WORDS, answer).await;
            let name = from.name();
            let said = sent.ok().and_then(|sent| answered(from, sent).err());
            return Err(said.unwrap_or_else(|| {
                if matches!(fault.kind, FaultKind::Digest | FaultKind::Failed) {
                    Failure::Nonsense(format!("host `{name}` did not send what it has described: {fault}"))
                } else {
                    Failure::Fault(fault)
                }
            }));
        }
        Err(failure) => return Err(failure),
    }
    answered(from, answer.await).map(drop)
}

/// The manifest as it travels; none when the host ends before.
async fn receive_manifest(
    from: &dyn Link,
    download: &mut mpsc::Receiver<Chunk>,
) -> Result<Option<Vec<u8>>, Failure> {
    let mut received = Vec::new();
    loop {
        if let Some((length, rest)) = received.split_first_chunk::<LENGTH>() {
            let length = u32::from_be_bytes(*length) as usize;
            if length > MAX_ENCODED || rest.len() > length {
                return Err(nonsense(from));
            }
            if rest.len() == length {
                received.drain(..LENGTH);
                return Ok(Some(received));
            }
        }
        match download.recv().await {
            Some(Chunk::Out(bytes)) => received.extend(bytes),
            Some(Chunk::Errors(_)) => return Err(nonsense(from)),
            None => return Ok(None),
        }
    }
}

fn refused(message: String) -> Failure {
    Failure::Fault(Fault::new(FaultKind::NoSpace, message))
}
