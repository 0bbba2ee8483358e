//! The format of journal and history: one JSON object a line, each bound to the one before it.
//!
//! ```json
//! {"version":1,"seq":0,"prev":"…","at":1700000000000,"record":{…},"hash":"…"}
//! ```
//!
//! `hash` covers all bytes of the line before `,"hash"`, and with them `prev`, the hash of the line before (of the file's
//! name, in the first line). So one value tells both a damaged line (what a checksum is for) and a missing, foreign or
//! moved one (what a chain is for). It finds accidents; it is no proof against someone who can write the file.
//!
//! A last line that is not whole is *torn*: its writer never heard that it was kept, so nothing was done on its strength,
//! and it is set aside: it stays where it is, and the next line says in `"aside":BYTES` (between `prev` and `at`) how much
//! lies between the line that `prev` names and itself. So these files are only ever appended to, at a length that is
//! known, which is what keeps a write that takes effect late from undoing a later one. Any other fault breaks the file.

use cutover_host::bytes::hex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::versioned::{self, Unreadable, VERSION};
use crate::model::Timestamp;

/// Of the 64 digits of SHA-256: 128 bits are plenty against accidents, and lines stay readable.
const HASH_DIGITS: usize = 32;
const HASH_FIELD: &[u8] = br#","hash":""#;
const LINE_END: &[u8] = b"\"}";

/// Where the next line goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tail {
    /// Length of the file, in bytes.
    pub(super) length: u64,
    /// Number of the next line, from 0. Torn lines have none.
    pub(super) seq: u64,
    /// Hash of the last whole line.
    pub(super) prev: String,
    /// Bytes after it that are to be set aside, with the newline that may have to be added.
    aside: u64,
    /// Whether the file does not end with a newline.
    open: bool,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parsed<T> {
    /// The records, oldest first.
    pub(super) records: Vec<(Timestamp, T)>,
    /// Where the next line goes.
    pub(super) tail: Tail,
    /// What follows the last whole line.
    pub(super) torn: Option<Vec<u8>>,
}

/// Why a file can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    /// From 1.
    pub(super) line: usize,
    /// What is wrong with it.
    pub(super) reason: BrokenReason,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BrokenReason {
    /// It is of a later format.
    Newer(u32),
    /// It is as it was written, and no build of this program writes it. In words that fit after "line 3 of FILE".
    Foreign(String),
    /// Anything else, in such words.
    Words(String),
}

#[derive(Serialize)]
struct Written<'a, T> {
    version: u32,
    seq: u64,
    prev: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    aside: u64,
    at: Timestamp,
    record: &'a T,
}

#[derive(Deserialize)]
struct Read<T> {
    seq: u64,
    prev: String,
    #[serde(default)]
    aside: u64,
    at: Timestamp,
    record: T,
}

impl Tail {
    /// Of the empty file of that name.
    pub(super) fn start(name: &str) -> Self {
        Self { length: 0, seq: 0, prev: hash(name.as_bytes()), aside: 0, open: false }
    }

    /// What to append for the next line, and where the one after it goes.
    pub(super) fn encode<T: Serialize>(
        &self,
        at: Timestamp,
        record: &T,
    ) -> serde_json::Result<(Vec<u8>, Self)> {
        let (seq, aside) = (self.seq, self.aside);
        let mut line =
            serde_json::to_vec(&Written { version: VERSION, seq, prev: &self.prev, aside, at, record })?;
        line.pop();
        let hash = hash(&line);
        line.extend_from_slice(HASH_FIELD);
        line.extend_from_slice(hash.as_bytes());
        line.extend_from_slice(LINE_END);
        line.push(b'\n');
        if self.open {
            line.insert(0, b'\n');
        }
        let length = self.length + line.len() as u64;
        Ok((line, Self { length, seq: seq + 1, prev: hash, aside: 0, open: false }))
    }

