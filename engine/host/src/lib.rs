//! All that cutover does *on* a host.
//!
//! [`Operation`] is the whole vocabulary. The engine performs it in its own process for `local = true`, and through the
//! `cutover-host` program, which it uploads and speaks to over one SSH session, everywhere else.

pub mod bytes;
pub mod operation;
