//! Where components come from: what `cutover hook` inspects, locks, fetches and copies into the project. Nothing else of the program
//! fetches one.

mod challenge;
pub(super) mod copies;
pub(super) mod docker_config;
mod download;
mod inspect;
mod manifest;
mod registry;
pub(super) mod supplier;
pub(super) mod wanted;
