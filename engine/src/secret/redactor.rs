//! Masking secrets in text, in the forms in which programs print them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use cutover_host::bytes::hex;

use super::Secret;

const MASK: &[u8] = Redactor::MASK.as_bytes();
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Bytes of the shortest line of a secret, and of the shortest run of base64, that is masked by itself. Shorter ones occur by chance.
const SHORTEST_PART: usize = 8;

/// Masks the secrets that it has been told of. Clones share what they know.
///
/// A secret is masked as it is, line by line, escaped as in JSON, quoted as for a shell, with percent signs as in URLs, in hexadecimal
/// digits, and in base64 (both alphabets, at every offset, since `user:password` is encoded as one). Where masks touch they become one.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    patterns: Arc<RwLock<Arc<Patterns>>>,
}

/// Masks a stream that comes in pieces. [`RedactedStream::finish`] gives the rest.
#[derive(Debug)]
pub struct RedactedStream {
    redactor: Redactor,
    /// What has come and not gone out: it may be the beginning of a secret.
    held: Vec<u8>,
    /// A mask was the last thing to go out, and so many bytes of `held` belong to it too.
    masked: Option<usize>,
}

/// Byte strings to be masked, by their first byte.
#[derive(Clone)]
struct Patterns {
    by_first: Vec<Vec<Vec<u8>>>,
    longest: usize,
}

impl Redactor {
    /// What stands where a secret was.
    pub const MASK: &str = "***";

    /// Masks this secret from now on.
    pub fn add(&self, secret: &Secret) {
        let mut patterns = self.patterns.write().unwrap_or_else(PoisonError::into_inner);
        let mut more = Patterns::clone(&patterns);
        for form in forms(secret.expose()) {
            more.add(form);
        }
        *patterns = Arc::new(more);
    }

    /// A text with every secret masked.
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        let mut stream = self.stream();
        let mut masked = stream.feed(text.as_bytes());
        masked.extend(stream.finish());
        String::from_utf8(masked)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// For a stream that comes in pieces.
    #[must_use]
    pub fn stream(&self) -> RedactedStream {
        RedactedStream { redactor: self.clone(), held: Vec::new(), masked: None }
    }

    /// What follows a gap, with every secret masked: also the end of one that may have begun in the gap.
    #[must_use]
    pub fn mask_after_gap(&self, bytes: &[u8]) -> Vec<u8> {
        let begun = self.patterns().longest_end(bytes);
        let masked = (begun > 0).then_some(begun);
        let mut stream = RedactedStream { masked, ..self.stream() };
        let mut out = if masked.is_some() { MASK.to_vec() } else { Vec::new() };
        out.extend(stream.feed(bytes));
        out.extend(stream.finish());
        out
    }

    fn patterns(&self) -> Arc<Patterns> {
        Arc::clone(&self.patterns.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl RedactedStream {
    /// Takes a piece; gives what can't be part of a secret that has only begun.
    #[must_use]
    pub fn feed(&mut self, piece: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(piece);
        let patterns = self.redactor.patterns();
        let sure = patterns.first_beginning(&self.held);
        self.release(&patterns, sure)
    }

    /// Gives what was held back. The stream can go on after it (a line that was shown because nothing followed).
    #[must_use]
    pub fn finish(&mut self) -> Vec<u8> {
        let patterns = self.redactor.patterns();
        self.release(&patterns, self.held.len())
    }

    /// Gives the first `sure` bytes, masked: no secret that begins in them ends beyond what is held.
    fn release(&mut self, patterns: &Patterns, sure: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(sure);
        // End of the mask that covers or touches the current byte.
        let mut mask = self.masked;
        for at in 0..sure {
            if let Some(length) = patterns.longest_at(&self.held[at..]) {
                if mask.is_none() {
                    out.extend_from_slice(MASK);
                }
                mask = mask.max(Some(at + length));
            }
            if mask.is_none_or(|end| end <= at) {
                out.push(self.held[at]);
                mask = None;
            }
        }
        self.held.drain(..sure);
        self.masked = mask.map(|end| end - sure);
        out
    }
}

impl Default for Patterns {
    fn default() -> Self {
        Self { by_first: vec![Vec::new(); 256], longest: 0 }
    }
}

impl std::fmt::Debug for Patterns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Patterns(***)")
    }
}

impl Patterns {
    fn add(&mut self, form: Vec<u8>) {
        let Some(first) = form.first() else { return };
        let same = &mut self.by_first[usize::from(*first)];
        if !same.contains(&form) {
            self.longest = self.longest.max(form.len());
            same.push(form);
        }
    }

