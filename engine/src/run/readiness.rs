//! What `setup` made, looked at before each deployment: a host where a start or stop would be refused is found while nothing has changed.

use std::sync::Arc;
use std::time::Duration;

use cutover_host::operation::{Answer, Call, FaultKind, Operation, Program};
use tokio::task::JoinSet;

use super::Needs;
use super::session::Session;
use super::site::Site;
use crate::model::{Deployment, HostName, Trouble};
use crate::transport::{Failure, Link};

/// For one question.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks all hosts at once whether the login may do what a deployment needs.
///
/// # Errors
/// With the first host, by name, where it may not.
pub(super) async fn require_ready(session: &Session) -> Result<(), Trouble> {
    let mut asking = JoinSet::new();
    for (host, site) in &session.sites {
        let (deployment, host, site) = (Arc::clone(&session.deployment), host.clone(), site.clone());
        asking.spawn(async move { (host.clone(), host_is_ready(&deployment, &host, &site).await) });
    }
    let mut found = asking.join_all().await;
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found.into_iter().try_for_each(|(_, ready)| ready)
}

async fn host_is_ready(deployment: &Deployment, host: &HostName, site: &Site) -> Result<(), Trouble> {
    let silent = |failure: Failure| Trouble::new("host/failed", format!("{host}: {failure}"));
    let needs = Needs::of(deployment, host, &site.facts)
        .map_err(|failure| Trouble::new("host/failed", format!("{host}: {failure}")))?;
    let refused = refused_commands(&site.link, &needs.privileged).await.map_err(silent)?;
    if let Some(first) = refused.first() {
        let others =
            if refused.len() > 1 { format!(" and {} more", refused.len() - 1) } else { String::new() };
        let message = format!("{host}: sudo lets `{}` not run `{first}`{others}", needs.login);
        return Err(Trouble::new("host/sudoers", message)
            .hint("`cutover setup` prints the sudoers file, `cutover check --hosts` what it lacks"));
    }
    if needs.linger && !lingers(site.link.as_ref(), &needs.login).await.map_err(silent)? {
        let message = format!("{host}: processes of `{}` end with its session", needs.login);
        return Err(Trouble::new("host/linger", message)
            .hint(format!("on {host}, as root: loginctl enable-linger {}", needs.login)));
    }
    Ok(())
}

/// Those of the commands that sudo would refuse, as one line each. All are asked about at once.
pub(super) async fn refused_commands(
    link: &Arc<dyn Link>,
    commands: &[Vec<String>],
) -> Result<Vec<String>, Failure> {
    let mut asking = JoinSet::new();
    for (place, command) in commands.iter().cloned().enumerate() {
        let link = Arc::clone(link);
        asking.spawn(async move { (place, command.join(" "), is_allowed(link.as_ref(), command).await) });
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

async fn is_allowed(link: &dyn Link, command: Vec<String>) -> Result<bool, Failure> {
    let program = Program {
        program: "sudo".to_owned(),
        args: [["-n", "-l", "--"].map(str::to_owned).to_vec(), command].concat(),
        env: vec![("LC_ALL".to_owned(), "C".to_owned())],
        output_limit: 4096,
        ..Program::default()
    };
    match ask(link, Operation::Run { program }).await {
        Ok(Answer::Exited(exit)) => Ok(exit.status == 0),
        Ok(_) => Err(Failure::Nonsense("the host did not say how `sudo` ended".to_owned())),
        // No sudo.
        Err(Failure::Fault(fault)) if fault.kind == FaultKind::NotFound => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// Whether a user's own systemd runs without a session of theirs.
pub(super) async fn lingers(link: &dyn Link, user: &str) -> Result<bool, Failure> {
    let path = format!("/var/lib/systemd/linger/{user}");
    match ask(link, Operation::Read { path, beneath: None, limit: 4096 }).await {
        Ok(_) => Ok(true),
        Err(Failure::Fault(_)) => Ok(false),
        Err(failure) => Err(failure),
    }
}

async fn ask(link: &dyn Link, operation: Operation) -> Result<Answer, Failure> {
    let deadline_ms = Some(u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX));
    link.perform(Call { id: 0, guard: None, deadline_ms, operation }).await
}
