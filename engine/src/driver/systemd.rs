//! Driver `systemd`: one unit a colour, made out of a template that never changes from release to release.

use cutover_host::STARTING;
use cutover_host::operation::{Exit, Operation, Program};

use super::slot::OUTPUT_LIMIT;
use super::{DriverFailure, InstanceState, Launch, Slot, unit_file};
use crate::model::{Color, Deployment, Driver, ReleaseId, SystemdScope, Timestamp};
use crate::transport::Failure;

/// Absolute, because it is what the sudoers lines say.
const SYSTEMCTL: &str = "/usr/bin/systemctl";

/// As above.
pub(super) const JOURNALCTL: &str = "/usr/bin/journalctl";

/// Journal lines of a unit that are read at once; a fixed number keeps the sudoers line exact.
const JOURNAL_LINES: &str = "1000";

/// Journal lines that are shown before new ones, when following.
const FOLLOW_LINES: &str = "20";

/// Properties that make out a unit's state.
const PROPERTIES: &str =
    "--property=LoadState,ActiveState,SubState,Result,ExecMainStatus,MainPID,ActiveEnterTimestamp";

/// `cutover-shop.production@.service`. A name has no `.`, so no two pairs of application and environment share a unit.
fn template_name(deployment: &Deployment) -> String {
    match &deployment.environment {
        Some(environment) => format!("cutover-{}.{environment}@.service", deployment.app),
        None => format!("cutover-{}@.service", deployment.app),
    }
}

pub(super) fn unit_name(deployment: &Deployment, color: Color) -> String {
    template_name(deployment).replace('@', &format!("@{color}"))
}

/// Where the unit template lies on the slot's host; none when the driver is not systemd.
#[must_use]
pub fn unit_path(slot: &Slot<'_>) -> Option<String> {
    let Driver::Systemd { scope, .. } = slot.driver() else { return None };
    let name = template_name(slot.deployment);
    Some(match scope {
        SystemdScope::System => format!("/etc/systemd/system/{name}"),
        SystemdScope::User => format!("{}/.config/systemd/user/{name}", slot.home),
    })
}

/// Every command that the driver runs by `sudo -n` for an application, exactly: what the sudoers file must allow.
#[must_use]
pub fn privileged_commands(deployment: &Deployment) -> Vec<Vec<String>> {
    let Driver::Systemd { scope: SystemdScope::System, .. } = deployment.application.driver else {
        return Vec::new();
    };
    let commands = |color| {
        let unit = unit_name(deployment, color);
        let verbs = [Verb::Start, Verb::Stop, Verb::Enable, Verb::Disable, Verb::ForgetFailure]
            .map(|verb| [vec![SYSTEMCTL.to_owned()], verb.args(&unit)].concat());
        let journals =
            [false, true].map(|follow| [vec![JOURNALCTL.to_owned()], journal_args(&unit, follow)].concat());
        verbs.into_iter().chain(journals)
    };
    Color::ALL.into_iter().flat_map(commands).collect()
}

/// What is done to a unit, each in one exact form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Start,
    /// Returns at once: the host's mutex must not be held while an application takes its time to stop.
    Stop,
    /// A reboot brings it up.
    Enable,
    /// A reboot leaves it down.
    Disable,
    /// From failed to stopped.
    ForgetFailure,
}

impl Verb {
    fn args(self, unit: &str) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Start => &["start"],
            Self::Stop => &["stop", "--no-block"],
            Self::Enable => &["enable"],
            Self::Disable => &["disable"],
            Self::ForgetFailure => &["reset-failed"],
        };
        words.iter().copied().chain([unit]).map(str::to_owned).collect()
    }
}

fn journal_args(unit: &str, follow: bool) -> Vec<String> {
    let lines = if follow { FOLLOW_LINES } else { JOURNAL_LINES };
    // Without a pager, which could start a shell; whole lines as they were written.
    let mut args = ["-u", unit, "-o", "json", "-n", lines, "--no-pager"].map(str::to_owned).to_vec();
    if follow {
        args.push("-f".to_owned());
    }
    args
}

fn program(slot: &Slot<'_>, scope: SystemdScope, name: &str, args: Vec<String>, as_root: bool) -> Program {
    let own = scope == SystemdScope::User;
    Program {
        program: name.to_owned(),
        args: if own { [vec!["--user".to_owned()], args].concat() } else { args },
        env: if own {
            vec![("XDG_RUNTIME_DIR".to_owned(), format!("/run/user/{}", slot.uid))]
        } else {
            Vec::new()
        },
        as_root: as_root && !own,
        output_limit: OUTPUT_LIMIT,
        ..Program::default()
    }
}

