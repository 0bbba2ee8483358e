//! Every place that a secret may be bound to, and its neighbours.

use super::*;
use crate::model::grant::Mode;
use crate::model::grant::fixture::Fleet;

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn origin(text: &str) -> Origin {
    Origin::parse(text).expect("an origin")
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// `fine`, or the reason and the line to add.
fn verdict(targets: &[SecretTarget], mode: Mode, request: &SecretRequest<'_>) -> String {
    let grant = |to: &SecretTarget| SecretGrant { name: name("token"), to: to.clone() };
    let grants = Grants { secrets: Some(targets.iter().map(grant).collect()), ..Grants::default() };
    let fleet = Fleet::new(&["web1"], &[("web1", "0.0.0.0", "10.0.0.11")]);
    let scope = fleet.scope(mode, &[("{checkout}", "/w/checkout")]);
    match grants.check(&Request::Secret(request.clone()), &scope) {
        Ok(allowed) => {
            assert_eq!(allowed, Allowed::Secret);
            "fine".to_owned()
        }
        Err(denied) => format!("{} | {}", denied.reason, denied.grant),
    }
}

fn header<'a>(origin: &'a Origin, dialled: &'a Origin, header: &'a str) -> SecretRequest<'a> {
    SecretRequest { name: "token", place: SecretPlace::Header { origin, dialled, header } }
}

#[test]
fn a_header_is_bound_to_its_origin_and_name() {
    let to =
        |origin: &str| SecretTarget::Header { origin: origin.to_owned(), header: "authorization".to_owned() };
    let granted = [to("https://api.example.com")];
    let line = |origin: &str, header: &str| {
        format!("not granted | secrets = [{{ name = \"token\", to = \"{origin}\", header = \"{header}\" }}]")
    };
    for (url, asked, expected) in [
        ("https://api.example.com", "authorization", "fine".to_owned()),
        ("https://API.example.com:443", "Authorization", "fine".to_owned()),
        ("https://api.example.com", "X-Token", line("https://api.example.com", "x-token")),
        ("http://api.example.com", "authorization", line("http://api.example.com", "authorization")),
        (
            "https://api.example.com:8443",
            "authorization",
            line("https://api.example.com:8443", "authorization"),
        ),
        (
            "https://api.example.com.evil.test",
            "authorization",
            line("https://api.example.com.evil.test", "authorization"),
        ),
        ("http://10.0.0.11:4002", "authorization", format!("{INSTANCE} | ")),
        ("http://127.0.0.1:4002", "authorization", format!("{INSTANCE} | ")),
    ] {
        let url = origin(url);
        assert_eq!(verdict(&granted, Mode::Changing, &header(&url, &url, asked)), expected, "{url} {asked}");
    }
    // A connection that goes elsewhere takes no secret with it, whatever its URL says.
    let (url, elsewhere) = (origin("https://api.example.com"), origin("https://10.0.0.11:4002"));
    assert_eq!(
        verdict(&granted, Mode::Changing, &header(&url, &elsewhere, "authorization")),
        format!("{ELSEWHERE} | ")
    );
    assert_eq!(
        verdict(&granted, Mode::Changing, &header(&elsewhere, &url, "authorization")),
        format!("{ELSEWHERE} | ")
    );
    // An operator may name what an instance answers at; nobody else's guess is as good.
    let (instance, granted) = (origin("http://10.0.0.11:4002"), [to("http://10.0.0.11:4002")]);
    assert_eq!(verdict(&granted, Mode::Changing, &header(&instance, &instance, "authorization")), "fine");
}

