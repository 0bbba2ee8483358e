//! How requests are shared between the colours: what a router is asked for, and what it answered.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Color, HostName, WHOLE};

/// Percent of new requests for each colour. Both add up to 100, or both are 0 (no colour gets requests).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Routing {
    /// Percent.
    pub blue: u32,
    /// Percent.
    pub green: u32,
    /// Hosts that get no new requests, whatever their colour.
    pub out: Vec<HostName>,
}

impl Routing {
    /// Everything to one colour.
    #[must_use]
    pub fn all_to(color: Color) -> Self {
        Self::shared(color, WHOLE)
    }

    /// So many percent to one colour, and the rest to the other.
    #[must_use]
    pub fn shared(color: Color, weight: u32) -> Self {
        let rest = WHOLE.saturating_sub(weight);
        match color {
            Color::Blue => Self { blue: weight, green: rest, out: Vec::new() },
            Color::Green => Self { blue: rest, green: weight, out: Vec::new() },
        }
    }

    /// No colour gets requests.
    #[must_use]
    pub fn none() -> Self {
        Self { blue: 0, green: 0, out: Vec::new() }
    }

    /// Share of one colour.
    #[must_use]
    pub const fn share(&self, color: Color) -> u32 {
        match color {
            Color::Blue => self.blue,
            Color::Green => self.green,
        }
    }

    /// The colour that gets everything, when one does.
    #[must_use]
    pub fn only(&self) -> Option<Color> {
        Color::ALL.into_iter().find(|color| self.share(*color) == 100)
    }

    /// Whether any of these hosts gets requests as the colour; of all, where none is named.
    #[must_use]
    pub fn reaches(&self, color: Color, hosts: &[HostName]) -> bool {
        self.share(color) > 0 && (hosts.is_empty() || hosts.iter().any(|host| !self.out.contains(host)))
    }

    /// Whether both colours get requests.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.blue > 0 && self.green > 0
    }

    /// Whether the shares make sense.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.blue <= 100 && self.green <= 100 && matches!(self.blue + self.green, 0 | 100)
    }
}

impl fmt::Display for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.only(), self.blue + self.green) {
            (Some(color), _) => write!(f, "{color} 100 %")?,
            (None, 0) => f.write_str("no colour")?,
            (None, _) => write!(f, "blue {} %, green {} %", self.blue, self.green)?,
        }
        if !self.out.is_empty() {
            let names: Vec<&str> = self.out.iter().map(HostName::as_str).collect();
            write!(f, ", out: {}", names.join(" "))?;
        }
        Ok(())
    }
}

impl Routing {
    /// The same where there are no colours.
    #[must_use]
    pub fn turns(&self) -> String {
        let names: Vec<&str> = self.out.iter().map(HostName::as_str).collect();
        match (self.only(), names.is_empty()) {
            (None, _) => "no host gets requests".to_owned(),
            (Some(_), true) => "all hosts get requests".to_owned(),
            (Some(_), false) => format!("all hosts get requests but {}", names.join(" ")),
        }
    }

    /// What a router shows, in words: none where it does not know the application.
    #[must_use]
    pub fn shown(routing: Option<&Self>) -> String {
        routing.map_or_else(|| "nothing of this application".to_owned(), Self::to_string)
    }
}

/// What a router said of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Observation {
    /// What it does now; none while it does not know the application.
    pub routing: Option<Routing>,
    /// Whether all of it acts so already.
    pub settled: bool,
    /// Of interest to people.
    pub labels: Vec<(String, String)>,
}