pub(super) fn control(slot: &Slot<'_>, scope: SystemdScope, verb: Verb) -> Program {
    let unit = unit_name(slot.deployment, slot.color);
    program(slot, scope, SYSTEMCTL, verb.args(&unit), true)
}

/// Files that the unit needs before it starts.
pub(super) fn prepare(
    slot: &Slot<'_>,
    scope: SystemdScope,
    release: &ReleaseId,
    launch: &Launch,
) -> Vec<Operation> {
    let mut operations = Vec::new();
    if scope == SystemdScope::User
        && let (Some(path), Some(text)) = (unit_path(slot), unit_file(slot))
    {
        let directory = format!("{}/.config/systemd/user", slot.home);
        operations.push(Operation::MakeDirectory { path: directory, mode: 0o700 });
        operations.push(Operation::Write { path, beneath: None, content: text.into(), mode: Some(0o644) });
    }
    let other_user = slot.deployment.application.user.as_deref().is_some_and(|user| user != slot.login);
    operations.push(Operation::WriteLaunch {
        path: slot.script(),
        program: slot.program(release, launch, &launch.start),
        announce: announcement(release, slot.color),
        // The group is that of `run/`, which `setup` gives to the application's user.
        mode: if other_user { 0o750 } else { 0o700 },
    });
    operations
}

/// First line of each start in the journal.
pub(super) fn announcement(release: &ReleaseId, color: Color) -> String {
    format!("{STARTING}{release} as {color}")
}

/// Makes a user's systemd read the unit that was just written.
pub(super) fn reload(slot: &Slot<'_>, scope: SystemdScope) -> Option<Program> {
    let reload = || program(slot, scope, SYSTEMCTL, vec!["daemon-reload".to_owned()], false);
    (scope == SystemdScope::User).then(reload)
}

pub(super) fn journal(slot: &Slot<'_>, scope: SystemdScope, follow: bool) -> Program {
    let unit = unit_name(slot.deployment, slot.color);
    program(slot, scope, JOURNALCTL, journal_args(&unit, follow), true)
}

/// Asks for the unit's state: anybody may, so without sudo.
pub(super) fn show(slot: &Slot<'_>, scope: SystemdScope) -> Program {
    let unit = unit_name(slot.deployment, slot.color);
    let mut program =
        program(slot, scope, SYSTEMCTL, vec!["show".to_owned(), PROPERTIES.to_owned(), unit], false);
    // Times are printed for people: in one language and one zone.
    program
        .env
        .extend([("TZ", "UTC"), ("LC_ALL", "C")].map(|(name, value)| (name.to_owned(), value.to_owned())));
    program
}

/// A missing template, told in the operator's words.
pub(super) fn explain(slot: &Slot<'_>, failure: DriverFailure) -> DriverFailure {
    // "Unit … not found" has status 5 (systemctl(1), "Exit status").
    if matches!(failure, DriverFailure::Program { status: 5, .. }) {
        let missing = format!("unit template `{}`", unit_path(slot).unwrap_or_default());
        return DriverFailure::NotSetUp { missing };
    }
    failure
}

/// What systemd says of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Unit {
    load: String,
    active: String,
    sub: String,
    result: String,
    exit_status: String,
    pid: Option<u32>,
    since: Option<Timestamp>,
}

impl Unit {
    /// Whether there is nothing to stop.
    pub(super) fn is_at_rest(&self) -> bool {
        self.load == "not-found" || matches!(self.active.as_str(), "inactive" | "failed")
    }

    pub(super) fn has_failed(&self) -> bool {
        self.active == "failed"
    }

    fn failure(&self) -> String {
        match self.result.as_str() {
            "exit-code" => format!("exit status {}", self.exit_status),
            "signal" | "core-dump" => format!("ended by signal {}", self.exit_status),
            "timeout" => "did not stop in time and was killed".to_owned(),
            other => other.to_owned(),
        }
    }
}

