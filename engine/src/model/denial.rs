//! What a hook was denied, as the journal and the history keep it.

use serde::{Deserialize, Serialize};

/// Something that a hook asked for and was not granted. A hook may ask a million times, for a million things: texts have a length, and a
/// deployment keeps so many of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Denial {
    /// Title of the hook.
    pub hook: String,
    /// What it asked for, or the beginning of that.
    pub request: String,
    /// The line to add to its `grants` table; empty where no grant can allow it, and where the line is too long to be kept.
    pub grant: String,
}

impl Denial {
    /// Different ones of a deployment that are kept.
    pub const MOST: usize = 20;

    /// Bytes of each text that are kept.
    const LONGEST: usize = 512;

    /// Texts are cut to what is kept.
    #[must_use]
    pub fn new(hook: &str, request: &str, grant: &str) -> Self {
        let cut = |text: &str| {
            let kept = &text[..text.floor_char_boundary(Self::LONGEST)];
            if kept.len() < text.len() { format!("{kept}…") } else { kept.to_owned() }
        };
        // A line that was cut would not be the grant that is meant.
        let grant = if grant.len() > Self::LONGEST { String::new() } else { grant.to_owned() };
        Self { hook: cut(hook), request: cut(request), grant }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_and_long_lines_left_out() {
        let short = Denial::new("vendor", "read `/a` on `web1`", "read = []");
        let fields = [short.hook.as_str(), short.request.as_str(), short.grant.as_str()];
        assert_eq!(fields, ["vendor", "read `/a` on `web1`", "read = []"]);
        let long = Denial::new("vendor", &"ä".repeat(1000), &"x".repeat(513));
        assert_eq!((long.request, long.grant), ("ä".repeat(256) + "…", String::new()));
    }
}
