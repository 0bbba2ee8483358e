//! Fuzz targets: what hosts read that others may have written. Each takes any bytes, and panics where a rule is broken.
//!
//! `tests/fuzz` gives them to libFuzzer; the tests here replay its corpus and mutations of it.

use std::io::{self, Read as _};
use std::sync::Arc;

use crate::document;
use crate::epoch::{self, Refusal};
use crate::fault;
use crate::fence::Fence;
use crate::frame::{self, HEADER, Header, Kind};
use crate::operation::{Answer, Call, Fault, Lock, LockHolder};
use crate::release::ReleaseRecord;
use crate::serve::{Perform, serve_with};
use crate::stream::{Lane, Stream};
use crate::supervisor;

/// Documents of the state directory and beside releases.
pub fn documents(input: &[u8]) {
    let read = "document";
    let _ = document::parse::<ReleaseRecord>(read, input);
    let _ = document::parse::<supervisor::Record>(read, input);
    let fence = document::parse::<Fence>(read, input).map_or(0, |fence| fence.epoch);
    if let Ok(lock) = document::parse::<Lock>(read, input) {
        for fence in [fence, 0, lock.epoch, u64::MAX] {
            check_lock(&lock, fence);
        }
    }
}

/// Whatever the lock's file and the fence hold: who takes it raises the epoch, and only the one who has it keeps or frees it.
fn check_lock(lock: &Lock, fence: u64) {
    let highest = lock.epoch.max(fence);
    let text = |text: &str| text.to_owned();
    let holder =
        LockHolder { who: text("me"), deployment: text("d"), command: text("deploy"), process: None };
    for steal in [None, Some(lock.epoch), Some(fence)] {
        match epoch::take(lock, fence, &holder, steal, 0) {
            Ok(taken) => {
                assert_eq!((taken.epoch, &taken.holder), (highest + 1, &Some(holder.clone())));
                let barred = epoch::admit(taken.epoch, lock.epoch);
                assert!(barred.is_err(), "whoever had it is shut out");
            }
            Err(Refusal::Held) => assert!(lock.holder.is_some() && lock.epoch >= fence),
            Err(Refusal::Exhausted) => assert_eq!(highest, u64::MAX),
            Err(Refusal::Fenced { .. }) => panic!("a lock that is taken needs no epoch"),
        }
    }
    for asked in [lock.epoch, fence, 0, u64::MAX] {
        let renewed = epoch::renew(lock, fence, asked, "step", 0);
        assert!(renewed.is_err() || (lock.holder.is_some() && asked == lock.epoch && asked == fence));
        let freed = epoch::free(lock, fence, asked);
        assert!(freed.is_err() || (lock.holder.is_some() && asked == lock.epoch));
        assert!(freed.is_ok_and(|freed| freed.epoch > highest) || freed_nothing(lock, highest, asked));
    }
}

fn freed_nothing(lock: &Lock, highest: u64, asked: u64) -> bool {
    lock.holder.is_none() || asked != lock.epoch || highest == u64::MAX
}

/// Frames from an engine: as they are, and each line of the input as a frame of its own. Nothing is performed.
pub fn frames(input: &[u8]) {
    serve_all(input);
    let mut framed = Vec::new();
    for line in input.split(|byte| *byte == b'\n') {
        let (id, kind) =
            (line.first().map_or(0, |byte| u64::from(byte % 4)), line.get(1).map_or(0, |byte| byte % 11));
        let payload = &line[line.len().min(2)..];
        for mut frame in frame::split(id, Kind::CallPart, Kind::Call, payload) {
            frame[HEADER - 1] = kind;
            framed.extend(frame);
        }
    }
    serve_all(&framed);
}

/// Serves a connection on which so much comes, and then its end: it ends too, and says nothing but frames.
fn serve_all(input: &[u8]) {
    let perform: Perform = Arc::new(repeat);
    let (reader, writer) = io::pipe().expect("a pipe");
    let said = std::thread::spawn(move || {
        let mut said = Vec::new();
        (&reader).read_to_end(&mut said).map(|_| said)
    });
    let _ = serve_with(&perform, input, writer, "digest");
    let said = said.join().expect("it reads").expect("it reads");
    let mut left = &said[..];
    while let Some((header, rest)) = left.split_first_chunk::<HEADER>() {
        let header = Header::decode(*header).expect("a frame");
        assert!(header.kind as u8 >= Kind::Out as u8 || header.kind == Kind::Hello, "{header:?}");
        left = &rest[header.length..];
    }
    assert!(left.is_empty(), "a frame was cut off");
}

/// Says what comes, and at the end that it is done.
fn repeat(call: &Call, stream: &dyn Stream) -> Result<Answer, Fault> {
    while let Some(piece) = stream.receive() {
        stream.send(Lane::Out, &piece)?;
    }
    if call.deadline_ms == Some(0) { Err(fault::failed("no time")) } else { Ok(Answer::Done) }
}

#[cfg(test)]
mod tests {
    use test_support::Corpus;

    #[test]
    fn documents() {
        Corpus::read("host_documents", &[]).replay(super::documents);
    }

    #[test]
    fn frames() {
        Corpus::read("host_frames", &[]).replay(super::frames);
    }
}
