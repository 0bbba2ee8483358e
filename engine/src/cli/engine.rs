//! Where the commands meet the engine: one function for each thing that it does for them. Events go to `sink`: a run is told by
//! them, and beside the other commands' results they tell what hooks were denied.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::sync::{mpsc, watch};

use super::Ended;
use super::control_directory::ControlDirectory;
use super::failure::Failure;
use super::terminal::Terminal;
use super::world::{bucket_of_environment, setting};
use crate::config::Loaded;
use crate::model::case::HookCase;
use crate::model::request::{DeployRequest, ExecRequest, LogsRequest, MaintenanceRequest, RollbackRequest};
use crate::model::view::{
    CheckView, ConformanceView, DoctorView, ExitCode, HistoryView, HookRunView, MoveView, PlanView, Problem,
    RecoveryView, SetupView, StateView, StatusView, TrustView,
};
use crate::model::{BucketUrl, EventSink, HostName, Trouble};
use crate::run::{self, Interrupts, Refused, Session, StateRecovery, WantedCall};
use crate::transport::Chunk;

/// `cutover check`.
pub(super) async fn check(
    loaded: &Loaded,
    hosts: bool,
    sink: Arc<dyn EventSink>,
) -> Result<CheckView, Failure> {
    let warnings = loaded.warnings.iter().map(ToString::to_string).collect();
    let file = loaded.file();
    let (_directory, setting) = setting(loaded.deployment.clone(), sink)?;
    let interrupts = setting.interrupts.clone();
    let looking = async {
        run::check(setting, file, warnings, hosts).await.map_err(|refused| refusal(loaded, refused))
    };
    until_signal(interrupts, looking).await
}

/// `cutover setup`.
pub(super) async fn setup(
    loaded: &Loaded,
    only: Option<&HostName>,
    sink: Arc<dyn EventSink>,
) -> Result<SetupView, Failure> {
    let (_directory, setting) = setting(loaded.deployment.clone(), sink)?;
    let interrupts = setting.interrupts.clone();
    let looking = async { run::setup(setting, only).await.map_err(|refused| refusal(loaded, refused)) };
    until_signal(interrupts, looking).await
}

/// `cutover plan`.
pub(super) async fn plan(
    loaded: &Loaded,
    request: DeployRequest,
    sink: Arc<dyn EventSink>,
) -> Result<PlanView, Failure> {
    let (_directory, setting) = setting(loaded.deployment.clone(), sink)?;
    let interrupts = setting.interrupts.clone();
    let looking = async {
        let session = Session::open_to_plan(setting, request.source.is_built())
            .await
            .map_err(|refused| refusal(loaded, refused))?;
        Ok(run::plan(&session, request).await.map_err(problem)?)
    };
    until_signal(interrupts, looking).await
}

/// `cutover rollback --dry-run`.
pub(super) async fn plan_rollback(
    loaded: &Loaded,
    request: RollbackRequest,
    sink: Arc<dyn EventSink>,
) -> Result<PlanView, Failure> {
    let (_directory, setting) = setting(loaded.deployment.clone(), sink)?;
    let session = Session::open_to_plan(setting, false).await.map_err(|refused| refusal(loaded, refused))?;
    Ok(run::plan_rollback(&session, request).await.map_err(problem)?)
}

/// `cutover maintenance --dry-run`.
pub(super) async fn plan_maintenance(
    loaded: &Loaded,
    request: MaintenanceRequest,
    sink: Arc<dyn EventSink>,
) -> Result<PlanView, Failure> {
    let (_directory, setting) = setting(loaded.deployment.clone(), sink)?;
    let interrupts = setting.interrupts.clone();
    let looking = async {
        let session =
            Session::open_to_plan(setting, false).await.map_err(|refused| refusal(loaded, refused))?;
        Ok(run::plan_maintenance(&session, request).await.map_err(problem)?)
    };
    until_signal(interrupts, looking).await
}

/// A lock that `cutover unlock` is to free, with what it is carried out with.
pub(super) struct ProposedUnlock {
    unlocking: run::Unlocking,
    interrupts: watch::Receiver<Interrupts>,
    _directory: ControlDirectory,
}

/// `cutover unlock`: who holds the lock.
pub(super) async fn propose_unlock(
    loaded: &Loaded,
    epoch: u64,
    sink: Arc<dyn EventSink>,
) -> Result<ProposedUnlock, Failure> {
    let (directory, setting) = setting(loaded.deployment.clone(), sink)?;
    let looking = async { Ok(run::Unlocking::look(&setting, epoch).await.map_err(problem)?) };
    let unlocking = until_signal(setting.interrupts.clone(), looking).await?;
    Ok(ProposedUnlock { unlocking, interrupts: setting.interrupts, _directory: directory })
}

impl ProposedUnlock {
    /// Why its holder should rather be left alone, when it seems to be at work.
    pub(super) fn refusal(&self) -> Option<Problem> {
        self.unlocking.refusal().map(problem)
    }

    /// Waits for a signal.
    pub(super) async fn interrupted(&self) {
        Interrupts::one(self.interrupts.clone()).await;
    }

