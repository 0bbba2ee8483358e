//! `cargo xtask`: what those who work on cutover, or look at it for the first time, run. Each task does its own set-up.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

mod adversary;
mod bench;
mod command;
mod demo;
mod dependencies;
mod front_door;
mod languages;
mod package;
mod peers;
mod prove;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask TASK

  demo [--json [--program PATH]]
                            deploys a small web shop, with good and bad releases, under load
  test [ARGUMENT…]          all tests, with their peers; arguments as for `cargo test`
  prove [--nightly] [--json]
                            that the promises of RELIABILITY.md are kept, in figures
  adversary [--json]        how hooks with bad manners end, each mode; and that the engine and the next hook go on
  languages [--json]        what a hook of each kind does in each language, on the real engine: a cell each
  dependencies              licences, sources, versions and known faults of all dependencies, by deny.toml
  bench hook [--json]       what a call of a hook costs, beside a shell
  bench languages [--rounds N] [--json]
                            what a health check costs by the hook's language, beside processes that do the same
  bench deploy [--many] [--json]
                            what a deployment on four hosts costs, beside a script over SSH; or one on a hundred
  bench switch [--switches N] [--only TEXT] [--json]
                            what a switch costs those who are served, at each router and style; 40 switches each
  package [--no-verify]     the crates as they are published, in target/package
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ended = match words.as_slice() {
        ["demo"] => demo::run(false, None),
        ["demo", "--json"] => demo::run(true, None),
        ["demo", "--json", "--program", program] => demo::run(true, Some(program)),
        ["test", rest @ ..] => test::run(rest),
        ["prove", rest @ ..] if rest.iter().all(|word| ["--nightly", "--json"].contains(word)) => {
            prove::run(rest.contains(&"--nightly"), rest.contains(&"--json"))
        }
        ["adversary"] => adversary::run(false),
        ["adversary", "--json"] => adversary::run(true),
        ["languages"] => languages::run(false),
        ["languages", "--json"] => languages::run(true),
        ["dependencies"] => dependencies::run_all(),
        ["package"] => package::run(true),
        ["package", "--no-verify"] => package::run(false),
        ["bench", name @ ("hook" | "languages" | "deploy" | "switch"), options @ ..]
            if bench::knows(name, options) =>
        {
            bench::run(name, options)
        }
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {fault}");
            ExitCode::FAILURE
        }
    }
}
