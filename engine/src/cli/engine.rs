//! Where the commands meet the engine: one function for each thing that it does for them.

use std::sync::Arc;
use std::time::Duration;

use super::Ended;
use super::invocation::Invocation;
use crate::model::request::{DeployRequest, ExecRequest, LogsRequest, Recovery, RollbackRequest};
use crate::model::view::{
    CheckView, ConfigView, ExitCode, HistoryView, PlanView, Problem, SetupView, StatusView,
};
use crate::model::{Deployment, EventSink};

/// Until the parts are joined.
fn absent<T>(what: &str) -> Result<T, Problem> {
    Err(Problem::new("internal/absent", format!("this build lacks `{what}`"), ExitCode::Internal))
}

/// The configuration of one environment, without faults.
pub(super) fn deployment(invocation: &Invocation) -> Result<Deployment, Problem> {
    let _ = (invocation.file()?, invocation.environment());
    absent("config::load")
}

/// `cutover config`.
pub(super) fn config(_invocation: &Invocation) -> Result<ConfigView, Problem> {
    absent("config::merged")
}

/// JSON schema of `cutover.toml`.
pub(super) fn schema() -> Result<serde_json::Value, Problem> {
    absent("config::schema")
}

/// `cutover check`.
pub(super) async fn check(_deployment: &Deployment, _hosts: bool) -> Result<CheckView, Problem> {
    absent("run::check")
}

/// `cutover setup`.
pub(super) async fn setup(_deployment: &Deployment) -> Result<SetupView, Problem> {
    absent("run::setup")
}

/// `cutover plan`.
pub(super) async fn plan(_deployment: &Deployment, _request: DeployRequest) -> Result<PlanView, Problem> {
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
pub(super) async fn unlock(_deployment: &Deployment, _epoch: u64) -> Result<String, Problem> {
    absent("run::unlock")
}

/// `cutover status`.
pub(super) async fn status(
    _deployment: &Deployment,
    _max_age: Option<Duration>,
) -> Result<StatusView, Problem> {
    absent("run::status")
}

/// `cutover history`: at most `entries`, newest first.
pub(super) async fn history(_deployment: &Deployment, _entries: usize) -> Result<HistoryView, Problem> {
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
) -> Result<(), Problem> {
    absent("run::logs")
}
