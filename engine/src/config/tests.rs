//! Whole files against whole outputs: `tests/config/NAME.toml` with `NAME.err` (its faults) or `NAME.settings` (what it means).
//!
//! `CUTOVER_UPDATE=1` writes what is there now. A first line `# -e NAME` chooses the environment.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::fmt::Write as _;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Input, Loaded, Surroundings, load, render};

/// The bundled hooks, and one component in the directory.
pub(super) struct Shelf;

impl Surroundings for Shelf {
    fn is_file(&self, path: &Utf8Path) -> bool {
        path == "/work/shop/hooks/vendor-smoke.wasm"
    }

    fn builtins(&self) -> &[&str] {
        &["command-build", "http-health", "http-smoke", "nginx"]
    }

    fn bundled_grants(&self, name: &str, settings: &serde_json::Value) -> Option<String> {
        match name {
            "command-build" => {
                let program = settings.get("run")?.get(0)?.get(0)?;
                Some(format!(
                    "exec = [{{ hosts = 'builder', program = {program}, args = ['**'], directory = '{{checkout}}' }}]"
                ))
            }
            "nginx" => {
                Some("exec = [{ hosts = 'routers', program = '/usr/sbin/nginx', args = ['-t'] }]".to_owned())
            }
            _ => Some("http = [{ to = 'instances' }]".to_owned()),
        }
    }
}

pub(super) fn load_text(text: &str, environment: Option<&str>) -> Result<Loaded, super::Faults> {
    let root = Utf8Path::new("/work/shop");
    load(Input { file: "cutover.toml", text, root, environment }, &Shelf)
}

#[test]
fn every_file_means_or_says_what_is_written_beside_it() {
    let directory = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/config");
    let update = std::env::var_os("CUTOVER_UPDATE").is_some();
    let mut files: Vec<Utf8PathBuf> =
        directory.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path()).collect();
    files.sort();
    let mut wrong = String::new();
    let mut bad = 0;
    for file in files.iter().filter(|file| file.extension() == Some("toml")) {
        let text = fs::read_to_string(file).unwrap();
        let environment = text.lines().next().and_then(|line| line.strip_prefix("# -e "));
        let (extension, other, got) = match load_text(&text, environment) {
            Ok(loaded) => {
                let mut got = render(&loaded.settings);
                for warning in &loaded.warnings {
                    write!(got, "\n{warning}\n").unwrap();
                }
                ("settings", "err", got)
            }
            Err(faults) => {
                bad += 1;
                ("err", "settings", format!("{faults}\n"))
            }
        };
        let golden = file.with_extension(extension);
        if update {
            fs::write(&golden, &got).unwrap();
            let _ = fs::remove_file(file.with_extension(other));
        }
        let want = fs::read_to_string(&golden).unwrap_or_default();
        if want != got || file.with_extension(other).exists() {
            let diff = similar::TextDiff::from_lines(&want, &got);
            write!(wrong, "\n{}\n{}", golden.file_name().unwrap(), diff.unified_diff()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(bad >= 40, "only {bad} files with faults were found");
}
