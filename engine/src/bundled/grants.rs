//! From a hook's template of grants and its settings to the table that an operator could have written.
//!
//! A template is TOML with these tables: `defaults` (settings and their values where the configuration has none), `choices` (settings
//! that `if` and `unless` ask for, with all values that they may have), `grants` and `hints`. Strings
//! of the last two hold placeholders (see [`super::placeholder`]). Three keys of an entry belong to the template: `if = { key = value }`
//! keeps the entry only where the setting has that value, `unless` drops it there, and `each = "key"` repeats it for each element of a
//! list, which is then called `each`.

use serde_json::Value as Json;
use toml::{Table, Value};

use super::placeholder::Values;

/// A setting that can't become part of a grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` {reason}")]
pub struct GrantsFault {
    /// Key inside the settings table.
    pub key: String,
    /// What is wrong, and what to do.
    pub reason: String,
}

/// Fills a template in.
pub(super) fn fill(template: &str, title: &str, settings: &Json) -> Result<Table, GrantsFault> {
    let mut template: Table = toml::from_str(template).map_err(|error| GrantsFault {
        key: String::new(),
        reason: format!("the template is broken: {error}"),
    })?;
    let defaults = take_table(&mut template, "defaults");
    let grants = take_table(&mut template, "grants");
    let choices = take_table(&mut template, "choices");
    let values = Values::new(title, defaults, settings)?;
    values.check_choices(&choices)?;
    let mut filled = Table::new();
    for (key, entries) in grants {
        let entries = fill_entries(&values, entries)?;
        if !entries.is_empty() {
            filled.insert(key, Value::Array(entries));
        }
    }
    Ok(filled)
}

/// The first hint of a kind that fits the settings; none where a setting is none.
pub(super) fn hint(template: &str, title: &str, settings: &Json, kind: &str) -> Option<String> {
    let mut template: Table = toml::from_str(template).ok()?;
    let defaults = take_table(&mut template, "defaults");
    let entries = take_table(&mut template, "hints").remove(kind)?;
    let values = Values::new(title, defaults, settings).ok()?;
    let filled = fill_entries(&values, entries).ok()?;
    Some(filled.first()?.get("text")?.as_str()?.to_owned())
}

fn take_table(table: &mut Table, key: &str) -> Table {
    match table.remove(key) {
        Some(Value::Table(table)) => table,
        _ => Table::new(),
    }
}

fn fill_entries(values: &Values, entries: Value) -> Result<Vec<Value>, GrantsFault> {
    let Value::Array(entries) = entries else { return Ok(Vec::new()) };
    let mut filled = Vec::new();
    for entry in entries {
        let Value::Table(mut entry) = entry else { continue };
        let holds = |(key, value): (&String, &Value)| values.get(key) == Some(value);
        let (wanted, unwanted) = (take_table(&mut entry, "if"), take_table(&mut entry, "unless"));
        if !wanted.iter().all(holds) || unwanted.iter().any(holds) {
            continue;
        }
        match entry.remove("each") {
            Some(key) => {
                for values in values.each(key.as_str().unwrap_or_default())? {
                    filled.push(fill_value(&values, Value::Table(entry.clone()))?);
                }
            }
            None => filled.push(fill_value(values, Value::Table(entry))?),
        }
    }
    Ok(filled)
}

