//! Who gets how much of the requests. Pure.

use cutover_hooks::{Call, Color, HookError, Routing, setup};

/// Weights and addresses of blue and green.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shares {
    pub(crate) weights: [u64; 2],
    /// `address:port` each.
    pub(crate) addresses: [Vec<String>; 2],
}

impl Shares {
    /// What is asked for, as this router is to have it.
    ///
    /// # Errors
    /// When single hosts are to be out, or a colour has no instances.
    pub(crate) fn wanted(call: &Call, router: &str, want: &Routing) -> Result<Self, HookError> {
        if !want.out.is_empty() {
            return Err(HookError::failed("builtin:traefik can't take single hosts out"));
        }
        Ok(Self {
            weights: [want.blue.into(), want.green.into()],
            addresses: [addresses(call, router, Color::Blue)?, addresses(call, router, Color::Green)?],
        })
    }

    /// What the weights amount to: a person may have written others than percentages.
    pub(crate) fn routing(&self) -> Routing {
        let share = match self.weights {
            [0, 0] => return Routing::to(None),
            [_, 0] => 100,
            [0, _] => 0,
            [blue, green] => {
                let (blue, all) = (u128::from(blue), u128::from(blue) + u128::from(green));
                // Who gets something does not get nothing.
                u32::try_from((200 * blue + all) / (2 * all)).unwrap_or(100).clamp(1, 99)
            }
        };
        Routing { blue: share, green: 100 - share, out: Vec::new() }
    }

    /// Whether requests go to the same instances in the same shares.
    pub(crate) fn does_as(&self, other: &Self) -> bool {
        self.routing() == other.routing() && self.has_addresses_of(other)
    }

    pub(crate) fn has_addresses_of(&self, other: &Self) -> bool {
        self.addresses == other.addresses
    }

    /// For people, each line with this sign.
    pub(crate) fn lines(&self, sign: char) -> String {
        let routing = self.routing();
        let line = |(color, addresses): (Color, &Vec<String>)| {
            let share = routing.share(color);
            let said = if share == 100 { String::new() } else { format!(" {share} %") };
            (share > 0).then(|| format!("{sign}{color}{said}: {}\n", addresses.join(" ")))
        };
        let lines: String =
            [Color::Blue, Color::Green].into_iter().zip(&self.addresses).filter_map(line).collect();
        if lines.is_empty() { format!("{sign}no colour: 503\n") } else { lines }
    }
}

/// Instances of a colour that have its release. Where all hosts were left out, they are all there is to be told.
fn addresses(call: &Call, router: &str, color: Color) -> Result<Vec<String>, HookError> {
    let mut there = call.clone();
    there.instances.retain(|instance| instance.color == color && !instance.is_left_out());
    let call = if there.instances.is_empty() { call } else { &there };
    setup::addresses(call, router, color, "a server of Traefik")
}

#[cfg(test)]
mod tests {
    use cutover_hooks::fake;

    use super::*;

    fn call() -> Call {
        let mut instances = Vec::new();
        for color in [Color::Blue, Color::Green] {
            instances.push(fake::instance("web1", color, "10.0.0.11"));
            instances.push(fake::instance("web2", color, "fd00::12"));
        }
        fake::call("{}", instances)
    }

    fn routing(weights: [u64; 2]) -> (u32, u32) {
        let routing = Shares { weights, addresses: Default::default() }.routing();
        (routing.blue, routing.green)
    }

    #[test]
    fn weights_of_any_kind_amount_to_percentages() {
        let table = [
            ([0, 0], (0, 0)),
            ([100, 0], (100, 0)),
            ([0, 1], (0, 100)),
            ([95, 5], (95, 5)),
            ([3, 1], (75, 25)),
            ([1, 2], (33, 67)),
            ([1, 5000], (1, 99)),
            ([u64::MAX, 1], (99, 1)),
        ];
        for (weights, expected) in table {
            assert_eq!(routing(weights), expected, "{weights:?}");
        }
    }

    #[test]
    fn a_host_that_was_left_out_gets_nothing() {
        let mut call = call();
        let green = |call: &Call| {
            Shares::wanted(call, "web2", &Routing::to(None)).expect("shares").addresses[1].clone()
        };
        assert_eq!(green(&call), ["10.0.0.11:4002", "127.0.0.1:4002"]);
        call.instances[3].labels.push(("left-out".to_owned(), String::new()));
        assert_eq!(green(&call), ["10.0.0.11:4002"]);
        call.instances[2].labels.push(("left-out".to_owned(), String::new()));
        assert_eq!(green(&call), ["10.0.0.11:4002", "127.0.0.1:4002"], "Traefik wants one");
    }

    #[test]
    fn nothing_slips_in_through_an_address() {
        let mut call = call();
        call.instances[1].address = "x\" # ".to_owned();
        let wanted = |call: &Call| Shares::wanted(call, "lb1", &Routing::to(None));
        let text = "`x\" # :4001` is no address for a server of Traefik";
        assert_eq!(wanted(&call), Err(HookError::failed(text)));
        call.instances.clear();
        assert_eq!(wanted(&call), Err(HookError::failed("blue has no instances")));
    }
}
