//! HTTP/1.1 and HTTP/2, with and without TLS: for hooks (under their grants) and for the engine's own probes. Follows no redirect, reads no proxy
//! variable, trusts what the system trusts.

mod answer;
mod body;
mod client;
mod connect;
mod failure;
mod relay;
#[cfg(test)]
mod tests;

pub(super) use answer::answer_request;
pub use client::{Fetch, Fetched, HttpClient};
pub use failure::HttpFailure;
