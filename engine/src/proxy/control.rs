//! The control socket: one line, one answer in JSON, and the end.
//!
//! ```text
//! show NAME                 {"version":3,"route":{…},"open":{"blue":{"requests":1,"hosts":{"web1":1}},"green":{…}}}; version 0 without a route
//! set NAME VERSION ROUTE    {"version":4}, where the route was of that version (0: there was none)
//! check NAME VERSION ROUTE  the same, and nothing is changed
//! remove NAME VERSION       {"version":0}
//! list                      {"program":"0.1.0","routes":{"NAME":{…}}}
//! ```
//! or `{"error":"…"}`. A change is on disk, and in effect for the next request of every connection, before it is answered.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::route::Route;
use super::site::Site;
use super::state_file::Saved;
use super::table::Versioned;
use super::traffic::OpenCounts;
use crate::model::Name;

/// What `list` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Version of the program that answers.
    pub program: String,
    /// By application.
    pub routes: std::collections::BTreeMap<Name, Shown>,
}

/// What `show` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// 0 where there is no route.
    pub version: u64,
    /// Where requests go.
    pub route: Option<Route>,
    /// Requests that are open.
    pub open: OpenCounts,
}

/// Longest line.
const LONGEST: u64 = 1 << 20;

/// For all of it: whoever asks is on the same machine.
const PATIENCE: Duration = Duration::from_secs(2);

const COMMANDS: &str =
    "`show NAME`, `set NAME VERSION ROUTE`, `check NAME VERSION ROUTE`, `remove NAME VERSION` or `list`";

/// Answers one connection.
pub(super) async fn answer(site: &Site, mut stream: UnixStream) {
    let asked = timeout(PATIENCE, async {
        let mut line = Vec::new();
        let mut limited = (&mut stream).take(LONGEST + 1);
        // Up to the end of the line; whoever closes its side without one has said all, too.
        while !line.contains(&b'\n') && limited.read_buf(&mut line).await? > 0 {}
        io::Result::Ok(line)
    });
    // Who asks too slowly, or goes, is not answered.
    let Ok(Ok(line)) = asked.await else { return };
    let answer = match String::from_utf8(line) {
        Ok(line) if line.len() as u64 <= LONGEST => perform(site, line.trim_end_matches(['\r', '\n'])),
        Ok(_) => Err(format!("a line has at most {LONGEST} bytes")),
        Err(_) => Err("a line is UTF-8".to_owned()),
    };
    let answer = answer.unwrap_or_else(|error| json!({ "error": error }));
    let _ = timeout(PATIENCE, async {
        stream.write_all(format!("{answer}\n").as_bytes()).await?;
        stream.shutdown().await
    })
    .await;
}

fn perform(site: &Site, line: &str) -> Result<serde_json::Value, String> {
    let mut words = line.splitn(4, ' ');
    let (verb, name) = (words.next().unwrap_or_default(), words.next());
    let (version, rest) = (words.next(), words.next());
    match (verb, name, version, rest) {
        ("list", None, ..) => {
            let table = site.table();
            let routes = table.all().map(|(name, found)| (name.clone(), shown(site, name, Some(found))));
            let program = env!("CARGO_PKG_VERSION").to_owned();
            Ok(json!(Listing { program, routes: routes.collect() }))
        }
        ("show", Some(name), None, _) => {
            let name = Name::new(name).map_err(|fault| fault.to_string())?;
            Ok(json!(shown(site, &name, site.table().route(&name))))
        }
        ("set" | "check", Some(name), Some(version), Some(route)) => {
            let (name, version) = versioned(name, version)?;
            let route: Route =
                serde_json::from_str(route).map_err(|fault| format!("no route in JSON: {fault}"))?;
            let table = site.table().with(&name, version, route).map_err(|refusal| refusal.to_string())?;
            let version = table.route(&name).map_or(0, |versioned| versioned.version);
            if verb == "set" {
                replace(site, table)?;
            }
            Ok(json!({ "version": version }))
        }
        ("remove", Some(name), Some(version), None) => {
            let (name, version) = versioned(name, version)?;
            let table = site.table().without(&name, version).map_err(|refusal| refusal.to_string())?;
            replace(site, table)?;
            Ok(json!({ "version": 0 }))
        }
        _ => Err(format!("want {COMMANDS}")),
    }
}

fn versioned(name: &str, version: &str) -> Result<(Name, u64), String> {
    let name = Name::new(name).map_err(|fault| fault.to_string())?;
    let number = version.parse().map_err(|_| format!("`{version}` is no version"))?;
    Ok((name, number))
}

