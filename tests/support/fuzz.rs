//! Corpora of fuzz targets, replayed without a fuzzer: every file, and a bounded number of seeded mutations of each.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// A fuzz target's corpus: `tests/fuzz/corpus/TARGET`, and other folders of fitting files.
#[derive(Debug)]
pub struct Corpus {
    target: String,
    files: Vec<(String, Vec<u8>)>,
}

/// Mutations of a whole corpus together.
const MUTATIONS: u64 = 1500;

/// No mutation makes an input longer.
const LONGEST: usize = 64 << 10;

/// Texts that decide something somewhere.
const WORDS: [&[u8]; 16] = [
    b"\n",
    b"\0",
    b"\x1b[2J",
    b"{}",
    b"[]",
    b"null",
    b"-1",
    b"18446744073709551615",
    b"1e400",
    b"..",
    b"/",
    b"*",
    b"\"",
    b"\xff\xff\xff\xff",
    b"\xc3\x28",
    b"\xe2\x80\xae",
];

impl Corpus {
    /// Reads the files of a target, and of `more` folders below `tests/` with this extension.
    ///
    /// # Panics
    /// When there are none.
    #[must_use]
    pub fn read(target: &str, more: &[(&str, &str)]) -> Self {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let own = (tests.join("fuzz/corpus").join(target), "");
        let more = more.iter().map(|(folder, extension)| (tests.join(folder), *extension));
        let mut files = Vec::new();
        for (folder, extension) in std::iter::once(own).chain(more) {
            for entry in folder.read_dir().into_iter().flatten() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if name.ends_with(extension) {
                    files.push((name, std::fs::read(&path).unwrap()));
                }
            }
        }
        assert!(!files.is_empty(), "`{target}` has no corpus");
        files.sort();
        Self { target: target.to_owned(), files }
    }

    /// Gives every file and its mutations, always the same ones, to the target.
    ///
    /// # Panics
    /// When the target does; says at which input.
    pub fn replay(&self, target: impl Fn(&[u8])) {
        let rounds = MUTATIONS.div_ceil(self.files.len() as u64);
        for (index, (name, content)) in self.files.iter().enumerate() {
            let mut random = Random(seed(name));
            for round in 0..=rounds {
                let input = if round == 0 {
                    content.clone()
                } else {
                    let other =
                        &self.files[(index + 1 + random.below(self.files.len())) % self.files.len()].1;
                    mutated(content, other, &mut random)
                };
                let ended = catch_unwind(AssertUnwindSafe(|| target(&input)));
                assert!(
                    ended.is_ok(),
                    "fuzz target `{}` fails at mutation {round} of {name}:\n{}",
                    self.target,
                    input.escape_ascii()
                );
            }
        }
    }
}

fn mutated(content: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut input = content.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(input.len() + 1);
        let end = (at + 1 + random.below(32)).min(input.len());
        match random.below(9) {
            0 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
            1 => input.truncate(at),
            2 => drop(input.drain(at..end)),
            3 => drop(input.splice(at..at, WORDS[random.below(WORDS.len())].iter().copied())),
            4 => drop(input.splice(at..end, WORDS[random.below(WORDS.len())].iter().copied())),
            5 => {
                let piece = input[at..end].repeat(1 + random.below(200));
                input.splice(at..at, piece);
            }
            6 => {
                let from = random.below(other.len() + 1);
                input.splice(at.., other[from..].iter().copied());
            }
            7 => swap_lines(&mut input, random),
            _ => replace_number(&mut input, at, random),
        }
        input.truncate(LONGEST);
    }
    input
}

fn swap_lines(input: &mut Vec<u8>, random: &mut Random) {
    let mut lines: Vec<&[u8]> = input.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.is_empty() {
        return;
    }
    let (one, other) = (random.below(lines.len()), random.below(lines.len()));
    lines.swap(one, other);
    *input = lines.concat();
}

/// The first number from `at` on becomes one at an edge.
fn replace_number(input: &mut Vec<u8>, at: usize, random: &mut Random) {
    let Some(begin) = input[at..].iter().position(u8::is_ascii_digit).map(|found| at + found) else { return };
    let length = input[begin..].iter().position(|byte| !byte.is_ascii_digit());
    let end = length.map_or(input.len(), |length| begin + length);
    let edges = ["0", "1", "2", "255", "65536", "4294967296", "9223372036854775808", "18446744073709551615"];
    input.splice(begin..end, edges[random.below(edges.len())].bytes());
}

/// FNV-1a.
fn seed(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// SplitMix64: good enough, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((value ^ (value >> 31)) % limit.max(1) as u64).unwrap()
    }
}