    /// How the next line begins that sets `aside` bytes aside.
    fn setting_aside(&self, aside: u64) -> String {
        format!(r#"{{"version":{VERSION},"seq":{},"prev":"{}","aside":{aside},"#, self.seq, self.prev)
    }
}

/// Reads the whole file of that name.
pub(super) fn parse<T: DeserializeOwned>(name: &str, content: &[u8]) -> Result<Parsed<T>, Broken> {
    let mut records = Vec::new();
    let mut tail = Tail::start(name);
    // End of the last whole line, and the first line after it that is not whole.
    let mut good = 0;
    let mut damaged: Option<usize> = None;
    let mut end = 0;
    for (index, piece) in content.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let words = |line: usize, text: &str| Broken { line, reason: BrokenReason::Words(text.to_owned()) };
        let aside = (end - good) as u64;
        end += piece.len();
        let Some(hash) = whole_hash(piece) else {
            // Torn twice in a row: the second one was about to set the first one aside.
            if let Some(first) = damaged
                && !is_beginning(&tail.setting_aside(aside), piece)
            {
                return Err(words(first, "is damaged"));
            }
            damaged.get_or_insert(index + 1);
            continue;
        };
        // This line is as it was written: what is wrong with it was never a torn write.
        let read: Read<T> = versioned::decode(piece).map_err(|fault| match fault {
            Unreadable::Newer(version) => Broken { line: index + 1, reason: BrokenReason::Newer(version) },
            Unreadable::Malformed(error) => {
                Broken { line: index + 1, reason: BrokenReason::Foreign(format!("is no record: {error}")) }
            }
        })?;
        if read.aside != aside {
            return Err(words(damaged.unwrap_or(index + 1), "is damaged"));
        }
        if read.seq != tail.seq || read.prev != tail.prev {
            return Err(words(index + 1, "does not follow the line before it"));
        }
        records.push((read.at, read.record));
        (tail.seq, tail.prev) = (tail.seq + 1, hash.to_owned());
        (good, damaged) = (end, None);
    }
    let torn = content.get(good..).filter(|rest| !rest.is_empty()).map(<[u8]>::to_vec);
    tail.length = content.len() as u64;
    tail.open = content.last().is_some_and(|byte| *byte != b'\n');
    tail.aside = torn.as_ref().map_or(0, |torn| torn.len() as u64 + u64::from(tail.open));
    Ok(Parsed { records, tail, torn })
}

/// The hash of a line that is exactly as it was written. Only its newline may be missing: it is whole without it.
fn whole_hash(piece: &[u8]) -> Option<&str> {
    let line = piece.strip_suffix(b"\n").unwrap_or(piece).strip_suffix(LINE_END)?;
    let (rest, digits) = line.split_at_checked(line.len().checked_sub(HASH_DIGITS)?)?;
    let body = rest.strip_suffix(HASH_FIELD)?;
    let digits = std::str::from_utf8(digits).ok()?;
    (hash(body) == digits).then_some(digits)
}

