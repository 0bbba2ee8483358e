//! What can be done to each router.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use test_support::{Alb, Apache, Caddy, CloudFoundry, CutoverProxy, Haproxy, Kubernetes, Test, Traefik};

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

    fn directory(&self, _: &Test) -> PathBuf {
        self.begin()
    }

    fn names(&self) -> Vec<(String, &'static str)> {
        vec![(self.manager_port().to_string(), "MANAGER")]
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
}

impl Peer for Alb {
    fn stop(&mut self, _: &mut Test) {
        self.fail(&json!({"away": true}));
    }

    fn start(&mut self, _: &mut Test) {
        self.fail(&json!({}));
    }

    fn freeze(&self, _: &Test, still: bool) {
        self.freeze(still);
    }

    /// The new colour's group is taken out of the rule.
    fn edit(&self, _: &Test) {
        let mut actions = self.actions();
        actions[0]["ForwardConfig"]["TargetGroups"].as_array_mut().unwrap().truncate(1);
        self.by_hand(&actions);
    }

    fn mend(&self, _: &Test) {
        let mut actions = self.actions();
        let green = json!({"TargetGroupArn": self.arn("green"), "Weight": 0});
        actions[0]["ForwardConfig"]["TargetGroups"].as_array_mut().unwrap().push(green);
        self.by_hand(&actions);
    }

    fn pretend(&self, pretends: bool) {
        self.fail(&if pretends { json!({"forget": true}) } else { json!({}) });
    }

    fn deny(&self, denies: bool) {
        self.fail(&if denies { json!({"deny": "ModifyRule"}) } else { json!({}) });
    }

    fn find_sick(&self, _: &Test, sick: bool) {
        self.fail(&json!({"sick": sick}));
    }

    fn names(&self) -> Vec<(String, &'static str)> {
        let id = |name: &str| self.arn(name).rsplit('/').next().unwrap().to_owned();
        vec![
            (self.port().to_string(), "API"),
            (id("rule"), "RULE"),
            (id("blue"), "GROUP"),
            (id("green"), "GROUP"),
        ]
    }
}

/// A control plane of the tests' own.
pub(super) struct Api<T>(pub(super) T);

impl Peer for Api<CloudFoundry> {
    fn stop(&mut self, _: &mut Test) {
        self.0.hang_up(true);
    }

    fn start(&mut self, _: &mut Test) {
        self.0.hang_up(false);
    }

    fn freeze(&self, _: &Test, still: bool) {
        self.0.freeze(still);
    }

    /// The route is given to both apps.
    fn edit(&self, _: &Test) {
        self.0.by_hand(&[0, 1]);
    }

    fn pretend(&self, pretends: bool) {
        if pretends { self.0.forget_what_is_new() } else { self.0.answer_again() }
    }

    fn deny(&self, denies: bool) {
        if denies {
            self.0.answer_to("POST", 403, "You are not authorized to perform the requested action");
        } else {
            self.0.answer_again();
        }
    }

    fn find_sick(&self, _: &Test, sick: bool) {
        self.0.crash_green(sick);
    }

    fn names(&self) -> Vec<(String, &'static str)> {
        vec![(self.0.port().to_string(), "API")]
    }
}

impl Peer for Api<Kubernetes> {
    fn stop(&mut self, _: &mut Test) {
        self.0.hang_up(true);
    }

    fn start(&mut self, _: &mut Test) {
        self.0.hang_up(false);
    }

    fn freeze(&self, _: &Test, still: bool) {
        self.0.freeze(still);
    }

    /// The choice of the colour, and something beside it.
    fn edit(&self, _: &Test) {
        self.0.by_hand("service", "/spec/selector/color", "none".into());
        self.0.by_hand("route", "/spec/rules/0/backendRefs/0/weight", 30.into());
        self.0.by_hand("route", "/spec/rules/0/backendRefs/1/weight", 70.into());
        self.0.by_hand("service", "/spec/ports", json!([{"name": "http", "port": 8080}]));
        self.0.by_hand("route", "/spec/parentRefs/0/name", "other".into());
    }

    fn assert_kept(&self) {
        let [service, route] = self.0.specifications();
        assert_eq!(
            (&service["ports"][0]["name"], &route["parentRefs"][0]["name"]),
            (&json!("http"), &json!("other"))
        );
    }

    fn pretend(&self, pretends: bool) {
        self.0.stall(pretends);
    }

    fn deny(&self, denies: bool) {
        self.0.forbid_changes(denies);
    }

    fn find_sick(&self, _: &Test, sick: bool) {
        self.0.find_green_unready(sick);
    }

    fn names(&self) -> Vec<(String, &'static str)> {
        vec![(self.0.port().to_string(), "API")]
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
