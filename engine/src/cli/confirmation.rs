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

/// Lets go on with what was shown, when the person says yes; `unasked` is what there is to say where there is nobody to ask.
///
/// # Errors
/// When the answer is no, or there is nobody to ask.
pub(super) fn agree(question: &str, person: Person<'_>, unasked: Problem) -> Result<(), Problem> {
    match person {
        Person::SaidYes => Ok(()),
        Person::Absent => Err(unasked),
        Person::Asked(input, output) => {
            // Without the question there is no answer either.
            let _ = write!(output, "{question} [y/N] ").and_then(|()| output.flush());
            let mut answer = String::new();
            let _ = input.read_line(&mut answer);
            if matches!(answer.trim(), "y" | "Y" | "yes") {
                return Ok(());
            }
            let text = "it was not confirmed; nothing was changed";
            Err(Problem::new("usage/not-confirmed", text, ExitCode::NothingChanged))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    fn production() -> Deployment {
        let (name, host) = (Name::new("production").expect("a name"), Name::new("web1").expect("a name"));
        Deployment {
            environment: Some(name),
            confirm: true,
            ..Deployment::for_tests(std::slice::from_ref(&host), std::slice::from_ref(&host))
        }
    }

    fn asked(deployment: &Deployment, answer: &str) -> (Result<(), Problem>, String) {
        let (mut input, mut output) = (answer.as_bytes(), Vec::new());
        let result = confirm(deployment, "deploy", Person::Asked(&mut input, &mut output));
        (result, String::from_utf8(output).expect("text"))
    }

    #[test]
    fn only_its_name_confirms_an_environment() {
        let deployment = production();
        let (result, question) = asked(&deployment, "production\n");
        assert_eq!(result, Ok(()));
        assert_eq!(question, format!("deploy changes {}; type `production` to go on: ", deployment.title()));
        for answer in ["", "\n", "y\n", "Production\n", "production x\n"] {
            let problem = asked(&deployment, answer).0.expect_err("not the name");
            assert_eq!(problem.exit_code, ExitCode::NothingChanged, "{answer}");
        }
        assert_eq!(confirm(&deployment, "deploy", Person::SaidYes), Ok(()));
        let problem = confirm(&deployment, "deploy", Person::Absent).expect_err("nobody to ask");
        assert_eq!(problem.exit_code, ExitCode::Usage);
    }

    #[test]
    fn only_yes_is_yes() {
        let unasked = || Problem::new("state/locked", "it is held", ExitCode::Locked);
        let asked = |answer: &str| {
            let mut output = Vec::new();
            let agreed = agree("write this?", Person::Asked(&mut answer.as_bytes(), &mut output), unasked());
            assert_eq!(output, b"write this? [y/N] ");
            agreed.map_err(|problem| problem.exit_code)
        };
        for answer in ["y\n", " yes \n", "Y\n"] {
            assert_eq!(asked(answer), Ok(()), "{answer}");
        }
        for answer in ["", "\n", "n\n", "yeah\n"] {
            assert_eq!(asked(answer), Err(ExitCode::NothingChanged), "{answer}");
        }
        assert_eq!(agree("?", Person::SaidYes, unasked()), Ok(()));
        assert_eq!(agree("?", Person::Absent, unasked()), Err(unasked()));
    }

    #[test]
    fn an_environment_that_wants_none_is_not_asked_about() {
        let deployment = Deployment { confirm: false, ..production() };
        assert_eq!(confirm(&deployment, "deploy", Person::Absent), Ok(()));
    }
}