#[test]
fn each_entry_is_for_one_place_alone() {
    let url = origin("https://api.example.com");
    let (chain, dates) =
        (texts(&["20260102", "eu-west-1", "s3"]), texts(&["20260101", "20260102", "20260103"]));
    let place = |place| SecretRequest { name: "token", place };
    let hmac = |prefix, chain| place(SecretPlace::Hmac { prefix, chain, dates: &dates });
    let bound: [(SecretTarget, SecretRequest<'_>, &str); 6] = [
        (
            SecretTarget::Header { origin: url.to_string(), header: "x-key".to_owned() },
            header(&url, &url, "X-Key"),
            r#"{ name = "token", to = "https://api.example.com", header = "x-key" }"#,
        ),
        (
            SecretTarget::Body { origin: url.to_string() },
            place(SecretPlace::Body { origin: &url, dialled: &url }),
            r#"{ name = "token", to = "https://api.example.com", body = true }"#,
        ),
        (
            SecretTarget::Variable { program: "{checkout}/bin/x".to_owned(), variable: "TOKEN".to_owned() },
            place(SecretPlace::Variable { program: "/w/checkout/bin/x", variable: "TOKEN" }),
            r#"{ name = "token", exec = "{checkout}/bin/x", env = "TOKEN" }"#,
        ),
        (
            SecretTarget::Input { program: "/bin/x".to_owned() },
            place(SecretPlace::Input { program: "/bin/x" }),
            r#"{ name = "token", exec = "/bin/x", input = true }"#,
        ),
        (
            SecretTarget::Hmac { prefix: "AWS4".to_owned(), chain: texts(&[DATE, "eu-west-1", "s3"]) },
            hmac("AWS4", &chain),
            r#"{ name = "token", hmac = { prefix = "AWS4", chain = ["{date}", "eu-west-1", "s3"] } }"#,
        ),
        (SecretTarget::Reveal, place(SecretPlace::Hook), r#"{ name = "token", reveal = true }"#),
    ];
    for (own, (target, request, line)) in bound.iter().enumerate() {
        for mode in [Mode::Changing, Mode::Looking, Mode::Reading] {
            assert_eq!(verdict(std::slice::from_ref(target), mode, request), "fine", "{request}");
        }
        assert!(verdict(std::slice::from_ref(target), Mode::Closed, request).ends_with(" | "), "{request}");
        let others: Vec<SecretTarget> = bound
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != own)
            .map(|(_, (target, ..))| target.clone())
            .collect();
        assert_eq!(
            verdict(&others, Mode::Changing, request),
            format!("not granted | secrets = [{line}]"),
            "{request}"
        );
        let other = SecretRequest { name: "other", place: request.place.clone() };
        assert!(verdict(std::slice::from_ref(target), Mode::Changing, &other).starts_with(NOT), "{request}");
    }
}

const NOT: &str = "not granted";

#[test]
fn prefix_chain_program_and_variable_are_exact() {
    let target = SecretTarget::Hmac { prefix: "AWS4".to_owned(), chain: texts(&[DATE, "eu-west-1"]) };
    let dates = texts(&["20260101", "20260102", "20260103"]);
    for (prefix, chain, expected) in [
        ("AWS4", &["20260101", "eu-west-1"][..], true),
        ("AWS4", &["20260103", "eu-west-1"], true),
        ("AWS4", &["20260104", "eu-west-1"], false),
        ("AWS4", &["{date}", "eu-west-1"], false),
        ("AWS4", &["eu-west-1", "20260102"], false),
        ("AWS4", &["20260102"], false),
        ("AWS4", &["20260102", "eu-west-1", "s3"], false),
        ("AWS4", &["20260102", "eu-west-2"], false),
        ("AWS4", &[], false),
        ("", &["20260102", "eu-west-1"], false),
        ("AWS4x", &["20260102", "eu-west-1"], false),
    ] {
        let chain = texts(chain);
        let place = SecretPlace::Hmac { prefix, chain: &chain, dates: &dates };
        let said =
            verdict(std::slice::from_ref(&target), Mode::Changing, &SecretRequest { name: "token", place });
        assert_eq!(said == "fine", expected, "{prefix} {chain:?}: {said}");
    }
    let target = SecretTarget::Variable { program: "/bin/x".to_owned(), variable: "TOKEN".to_owned() };
    for (program, variable) in
        [("/bin/y", "TOKEN"), ("/bin/x", "token"), ("x", "TOKEN"), ("/bin/../bin/x", "TOKEN")]
    {
        let place = SecretPlace::Variable { program, variable };
        let said =
            verdict(std::slice::from_ref(&target), Mode::Changing, &SecretRequest { name: "token", place });
        assert!(said.starts_with(NOT), "{said}");
    }
}
