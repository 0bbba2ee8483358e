//! `builtin:command-build`: runs the operator's commands in a clean checkout and hands over what they made.

mod settings;

use cutover_hooks::engine::{self, Level};
use cutover_hooks::hosts::{self, Command, HostError, IfFound, Output};
use cutover_hooks::{Artifact, Build, Call, Context, HookError, SettingFault, Source};

pub use settings::Settings;

/// Where builds run, as the contract names it.
const BUILDER: &str = "builder";

/// Lines of a failed command's output that are worth showing.
const TAIL: usize = 20;

/// The hook.
#[derive(Debug)]
pub struct CommandBuild;

cutover_hooks::export!(build: CommandBuild);

impl Build for CommandBuild {
    type Settings = Settings;

    fn faults(settings: &Settings) -> Vec<SettingFault> {
        settings.faults()
    }

    fn run(settings: &Settings, _call: &Call, source: &Source) -> Result<Artifact, HookError> {
        let total = u32::try_from(settings.run.len()).unwrap_or(u32::MAX);
        for (done, words) in (0..).zip(&settings.run) {
            engine::progress(done, total, &words.join(" "));
            let command = command(settings, source, words);
            let output = hosts::exec(BUILDER, &command).map_err(not_run)?;
            check(&command, &output)?;
        }
        let version = match &settings.version_file {
            Some(file) => Some(version(&format!("{}/{file}", source.checkout))?),
            None => None,
        };
        Ok(Artifact { path: hand_over(&settings.artifact, source)?, version, labels: Vec::new() })
    }
}

/// Moves the artifact to the output; returns its name there. A rename where checkout and output share a file system, as they do in
/// the engine's own directories: the artifact is neither copied nor kept twice, and a checkout is for one build anyway.
fn hand_over(artifact: &str, source: &Source) -> Result<String, HookError> {
    let from = if artifact == "." {
        // The repository's history is no part of a release.
        let history = format!("{}/.git", source.checkout);
        hosts::run(BUILDER, &Command::new("rm").args(["-rf", "--", &history]))?;
        source.checkout.clone()
    } else {
        format!("{}/{artifact}", source.checkout)
    };
    let command = Command::new("mv").args(["--", &from, &source.output]);
    let output = hosts::exec(BUILDER, &command).map_err(not_run)?;
    check(&command, &output).map_err(|error| error.hint(format!("the commands must make `{artifact}`")))?;
    Ok(from.rsplit('/').next().unwrap_or_default().to_owned())
}

fn command(settings: &Settings, source: &Source, words: &[String]) -> Command {
    let (program, args) = words.split_first().map_or(("", [].as_slice()), |(first, rest)| (first, rest));
    let fill = |arg: &String| arg.replace("{checkout}", &source.checkout).replace("{output}", &source.output);
    let command = Command::new(located(program, source))
        .args(args.iter().map(fill))
        .directory(&source.checkout)
        .env("CUTOVER_OUTPUT", &source.output)
        .env("CUTOVER_REVISION", &source.revision);
    settings.env.iter().fold(command, |command, (name, value)| command.env(name, value))
}

/// A relative path is meant from the checkout; a bare name is looked up by the builder.
fn located(program: &str, source: &Source) -> String {
    if program.starts_with('/') || !program.contains('/') {
        program.to_owned()
    } else {
        format!("{}/{}", source.checkout, program.trim_start_matches("./"))
    }
}

/// A build whose end is not known may have left anything behind: it is not begun again in the same checkout.
fn not_run(error: HostError) -> HookError {
    match error {
        HostError::TimedOut(text) | HostError::Broken(text) => HookError::Failed(text),
        error @ (HostError::Denied(_)
        | HostError::NotFound(_)
        | HostError::Unreachable(_)
        | HostError::Failed(_)
        | HostError::Other(_)) => error.into(),
    }
}

fn check(command: &Command, output: &Output) -> Result<(), HookError> {
    if output.status == 0 {
        return Ok(());
    }
    // The error tells its last lines; with `-v` all are told.
    engine::log(Level::Info, output.last_lines(usize::MAX));
    let ended = match output.status {
        signal @ 129..=159 => format!("was ended by signal {}", signal - 128),
        status => format!("ended with status {status}"),
    };
    let said = output.last_lines(TAIL);
    let newline = if said.is_empty() { "" } else { "\n" };
    Err(HookError::failed(format!("`{}` {ended}{newline}{said}", command.display())))
}

/// The first line of the file that names the version.
fn version(path: &str) -> Result<String, HookError> {
    let text = hosts::read_text(BUILDER, path).if_found().context("read the version")?;
    let line = text.as_deref().and_then(|text| text.lines().next()).map(str::trim);
    line.filter(|line| !line.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| HookError::failed(format!("`{path}` names no version: it is missing or empty")))
}

