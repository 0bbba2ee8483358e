//! Hooks that move traffic between the colours.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::router::exports::cutover::hook::router::Guest;
pub use crate::bindings::router::exports::cutover::hook::router::{Observation, Routing};
use crate::{Call, Color, HookError, SettingFault, panic_message, settings};

/// One router at a time. The engine decides what, when and in which order, and puts back what `observe` told at the start when
/// anything goes wrong.
///
/// In `features`, `observe` and `connections` the engine refuses every import that could change something.
///
/// ```
/// use cutover_hooks::http::Request;
/// use cutover_hooks::{Call, Color, HookError, Observation, Router, Routing};
///
/// /// A balancer with an HTTP interface of two paths.
/// pub struct Balancer;
///
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// pub struct Settings {
///     url: String,
/// }
///
/// impl Router for Balancer {
///     type Settings = Settings;
///
///     fn features(_: &Settings, _: &Call) -> Result<Vec<String>, HookError> {
///         Ok(Vec::new())
///     }
///
///     fn observe(settings: &Settings, _: &Call, router: &str) -> Result<Observation, HookError> {
///         let said = Request::new("GET", format!("{}/live", settings.url)).via(router).fetch()?;
///         let color = match said.text.trim() {
///             "blue" => Some(Color::Blue),
///             "green" => Some(Color::Green),
///             _ => None,
///         };
///         Ok(Observation { routing: Some(Routing::to(color)), settled: true, labels: Vec::new() })
///     }
///
///     fn prepare(_: &Settings, _: &Call, _: &str, want: &Routing) -> Result<String, HookError> {
///         Ok(format!("+blue {} %\n+green {} %\n", want.blue, want.green))
///     }
///
///     fn apply(settings: &Settings, _: &Call, router: &str, want: &Routing) -> Result<(), HookError> {
///         let color = want.only().ok_or_else(|| HookError::failed("the balancer always has a live colour"))?;
///         Request::new("PUT", format!("{}/live", settings.url)).via(router).body(color.as_str()).fetch()?;
///         Ok(())
///     }
/// }
///
/// cutover_hooks::export!(router: Balancer);
/// # fn main() {}
/// ```
pub trait Router {
    /// The `settings` table. `#[serde(deny_unknown_fields)]` finds misspelt keys.
    type Settings: DeserializeOwned;

    /// Faults that the types can't express. Asked before anything runs; every import is denied.
    #[must_use]
    fn faults(_settings: &Self::Settings) -> Vec<SettingFault> {
        Vec::new()
    }

    /// What the router can do beyond sending all requests to one colour: `weights`, `hosts`, `maintenance`.
    ///
    /// # Errors
    /// Counts as not known.
    fn features(settings: &Self::Settings, call: &Call) -> Result<Vec<String>, HookError>;

    /// What the router does now, asked of the router itself.
    ///
    /// # Errors
    /// When it does not tell.
    fn observe(settings: &Self::Settings, call: &Call, router: &str) -> Result<Observation, HookError>;

    /// Writes and checks all that can be checked without effect on traffic; returns what would change, for people.
    ///
    /// # Errors
    /// Ends the switch before it began.
    fn prepare(
        settings: &Self::Settings,
        call: &Call,
        router: &str,
        want: &Routing,
    ) -> Result<String, HookError>;

    /// Makes it so; succeeds when it is so already.
    ///
    /// # Errors
    /// Nothing changed, or it is not known: the engine observes to find out.
    fn apply(settings: &Self::Settings, call: &Call, router: &str, want: &Routing) -> Result<(), HookError>;

    /// Removes what `prepare` left when it is not going to be applied.
    ///
    /// # Errors
    /// Shown as a warning.
    fn discard(_settings: &Self::Settings, _call: &Call, _router: &str) -> Result<(), HookError> {
        Ok(())
    }

    /// Connections open to a colour, long-lived ones included; none when the router can't tell.
    ///
    /// # Errors
    /// Counts as "can't tell".
    fn connections(
        _settings: &Self::Settings,
        _call: &Call,
        _router: &str,
        _color: Color,
    ) -> Result<Option<u32>, HookError> {
        Ok(None)
    }
}

impl Routing {
    /// The colour that gets all requests; none when no colour gets any, or both do.
    #[must_use]
    pub const fn only(&self) -> Option<Color> {
        match (self.blue, self.green) {
            (100, 0) => Some(Color::Blue),
            (0, 100) => Some(Color::Green),
            _ => None,
        }
    }

    /// A colour's percentage.
    #[must_use]
    pub const fn share(&self, color: Color) -> u32 {
        match color {
            Color::Blue => self.blue,
            Color::Green => self.green,
        }
    }

    /// Everything to one colour, or nothing to either.
    #[must_use]
    pub const fn to(color: Option<Color>) -> Self {
        let (blue, green) = match color {
            Some(Color::Blue) => (100, 0),
            Some(Color::Green) => (0, 100),
            None => (0, 0),
        };
        Self { blue, green, out: Vec::new() }
    }
}

/// A router hook as the contract's exports.
#[derive(Debug)]
pub struct Exported<H>(PhantomData<H>);

impl<H: Router> Exported<H> {
    /// Exists for hooks alone.
    pub const fn check() {}
}

impl<H: Router> Guest for Exported<H> {
    fn features(call: Call) -> Result<Vec<String>, HookError> {
        panic_message::install();
        H::features(&settings::required(&call.settings)?, &call)
    }

    fn validate(text: String) -> Vec<SettingFault> {
        panic_message::install();
        settings::faults(&text, H::faults)
    }

    fn observe(call: Call, router: String) -> Result<Observation, HookError> {
        panic_message::install();
        H::observe(&settings::required(&call.settings)?, &call, &router)
    }

    fn prepare(call: Call, router: String, want: Routing) -> Result<String, HookError> {
        panic_message::install();
        H::prepare(&settings::required(&call.settings)?, &call, &router, &want)
    }

    fn apply(call: Call, router: String, want: Routing) -> Result<(), HookError> {
        panic_message::install();
        H::apply(&settings::required(&call.settings)?, &call, &router, &want)
    }

    fn discard(call: Call, router: String) -> Result<(), HookError> {
        panic_message::install();
        H::discard(&settings::required(&call.settings)?, &call, &router)
    }

    fn connections(call: Call, router: String, color: Color) -> Result<Option<u32>, HookError> {
        panic_message::install();
        H::connections(&settings::required(&call.settings)?, &call, &router, color)
    }
}
