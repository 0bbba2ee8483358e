//! How hosts are reached: in this process, or over SSH with the helper program. Operations in, answers and streams out.

mod connection;
mod failure;
mod host_link;
mod link;
mod local;
mod upload;

pub use failure::Failure;
pub use link::{Chunk, Flow, Link, LinkFuture};
pub use local::local_link;
pub use upload::stage;
