//! Connections of a router's host to servers: what nginx has open there, where it has nothing else to do with them.
//!
//! After a reload, old workers close what rests and go on with what is under way, a websocket until it ends; the new ones know no server of a
//! colour without requests. So what is open to such a colour is requests and websockets. nginx's own counters know no colour, and only root could
//! tell which worker has what.

use cutover_hooks::HookError;
use cutover_hooks::hosts::{self, Command};

/// How many are open from a router's host to these servers, each `address:port`. The kernel sorts them out: a busy host has many others.
pub(crate) fn open(ss: &str, router: &str, servers: &[String]) -> Result<u32, HookError> {
    let servers: Vec<String> = servers.iter().map(|server| format!("dst {server}")).collect();
    let command = Command::new(ss).args(["-Htn", "state", "established", &servers.join(" or ")]);
    let listed = hosts::run(router, &command)?.out;
    let count = listed.lines().filter(|line| !line.trim().is_empty()).count();
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Whether a site's text has each of these servers, as it is written in `proxy_pass` and `server`.
pub(crate) fn are_in(site: &str, servers: &[String]) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || ".:-[]".contains(c);
    let lines = site.lines().map(|line| line.split('#').next().unwrap_or_default());
    let words: Vec<&str> = lines.flat_map(|line| line.split(|c| !is_part(c))).collect();
    servers.iter().all(|server| words.contains(&server.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_names_all_servers_or_not() {
        let servers = ["10.0.0.11:4001".to_owned(), "[fd00::12]:4001".to_owned()];
        for (site, all) in [
            ("upstream blue {\n  server 10.0.0.11:4001;\n  server [fd00::12]:4001 weight=2;\n}", true),
            ("proxy_pass http://10.0.0.11:4001/; proxy_pass http://[fd00::12]:4001;", true),
            ("server 10.0.0.11:4001;", false),
            ("server 10.0.0.11:4001; # server [fd00::12]:4001;", false),
            ("server 10.0.0.11:40011; server [fd00::12]:4001;", false),
            ("server 110.0.0.11:4001; server [fd00::12]:4001;", false),
            ("proxy_pass http://shop;", false),
        ] {
            assert_eq!(are_in(site, &servers), all, "{site}");
        }
    }
}
