//! Everything that anyone tried on the rule of HTTP and on that of programs, with what has to become of it: the files of `corpora/`, one case
//! a line, judged as the broker judges them.

use std::net::IpAddr;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::*;
use crate::model::grant::fixture::Fleet;
use crate::model::grant::{HostGroup, Url, split_socket};

/// A line of a corpus: an entry of the grants that hold for all cases of the file, or a case.
#[derive(Debug)]
enum Line<E, A> {
    Grant(E),
    Case(A, String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound = "E: DeserializeOwned, A: DeserializeOwned")]
struct Written<E, A> {
    grant: Option<E>,
    ask: Option<A>,
    verdict: Option<String>,
}

fn lines<E: DeserializeOwned, A: DeserializeOwned>(text: &str) -> Vec<Line<E, A>> {
    let written = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let read = |line: &str| {
        let written = serde_json::from_str(line).unwrap_or_else(|fault| panic!("{line}: {fault}"));
        match written {
            Written { grant: Some(entry), ask: None, verdict: None } => Line::Grant(entry),
            Written { grant: None, ask: Some(ask), verdict: Some(verdict) } => Line::Case(ask, verdict),
            Written { .. } => panic!("{line}: neither a grant nor a case"),
        }
    };
    written.map(read).collect()
}

/// What the verdicts of a corpus come to: how many cases there are, and how many of them are allowed.
#[derive(Debug, PartialEq, Eq)]
struct Tally {
    cases: usize,
    allowed: usize,
}

