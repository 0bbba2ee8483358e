//! `cutover --help` with its commands in groups, and `cutover help`.

use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Args, CommandFactory};

use super::invocation::Invocation;
use super::{DONE, Ended, hook_help};
use crate::author::contract;
use crate::bundled::HOOKS;
use crate::model::view::{ExitCode, Problem};

/// Commands in the order in which one needs them.
const GROUPS: [(&str, &[&str]); 7] = [
    ("Begin", &["init", "check", "setup", "trust", "config"]),
    ("Deploy", &["plan", "deploy", "rollback", "maintenance"]),
    ("After an interruption", &["resume", "abort", "unlock", "state"]),
    ("Look", &["status", "doctor", "history", "logs", "exec"]),
    ("Hooks", &["hook"]),
    ("Where no router is", &["proxy"]),
    ("For tools", &["schema", "completions", "help"]),
];

/// Shows the help of a command, the hooks and their settings, or the exit codes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover help deploy
  cutover help hooks                    hooks that come with cutover
  cutover help builtin:nginx            settings, defaults and grants of one
  cutover help scripts                  hooks of your own in JavaScript, without a compiler
  cutover help wit > hook.wit           the contract, for hooks of your own in any language
  cutover help exit-codes")]
pub(super) struct Arguments {
    /// A command, `hooks`, `builtin:NAME`, `scripts`, `wit`, or `exit-codes`
    topic: Option<String>,
}

impl Arguments {
    pub(super) fn run(self, invocation: &Invocation) -> Ended {
        let mut command = command();
        command.build();
        let text = match self.topic.as_deref() {
            None => command.render_help(),
            Some("exit-codes") => exit_codes().into(),
            Some("hooks") => hook_help::overview().into(),
            Some("scripts") => hook_help::SCRIPTS.into(),
            Some("wit") => contract().into(),
            Some(topic) => match (command.find_subcommand_mut(topic), hook_help::page(topic)) {
                (Some(command), _) => command.render_help(),
                (None, Some(page)) => page.into(),
                (None, None) => {
                    let known = command.get_subcommands().map(clap::Command::get_name);
                    let hooks = HOOKS.iter().map(|hook| format!("builtin:{}", hook.name));
                    let known: Vec<String> = known.map(str::to_owned).chain(hooks).collect();
                    let problem =
                        Problem::new("usage/topic", format!("no help on `{topic}`"), ExitCode::Usage);
                    return Err(problem
                        .fact("topics", format!("{} hooks scripts wit exit-codes", known.join(" ")))
                        .into());
                }
            },
        };
        invocation.output.styled(&text);
        Ok(DONE)
    }
}

/// The command line with its help.
pub(super) fn command() -> clap::Command {
    let help = Arg::new("help").short('h').long("help").action(ArgAction::HelpShort).global(true);
    let command = super::arguments::Arguments::command();
    let groups = groups(&command);
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}{{options}}{{after-help}}",
        groups.ansi()
    );
    command
        .disable_help_flag(true)
        .arg(help.help("Print help").help_heading("Everywhere"))
        .help_template(template)
        .after_help(
            "More on one: cutover COMMAND --help; on hooks and exit codes: cutover help hooks, exit-codes",
        )
}

fn groups(command: &clap::Command) -> StyledStr {
    let styles = command.get_styles();
    let (header, literal) = (styles.get_header(), styles.get_literal());
    let mut text = StyledStr::new();
    for (title, names) in GROUPS {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{header}{title}:{header:#}");
        for name in names {
            let about = command.find_subcommand(name).and_then(clap::Command::get_about);
            let about = about.map(StyledStr::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {literal}{name:<12}{literal:#} {about}");
        }
        let _ = writeln!(text);
    }
    text
}

fn exit_codes() -> String {
    let mut text = "Exit codes:\n".to_owned();
    for code in ExitCode::ALL {
        let _ = writeln!(text, "  {:>2}  {}", code.code(), code.meaning());
    }
    text.push_str("  `cutover exec` passes the program's own code on.\n");
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_contract_is_one_file() {
        let contract = contract();
        let packages = contract.lines().filter(|line| line.starts_with("package ")).count();
        assert_eq!(packages, 1);
        for (interface, _) in crate::hook::INTERFACES {
            assert_eq!(contract.matches(&format!("\ninterface {interface} {{")).count(), 1, "{interface}");
        }
        assert!(contract.ends_with("}\n"));
    }

    #[test]
    fn the_command_line_is_sound_and_each_command_is_in_one_group() {
        let command = command();
        command.clone().debug_assert();
        let grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let unique: BTreeSet<&str> = grouped.iter().copied().collect();
        let all: BTreeSet<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        assert_eq!((unique, grouped.len()), (all.clone(), all.len()));
    }

    /// Lines that are broken by hand are broken again where the terminal is narrower.
    #[test]
    fn paragraphs_are_broken_by_the_terminal_alone() {
        for command in command().get_subcommands() {
            let after = command.get_after_help().map(StyledStr::to_string).unwrap_or_default();
            let lines: Vec<&str> = after.lines().collect();
            for pair in lines.windows(2) {
                let [first, second] = pair else { continue };
                let goes_on = !first.is_empty() && !first.starts_with(' ') && !first.ends_with(':');
                let begins = second.is_empty() || second.starts_with(' ');
                assert!(!goes_on || begins, "{}: {first} | {second}", command.get_name());
            }
        }
        let mut command = command();
        command.build();
        let abort = command.find_subcommand_mut("abort").expect("a command");
        let help = abort.clone().term_width(60).render_help().to_string();
        let told = help.split_once("puts everything else back\n").map_or("", |(_, told)| told);
        let want = "
After the pivot (\"release 43 is live\") there is nothing to
put back: then `cutover resume` finishes the clean-up, and
`cutover rollback` puts the release before live again.

What failed may have been mended in cutover.toml meanwhile.
What the deployment stands on (hosts, directory, driver,
user, ports, router) must be as it was, or be accepted.

Ends with 0 once everything is put back: that is what was
asked for.
";
        assert_eq!(told, want);
    }

    #[test]
    fn no_command_has_an_option_that_all_have() {
        fn own<'a>(command: &'a clap::Command, found: &mut Vec<&'a str>) {
            for command in command.get_subcommands() {
                found.extend(command.get_arguments().map(|arg| arg.get_id().as_str()));
                own(command, found);
            }
        }
        let root = command();
        let mut found = Vec::new();
        own(&root, &mut found);
        assert!(found.contains(&"record"));
        for arg in root.get_arguments().filter(|arg| arg.is_global_set()) {
            assert!(!found.contains(&arg.get_id().as_str()), "--{} is another one below", arg.get_id());
        }
    }

    #[test]
    fn each_command_has_one_line_and_an_example() {
        for command in command().get_subcommands() {
            let about = command.get_about().map(StyledStr::to_string).unwrap_or_default();
            assert!(!about.is_empty() && about.len() <= 78 && !about.ends_with('.'), "{about}");
            let example = command.get_after_help().map(StyledStr::to_string).unwrap_or_default();
            assert!(example.contains(&format!("cutover {}", command.get_name())), "{}", command.get_name());
        }
    }
}