    /// Frees it: who held it, in words.
    pub(super) async fn carry_out(self) -> Result<String, Failure> {
        let holder = self.unlocking.holder();
        until_signal(self.interrupts, async { Ok(self.unlocking.carry_out().await.map_err(problem)?) })
            .await?;
        Ok(holder)
    }
}

/// `cutover status`.
pub(super) async fn status(
    loaded: &Loaded,
    max_age: Option<Duration>,
    sink: Arc<dyn EventSink>,
) -> Result<StatusView, Failure> {
    let (_directory, setting) = setting(loaded.deployment.clone(), sink)?;
    let interrupts = setting.interrupts.clone();
    until_signal(interrupts, async { Ok(run::status(setting, max_age).await) }).await
}

/// `cutover doctor`.
pub(super) async fn doctor(loaded: &Loaded, sink: Arc<dyn EventSink>) -> Result<DoctorView, Failure> {
    let (_directory, setting) = setting(loaded.deployment.clone(), sink)?;
    let interrupts = setting.interrupts.clone();
    until_signal(interrupts, async { Ok(run::doctor(setting).await) }).await
}

/// `cutover state show`.
pub(super) async fn state(loaded: &Loaded, sink: Arc<dyn EventSink>) -> Result<StateView, Failure> {
    let (_directory, setting) = setting(loaded.deployment.clone(), sink)?;
    let interrupts = setting.interrupts.clone();
    until_signal(interrupts, async { Ok(run::state(setting).await) }).await
}

/// `cutover state move`; `from` is an object store that the configuration does not name.
pub(super) async fn move_state(
    loaded: &Loaded,
    from: Option<&BucketUrl>,
    sink: Arc<dyn EventSink>,
) -> Result<MoveView, Failure> {
    if let (Some(from), Some(url)) = (from, &loaded.deployment.state) {
        let message = format!("the state goes to `{url}`, and can't be brought there from `{from}`");
        let problem = Problem::new("state/two-stores", message, ExitCode::Usage);
        return Err(problem.hint("bring it to a host first: take `state` out of the configuration").into());
    }
    let from = from.map(bucket_of_environment).transpose()?;
    let (_directory, setting) = setting(loaded.deployment.clone(), sink)?;
    run::move_state(setting, from).await.map_err(|refused| refusal(loaded, refused))
}

/// `cutover hook conformance`.
pub(super) async fn conformance(
    loaded: &Loaded,
    router: Option<&HostName>,
    sink: Arc<dyn EventSink>,
) -> Result<ConformanceView, Failure> {
    let (_directory, setting) = setting(loaded.deployment.clone(), sink)?;
    run::conformance(setting, router).await.map_err(|refused| refusal(loaded, refused))
}

/// `cutover hook run`.
pub(super) async fn run_hook(
    loaded: &Loaded,
    wanted: &WantedCall,
    sink: Arc<dyn EventSink>,
) -> Result<(HookRunView, HookCase), Failure> {
    let (_directory, setting) = setting(loaded.deployment.clone(), sink)?;
    let interrupts = setting.interrupts.clone();
    let asking = async { run::run_hook(setting, wanted).await.map_err(|refused| refusal(loaded, refused)) };
    until_signal(interrupts, asking).await
}

/// A proposal of `cutover state recover`, with what it is carried out with.
pub(super) struct ProposedRecovery {
    recovery: StateRecovery,
    _directory: ControlDirectory,
}

/// `cutover state recover`: what it would write.
pub(super) async fn propose_recovery(
    loaded: &Loaded,
    sink: Arc<dyn EventSink>,
) -> Result<ProposedRecovery, Failure> {
    let (directory, setting) = setting(loaded.deployment.clone(), sink)?;
    let recovery = StateRecovery::propose(setting).await.map_err(|refused| refusal(loaded, refused))?;
    Ok(ProposedRecovery { recovery, _directory: directory })
}

impl ProposedRecovery {
    /// What would be written.
    pub(super) fn view(&self) -> RecoveryView {
        self.recovery.view()
    }

    /// Waits for a signal.
    pub(super) async fn interrupted(&self) {
        self.recovery.interrupted().await;
    }

    /// Writes it.
    pub(super) async fn carry_out(self) -> Result<(), Failure> {
        Ok(self.recovery.carry_out().await.map_err(problem)?)
    }
}

/// Keys that `cutover trust` is to pin, with what it is carried out with.
pub(super) struct ProposedTrust {
    trusting: run::Trusting,
    _directory: ControlDirectory,
}

/// `cutover trust`: which keys the hosts have now.
pub(super) async fn propose_trust(
    loaded: &Loaded,
    hosts: &[HostName],
    sink: Arc<dyn EventSink>,
) -> Result<ProposedTrust, Failure> {
    let (directory, setting) = setting(loaded.deployment.clone(), sink)?;
    let interrupts = setting.interrupts.clone();
    let looking =
        async { run::Trusting::look(&setting, hosts).await.map_err(|refused| refusal(loaded, refused)) };
    let trusting = until_signal(interrupts, looking).await?;
    Ok(ProposedTrust { trusting, _directory: directory })
}

