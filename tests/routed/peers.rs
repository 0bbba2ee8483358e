//! What can be done to each router that is a program on a host.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use test_support::{Apache, Caddy, CutoverProxy, Haproxy, Test, Traefik, eventually};

use super::Peer;

/// nginx, which every world has.
pub(super) struct Nginx(pub(super) NginxStyle);

pub(super) enum NginxStyle {
    File,
    Link,
    Upstream,
}

impl Peer for Nginx {
    fn stop(&mut self, test: &mut Test) {
        test.nginx.stop();
    }

    fn start(&mut self, test: &mut Test) {
        test.start_nginx();
    }

    fn freeze(&self, test: &Test, still: bool) {
        test.nginx.freeze(still);
    }

    fn edit(&self, test: &Test) {
        let nginx = &test.nginx;
        match self.0 {
            // Closed by hand.
            NginxStyle::File => fs::remove_file(nginx.flags().join("blue")).unwrap(),
            // An editor that knows nothing of links.
            NginxStyle::Link => {
                let text = fs::read_to_string(nginx.site("blue")).unwrap();
                fs::remove_file(nginx.link()).unwrap();
                fs::write(nginx.link(), text + "# mine\n").unwrap();
            }
            NginxStyle::Upstream => fs::write(nginx.upstream(), "upstream cutover-shop {\n").unwrap(),
        }
    }

    fn directory(&self, test: &Test) -> PathBuf {
        match self.0 {
            NginxStyle::File => test.nginx.flags(),
            NginxStyle::Link => test.nginx.link().parent().unwrap().to_owned(),
            NginxStyle::Upstream => test.nginx.upstream().parent().unwrap().to_owned(),
        }
    }

    fn mend(&self, test: &Test) {
        if let NginxStyle::Link = self.0 {
            fs::remove_file(test.nginx.link()).unwrap();
            std::os::unix::fs::symlink(test.nginx.site("blue"), test.nginx.link()).unwrap();
        }
    }

    fn asked_at(&self, test: &Test) -> (String, &'static str) {
        match self.0 {
            NginxStyle::File | NginxStyle::Upstream => {
                (format!("status-port = {}", test.nginx.status_port()), "status-port = PORT")
            }
            NginxStyle::Link => {
                let url = format!("color-url = \"http://127.0.0.1:{}/", test.door());
                (url, "color-url = \"http://127.0.0.1:PORT/")
            }
        }
    }
}

/// HAProxy, by a map.
pub(super) struct ByMap(pub(super) Haproxy);

impl Peer for ByMap {
    fn stop(&mut self, _: &mut Test) {
        self.0.stop();
    }

    fn start(&mut self, test: &mut Test) {
        self.0.start(test.router());
    }

    fn freeze(&self, _: &Test, still: bool) {
        self.0.freeze(still);
    }

    /// A share, and another application.
    fn edit(&self, _: &Test) {
        let map = self.0.map();
        assert_eq!(self.0.ask(&format!("set map {} shop 30", map.display())).unwrap(), "\n");
        let text = fs::read_to_string(&map).unwrap();
        fs::write(&map, text + "blog 0\n").unwrap();
    }

    fn assert_kept(&self) {
        let text = fs::read_to_string(self.0.map()).unwrap();
        assert!(text.contains("blog 0\n"), "{text}");
    }

    fn directory(&self, _: &Test) -> PathBuf {
        self.0.map().parent().unwrap().to_owned()
    }

    fn asked_at(&self, _: &Test) -> (String, &'static str) {
        by_socket(&self.0)
    }
}

/// HAProxy, by the states of servers.
pub(super) struct ByServers(pub(super) Haproxy);

impl Peer for ByServers {
    fn stop(&mut self, _: &mut Test) {
        self.0.stop();
    }

    fn start(&mut self, test: &mut Test) {
        self.0.start(test.router());
    }

    fn freeze(&self, _: &Test, still: bool) {
        self.0.freeze(still);
    }

    /// The old colour is taken out of service.
    fn edit(&self, _: &Test) {
        assert_eq!(self.0.ask("set server shop/blue-local state maint").unwrap(), "\n");
    }

    /// It asks for the new colour's health where nobody listens.
    fn find_sick(&self, test: &Test, sick: bool) {
        let elsewhere = |line: &str| match line.strip_suffix(" port 9") {
            Some(right) if !sick => format!("{right}\n"),
            None if sick && line.trim().starts_with("server green-local") => format!("{line} port 9\n"),
            Some(_) | None => format!("{line}\n"),
        };
        let text = fs::read_to_string(self.0.config()).unwrap();
        let other: String = text.lines().map(elsewhere).collect();
        assert_ne!(other, text);
        fs::write(self.0.config(), other).unwrap();
        self.0.reload(test.router());
    }

    fn directory(&self, _: &Test) -> PathBuf {
        self.0.states().parent().unwrap().to_owned()
    }

