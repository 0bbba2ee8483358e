//! What a hook may use, one limit at a time: the one table of keys, defaults, ranges and words.

use std::fmt;

use serde::{Deserialize, Serialize};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes: `"256 MiB"`.
    Bytes,
    /// Things: `8`.
    Count,
    /// Milliseconds: `"15s"`.
    Time,
}

/// All about a limit.
#[derive(Debug, Clone, Copy)]
pub struct LimitSpec {
    /// Its key in the table `limits` of a hook.
    pub key: &'static str,
    /// `hook/limit-…`: for tools.
    pub code: &'static str,
    /// What its numbers mean.
    pub unit: Unit,
    /// Where nothing is written, as it would be.
    pub written: &'static str,
    /// The same as a number.
    pub default: u64,
    /// Lowest that can be set.
    pub least: u64,
    /// Highest that can be set.
    pub most: u64,
    /// What it limits, in a sentence, and what happens beyond it.
    pub doc: &'static str,
    /// What is said when it is broken; `{}` is the limit.
    pub broken: &'static str,
}

macro_rules! limits {
    ($($name:ident $key:literal $unit:ident, $written:literal = $default:expr, $least:expr, $most:expr, $doc:literal, $broken:literal;)*) => {
        /// A limit of a hook, by the order in which they are shown.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Limit {
            $(#[doc = $doc] $name,)*
        }

        impl Limit {
            /// All.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// All about it.
            #[must_use]
            pub const fn spec(self) -> LimitSpec {
                match self {
                    $(Self::$name => LimitSpec {
                        key: $key,
                        code: concat!("hook/limit-", $key),
                        unit: Unit::$unit,
                        written: $written,
                        default: $default,
                        least: $least,
                        most: $most,
                        doc: $doc,
                        broken: $broken,
                    },)*
                }
            }
        }
    };
}

limits! {
    File "file" Bytes, "64 MiB" = 64 * MIB, KIB, 256 * MIB,
        "Bytes of the component's file.", "its file is larger than {}";
    CompileTime "compile-time" Time, "5m" = 5 * MINUTE, SECOND, 30 * MINUTE,
        "For compiling it. The largest honest components (Python) need 17 s of a processor, which a busy machine stretches.",
        "it takes longer than {} to compile";
    CompileMemory "compile-memory" Bytes, "1536 MiB" = 1536 * MIB, 64 * MIB, 8 * GIB,
        "Memory of the process that compiles it. The largest honest components (Python) need 400 MB.",
        "it takes more than {} of memory to compile";
    Memory "memory" Bytes, "256 MiB" = 256 * MIB, MIB, 2 * GIB,
        "All linear memories of a call together.", "its memory would be larger than {}";
    Memories "memories" Count, "8" = 8, 1, 100,
        "Linear memories of a call.", "it has more than {} memories";
    Instances "instances" Count, "100" = 100, 1, 1000,
        "Core instances of a call.", "it has more than {} core instances";
    Tables "tables" Count, "32" = 32, 1, 1000,
        "Tables of a call.", "it has more than {} tables";
    TableElements "table-elements" Count, "100000" = 100_000, 1, 10_000_000,
        "Elements of all tables of a call together.", "its tables would have more than {} elements";
    Stack "stack" Bytes, "2 MiB" = 2 * MIB, 64 * KIB, 8 * MIB,
        "Stack of its code.", "it recursed deeper than {} of stack reach";
    Handles "handles" Count, "1000" = 1000, 10, 100_000,
        "Resources of WASI (streams, clocks to wait for) that it holds at once.",
        "it holds more than {} resources at once";
    Random "random" Bytes, "1 MiB" = MIB, 16, 64 * MIB,
        "Random bytes that it takes in a call.", "it takes more than {} of random bytes";
    CallBytes "call-bytes" Bytes, "16 MiB" = 16 * MIB, 64 * KIB, 32 * MIB,
        "What one call of an import may carry each way: a file that is read or written, a body that is sent. Its own answer too.",
        "it passes more than {} at once";
    Request "request" Bytes, "4 MiB" = 4 * MIB, 4 * KIB, 16 * MIB,
        "What one call of an import says beside content of files and bodies: names, arguments, headers, input of a program.",
        "what it asks for takes more than {} to say";
    Answer "answer" Bytes, "4 MiB" = 4 * MIB, 4 * KIB, 16 * MIB,
        "Its answer.", "its answer is longer than {}";
    Imports "imports" Count, "100000" = 100_000, 1, 10_000_000,
        "Calls of imports that the engine answers, in a call.", "it calls imports more than {} times";
    Output "output" Bytes, "1 MiB" = MIB, 4 * KIB, 4 * MIB,
        "What it prints in a call: the newest is kept.", "it printed more than {}: only the newest is kept";
    LogLine "log-line" Bytes, "8 KiB" = 8 * KIB, 80, 64 * KIB,
        "A line of its log: the rest is cut.", "a line of its log is longer than {}: the rest is cut";
    LogLines "log-lines" Count, "10000" = 10_000, 0, 1_000_000,
        "Lines of its log in a call, progress too: more are not shown.", "it logs more than {} lines: the rest is not shown";
    ExecCalls "exec-calls" Count, "1000" = 1000, 0, 1_000_000,
        "Programs that it runs in a call.", "it runs more than {} programs";
    ExecOutput "exec-output" Bytes, "4 MiB" = 4 * MIB, 0, 16 * MIB,
        "Each output of a program: the rest is cut, and the hook is told.",
        "an output of a program is longer than {}: the rest is cut";
    HttpRequests "http-requests" Count, "10000" = 10_000, 0, 1_000_000,
        "HTTP requests in a call.", "it sends more than {} HTTP requests";
    HttpConnect "http-connect" Time, "5s" = 5 * SECOND, 10, MINUTE,
        "For an HTTP connection.", "no connection within {}";
    HttpFirstByte "http-first-byte" Time, "15s" = 15 * SECOND, 10, 30 * MINUTE,
        "From an HTTP request to the first byte of its answer.", "no answer begun within {}";
    HttpIdle "http-idle" Time, "15s" = 15 * SECOND, 10, 30 * MINUTE,
        "Between two pieces of the body of an HTTP answer.", "the answer stopped for {}";
    HttpTotal "http-total" Time, "5m" = 5 * MINUTE, 10, 30 * MINUTE,
        "For an HTTP request with its whole answer.", "no whole answer within {}";
    HttpBody "http-body" Bytes, "8 MiB" = 8 * MIB, 0, 32 * MIB,
        "Body of an HTTP answer: the rest is cut, and the hook is told.",
        "the body of an HTTP answer is longer than {}: the rest is cut";
    HttpHeaders "http-headers" Bytes, "64 KiB" = 64 * KIB, 8 * KIB, MIB,
        "Headers of an HTTP message, each way.", "the headers of an HTTP message are longer than {}";
    AtOnce "at-once" Count, "8" = 8, 1, 64,
        "Calls of it that run at once, and so, since a hook waits for each import, its programs and HTTP requests at once: more calls wait.",
        "more than {} of its calls are wanted at once: the others wait";
}

