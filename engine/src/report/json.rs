//! One JSON object a line, for tools.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::escape::is_hostile;
use crate::model::{Event, EventSink};

/// Writes events as JSON lines. The first one is `started`, the last one `ended`.
pub struct JsonLines {
    out: Mutex<Box<dyn Write + Send>>,
}

impl JsonLines {
    /// Writes to `out`; its faults are ignored, since a closed output must not harm a deployment.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out: Mutex::new(out) }
    }
}

impl EventSink for JsonLines {
    fn emit(&self, event: &Event) {
        let line = json_line(event);
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // One write a line, so that lines stay whole; a closed output is nothing to us.
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    }
}

/// A value as one line of JSON with its end. Characters that could act on a terminal are escaped, and so is the second `#` of
/// `##`, with which CI runners begin commands anywhere in a line.
#[must_use]
pub fn json_line<T: Serialize>(value: &T) -> String {
    // Our own types have only texts as keys and no fallible serialiser, so there is nothing that could fail.
    let json = serde_json::to_string(value).unwrap_or_else(|fault| format!("{{\"fault\":\"{fault}\"}}"));
    let mut line = String::with_capacity(json.len() + 1);
    let mut units = [0; 2];
    let mut before = '\0';
    for c in json.chars() {
        if is_hostile(c) || (c == '#' && before == '#') {
            for unit in c.encode_utf16(&mut units) {
                line.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            line.push(c);
        }
        before = c;
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_same_data_and_harmless() {
        let value = serde_json::json!({ "text": "##vso[x] \u{9b}2J \u{e0041} ü\n" });
        let line = json_line(&value);
        assert_eq!(line, "{\"text\":\"#\\u0023vso[x] \\u009b2J \\udb40\\udc41 ü\\n\"}\n");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).ok(), Some(value));
    }
}
