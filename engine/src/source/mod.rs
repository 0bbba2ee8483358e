//! The application's repository: which revision the *remote* has, and a clean checkout of it on the builder.
//!
//! Git runs where the builder is, through its [`crate::transport::Link`], with fixed arguments: no hooks, no prompts, only the protocols
//! `file`, `ssh` and `https`. The builder keeps a bare [`Mirror`] of the repository; the checkout that the user sits in is only looked
//! at, never built. The builder's user may have credentials in its own git and SSH configuration; those are used.
//!
//! Submodules are checked out too, by `ssh` and `https` alone.

mod checkout;
mod failure;
mod git;
mod mirror;
mod repository;
#[cfg(test)]
mod tests;

pub use checkout::{Checkout, LocalWork};
pub use failure::SourceFailure;
pub use git::Git;
pub use mirror::{Distance, Mirror, Revision};
pub use repository::Repository;
