//! Fuzz target: frames from a host.

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};

use cutover_host::frame::{self, HEADER, Kind, WINDOW};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::calls::{Calls, Item, Sink};
use super::connection::{MAX_CHUNKS, read_frames};
use crate::model::HostName;

/// Frames as they are, and each line of the input as a frame of its own.
pub fn frames(input: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(take(input));
    let mut framed = Vec::new();
    for line in input.split(|byte| *byte == b'\n') {
        let id = line.first().map_or(0, |byte| u64::from(byte % 4));
        let kind = line.get(1).map_or(0, |byte| byte % 11);
        for mut frame in frame::split(id, Kind::AnswerPart, Kind::Answer, &line[line.len().min(2)..]) {
            frame[HEADER - 1] = kind;
            framed.extend(frame);
        }
    }
    runtime.block_on(take(&framed));
}

/// A connection with an operation and a stream under way, on which so much comes, and then its end: both have an answer, in one line,
/// and no more was taken in than the window allows.
async fn take(input: &[u8]) {
    let calls = Calls::new(HostName::new("web1").expect("a name"));
    let permits = Arc::new(Semaphore::new(2));
    let permit = || Arc::clone(&permits).try_acquire_owned().expect("a permit");
    let (sender, answer) = oneshot::channel();
    let _ = calls.register(Sink::Answer(sender), permit());
    let (items, mut queue) = mpsc::channel(MAX_CHUNKS + 1);
    let (window, outstanding) = (Arc::new(Semaphore::new(WINDOW as usize)), Arc::new(AtomicU32::new(0)));
    let _ = calls.register(Sink::Stream { items, window, outstanding }, permit());

    let failure = read_frames(&mut &input[..], &calls, &Arc::new(Mutex::default())).await;
    assert!(!failure.to_string().contains('\n'), "{failure:?}");
    calls.fail(failure);
    assert!(calls.is_broken());
    if let Err(failure) = answer.await.expect("every call is answered") {
        assert!(!failure.to_string().contains(['\n', '\u{1b}']), "{failure:?}");
    }
    let (mut cost, mut answered) = (0, false);
    while let Ok(item) = queue.try_recv() {
        assert!(!answered, "nothing comes after the answer");
        match item {
            Item::Chunk(_, taken) => cost += taken,
            Item::Answer(_) => answered = true,
        }
    }
    assert!(answered && cost <= WINDOW, "{answered} {cost}");
    assert_eq!(permits.available_permits(), 2, "nobody waits any more");
}