pub(super) fn read_unit(exit: &Exit) -> Result<Unit, DriverFailure> {
    if exit.status != 0 {
        return Err(DriverFailure::program(SYSTEMCTL, &["show".to_owned()], exit));
    }
    let mut unit = Unit::default();
    for line in exit.out.to_text().lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        let value: String = value.chars().filter(|c| !c.is_control()).take(64).collect();
        match name {
            "LoadState" => unit.load = value,
            "ActiveState" => unit.active = value,
            "SubState" => unit.sub = value,
            "Result" => unit.result = value,
            "ExecMainStatus" => unit.exit_status = value,
            "MainPID" => unit.pid = value.parse().ok().filter(|pid| *pid != 0),
            "ActiveEnterTimestamp" => unit.since = read_time(&value),
            _ => {}
        }
    }
    if unit.load.is_empty() || unit.active.is_empty() {
        let said: String = exit.out.to_text().chars().take(80).collect();
        return Err(DriverFailure::Host(Failure::Nonsense(format!(
            "`systemctl show` answered `{}`",
            said.escape_debug()
        ))));
    }
    Ok(unit)
}

/// What a unit's properties mean, with the release that was noted for the slot.
pub(super) fn read_state(exit: &Exit, release: Option<ReleaseId>) -> Result<InstanceState, DriverFailure> {
    let unit = read_unit(exit)?;
    Ok(match (unit.active.as_str(), unit.sub.as_str()) {
        ("inactive", _) => InstanceState::Stopped,
        ("failed", _) | ("activating", "auto-restart") => {
            InstanceState::Failed { release, why: unit.failure() }
        }
        // A process is there, and keeps port and files until it is gone, but it is no longer the release that was started.
        ("deactivating", _) => InstanceState::Running { release: None, since: unit.since, pid: unit.pid },
        _ => InstanceState::Running { release, since: unit.since, pid: unit.pid },
    })
}

/// `Sat 2026-11-21 08:57:03 UTC`.
fn read_time(text: &str) -> Option<Timestamp> {
    let time = jiff::civil::DateTime::strptime("%a %Y-%m-%d %H:%M:%S UTC", text).ok()?;
    let instant = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    u64::try_from(instant.as_millisecond()).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release() -> ReleaseId {
        ReleaseId::parse("20260101T000000Z-0a1b2c3d-wxyz").expect("an identifier")
    }

    fn answer(text: &str) -> Exit {
        Exit { out: text.into(), ..Exit::default() }
    }

    #[test]
    fn a_running_unit_runs_the_noted_release() {
        let exit = answer(
            "Result=success\nExecMainStatus=0\nMainPID=71\nLoadState=loaded\nActiveState=active\nSubState=running\n\
             ActiveEnterTimestamp=Sat 2026-11-21 08:57:03 UTC\n",
        );
        assert_eq!(
            read_state(&exit, Some(release())),
            Ok(InstanceState::Running {
                release: Some(release()),
                since: Some(Timestamp(1_795_251_423_000)),
                pid: Some(71)
            })
        );
    }

    #[test]
    fn a_unit_that_fails_again_and_again_has_failed() {
        for (states, why) in [
            (
                "ActiveState=activating\nSubState=auto-restart\nResult=exit-code\nExecMainStatus=7\n",
                "exit status 7",
            ),
            ("ActiveState=failed\nSubState=failed\nResult=timeout\n", "did not stop in time and was killed"),
            ("ActiveState=failed\nSubState=failed\nResult=signal\nExecMainStatus=9\n", "ended by signal 9"),
        ] {
            let exit = answer(&format!("LoadState=loaded\n{states}"));
            let failed = InstanceState::Failed { release: Some(release()), why: why.into() };
            assert_eq!(read_state(&exit, Some(release())), Ok(failed));
        }
    }

    #[test]
    fn a_unit_that_is_unknown_or_over_is_stopped() {
        for load in ["loaded", "not-found"] {
            let exit = answer(&format!("LoadState={load}\nActiveState=inactive\nSubState=dead\n"));
            assert_eq!(read_state(&exit, Some(release())), Ok(InstanceState::Stopped));
        }
    }

    #[test]
    fn a_unit_that_still_stops_is_there_but_runs_no_release() {
        let exit = answer("LoadState=loaded\nActiveState=deactivating\nSubState=stop-sigterm\nMainPID=9\n");
        let running = InstanceState::Running { release: None, since: None, pid: Some(9) };
        assert_eq!(read_state(&exit, Some(release())), Ok(running));
    }

    #[test]
    fn nonsense_is_called_nonsense() {
        let failure = read_state(&answer("hello\u{1b}[2J\n"), None).expect_err("no properties");
        assert_eq!(failure.to_string(), "`systemctl show` answered `hello\\u{1b}[2J\\n`");
    }
}
