//! Asking for the name of an environment before anything in it changes.

use std::io::{BufRead, Write};

use crate::model::Deployment;
use crate::model::view::{ExitCode, Problem};
use crate::report::{Line, Tone};

/// Whom to ask.
pub(super) enum Person<'a> {
    /// One who has said yes already.
    SaidYes,
    /// One at a terminal.
    Asked(&'a mut dyn BufRead, &'a mut dyn Write),
    /// Nobody.
    Absent,
}

/// Lets go on what may change `deployment`'s environment: at once where it needs no confirmation, else when its name is typed.
///
/// # Errors
/// When something else is typed, or there is nobody to ask.
pub(super) fn confirm(deployment: &Deployment, command: &str, person: Person<'_>) -> Result<(), Problem> {
    let Some(name) = deployment.environment.as_ref().filter(|_| deployment.confirm) else {
        return Ok(());
    };
    match person {
        Person::SaidYes => Ok(()),
        Person::Absent => {
            let text =
                format!("environment `{name}` asks for confirmation, and there is no terminal to ask on");
            Err(Problem::new("usage/not-confirmed", text, ExitCode::Usage).hint("`--yes` confirms it"))
        }
        Person::Asked(input, output) => {
            let question = Line::of(Tone::Plain, command).text(" changes ").text(&deployment.title());
            let question = question.text(&format!("; type `{name}` to go on: ")).to_text(false);
            // Without the question there is no answer either.
            let _ = write!(output, "{question} ").and_then(|()| output.flush());
            let mut answer = String::new();
            let _ = input.read_line(&mut answer);
            if answer.trim() == name.as_str() {
                return Ok(());
            }
            let text = format!("environment `{name}` was not confirmed; nothing was changed");
            Err(Problem::new("usage/not-confirmed", text, ExitCode::NothingChanged))
        }
    }
}
