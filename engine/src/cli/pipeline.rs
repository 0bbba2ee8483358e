//! The commands that run a pipeline: what becomes of them is told by events, the last one included.

use std::sync::Arc;

use super::Ended;
use super::engine::refusal;
use super::failure::Failure;
use super::output::Output;
use super::world::setting;
use crate::config::Loaded;
use crate::model::request::{DeployRequest, MaintenanceRequest, RecoverRequest, RollbackRequest};
use crate::model::{Ask, Trouble};
use crate::run::{self, Opening, Recording, Refused, Reporter};

/// Where what hooks are asked is kept, if it is.
type Recorded = Option<Arc<Recording>>;

/// `cutover deploy`.
pub(super) async fn deploy(
    loaded: &Loaded,
    request: DeployRequest,
    recording: Recorded,
    output: &Output,
) -> Ended {
    let (_directory, mut setting) = setting(loaded.deployment.clone(), output.sink())?;
    setting.recording = recording;
    let reporter = setting.reporter.clone();
    match Opening::of_new(setting, "deploy", request.source.is_built()).await {
        Ok(opening) => Ok(run::deploy(opening, request).await.code()),
        Err(refused) => Ok(end_refused(loaded, refused, &reporter, output)),
    }
}

/// `cutover rollback`.
pub(super) async fn rollback(
    loaded: &Loaded,
    request: RollbackRequest,
    recording: Recorded,
    output: &Output,
) -> Ended {
    let (_directory, mut setting) = setting(loaded.deployment.clone(), output.sink())?;
    setting.recording = recording;
    let reporter = setting.reporter.clone();
    match Opening::of_new(setting, "rollback", false).await {
        Ok(opening) => Ok(run::rollback(opening, request).await.code()),
        Err(refused) => Ok(end_refused(loaded, refused, &reporter, output)),
    }
}

/// `cutover maintenance`.
pub(super) async fn maintenance(
    loaded: &Loaded,
    request: MaintenanceRequest,
    recording: Recorded,
    output: &Output,
) -> Ended {
    let (_directory, mut setting) = setting(loaded.deployment.clone(), output.sink())?;
    setting.recording = recording;
    let reporter = setting.reporter.clone();
    match Opening::of_new(setting, request.wanted.command(), false).await {
        Ok(opening) => Ok(run::maintenance(opening, request).await.code()),
        Err(refused) => Ok(end_refused(loaded, refused, &reporter, output)),
    }
}

/// `cutover resume` and `cutover abort`.
pub(super) async fn recover(
    loaded: &Loaded,
    request: RecoverRequest,
    recording: Recorded,
    output: &Output,
) -> Ended {
    let (_directory, mut setting) = setting(loaded.deployment.clone(), output.sink())?;
    setting.recording = recording;
    let reporter = setting.reporter.clone();
    let command = if request.ask == Ask::Abort { "abort" } else { "resume" };
    match Opening::of_unfinished(setting, command).await {
        Ok(opening) => Ok(run::recover(opening, request).await.code()),
        Err(refused) => Ok(end_refused(loaded, refused, &reporter, output)),
    }
}

/// Ends a run that could not be opened. Faults in the settings of hooks are printed at their places in the file; its last event
/// tells the rest.
fn end_refused(loaded: &Loaded, mut refused: Refused, reporter: &Reporter, output: &Output) -> u8 {
    let troubles = std::mem::take(&mut refused.troubles);
    if let Failure::Faults(faults) = refusal(loaded, refused) {
        let mut text = "hooks found faults in their settings".to_owned();
        if output.is_for_people() {
            output.failure(&Failure::Faults(faults));
        } else {
            // There is nothing but events between the first one and the last.
            text = format!("{text}\n{faults}");
        }
        let found = Trouble::new("config/faults", text);
        return run::end_refused(reporter, std::iter::once(found).chain(troubles).collect()).code();
    }
    run::end_refused(reporter, troubles).code()
}
