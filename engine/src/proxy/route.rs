//! What the proxy knows of one application: its host names, and who gets its requests.

use http::HeaderMap;
use http::header::{COOKIE, HeaderName};
use serde::{Deserialize, Serialize};

use crate::model::{Color, HostName};

/// Where the requests of one application go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Route {
    /// Names in a request's `Host` that mean this application, in lower case; none: whatever no other application has.
    #[serde(default)]
    pub host_names: Vec<String>,
    /// The blue colour.
    pub blue: Side,
    /// The green colour.
    pub green: Side,
    /// Hosts that get no new requests, whatever their colour.
    #[serde(default)]
    pub out: Vec<HostName>,
    /// Requests that choose their colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub testers: Option<Testers>,
}

/// What in a request says `always` or `never`, as long as both colours get requests: one of header and cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Testers {
    /// Name of a header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Name of a cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
    /// Who gets those that say `always`; the other one gets those that say `never`.
    pub always: Color,
}

/// One colour of an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// Percent of the requests.
    pub percent: u32,
    /// Its instances.
    pub upstreams: Vec<Upstream>,
}

/// One instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// The host that it runs on.
    pub host: HostName,
    /// `address:port`, as the proxy reaches it.
    pub address: String,
}

/// Why a route is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteFault {
    /// Neither everything nor nothing is shared out.
    #[error("blue gets {blue} % and green {green} %: together it must be 100, or 0 for no colour at all")]
    Shares {
        /// Percent of blue.
        blue: u32,
        /// Percent of green.
        green: u32,
    },
    /// A colour that is to get requests has nobody to answer them.
    #[error("{0} gets requests and has no instance")]
    Empty(Color),
    /// Something that nobody can connect to.
    #[error("`{0}` is not `address:port`")]
    Address(String),
    /// Something that no request names.
    #[error("`{0}` is no host name: letters, digits, `.` and `-`, in lower case, without a port")]
    HostName(String),
    /// Something that no request says.
    #[error("testers want the name of one header or one cookie")]
    Testers,
}

/// How much a route may have of anything: far above what people have, far below what costs memory.
pub(crate) const MANY: usize = 1000;

impl Route {
    /// The colour's instances and share.
    #[must_use]
    pub const fn side(&self, color: Color) -> &Side {
        match color {
            Color::Blue => &self.blue,
            Color::Green => &self.green,
        }
    }

    /// Whether requests can be sent by it.
    ///
    /// # Errors
    /// When not: the first reason.
    pub fn check(&self) -> Result<(), RouteFault> {
        let (blue, green) = (self.blue.percent, self.green.percent);
        if !matches!(blue.checked_add(green), Some(0 | 100)) {
            return Err(RouteFault::Shares { blue, green });
        }
        for color in Color::ALL {
            let side = self.side(color);
            if side.percent > 0 && side.upstreams.is_empty() {
                return Err(RouteFault::Empty(color));
            }
            if let Some(odd) = side.upstreams.iter().find(|upstream| !is_address(&upstream.address)) {
                return Err(RouteFault::Address(odd.address.clone()));
            }
        }
        if self.testers.as_ref().is_some_and(|testers| !testers.is_one()) {
            return Err(RouteFault::Testers);
        }
        match self.host_names.iter().find(|name| !is_host_name(name)) {
            Some(odd) => Err(RouteFault::HostName(odd.clone())),
            None => Ok(()),
        }
    }

    /// The colour of the request with this number: of each hundred in a row, green gets exactly its percentage, well mixed. None where
    /// no colour gets any.
    #[must_use]
    pub fn color(&self, number: u64) -> Option<Color> {
        if self.blue.percent + self.green.percent == 0 {
            return None;
        }
        // 61 and 100 have no divisor in common: every place of the hundred comes once.
        let place = number % 100 * 61 % 100;
        Some(if place < u64::from(self.green.percent) { Color::Green } else { Color::Blue })
    }

