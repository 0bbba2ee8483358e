//! Compares whole outputs with files in `tests/golden/`; `CUTOVER_UPDATE=1` rewrites them.

use std::path::PathBuf;

use super::line::Line;

/// Fails with a readable difference when `actual` is not what the file holds.
pub(crate) fn assert_golden(name: &str, actual: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/report").join(name);
    if std::env::var_os("CUTOVER_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("the path has a directory"))
            .expect("the directory is made");
        std::fs::write(&path, actual).expect("the golden file is written");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let difference = similar::TextDiff::from_lines(expected.as_str(), actual);
    assert!(
        expected == actual,
        "{name} differs; CUTOVER_UPDATE=1 rewrites it:\n{}",
        difference.unified_diff().header("golden", "actual")
    );
}

/// Lines as they are written without color.
pub(super) fn page(lines: &[Line]) -> String {
    lines.iter().map(|line| line.to_text(false) + "\n").collect()
}
