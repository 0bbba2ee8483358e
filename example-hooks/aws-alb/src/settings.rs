//! The `settings` table.

use cutover_hooks::{Color, SettingFault, http};
use serde::Deserialize;

/// The same defaults stand in `grants.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Region of the load balancer.
    pub region: String,
    /// ARN of the rule whose forward action is changed.
    pub rule: Option<String>,
    /// ARN of the listener whose default action is changed, instead.
    pub listener: Option<String>,
    /// ARN of blue's target group.
    pub blue: String,
    /// ARN of green's target group.
    pub green: String,
    /// URL of the API, where it is not the public one of the region.
    pub endpoint: Option<String>,
    /// Secret with the access key's id.
    #[serde(default = "access_key_id")]
    pub access_key_id: String,
    /// Secret with the secret access key.
    #[serde(default = "secret_access_key")]
    pub secret_access_key: String,
    /// Secret with the session token of temporary credentials.
    pub session_token: Option<String>,
}

fn access_key_id() -> String {
    "aws-access-key-id".to_owned()
}

fn secret_access_key() -> String {
    "aws-secret-access-key".to_owned()
}

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// A rule, by its ARN.
    Rule(&'a str),
    /// The default action of a listener, by its ARN.
    Listener(&'a str),
}

impl Settings {
    /// Where the weights are.
    pub(crate) fn place(&self) -> Place<'_> {
        match (&self.rule, &self.listener) {
            (Some(rule), _) => Place::Rule(rule),
            // `faults` finds a table with neither.
            (None, listener) => Place::Listener(listener.as_deref().unwrap_or_default()),
        }
    }

    /// A colour's target group.
    pub(crate) fn group(&self, color: Color) -> &str {
        match color {
            Color::Blue => &self.blue,
            Color::Green => &self.green,
        }
    }

    /// URL of the API, without a path.
    pub(crate) fn endpoint(&self) -> String {
        self.endpoint.as_deref().map_or_else(
            || format!("https://elasticloadbalancing.{}.amazonaws.com", self.region),
            |endpoint| endpoint.trim_end_matches('/').to_owned(),
        )
    }

    /// What the types can't express.
    #[must_use]
    pub fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Vec::new();
        let mut fault = |key: &str, reason: String| faults.push(SettingFault::new(key, reason));
        let Self { region, rule, listener, blue, green, .. } = self;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_region = !region.is_empty() && region.chars().all(plain);
        if !is_region {
            fault("region", format!("`{region}` is no region: want one like `eu-west-1`"));
        }
        match (rule, listener) {
            (Some(_), Some(_)) => fault("listener", "there is a `rule` already: want one of them".to_owned()),
            (None, None) => fault("rule", "is missing: want a rule, or a `listener`".to_owned()),
            _ => {}
        }
        let rule = rule.as_ref().map(|arn| ("rule", arn, "listener-rule/app/"));
        let listener = listener.as_ref().map(|arn| ("listener", arn, "listener/app/"));
        let groups = [("blue", blue, "targetgroup/"), ("green", green, "targetgroup/")];
        for (key, arn, kind) in rule.into_iter().chain(listener).chain(groups) {
            match region_of(arn, kind) {
                None => {
                    let like = format!("arn:aws:elasticloadbalancing:{region}:ACCOUNT:{kind}…");
                    fault(key, format!("`{arn}` is no such ARN: want one like `{like}`"));
                }
                Some(other) if is_region && other != region => {
                    fault(key, format!("`{arn}` is in `{other}`, and `region` is `{region}`"));
                }
                Some(_) => {}
            }
        }
        if blue == green {
            fault("green", format!("`{green}` is blue's target group too: want another one for each colour"));
        }
        let endpoint = self.endpoint.as_ref();
        faults.extend(endpoint.and_then(|endpoint| http::origin_fault("endpoint", endpoint, "endpoint")));
        faults
    }
}

