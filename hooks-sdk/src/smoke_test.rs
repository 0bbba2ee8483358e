//! Hooks that try the idle colour out before it gets traffic.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::smoke_test::exports::cutover::hook::smoke_test::Guest;
pub use crate::bindings::smoke_test::exports::cutover::hook::smoke_test::{Outcome, TestCase};
use crate::{Call, HookError, SettingFault, panic_message, settings};

/// Tests the instances of the call.
pub trait SmokeTest {
    /// The `settings` table. `#[serde(deny_unknown_fields)]` finds misspelt keys.
    type Settings: DeserializeOwned;

    /// Faults that the types can't express. Asked before anything runs; every import is denied.
    #[must_use]
    fn faults(_settings: &Self::Settings) -> Vec<SettingFault> {
        Vec::new()
    }

    /// The cases that ran. None at all, or skipped ones only, count as a failure: nothing was tested.
    ///
    /// # Errors
    /// When testing was not possible. A test that does not pass is no error but a case.
    fn run(settings: &Self::Settings, call: &Call) -> Result<Vec<TestCase>, HookError>;
}

/// A smoke test as the contract's exports.
#[derive(Debug)]
pub struct Exported<H>(PhantomData<H>);

impl<H: SmokeTest> Exported<H> {
    /// Exists for hooks alone.
    pub const fn check() {}
}

impl<H: SmokeTest> Guest for Exported<H> {
    fn validate(text: String) -> Vec<SettingFault> {
        panic_message::install();
        settings::faults(&text, H::faults)
    }

    fn run(call: Call) -> Result<Vec<TestCase>, HookError> {
        panic_message::install();
        H::run(&settings::required(&call.settings)?, &call)
    }
}
