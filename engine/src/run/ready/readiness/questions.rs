//! Questions to one host, with answers in words where there is none.

use std::sync::Arc;
use std::time::Duration;

use cutover_host::operation::{Answer, Facts, FaultKind, Operation, PortState, Program};
use tokio::task::JoinSet;

use crate::transport::{Failure, Link};

/// For one question.
const DEADLINE: Duration = Duration::from_secs(20);

/// A host that is asked.
#[derive(Debug, Clone)]
pub(super) struct Questions {
    pub(super) link: Arc<dyn Link>,
}

impl Questions {
    async fn ask(&self, operation: Operation) -> Result<Answer, Failure> {
        self.link.perform(operation.call().within(DEADLINE)).await
    }

    pub(super) async fn facts(&self, paths: Vec<String>) -> Result<Facts, String> {
        match self.ask(Operation::Facts { paths }).await {
            Ok(Answer::Facts(facts)) => Ok(facts),
            Ok(_) => Err("host answered what was not asked".to_owned()),
            Err(failure) => Err(failure.to_string()),
        }
    }

    /// A program's exit status; 127 when there is no such program.
    pub(super) async fn run(&self, program: &str, args: &[&str]) -> Result<i32, String> {
        let exit = self.exit(program, args).await?;
        Ok(exit.map_or(127, |(status, _)| status))
    }

    async fn exit(&self, program: &str, args: &[&str]) -> Result<Option<(i32, String)>, String> {
        let program = Program {
            program: program.to_owned(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: vec![("LC_ALL".to_owned(), "C".to_owned())],
            output_limit: 4096,
            ..Program::default()
        };
        match self.ask(Operation::Run { program }).await {
            Ok(Answer::Exited(exit)) => Ok(Some((exit.status, exit.out.to_text()))),
            Ok(_) => Err("host answered what was not asked".to_owned()),
            Err(Failure::Fault(fault)) if fault.kind == FaultKind::NotFound => Ok(None),
            Err(failure) => Err(failure.to_string()),
        }
    }

    /// `USER GROUP MODE` of a path that is there.
    pub(super) async fn owner(&self, path: &str) -> Result<Option<String>, String> {
        let exit = self.exit("stat", &["-c", "%U %G %a", path]).await?;
        Ok(exit.filter(|(status, _)| *status == 0).map(|(_, out)| out.trim().to_owned()))
    }

    /// Content of a file that is there and that we may read.
    pub(super) async fn read(&self, path: &str) -> Result<Option<String>, String> {
        match self.ask(Operation::Read { path: path.to_owned(), beneath: None, limit: 256 * 1024 }).await {
            Ok(Answer::Content(content)) => Ok(Some(content.to_text())),
            Ok(_) => Err("host answered what was not asked".to_owned()),
            Err(Failure::Fault(_)) => Ok(None),
            Err(failure) => Err(failure.to_string()),
        }
    }

    /// Which of these programs are not there.
    pub(super) async fn absent(&self, programs: &[String]) -> Result<Vec<String>, String> {
        let places = |program: &str| -> Vec<String> {
            if program.starts_with('/') {
                vec![program.to_owned()]
            } else {
                cutover_host::PATH.split(':').map(|directory| format!("{directory}/{program}")).collect()
            }
        };
        let facts = self.facts(programs.iter().flat_map(|program| places(program)).collect()).await?;
        let there = |path: &String| facts.room.iter().any(|room| room.exists && room.path == *path);
        let absent = programs.iter().filter(|program| !places(program).iter().any(there));
        Ok(absent.cloned().collect())
    }

    pub(super) async fn port(&self, address: &str, port: u16) -> Result<PortState, String> {
        match self.ask(Operation::Port { address: address.to_owned(), port }).await {
            Ok(Answer::Port(state)) => Ok(state),
            Ok(_) => Err("host answered what was not asked".to_owned()),
            Err(failure) => Err(failure.to_string()),
        }
    }

    /// Whether a user's own systemd runs without a session of theirs.
    pub(super) async fn lingers(&self, user: &str) -> Result<bool, String> {
        let path = format!("/var/lib/systemd/linger/{user}");
        match self.ask(Operation::Read { path, beneath: None, limit: 4096 }).await {
            Ok(_) => Ok(true),
            Err(Failure::Fault(_)) => Ok(false),
            Err(failure) => Err(failure.to_string()),
        }
    }

    /// Those of the commands that sudo would refuse, as one line each. All are asked about at once.
    pub(super) async fn refused_commands(&self, commands: &[Vec<String>]) -> Result<Vec<String>, String> {
        let mut asking = JoinSet::new();
        for (place, command) in commands.iter().cloned().enumerate() {
            let host = self.clone();
            asking.spawn(async move { (place, command.join(" "), host.is_allowed(command).await) });
        }
        let mut answers = asking.join_all().await;
        answers.sort_by_key(|(place, ..)| *place);
        let mut refused = Vec::new();
        for (_, command, allowed) in answers {
            if !allowed? {
                refused.push(command);
            }
        }
        Ok(refused)
    }

    async fn is_allowed(&self, command: Vec<String>) -> Result<bool, String> {
        let args = [["-n", "-l", "--"].map(str::to_owned).to_vec(), command].concat();
        // 127: no sudo.
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        Ok(self.run("sudo", &args).await? == 0)
    }
}
