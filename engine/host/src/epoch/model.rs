//! A model of the whole protocol of lock, fence and reaping, searched through breadth first.
//!
//! Three engines and two hosts, the first of which is the home. Every message may be answered, lost on its way there or back, or arrive
//! much later; engines stop for as long as they like, die, and are started again; hosts go down, also in the middle of a change of the
//! lock; whoever finds the lock held may take it over or unlock it under the epoch that he has seen. What hosts decide, they decide by
//! the functions of [`crate::epoch`], as the real ones do.
//!
//! The search is a hundred lines of ours: a queue, a set of hashes and the way back from a violation are all that it takes, and a library
//! for it would be one more thing to trust.

mod client;
mod message;
mod mutation;
mod search;
mod world;

use client::{At, Client};
use message::Message;
use mutation::Mutation;
use world::World;
