//! Bringing a release to a host: its manifest, then what the host lacks of its contents.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cutover_host::artifact::Artifact;
use cutover_host::manifest::Manifest;
use cutover_host::operation::{Answer, Operation, Staging};
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use tokio::sync::mpsc;

use super::{Chunk, Failure, Flow, Link};
use crate::model::Transfer;

/// A host must not ask for more indices than there can be entries.
const INDEX: usize = 4;

/// Where on a host a tree is brought.
#[derive(Debug, Clone, Copy)]
pub struct Stand<'a> {
    /// The directory that `releases` lies in.
    pub directory: &'a str,
    /// Identifier of the release.
    pub release: &'a str,
    /// Names the partial directory.
    pub token: &'a str,
    /// Directory on the host that may hold the same tree.
    pub twin: Option<&'a str>,
}

/// Stages a release up to, not including, [`Operation::StageFinish`]. `progress` is called often, from other threads too.
///
/// # Errors
/// When the host can't be reached, refuses the release, or has no room; a broken connection leaves a partial directory there.
pub async fn stage(
    link: &dyn Link,
    stand: Stand<'_>,
    artifact: &Arc<Artifact>,
    progress: Arc<dyn Fn(Transfer) + Send + Sync>,
) -> Result<Staging, Failure> {
    let (begun, needed) = begin(link, stand, artifact.manifest()).await?;
    if begun.complete {
        return Ok(begun);
    }
    let needed = indices(link, &needed)?;
    progress(Transfer { done: 0, total: begun.received_bytes });
    let Flow { upload, download, answer } = link.open(stand.fill().call()).await?;
    drop(download);
    let (contents, total) = (Arc::clone(artifact), begun.received_bytes);
    let refused = Arc::new(AtomicBool::new(false));
    let pieces = Pieces { upload, piece: Vec::new(), refused: Arc::clone(&refused) };
    let sending = tokio::task::spawn_blocking(move || {
        let info = FrameInfo::new().block_size(BlockSize::Max256KB).block_mode(BlockMode::Linked);
        let mut encoder = FrameEncoder::with_frame_info(info, pieces);
        let mut done = 0;
        let mut tell = |bytes| {
            done += bytes;
            progress(Transfer { done, total });
        };
        contents.send(&needed, &mut encoder, &mut tell)?;
        let sent = encoder.finish().map_err(io::Error::from).and_then(|mut pieces| pieces.flush());
        sent.map_err(|error| failed(&format!("the release can't be sent: {error}")))
    });
    let sent = sending.await.unwrap_or_else(|_| Err(failed("the release can't be sent")));
    if !refused.load(Ordering::Relaxed) {
        // Nobody but this side can say why it stopped sending.
        sent.map_err(Failure::Fault)?;
    }
    let Answer::Staging(filled) = answered(link, answer.await)? else { return Err(nonsense(link)) };
    // Both are the host's words.
    let reused_bytes = begun.reused_bytes.saturating_add(filled.reused_bytes);
    Ok(Staging { reused_bytes, ..filled })
}

impl Stand<'_> {
    pub(super) fn fill(&self) -> Operation {
        Operation::StageFill { directory: self.directory.to_owned(), token: self.token.to_owned() }
    }
}

/// Sends the manifest, and receives the indices of what the host lacks, as they travel.
pub(super) async fn begin(
    link: &dyn Link,
    stand: Stand<'_>,
    manifest: &Manifest,
) -> Result<(Staging, Vec<u8>), Failure> {
    let operation = Operation::StageBegin {
        directory: stand.directory.to_owned(),
        release: stand.release.to_owned(),
        token: stand.token.to_owned(),
        twin: stand.twin.map(str::to_owned),
    };
    let Flow { upload, mut download, answer } = link.open(operation.call()).await?;
    let encoded = manifest.encode();
    let sending = tokio::spawn(async move {
        for piece in encoded.chunks(cutover_host::frame::MAX_PAYLOAD) {
            if upload.send(piece.to_vec()).await.is_err() {
                break;
            }
        }
    });
    let mut list = Vec::new();
    while let Some(chunk) = download.recv().await {
        let (Chunk::Out(bytes) | Chunk::Errors(bytes)) = chunk;
        list.extend(bytes);
        if list.len() > manifest.entries().len() * INDEX {
            return Err(nonsense(link));
        }
    }
    let answer = answered(link, answer.await);
    sending.abort();
    let Answer::Staging(staging) = answer? else { return Err(nonsense(link)) };
    Ok((staging, list))
}

fn indices(link: &dyn Link, list: &[u8]) -> Result<Vec<u32>, Failure> {
    let (indices, rest) = list.as_chunks::<INDEX>();
    if !rest.is_empty() {
        return Err(nonsense(link));
    }
    Ok(indices.iter().map(|index| u32::from_be_bytes(*index)).collect())
}

pub(super) fn answered<E>(
    link: &dyn Link,
    answer: Result<Result<Answer, Failure>, E>,
) -> Result<Answer, Failure> {
    answer.unwrap_or_else(|_| Err(Failure::Broken(format!("the connection to host `{}` broke", link.name()))))
}

pub(super) fn nonsense(link: &dyn Link) -> Failure {
    Failure::Nonsense(format!("host `{}` answered what does not belong to staging", link.name()))
}

fn failed(message: &str) -> cutover_host::operation::Fault {
    cutover_host::operation::Fault::new(cutover_host::operation::FaultKind::Failed, message)
}

/// Gathers what is written into pieces of a frame's size.
struct Pieces {
    upload: mpsc::Sender<Vec<u8>>,
    piece: Vec<u8>,
    /// Set when the host ended the operation in the middle; its answer says why.
    refused: Arc<AtomicBool>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = cutover_host::frame::MAX_PAYLOAD - self.piece.len();
        let taken = &bytes[..bytes.len().min(room)];
        self.piece.extend_from_slice(taken);
        if self.piece.len() == cutover_host::frame::MAX_PAYLOAD {
            self.flush()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let sent = self.upload.blocking_send(std::mem::take(&mut self.piece));
        sent.map_err(|_| {
            self.refused.store(true, Ordering::Relaxed);
            io::Error::other("the host takes no more")
        })
    }
}
