//! Runs a language's own compiler, and takes what it has made.

use std::io;
use std::process::{Output, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use tokio::process::Command;

use super::encode::encoded;
use super::steps::{Product, Step, steps};
use super::{EncodeFault, Manifest};

/// For one program.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// Bytes of a program's output that are shown, of its end.
const SHOWN: usize = 32 << 10;

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum BuildFault {
    /// None of the programs is there.
    #[error("`{program}` is not installed")]
    Missing {
        /// The best of them.
        program: String,
        /// What installs it.
        install: String,
    },
    /// A program can't be started.
    #[error("`{program}` can't be started: {reason}")]
    NotStarted {
        /// Which.
        program: String,
        /// Why.
        reason: String,
    },
    /// A program has found something wrong.
    #[error("`{command}` {end}\n{said}")]
    Failed {
        /// With its arguments.
        command: String,
        /// How it ended: `ended with 101`.
        end: String,
        /// What it printed.
        said: String,
    },
    /// A program went well, and the component is not there.
    #[error("`{command}` has made no component")]
    NothingMade {
        /// With its arguments.
        command: String,
    },
    /// A compiler that knows nothing of components went well, and no component can be made of what it has made.
    #[error(transparent)]
    NotEncoded(#[from] EncodeFault),
    /// The component can't be put in its place.
    #[error("`{path}` can't be written: {reason}")]
    Unwritable {
        /// Its place.
        path: Utf8PathBuf,
        /// Why.
        reason: String,
    },
}

/// Builds the hook in `directory`, which has this manifest: the path of its component.
///
/// # Errors
/// When its compiler is missing or fails.
pub async fn build(directory: &Utf8Path, manifest: &Manifest) -> Result<Utf8PathBuf, BuildFault> {
    let component = directory.join(manifest.component());
    let (steps, product) = steps(manifest, &sources_in(directory));
    let unwritable =
        |fault: io::Error| BuildFault::Unwritable { path: component.clone(), reason: fault.to_string() };
    if product != Product::OfCargo {
        // One of before would be taken for what a program has made that says it did, and did not.
        let removed = std::fs::remove_file(&component);
        if let Err(fault) = removed
            && fault.kind() != io::ErrorKind::NotFound
        {
            return Err(unwritable(fault));
        }
    }
    let (mut command, mut out) = (String::new(), Vec::new());
    for step in &steps {
        (command, out) = run(directory, step).await?;
    }
    match product {
        Product::Component | Product::Module if !component.is_file() => {
            return Err(BuildFault::NothingMade { command });
        }
        Product::Component => {}
        Product::Module => {
            let module = std::fs::read(&component).and_then(|module| {
                // No module is left where a component is looked for.
                std::fs::remove_file(&component).map(|()| module)
            });
            let made = encoded(module.map_err(unwritable)?, &directory.join("wit"))?;
            std::fs::write(&component, made).map_err(unwritable)?;
        }
        Product::OfCargo => {
            let made =
                made_by_cargo(&String::from_utf8_lossy(&out)).ok_or(BuildFault::NothingMade { command })?;
            std::fs::copy(directory.join(made), &component).map_err(unwritable)?;
        }
    }
    Ok(component)
}

/// Names of the files of C in a hook's directory, sorted, as `*.c` in its Makefile has them; its tests lie in a directory of their own.
fn sources_in(directory: &Utf8Path) -> Vec<String> {
    let entries = directory.read_dir_utf8().into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_owned()).collect();
    names.retain(|name| name.ends_with(".c") && !name.starts_with('.'));
    names.sort();
    names
}

/// Runs the first of a step's programs that is there: what was run, and its standard output.
async fn run(directory: &Utf8Path, step: &Step) -> Result<(String, Vec<u8>), BuildFault> {
    for words in step.programs {
        let Some((program, first)) = words.split_first() else { continue };
        let path = if program.contains('/') { directory.join(program) } else { Utf8PathBuf::from(*program) };
        let mut command = Command::new(&path);
        command.args(first).args(&step.args).envs(step.env.iter().copied()).current_dir(directory);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let ended = match tokio::time::timeout(LONGEST, command.output()).await {
            Ok(Err(fault)) if fault.kind() == io::ErrorKind::NotFound => continue,
            Ok(Err(fault)) => {
                return Err(BuildFault::NotStarted {
                    program: (*program).to_owned(),
                    reason: fault.to_string(),
                });
            }
            Ok(Ok(output)) => Some(output),
            Err(_) => None,
        };
        let command = step.told(words);
        return match ended {
            Some(output) if output.status.success() => Ok((command, output.stdout)),
            ended => Err(BuildFault::Failed {
                command,
                end: end_of(ended.as_ref()),
                said: ended.map(said).unwrap_or_default(),
            }),
        };
    }
    let program = step.programs.first().and_then(|words| words.first()).copied().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    Err(BuildFault::Missing { program, install: step.install.to_owned() })
}

fn end_of(output: Option<&Output>) -> String {
    match output.map(|output| output.status.code()) {
        None => format!("took longer than {} minutes", LONGEST.as_secs() / 60),
        Some(Some(code)) => format!("ended with {code}"),
        Some(None) => "was killed".to_owned(),
    }
}

/// The end of both outputs, standard error last; what is for programs is left out.
fn said(output: Output) -> String {
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("{\"reason\":")).collect();
    let text = lines.join("\n");
    let from = text.len().saturating_sub(SHOWN);
    let from = (from..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    text[from..].trim_matches('\n').to_owned()
}

/// A line of `--message-format json` that matters here.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    filenames: Vec<Utf8PathBuf>,
}