    /// The colour that a request with these headers chooses.
    #[must_use]
    pub fn chosen(&self, headers: &HeaderMap) -> Option<Color> {
        let testers = self.testers.as_ref().filter(|_| self.blue.percent > 0 && self.green.percent > 0)?;
        let said = testers.said(headers)?;
        match said.trim() {
            said if said.eq_ignore_ascii_case("always") => Some(testers.always),
            said if said.eq_ignore_ascii_case("never") => Some(testers.always.other()),
            _ => None,
        }
    }

    /// Instances of a colour in the order in which the request with this number tries them: its own first. Those that are out are not
    /// among them.
    pub fn upstreams(&self, color: Color, number: u64) -> impl Iterator<Item = &Upstream> {
        let upstreams = &self.side(color).upstreams;
        let is_in = |upstream: &&Upstream| !self.out.contains(&upstream.host);
        let count = upstreams.iter().filter(is_in).count();
        let first = usize::try_from(number % u64::try_from(count.max(1)).unwrap_or(1)).unwrap_or(0);
        let twice = upstreams.iter().chain(upstreams);
        twice.filter(is_in).skip(first).take(count)
    }
}

impl Testers {
    fn is_one(&self) -> bool {
        match (&self.header, &self.cookie) {
            (Some(header), None) => HeaderName::from_bytes(header.as_bytes()).is_ok(),
            (None, Some(cookie)) => !cookie.is_empty(),
            (None, None) | (Some(_), Some(_)) => false,
        }
    }

    fn said<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        if let Some(header) = &self.header {
            return headers.get(header)?.to_str().ok();
        }
        let name = self.cookie.as_deref()?;
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match inner {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_host_name(&host.to_ascii_lowercase()),
    };
    is_host && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_host_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    !text.is_empty() && text.len() <= 253 && text.chars().all(plain)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
pub(super) mod tests {
    use super::*;

    /// Two hosts, with this percentage for green.
    pub(in crate::proxy) fn route(green: u32) -> Route {
        let side = |percent, port| Side {
            percent,
            upstreams: ["web1", "web2"]
                .map(|host| Upstream {
                    host: HostName::new(host).unwrap(),
                    address: format!("{host}.example:{port}"),
                })
                .into(),
        };
        Route {
            host_names: Vec::new(),
            blue: side(100 - green, 4001),
            green: side(green, 4002),
            out: Vec::new(),
            testers: None,
        }
    }

