//! The file of the application in the directory that Traefik watches.
//!
//! It is written as a whole from the shares and the instances of the call, so hosts that came or went are in it with the next switch.

use cutover_hooks::hosts::{self, IfFound};
use cutover_hooks::{Context, HookError, setup};

use crate::settings::Site;
use crate::shares::Shares;

const TEMPLATE: &str = include_str!("template/dynamic.yml");

/// What each file of ours begins with.
const BEGINNING: &str = "# Written by cutover";

impl Site {
    /// Its path.
    pub(crate) fn file(&self) -> String {
        format!("{}/{}.yml", self.directory, self.service)
    }

    /// The whole file.
    pub(crate) fn text(&self, shares: &Shares) -> String {
        let servers = |addresses: &[String]| {
            addresses
                .iter()
                .map(|address| format!("          - url: \"http://{address}\"\n"))
                .collect::<String>()
        };
        let [blue, green] = &shares.addresses;
        setup::fill(
            TEMPLATE,
            &[
                ("service", &self.service),
                ("blue-weight", &shares.weights[0].to_string()),
                ("green-weight", &shares.weights[1].to_string()),
                ("blue", &servers(blue)),
                ("green", &servers(green)),
            ],
        )
    }

    /// Whether a text says this. What people have added to it is not looked at.
    pub(crate) fn says(&self, text: &str, shares: &Shares) -> bool {
        facts(text) == facts(&self.text(shares))
    }

    /// The file as it is.
    ///
    /// # Errors
    /// Also when it is somebody else's.
    pub(crate) fn written(&self, router: &str) -> Result<Option<String>, HookError> {
        let file = self.file();
        let Some(text) = hosts::read_text(router, &file).if_found()? else { return Ok(None) };
        if text.starts_with(BEGINNING) {
            return Ok(Some(text));
        }
        let said = format!("`{file}` on `{router}` was not written by cutover");
        Err(HookError::failed(said).hint("give it another name: the next deployment writes one of that name"))
    }

    pub(crate) fn write(&self, router: &str, text: &str) -> Result<(), HookError> {
        self.put(router, &self.file(), text)
    }

    pub(crate) fn put(&self, router: &str, file: &str, text: &str) -> Result<(), HookError> {
        hosts::write_text(router, file, text, Some(0o644))
            .context(format!("write in `{}` on `{router}`", self.directory))
            .map_err(|error| {
                error.hint("the deploy user has to own that directory: `cutover setup` prints how it is made")
            })
    }
}

/// The lines that say who gets how much.
fn facts(text: &str) -> Vec<&str> {
    let says = |line: &&str| ["- name: ", "weight: ", "- url: "].iter().any(|key| line.starts_with(key));
    text.lines().map(str::trim).filter(says).collect()
}

#[cfg(test)]
mod tests {
    use cutover_hooks::{Call, Color, Routing, fake};

    use super::*;
    use crate::Settings;

    fn call() -> Call {
        let mut instances = Vec::new();
        for color in [Color::Blue, Color::Green] {
            instances.push(fake::instance("web1", color, "10.0.0.11"));
            instances.push(fake::instance("web2", color, "fd00::12"));
        }
        let mut call = fake::call("{}", instances);
        call.facts.push(("environment".to_owned(), "production".to_owned()));
        call
    }

    #[test]
    fn the_file_is_this_and_says_what_it_does() {
        let site = Settings::default().site(&call());
        let shares = |blue| {
            let want = Routing { blue, green: 100 - blue, out: Vec::new() };
            Shares::wanted(&call(), "lb1", &want).expect("shares")
        };
        let text = site.text(&shares(95));
        assert_eq!(text, include_str!("../golden/dynamic.yml"));
        assert!(site.says(&text, &shares(95)) && !site.says(&text, &shares(94)));
        assert!(site.says(
            &text.replace("servers:", "passHostHeader: true # by hand\n        servers:"),
            &shares(95)
        ));
        assert!(!site.says(&text.replace("10.0.0.11:4002", "10.0.0.13:4002"), &shares(95)));
        assert!(!site.says("", &shares(95)));
    }
}
