//! Requests that choose their colour while it is shared out: the setting `testers` of routers that look into requests.
//!
//! The words are those of Kubernetes' nginx ingress: a header or cookie that says `always` gets the new colour, one that says `never` the old
//! one, and whatever else stands there changes nothing. They count only where both colours get requests.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Call, Color, Routing, SettingFault};

/// What a request says that goes to the new colour.
pub const ALWAYS: &str = "always";

/// What a request says that goes to the old colour.
pub const NEVER: &str = "never";

/// `{ header = "x-canary" }` or `{ cookie = "canary" }`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Testers {
    /// Name of a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Name of a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
}

impl Testers {
    /// What a request can't have, or no router can be told.
    #[must_use]
    pub fn faults(&self) -> Vec<SettingFault> {
        let is_name = |name: &str, other: char| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == other)
        };
        match (&self.header, &self.cookie) {
            (Some(name), None) if !is_name(name, '-') => {
                let reason = format!("`{name}` is no name of a header: letters, digits and `-`");
                vec![SettingFault::new("testers.header", reason)]
            }
            (None, Some(name)) if !is_name(name, '_') => {
                let reason = format!("`{name}` is no name of a cookie: letters, digits and `_`");
                vec![SettingFault::new("testers.cookie", reason)]
            }
            (Some(_), None) | (None, Some(_)) => Vec::new(),
            (None, None) | (Some(_), Some(_)) => {
                vec![SettingFault::new("testers", "wants one of `header` and `cookie`")]
            }
        }
    }

    /// The colour of those that say `always`, while requests are shared: the one that the deployment fills.
    #[must_use]
    pub fn color(call: &Call, want: &Routing) -> Option<Color> {
        (want.blue > 0 && want.green > 0).then_some(call.color)
    }
}

/// `header x-canary`.
impl fmt::Display for Testers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match (&self.header, &self.cookie) {
            (Some(header), _) => ("header", header.as_str()),
            (None, cookie) => ("cookie", cookie.as_deref().unwrap_or_default()),
        };
        write!(f, "{kind} {name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    #[test]
    fn one_name_that_every_router_can_be_told() {
        let faults = |json: &str| {
            let testers: Testers = serde_json::from_str(json).expect("the shape is fine");
            let faults = testers.faults().into_iter();
            faults.map(|fault| format!("{}: {}", fault.key, fault.reason)).collect::<Vec<_>>()
        };
        for good in [r#"{"header": "X-Canary-2"}"#, r#"{"cookie": "canary_2"}"#] {
            assert_eq!(faults(good), [""; 0], "{good}");
        }
        for none in ["{}", r#"{"header": "a", "cookie": "a"}"#] {
            assert_eq!(faults(none), ["testers: wants one of `header` and `cookie`"]);
        }
        for odd in ["", "x_canary", "x canary", "x;y", "é"] {
            let said = format!("testers.header: `{odd}` is no name of a header: letters, digits and `-`");
            assert_eq!(faults(&format!(r#"{{"header": "{odd}"}}"#)), [said]);
        }
        for odd in ["", "x-canary", "a=b", "$a"] {
            let said = format!("testers.cookie: `{odd}` is no name of a cookie: letters, digits and `_`");
            assert_eq!(faults(&format!(r#"{{"cookie": "{odd}"}}"#)), [said]);
        }
    }

    #[test]
    fn they_count_only_while_requests_are_shared() {
        let mut call = fake::call("{}", Vec::new());
        for color in [Color::Blue, Color::Green] {
            call.color = color;
            for (blue, green, want) in [(100, 0, None), (0, 100, None), (0, 0, None), (99, 1, Some(color))] {
                let want_shares = Routing { blue, green, out: Vec::new() };
                assert_eq!(Testers::color(&call, &want_shares), want, "{blue} {green}");
            }
        }
    }
}
