//! Sources in Go, which are kept as its own formatter writes them; only who writes them needs it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Writes a source, or holds what is there against it, but for what a formatter may do: white space, a `;` at the end of a line, and the order of
/// imports.
pub(crate) fn keep(path: &Path, text: &str, check: bool) -> Result<()> {
    if !check {
        return crate::keep(path, &formatted(text)?, false);
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    if bare(&there) == bare(text) { Ok(()) } else { crate::keep(path, text, true) }
}

/// The lines that say something, sorted.
fn bare(text: &str) -> Vec<String> {
    let bare = |line: &str| line.split_whitespace().collect::<String>().trim_end_matches(';').to_owned();
    let mut lines: Vec<String> = text.lines().map(bare).filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    lines
}

fn formatted(text: &str) -> Result<String> {
    // Where `cargo xtask languages` puts it.
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/go/go/bin/gofmt");
    let program = if own.is_file() { own.as_path() } else { Path::new("gofmt") };
    let mut gofmt = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("failed to run `gofmt`\nhint: cargo xtask languages installs it")?;
    let mut input = gofmt.stdin.take().context("`gofmt` takes no input")?;
    // It reads all before it writes.
    input.write_all(text.as_bytes())?;
    drop(input);
    let output = gofmt.wait_with_output()?;
    if !output.status.success() {
        bail!("`gofmt` has refused a source");
    }
    Ok(String::from_utf8(output.stdout)?)
}
