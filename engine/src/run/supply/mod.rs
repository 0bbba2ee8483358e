//! Where components come from: what `cutover hook` inspects, locks, fetches and copies into the project. Nothing else of the program
//! fetches one.

mod download;
mod inspect;
pub(super) mod supplier;
pub(super) mod wanted;
