//! What the Caddyfile imports: a pure function of the settings and the instances.
//!
//! The colour is chosen by file matchers, which Caddy asks anew for each request: `DIRECTORY/green` decides between the colours, and so a
//! switch is one file that appears or goes. Without any flag (a fresh host, or a directory that Caddy can't enter) no colour is chosen,
//! rather than the wrong one.

use cutover_hooks::{Call, Color, HookError, setup};

use crate::settings::Site;

/// Version of the text that the status port answers with.
pub(crate) const VERSION: u32 = 1;

impl Site {
    /// The snippet for the application's site, and the site on which Caddy tells what it does.
    pub(crate) fn include(&self, call: &Call, router: &str) -> Result<String, HookError> {
        let (blue, green) = (upstreams(call, router, Color::Blue)?, upstreams(call, router, Color::Green)?);
        Ok(setup::fill(
            include_str!("template/site.caddy"),
            &[
                ("name", &self.name),
                ("directory", &self.directory),
                ("status-port", &self.status_port.to_string()),
                ("version", &VERSION.to_string()),
                ("blue", &blue),
                ("green", &green),
            ],
        ))
    }

    /// What is to be done once on a router's host, as a script.
    pub(crate) fn setup(&self, call: &Call, router: &str, user: &str) -> Result<String, HookError> {
        let Self { name, directory, import, .. } = self;
        let (made, parent) = (setup::own_directory(directory, user), setup::parent(import));
        Ok(format!(
            "# Caddy on {router}: the colour of {name} is a file in {directory}\n\
             {made}\
             mkdir -p {parent}\n\
             cat > {import} <<'CUTOVER'\n{}CUTOVER\n\
             # Then, in the Caddyfile, after the global options:\n\
             #     import {import}\n\
             # and in the site of {name}:\n\
             #     import cutover-{name}\n\
             # and: caddy validate --config /etc/caddy/Caddyfile && systemctl reload caddy\n",
            self.include(call, router)?,
        ))
    }
}

/// `address:port` of each instance of a colour, as this router reaches it.
pub(crate) fn upstreams(call: &Call, router: &str, color: Color) -> Result<String, HookError> {
    Ok(setup::addresses(call, router, color, "an upstream of Caddy")?.join(" "))
}

#[cfg(test)]
mod tests {
    use cutover_hooks::fake;

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
    fn the_script_is_this() {
        let call = call();
        let script = Settings::default().site(&call).setup(&call, "lb1", "deploy");
        assert_eq!(script.as_deref(), Ok(include_str!("../golden/setup.sh")));
    }

    #[test]
    fn a_router_reaches_what_runs_beside_it_over_loopback() {
        assert_eq!(upstreams(&call(), "web2", Color::Green).as_deref(), Ok("10.0.0.11:4002 127.0.0.1:4002"));
    }

    #[test]
    fn nothing_slips_in_through_an_address() {
        let mut call = call();
        call.instances[1].address = "x } respond 200".to_owned();
        assert_eq!(
            Settings::default().site(&call).include(&call, "lb1"),
            Err(HookError::failed("`x } respond 200:4001` is no address for an upstream of Caddy"))
        );
        call.instances.clear();
        assert_eq!(upstreams(&call, "lb1", Color::Blue), Err(HookError::failed("blue has no instances")));
    }
}
