//! Frames: how operations, answers and streams share one connection.
//!
//! A frame is a header of 13 bytes (payload's length as u32, call's id as u64, both big-endian, then the kind) and at most
//! [`MAX_PAYLOAD`] bytes. Each direction of each call's streams has a window of [`WINDOW`]: what a piece costs is taken from it,
//! and given back by a [`Kind::Credit`] of the receiver once the piece was used. So a slow stream holds up no other.

/// Bytes of a frame's payload at most.
pub const MAX_PAYLOAD: usize = 64 << 10;
/// Bytes of a header.
pub const HEADER: usize = 13;
/// What a stream may have under way.
pub const WINDOW: u32 = 256 << 10;
/// What the smallest piece costs, so that tiny pieces can't fill the other side's memory.
pub const MIN_COST: u32 = 256;
/// Bytes of a call or an answer at most, as JSON.
pub const MAX_MESSAGE: usize = 64 << 20;
/// Calls at once on a connection.
pub const MAX_CALLS: usize = 128;
/// First frame of a connection, from the host: digest of the helper's own file.
pub const HELLO: u64 = 0;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// From the host, once: `cutover-host 1 DIGEST`.
    Hello = 0,
    /// A call in JSON that goes on in the next frame of its id.
    CallPart = 1,
    /// The end of a call, or a whole one.
    Call = 2,
    /// The engine gives the call up: its program is ended, nothing more is sent of it.
    Cancel = 3,
    /// A piece of the call's stream to the host. Never before the call.
    Data = 4,
    /// The engine has closed its side of the stream.
    End = 5,
    /// A piece of the call's stream to the engine.
    Out = 6,
    /// The same, of standard error.
    Errors = 7,
    /// An answer in JSON that goes on in the next frame of its id.
    AnswerPart = 8,
    /// The end of an answer, or a whole one; the last frame of its id.
    Answer = 9,
    /// Gives back as many bytes (u32, big-endian) of the window of the call's stream towards the sender of this frame.
    Credit = 10,
}

/// A header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Bytes that follow.
    pub length: usize,
    /// The call.
    pub id: u64,
    /// What it is.
    pub kind: Kind,
}

impl Header {
    /// As bytes.
    #[must_use]
    pub fn encode(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(&u32::try_from(self.length).unwrap_or(u32::MAX).to_be_bytes());
        bytes[4..12].copy_from_slice(&self.id.to_be_bytes());
        bytes[12] = self.kind as u8;
        bytes
    }

    /// From bytes; none when they are no header.
    #[must_use]
    pub fn decode(bytes: [u8; HEADER]) -> Option<Self> {
        let [a, b, c, d, rest @ ..] = bytes;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
        let [id @ .., kind] = rest;
        let kind = match kind {
            0 => Kind::Hello,
            1 => Kind::CallPart,
            2 => Kind::Call,
            3 => Kind::Cancel,
            4 => Kind::Data,
            5 => Kind::End,
            6 => Kind::Out,
            7 => Kind::Errors,
            8 => Kind::AnswerPart,
            9 => Kind::Answer,
            10 => Kind::Credit,
            _ => return None,
        };
        (length <= MAX_PAYLOAD).then_some(Self { length, id: u64::from_be_bytes(id), kind })
    }
}

/// What a piece of so many bytes takes from the window.
#[must_use]
pub fn cost(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX).max(MIN_COST)
}

/// A frame as bytes. The payload must not be longer than [`MAX_PAYLOAD`].
#[must_use]
pub fn encode(id: u64, kind: Kind, payload: &[u8]) -> Vec<u8> {
    debug_assert!(payload.len() <= MAX_PAYLOAD);
    let mut frame = Vec::with_capacity(HEADER + payload.len());
    frame.extend_from_slice(&Header { length: payload.len(), id, kind }.encode());
    frame.extend_from_slice(payload);
    frame
}

/// A message in JSON as frames, all but the last of the kind `part`. An empty message is one empty frame.
pub fn split(id: u64, part: Kind, last: Kind, message: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let count = message.len().div_ceil(MAX_PAYLOAD).max(1);
    (0..count).map(move |index| {
        let piece = &message[index * MAX_PAYLOAD..message.len().min((index + 1) * MAX_PAYLOAD)];
        encode(id, if index + 1 == count { last } else { part }, piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_survive_and_strangers_are_refused() {
        let header = Header { length: MAX_PAYLOAD, id: u64::MAX - 1, kind: Kind::Credit };
        assert_eq!(Header::decode(header.encode()), Some(header));
        let mut long = header.encode();
        long[3] = 1;
        assert_eq!(Header::decode(long), None);
        let mut unknown = header.encode();
        unknown[12] = 11;
        assert_eq!(Header::decode(unknown), None);
    }

    #[test]
    fn long_messages_are_split() {
        let message = vec![7; MAX_PAYLOAD + 1];
        let lengths: Vec<usize> =
            split(1, Kind::CallPart, Kind::Call, &message).map(|frame| frame.len()).collect();
        assert_eq!(lengths, [HEADER + MAX_PAYLOAD, HEADER + 1]);
        assert_eq!(split(1, Kind::CallPart, Kind::Call, b"").count(), 1);
    }
}
