//! Output of a program, of which only beginning and end are kept.

use std::collections::VecDeque;

/// First and last half of what was written.
#[derive(Debug, Default)]
pub(crate) struct Output {
    half: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    truncated: bool,
}

impl Output {
    /// Nobody may ask for more than this.
    const MAX: u64 = 16 << 20;

    /// Keeps `limit` bytes.
    pub(crate) fn new(limit: u64) -> Self {
        let half = usize::try_from(limit.min(Self::MAX).div_ceil(2)).unwrap_or(usize::MAX);
        Self { half, ..Self::default() }
    }

    /// Takes in what was written next.
    pub(crate) fn add(&mut self, piece: &[u8]) {
        let (first, rest) = piece.split_at(piece.len().min(self.half - self.head.len()));
        self.head.extend_from_slice(first);
        let rest_kept = &rest[rest.len() - rest.len().min(self.half)..];
        let surplus = (self.tail.len() + rest.len()).saturating_sub(self.half);
        self.truncated |= surplus > 0;
        self.tail.drain(..surplus.min(self.tail.len()));
        self.tail.extend(rest_kept);
    }

    /// What was kept, and whether something is missing in its middle.
    pub(crate) fn finish(self) -> (Vec<u8>, bool) {
        let mut kept = self.head;
        kept.extend(self.tail);
        (kept, self.truncated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_and_last_half_are_kept() {
        for pieces in [vec!["abcdefghij"], vec!["abc", "defg", "hij"], vec!["a", "b", "cdefghi", "j"]] {
            let mut output = Output::new(6);
            pieces.iter().for_each(|piece| output.add(piece.as_bytes()));
            assert_eq!(output.finish(), (b"abchij".to_vec(), true), "{pieces:?}");
        }
        let mut whole = Output::new(6);
        whole.add(b"abcdef");
        assert_eq!(whole.finish(), (b"abcdef".to_vec(), false));
        let mut none = Output::new(0);
        none.add(b"x");
        assert_eq!(none.finish(), (Vec::new(), true));
    }
}
