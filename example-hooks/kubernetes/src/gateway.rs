//! The style `gateway`: an HTTPRoute of the Gateway API, by the weights of its backends. Whether the gateways have taken it, its status tells.

use cutover_hooks::{Call, Color, HookError, Observation, Routing};
use serde_json::{Value, json};

use crate::api::Api;
use crate::settings::Settings;
use crate::{readiness, slices};

/// An HTTPRoute of the style.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gateway<'a> {
    settings: &'a Settings,
}

impl<'a> Gateway<'a> {
    pub(crate) const fn new(settings: &'a Settings) -> Self {
        Self { settings }
    }

    fn api(&self) -> Api<'a> {
        Api::new(self.settings)
    }

    fn name(&self) -> &'a str {
        self.settings.route.as_deref().unwrap_or_default()
    }

    fn path(&self) -> String {
        let namespace = &self.settings.namespace;
        format!("/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes/{}", self.name())
    }

    /// Whose Service a backend is.
    fn color(&self, backend: &Value) -> Option<Color> {
        let is_service = backend["kind"].as_str().is_none_or(|kind| kind == "Service")
            && backend["namespace"].as_str().is_none_or(|namespace| namespace == self.settings.namespace);
        let names = |color: &Color| is_service && backend["name"] == self.settings.backend(*color);
        [Color::Blue, Color::Green].into_iter().find(names)
    }

    /// What the weights of a route amount to, in all rules that name the two Services.
    fn routing(&self, route: &Value) -> Result<Routing, HookError> {
        let name = self.name();
        let mut found: Option<Routing> = None;
        for rule in route["spec"]["rules"].as_array().into_iter().flatten() {
            let Some(routing) = self.routing_of(rule)? else { continue };
            if found.as_ref().is_some_and(|found| *found != routing) {
                let text = format!("the rules of HTTPRoute `{name}` don't share requests alike");
                return Err(HookError::failed(text).hint("give all of them the same weights, once"));
            }
            found = Some(routing);
        }
        found.ok_or_else(|| {
            let (blue, green) = (self.settings.backend(Color::Blue), self.settings.backend(Color::Green));
            let text = format!("no rule of HTTPRoute `{name}` has `{blue}` and `{green}` as backends");
            HookError::failed(text)
                .hint("give them both to it, once: with weight 0, or 1 for a colour that is live")
        })
    }

    /// None for a rule about something else.
    fn routing_of(&self, rule: &Value) -> Result<Option<Routing>, HookError> {
        let name = self.name();
        let (mut weights, mut others) = ([None, None], Vec::new());
        for backend in rule["backendRefs"].as_array().into_iter().flatten() {
            // Where none is written, the API says 1; it takes no more than a million.
            let weight = &backend["weight"];
            let weight =
                if weight.is_null() { 1 } else { weight.as_u64().unwrap_or_default().min(1_000_000) };
            match self.color(backend) {
                Some(color) => weights[usize::from(color == Color::Green)] = Some(weight),
                None if weight > 0 => others.push(backend["name"].as_str().unwrap_or_default().to_owned()),
                None => {}
            }
        }
        let (blue, green) = match weights {
            [None, None] => return Ok(None),
            [Some(blue), Some(green)] => (blue, green),
            [blue, _] => {
                let color = if blue.is_none() { Color::Blue } else { Color::Green };
                let text = format!("a rule of HTTPRoute `{name}` lacks `{}`", self.settings.backend(color));
                return Err(HookError::failed(text)
                    .hint("give it both colours' Services, once: the other with weight 0"));
            }
        };
        if let Some(other) = others.first() {
            let text = format!("a rule of HTTPRoute `{name}` sends requests to `{other}` too");
            return Err(HookError::failed(text).hint("give it the weight 0, or take it out"));
        }
        let share = match (blue, green) {
            (0, 0) => return Ok(Some(Routing::to(None))),
            (_, 0) => 100,
            (0, _) => 0,
            // Who gets something does not get nothing.
            _ => {
                u32::try_from((200 * blue + blue + green) / (2 * (blue + green))).unwrap_or(100).clamp(1, 99)
            }
        };
        Ok(Some(Routing { blue: share, green: 100 - share, out: Vec::new() }))
    }

    /// Whether all gateways have taken the route as it is.
    ///
    /// # Errors
    /// When one refuses it, or there is none.
    fn is_taken(&self, route: &Value) -> Result<bool, HookError> {
        let name = self.name();
        let generation = route["metadata"]["generation"].as_i64();
        let parents = route["status"]["parents"].as_array().filter(|parents| !parents.is_empty());
        let Some(parents) = parents else {
            let text = format!("no gateway has taken HTTPRoute `{name}`");
            return Err(HookError::temporary(text).hint("`parentRefs` names its gateway, which has to run"));
        };
        let mut all = true;
        for parent in parents {
            let gateway = parent["parentRef"]["name"].as_str().unwrap_or_default();
            for kind in ["Accepted", "ResolvedRefs"] {
                let mut conditions = parent["conditions"].as_array().into_iter().flatten();
                let found = conditions.find(|condition| condition["type"] == kind);
                let Some(condition) =
                    found.filter(|condition| condition["observedGeneration"].as_i64() == generation)
                else {
                    all = false;
                    continue;
                };
                if condition["status"] != "True" {
                    let word = |key: &str| condition[key].as_str().unwrap_or_default();
                    let text = format!(
                        "gateway `{gateway}` does not take HTTPRoute `{name}`: {kind} is {}: {}: {}",
                        word("status"),
                        word("reason"),
                        word("message")
                    );
                    return Err(HookError::failed(text));
                }
            }
        }
        Ok(all)
    }

    pub(crate) fn observe(&self) -> Result<Observation, HookError> {
        let route = self.api().get(&self.path())?;
        let routing = self.routing(&route)?;
        let settled = self.is_taken(&route)?;
        let generation = route["metadata"]["generation"].to_string();
        Ok(Observation {
            routing: Some(routing),
            settled,
            labels: vec![("generation".to_owned(), generation)],
        })
    }

    pub(crate) fn prepare(&self, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        let route = self.api().get(&self.path())?;
        let now = self.routing(&route)?;
        self.is_taken(&route)?;
        if now == *want {
            return Ok(String::new());
        }
        let colors = [Color::Blue, Color::Green];
        for color in colors.into_iter().filter(|color| want.share(*color) > now.share(*color)) {
            let service = self.settings.backend(color);
            let (ready, rest) = slices::pods(&self.api(), &self.settings.namespace, service)?;
            let rest: Vec<String> = rest.iter().map(|name| format!("`{name}`")).collect();
            readiness::judge(call, color, &format!("endpoints of Service `{service}`"), ready.len(), &rest)?;
        }
        self.api().try_out(&self.path(), &route, self.patch(&route, want))?;
        let name = self.name();
        let mut text = format!("--- {router}: HTTPRoute {name}, now\n+++ {router}: HTTPRoute {name}, then\n");
        for (sign, routing) in [('-', &now), ('+', want)] {
            for color in colors {
                let (share, service) = (routing.share(color), self.settings.backend(color));
                text.push_str(&format!("{sign}{color} {share} %: {service}\n"));
            }
        }
        Ok(text)
    }

    pub(crate) fn apply(&self, want: &Routing) -> Result<(), HookError> {
        self.api().change(&self.path(), |route| {
            Ok((self.routing(route)? != *want).then(|| self.patch(route, want)))
        })
    }

    /// All rules as they are, with other weights: a list is replaced as a whole.
    fn patch(&self, route: &Value, want: &Routing) -> Value {
        let mut rules = route["spec"]["rules"].clone();
        for rule in rules.as_array_mut().into_iter().flatten() {
            for backend in rule["backendRefs"].as_array_mut().into_iter().flatten() {
                if let Some(color) = self.color(backend) {
                    backend["weight"] = want.share(color).into();
                }
            }
        }
        json!({"spec": {"rules": rules}})
    }
}
