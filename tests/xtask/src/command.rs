//! Commands of the tasks: shown, then run.

use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// Top of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("/")).to_owned()
}

/// Cargo, as the one that runs us, at the top of the repository.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(args).current_dir(root());
    // What the outer cargo tells of this package would have build scripts run again that look at it, and all that comes after them.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Shows a command and runs it to its end.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let text = show(command);
    ended(&text, command.status())
}

/// Shows a command and runs it to its end, with each line that it prints given to `take`.
pub(crate) fn listen(command: &mut Command, mut take: impl FnMut(&str)) -> Result<(), String> {
    let text = show(command);
    let mut listened = || {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        for line in child.stdout.take().into_iter().flat_map(|output| BufReader::new(output).lines()) {
            take(&line?);
        }
        child.wait()
    };
    ended(&text, listened())
}

/// Shows a command's words, as a person would type them.
fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let text = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    eprintln!("$ {text}");
    text
}

fn ended(text: &str, status: io::Result<ExitStatus>) -> Result<(), String> {
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{text}` ended with {status}")),
        Err(fault) => Err(format!("`{text}` can't be run: {fault}")),
    }
}

/// Builds the program, and says where it is. The whole workspace is named, so that dependencies have the features that they have in
/// the tests, and are not compiled twice.
pub(crate) fn build_cutover() -> Result<PathBuf, String> {
    run(&mut cargo(&["build", "--locked", "--workspace", "--bin", "cutover"]))?;
    Ok(target().join("debug/cutover"))
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
