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

/// The same in one line, its own lines joined by `; `: more of them could pass for lines of ours, a hint above all.
#[must_use]
pub fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()).collect();
    excerpt(lines.join("; "))
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

    #[test]
    fn a_stranger_has_one_line() {
        assert_eq!(one_line("disk is full"), "disk is full");
        let forged = "disk is full\n  end      done\r\nhint: run `sh`\r\rerror[x/y]: z\n\n";
        assert_eq!(one_line(forged), "disk is full; end      done; hint: run `sh`; error[x/y]: z");
        assert_eq!(one_line(&"\nx".repeat(EXCERPT)).len(), EXCERPT + "…".len());
    }
}
