//! What the commands show beside the events of a run, as plain data: filled by those who know it, rendered by
//! `report`, printed by `--json` as it stands.
//!
//! In JSON, keys are `snake_case`, points in time are milliseconds since 1970-01-01 UTC and lengths of time (`…_ms`) are
//! milliseconds. Fields may be added; none changes its meaning.

mod against;
mod check;
mod conformance;
mod doctor;
mod exit_code;
mod history;
mod hook;
mod hook_run;
mod hook_test;
mod plan;
mod problem;
mod setup;
mod state;
mod status;
mod trust;

pub use against::AgainstView;
pub use check::{CheckView, CheckedHook, Finding, HostCheck, HostChecks, Verdict};
pub use conformance::{ConformanceView, RuleView};
pub use doctor::{Diagnosis, DoctorView, Severity};
pub use exit_code::ExitCode;
pub use history::{HistoryEntry, HistoryView};
pub use hook::{
    AddedView, BuiltView, ComponentKind, ComponentView, FetchView, Fetched, FetchedView, ImportView,
    LockChangeView, LockView,
};
pub use hook_run::{HookRunView, RunCall};
pub use hook_test::{HookTestView, TestedCase};
pub use plan::{PlanHeader, PlanView, PlannedHook, PlannedHost, PlannedSecret, PlannedStep};
pub use problem::Problem;
pub use setup::{HostSetup, SetupPart, SetupView};
pub use state::{
    HostPart, KeptHolder, KeptJournal, KeptLock, KeptRecord, KeptState, MoveView, Part, RecoveryView,
    StateView,
};
pub use status::{
    Behind, FrontDoorStatus, IdleStatus, InstanceState, InstanceStatus, LiveStatus, LockStatus,
    MaintenanceStatus, ReleaseState, ReleaseStatus, RouterStatus, StatusView, Unfinished,
};
pub use trust::{HostTrust, KeyStanding, TrustView};
