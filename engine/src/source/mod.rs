//! The application's repository: which revision the *remote* has, and a clean checkout of it.
//!
//! Git runs on the engine's machine, wherever it is built, through a [`crate::transport::Link`], with fixed arguments: no hooks, no
//! prompts, only the protocols `file`, `ssh` and `https`. There is a bare [`Mirror`] of the repository; the checkout that the user sits in
//! is only looked at, never built; what a project was at a revision of it ([`Past`]) is read from what it has already. The user may have credentials in git and SSH configuration; those are used. A password in an https address reaches
//! git by its environment alone.
//!
//! Submodules are checked out too, by `ssh` and `https` alone.

mod checkout;
mod credentials;
mod failure;
mod git;
mod mirror;
mod past;
mod repository;
#[cfg(test)]
mod tests;

pub use checkout::{Checkout, LocalWork};
pub use failure::SourceFailure;
pub use git::Git;
pub use mirror::{Distance, Mirror, Revision};
pub use past::Past;
pub use repository::Repository;