/// Whether `piece` is cut out of the beginning of a text that begins with `beginning`.
fn is_beginning(beginning: &str, piece: &[u8]) -> bool {
    let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
    piece.starts_with(beginning.as_bytes()) || beginning.as_bytes().starts_with(piece)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(value: &u64) -> bool {
    *value == 0
}

fn hash(bytes: &[u8]) -> String {
    let mut digits = hex(&Sha256::digest(bytes));
    digits.truncate(HASH_DIGITS);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, words: &[&str]) -> Vec<u8> {
        let mut tail = Tail::start(name);
        let mut content = Vec::new();
        for (index, word) in words.iter().enumerate() {
            let (line, next) = tail.encode(Timestamp(index as u64), word).expect("encodes");
            content.extend(line);
            tail = next;
        }
        content
    }

    fn words(parsed: &Parsed<String>) -> Vec<&str> {
        parsed.records.iter().map(|(_, word)| word.as_str()).collect()
    }

    #[test]
    fn a_line_is_plain_json() {
        let text = String::from_utf8(file("journal/A", &["x"])).expect("text");
        assert_eq!(
            text,
            "{\"version\":1,\"seq\":0,\"prev\":\"8666c788429f8cbe50a3984b03af8f21\",\"at\":0,\"record\":\"x\",\
             \"hash\":\"406f12bdab7cafa111beb781421197a2\"}\n"
        );
    }

    #[test]
    fn what_was_written_is_read() {
        let content = file("j", &["a", "b\n", "grün"]);
        let parsed: Parsed<String> = parse("j", &content).expect("whole");
        assert_eq!(words(&parsed), ["a", "b\n", "grün"]);
        assert_eq!((parsed.tail.length, parsed.tail.seq, parsed.torn), (content.len() as u64, 3, None));
    }

    /// Ends of the lines, without their newlines: from there on they are whole.
    fn ends(content: &[u8]) -> Vec<usize> {
        content.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect()
    }

    #[test]
    fn cut_anywhere_the_whole_lines_remain_and_the_file_goes_on() {
        let content = file("j", &["a", "b", "c"]);
        for cut in 0..=content.len() {
            let parsed: Parsed<String> = parse("j", &content[..cut]).expect("only the last line is torn");
            let whole = ends(&content).iter().filter(|end| **end <= cut).count();
            assert_eq!(words(&parsed), ["a", "b", "c"][..whole], "{cut}");

            let (more, next) = parsed.tail.encode(Timestamp(9), &"more").expect("encodes");
            let mended = [&content[..cut], &more].concat();
            assert_eq!(next.length, mended.len() as u64);
            let parsed: Parsed<String> = parse("j", &mended).expect("mended");
            assert_eq!(words(&parsed), [&["a", "b", "c"][..whole], &["more"]].concat(), "{cut}");
            assert_eq!((parsed.tail, parsed.torn), (next, None));
        }
    }

    /// A file system may keep the length of what was not synced and not its bytes, or its end and not its beginning.
    #[test]
    fn what_was_not_synced_may_be_lost_in_any_part() {
        let content = file("j", &["a", "b", "c"]);
        let synced = ends(&content)[1] + 1;
        for (lost, to) in
            (synced..content.len()).flat_map(|from| (synced + 1..=content.len()).map(move |to| (from, to)))
        {
            for kept in [&content[to..], b""] {
                if to <= lost {
                    continue;
                }
                let zeros = vec![0; to - lost];
                let left = [&content[..lost], &zeros, kept].concat();
                let parsed: Parsed<String> = parse("j", &left).expect("only the last line is torn");
                assert_eq!(words(&parsed), ["a", "b"], "{lost} {to}");
                let (more, _) = parsed.tail.encode(Timestamp(9), &"more").expect("encodes");
                let parsed: Parsed<String> = parse("j", &[left, more].concat()).expect("mended");
                assert_eq!(words(&parsed), ["a", "b", "more"], "{lost} {to}");
            }
        }
    }

    #[test]
    fn torn_while_setting_aside_it_goes_on_too() {
        let content = file("j", &["a", "b"]);
        for cut in 0..content.len() {
            let parsed: Parsed<String> = parse("j", &content[..cut]).expect("torn");
            let whole = parsed.records.len();
            let (more, _) = parsed.tail.encode(Timestamp(9), &"more").expect("encodes");
            for cut_again in 0..more.len() {
                let twice = [&content[..cut], &more[..cut_again]].concat();
                let parsed: Parsed<String> = parse("j", &twice).expect("torn twice");
                let landed = parsed.records.len() - whole;
                assert_eq!(landed, usize::from(cut_again + 1 == more.len()), "{cut} {cut_again}");
                let (last, _) = parsed.tail.encode(Timestamp(9), &"last").expect("encodes");
                let parsed: Parsed<String> = parse("j", &[twice, last].concat()).expect("mended");
                let expected = [&["a", "b"][..whole], &["more"][..landed], &["last"]].concat();
                assert_eq!(words(&parsed), expected, "{cut} {cut_again}");
            }
        }
    }

    #[test]
    fn any_changed_bit_is_seen() {
        let content = file("j", &["a", "b", "c"]);
        // Without its newline a line is one with the next: the last two are then torn together.
        let last = ends(&content)[1];
        for (at, bit) in (0..content.len() - 1).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut bad = content.clone();
            bad[at] ^= 1 << bit;
            let parsed = parse::<String>("j", &bad);
            if at >= last {
                let parsed = parsed.expect("torn");
                let left = if at == last { vec!["a"] } else { vec!["a", "b"] };
                assert_eq!((words(&parsed), parsed.torn.is_some()), (left, true), "{at} {bit}");
            } else {
                assert!(parsed.is_err(), "{at} {bit}");
            }
        }
    }

    #[test]
    fn two_damaged_lines_are_no_torn_write() {
        let mut content = file("j", &["a", "b", "c"]);
        let second = ends(&content)[0] + 5;
        let third = ends(&content)[1] + 5;
        content[second] ^= 1;
        content[third] ^= 1;
        let broken = parse::<String>("j", &content).expect_err("broken");
        assert_eq!(broken, Broken { line: 2, reason: BrokenReason::Words("is damaged".to_owned()) });
    }

    #[test]
    fn a_missing_moved_or_foreign_line_breaks_the_file() {
        let content = file("j", &["a", "b", "c"]);
        let lines: Vec<&[u8]> = content.split_inclusive(|byte| *byte == b'\n').collect();
        let other = file("j", &["x", "y"]);
        let foreign = other.split_inclusive(|byte| *byte == b'\n').nth(1).expect("a line");
        for (bad, line) in [
            ([lines[1], lines[2]].concat(), 1),
            ([lines[0], lines[2]].concat(), 2),
            ([lines[0], lines[1], lines[1]].concat(), 3),
            ([lines[0], foreign].concat(), 2),
        ] {
            let broken = parse::<String>("j", &bad).expect_err("broken");
            let reason = BrokenReason::Words("does not follow the line before it".to_owned());
            assert_eq!(broken, Broken { line, reason });
        }
        assert!(parse::<String>("k", &content).is_err(), "a renamed file");
    }

    #[test]
    fn a_later_format_is_named_and_never_set_aside() {
        let tail = Tail::start("j");
        let mut line = format!(r#"{{"version":2,"seq":0,"prev":"{}","what":1"#, tail.prev).into_bytes();
        let hash = hash(&line);
        line.extend_from_slice(format!(",\"hash\":\"{hash}\"}}\n").as_bytes());
        let broken = parse::<String>("j", &line).expect_err("newer");
        assert_eq!(broken, Broken { line: 1, reason: BrokenReason::Newer(2) });
    }
}
