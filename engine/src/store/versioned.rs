//! Small JSON files with the version of their format.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The newest format of every file that the store writes.
pub(super) const VERSION: u32 = 1;

/// Why a text could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Of a later format.
    Newer(u32),
    /// Not JSON, or not of this kind.
    Malformed(String),
}

#[derive(Serialize)]
struct Written<'a, T> {
    version: u32,
    #[serde(flatten)]
    content: &'a T,
}

#[derive(Deserialize)]
struct Probe {
    version: u32,
}

/// The file's whole text, with a last newline.
pub(super) fn encode<T: Serialize>(content: &T) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(&Written { version: VERSION, content })?;
    text.push(b'\n');
    Ok(text)
}

/// Reads `text`; the version is looked at before anything else, since a later format may differ in all the rest.
pub(super) fn decode<T: DeserializeOwned>(text: &[u8]) -> Result<T, Unreadable> {
    let Probe { version } = serde_json::from_slice(text).map_err(|error| malformed(&error))?;
    if version > VERSION {
        return Err(Unreadable::Newer(version));
    }
    serde_json::from_slice(text).map_err(|error| malformed(&error))
}

fn malformed(error: &serde_json::Error) -> Unreadable {
    Unreadable::Malformed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Content {
        word: String,
    }

    #[test]
    fn the_version_is_written_and_a_later_one_is_named() {
        let content = Content { word: "a".to_owned() };
        let text = encode(&content).expect("encodes");
        assert_eq!(text, b"{\"version\":1,\"word\":\"a\"}\n");
        assert_eq!(decode::<Content>(&text), Ok(content));
        assert_eq!(decode::<Content>(br#"{"version":2,"other":[]}"#), Err(Unreadable::Newer(2)));
        assert!(matches!(decode::<Content>(br#"{"word":"a"}"#), Err(Unreadable::Malformed(_))));
        assert!(matches!(decode::<Content>(b""), Err(Unreadable::Malformed(_))));
    }
}
