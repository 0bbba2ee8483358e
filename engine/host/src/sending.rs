//! A tree on this host, described to the engine and then sent: the way back of [`crate::staging`].

use std::io::{self, Write};

use lz4_flex::frame::FrameEncoder;
use rustix::fs::{FileType, OFlags};

use crate::account::Account;
use crate::artifact::Artifact;
use crate::fault::{self, failed, not_allowed};
use crate::frame::MAX_PAYLOAD;
use crate::operation::{Beneath, Fault, Staging};
use crate::place::Place;
use crate::scope::Scope;
use crate::stream::{Lane, Stream};

/// See [`crate::operation::Operation::SendTree`].
pub(crate) fn send(
    account: &Account,
    path: &str,
    beneath: &str,
    scope: &Scope<'_>,
) -> Result<Staging, Fault> {
    let place = Place::find(account, path, Some(&Beneath::Directory(beneath.to_owned())))?;
    // It must lie there itself: a link would have the engine fetch another tree than the one named.
    let found = rustix::fs::fstat(place.open(OFlags::RDONLY)?)
        .map_err(|error| fault::io("look at", &place.shown, error))?;
    let kind = FileType::from_raw_mode(found.st_mode);
    if !kind.is_dir() && !kind.is_file() {
        return Err(not_allowed(format!("`{}` is neither a directory nor a file", place.shown)));
    }
    let artifact = Artifact::read(std::path::Path::new(&place.shown))?;
    scope.left()?;
    let manifest = artifact.manifest().encode();
    let length = u32::try_from(manifest.len()).map_err(|_| failed("the manifest is too large"))?;
    let mut output = Outgoing { stream: scope.stream, piece: Vec::with_capacity(MAX_PAYLOAD) };
    let fails = |error: io::Error| fault::io("send", &place.shown, error);
    output.write_all(&length.to_be_bytes()).and_then(|()| output.write_all(&manifest)).map_err(fails)?;
    output.flush().map_err(fails)?;
    drop(manifest);
    let needed = receive_indices(scope, artifact.manifest().entries().len())?;
    let total_bytes = artifact.manifest().total_bytes();
    let mut staging = Staging { total_bytes, ..Staging::default() };
    let mut encoder = FrameEncoder::new(output);
    artifact.send(&needed, &mut encoder, |bytes| staging.received_bytes += bytes)?;
    encoder.finish().map_err(io::Error::from).and_then(|mut output| output.flush()).map_err(fails)?;
    Ok(staging)
}

fn receive_indices(scope: &Scope<'_>, entries: usize) -> Result<Vec<u32>, Fault> {
    let mut list = Vec::new();
    while let Some(piece) = scope.stream.receive() {
        list.extend_from_slice(&piece);
        if list.len() > entries * 4 {
            return Err(failed("more was asked for than there is"));
        }
    }
    // An engine that gave up has closed its side too.
    scope.left()?;
    let (indices, rest) = list.as_chunks();
    if !rest.is_empty() {
        return Err(failed("the list of what is asked for ends in the middle"));
    }
    Ok(indices.iter().map(|index| u32::from_be_bytes(*index)).collect())
}

/// Gathers what is written into pieces of a frame's size.
struct Outgoing<'a> {
    stream: &'a dyn Stream,
    piece: Vec<u8>,
}

impl Write for Outgoing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = &bytes[..bytes.len().min(MAX_PAYLOAD - self.piece.len())];
        self.piece.extend_from_slice(taken);
        if self.piece.len() == MAX_PAYLOAD {
            self.flush()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.piece.is_empty() {
            self.stream.send(Lane::Out, &self.piece).map_err(io::Error::other)?;
            self.piece.clear();
        }
        Ok(())
    }
}
