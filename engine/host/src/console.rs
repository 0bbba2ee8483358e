//! Programs at a terminal: the streams of the process that becomes the program are its own, and no frames are spoken.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::account::Account;
use crate::bytes::{from_hex, hex};
use crate::fault::failed;
use crate::operation::{Fault, FaultKind, Program};
use crate::program::{cannot_start, command};

/// Most bytes of a program's description as a word: what remains of the 128 KiB that one word of a command line may have on Linux
/// (`MAX_ARG_STRLEN`) when a login shell has been told to start it.
pub const MAX_CONSOLE_WORD: usize = 100 << 10;

/// Exit status where a program was not found, and where it was and could not be started; the same as of shells.
const NOT_FOUND: i32 = 127;
const NOT_STARTED: i32 = 126;

/// A program as one word that no shell changes: what [`console`] takes.
#[must_use]
pub fn console_word(program: &Program) -> String {
    // It is made of strings and numbers, so it has a text.
    let text = serde_json::to_vec(program).unwrap_or_default();
    hex(&text)
}

/// Becomes the program that a word describes. Comes back only when that fails, with an exit status.
#[must_use]
pub fn console(account: &Account, word: &str) -> i32 {
    let terminal = std::env::var("TERM").ok();
    let fault = read(word)
        .and_then(|program| {
            let command = console_command(account, &program, terminal.as_deref())?;
            Ok((program.program, command))
        })
        .map_or_else(|fault| fault, |(name, mut command)| cannot_start(&name, command.exec()));
    #[expect(clippy::print_stderr, reason = "it is the terminal of whoever asked")]
    {
        eprintln!("cutover: {fault}");
    }
    if fault.kind == FaultKind::NotFound { NOT_FOUND } else { NOT_STARTED }
}

/// The command of a program with its whole environment, and the kind of terminal that it is at where it is not told another.
pub(crate) fn console_command(
    account: &Account,
    program: &Program,
    terminal: Option<&str>,
) -> Result<Command, Fault> {
    let mut command = command(account, program)?;
    let told = command.get_envs().any(|(name, _)| name == "TERM");
    if let Some(terminal) = terminal.filter(|_| !told) {
        command.env("TERM", terminal);
    }
    Ok(command)
}

fn read(word: &str) -> Result<Program, Fault> {
    let nonsense = || failed("this is no program that cutover asked for".to_owned());
    if word.len() > MAX_CONSOLE_WORD {
        return Err(nonsense());
    }
    from_hex(word).and_then(|text| serde_json::from_slice(&text).ok()).ok_or_else(nonsense)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_read_back_and_nonsense_is_refused() {
        let program = Program {
            program: "bin/shop".to_owned(),
            args: vec!["it's".to_owned(), "a \"word\" ✓\n".to_owned()],
            env_files: vec!["/srv/shop/env/r1-blue.env".to_owned()],
            ..Program::default()
        };
        let word = console_word(&program);
        assert!(word.bytes().all(|byte| byte.is_ascii_hexdigit()), "{word}");
        assert_eq!(read(&word), Ok(program));
        for nonsense in ["", "7", "zz", "7b7d7b", &"00".repeat(MAX_CONSOLE_WORD)] {
            assert!(read(nonsense).is_err(), "{nonsense:.20}");
        }
    }

    #[test]
    fn the_kind_of_terminal_is_told_unless_the_environment_says_another() {
        let account = Account { user: "me".to_owned(), uid: 1000, home: "/".to_owned() };
        let term = |env: &[(&str, &str)], terminal| {
            let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let program = Program { program: "true".to_owned(), env, ..Program::default() };
            let command = console_command(&account, &program, terminal).expect("a command");
            let found = command.get_envs().find(|(name, _)| *name == "TERM");
            found.and_then(|(_, value)| value?.to_str().map(str::to_owned))
        };
        assert_eq!(term(&[], Some("xterm")).as_deref(), Some("xterm"));
        assert_eq!(term(&[("TERM", "dumb")], Some("xterm")).as_deref(), Some("dumb"));
        assert_eq!(term(&[], None), None);
    }
}
