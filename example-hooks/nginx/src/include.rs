//! What nginx includes in the style `file-test`: a pure function of the settings and the instances.
//!
//! The colour is chosen by file tests, which nginx makes anew for each request: `DIRECTORY/green` decides between the colours, and so
//! a switch is one file that appears or goes. Without any flag (a fresh host, or a directory that the workers can't enter) no colour
//! is chosen, rather than the wrong one.

use cutover_hooks::setup::{fill, parent};
use cutover_hooks::{Call, Color, HookError, setup};

use crate::file_test::FileTest;
use crate::status;

/// Version of the text that the status port answers with.
pub(crate) const VERSION: u32 = 1;

/// For the level of `http`: websockets are passed on as what they are, and all other requests, also those for `h2c`, over connections that
/// are kept. No application has variables of these names ([`crate::testers::variable`]).
pub(crate) const CONNECTION: &str = include_str!("template/connection.conf");

/// What an operator finds out late, for the end of a script.
pub(crate) const QUIET: &str = "# A websocket on which neither side says a word for a minute is closed, unless `proxy_read_timeout` in that location says otherwise;\n\
                                # that is also how long a request may wait for its answer\n";

/// For the level of `http`: the servers of each colour, and the port on which nginx tells what it does.
pub(crate) fn http(style: &FileTest, call: &Call, router: &str) -> Result<String, HookError> {
    let blue = servers(call, router, Color::Blue)?;
    let green = servers(call, router, Color::Green)?;
    let port = style.status_port.to_string();
    let version = VERSION.to_string();
    Ok(fill(
        include_str!("template/http.conf"),
        &[
            ("connection", CONNECTION),
            ("name", &style.name),
            ("directory", &style.directory),
            ("status-host", &status::host(&style.name)),
            ("status-port", &port),
            ("version", &version),
            ("blue", &blue.join(";\n    server ")),
            ("green", &green.join(";\n    server ")),
            ("blue-list", &blue.join(" ")),
            ("green-list", &green.join(" ")),
        ],
    ))
}

/// For the application's `location`. One test decides between the colours, so that no request can see both or neither while they
/// change.
pub(crate) fn location(style: &FileTest) -> String {
    let values = [("name", style.name.as_str()), ("directory", &style.directory)];
    fill(include_str!("template/location.conf"), &values)
}

/// Where nginx looks for files of the http block by itself, as it is packaged.
const INCLUDED: &str = "/etc/nginx/conf.d";

/// What makes the directory of a file of the http block, and what is said of it: nothing where nginx as it is packaged looks by itself.
pub(crate) fn http_level(path: &str) -> (String, String) {
    match parent(path) {
        INCLUDED => (String::new(), String::new()),
        parent => (
            format!("mkdir -p {parent}\n"),
            format!("# Then, in the http block of nginx.conf:\n#     include {path};\n"),
        ),
    }
}

/// `address:port` of each instance of a colour, as this router reaches it.
pub(crate) fn servers(call: &Call, router: &str, color: Color) -> Result<Vec<String>, HookError> {
    setup::addresses(call, router, color, "an upstream of nginx")
}

#[cfg(test)]
mod tests {
    use cutover_hooks::fake;

    use super::*;
    use crate::settings::{Settings, Style};

    fn style(call: &Call) -> FileTest {
        match Settings::default().style(call) {
            Style::FileTest(style) => style,
            Style::Symlink(_) | Style::Upstream(_) => unreachable!("the default style is a file test"),
        }
    }

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
    fn the_includes_are_these() {
        let call = call();
        let style = style(&call);
        assert_eq!(http(&style, &call, "lb1").expect("text"), include_str!("../golden/http.conf"));
        assert_eq!(location(&style), include_str!("../golden/location.conf"));
    }

    #[test]
    fn a_router_reaches_what_runs_beside_it_over_loopback() {
        let found = servers(&call(), "web2", Color::Green).expect("servers");
        assert_eq!(found, ["10.0.0.11:4002", "127.0.0.1:4002"]);
    }

    #[test]
    fn nothing_slips_in_through_an_address() {
        let mut call = call();
        call.instances[1].address = "x; return 200".to_owned();
        assert!(http(&style(&call), &call, "lb1").is_err());
        call.instances.clear();
        assert_eq!(servers(&call, "lb1", Color::Blue), Err(HookError::failed("blue has no instances")));
    }
}