impl Limit {
    /// An amount as it is written in the configuration, without quotes: `256 MiB`, `15s`, `8`.
    #[must_use]
    pub fn text(self, amount: u64) -> String {
        self.spec().unit.text(amount)
    }
}

impl Unit {
    /// An amount as it is written in the configuration, without quotes.
    pub(super) fn text(self, amount: u64) -> String {
        const BYTES: [(&str, u64); 4] = [(" GiB", GIB), (" MiB", MIB), (" KiB", KIB), (" B", 1)];
        const TIMES: [(&str, u64); 3] = [("m", MINUTE), ("s", SECOND), ("ms", 1)];
        let units: &[(&str, u64)] = match self {
            Self::Bytes => &BYTES,
            Self::Time => &TIMES,
            Self::Count => &[("", 1)],
        };
        let fits = |(_, size): &&(&str, u64)| amount >= *size && amount.is_multiple_of(*size);
        let (name, size) = units.iter().find(fits).or(units.last()).copied().unwrap_or(("", 1));
        format!("{}{name}", amount / size)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec().key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_agrees_with_itself() {
        for limit in Limit::ALL {
            let spec = limit.spec();
            assert_eq!(limit.text(spec.default), spec.written, "{limit}");
            assert!(spec.least <= spec.default && spec.default <= spec.most, "{limit}");
            assert!(spec.doc.ends_with('.') && spec.broken.contains("{}"), "{limit}");
            assert_eq!(serde_json::json!(limit), spec.key);
        }
    }

    #[test]
    fn amounts_are_told_as_they_are_written() {
        for (limit, amount, text) in [
            (Limit::Memory, 256 * MIB, "256 MiB"),
            (Limit::Memory, 2 * GIB, "2 GiB"),
            (Limit::Memory, 1_000_001, "1000001 B"),
            (Limit::HttpBody, 0, "0 B"),
            (Limit::HttpIdle, 90 * SECOND, "90s"),
            (Limit::HttpIdle, 1500, "1500ms"),
            (Limit::Imports, 0, "0"),
        ] {
            assert_eq!(limit.text(amount), text);
        }
    }
}
