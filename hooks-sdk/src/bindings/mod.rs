//! What `cargo bindings` wrote out of `wit/`, never edited by hand. [`crate::export!`] reaches in here; authors need not.

#[rustfmt::skip]
pub mod build;
#[rustfmt::skip]
pub mod health_check;
#[rustfmt::skip]
pub mod imports;
#[rustfmt::skip]
pub mod router;
#[rustfmt::skip]
pub mod smoke_test;

pub use wit_bindgen::rt;
