//! The style `symlink`: nginx includes one of two sites by a link; a switch is the link and a reload.

use cutover_hooks::hosts::{self, IfFound};
use cutover_hooks::http::{HttpError, Request};
use cutover_hooks::{Call, Color, HookError, Observation, Routing, setup};

use crate::include::servers;
use crate::master::Master;
use crate::sockets;
use crate::status::unanswered;
use crate::word;
use crate::workers::is_reloading;

/// Everything that the style needs to know.
#[derive(Debug)]
pub struct Symlink {
    pub(crate) name: String,
    pub(crate) link: String,
    pub(crate) blue: String,
    pub(crate) green: String,
    pub(crate) none: String,
    pub(crate) color_url: String,
    pub(crate) color_host: Option<String>,
    pub(crate) nginx: Master,
}

impl Symlink {
    pub(crate) fn observe(&self, call: &Call, router: &str) -> Result<Observation, HookError> {
        let linked = self.linked(router)?;
        let workers = self.nginx.workers(router)?;
        let color = self.served(router, linked)?;
        let settled = color == linked && !is_reloading(&workers);
        self.nginx.check_before_switch(call, router)?;
        let labels = vec![("link".to_owned(), self.site(linked).to_owned())];
        Ok(Observation { routing: Some(Routing::to(color)), settled, labels })
    }

    pub(crate) fn prepare(&self, router: &str, want: Option<Color>) -> Result<String, HookError> {
        let linked = self.linked(router)?;
        let site = self.site(want);
        if want.is_some() && hosts::read_text(router, site).if_found()?.is_none() {
            return Err(HookError::failed(format!("there is no site `{site}` on `{router}`")));
        }
        self.nginx.check_as_it_is(router)?;
        if linked == want {
            return Ok(String::new());
        }
        let Self { link, .. } = self;
        Ok(format!("--- {router}:{link}\n+++ {router}:{link}\n-{}\n+{site}\n", self.site(linked)))
    }

    pub(crate) fn apply(&self, router: &str, want: Option<Color>) -> Result<(), HookError> {
        let linked = self.linked(router)?;
        let before = self.nginx.workers(router)?;
        if linked == want && self.served(router, linked)? == want && !is_reloading(&before) {
            return Ok(());
        }
        hosts::write_link(router, &self.link, self.site(want))?;
        if let Err(error) = self.nginx.read_anew(router) {
            // nginx still runs what it ran: only the link has to follow it. The first error stays the one that is told.
            return Err(match hosts::write_link(router, &self.link, self.site(linked)) {
                Ok(()) => error.hint(format!("the link points to `{}` again", self.site(linked))),
                Err(back) => {
                    error.hint(format!("the link could not be put back: {}", HookError::from(back).text()))
                }
            });
        }
        self.nginx.wait(router, &before)
    }

    /// Connections to a colour whose site nginx has left. The sites are the operator's: only where one names its servers as they are known here,
    /// it is known that they are reached so.
    pub(crate) fn connections(
        &self,
        call: &Call,
        router: &str,
        color: Color,
    ) -> Result<Option<u32>, HookError> {
        if self.served(router, self.linked(router)?)? == Some(color) {
            return Ok(None);
        }
        let servers = servers(call, router, color)?;
        let site = hosts::read_text(router, self.site(Some(color))).if_found()?.unwrap_or_default();
        self.nginx.connections(router, &servers, sockets::are_in(&site, &servers))
    }

    /// The colour of the site that the link points to.
    fn linked(&self, router: &str) -> Result<Option<Color>, HookError> {
        let Some(target) = hosts::read_link(router, &self.link).if_found()? else {
            let text = format!("there is no link `{}` on `{router}`", self.link);
            return Err(HookError::failed(text).hint("`cutover setup` prints how it is made once"));
        };
        match target {
            target if target == self.blue => Ok(Some(Color::Blue)),
            target if target == self.green => Ok(Some(Color::Green)),
            target if target == self.none => Ok(None),
            target => Err(HookError::failed(format!(
                "`{}` on `{router}` points to `{target}`: want `{}`, `{}` or `{}`",
                self.link, self.blue, self.green, self.none
            ))),
        }
    }

    /// The colour that the running nginx names. Where the link chooses none, some other site answers, or nobody.
    fn served(&self, router: &str, linked: Option<Color>) -> Result<Option<Color>, HookError> {
        let mut request = Request::new("GET", &self.color_url).via(router);
        if let Some(host) = &self.color_host {
            request = request.as_name("http", host);
        }
        let said = match request.send() {
            Ok(response) if response.status == 200 => match response.text.trim() {
                "blue" => return Ok(Some(Color::Blue)),
                "green" => return Ok(Some(Color::Green)),
                _ => response.summary(),
            },
            Ok(response) => response.summary(),
            Err(HttpError::Connect(_)) if linked.is_none() => return Ok(None),
            Err(HttpError::Connect(reason)) => {
                let text = format!("nginx on `{router}` does not answer for `{}`: {reason}", self.color_url);
                return Err(HookError::failed(text)
                    .hint("start nginx; where it runs, `color-url` in `router.settings` has to be a page of the sites"));
            }
            Err(error) => return Err(unanswered(router, error)),
        };
        if linked.is_none() {
            return Ok(None);
        }
        let text = format!("`{}` on `{router}`: want `blue` or `green`, got {said}", self.color_url);
        Err(HookError::failed(text).hint(format!(
            "give each site `location = /deployment_id {{ return 200 \"{}\"; }}` with its own colour",
            word(linked)
        )))
    }

    fn site(&self, color: Option<Color>) -> &str {
        match color {
            Some(Color::Blue) => &self.blue,
            Some(Color::Green) => &self.green,
            None => &self.none,
        }
    }

    /// What is to be done once on a router's host, as a script.
    pub(crate) fn setup(&self, router: &str, user: &str) -> String {
        let Self { name, link, blue, green, none, .. } = self;
        let parent = setup::parent(link);
        format!(
            "# nginx on {router}: the colour of {name} is where {link} points to. Who may change the link chooses what nginx runs:\n\
             # {user} is as good as root there.\n\
             mkdir -p {parent}\n\
             test -L {link} || ln -s {none} {link}\n\
             chown -h {user} {parent} {link}\n\
             # Then make nginx include the link in place of the site: ln -sfn {link} /etc/nginx/sites-enabled/{name}\n\
             # The sites are {blue} and {green};\n\
             # each needs a location = /deployment_id {{ return 200 \"blue\"; }} or \"green\".\n\
             # What makes them pass websockets on: https://nginx.org/en/docs/http/websocket.html\n"
        )
    }
}