/// The last component that cargo says it made: dependencies come before what depends on them.
fn made_by_cargo(lines: &str) -> Option<Utf8PathBuf> {
    let messages = lines.lines().rev().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let mut made = messages
        .filter(|message| message.reason == "compiler-artifact")
        .flat_map(|message| message.filenames);
    made.find(|path| path.extension() == Some("wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::{HookName, Language};
    use crate::model::HookKind;

    #[test]
    fn cargo_says_where_it_is() {
        let lines = "\
{\"reason\":\"compiler-artifact\",\"filenames\":[\"/t/release/deps/libserde.rlib\"]}
{\"reason\":\"compiler-artifact\",\"filenames\":[\"/t/wasm32-wasip2/release/hook.wasm\",\"/t/libhook.rlib\"],\"fresh\":true}
{\"reason\":\"build-finished\",\"success\":true}
";
        assert_eq!(made_by_cargo(lines), Some("/t/wasm32-wasip2/release/hook.wasm".into()));
        assert_eq!(made_by_cargo("{\"reason\":\"build-finished\",\"success\":true}\nno JSON\n"), None);
    }

    fn step(script: &'static str, programs: &'static [&'static [&'static str]]) -> Step {
        Step { programs, args: vec!["-c".to_owned(), script.to_owned()], env: &[], install: "ask around" }
    }

    async fn told(step: Step) -> String {
        match run(Utf8Path::new("/tmp"), &step).await {
            Ok((command, out)) => format!("{command}: {}", String::from_utf8_lossy(&out)),
            Err(BuildFault::Missing { program, install }) => format!("{program}: {install}"),
            Err(fault) => fault.to_string(),
        }
    }

    #[tokio::test]
    async fn the_first_program_that_is_there_is_run() {
        const PROGRAMS: &[&[&str]] = &[&["none/bin/sh"], &["no-such-program"], &["/bin/sh", "-e"]];
        assert_eq!(told(step("echo fine", PROGRAMS)).await, "/bin/sh -e -c 'echo fine': fine\n");
        assert_eq!(told(step("echo fine", &[&["none/bin/sh"]])).await, "sh: ask around");
    }

    #[tokio::test]
    async fn what_it_printed_is_shown_when_it_fails() {
        let said =
            told(step("echo '{\"reason\":\"x\"}'; echo out; echo wrong >&2; exit 3", &[&["/bin/sh"]])).await;
        assert!(said.ends_with("exit 3'` ended with 3\nout\nwrong"), "{said}");
        let killed = told(step("kill -9 $$", &[&["/bin/sh"]])).await;
        assert_eq!(killed, "`/bin/sh -c 'kill -9 $$'` was killed\n");
        let long = told(step("head -c 100000 /dev/zero | tr '\\0' 'é'; exit 1", &[&["/bin/sh"]])).await;
        assert!(long.len() < SHOWN + 200, "{}", long.len());
    }

    #[test]
    fn all_of_c_beside_the_manifest_is_compiled() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = Utf8Path::from_path(directory.path()).expect("text");
        std::fs::create_dir(root.join("test")).expect("made");
        for file in ["hook.c", "hook.h", "cutover.c", ".#hook.c", "hook.c~", "test/hook_test.c"] {
            std::fs::write(root.join(file), "").expect("written");
        }
        assert_eq!(sources_in(root), ["cutover.c", "hook.c"]);
    }

    #[tokio::test]
    async fn a_component_of_before_is_not_taken() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = Utf8Path::from_path(directory.path()).expect("text");
        let name = HookName::new("ready").expect("a name");
        let manifest = Manifest { name, kind: HookKind::Router, language: Language::Js };
        std::fs::create_dir_all(root.join("node_modules/.bin")).expect("made");
        std::fs::write(root.join("ready.wasm"), "old").expect("written");
        std::os::unix::fs::symlink("/bin/true", root.join("node_modules/.bin/componentize-qjs"))
            .expect("linked");
        let fault = build(root, &manifest).await.expect_err("nothing is made").to_string();
        assert_eq!(
            fault,
            "`node_modules/.bin/componentize-qjs --wit wit --world hook --sync --js hook.js -o ready.wasm` has made no component"
        );
    }
}
