//! The real planner, runner, journal records and recovery in a simulated world with a virtual clock, by exhaustion.
//!
//! A *history* is one way in which a deployment can go: at most two mishaps, each of which is an action that goes wrong in one of the
//! ways of [`Fault`] or a crash at a [commit point](CommitPoints); after a crash something [happens](Happening) to the world (a
//! host reboots, someone moves a router, a colour falls ill, time passes), and a person types `resume`, `resume --forward` or `abort`.
//! Every history is told apart from every other by these choices, runs until the deployment has ended, and is held against the promises
//! at every step and at its end. Where a person is needed, the world is mended and the history goes on; where it ended, the next
//! deployment must come through.
//!
//! Histories that reach the same world with the same progress are one from there on, and are walked on once. The world is stricter
//! than the real one: what there would be bad luck is a violation here.

#![expect(clippy::unwrap_used, reason = "no thread goes on after another one has panicked")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most checks concern few actions; lists that must be whole have no wildcard"
)]

mod action_kind;
mod aftermath;
mod aim;
mod commit_points;
mod execution;
mod explorer;
mod fault;
mod happening;
mod judge;
mod moment;
mod path;
mod planted_bugs;
mod proof;
mod record_kind;
mod scene;
mod sim;
mod sim_journal;
mod state;
mod tally;
mod told;
mod typed;

#[expect(unused_imports, reason = "named in the text above")]
use commit_points::CommitPoints;
use fault::Fault;
use happening::Happening;