    #[test]
    fn who_says_so_chooses_while_both_colors_get_requests() {
        let chosen = |route: &Route, header: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header, value.parse().unwrap());
            route.chosen(&headers)
        };
        let by = |header: Option<&str>, cookie: Option<&str>, green| {
            let (header, cookie) = (header.map(str::to_owned), cookie.map(str::to_owned));
            Route { testers: Some(Testers { header, cookie, always: Color::Green }), ..route(green) }
        };
        let (always, never) = (Some(Color::Green), Some(Color::Blue));
        let header = by(Some("X-Canary"), None, 10);
        assert_eq!(header.check(), Ok(()));
        for (value, color) in [("always", always), ("Never", never), ("alway", None), ("", None)] {
            assert_eq!(chosen(&header, "x-canary", value), color, "{value}");
            assert_eq!(chosen(&header, "x-canaries", value), None);
            assert_eq!(chosen(&route(10), "x-canary", value), None);
        }
        for green in [0, 100] {
            assert_eq!(chosen(&by(Some("x-canary"), None, green), "x-canary", "always"), None);
        }
        let cookie = by(None, Some("canary"), 10);
        assert_eq!(cookie.check(), Ok(()));
        for (value, color) in [
            ("a=never; canary=always", always),
            ("canary=never;a=always", never),
            ("canaries=always", None),
            ("canary", None),
            ("", None),
        ] {
            assert_eq!(chosen(&cookie, "cookie", value), color, "{value}");
        }
        for odd in [by(None, None, 10), by(Some("a"), Some("a"), 10), by(Some("a b"), None, 10)] {
            assert_eq!(odd.check(), Err(RouteFault::Testers));
        }
        assert_eq!(RouteFault::Testers.to_string(), "testers want the name of one header or one cookie");
    }

    #[test]
    fn of_each_hundred_a_color_gets_its_percentage() {
        for green in 0..=100 {
            let route = route(green);
            for begin in [0, 1, 99, 100, 12_345, u64::MAX - 100] {
                let greens = (0..100).filter(|n| route.color(begin + n) == Some(Color::Green)).count();
                assert_eq!(greens, green as usize, "{begin}");
            }
            // Not all of them in a row.
            let colors: Vec<_> = (0..200).map(|number| route.color(number)).collect();
            let longest = colors.chunk_by(|a, b| a == b).map(<[_]>::len).max().unwrap();
            let rarer = green.min(100 - green) as usize;
            assert!(rarer == 0 || longest <= 200 / rarer, "{green}: {longest}");
        }
        let mut none = route(0);
        none.blue.percent = 0;
        assert_eq!(none.color(7), None);
    }

    #[test]
    fn requests_take_turns_and_have_somebody_else_to_ask() {
        let mut route = route(0);
        let tried = |route: &Route, number| {
            route.upstreams(Color::Blue, number).map(|upstream| upstream.address.clone()).collect::<Vec<_>>()
        };
        assert_eq!(tried(&route, 4), ["web1.example:4001", "web2.example:4001"]);
        assert_eq!(tried(&route, 5), ["web2.example:4001", "web1.example:4001"]);
        route.out.push(HostName::new("web1").unwrap());
        assert_eq!((tried(&route, 4), tried(&route, 5)), (tried(&route, 5), tried(&route, 4)));
        assert_eq!(tried(&route, 4), ["web2.example:4001"]);
        route.out.push(HostName::new("web2").unwrap());
        assert_eq!(tried(&route, 4), [""; 0]);
    }

    #[test]
    fn what_is_no_route_is_told() {
        let said = |change: &dyn Fn(&mut Route)| {
            let mut route = route(25);
            change(&mut route);
            route.check().map_err(|fault| fault.to_string())
        };
        let wrong = |text: &str| Err(text.to_owned());
        assert_eq!(said(&|_| {}), Ok(()));
        let none = |route: &mut Route| (route.blue.percent, route.green.percent) = (0, 0);
        assert_eq!(said(&none), Ok(()));
        let shares = |sum: &str| format!("{sum}: together it must be 100, or 0 for no colour at all");
        assert_eq!(said(&|route| route.blue.percent = 74), wrong(&shares("blue gets 74 % and green 25 %")));
        assert_eq!(
            said(&|route| route.blue.percent = u32::MAX - 24),
            wrong(&shares("blue gets 4294967271 % and green 25 %"))
        );
        assert_eq!(
            said(&|route| route.green.upstreams.clear()),
            wrong("green gets requests and has no instance")
        );
        for odd in ["web1", "web1:", "web1:0", "web1:70000", ":80", "a b:80", "[::1:80", "::1:80", "[x]:80"] {
            let change = |route: &mut Route| odd.clone_into(&mut route.blue.upstreams[0].address);
            assert_eq!(said(&change), wrong(&format!("`{odd}` is not `address:port`")));
        }
        for good in ["web1:80", "10.0.0.1:4001", "[fd00::12]:4002", "Web1.example:1"] {
            assert_eq!(
                said(&|route| good.clone_into(&mut route.blue.upstreams[0].address)),
                Ok(()),
                "{good}"
            );
        }
        for odd in ["", "Shop.example", "shop.example:80", "*.example", "a/b"] {
            let text = "letters, digits, `.` and `-`, in lower case, without a port";
            let change = |route: &mut Route| route.host_names.push(odd.to_owned());
            assert_eq!(said(&change), wrong(&format!("`{odd}` is no host name: {text}")));
        }
    }
}
