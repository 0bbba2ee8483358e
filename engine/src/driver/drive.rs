//! Sends a driver's operations to a host and reads the answers.

use std::time::Duration;

use cutover_host::operation::{Answer, Exit, FaultKind, Guard, Operation, Program};

use super::errand::Errand;
use super::systemd::Verb;
use super::{DriverFailure, InstanceState, Launch, Noted, Slot, command, detached, systemd};
use crate::model::{Driver, ReleaseId};
use crate::transport::{Failure, Link};

/// For operations that only look or only write a small file.
pub(super) const SHORT: Duration = Duration::from_secs(20);

/// For a driver's program that starts or stops, beyond the time the application has to stop.
const LONG: Duration = Duration::from_secs(60);

/// Between two looks at something that stops.
const GLANCE: Duration = Duration::from_millis(100);

/// What runs in the slot now.
///
/// # Errors
/// When the host does not answer, or its driver's program fails.
pub async fn state(link: &dyn Link, slot: &Slot<'_>) -> Result<InstanceState, DriverFailure> {
    let asker = Asker { link, guard: None };
    match slot.driver() {
        Driver::Systemd { scope, .. } => {
            let exit = asker.run(systemd::show(slot, *scope), SHORT).await?;
            let noted = Noted::of(link, slot).await?;
            systemd::read_state(&exit, noted.map(|noted| noted.release))
        }
        Driver::Detached => detached::read_state(&asker.ask(detached::status(slot), SHORT).await?),
        Driver::Command { status, .. } => match started_by(link, slot).await? {
            None => Ok(InstanceState::Stopped),
            Some((release, launch)) => {
                let own = launch.programs.as_ref().map_or(status, |programs| &programs.status);
                let program = slot.program(&release, &launch, own);
                let exit = asker.run(program.clone(), SHORT).await?;
                Ok(command::read_state(&program, &exit, release))
            }
        },
    }
}

/// Starts a release in the slot; success when it runs there already. Does not wait until the application answers.
///
/// # Errors
/// [`DriverFailure::Occupied`] when something else runs there; otherwise what host or driver said.
pub async fn start(
    link: &dyn Link,
    guard: Option<&Guard>,
    slot: &Slot<'_>,
    release: &ReleaseId,
) -> Result<(), DriverFailure> {
    match state(link, slot).await? {
        found if found.runs(release) => return Ok(()),
        InstanceState::Running { release, .. } => {
            let occupant = release.map_or_else(
                || "a process that cutover did not start".to_owned(),
                |release| format!("release `{release}`"),
            );
            return Err(DriverFailure::Occupied { color: slot.color, occupant });
        }
        // What fails and is started again by its driver must rest before its script is exchanged.
        InstanceState::Failed { .. } => stop(link, guard, slot).await?,
        InstanceState::Stopped => {}
    }
    let asker = Asker { link, guard };
    let launch = Launch::of(link, slot, release).await?;
    for operation in slot.directories() {
        asker.ask(operation, SHORT).await?;
    }
    asker.ask(Noted::write(slot, release, &launch)?, SHORT).await?;
    match slot.driver() {
        Driver::Systemd { scope, .. } => {
            for operation in systemd::prepare(slot, *scope, release, &launch) {
                asker.ask(operation, SHORT).await?;
            }
            if let Some(program) = systemd::reload(slot, *scope) {
                asker.run_well(program, LONG).await?;
            }
            let program = systemd::control(slot, *scope, Verb::Start);
            let started = asker.run_well(program, LONG).await;
            // A process that ends at once fails its start or not, as chance has it. Whoever waits for it to become healthy finds it
            // gone either way, and can say why.
            if started.is_err() && matches!(state(link, slot).await?, InstanceState::Failed { .. }) {
                return Ok(());
            }
            started.map_err(|failure| systemd::explain(slot, failure))?;
        }
        Driver::Detached => {
            asker.ask(detached::start(slot, release, &launch), LONG).await?;
        }
        Driver::Command { start, .. } => {
            let own = launch.programs.as_ref().map_or(start, |programs| &programs.start);
            asker.run_errand("start", slot, slot.program(release, &launch, own), LONG).await?;
        }
    }
    Ok(())
}

/// Stops what runs in the slot: SIGTERM, the application's time to stop, SIGKILL. Success when nothing runs.
///
/// # Errors
/// What host or driver said.
pub async fn stop(link: &dyn Link, guard: Option<&Guard>, slot: &Slot<'_>) -> Result<(), DriverFailure> {
    let asker = Asker { link, guard };
    let patience = slot.stop_timeout() + LONG;
    match slot.driver() {
        Driver::Systemd { scope, .. } => {
            let looker = Asker { link, guard: None };
            let look = || looker.run(systemd::show(slot, *scope), SHORT);
            let mut unit = systemd::read_unit(&look().await?)?;
            if !unit.is_at_rest() {
                asker.run_well(systemd::control(slot, *scope, Verb::Stop), SHORT).await?;
                let begun = tokio::time::Instant::now();
                while !unit.is_at_rest() {
                    if begun.elapsed() > patience {
                        let (color, waited) = (slot.color, patience.as_secs());
                        return Err(DriverFailure::StillRuns { color, waited });
                    }
                    tokio::time::sleep(GLANCE).await;
                    unit = systemd::read_unit(&look().await?)?;
                }
            }
            if unit.has_failed() {
                asker.run_well(systemd::control(slot, *scope, Verb::ForgetFailure), SHORT).await?;
            }
        }
        Driver::Detached => {
            asker.ask(detached::stop(slot), patience).await?;
        }
        Driver::Command { stop, .. } => {
            if let Some((release, launch)) = started_by(link, slot).await? {
                let own = launch.programs.as_ref().map_or(stop, |programs| &programs.stop);
                asker.run_errand("stop", slot, slot.program(&release, &launch, own), patience).await?;
            }
        }
    }
    Ok(())
}

