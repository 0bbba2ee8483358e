//! Running git on a machine.

use std::time::Duration;

use cutover_host::operation::{Answer, Exit, Operation, Program};

use super::credentials::Credentials;
use super::{Repository, SourceFailure};
use crate::transport::{Chunk, Failure, Flow, Link};

/// Kept of each output: long enough for a message of git's and for one line of facts.
const OUTPUT_LIMIT: u64 = 64 * 1024;

/// For what looks at a repository on the same machine.
const LOOK: Duration = Duration::from_secs(60);

/// For what may fetch a whole repository.
const FETCH: Duration = Duration::from_secs(15 * 60);

/// Git on one machine.
#[derive(Debug, Clone, Copy)]
pub struct Git<'a> {
    link: &'a dyn Link,
    agent: Option<&'a str>,
}

impl<'a> Git<'a> {
    /// Git of the machine behind `link`. `agent` is the socket of an SSH agent on that machine (`SSH_AUTH_SOCK`), when there is one.
    #[must_use]
    pub const fn new(link: &'a dyn Link, agent: Option<&'a str>) -> Self {
        Self { link, agent }
    }

    pub(super) const fn link(&self) -> &'a dyn Link {
        self.link
    }

    /// What runs: nothing of the caller's environment, no prompt, no hook, no monitor program, our protocols only.
    fn program(&self, directory: &str, args: &[&str], protocols: &str) -> Program {
        let fixed = [
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "advice.detachedHead=false",
        ];
        let env = [
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ALLOW_PROTOCOL", protocols),
            // What a commit's digits name is that commit.
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            // A repository on this machine may be partial, and name the program that its missing objects come from.
            ("GIT_NO_LAZY_FETCH", "1"),
            // Whoever asks for a password or for the trust in a host key gets no answer.
            ("GIT_ASKPASS", "/bin/false"),
            ("SSH_ASKPASS", "/bin/false"),
            ("SSH_ASKPASS_REQUIRE", "force"),
            ("LC_ALL", "C"),
        ];
        let agent = self.agent.map(|agent| ("SSH_AUTH_SOCK", agent));
        Program {
            program: "git".to_owned(),
            args: fixed.iter().chain(args).map(|word| (*word).to_owned()).collect(),
            env: env
                .into_iter()
                .chain(agent)
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            directory: Some(directory.to_owned()),
            output_limit: OUTPUT_LIMIT,
            ..Program::default()
        }
    }

    async fn run(&self, program: Program, patience: Duration) -> Result<Exit, SourceFailure> {
        let answer = self.link.perform(Operation::Run { program }.call().within(patience)).await?;
        let Answer::Exited(exit) = answer else {
            let text = format!("host was asked to run git and answered {answer:?}");
            return Err(Failure::Nonsense(text.chars().take(200).collect()).into());
        };
        Ok(exit)
    }

    /// Looks at a repository; any end is an answer.
    pub(super) async fn look(&self, directory: &str, args: &[&str]) -> Result<Exit, SourceFailure> {
        self.run(self.program(directory, args, "file"), LOOK).await
    }

    /// The same with settings that count more than those of any file.
    pub(super) async fn look_with(
        &self,
        directory: &str,
        args: &[&str],
        settings: Vec<(String, String)>,
    ) -> Result<Exit, SourceFailure> {
        let mut program = self.program(directory, args, "file");
        program.env.extend(setting_variables(settings));
        self.run(program, LOOK).await
    }

    /// The same, which must end well: its output without the last newline.
    pub(super) async fn tell(&self, directory: &str, args: &[&str]) -> Result<String, SourceFailure> {
        let exit = self.look(directory, args).await?;
        succeeded(args, &exit)?;
        Ok(exit.out.to_text().trim_end_matches('\n').to_owned())
    }

    /// Looks at a repository of this machine: all that git prints, however long a line of facts may be; must end well. None where it is
    /// more than `most` bytes.
    pub(super) async fn bytes(
        &self,
        directory: &str,
        args: &[&str],
        most: u64,
    ) -> Result<Option<Vec<u8>>, SourceFailure> {
        let program = self.program(directory, args, "file");
        let call = Operation::Stream { program }.call().within(LOOK);
        let Flow { upload, mut download, answer } = self.link.open(call).await?;
        drop(upload);
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        while let Some(chunk) = download.recv().await {
            match chunk {
                Chunk::Out(bytes) => out.extend(bytes),
                Chunk::Errors(bytes) if (errors.len() as u64) < OUTPUT_LIMIT => errors.extend(bytes),
                Chunk::Errors(_) => {}
            }
            if out.len() as u64 > most {
                return Ok(None);
            }
        }
        let broken = |_| Failure::Broken("the connection to git of this machine broke".to_owned());
        let Answer::Exited(exit) = answer.await.map_err(broken)?? else {
            return Err(
                Failure::Nonsense("host was asked to run git and answered otherwise".to_owned()).into()
            );
        };
        succeeded(args, &Exit { errors: errors.into(), ..exit })?;
        Ok(Some(out))
    }

    /// Talks to the repository's server, with user and password when it has them; must end well.
    pub(super) async fn fetch_from(
        &self,
        repository: &Repository,
        directory: &str,
        args: &[&str],
        protocols: &str,
    ) -> Result<(), SourceFailure> {
        let mut program = self.program(directory, args, protocols);
        program.env.extend(setting_variables(repository.credentials().map(Credentials::setting)));
        let exit = self.run(program, FETCH).await?;
        succeeded(args, &exit)
    }

    /// Moves many files; must end well.
    pub(super) async fn fetch(
        &self,
        directory: &str,
        args: &[&str],
        protocols: &str,
    ) -> Result<(), SourceFailure> {
        let exit = self.run(self.program(directory, args, protocols), FETCH).await?;
        succeeded(args, &exit)
    }
}

/// Variables that git (2.31 and later) takes settings from.
pub(super) fn setting_variables(
    settings: impl IntoIterator<Item = (String, String)>,
) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    let mut count = 0;
    for (index, (key, value)) in settings.into_iter().enumerate() {
        variables
            .extend([(format!("GIT_CONFIG_KEY_{index}"), key), (format!("GIT_CONFIG_VALUE_{index}"), value)]);
        count = index + 1;
    }
    variables.push(("GIT_CONFIG_COUNT".to_owned(), count.to_string()));
    variables
}

fn succeeded(args: &[&str], exit: &Exit) -> Result<(), SourceFailure> {
    if exit.status == 0 {
        return Ok(());
    }
    let said = exit.errors.to_text();
    // Advice that git gives after every failure of a remote, whatever its cause.
    let advice = ["", "Please make sure you have the correct access rights", "and the repository exists."];
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !advice.contains(line)).collect();
    let last = lines[lines.len().saturating_sub(3)..].join("; ");
    let text =
        if last.is_empty() { format!("status {}", exit.status) } else { last.chars().take(500).collect() };
    Err(SourceFailure::Git { command: args.first().copied().unwrap_or_default().to_owned(), text })
}