fn fill_value(values: &Values, value: Value) -> Result<Value, GrantsFault> {
    match value {
        Value::String(text) => values.value(&text),
        Value::Array(items) => {
            let mut filled = Vec::new();
            for item in items {
                if let Value::String(text) = item {
                    filled.extend(values.items(&text)?);
                } else {
                    filled.push(fill_value(values, item)?);
                }
            }
            Ok(Value::Array(filled))
        }
        Value::Table(table) => {
            let filled: Result<Table, GrantsFault> =
                table.into_iter().map(|(key, value)| Ok((key, fill_value(values, value)?))).collect();
            Ok(Value::Table(filled?))
        }
        plain @ (Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_)) => Ok(plain),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bundled::hook;

    fn grants(name: &str, settings: &Json) -> Result<String, (String, String)> {
        let grants = hook(name).unwrap().default_grants("shop", settings);
        grants.map(|table| toml::to_string(&table).unwrap()).map_err(|fault| (fault.key, fault.reason))
    }

    #[test]
    fn a_build_may_run_its_commands_and_hand_over_its_artifact() {
        let settings = json!({
            "run": [["cargo", "build", "--release"], ["/usr/bin/strip", "dist/*.so"], ["./gradlew", "war"]],
            "artifact": "dist", "env": {"MODE": "release"}, "version-file": "VERSION",
        });
        assert_eq!(
            grants("command-build", &settings).unwrap(),
            r#"[[exec]]
hosts = "builder"
program = "cargo"
args = ["build", "--release"]
directory = ["{checkout}"]
env = ["CUTOVER_OUTPUT", "CUTOVER_REVISION", "MODE"]
interpreter = true

[[exec]]
hosts = "builder"
program = "/usr/bin/strip"
args = ["dist/*.so"]
directory = ["{checkout}"]
env = ["CUTOVER_OUTPUT", "CUTOVER_REVISION", "MODE"]
interpreter = true

[[exec]]
hosts = "builder"
program = "{checkout}/gradlew"
args = ["war"]
directory = ["{checkout}"]
env = ["CUTOVER_OUTPUT", "CUTOVER_REVISION", "MODE"]
interpreter = true

[[exec]]
hosts = "builder"
program = "mv"
args = ["--", "{checkout}/dist", "{output}"]

[[read]]
hosts = "builder"
path = "{checkout}/VERSION"
"#
        );
    }

    #[test]
    fn a_build_of_the_whole_checkout_moves_all_of_it() {
        assert_eq!(
            grants("command-build", &json!({"run": [], "artifact": "."})).unwrap(),
            r#"[[exec]]
hosts = "builder"
program = "rm"
args = ["-rf", "--", "{checkout}/.git"]

[[exec]]
hosts = "builder"
program = "mv"
args = ["--", "{checkout}", "{output}"]
"#
        );
    }

    #[test]
    fn a_build_without_a_version_file_reads_nothing() {
        let text = grants("command-build", &json!({"run": [["make"]], "artifact": "dist"})).unwrap();
        assert!(!text.contains("read"), "{text}");
    }

    #[test]
    fn what_a_setting_can_not_be_is_said_of_it() {
        let refused = |settings: &Json| grants("nginx", settings).unwrap_err();
        let words = |key: &str, reason: &str| (key.to_owned(), reason.to_owned());
        let style = "can only be `file-test` or `symlink` or `upstream`";
        assert_eq!(refused(&json!({"style": "link"})), words("style", style));
        let directory = "is of type integer, not string";
        assert_eq!(refused(&json!({"directory": 3})), words("directory", directory));
        let port = "is of type string, not integer";
        assert_eq!(refused(&json!({"status-port": "8099"})), words("status-port", port));
    }

    #[test]
    fn nginx_may_touch_its_flags_and_ask_for_its_colour() {
        assert_eq!(
            grants("nginx", &json!({"directory": "/flags"})).unwrap(),
            r#"[[read]]
hosts = "routers"
path = "/flags/blue"

[[read]]
hosts = "routers"
path = "/flags/green"

[[write]]
hosts = "routers"
path = "/flags/blue"

[[write]]
hosts = "routers"
path = "/flags/green"

[[write]]
hosts = "routers"
path = "/flags/probe"

[[http]]
to = "http://127.0.0.1:8099"
via = "routers"
"#
        );
    }

    #[test]
    fn apache_may_ask_its_manager_and_touch_what_it_begins_with() {
        assert_eq!(
            grants("apache", &json!({"directory": "/begin", "manager-port": 81})).unwrap(),
            r#"[[http]]
to = "http://127.0.0.1:81"
via = "routers"

[[read]]
hosts = "routers"
path = "/begin/blue"

[[read]]
hosts = "routers"
path = "/begin/green"

[[write]]
hosts = "routers"
path = "/begin/blue"

[[write]]
hosts = "routers"
path = "/begin/green"

[[write]]
hosts = "routers"
path = "/begin/probe"
"#
        );
    }

    #[test]
    fn aws_alb_may_ask_its_region_and_sign_for_it() {
        assert_eq!(
            grants("aws-alb", &json!({"region": "eu-west-1"})).unwrap(),
            r#"[[http]]
to = "https://elasticloadbalancing.eu-west-1.amazonaws.com"

[[secrets]]
name = "aws-secret-access-key"

[secrets.hmac]
prefix = "AWS4"
chain = ["{date}", "eu-west-1", "elasticloadbalancing", "aws4_request"]

[[secrets]]
name = "aws-access-key-id"
reveal = true
"#
        );
        let private = json!({
            "region": "eu-west-1", "endpoint": "https://vpce-1.example.com/", "session-token": "token",
        });
        let text = grants("aws-alb", &private).unwrap();
        let http = "[[http]]\nto = \"https://vpce-1.example.com\"\nprivate = true\n";
        assert!(text.starts_with(http) && text.ends_with("name = \"token\"\nreveal = true\n"), "{text}");
    }

    #[test]
    fn kubernetes_may_ask_its_server_with_its_token() {
        let settings =
            json!({"server": "https://k8s.example.com:6443/", "namespace": "shop", "service": "shop"});
        assert_eq!(
            grants("kubernetes", &settings).unwrap(),
            r#"[[http]]
to = "https://k8s.example.com:6443"
private = true

[[secrets]]
name = "kubernetes-token"
to = "https://k8s.example.com:6443"
header = "authorization"
"#
        );
    }

    #[test]
    fn cloud_foundry_may_ask_its_api_with_its_token() {
        assert_eq!(
            grants("cloud-foundry", &json!({"api": "https://api.cf.example.com/", "token": "mine"})).unwrap(),
            r#"[[http]]
to = "https://api.cf.example.com"
private = true

[[secrets]]
name = "mine"
to = "https://api.cf.example.com"
header = "authorization"
"#
        );
    }

    #[test]
    fn traefik_may_write_its_file_and_ask_its_api() {
        assert_eq!(
            grants("traefik", &json!({"directory": "/dynamic", "api-port": 81})).unwrap(),
            r#"[[read]]
hosts = "routers"
path = "/dynamic/cutover-shop.yml"

[[write]]
hosts = "routers"
path = "/dynamic/cutover-shop.yml"

[[write]]
hosts = "routers"
path = "/dynamic/cutover-shop.probe.yml"

[[http]]
to = "http://127.0.0.1:81"
via = "routers"
"#
        );
    }

    #[test]
    fn caddy_may_touch_its_flags_and_ask_for_its_colour() {
        assert_eq!(
            grants("caddy", &json!({"directory": "/flags", "status-port": 81})).unwrap(),
            r#"[[read]]
hosts = "routers"
path = "/flags/blue"

[[read]]
hosts = "routers"
path = "/flags/green"

[[write]]
hosts = "routers"
path = "/flags/blue"

[[write]]
hosts = "routers"
path = "/flags/green"

[[write]]
hosts = "routers"
path = "/flags/probe"

[[http]]
to = "http://127.0.0.1:81"
via = "routers"
"#
        );
    }

    #[test]
    fn nginx_knows_what_is_forgotten_at_its_front_door() {
        let hint = |settings| hook("nginx").unwrap().front_door_hint("shop", &settings);
        let told = |include: &str| {
            Some(format!(
                "does the `location` that serves it have `include {include};`, as `cutover setup` prints it?"
            ))
        };
        assert_eq!(hint(json!({})), told("/etc/nginx/cutover/shop.location"));
        assert_eq!(hint(json!({"location-include": "/etc/nginx/x"})), told("/etc/nginx/x"));
        assert_eq!(hint(json!({"style": "symlink"})), None);
        assert_eq!(hook("http-health").unwrap().front_door_hint("shop", &json!({})), None);
    }

    #[test]
    fn nginx_with_a_link_may_switch_test_and_reload() {
        let settings =
            json!({"style": "symlink", "blue": "/sites/b", "color-url": "http://shop.example.com:81/x"});
        assert_eq!(
            grants("nginx", &settings).unwrap(),
            r#"[[read]]
hosts = "routers"
path = "/var/lib/cutover-nginx/shop/live"

[[read]]
hosts = "routers"
path = "/sites/b"

[[read]]
hosts = "routers"
path = "/etc/nginx/sites-available/shop-green"

[[read]]
hosts = "routers"
path = "/run/nginx.pid"

[[http]]
to = "http://shop.example.com:81"
via = "routers"
private = true

[[link]]
hosts = "routers"
path = "/var/lib/cutover-nginx/shop/live"
targets = ["/sites/b", "/etc/nginx/sites-available/shop-green", "/dev/null"]

[[exec]]
hosts = "routers"
program = "/usr/bin/ps"
args = ["--ppid", "*", "-o", "pid=,etimes=,args="]
read-only = true

[[exec]]
hosts = "routers"
program = "/usr/bin/ss"
args = ["-Htn", "state", "established", "*"]
read-only = true

[[exec]]
hosts = "routers"
program = "/usr/sbin/nginx"
args = ["-t"]
as-root = true
read-only = true

[[exec]]
hosts = "routers"
program = "/usr/sbin/nginx"
args = ["-s", "reload"]
as-root = true
"#
        );
    }

    #[test]
    fn haproxy_is_told_what_stands_here_and_nothing_else() {
        assert_eq!(
            grants("haproxy", &json!({"socket": "tcp:127.0.0.1:9999", "green": "g"})).unwrap(),
            r#"[[connect]]
hosts = "routers"
to = "tcp:127.0.0.1:9999"
send = ["show map /var/lib/cutover-haproxy/shop/green.map", "show stat shop-blue 6 -1", "show stat g 6 -1"]
read-only = true

[[connect]]
hosts = "routers"
to = "tcp:127.0.0.1:9999"
send = ["set map /var/lib/cutover-haproxy/shop/green.map shop *"]

[[read]]
hosts = "routers"
path = "/var/lib/cutover-haproxy/shop/green.map"

[[write]]
hosts = "routers"
path = "/var/lib/cutover-haproxy/shop/green.map"
"#
        );
        let servers = |more: &Json| {
            let mut settings = json!({"style": "servers", "backend": "web"});
            settings.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            grants("haproxy", &settings).unwrap()
        };
        let lines = r#"[[connect]]
hosts = "routers"
to = "unix:/run/haproxy/admin.sock"
send = ["show servers state", "show stat web 6 -1"]
read-only = true

[[connect]]
hosts = "routers"
to = "unix:/run/haproxy/admin.sock"
send = ["set server web/* state ready", "set server web/* state drain"]
"#;
        assert_eq!(servers(&json!({})), lines);
        let file = "\n[[read]]\nhosts = \"routers\"\npath = \"/s\"\n\n[[write]]\nhosts = \"routers\"\npath = \"/s\"\n";
        assert_eq!(servers(&json!({"state-file": "/s"})), format!("{lines}{file}"));
    }

    #[test]
    fn nginx_with_an_upstream_may_write_one_file_test_and_reload() {
        let settings = json!({"style": "upstream", "as-root": false, "status-port": 8100});
        assert_eq!(
            grants("nginx", &settings).unwrap(),
            r#"[[read]]
hosts = "routers"
path = "/var/lib/cutover-nginx/shop/upstream.conf"

[[read]]
hosts = "routers"
path = "/run/nginx.pid"

[[write]]
hosts = "routers"
path = "/var/lib/cutover-nginx/shop/upstream.conf"

[[http]]
to = "http://127.0.0.1:8100"
via = "routers"

[[exec]]
hosts = "routers"
program = "/usr/bin/ps"
args = ["--ppid", "*", "-o", "pid=,etimes=,args="]
read-only = true

[[exec]]
hosts = "routers"
program = "/usr/bin/ss"
args = ["-Htn", "state", "established", "*"]
read-only = true

[[exec]]
hosts = "routers"
program = "/usr/sbin/nginx"
args = ["-t"]
as-root = false
read-only = true

[[exec]]
hosts = "routers"
program = "/usr/sbin/nginx"
args = ["-s", "reload"]
as-root = false
"#
        );
        let hook = hook("nginx").unwrap();
        assert_eq!(
            hook.front_door_hint("shop", &settings).as_deref(),
            Some("does the `location` that serves it have the `proxy_pass` that `cutover setup` prints?")
        );
        assert_eq!(hook.weights_hint("shop", &settings), None);
    }

    #[test]
    fn probes_reach_the_instances_and_nothing_else() {
        for name in ["http-health", "http-smoke"] {
            assert_eq!(grants(name, &json!({})).unwrap(), "[[http]]\nto = \"instances\"\n", "{name}");
        }
    }

    #[test]
    fn a_setting_can_not_become_a_wildcard() {
        for (settings, key) in [
            (json!({"run": [["make", "*"]], "artifact": "dist"}), "run"),
            (json!({"run": [["make", "**"]], "artifact": "dist"}), "run"),
            (json!({"run": [["*"]], "artifact": "dist"}), "run"),
            (json!({"run": [["make"]], "artifact": "d*"}), "artifact"),
            (json!({"run": [["make"]], "artifact": "dist", "version-file": "*"}), "version-file"),
            (json!({"directory": "/etc/*"}), "directory"),
            (json!({"style": "symlink", "link": "/etc/*"}), "link"),
            (json!({"style": "symlink", "none": "*"}), "none"),
            (json!({"style": "upstream", "include": "/etc/nginx/*"}), "include"),
            (json!({"style": "symlink", "color-url": "http://*/"}), "color-url"),
            (json!({"style": "symlink", "reload": ["/usr/sbin/nginx", "**"]}), "reload"),
            (json!({"map": "/etc/haproxy/*"}), "map"),
            (json!({"socket": "unix:/run/*"}), "socket"),
        ] {
            let name = match settings.as_object().and_then(|settings| settings.keys().next()) {
                Some(key) if ["map", "socket"].contains(&key.as_str()) => "haproxy",
                _ if settings.get("run").is_some() => "command-build",
                _ => "nginx",
            };
            let (found, reason) = grants(name, &settings).unwrap_err();
            assert_eq!(found, key);
            assert!(reason.contains("`grants` table"), "{reason}");
        }
    }

    #[test]
    fn a_setting_of_another_type_is_a_fault() {
        for settings in [
            json!({"run": "make", "artifact": "dist"}),
            json!({"run": [["make"]], "artifact": ["dist"]}),
            json!({"run": [["make"]]}),
            json!({"run": [[1]], "artifact": "dist"}),
            json!({"run": [[]], "artifact": "dist"}),
            json!([]),
        ] {
            assert!(grants("command-build", &settings).is_err(), "{settings}");
        }
    }
}