/// Judges every case, and fails with all that came out otherwise.
fn judge<A: std::fmt::Debug>(
    cases: &[(A, String)],
    judge: impl Fn(&A) -> String,
    is_allowed: impl Fn(&str) -> bool,
) -> Tally {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(ask, expected)| {
            let verdict = judge(ask);
            (verdict != *expected).then(|| format!("{ask:?}\n  expected: {expected}\n  verdict:  {verdict}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let allowed = cases.iter().filter(|(_, verdict)| is_allowed(verdict)).count();
    Tally { cases: cases.len(), allowed }
}

fn split<E, A>(lines: Vec<Line<E, A>>) -> (Vec<E>, Vec<(A, String)>) {
    let (mut entries, mut cases) = (Vec::new(), Vec::new());
    for line in lines {
        match line {
            Line::Grant(entry) => entries.push(entry),
            Line::Case(ask, verdict) => cases.push((ask, verdict)),
        }
    }
    (entries, cases)
}

fn group(name: &str) -> HostGroup {
    match name {
        "app" => HostGroup::App,
        "routers" => HostGroup::Routers,
        "builder" => HostGroup::Builder,
        other => HostGroup::Named(vec![name_of(other)]),
    }
}

fn name_of(text: &str) -> HostName {
    HostName::new(text).expect("a name")
}

/// Asks in a world of two application hosts, a router and a builder, with one instance on `web1`.
fn check(
    grants: &Grants,
    mode: Mode,
    places: &[(&str, &str)],
    request: &Request<'_>,
) -> Result<Allowed, String> {
    let fleet = Fleet::new(&["web1", "web2"], &[("web1", "127.0.0.1", "10.0.0.11")]);
    let scope = fleet.scope(mode, places);
    grants.check(request, &scope).map_err(|denied| format!("denied: {}", denied.reason))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Target {
    to: String,
    #[serde(default)]
    private: bool,
    via: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Call {
    url: String,
    connect_to: Option<String>,
    via: Option<String>,
    /// What the name leads to, where it is asked for; an address leads to itself.
    #[serde(default)]
    answers: Vec<IpAddr>,
}

/// How far a request gets: that of a hook, through its URL, the grants and what names lead to.
fn reached(grants: &Grants, call: &Call) -> String {
    let url = match Url::parse(&call.url) {
        Ok(url) => url,
        Err(fault) => return format!("no URL: {}", fault.reason),
    };
    let socket = call.connect_to.as_deref().map(split_socket);
    if socket == Some(None) {
        return "no socket".to_owned();
    }
    let socket = socket.flatten();
    let connect_to = socket.as_ref().map(|(host, port)| (host.as_str(), *port));
    let http = HttpRequest { method: "GET", origin: &url.origin, connect_to, via: call.via.as_deref() };
    let dialled = http.dialled();
    match check(grants, Mode::Changing, &[], &Request::Http(http)) {
        Ok(Allowed::Http { via, addresses, .. }) => {
            let resolved = dialled.address().map_or_else(|| call.answers.clone(), |address| vec![address]);
            assert!(!resolved.is_empty(), "{call:?} gets so far that its name is asked for");
            match (addresses.refused(&resolved), via) {
                (Some(address), _) => format!("refused: {address}"),
                (None, Some(host)) => format!("reached from {host}"),
                (None, None) => "reached".to_owned(),
            }
        }
        Ok(other) => panic!("{other:?}"),
        Err(reason) => reason,
    }
}

#[test]
fn no_request_reaches_what_was_not_granted() {
    let (entries, cases) = split(lines::<Target, Call>(include_str!("corpora/network.jsonl")));
    let entry = |Target { to, private, via }: Target| HttpGrant {
        to: if to == "instances" { HttpTarget::Instances } else { HttpTarget::Origin(to) },
        private,
        via: via.as_deref().map(group),
        authorities: None,
    };
    let http = Some(entries.into_iter().map(entry).collect());
    let grants = Grants { http, ..Grants::default() };
    let tally = judge(&cases, |call| reached(&grants, call), |verdict| verdict.starts_with("reached"));
    assert_eq!(tally, Tally { cases: 199, allowed: 16 });
}

#[test]
fn an_address_that_is_refused_is_refused_in_every_dress() {
    let (_, cases) = split(lines::<Target, Call>(include_str!("corpora/network.jsonl")));
    let refused = cases.iter().filter_map(|(_, verdict)| verdict.strip_prefix("refused: ")?.parse().ok());
    let mut tried = 0;
    for address in refused {
        let IpAddr::V4(plain) = address else { continue };
        let [a, b, c, d] = plain.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        for dressed in [
            plain.to_ipv6_mapped(),
            [0, 0, 0, 0, 0, 0, high, low].into(),
            [0x64, 0xff9b, 0, 0, 0, 0, high, low].into(),
            [0x2002, high, low, 0, 0, 0, 0, 1].into(),
            [0x2001, 0, high, low, 0, 0, !high, !low].into(),
            [0x2606, 0x4700, 0, 0, 0, 0x5efe, high, low].into(),
            [0x2606, 0x4700, 0, 0, 0x200, 0x5efe, high, low].into(),
        ] {
            let dressed = IpAddr::V6(dressed);
            assert_eq!(Addresses::Public.refused(&[dressed]), Some(dressed), "{address}");
            tried += 1;
        }
    }
    assert!(tried >= 7 * 20, "{tried}");
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    hosts: String,
    program: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: Vec<String>,
    #[serde(default)]
    directory: Vec<String>,
    #[serde(default)]
    input: bool,
    #[serde(default)]
    as_root: bool,
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    interpreter: bool,
}

/// A program as a hook asks for it, on `lb1` unless it says otherwise.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Start {
    host: Option<String>,
    argv: Vec<String>,
    /// How often the last argument stands there.
    #[serde(default = "once")]
    times: usize,
    /// How often the text of the last argument is repeated.
    #[serde(default = "once")]
    length: usize,
    #[serde(default)]
    env: Vec<String>,
    directory: Option<String>,
    #[serde(default)]
    input: bool,
    #[serde(default)]
    as_root: bool,
    /// Asked by a question that may only read.
    #[serde(default)]
    reading: bool,
    /// Asked by a build, whose checkout is `/w/checkout`.
    #[serde(default)]
    build: bool,
}

const fn once() -> usize {
    1
}

fn started(grants: &Grants, start: &Start) -> String {
    let mut args = start.argv.clone();
    let program = if args.is_empty() { String::new() } else { args.remove(0) };
    if let Some(last) = args.pop() {
        args.extend(std::iter::repeat_n(last.repeat(start.length), start.times));
    }
    let request = Request::Exec {
        host: start.host.as_deref().unwrap_or("lb1"),
        program: &program,
        args: &args,
        env: start.env.iter().map(String::as_str).collect(),
        directory: start.directory.as_deref(),
        input: start.input,
        as_root: start.as_root,
    };
    let mode = if start.reading { Mode::Reading } else { Mode::Changing };
    let places: &[_] = if start.build { &[("{checkout}", "/w/checkout")] } else { &[] };
    match check(grants, mode, places, &request) {
        Ok(Allowed::Host { host, beneath: None }) => format!("started on {host}"),
        Ok(other) => panic!("{other:?}"),
        Err(reason) => reason,
    }
}

#[test]
fn no_program_is_started_that_was_not_granted() {
    let (entries, cases) = split(lines::<Entry, Start>(include_str!("corpora/exec.jsonl")));
    let entry = |entry: Entry| ExecGrant {
        hosts: group(&entry.hosts),
        program: entry.program,
        args: entry.args,
        env: entry.env,
        directory: entry.directory,
        input: entry.input,
        as_root: entry.as_root,
        read_only: entry.read_only,
        interpreter: entry.interpreter,
    };
    let exec = Some(entries.into_iter().map(entry).collect());
    let grants = Grants { exec, ..Grants::default() };
    let tally = judge(&cases, |start| started(&grants, start), |verdict| verdict.starts_with("started"));
    assert_eq!(tally, Tally { cases: 150, allowed: 30 });
}
