//! The smoke test in Python of `example-hooks/login`, on the real engine, at a site with a form, a token, cookies and an API.
//! `CUTOVER_TEST_NIGHTLY=1` runs it: building it takes a while.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use cutover::hook::HookFailure;
use cutover::model::grant::{Grants, HttpGrant, HttpTarget, SecretGrant, SecretTarget};
use cutover::model::{Case, CaseOutcome, HookKind, Name, SettingFault};
use serde_json::{Value, json};
use test_support::componentize_py;

use super::languages::{contract, made};
use super::stage::{Stage, call, hook, instance, nothing};

const EXAMPLE: &str = "../example-hooks/login";
/// `stage::SECRET`, as a form has it.
const PASSWORD: &str = "hunter2+%26+%27correct%27-horse";

fn built(place: &Path) -> Option<Vec<u8>> {
    let mut build = componentize_py()?;
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join(EXAMPLE);
    let world = std::fs::read_to_string(example.join("wit/world.wit")).unwrap();
    build.arg("-d").arg(contract(place, &world)).args(["-w", "hook", "componentize", "app", "-p"]);
    // Python leaves its own files beside the source.
    std::fs::copy(example.join("app.py"), place.join("app.py")).unwrap();
    Some(made(build.arg(place), place))
}

/// A site at which `ann` can log in. It thinks that it is `shop.example`.
fn site() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().for_each(|stream| serve(stream.unwrap())));
    port
}

fn serve(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    while reader.read_line(&mut head).unwrap() > 2 {
        let last = head.lines().last().unwrap_or_default().to_ascii_lowercase();
        length = last.strip_prefix("content-length: ").map_or(length, |text| text.parse().unwrap());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let asked: Vec<&str> = head.lines().next().unwrap().split(' ').take(2).collect();
    let cookie = head.lines().find_map(|line| line.strip_prefix("cookie: ")).unwrap_or_default();
    let form = "<p>Who are you?<form action=\"login\" method=\"post\"><input type=hidden name=token value=\"a&amp;b\">\
                <input name=user><input type=password name=password></form>";
    let sent = format!("token=a%26b&user=ann&password={PASSWORD}");
    let knows = cookie == "visit=1; session=s1";
    let (status, headers, text) = match asked.as_slice() {
        ["GET", "/login"] => ("200 OK", "Set-Cookie: visit=1; Path=/\r\n", form),
        ["POST", "/login"] if cookie == "visit=1" && body == sent.as_bytes() => (
            "303 See Other",
            "Set-Cookie: session=s1; HttpOnly\r\nLocation: https://shop.example/account\r\n",
            "",
        ),
        ["POST", "/login"] => ("200 OK", "", form),
        ["GET", "/account"] if knows => ("200 OK", "", "Your orders: none"),
        ["GET", "/me"] if knows => ("200 OK", "Content-Type: application/json\r\n", "{\"user\": \"ann\"}"),
        _ => ("404 Not Found", "", "no"),
    };
    let length = text.len();
    let answer =
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{text}");
    stream.write_all(answer.as_bytes()).unwrap();
}

fn grants() -> Grants {
    let http = HttpGrant { to: HttpTarget::Instances, private: false, via: None, authorities: None };
    let secret = SecretGrant { name: Name::new("token").unwrap(), to: SecretTarget::Reveal };
    Grants { http: Some(vec![http]), secrets: Some(vec![secret]), ..Grants::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_logs_in_or_says_where_it_ends() {
    let stage = Stage::new();
    let Some(wasm) = built(stage.place.path()) else { return };
    let port = site();
    let load = async |settings: Value, grants| {
        let hook = hook(settings, grants, Duration::from_secs(60));
        stage.try_load(&hook, HookKind::SmokeTest, wasm.clone()).await.unwrap()
    };
    let run = async |settings, grants| {
        let answered = load(settings, grants).await.smoke(&call(vec![instance(port)]), stage.access()).await;
        answered.result.map(|cases| {
            cases.into_iter().map(|Case { name, outcome, .. }| (name, outcome)).collect::<Vec<_>>()
        })
    };
    let case = |name: &str, outcome| (format!("{name} on web1"), outcome);
    let settings = |user: &str, says: &str| json!({"user": user, "password": "token", "page": "/account", "says": says, "api": "/me"});
    let passed = ["login", "page", "api"].map(|name| case(name, CaseOutcome::Passed));
    assert_eq!(run(settings("ann", "Your orders"), grants()).await, Ok(passed.to_vec()));
    let skipped = || CaseOutcome::Skipped("login failed".to_owned());
    assert_eq!(
        run(settings("bob", "Your orders"), grants()).await,
        Ok(vec![
            case("login", CaseOutcome::Failed("`bob` is not let in: the form is shown again".to_owned())),
            case("page", skipped()),
            case("api", skipped()),
        ])
    );
    assert_eq!(
        run(settings("ann", "Your cart"), grants()).await.map(|cases| cases[1].clone()),
        Ok(case("page", CaseOutcome::Failed("`/account` does not say `Your cart`".to_owned())))
    );
    let denied = run(settings("ann", ""), nothing()).await;
    assert!(matches!(denied, Err(HookFailure::Denied(_))), "{denied:?}");

    let faults = load(json!({"user": 7, "shade": "blue", "page": "account"}), grants()).await;
    let fault = |key: &str, reason: &str| SettingFault { key: key.to_owned(), reason: reason.to_owned() };
    assert_eq!(
        faults.validate(stage.access()).await.result,
        Ok(vec![
            fault(
                "shade",
                "there is no such key: `user`, `password`, `form`, `user-field`, `password-field`, `page`, `says`, `api` are accepted"
            ),
            fault("", "lacks `password`: the name of the secret that is the password"),
            fault("user", "is no text: 7"),
            fault("page", "`account` does not begin with `/`"),
        ])
    );
}
