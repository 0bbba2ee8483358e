//! `cutover completions`.

use std::io::Write as _;

use clap::Args;
use clap_complete::Shell;

use super::{DONE, Ended, help};

/// Print completions of a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover completions bash > ~/.local/share/bash-completion/completions/cutover
  cutover completions zsh > ~/.zfunc/_cutover")]
pub(super) struct Arguments {
    /// Which shell
    shell: Shell,
}

impl Arguments {
    pub(super) fn run(self) -> Ended {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut help::command(), "cutover", &mut script);
        // A closed output ends nothing.
        let _ = std::io::stdout().lock().write_all(&script);
        Ok(DONE)
    }
}