    /// Length of the longest pattern that `text` begins with.
    fn longest_at(&self, text: &[u8]) -> Option<usize> {
        let same = &self.by_first[usize::from(*text.first()?)];
        same.iter().filter(|pattern| text.starts_with(pattern)).map(Vec::len).max()
    }

    /// How much of the beginning of `text` may be the end of a pattern that began before it.
    fn longest_end(&self, text: &[u8]) -> usize {
        let ends = self.by_first.iter().flatten().filter_map(|pattern| {
            let most = text.len().min(pattern.len() - 1);
            (1..=most).rev().find(|length| pattern.ends_with(&text[..*length]))
        });
        ends.max().unwrap_or(0)
    }

    /// Where in `text` the first pattern begins that goes on beyond its end; its length when none does.
    fn first_beginning(&self, text: &[u8]) -> usize {
        let from = text.len().saturating_sub(self.longest.saturating_sub(1));
        (from..text.len())
            .find(|at| {
                let rest = &text[*at..];
                let same = &self.by_first[usize::from(rest[0])];
                same.iter().any(|pattern| pattern.len() > rest.len() && pattern.starts_with(rest))
            })
            .unwrap_or(text.len())
    }
}

/// All forms of a secret.
fn forms(secret: &str) -> BTreeSet<Vec<u8>> {
    let lines = secret.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_PART);
    let mut forms = BTreeSet::new();
    for text in std::iter::once(secret).chain(lines) {
        let bytes = text.as_bytes();
        forms.insert(bytes.to_vec());
        forms.extend(json(text));
        forms.extend(shell(text));
        forms.extend([
            url(bytes, false, true),
            url(bytes, false, false),
            url(bytes, true, true),
            url(bytes, true, false),
        ]);
        forms.extend([digits(bytes, false), digits(bytes, true)]);
        for (offset, to_end) in [(0, false), (0, true), (1, false), (1, true), (2, false), (2, true)] {
            let run = base64_run(bytes, offset, to_end);
            if run.len() >= SHORTEST_PART || (offset, to_end) == (0, true) {
                let other = run.iter().map(|byte| match byte {
                    b'+' => b'-',
                    b'/' => b'_',
                    other => *other,
                });
                forms.insert(other.collect());
                forms.insert(run);
            }
        }
    }
    forms
}

/// As in a JSON string: as most writers do it, with slashes escaped too, and in plain ASCII.
fn json(text: &str) -> [Vec<u8>; 3] {
    let quoted = serde_json::Value::from(text).to_string();
    let usual = &quoted[1..quoted.len() - 1];
    let slashes = usual.replace('/', "\\/");
    let mut ascii = String::new();
    for letter in usual.chars() {
        if letter.is_ascii() {
            ascii.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                // Writing to a String can't fail.
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    [usual.as_bytes().to_vec(), slashes.into_bytes(), ascii.into_bytes()]
}

/// As shells and those who write for them quote it, without the quotes around it: in single ones, which a quote within ends in one of two
/// ways; in double ones (POSIX XCU 2.2.3); by backslashes (`printf %q`); and in `$'…'`.
fn shell(text: &str) -> [Vec<u8>; 5] {
    let escaped = |is_special: &dyn Fn(char) -> bool| {
        let letter = |letter: char| is_special(letter).then_some('\\').into_iter().chain([letter]);
        text.chars().flat_map(letter).collect::<String>()
    };
    let bare = |letter: char| letter.is_alphanumeric() || "%+,-./:=@_".contains(letter);
    let c = escaped(&|letter| matches!(letter, '\\' | '\''));
    let c = c.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
    let double = escaped(&|letter| matches!(letter, '"' | '$' | '`' | '\\'));
    let forms = [
        text.replace('\'', "'\\''"),
        text.replace('\'', "'\"'\"'"),
        double,
        escaped(&|letter| !bare(letter)),
        c,
    ];
    forms.map(String::into_bytes)
}

/// A value in a form (`application/x-www-form-urlencoded`).
pub(crate) fn form_encoded(text: &str) -> String {
    String::from_utf8_lossy(&url(text.as_bytes(), true, true)).into_owned()
}

/// Percent-encoded (RFC 3986, all but unreserved characters), or as in a form, where a blank is a plus.
fn url(bytes: &[u8], form: bool, upper: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(*byte),
            b' ' if form => out.push(b'+'),
            _ => {
                out.push(b'%');
                out.extend(digits(&[*byte], upper));
            }
        }
    }
    out
}