fn replace(site: &Site, table: super::table::Table) -> Result<(), String> {
    match site.replace(table) {
        Ok(Saved::Durable) => Ok(()),
        Ok(Saved::Visible(fault)) => {
            Err(format!("it is so now, and may not outlast a loss of power: {fault}"))
        }
        Err(fault) => {
            // Behind the number that the system has for it stands the name of a file that nobody knows.
            let text = fault.to_string();
            let why = text.split(" (os error").next().unwrap_or_default().to_ascii_lowercase();
            Err(format!("the file of the routes can't be written: {why}"))
        }
    }
}

fn shown(site: &Site, name: &Name, found: Option<&Versioned>) -> Shown {
    Shown {
        version: found.map_or(0, |versioned| versioned.version),
        route: found.map(|versioned| versioned.route.clone()),
        open: site.open(name),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use std::sync::Arc;

    use super::super::route::tests::route;
    use super::super::site::Admission;
    use super::super::traffic::OpenAt;
    use super::*;

    fn site(directory: &std::path::Path) -> Arc<Site> {
        Arc::new(Site::load(directory, Duration::from_secs(1), Arc::new(|_: &str| {})).unwrap())
    }

    fn admit(site: &Site) -> Admission {
        site.admit("x", &http::HeaderMap::new()).unwrap()
    }

    fn asked(site: &Site, line: &str) -> String {
        perform(site, line).map_or_else(|error| format!("error: {error}"), |answer| answer.to_string())
    }

    #[test]
    fn what_is_set_is_in_effect_and_there_after_a_start() {
        let directory = tempfile::tempdir().unwrap();
        let own = site(directory.path());
        let json = serde_json::to_string(&route(0)).unwrap();
        let open = r#""open":{"blue":{"hosts":{},"requests":0},"green":{"hosts":{},"requests":0}}"#;
        assert_eq!(asked(&own, "show shop"), format!(r#"{{{open},"route":null,"version":0}}"#));
        assert!(matches!(admit(&own), Admission::Unknown));
        for verb in ["check", "check", "set"] {
            assert!(matches!(admit(&own), Admission::Unknown), "{verb}");
            assert_eq!(asked(&own, &format!("{verb} shop 0 {json}")), r#"{"version":1}"#);
        }
        let Admission::To(upstreams, mut request) = admit(&own) else { panic!("a route") };
        assert_eq!(upstreams.len(), 2);
        request.settle(&upstreams[0].host);
        let shown: Shown = serde_json::from_str(&asked(&own, "show shop")).unwrap();
        let hosts = [(upstreams[0].host.clone(), 1)].into();
        let open = OpenCounts { blue: OpenAt { requests: 1, hosts }, ..OpenCounts::default() };
        assert_eq!(shown, Shown { version: 1, route: Some(route(0)), open });
        drop(request);
        assert_eq!(own.open(&Name::new("shop").unwrap()), OpenCounts::default());
        let again = site(directory.path());
        assert_eq!(again.table(), own.table());
        assert_eq!(asked(&own, "remove shop 1"), r#"{"version":0}"#);
        assert_eq!(asked(&own, "list"), r#"{"program":"0.1.0","routes":{}}"#);
        assert!(matches!(admit(&own), Admission::Unknown));
        // Who leaves goes by the file, which another process writes.
        again.leave();
        assert!(matches!(admit(&again), Admission::Unknown));
    }

    #[test]
    fn what_is_none_of_its_commands_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let site = site(directory.path());
        for line in
            ["", "show", "lists", "list x", "show a b", "set shop 0", "remove shop", "GET / HTTP/1.1 x"]
        {
            assert_eq!(asked(&site, line), format!("error: want {COMMANDS}"), "{line}");
        }
        assert_eq!(
            asked(&site, "show Shop"),
            "error: `Shop` is not a name: use lower-case letters, digits, `-` and `_`, beginning with a letter or \
             digit, at most 63 characters"
        );
        assert_eq!(asked(&site, "remove shop x"), "error: `x` is no version");
        assert_eq!(asked(&site, "remove shop 7"), "error: the route of `shop` has version 0 by now, not 7");
        assert_eq!(
            asked(&site, "set shop 0 {}"),
            "error: no route in JSON: missing field `blue` at line 1 column 2"
        );
        assert_eq!(asked(&site, "list"), r#"{"program":"0.1.0","routes":{}}"#);
    }
}