impl ProposedTrust {
    /// What was seen.
    pub(super) const fn view(&self) -> &TrustView {
        self.trusting.view()
    }

    /// Waits for a signal.
    pub(super) async fn interrupted(&self) {
        self.trusting.interrupted().await;
    }

    /// Pins what is not pinned yet.
    pub(super) fn carry_out(self) -> Result<(), Failure> {
        Ok(self.trusting.carry_out().map_err(problem)?)
    }
}

/// `cutover history`: at most `entries`, newest first.
pub(super) async fn history(
    loaded: &Loaded,
    entries: usize,
    sink: Arc<dyn EventSink>,
) -> Result<HistoryView, Failure> {
    let (_directory, setting) = setting(loaded.deployment.clone(), sink)?;
    let interrupts = setting.interrupts.clone();
    until_signal(interrupts, async { Ok(run::history(setting, entries).await.map_err(problem)?) }).await
}

/// `cutover exec`: the program's own exit code.
pub(super) async fn exec(loaded: &Loaded, request: ExecRequest, sink: Arc<dyn EventSink>) -> Ended {
    let (_directory, setting) = setting(loaded.deployment.clone(), sink)?;
    let (sender, input) = mpsc::channel(4);
    tokio::spawn(async move {
        let mut stdin = tokio::io::stdin();
        let mut piece = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = stdin.read(&mut piece).await {
            if sender.send(piece[..length].to_vec()).await.is_err() {
                break;
            }
        }
    });
    let print = |chunk: Chunk| {
        use std::io::Write as _;
        // A closed output ends nothing.
        let _ = match chunk {
            Chunk::Out(bytes) => std::io::stdout().write_all(&bytes).and_then(|()| std::io::stdout().flush()),
            Chunk::Errors(bytes) => std::io::stderr().write_all(&bytes),
        };
    };
    let status = run::exec_in(setting, request, input, print).await.map_err(problem)?;
    Ok(u8::try_from(status).unwrap_or(255))
}

/// `cutover exec` at a terminal: the program's own exit code. `tell` is called with the place before it begins.
pub(super) async fn console(
    loaded: &Loaded,
    request: ExecRequest,
    terminal: &Terminal,
    tell: impl FnOnce(&str),
    sink: Arc<dyn EventSink>,
) -> Ended {
    let (_directory, setting) = setting(loaded.deployment.clone(), sink)?;
    let kind = std::env::var("TERM").ok();
    let opening = async { Ok(run::open_console(&setting, request, kind.as_deref()).await.map_err(problem)?) };
    let mut opened = until_signal(setting.interrupts.clone(), opening).await?;
    tell(&opened.place);
    let command = opened.console.command();
    let name = command.get_program().to_string_lossy().into_owned();
    let status = terminal.lend(command).await.map_err(|fault| {
        let is_missing = fault.kind() == std::io::ErrorKind::NotFound;
        let code = if is_missing { run::NO_PROGRAM } else { "host/refused" };
        problem(Trouble::new(code, format!("`{name}` can't be started: {fault}")))
    })?;
    let status = run::console_ended(&opened, status).await.map_err(problem)?;
    Ok(u8::try_from(status).unwrap_or(255))
}

/// `cutover logs`: `line` is called with host and text of each line.
pub(super) async fn logs(
    loaded: &Loaded,
    request: LogsRequest,
    line: &(dyn Fn(&str, &str) + Sync),
    sink: Arc<dyn EventSink>,
) -> Result<(), Failure> {
    let (_directory, setting) = setting(loaded.deployment.clone(), sink)?;
    let secrets = Arc::clone(&setting.secrets);
    secrets.learn().await;
    let print = |found: &run::HostLine| line(found.host.as_str(), &secrets.redactor().mask(&found.line.text));
    Ok(run::logs(setting, request, print).await.map_err(problem)?)
}

/// What only looks ends at the first signal: there is nothing to put back.
pub(super) async fn until_signal<T>(
    mut interrupts: watch::Receiver<Interrupts>,
    looking: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        found = looking => found,
        Ok(signal) = interrupts.wait_for(Interrupts::any) => Err(problem(signal.trouble()).into()),
    }
}

/// What speaks against beginning, at its place in the file where it has one.
pub(super) fn refusal(loaded: &Loaded, refused: Refused) -> Failure {
    let hooks = loaded.deployment.hooks();
    let faults = refused.settings.iter().filter_map(|(title, fault)| {
        let hook = hooks.iter().find(|hook| hook.title == *title)?;
        Some(loaded.setting_fault(hook, fault))
    });
    match loaded.faults(faults.collect()) {
        Some(faults) if refused.troubles.is_empty() => Failure::Faults(faults),
        _ => problems(refused.troubles),
    }
}

/// All of them, as they are told.
pub(super) fn problems(troubles: Vec<Trouble>) -> Failure {
    Failure::Problems(troubles.into_iter().map(problem).collect())
}

/// One of them.
pub(super) fn problem(trouble: Trouble) -> Problem {
    let exit_code = run::exit_code(&trouble.code);
    let problem = Problem::new(trouble.code, trouble.message, exit_code);
    match trouble.hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}
