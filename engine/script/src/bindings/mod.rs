//! What `cargo bindings` wrote out of `script.wit`, never edited by hand.

#[rustfmt::skip]
pub mod script;
