//! Data and decisions: what a deployment is, what is to be done, what happened. No I/O, no clock, no environment.

mod action;
mod address;
mod authority;
mod basis;
mod branch;
mod breach;
mod bucket_url;
mod call;
pub mod case;
mod color;
mod component_digest;
mod conformance;
mod denial;
mod deployment;
mod destination;
mod event;
mod excerpt;
#[cfg(any(test, fuzzing))]
mod fixture;
pub mod grant;
mod grant_words;
mod hint;
mod history;
mod hook_kind;
mod hook_source;
mod host;
mod limit;
mod limits;
mod live;
mod lock_file;
mod maintenance;
mod max_excluded;
mod mishap;
mod name;
mod observed;
mod oci_reference;
pub mod placeholder;
mod placeholders;
mod plan;
mod progress;
mod record;
mod recovery;
mod release;
pub mod request;
mod routing;
mod size;
mod standing;
mod step;
mod strategy;
mod switched;
mod timestamp;
pub mod view;
mod widening;

pub use action::Action;
pub use address::without_password;
pub use authority::{Departure, Overreach};
pub use basis::{Basis, ChangedSetting};
pub use branch::is_branch_name;
pub use breach::Breach;
pub use bucket_url::{BUCKET_NAME, BucketKind, BucketUrl};
pub use call::{
    Artifact, Case, CaseOutcome, Health, HookCall, HookRelease, Instance, Labels, SettingFault, Source,
};
pub use color::Color;
pub use component_digest::ComponentDigest;
pub use conformance::{Disturbed, RouterRule, Shown};
pub use denial::Denial;
pub use deployment::{
    Application, Build, ColorSettings, ConnectionPolicy, Deployment, Driver, EachRouter, EnvValue, FrontDoor,
    HealthCheck, Hook, Location, Locked, Pipeline, ReleaseMarker, Retire, Router, SecretSource, SmokeTest,
    SystemdScope,
};
pub use destination::Destination;
pub use event::{Event, EventKind, EventSink, Level, LiveRelease, Note, Outcome, StepEnd, Transfer, Upkeep};
pub use excerpt::{EXCERPT, excerpt, one_line};
pub use hint::without_hint;
pub use history::{HistoryEntry, HistoryError, HistoryRelease};
pub use hook_kind::HookKind;
pub use hook_source::{HookSource, SCRIPT};
pub use host::{Host, Reach};
pub use limit::{Limit, LimitSpec, Unit};
pub use limits::Limits;
pub use live::LiveRecord;
pub use lock_file::{LockChange, LockFile, LockedHook, VENDORED};
pub use maintenance::{Maintenance, maintenance_begun};
pub use max_excluded::MaxExcluded;
pub use mishap::Mishap;
pub use name::{HostName, Name, NameFault};
pub use observed::{Disagreement, Observed, ObservedHost, ObservedInstance};
pub use oci_reference::{OciReference, OciReferenceFault, OciVersion};
pub use placeholders::Placeholders;
pub use plan::{Batch, Class, Part, Plan, Refusal, Stage, Task, TaskId, Wish};
pub use progress::{IllegalHistory, NOT_TRIED, Next, Progress};
pub use record::{End, Origin, Record, Trouble, UndoId};
pub use recovery::{ABANDONED, Ask, Decision, Sight, decide, kept_out, shown_share, ways_on};
pub use release::{Release, ReleaseId};
pub use routing::{Observation, Routing};
pub use size::Size;
pub use standing::{before_live, never_live};
pub use step::Step;
pub use strategy::{CanaryStep, Strategy, WHOLE};
pub use switched::Switched;
pub use timestamp::Timestamp;
pub use widening::{Posture, Widening, WideningKind, widened};
