//! Keeps the order of this crate's modules: imports go down the ranks, `model` touches nothing, files stay small, no leftovers.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines that a file may have before its tests.
const LONGEST: usize = 450;

/// Rank of each folder, as the crate's documentation tells it.
const RANKS: [(&str, u8); 15] = [
    ("model", 0),
    ("planted", 0),
    ("author", 1),
    ("bundled", 1),
    ("config", 1),
    ("proxy", 1),
    ("report", 1),
    ("secret", 1),
    ("transport", 1),
    ("driver", 2),
    ("hook", 2),
    ("source", 2),
    ("store", 2),
    ("run", 3),
    ("cli", 4),
];

/// Folders of `run`, the lowest first.
const RUN: [&str; 9] =
    ["execute", "world", "supply", "ready", "deployment", "home", "look", "conformance", "authoring"];

/// What decisions may not know.
const WORLD: [&str; 10] = [
    "tokio::",
    "wasmtime",
    "openssh",
    "std::fs",
    "std::env",
    "Tcp",
    "Udp",
    "std::process",
    "SystemTime",
    "Instant::now",
];

/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 10] =
    ["util", "utils", "helpers", "common", "types", "misc", "core", "manager", "service", "handler"];

struct Source {
    /// Below `src`, or below the project for other crates.
    path: PathBuf,
    text: String,
    /// Whether all of it is for tests alone.
    test: bool,
}

impl Source {
    /// Every Rust file below a folder.
    fn all(top: &Path) -> Vec<Self> {
        let (mut found, mut folders) = (Vec::new(), vec![top.to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    // Results of builds, and code that a program wrote.
                    if !path.ends_with("target") && !path.ends_with("bindings") {
                        folders.push(path);
                    }
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = fs::read_to_string(&path).unwrap();
                    found.push(Self { path: path.strip_prefix(top).unwrap().to_owned(), text, test: false });
                }
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        let tests: BTreeSet<PathBuf> = found.iter().flat_map(Self::test_modules).collect();
        for source in &mut found {
            source.test = tests.contains(&source.path);
        }
        found
    }

    /// Lines of code, numbered, without those that are comments alone.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Where the modules that this file declares for tests alone are.
    fn test_modules(&self) -> Vec<PathBuf> {
        let folder = match self.path.file_stem().unwrap().to_str().unwrap() {
            "mod" | "lib" | "main" => self.path.parent().unwrap().to_owned(),
            _ => self.path.with_extension(""),
        };
        let lines: Vec<&str> = self.text.lines().collect();
        let tests = ["#[cfg(test)]", "#[cfg(any(test, fuzzing))]"];
        let pairs = lines.windows(2).filter(|pair| tests.contains(&pair[0]));
        let name = |line: &str| Some(line.split_once("mod ")?.1.strip_suffix(';')?.to_owned());
        pairs.filter_map(|pair| name(pair[1])).map(|name| folder.join(name).with_extension("rs")).collect()
    }

    /// Lines before the tests at the end of the file.
    fn length(&self) -> usize {
        let lines: Vec<&str> = self.text.lines().collect();
        let tests = |pair: &[&str]| pair[0] == "#[cfg(test)]" && !pair[1].ends_with(';');
        lines.windows(2).position(tests).unwrap_or(lines.len())
    }

    fn folder(&self) -> Option<&str> {
        let mut parts = self.path.iter();
        let first = parts.next()?.to_str()?;
        parts.next().map(|_| first)
    }
}

fn engine() -> Vec<Source> {
    Source::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

/// Everything that people wrote: engine, host side, hooks, tests.
fn project() -> Vec<Source> {
    Source::all(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
}

fn rank(folder: &str) -> Option<u8> {
    RANKS.iter().find(|(name, _)| *name == folder).map(|(_, rank)| *rank)
}

/// Folders of this crate that a line of code names.
fn named(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn imports_go_down_the_ranks() {
    let mut faults = Vec::new();
    let mut imports = 0;
    for source in engine() {
        let Some(folder) = source.folder() else { continue };
        let Some(own) = rank(folder) else {
            faults.push(format!("{}: `{folder}` has no rank", source.path.display()));
            continue;
        };
        for (number, line) in source.code() {
            assert!(!line.contains("use crate::{"), "one line for each folder: {line}");
            for other in named(line).filter(|other| *other != folder) {
                imports += 1;
                if rank(other).is_none_or(|other| other >= own) {
                    faults.push(format!("{}:{number}: `{folder}` uses `{other}`", source.path.display()));
                }
            }
        }
    }
    assert!(imports > 100, "only {imports} imports were seen");
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn what_runs_imports_from_below_too() {
    let place = |folder: &str| RUN.iter().position(|name| *name == folder);
    let mut faults = Vec::new();
    let mut imports = 0;
    for source in engine().iter().filter(|source| source.folder() == Some("run") && !source.test) {
        let Some(own) = source.path.iter().nth(1).and_then(|name| place(name.to_str()?)) else { continue };
        for (number, line) in source.code().take(source.length()) {
            for path in line.split("crate::run::").skip(1) {
                imports += 1;
                let folder = path.split("::").next().unwrap();
                if place(folder).is_none_or(|other| other > own) {
                    faults.push(format!(
                        "{}:{number}: `{}` uses `{folder}`",
                        source.path.display(),
                        RUN[own]
                    ));
                }
            }
        }
    }
    assert!(imports > 100, "only {imports} imports were seen");
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn the_model_touches_nothing() {
    let mut faults = Vec::new();
    for source in engine().iter().filter(|source| source.folder() == Some("model")) {
        for (number, line) in source.code() {
            for word in WORLD.iter().filter(|word| line.contains(**word)) {
                faults.push(format!("{}:{number}: {word}", source.path.display()));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn only_the_command_line_reads_the_environment() {
    let mut faults = Vec::new();
    let library = engine().into_iter().filter(|source| source.folder().is_some_and(|folder| folder != "cli"));
    for source in library.filter(|source| !source.test) {
        for (number, line) in source.code() {
            if ["env::var", "env::args", "env::current_dir"].iter().any(|word| line.contains(word)) {
                faults.push(format!("{}:{number}: {}", source.path.display(), line.trim()));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn nothing_is_left_over() {
    // Put together here, so that this file does not find itself.
    let marks = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!("));
    let marks = marks.into_iter().chain([
        "#[ig".to_owned() + "nore",
        "FIX".to_owned() + "ME",
        "TO".to_owned() + "DO",
    ]);
    let marks: Vec<String> = marks.collect();
    let mut faults = Vec::new();
    for source in project() {
        for (index, line) in source.text.lines().enumerate() {
            for mark in marks.iter().filter(|mark| line.contains(*mark)) {
                faults.push(format!("{}:{}: {mark}", source.path.display(), index + 1));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn files_say_what_they_are_and_stay_small() {
    let mut faults = Vec::new();
    for source in project() {
        let name = source.path.file_stem().unwrap().to_str().unwrap();
        let path = source.path.display();
        if EMPTY_NAMES.contains(&name) || name.ends_with("_util") || name.ends_with("_utils") {
            faults.push(format!("{path}: the name says nothing"));
        }
        if !source.text.starts_with("//!") {
            faults.push(format!("{path}: does not begin with what it is"));
        }
        let length = source.length();
        if length > LONGEST && !source.test {
            faults.push(format!("{path}: {length} lines before its tests"));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}
