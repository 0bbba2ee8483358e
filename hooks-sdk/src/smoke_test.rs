//! Hooks that try the idle colour out before it gets traffic.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::smoke_test::exports::cutover::hook::smoke_test::Guest;
pub use crate::bindings::smoke_test::exports::cutover::hook::smoke_test::{Outcome, TestCase};
use crate::{Call, HookError, SettingFault, panic_message, settings};

/// Tests the instances of the call.
///
/// ```
/// use cutover_hooks::http::Request;
/// use cutover_hooks::{Call, HookError, Outcome, SettingFault, SmokeTest, TestCase, engine};
///
/// /// Asks each instance for pages, and looks for a word in each.
/// pub struct Words;
///
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// pub struct Settings {
///     pages: Vec<Page>,
/// }
///
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// pub struct Page {
///     path: String,
///     word: String,
/// }
///
/// impl SmokeTest for Words {
///     type Settings = Settings;
///
///     fn faults(settings: &Settings) -> Vec<SettingFault> {
///         if settings.pages.is_empty() { vec![SettingFault::new("pages", "names no page")] } else { Vec::new() }
///     }
///
///     fn run(settings: &Settings, call: &Call) -> Result<Vec<TestCase>, HookError> {
///         let mut cases = Vec::new();
///         for instance in &call.instances {
///             for page in &settings.pages {
///                 let begun = engine::elapsed();
///                 let answer = Request::to_instance("GET", instance, &page.path).send()?;
///                 let outcome = match answer.text.contains(&page.word) {
///                     true => Outcome::Passed,
///                     false => Outcome::Failed(format!("{} says nothing of `{}`", page.path, page.word)),
///                 };
///                 let took = (engine::elapsed() - begun).as_millis();
///                 let duration_ms = took.try_into().unwrap_or(u32::MAX);
///                 let name = format!("{} {}", instance.host, page.path);
///                 cases.push(TestCase { name, outcome, duration_ms, labels: Vec::new() });
///             }
///         }
///         Ok(cases)
///     }
/// }
///
/// cutover_hooks::export!(smoke_test: Words);
///
/// # fn main() {
/// // As a test has it:
/// use cutover_hooks::{Color, fake};
///
/// let world = fake::World::install(["web1"]);
/// world.http(|request| fake::response(200, &[], if request.url.ends_with("/cart") { "your cart" } else { "oops" }));
/// let page = |path: &str, word: &str| Page { path: path.to_owned(), word: word.to_owned() };
/// let settings = Settings { pages: vec![page("/cart", "cart"), page("/", "shop")] };
/// let call = fake::call("{}", vec![fake::instance("web1", Color::Green, "10.0.0.11")]);
/// let outcomes: Vec<Outcome> = Words::run(&settings, &call).unwrap().into_iter().map(|case| case.outcome).collect();
/// assert_eq!(outcomes, [Outcome::Passed, Outcome::Failed("/ says nothing of `shop`".to_owned())]);
/// # }
/// ```
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
