//! What was probably meant by a word that a command does not take.

use std::ffi::OsString;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{help, project_file};
use crate::config;

/// Digits of the largest number that is taken for a release; more are a commit's.
const RELEASE_DIGITS: usize = 6;

/// An error of the command line, with a tip where the word that can't stand there has an option of its own.
pub(super) fn with_tip(mut error: Error, words: &[OsString]) -> Error {
    let word = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(word))) => word.clone(),
        _ => return error,
    };
    let mut known = help::command();
    known.build();
    let mut called = words.iter().skip(1).filter_map(|word| known.find_subcommand(word));
    let Some(command) = called.next() else { return error };
    if let Some(ContextValue::String(similar)) = error.get(ContextKind::SuggestedArg)
        && config::closest(&word, std::slice::from_ref(similar)).is_none()
    {
        // clap takes `--force` for `--locked`.
        error.remove(ContextKind::SuggestedArg);
        let usage = command.clone().render_usage();
        error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
    }
    if let Some(tip) = tip(command.get_name(), &word, &environments()) {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// Environments of the configuration that lies here; none where that can't be read, which is another matter.
fn environments() -> Vec<String> {
    let text = project_file::working_directory()
        .and_then(|start| project_file::find(None, &start))
        .and_then(|file| project_file::read(&file));
    text.map(|text| config::environments(&text)).unwrap_or_default()
}

fn tip(command: &str, word: &str, environments: &[String]) -> Option<String> {
    if word.starts_with('-') {
        return None;
    }
    let is_number = word.len() <= RELEASE_DIGITS && word.bytes().all(|byte| byte.is_ascii_digit());
    let option = match command {
        "deploy" | "plan" if matches!(word, "main" | "master" | "trunk" | "HEAD") => {
            return Some(format!(
                "use 'cutover {command}', which takes the newest revision of `build.branch`"
            ));
        }
        "logs" if matches!(word, "blue" | "green" | "live" | "idle") => {
            return Some(
                "use 'cutover logs', which shows the live colour, or 'cutover logs --idle'".to_owned(),
            );
        }
        _ if environments.iter().any(|name| name == word) => "-e",
        "rollback" => "--to",
        "deploy" | "plan" | "logs" if is_number => "--release",
        "deploy" | "plan" => "--revision",
        "logs" | "setup" => "--host",
        "exec" => "--",
        _ => return None,
    };
    Some(format!("use 'cutover {command} {option} {word}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_the_option_that_takes_it() {
        let environments = ["staging".to_owned()];
        let table = [
            ("rollback", "2", Some("--to 2")),
            ("deploy", "staging", Some("-e staging")),
            ("status", "staging", Some("-e staging")),
            ("deploy", "43", Some("--release 43")),
            ("plan", "9f3c2a1", Some("--revision 9f3c2a1")),
            ("deploy", "12345678", Some("--revision 12345678")),
            ("logs", "web1", Some("--host web1")),
            ("exec", "ls", Some("-- ls")),
            ("status", "production", None),
            ("deploy", "--relase", None),
        ];
        for (command, word, expected) in table {
            let expected = expected.map(|words| format!("use 'cutover {command} {words}'"));
            assert_eq!(tip(command, word, &environments), expected, "{command} {word}");
        }
    }

    #[test]
    fn a_word_that_needs_no_option_is_told_so() {
        let told = |command, word| tip(command, word, &[]).expect("a tip");
        assert_eq!(
            told("deploy", "main"),
            "use 'cutover deploy', which takes the newest revision of `build.branch`"
        );
        assert_eq!(
            told("plan", "HEAD"),
            "use 'cutover plan', which takes the newest revision of `build.branch`"
        );
        assert_eq!(
            told("logs", "green"),
            "use 'cutover logs', which shows the live colour, or 'cutover logs --idle'"
        );
    }

    #[test]
    fn an_option_that_is_not_alike_is_not_proposed() {
        let told = |option: &str| {
            let words: Vec<OsString> = ["cutover", "deploy", option].map(OsString::from).into();
            let error = help::command().try_get_matches_from(&words).expect_err("there is none");
            with_tip(error, &words).render().to_string()
        };
        let end = "\nFor more information, try '--help'.\n";
        assert_eq!(
            told("--force"),
            format!("error: unexpected argument '--force' found\n\nUsage: cutover deploy [OPTIONS]\n{end}")
        );
        assert_eq!(
            told("--relase"),
            format!(
                "error: unexpected argument '--relase' found\n\n  tip: a similar argument exists: '--release'\n\n\
                 Usage: cutover deploy --release <ID>\n{end}"
            )
        );
    }

    #[test]
    fn it_is_told_beneath_the_error() {
        let words: Vec<OsString> = ["cutover", "-q", "rollback", "2"].map(OsString::from).into();
        let error = help::command().try_get_matches_from(&words).expect_err("it takes no word");
        let text = with_tip(error, &words).render().to_string();
        let expected = "error: unexpected argument '2' found\n\n  tip: use 'cutover rollback --to 2'\n\n";
        assert!(text.starts_with(expected), "{text}");
    }
}
