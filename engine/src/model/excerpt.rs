//! Texts of strangers are kept in journals and records, which must not burst because of them.

/// Bytes of a text of a stranger that are kept: a reason, an error.
pub const EXCERPT: usize = 4 << 10;

/// The text, or its beginning with `…` when it has more than [`EXCERPT`] bytes.
#[must_use]
pub fn excerpt(mut text: String) -> String {
    if text.len() > EXCERPT {
        text.truncate(text.floor_char_boundary(EXCERPT));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(excerpt("short".to_owned()), "short");
        assert_eq!(excerpt("x".repeat(EXCERPT)).len(), EXCERPT);
        let cut = excerpt("ä".repeat(EXCERPT));
        assert_eq!(cut, "ä".repeat(EXCERPT / 2) + "…");
        let odd = excerpt(format!("x{}", "ä".repeat(EXCERPT)));
        assert_eq!(odd, format!("x{}…", "ä".repeat(EXCERPT / 2 - 1)));
    }
}
