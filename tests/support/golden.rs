//! Comparison of whole outputs with files.

use std::path::Path;

use similar::TextDiff;

/// Compares `actual` with the file `tests/golden-e2e/NAME`; where `CUTOVER_UPDATE` is set, writes the file instead.
///
/// # Panics
/// When they differ; shows how.
#[track_caller]
pub fn assert_golden(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("golden-e2e").join(name);
    if std::env::var_os("CUTOVER_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let diff = TextDiff::from_lines(&expected, actual);
    assert!(
        expected == actual,
        "{} differs (CUTOVER_UPDATE=1 writes it):\n{}",
        path.display(),
        diff.unified_diff().header("expected", "actual"),
    );
}

/// Puts words in place of what differs from run to run: `known` texts (paths, ports), times, sizes, digests, identifiers.
#[must_use]
pub fn normalise(text: &str, known: &[(String, String)]) -> String {
    let mut text = text.to_owned();
    for (from, to) in known {
        text = text.replace(from, to);
    }
    // What takes long is told where a machine has much to do, and before it what the run is about, which else begins the next line.
    let (told, lines): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.contains(" is compiled, which takes a while"));
    // Quick steps show no time at all.
    let lines = lines.iter().map(|line| normalise_line(line).trim_end_matches("  N s").to_owned() + "\n");
    let text: String = lines.collect();
    if told.is_empty() { text } else { text.replacen(" · deploy\nrelease ", " · release ", 1) }
}

fn normalise_line(line: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-:._…".contains(c);
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    let mut before = "";
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
        let following: Vec<&str> = after.trim_start().splitn(4, |c| !is_word(c)).take(3).collect();
        let of_process = before == "pid" && word.chars().all(|c| c.is_ascii_digit());
        text.push_str(if of_process { "PID" } else { placeholder(word, &following).unwrap_or(word) });
        before = word;
        let (gap, after) = after.split_at(after.find(is_word).unwrap_or(after.len()));
        // Columns are padded: a longer time must not move what stands around it.
        let padding = gap.len() > 2 && gap.bytes().all(|byte| byte == b' ') && !text.is_empty();
        text.push_str(if padding { "  " } else { gap });
        rest = after;
    }
    text
}

/// What stands for a word, when it differs from run to run.
fn placeholder(word: &str, following: &[&str]) -> Option<&'static str> {
    let unit = following.first().copied().unwrap_or("");
    let number = !word.is_empty() && word.chars().all(|c| c.is_ascii_digit() || c == '.') && word != ".";
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    if number && matches!(unit, "s" | "ms" | "m" | "h" | "d" | "KB" | "MB" | "kB") {
        return Some("N");
    }
    let amount_of = matches!(following, ["of", _, "KB" | "kB" | "MB" | "B"]);
    if number && (matches!(unit, "probes" | "since") || following == ["of", word, "probes"] || amount_of) {
        return Some("N");
    }
    if word.len() == 10 && word.bytes().filter(|byte| *byte == b'-').count() == 2 && digits(word) == 8 {
        return Some("DATE");
    }
    if word.len() == 5 && word.as_bytes()[2] == b':' && digits(word) == 4 {
        return Some("TIME");
    }
    if word.len() == 26
        && digits(word) > 2
        && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    {
        return Some("DEPLOYMENT");
    }
    if word.strip_prefix("sha256:").is_some() {
        return Some("sha256:DIGEST");
    }
    if word.len() >= 16 && word.contains("Z-") && digits(word) >= 12 {
        return Some("RELEASE");
    }
    if word.len() == 8 && word.chars().filter(|c| *c == ':').count() == 2 && digits(word) == 6 {
        return Some("TIME");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_replaced() {
        let known = [("/tmp/x1".to_owned(), "SCRATCH".to_owned()), (":4711".to_owned(), ":BLUE".to_owned())];
        let text = "build  local   ok  dist, 48 MB, sha256:1c4e…   41.2 s\n  /tmp/x1/a on :4711 (212 ms)\n\
                    main \"Fix\", 3 of 48 MB sent 20260102T030405Z-9f3c2a10-ab12 at 14:02:11 UTC, 20 of 20 probes say 3\n\
                    2026-01-02 03:04  live  19 of 20 probes\n\
                    \x20 hook router │ is compiled, which takes a while once\n\
                    by ann@desk pid 342, deployment 01M7Z1T940PJWZZH8893QVR4RP\n";
        let expected = "build  local  ok  dist, N MB, sha256:DIGEST\n  SCRATCH/a on :BLUE (N ms)\n\
                        main \"Fix\", N of N MB sent RELEASE at TIME UTC, N of N probes say 3\n\
                        DATE TIME  live  19 of N probes\n\
                        by ann@desk pid PID, deployment DEPLOYMENT\n";
        assert_eq!(normalise(text, &known), expected);
        let slow = "shop · deploy\n  hook router │ is compiled, which takes a while once\nrelease 1 · first deployment\n";
        assert_eq!(normalise(slow, &[]), "shop · release 1 · first deployment\n");
    }
}
