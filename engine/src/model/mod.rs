//! Data and decisions: what a deployment is, what is to be done, what happened. No I/O, no clock, no environment.

mod call;
mod color;
mod deployment;
mod event;
pub mod grant;
mod host;
mod name;
mod release;
mod routing;
mod step;
mod timestamp;

pub use call::{
    Artifact, Case, CaseOutcome, Health, HookCall, HookRelease, Instance, Labels, SettingFault, Source,
};
pub use color::Color;
pub use deployment::{
    Application, Build, ColorSettings, ConnectionPolicy, Deployment, Driver, EnvValue, FrontDoor,
    HealthCheck, Hook, HookSource, Location, Pipeline, ReleaseMarker, Retire, Router, SecretSource,
    SmokeTest, SystemdScope,
};
pub use event::{Event, EventKind, EventSink, Level, LiveRelease, Note, Outcome, StepEnd, Transfer};
pub use host::{Host, Reach};
pub use name::{HostName, Name, NameFault};
pub use release::{Release, ReleaseId};
pub use routing::{Observation, Routing};
pub use step::Step;
pub use timestamp::Timestamp;
