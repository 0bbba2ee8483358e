//! The contract between the engine and hooks, as whoever writes a hook gets it.

/// Its files, in the order in which they are read.
const FILES: [&str; 4] = [
    include_str!("../../wit/types.wit"),
    include_str!("../../wit/kinds.wit"),
    include_str!("../../wit/imports.wit"),
    include_str!("../../wit/worlds.wit"),
];

/// How each of them begins.
const PACKAGE: &str = "package cutover:hook@0.1.0;\n";

/// All of it as one file, ready for any tool that reads WIT.
#[must_use]
pub fn contract() -> String {
    let parts = FILES.iter().map(|file| file.strip_prefix(PACKAGE).unwrap_or(file));
    std::iter::once(PACKAGE).chain(parts).collect()
}
