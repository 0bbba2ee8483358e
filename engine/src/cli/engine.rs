//! Where the commands meet the engine: one function for each thing that it does for them.

use std::sync::Arc;
use std::time::Duration;

use super::Ended;
use super::failure::Failure;
use crate::model::request::{DeployRequest, ExecRequest, LogsRequest, Recovery, RollbackRequest};
use crate::model::view::{CheckView, ExitCode, HistoryView, PlanView, Problem, SetupView, StatusView};
use crate::model::{Deployment, EventSink};

/// Until the parts are joined.
fn absent<T>(what: &str) -> Result<T, Failure> {
    Err(Problem::new("internal/absent", format!("this build lacks `{what}`"), ExitCode::Internal).into())
}

/// `cutover check`.
pub(super) async fn check(_deployment: &Deployment, _hosts: bool) -> Result<CheckView, Failure> {
    absent("run::check")
}

/// `cutover setup`.
pub(super) async fn setup(_deployment: &Deployment) -> Result<SetupView, Failure> {
    absent("run::setup")
}

/// `cutover plan`.
pub(super) async fn plan(_deployment: &Deployment, _request: DeployRequest) -> Result<PlanView, Failure> {
    absent("run::plan")
}

/// `cutover deploy`.
pub(super) async fn deploy(
    _deployment: &Deployment,
    _request: DeployRequest,
    _sink: Arc<dyn EventSink>,
) -> Ended {
    absent("run::deploy")
}

/// `cutover rollback`.
pub(super) async fn rollback(
    _deployment: &Deployment,
    _request: RollbackRequest,
    _sink: Arc<dyn EventSink>,
) -> Ended {
    absent("run::rollback")
}

/// `cutover resume` and `cutover abort`.
pub(super) async fn recover(
    _deployment: &Deployment,
    _recovery: Recovery,
    _sink: Arc<dyn EventSink>,
) -> Ended {
    absent("run::recover")
}

/// `cutover unlock`: who held the lock, in words.
pub(super) async fn unlock(_deployment: &Deployment, _epoch: u64) -> Result<String, Failure> {
    absent("run::unlock")
}

/// `cutover status`.
pub(super) async fn status(
    _deployment: &Deployment,
    _max_age: Option<Duration>,
) -> Result<StatusView, Failure> {
    absent("run::status")
}

/// `cutover history`: at most `entries`, newest first.
pub(super) async fn history(_deployment: &Deployment, _entries: usize) -> Result<HistoryView, Failure> {
    absent("run::history")
}

/// `cutover exec`: the program's own exit code.
pub(super) async fn exec(_deployment: &Deployment, _request: ExecRequest) -> Ended {
    absent("run::exec")
}

/// `cutover logs`: `line` is called with host and text of each line.
pub(super) async fn logs(
    _deployment: &Deployment,
    _request: LogsRequest,
    _line: &(dyn Fn(&str, &str) + Sync),
) -> Result<(), Failure> {
    absent("run::logs")
}