/// The region of an ARN of this kind; none where it is no such ARN.
fn region_of<'a>(arn: &'a str, kind: &str) -> Option<&'a str> {
    let [_, partition, service, region, account, resource] =
        arn.splitn(6, ':').collect::<Vec<_>>().try_into().ok()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-:/".contains(c);
    let is_one = arn.starts_with("arn:")
        && partition.starts_with("aws")
        && service == "elasticloadbalancing"
        && account.len() == 12
        && resource.strip_prefix(kind).is_some_and(|rest| !rest.is_empty())
        && arn.chars().all(plain);
    is_one.then_some(region)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const RULE: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/shop/1/2/3";
    const LISTENER: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/1/2";

    fn group(name: &str) -> String {
        format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{name}/7")
    }

    fn settings(change: &[(&str, Value)]) -> Settings {
        let mut table =
            json!({"region": "eu-west-1", "rule": RULE, "blue": group("blue"), "green": group("green")});
        for (key, value) in change {
            table[*key] = value.clone();
        }
        serde_json::from_value(table).expect("settings")
    }

    fn faults(change: &[(&str, Value)]) -> Vec<(String, String)> {
        settings(change).faults().into_iter().map(|fault| (fault.key, fault.reason)).collect()
    }

    #[test]
    fn a_rule_or_a_listener_of_the_region_will_do() {
        assert_eq!(faults(&[]), []);
        assert_eq!(settings(&[]).place(), Place::Rule(RULE));
        let listener = [("rule", Value::Null), ("listener", json!(LISTENER))];
        assert_eq!(faults(&listener), []);
        assert_eq!(settings(&listener).place(), Place::Listener(LISTENER));
    }

    #[test]
    fn what_is_wrong_is_said_of_its_key() {
        let said = |change: &[(&str, Value)]| {
            let faults = faults(change);
            faults.iter().map(|(key, reason)| format!("{key}: {reason}\n")).collect::<String>()
        };
        let text = [
            said(&[("region", json!("eu west"))]),
            said(&[("listener", json!(LISTENER))]),
            said(&[("rule", Value::Null)]),
            said(&[("rule", json!(LISTENER))]),
            said(&[("rule", json!("50dc6c495c0c9188"))]),
            said(&[("rule", json!(RULE.replace("/app/", "/net/")))]),
            said(&[("green", json!(group("green").replace("eu-west-1", "us-east-1")))]),
            said(&[("green", json!(group("green") + "&Action=x"))]),
            said(&[("green", json!(group("blue")))]),
            said(&[("endpoint", json!("http://elb.example.com"))]),
        ];
        assert_eq!(text.concat(), include_str!("../golden/faults.txt"));
    }

    #[test]
    fn an_endpoint_is_an_origin() {
        assert_eq!(settings(&[]).endpoint(), "https://elasticloadbalancing.eu-west-1.amazonaws.com");
        for good in
            ["https://vpce-1.elb.example.com", "https://elb.example.com:8443/", "http://127.0.0.1:5000"]
        {
            assert_eq!(faults(&[("endpoint", json!(good))]), [], "{good}");
            let endpoint = settings(&[("endpoint", json!(good))]).endpoint();
            assert_eq!(endpoint, good.trim_end_matches('/'));
        }
        for bad in
            ["", "elb.example.com", "https://", "https://a/b", "https://a@b", "http://127.0.0.1.example.com"]
        {
            assert_eq!(faults(&[("endpoint", json!(bad))]).len(), 1, "{bad}");
        }
    }

    /// What is granted by default and what is used by default are the same.
    #[test]
    fn the_defaults_of_the_grants_are_these() {
        let template: toml::Table = toml::from_str(include_str!("../grants.toml")).expect("TOML");
        let expected: toml::Table = [
            ("endpoint", String::new()),
            ("access-key-id", access_key_id()),
            ("secret-access-key", secret_access_key()),
            ("session-token", String::new()),
        ]
        .map(|(key, value)| (key.to_owned(), value.into()))
        .into_iter()
        .collect();
        assert_eq!(template["defaults"].as_table(), Some(&expected));
    }
}
