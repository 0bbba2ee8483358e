//! Data and decisions: what a deployment is, what is to be done, what happened. No I/O, no clock, no environment.

mod color;
mod deployment;
mod event;
pub mod grant;
mod host;
mod name;
pub mod placeholder;
mod release;
mod routing;
mod step;
mod timestamp;

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
