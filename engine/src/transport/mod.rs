//! How hosts are reached: in this process, or over SSH with the helper program. Operations in, answers and streams out.

mod failure;
mod link;

pub use failure::Failure;
pub use link::{Chunk, Flow, Link, LinkFuture};
