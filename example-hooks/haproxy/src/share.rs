//! How requests are shared between the colours, as one number: the value in the map.

use std::fmt;

use cutover_hooks::{Color, HookError, Routing};

/// Percent of the requests that go to green, and all others to blue; none where no colour gets any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share(Option<u32>);

/// Stands for no colour at all: less than whatever HAProxy draws.
const NONE: &str = "-1";

impl Share {
    /// What the engine wants. A map knows no hosts.
    pub(crate) fn of(routing: &Routing) -> Result<Self, HookError> {
        if !routing.out.is_empty() {
            return Err(HookError::failed("a map of HAProxy can't take single hosts out"));
        }
        Ok(Self((routing.blue + routing.green > 0).then_some(routing.green)))
    }

    pub(crate) fn routing(self) -> Routing {
        let green = self.0.unwrap_or(0);
        Routing { blue: self.0.map_or(0, |green| 100 - green), green, out: Vec::new() }
    }

    /// A value of the map; none where it is no such value.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            NONE => Some(Self(None)),
            text => text.parse().ok().filter(|green| *green <= 100).map(|green| Self(Some(green))),
        }
    }

    /// What goes into the map.
    pub(crate) fn value(self) -> String {
        self.0.map_or_else(|| NONE.to_owned(), |green| green.to_string())
    }

    /// The colours that get requests, with their percentages.
    pub(crate) fn colors(self) -> impl Iterator<Item = (Color, u32)> {
        let Routing { blue, green, .. } = self.routing();
        [(Color::Blue, blue), (Color::Green, green)].into_iter().filter(|(_, percent)| *percent > 0)
    }
}

/// `green`, `blue 75 %, green 25 %` or `none`.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.routing().only(), self.0) {
            (Some(color), _) => write!(f, "{color}"),
            (None, None) => f.write_str("none"),
            (None, Some(green)) => write!(f, "blue {} %, green {green} %", 100 - green),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_routing_survives_the_map() {
        let shares = (0..=100).map(|green| Routing { blue: 100 - green, green, out: Vec::new() });
        for routing in shares.chain([Routing::to(None)]) {
            let share = Share::of(&routing).expect("a share");
            assert_eq!(share.routing(), routing);
            assert_eq!(Share::parse(&share.value()), Some(share));
        }
        for text in ["", "101", "-2", "green", "1.5", "0x1", " 5", "4294967296"] {
            assert_eq!(Share::parse(text), None, "{text}");
        }
    }

    #[test]
    fn people_read_colors() {
        for (value, words) in [("100", "green"), ("0", "blue"), ("-1", "none"), ("5", "blue 95 %, green 5 %")]
        {
            assert_eq!(Share::parse(value).expect("a share").to_string(), words);
        }
    }
}
