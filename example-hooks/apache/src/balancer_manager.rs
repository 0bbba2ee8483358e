//! The balancer-manager of a running Apache: looking and changing.

use cutover_hooks::http::{HttpError, Request, Response};
use cutover_hooks::{Call, HookError};

use crate::page::{self, Balancer};
use crate::seats::{self, Seat};
use crate::settings::Site;

const INSTALL: &str = "install what `cutover setup` prints for this host, and reload Apache";

/// The state of the application's balancer, and what a change has to repeat.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) seats: Vec<Seat>,
    nonce: String,
}

impl Site {
    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/balancer-manager", self.manager_port)
    }

    /// Asks the running Apache.
    pub(crate) fn look(&self, call: &Call, router: &str) -> Result<Seen, HookError> {
        let response = self.send(Request::new("GET", format!("{}?xml=1", self.url())), router)?;
        let Some(balancers) = page::read(&response.text) else {
            return Err(self.no_answer(&response, router));
        };
        let balancer = self.find(balancers, router)?;
        Ok(Seen { seats: seats::seats(call, router, &balancer)?, nonce: balancer.nonce })
    }

    fn find(&self, balancers: Vec<Balancer>, router: &str) -> Result<Balancer, HookError> {
        let names: Vec<String> = balancers.iter().map(|balancer| format!("`{}`", balancer.name)).collect();
        let own = self.balancer();
        balancers.into_iter().find(|balancer| balancer.name == own).ok_or_else(|| {
            let known = if names.is_empty() { "no balancer".to_owned() } else { names.join(" and ") };
            HookError::failed(format!("Apache on `{router}` has {known}, not `{own}`")).hint(INSTALL)
        })
    }

    /// Sets flags and the factor of one member. Whether it was taken shows only when one looks again: where the nonce is not the running
    /// Apache's, it answers as if nothing had been asked.
    pub(crate) fn change(
        &self,
        seen: &Seen,
        router: &str,
        url: &str,
        changes: &[(String, String)],
    ) -> Result<(), HookError> {
        let mut body =
            format!("b={}&w={}&nonce={}", encoded(&self.balancer()), encoded(url), encoded(&seen.nonce));
        for (key, value) in changes {
            body.push_str(&format!("&{key}={}", encoded(value)));
        }
        let request = Request::new("POST", self.url())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        self.send(request, router).map(drop)
    }

    fn send(&self, request: Request, router: &str) -> Result<Response, HookError> {
        // Without it, the manager takes a request for one of another site's and overlooks what it asks for.
        let request = request.header("referer", self.url()).via(router);
        let response = match request.send() {
            Ok(response) => response,
            Err(HttpError::Connect(reason)) => {
                let text = format!("Apache on `{router}` does not answer: {reason}");
                return Err(HookError::failed(text).hint(format!("start Apache; where it runs, {INSTALL}")));
            }
            Err(HttpError::TimedOut(reason) | HttpError::Broken(reason)) => {
                let text = format!("Apache on `{router}` did not answer to its end: {reason}");
                return Err(HookError::temporary(text).hint("its error log may tell why"));
            }
            Err(error) => return Err(error.into()),
        };
        match response.status {
            200 => Ok(response),
            401 | 403 => {
                let text = format!("`{}` on `{router}` refuses: {}", self.url(), summary(&response));
                Err(HookError::failed(text)
                    .hint(format!("it has to let in who comes from the host itself: {INSTALL}")))
            }
            500.. => {
                let text = format!("`{}` on `{router}` answered {}", self.url(), summary(&response));
                Err(HookError::temporary(text).hint("Apache's error log may tell why"))
            }
            _ => {
                let text =
                    format!("`{}` on `{router}` is no balancer-manager: {}", self.url(), summary(&response));
                Err(HookError::failed(text).hint(INSTALL))
            }
        }
    }

    /// Why an answer with status 200 does not tell of balancers.
    fn no_answer(&self, response: &Response, router: &str) -> HookError {
        let url = self.url();
        if response.text.contains("<title>Balancer Manager</title>") {
            let text = format!("the balancer-manager `{url}` on `{router}` overlooks what it is asked");
            return HookError::failed(text).hint(
                "does something take the header Referer away? Apache's error log names what it did not like",
            );
        }
        let text = format!("`{url}` on `{router}` is no balancer-manager: {}", summary(response));
        HookError::failed(text).hint(INSTALL)
    }
}

/// `404: 404 Not Found`: what a page calls itself, or else the first line.
fn summary(response: &Response) -> String {
    let title = response.text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    match title {
        Some((title, _)) => {
            format!("{}: {}", response.status, title.trim().chars().take(120).collect::<String>())
        }
        None => response.summary(),
    }
}

/// A value as forms carry it.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
