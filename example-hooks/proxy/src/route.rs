//! A route as the proxy takes it: a pure function of the settings, the instances and what is wanted.

use cutover_hooks::testers::{ALWAYS, NEVER, Testers};
use cutover_hooks::{Call, Color, HookError, Instance, Routing};
use serde::{Deserialize, Serialize};

use crate::Settings;

/// Where the requests of the application go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Route {
    host_names: Vec<String>,
    blue: Side,
    green: Side,
    out: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    testers: Option<Choice>,
}

/// What says in a request which colour it is to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Choice {
    #[serde(flatten)]
    by: Testers,
    always: Word,
}

/// A colour, as the proxy writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Blue,
    Green,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Side {
    percent: u32,
    upstreams: Vec<Upstream>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Upstream {
    host: String,
    address: String,
}

impl Route {
    /// Where requests are to go.
    pub(crate) fn new(
        settings: &Settings,
        call: &Call,
        router: &str,
        want: &Routing,
    ) -> Result<Self, HookError> {
        let side = |color: Color| {
            let all = || call.instances.iter().filter(|instance| instance.color == color);
            // One that was left out has another release, or none; where all were, they are all there is to be told.
            let mut there: Vec<&Instance> = all().filter(|instance| !instance.is_left_out()).collect();
            if there.is_empty() {
                there = all().collect();
            }
            // Where hosts have one place each, there is only one colour.
            if there.is_empty() && want.share(color) > 0 {
                return Err(HookError::failed(format!("{color} has no instances")));
            }
            let upstream = |instance: &&Instance| Upstream {
                host: instance.host.clone(),
                address: instance.authority_from(router),
            };
            Ok(Side { percent: want.share(color), upstreams: there.iter().map(upstream).collect() })
        };
        let mut out = want.out.clone();
        out.sort_unstable();
        let always = Testers::color(call, want).map(|color| match color {
            Color::Blue => Word::Blue,
            Color::Green => Word::Green,
        });
        let by = settings.testers.clone();
        Ok(Self {
            host_names: settings.host_names.clone(),
            blue: side(Color::Blue)?,
            green: side(Color::Green)?,
            out,
            testers: by.zip(always).map(|(by, always)| Choice { by, always }),
        })
    }

    /// Whether both send requests to the same places. Which colour is new, only the one knows who is about to switch.
    pub(crate) fn leads_where(&self, other: &Self) -> bool {
        let plain = |route: &Self| Self { testers: None, ..route.clone() };
        plain(self) == plain(other)
    }

    /// What the engine calls it.
    pub(crate) fn routing(&self) -> Routing {
        Routing { blue: self.blue.percent, green: self.green.percent, out: self.out.clone() }
    }

    /// For people, each line with this sign.
    pub(crate) fn lines(&self, sign: char) -> String {
        let mut lines = String::new();
        if !self.host_names.is_empty() {
            lines.push_str(&format!("{sign}host names: {}\n", self.host_names.join(" ")));
        }
        for (color, side) in [(Color::Blue, &self.blue), (Color::Green, &self.green)] {
            if side.percent > 0 {
                let share = if side.percent == 100 { String::new() } else { format!(" {} %", side.percent) };
                let is_in = |upstream: &&Upstream| !self.out.contains(&upstream.host);
                let addresses = side.upstreams.iter().filter(is_in);
                let addresses: Vec<&str> = addresses.map(|upstream| upstream.address.as_str()).collect();
                lines.push_str(&format!("{sign}{color}{share}: {}\n", addresses.join(" ")));
            }
        }
        if let Some(Choice { by, always }) = &self.testers {
            let (new, old) = match always {
                Word::Blue => (Color::Blue, Color::Green),
                Word::Green => (Color::Green, Color::Blue),
            };
            lines.push_str(&format!("{sign}{by}: {ALWAYS} {new}, {NEVER} {old}\n"));
        }
        if self.blue.percent + self.green.percent == 0 {
            lines.push_str(&format!("{sign}no colour: 503\n"));
        }
        lines
    }
}
