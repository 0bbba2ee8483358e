//! Text of a map file: lines of a key and a value, with comments and other applications' lines left as they are.

/// The value of a key; none when there is no line of it.
pub(crate) fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| entry(line).filter(|(found, _)| *found == key)).map(|(_, value)| value)
}

/// The same text with another value for the key; none when there is no line of it.
pub(crate) fn with_value(text: &str, key: &str, new: &str) -> Option<String> {
    value(text, key)?;
    let line = |line: &str| match entry(line) {
        Some((found, _)) if found == key => format!("{key} {new}\n"),
        _ => format!("{line}\n"),
    };
    Some(text.lines().map(line).collect())
}

/// Key and value of a line, as HAProxy reads it.
fn entry(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let (key, value) = line.split_once([' ', '\t'])?;
    Some((key, value.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# shop 7\n\nother 3\n  shop\t 0\nshopping 5\n";

    #[test]
    fn the_line_of_the_key_is_read_and_replaced_and_no_other() {
        assert_eq!(value(TEXT, "shop"), Some("0"));
        assert_eq!(value(TEXT, "blog"), None);
        let text = with_value(TEXT, "shop", "100").expect("there is a line");
        assert_eq!(text, "# shop 7\n\nother 3\nshop 100\nshopping 5\n");
        assert_eq!(with_value("", "shop", "100"), None);
        assert_eq!(with_value("shop\n", "shop", "100"), None);
    }

    #[test]
    fn a_key_that_is_there_twice_is_so_no_more_by_halves() {
        assert_eq!(with_value("shop 1\nshop 2", "shop", "3").as_deref(), Some("shop 3\nshop 3\n"));
    }
}