#[cfg(test)]
mod tests {
    use cutover_hooks::fake;

    use super::*;

    fn build(settings: &str) -> Result<Artifact, HookError> {
        let source = Source {
            revision: "9f3c2a1".to_owned(),
            branch: "main".to_owned(),
            checkout: "/w/checkout".to_owned(),
            output: "/w/output".to_owned(),
        };
        let parsed = serde_json::from_str(settings).expect("settings");
        CommandBuild::run(&parsed, &fake::call(settings, Vec::new()), &source)
    }

    fn world() -> fake::World {
        let world = fake::World::install([BUILDER]);
        world.program(BUILDER, "mv", |_| fake::exit(0, ""));
        world
    }

    #[test]
    fn commands_run_in_the_checkout_and_their_artifact_moves_to_the_output() {
        let world = world();
        world.file(BUILDER, "/w/checkout/VERSION", "1.4.2\n");
        world.program(BUILDER, "make", |command| {
            assert_eq!(command.directory.as_deref(), Some("/w/checkout"));
            let env: Vec<String> =
                command.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(env, ["CUTOVER_OUTPUT=/w/output", "CUTOVER_REVISION=9f3c2a1", "MODE=release"]);
            fake::exit(0, "")
        });
        let artifact = build(
            r#"{"run": [["make", "DESTDIR={output}"]], "artifact": "dist", "version-file": "VERSION", "env": {"MODE": "release"}}"#,
        );
        assert_eq!(
            artifact,
            Ok(Artifact { path: "dist".to_owned(), version: Some("1.4.2".to_owned()), labels: Vec::new() })
        );
        assert_eq!(
            world.calls(),
            [
                "progress 0/1 make DESTDIR={output}",
                "exec builder make DESTDIR=/w/output",
                "read builder /w/checkout/VERSION",
                "exec builder mv -- /w/checkout/dist /w/output",
            ]
        );
    }

    #[test]
    fn a_relative_program_lies_in_the_checkout() {
        let world = world();
        world.program(BUILDER, "/w/checkout/gradlew", |_| fake::exit(0, ""));
        world.program(BUILDER, "/w/checkout/ci/pack", |_| fake::exit(0, ""));
        assert!(
            build(r#"{"run": [["./gradlew", "war"], ["ci/pack"]], "artifact": "build/shop.war"}"#).is_ok()
        );
    }

    #[test]
    fn the_whole_checkout_without_its_history_can_be_the_artifact() {
        let world = world();
        world.program(BUILDER, "rm", |_| fake::exit(0, ""));
        let artifact = build(r#"{"run": [], "artifact": "."}"#).expect("an artifact");
        assert_eq!(artifact.path, "checkout");
        assert_eq!(
            world.calls(),
            ["exec builder rm -rf -- /w/checkout/.git", "exec builder mv -- /w/checkout /w/output"]
        );
    }

    #[test]
    fn the_first_failure_ends_it_with_the_programs_own_words() {
        let world = world();
        world.program(BUILDER, "make", |_| fake::exit(2, "cc main.c\n\nmain.c:3: error: no such file\n"));
        assert_eq!(
            build(r#"{"run": [["make"], ["strip", "x"]], "artifact": "dist"}"#),
            Err(HookError::failed("`make` ended with status 2\ncc main.c\nmain.c:3: error: no such file"))
        );
        assert!(!world.calls().iter().any(|call| call.contains("strip") || call.contains("mv")));
    }

    #[test]
    fn a_signal_is_named() {
        world().program(BUILDER, "make", |_| fake::exit(137, ""));
        assert_eq!(
            build(r#"{"run": [["make"]], "artifact": "dist"}"#),
            Err(HookError::failed("`make` was ended by signal 9"))
        );
    }

    #[test]
    fn a_build_that_timed_out_is_not_begun_again() {
        world().program(BUILDER, "make", |_| Err(HostError::TimedOut("900 s are over".to_owned())));
        assert_eq!(
            build(r#"{"run": [["make"]], "artifact": "dist"}"#),
            Err(HookError::failed("900 s are over"))
        );
    }

    #[test]
    fn an_artifact_that_was_not_made_is_named() {
        let world = world();
        world.program(BUILDER, "make", |_| fake::exit(0, ""));
        world.program(BUILDER, "mv", |_| fake::exit(1, "mv: cannot stat '/w/checkout/dist'"));
        let error = build(r#"{"run": [["make"]], "artifact": "dist"}"#).expect_err("no artifact");
        assert!(error.text().ends_with("\nhint: the commands must make `dist`"), "{}", error.text());
    }
}
