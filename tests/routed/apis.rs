//! What can be done to each router that is an API.

use serde_json::json;
use test_support::{Alb, CloudFoundry, Kubernetes, Test};

use super::Peer;

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

    fn asked_at(&self, _: &Test) -> (String, &'static str) {
        let url = format!("endpoint = \"http://127.0.0.1:{}", self.port());
        (url, "endpoint = \"http://127.0.0.1:PORT")
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

    fn asked_at(&self, _: &Test) -> (String, &'static str) {
        let url = format!("api = \"http://127.0.0.1:{}", self.0.port());
        (url, "api = \"http://127.0.0.1:PORT")
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

    fn asked_at(&self, _: &Test) -> (String, &'static str) {
        let url = format!("server = \"http://127.0.0.1:{}", self.0.port());
        (url, "server = \"http://127.0.0.1:PORT")
    }
}
