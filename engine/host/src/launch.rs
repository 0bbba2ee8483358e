//! Scripts that become a program: how a unit of root's runs what the deploy user chose, as the application's user.

use crate::account::Account;
use crate::environment;
use crate::fault::not_allowed;
use crate::files;
use crate::operation::{Fault, Program};

/// Variables that whoever runs the script has already.
const OWN: [&str; 4] = ["PATH", "HOME", "LANG", "USER"];

/// Writes the script. See [`crate::Operation::WriteLaunch`].
pub(crate) fn write(
    account: &Account,
    path: &str,
    program: &Program,
    announce: &str,
    mode: u32,
) -> Result<(), Fault> {
    let mut variables = environment::of_program(account, program)?;
    // The fixed ones come first; what comes later with the same name was asked for.
    variables.drain(..OWN.len());
    let text = script(program, &variables, announce)?;
    files::write(account, path, None, text.as_bytes(), Some(mode))
}

fn script(program: &Program, variables: &[(String, String)], announce: &str) -> Result<String, Fault> {
    let mut lines = vec!["#!/bin/sh".to_owned(), format!("printf '%s\\n' {}", quoted(announce)?)];
    for (name, value) in variables {
        lines.push(format!("export {name}={}", quoted(value)?));
    }
    if let Some(directory) = &program.directory {
        lines.push(format!("cd {} || exit 71", quoted(directory)?));
    }
    let mut command = vec!["exec".to_owned(), quoted(&program.program)?];
    for arg in &program.args {
        command.push(quoted(arg)?);
    }
    lines.push(command.join(" "));
    Ok(format!("{}\n", lines.join("\n")))
}

/// A word as `sh` reads it back, whatever is in it.
fn quoted(text: &str) -> Result<String, Fault> {
    if text.contains('\0') {
        return Err(not_allowed("a launch script can't hold a NUL".to_owned()));
    }
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_becomes_its_program_with_every_odd_word() {
        let program = Program {
            program: "/usr/bin/env".into(),
            args: vec![
                "sh".into(),
                "-c".into(),
                "printf '[%s]' \"$ODD\" \"$1\" \"$PWD\"".into(),
                "it's".into(),
                "a'b $c \n`d`".into(),
            ],
            directory: Some("/".into()),
            ..Program::default()
        };
        let variables = [("ODD".to_owned(), "x'y\"z\\ $(q)\n".to_owned())];
        let text = script(&program, &variables, "starts; it's").expect("a script");
        let output = std::process::Command::new("/bin/sh").arg("-c").arg(text).output().expect("runs");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "starts; it's\n[x'y\"z\\ $(q)\n][a'b $c \n`d`][/]"
        );
        assert!(script(&program, &[("A".to_owned(), "\0".to_owned())], "").is_err());
    }
}