fn digits(bytes: &[u8], upper: bool) -> Vec<u8> {
    let digits = hex(bytes);
    if upper { digits.to_ascii_uppercase() } else { digits }.into_bytes()
}

/// The characters of base64 that `bytes` alone decide when `offset` bytes come before them (RFC 4648), and when nothing
/// comes after them if `to_end`; without padding.
fn base64_run(bytes: &[u8], offset: usize, to_end: bool) -> Vec<u8> {
    let bit = |at: usize| {
        let byte = at / 8;
        byte.checked_sub(offset).and_then(|byte| bytes.get(byte)).map_or(0, |byte| byte >> (7 - at % 8) & 1)
    };
    let first = (offset * 8).div_ceil(6);
    let bits = (offset + bytes.len()) * 8;
    let end = if to_end { bits.div_ceil(6) } else { bits / 6 };
    let character = |index: usize| {
        let value = (0..6).fold(0_usize, |value, part| value * 2 + usize::from(bit(index * 6 + part)));
        BASE64[value]
    };
    (first..end).map(character).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(values: &[&str]) -> Redactor {
        let redactor = Redactor::default();
        for value in values {
            redactor.add(&Secret::new((*value).to_owned()).expect("long enough"));
        }
        redactor
    }

    #[test]
    fn every_usual_form_is_masked() {
        let redactor = redactor(&["p/s \"wörd+1?~"]);
        for (text, expected) in [
            ("plain: p/s \"wörd+1?~.", "plain: ***."),
            (r#"{"a":"p/s \"wörd+1?~"}"#, r#"{"a":"***"}"#),
            (r#"{"a":"p\/s \"wörd+1?~"}"#, r#"{"a":"***"}"#),
            (r#"{"a":"p/s \"w\u00f6rd+1?~"}"#, r#"{"a":"***"}"#),
            ("?a=p%2Fs%20%22w%C3%B6rd%2B1%3F~&b", "?a=***&b"),
            ("?a=p%2fs%20%22w%c3%b6rd%2b1%3f~&b", "?a=***&b"),
            ("?a=p%2Fs+%22w%C3%B6rd%2B1%3F~&b", "?a=***&b"),
            ("702f73202277c3b672642b313f7e", "***"),
            ("702F73202277C3B672642B313F7E", "***"),
            ("nothing of it", "nothing of it"),
            ("", ""),
        ] {
            assert_eq!(redactor.mask(text), expected);
        }
    }

    #[test]
    fn the_end_of_one_that_began_in_a_gap_is_masked() {
        let redactor = redactor(&["abcdefgh-ABCDEFGH"]);
        for (text, expected) in [
            ("DEFGH and more", "*** and more"),
            ("abcdefgh-ABCDEFGH whole", "*** whole"),
            ("Habcdefgh-ABCDEFGH touching", "*** touching"),
            ("GH abcdefgh-ABCDEFGH", "*** ***"),
            ("FG is no end", "FG is no end"),
            ("", ""),
        ] {
            assert_eq!(redactor.mask_after_gap(text.as_bytes()), expected.as_bytes(), "{text}");
        }
    }

    /// What `sh` and `bash` themselves print, and Python's `shlex.quote`.
    #[test]
    fn what_is_quoted_for_a_shell_is_masked() {
        let redactor = redactor(&["it's $HOME & \"\\x\"\ttab", "it's `id`\nsecond line!"]);
        for (text, expected) in [
            (r#"'it'\''s $HOME & "\x"	tab'"#, "'***'"),
            (r#"'it'"'"'s $HOME & "\x"	tab'"#, "'***'"),
            (r#""it's \$HOME & \"\\x\"	tab""#, "\"***\""),
            (r#"it\'s\ \$HOME\ \&\ \"\\x\"\	tab"#, "***"),
            (r#"$'it\'s $HOME & "\\x"\ttab'"#, "$'***'"),
            (r"$'it\'s `id`\nsecond line!'", "$'***'"),
            ("'it'\\''s `id`\nsecond line!'", "'***'"),
            ("it'\\''s", "it'\\''s"),
        ] {
            assert_eq!(redactor.mask(text), expected, "{text}");
        }
    }

    #[test]
    fn base64_is_masked_at_every_offset_and_in_both_alphabets() {
        // printf '%s' 'ann:hunter2>hunter3?' | base64, and so on with one and two letters before it.
        let redactor = redactor(&["hunter2>hunter3?"]);
        for (text, expected) in [
            ("aHVudGVyMj5odW50ZXIzPw==", "***=="),
            ("aHVudGVyMj5odW50ZXIzPw", "***"),
            ("YTpodW50ZXIyPmh1bnRlcjM/", "YTp***"),
            ("YTpodW50ZXIyPmh1bnRlcjM_", "YTp***"),
            ("YW46aHVudGVyMj5odW50ZXIzPw==", "YW46***=="),
            ("eDpodW50ZXIyPmh1bnRlcjM/eQ==", "eDp***eQ=="),
        ] {
            assert_eq!(redactor.mask(text), expected, "{text}");
        }
        assert_eq!(base64_run(b"light work.", 0, false), b"bGlnaHQgd29yay");
        assert_eq!(base64_run(b"light work.", 0, true), b"bGlnaHQgd29yay4");
    }

    #[test]
    fn lines_of_a_secret_are_masked_by_themselves() {
        let redactor = redactor(&["-----BEGIN KEY-----\nabcdefghij\nklm\n-----END KEY-----"]);
        assert_eq!(redactor.mask("1 | abcdefghij\n2 | klm"), "1 | ***\n2 | klm");
    }

    #[test]
    fn overlapping_and_touching_secrets_leave_nothing() {
        let redactor = redactor(&["abcdef", "defghi", "cdef"]);
        assert_eq!(redactor.mask("xabcdefghiy"), "x***y");
        assert_eq!(redactor.mask("abcdefabcdef"), "***");
        assert_eq!(redactor.mask("abcdef abcdef"), "*** ***");
        assert_eq!(redactor.mask("abcde"), "abcde");
    }

    #[test]
    fn pieces_make_no_difference_wherever_they_are_cut() {
        let redactor = redactor(&["abcabd", "bdabca", "aaaa"]);
        let text = b"x abcabdabca aaaaaaaaa abcab abcabd bdabca end abca";
        let whole = redactor.mask(std::str::from_utf8(text).expect("text"));
        assert_eq!(whole, "x *** *** abcab *** *** end abca");
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let mut stream = redactor.stream();
                let mut out = stream.feed(&text[..first]);
                out.extend(stream.feed(&text[first..second]));
                out.extend(stream.feed(&text[second..]));
                out.extend(stream.finish());
                assert_eq!(String::from_utf8_lossy(&out), whole, "{first} {second}");
            }
        }
    }

    /// Random, with every kind of character that a form escapes; in each form, cut anywhere, within a text.
    #[test]
    fn a_canary_is_masked_in_every_form_wherever_a_stream_is_cut() {
        let mut random = std::fs::File::open("/dev/urandom").expect("a source");
        let mut bytes = [0; 12];
        std::io::Read::read_exact(&mut random, &mut bytes).expect("bytes");
        let canary = format!("{}é'\"$`\\ &/+{}", hex(&bytes[..6]), hex(&bytes[6..]));
        let redactor = redactor(&[&canary]);
        let forms = forms(&canary);
        assert!(forms.len() > 15, "{}", forms.len());
        for form in &forms {
            let text = [b"before ".as_slice(), form, b" after"].concat();
            for cut in 0..=text.len() {
                let mut stream = redactor.stream();
                let mut out = stream.feed(&text[..cut]);
                out.extend(stream.feed(&text[cut..]));
                out.extend(stream.finish());
                assert_eq!(String::from_utf8_lossy(&out), "before *** after", "cut at {cut}");
            }
        }
    }

    #[test]
    fn only_what_may_be_a_secret_is_held_back() {
        let redactor = redactor(&["secret-value"]);
        let mut stream = redactor.stream();
        assert_eq!(stream.feed(b"a line\nsec"), b"a line\n");
        assert_eq!(stream.feed(b"ond\n"), b"second\n");
        assert_eq!(stream.feed(b"secret-val"), b"");
        assert_eq!(stream.feed(b"ue!"), b"***!");
    }
}
