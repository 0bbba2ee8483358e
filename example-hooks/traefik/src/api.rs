//! What Traefik itself says, over its API. A new configuration takes the place of the old one as a whole, so what answers here is what routes.

use cutover_hooks::HookError;
use cutover_hooks::http::{HttpError, Request};
use serde::Deserialize;

use crate::settings::Site;
use crate::shares::Shares;

/// A service, as far as it matters.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    status: String,
    #[serde(default)]
    error: Vec<String>,
    weighted: Option<Weighted>,
    load_balancer: Option<LoadBalancer>,
}

#[derive(Debug, Deserialize)]
struct Weighted {
    services: Vec<Child>,
}

#[derive(Debug, Deserialize)]
struct Child {
    name: String,
    weight: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct LoadBalancer {
    servers: Vec<Server>,
}

#[derive(Debug, Deserialize)]
struct Server {
    url: String,
}

/// What an answer says of a service that is not there.
#[derive(Debug, Deserialize)]
struct Missing {
    message: String,
}

impl Site {
    /// What Traefik does; none where it does not know the application.
    ///
    /// # Errors
    /// When it does not tell, or can't use what it was told.
    pub(crate) fn loaded(&self, router: &str) -> Result<Option<Shares>, HookError> {
        let Some(top) = self.ask(router, &self.service)? else { return Ok(None) };
        let colors = [".blue", ".green"].map(|color| format!("{}{color}", self.service));
        let children = top.weighted.map(|weighted| weighted.services).unwrap_or_default();
        let [blue, green] = children.as_slice() else { return Err(self.foreign(router)) };
        if [&blue.name, &green.name] != [&colors[0], &colors[1]] {
            return Err(self.foreign(router));
        }
        let mut addresses = [Vec::new(), Vec::new()];
        for (color, addresses) in colors.iter().zip(&mut addresses) {
            let Some(service) = self.ask(router, color)? else {
                let text = format!("Traefik on `{router}` is just taking up another configuration");
                return Err(HookError::temporary(text));
            };
            let Some(balancer) = service.load_balancer else { return Err(self.foreign(router)) };
            let plain =
                |server: Server| Some(server.url.strip_prefix("http://")?.trim_end_matches('/').to_owned());
            let found: Option<Vec<String>> = balancer.servers.into_iter().map(plain).collect();
            *addresses = found.ok_or_else(|| self.foreign(router))?;
        }
        // Where none is written, Traefik takes 1.
        let weights = [blue, green].map(|child| child.weight.unwrap_or(1));
        Ok(Some(Shares { weights, addresses }))
    }

    /// Whether Traefik knows a service.
    pub(crate) fn knows(&self, router: &str, service: &str) -> Result<bool, HookError> {
        Ok(self.ask(router, service)?.is_some())
    }

    fn ask(&self, router: &str, service: &str) -> Result<Option<Service>, HookError> {
        let authority = format!("127.0.0.1:{}", self.api_port);
        let url = format!("http://{authority}/api/http/services/{service}@file");
        let response = match Request::new("GET", url).via(router).send() {
            Ok(response) => response,
            Err(HttpError::Connect(reason)) => {
                let text = format!("the API of Traefik on `{router}` does not answer: {reason}");
                return Err(HookError::failed(text).hint(
                    "start Traefik; where it runs, its own configuration needs what `cutover setup` prints",
                ));
            }
            Err(HttpError::TimedOut(reason) | HttpError::Broken(reason)) => {
                let text = format!("Traefik on `{router}` did not answer to its end: {reason}");
                return Err(HookError::temporary(text).hint("its log may tell why"));
            }
            Err(error) => return Err(error.into()),
        };
        if response.status == 404
            && serde_json::from_str(&response.text)
                .is_ok_and(|missing: Missing| missing.message.starts_with("service not found"))
        {
            return Ok(None);
        }
        match serde_json::from_str::<Service>(&response.text) {
            Ok(service) if response.status == 200 && service.status == "enabled" => Ok(Some(service)),
            Ok(broken) if response.status == 200 => {
                let text =
                    format!("Traefik on `{router}` can't use `{service}`: {}", broken.error.join("; "));
                Err(HookError::failed(text).hint(format!(
                    "was `{}` changed by hand? Remove it, and the next deployment writes it anew",
                    self.file()
                )))
            }
            _ => {
                let text = format!(
                    "{authority} on `{router}` does not answer as the API of Traefik does: {}",
                    response.summary()
                );
                Err(HookError::failed(text)
                    .hint("`api-port` of the settings is the port that `cutover setup` prints"))
            }
        }
    }

    fn foreign(&self, router: &str) -> HookError {
        let text = format!("`{}` of Traefik on `{router}` is not what cutover writes", self.service);
        HookError::failed(text)
            .hint(format!("only `{}` may have services of that name; what was changed there by hand is best removed with it", self.file()))
    }
}