/// Makes a reboot of the host bring up what the slot holds. Only systemd can: the others have nothing that runs at boot.
///
/// # Errors
/// What host or driver said.
pub async fn enable(link: &dyn Link, guard: Option<&Guard>, slot: &Slot<'_>) -> Result<(), DriverFailure> {
    at_boot(link, guard, slot, Verb::Enable).await
}

/// Makes a reboot of the host leave the slot empty.
///
/// # Errors
/// What host or driver said.
pub async fn disable(link: &dyn Link, guard: Option<&Guard>, slot: &Slot<'_>) -> Result<(), DriverFailure> {
    at_boot(link, guard, slot, Verb::Disable).await
}

async fn at_boot(
    link: &dyn Link,
    guard: Option<&Guard>,
    slot: &Slot<'_>,
    verb: Verb,
) -> Result<(), DriverFailure> {
    match slot.driver() {
        Driver::Systemd { scope, .. } => {
            let program = systemd::control(slot, *scope, verb);
            Asker { link, guard }.run_well(program, LONG).await?;
            Ok(())
        }
        Driver::Detached | Driver::Command { .. } => Ok(()),
    }
}

struct Asker<'a> {
    link: &'a dyn Link,
    guard: Option<&'a Guard>,
}

impl Asker<'_> {
    async fn ask(&self, operation: Operation, patience: Duration) -> Result<Answer, DriverFailure> {
        Ok(self.link.perform(operation.call().within(patience).under(self.guard.cloned())).await?)
    }

    /// Runs a program to its end, whatever that is.
    async fn run(&self, program: Program, patience: Duration) -> Result<Exit, DriverFailure> {
        let answer = self.ask(Operation::Run { program }, patience).await?;
        if let Answer::Exited(exit) = answer { Ok(exit) } else { Err(nonsense("a program's end", &answer)) }
    }

    /// Runs a program that must end with status 0.
    async fn run_well(&self, program: Program, patience: Duration) -> Result<Exit, DriverFailure> {
        let (name, args) = (program.program.clone(), program.args.clone());
        let exit = self.run(program, patience).await?;
        if exit.status == 0 { Ok(exit) } else { Err(DriverFailure::program(&name, &args, &exit)) }
    }

    /// The same for a program of the operator's, which may take its time.
    async fn run_errand(
        &self,
        verb: &'static str,
        slot: &Slot<'_>,
        program: Program,
        patience: Duration,
    ) -> Result<(), DriverFailure> {
        // Without a guard no mutex is taken.
        let Some(guard) = self.guard else { return self.run_well(program, patience).await.map(drop) };
        let (name, args) = (program.program.clone(), program.args.clone());
        let errand = Errand { link: self.link, guard, verb, color: slot.color, patience };
        let exit = errand.run(program).await?;
        if exit.status == 0 { Ok(()) } else { Err(DriverFailure::program(&name, &args, &exit)) }
    }
}

/// The release that the slot was last started from, and its words then.
async fn started_by(link: &dyn Link, slot: &Slot<'_>) -> Result<Option<(ReleaseId, Launch)>, DriverFailure> {
    let Some(noted) = Noted::of(link, slot).await? else { return Ok(None) };
    let launch = match noted.launch {
        Some(launch) => launch,
        None => Launch::of(link, slot, &noted.release).await?,
    };
    Ok(Some((noted.release, launch)))
}

/// What a small file on a host has; none when there is none.
///
/// # Errors
/// When the host does not answer, or the file is longer than `limit` bytes.
pub(super) async fn read(
    link: &dyn Link,
    path: String,
    limit: u64,
) -> Result<Option<Vec<u8>>, DriverFailure> {
    let operation = Operation::Read { path, beneath: None, limit };
    match link.perform(operation.call().within(SHORT)).await {
        Ok(Answer::Content(content)) => Ok(Some(content.0)),
        Ok(other) => Err(nonsense("a file", &other)),
        Err(Failure::Fault(fault)) if fault.kind == FaultKind::NotFound => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}

pub(super) fn nonsense(wanted: &str, got: &Answer) -> DriverFailure {
    let got: String = format!("{got:?}").chars().take(80).collect();
    DriverFailure::Host(Failure::Nonsense(format!("host was asked for {wanted} and answered {got}")))
}
