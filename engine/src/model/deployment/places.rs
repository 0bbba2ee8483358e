//! The places that a host has for releases: one for each colour, or a single one.

use super::Deployment;
use crate::model::Color;

impl Deployment {
    /// Whether hosts have one place each, and get new releases by turns.
    #[must_use]
    pub const fn has_turns(&self) -> bool {
        self.pipeline.strategy.batch().is_some()
    }

    /// What people call what runs in a place.
    #[must_use]
    pub const fn called(&self, color: Color) -> &'static str {
        if self.has_turns() { "the application" } else { color.as_str() }
    }

    /// The colours that each host has a place for. Where hosts have one place each, that is called blue, and nobody reads it.
    #[must_use]
    pub const fn colors(&self) -> &'static [Color] {
        match self.pipeline.strategy.batch() {
            Some(_) => &[Color::Blue],
            None => &Color::ALL,
        }
    }

    /// The colour that a deployment fills where this one is live.
    #[must_use]
    pub fn fills(&self, live: Option<Color>) -> Color {
        match live {
            Some(live) if self.colors().len() > 1 => live.other(),
            Some(_) | None => Color::Blue,
        }
    }
}
