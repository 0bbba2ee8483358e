//! The contract between the engine and hooks, as whoever writes a hook gets it.

/// Its files, in the order in which they are read.
const FILES: [&str; 4] = [
    include_str!("../../wit/types.wit"),
    include_str!("../../wit/kinds.wit"),
    include_str!("../../wit/imports.wit"),
    include_str!("../../wit/worlds.wit"),
];

/// Its version.
pub(super) const VERSION: &str = "0.1.0";

/// What names of its interfaces begin with.
pub(super) const INTERFACES: &str = "cutover:hook/";

/// All of it as one file, ready for any tool that reads WIT.
#[must_use]
pub fn contract() -> String {
    // How each of them begins.
    let package = format!("package cutover:hook@{VERSION};\n");
    let parts = FILES.iter().map(|file| file.strip_prefix(&package).unwrap_or(file));
    std::iter::once(package.as_str()).chain(parts).collect()
}