    fn asked_at(&self, _: &Test) -> (String, &'static str) {
        by_socket(&self.0)
    }
}

/// Its admin socket, which may be a port as well.
fn by_socket(haproxy: &Haproxy) -> (String, &'static str) {
    (format!("unix:{}", haproxy.socket().display()), "tcp:127.0.0.1:PORT")
}

impl Peer for Apache {
    fn stop(&mut self, _: &mut Test) {
        self.stop();
    }

    fn start(&mut self, test: &mut Test) {
        self.start(test.router());
    }

    fn freeze(&self, _: &Test, still: bool) {
        self.freeze(still);
    }

    /// The old colour is stopped, which is more than off.
    fn edit(&self, test: &Test) {
        self.by_hand(&format!("http://127.0.0.1:{}", test.ports().0), "w_status_S=1");
    }

    /// It asks the new colour by itself, for what that does not have.
    fn find_sick(&self, test: &Test, sick: bool) {
        const CHECKS: &str = " hcmethod=GET hcuri=/no-such-page hcinterval=1";
        let member = format!("BalancerMember \"http://127.0.0.1:{}\"", test.ports().1);
        let checked = |line: &str| match line.strip_suffix(CHECKS) {
            Some(right) if !sick => format!("{right}\n"),
            None if sick && line.trim().starts_with(&member) => format!("{line}{CHECKS}\n"),
            Some(_) | None => format!("{line}\n"),
        };
        let text = fs::read_to_string(self.server_include()).unwrap();
        let other: String = text.lines().map(checked).collect();
        assert_ne!(other, text);
        fs::write(self.server_include(), other).unwrap();
        self.reload(test.router());
        eventually("Apache has looked", Duration::from_secs(10), || {
            (self.page().contains("HcFl") == sick).then_some(())
        });
    }

    fn directory(&self, _: &Test) -> PathBuf {
        self.begin()
    }

    fn names(&self) -> Vec<(String, &'static str)> {
        vec![(self.manager_port().to_string(), "MANAGER")]
    }

    fn asked_at(&self, _: &Test) -> (String, &'static str) {
        (format!("manager-port = {}", self.manager_port()), "manager-port = PORT")
    }
}

impl Peer for Caddy {
    fn stop(&mut self, _: &mut Test) {
        self.stop();
    }

    fn start(&mut self, test: &mut Test) {
        self.start(test.router());
    }

    fn freeze(&self, _: &Test, still: bool) {
        self.freeze(still);
    }

    /// Closed by hand.
    fn edit(&self, _: &Test) {
        fs::remove_file(self.flags().join("blue")).unwrap();
    }

    fn directory(&self, _: &Test) -> PathBuf {
        self.flags()
    }

    fn names(&self) -> Vec<(String, &'static str)> {
        vec![(self.status_port().to_string(), "STATUS")]
    }

    fn asked_at(&self, _: &Test) -> (String, &'static str) {
        (format!("status-port = {}", self.status_port()), "status-port = PORT")
    }
}

impl Peer for Traefik {
    fn stop(&mut self, _: &mut Test) {
        self.stop();
    }

    fn start(&mut self, test: &mut Test) {
        self.start(test.router());
    }

    fn freeze(&self, _: &Test, still: bool) {
        self.freeze(still);
    }

    /// Somebody has made the file theirs.
    fn edit(&self, _: &Test) {
        let text = fs::read_to_string(self.file()).unwrap();
        self.by_hand(&text.replacen("# Written by cutover", "# Mine", 1));
    }

    fn mend(&self, _: &Test) {
        let text = fs::read_to_string(self.file()).unwrap();
        self.by_hand(&text.replacen("# Mine", "# Written by cutover", 1));
    }

    fn directory(&self, _: &Test) -> PathBuf {
        self.dynamic()
    }

    fn names(&self) -> Vec<(String, &'static str)> {
        vec![(self.api_port().to_string(), "API")]
    }

    fn asked_at(&self, _: &Test) -> (String, &'static str) {
        (format!("api-port = {}", self.api_port()), "api-port = PORT")
    }
}

impl Peer for CutoverProxy {
    fn stop(&mut self, _: &mut Test) {
        self.crash();
    }

    fn start(&mut self, test: &mut Test) {
        self.start(test.router());
    }

    fn freeze(&self, _: &Test, still: bool) {
        self.freeze(still);
    }

    /// Closed by hand.
    fn edit(&self, _: &Test) {
        let shown: serde_json::Value = serde_json::from_str(&self.ask("show shop").unwrap()).unwrap();
        let mut route = shown["route"].clone();
        (route["blue"]["percent"], route["green"]["percent"]) = (0.into(), 0.into());
        let _ = self.ask(&format!("set shop {} {route}", shown["version"])).unwrap();
    }

    fn directory(&self, _: &Test) -> PathBuf {
        Self::directory(self).to_owned()
    }
}
