//! Hooks that make a release.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::build::exports::cutover::hook::build::Guest;
pub use crate::bindings::build::exports::cutover::hook::build::{Artifact, Source};
use crate::{Call, HookError, SettingFault, panic_message, settings};

/// Turns one revision of the source into an artifact.
///
/// ```
/// use cutover_hooks::hosts::{self, Command};
/// use cutover_hooks::{Artifact, Build, Call, HookError, Source};
///
/// /// Makes a site out of Markdown, with a generator that the machine which builds has.
/// pub struct Site;
///
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// pub struct Settings {
///     theme: String,
/// }
///
/// impl Build for Site {
///     type Settings = Settings;
///
///     fn run(settings: &Settings, _: &Call, source: &Source) -> Result<Artifact, HookError> {
///         let zola = Command::new("/usr/local/bin/zola").directory(&source.checkout);
///         let out = format!("{}/site", source.output);
///         hosts::run("builder", &zola.args(["build", "--output-dir", &out]).env("THEME", &settings.theme))?;
///         Ok(Artifact { path: "site".to_owned(), version: None, labels: Vec::new() })
///     }
/// }
///
/// cutover_hooks::export!(build: Site);
///
/// # fn main() {
/// // As a test has it:
/// use cutover_hooks::fake;
///
/// let world = fake::World::install(["builder"]);
/// world.program("builder", "/usr/local/bin/zola", |_| fake::exit(0, "Done in 3 ms."));
/// let source = Source {
///     revision: "9f3c2a1".to_owned(),
///     branch: "main".to_owned(),
///     checkout: "/src".to_owned(),
///     output: "/out".to_owned(),
/// };
/// let made = Site::run(&Settings { theme: "dark".to_owned() }, &fake::call("{}", Vec::new()), &source);
/// assert_eq!(made.unwrap().path, "site");
/// assert_eq!(world.calls(), ["exec builder /usr/local/bin/zola build --output-dir /out/site"]);
/// # }
/// ```
pub trait Build {
    /// The `settings` table. `#[serde(deny_unknown_fields)]` finds misspelt keys.
    type Settings: DeserializeOwned;

    /// Faults that the types can't express. Asked before anything runs; every import is denied.
    #[must_use]
    fn faults(_settings: &Self::Settings) -> Vec<SettingFault> {
        Vec::new()
    }

    /// Builds; asked once.
    ///
    /// # Errors
    /// Ends the deployment, unless temporary. Nothing on any host has changed by then.
    fn run(settings: &Self::Settings, call: &Call, source: &Source) -> Result<Artifact, HookError>;
}

/// A build hook as the contract's exports.
#[derive(Debug)]
pub struct Exported<H>(PhantomData<H>);

impl<H: Build> Exported<H> {
    /// Exists for hooks alone.
    pub const fn check() {}
}

impl<H: Build> Guest for Exported<H> {
    fn validate(text: String) -> Vec<SettingFault> {
        panic_message::install();
        settings::faults(&text, H::faults)
    }

    fn run(call: Call, source: Source) -> Result<Artifact, HookError> {
        panic_message::install();
        H::run(&settings::required(&call.settings)?, &call, &source)
    }
}
