//! A hook uses secrets where an entry binds them, and sees none but what is revealed to it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::hook::Answered;
use cutover::model::grant::{
    ExecGrant, Grants, HostGroup, HttpGrant, HttpTarget, PathGrant, SecretGrant, SecretTarget,
};
use cutover::model::{Health, HookKind, HostName};
use serde_json::json;

use super::stage::{SECRET, Stage, call, hook, instance, nothing, stranger};

const LONG: Duration = Duration::from_secs(30);

/// What a deed of the stranger came to.
async fn deed(stage: &Stage, deed: &str, to: &str, backwards: bool, grants: Grants) -> Answered<Health> {
    let hook = hook(json!({"do": deed, "to": to, "backwards": backwards}), grants, LONG);
    let hook = stage.try_load(&hook, HookKind::HealthCheck, stranger()).await.unwrap();
    hook.check_health(&call(Vec::new()), &instance(1), stage.access()).await
}

fn said(answer: Answered<Health>) -> String {
    match answer.result {
        Ok(Health::Starting(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn backwards(text: &str) -> String {
    text.chars().rev().collect()
}

fn token(to: SecretTarget) -> SecretGrant {
    SecretGrant { name: HostName::new("token").unwrap(), to }
}

/// Answers one request with all of it, as body and in a header. Gives its port, and what it got.
fn reflecting() -> (u16, Arc<Mutex<String>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let got = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&got);
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut piece = [0; 4096];
        while !String::from_utf8_lossy(&request).contains("braces={}") {
            let length = stream.read(&mut piece).unwrap();
            assert_ne!(length, 0, "{}", String::from_utf8_lossy(&request));
            request.extend_from_slice(&piece[..length]);
        }
        let request = String::from_utf8(request).unwrap();
        let echo = request.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap();
        let head = format!("HTTP/1.1 200 OK\r\nX-Echo: {echo}\r\nContent-Length: {}\r\n\r\n", request.len());
        stream.write_all((head + &request).as_bytes()).unwrap();
        *kept.lock().unwrap() = request;
    });
    (port, got)
}

#[tokio::test]
async fn a_request_carries_secrets_that_the_hook_never_sees() {
    let stage = Stage::new();
    let (port, got) = reflecting();
    let origin = format!("http://127.0.0.1:{port}");
    let grants = Grants {
        http: Some(vec![HttpGrant {
            to: HttpTarget::Origin(origin.clone()),
            private: false,
            via: None,
            authorities: None,
        }]),
        secrets: Some(vec![
            token(SecretTarget::Header { origin: origin.clone(), header: "authorization".to_owned() }),
            token(SecretTarget::Body { origin: origin.clone() }),
        ]),
        ..nothing()
    };
    let answer = backwards(&said(deed(&stage, "send-secrets", &origin, true, grants.clone()).await));
    let got = got.lock().unwrap().clone();
    assert!(got.contains(&format!("\r\nauthorization: Bearer {SECRET}\r\n")), "{got}");
    assert!(got.ends_with("\r\n\r\npassword=hunter2+%26+%27correct%27-horse&braces={}"), "{got}");
    assert!(answer.starts_with("200 Some(\"Bearer ***\") POST / HTTP/1.1\r\n"), "{answer}");
    assert!(answer.contains("authorization: Bearer ***\r\n"), "{answer}");
    assert!(answer.ends_with("password=***&braces={}"), "{answer}");

    // Either without its entry is denied, with the line to add, and nothing is sent.
    let lines = [
        format!("secrets = [{{ name = \"token\", to = \"{origin}\", header = \"authorization\" }}]"),
        format!("secrets = [{{ name = \"token\", to = \"{origin}\", body = true }}]"),
    ];
    let stage = Stage::new();
    let none = Grants { secrets: Some(Vec::new()), ..grants };
    let answer = deed(&stage, "send-secrets", &origin, false, none).await;
    let denied: Vec<&str> = answer.denials.iter().map(|denied| denied.grant.as_str()).collect();
    assert_eq!(denied, lines);
    assert_eq!(
        said(answer),
        format!(
            "HttpError::Denied(\"send secret `token` in header `authorization` to {origin}: not granted\\nhint: add to the hook's \
             grants: {}\")",
            lines[0].replace('"', "\\\"")
        )
    );
}

#[tokio::test]
async fn a_program_gets_secrets_by_variable_and_input() {
    let stage = Stage::new();
    let script = stage.place.path().join("program");
    std::fs::write(&script, "#!/bin/sh\nprintf '%s|' \"$@\" \"$TOKEN\"; cat; echo \"$TOKEN\" >&2\n").unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let program = script.to_str().unwrap().to_owned();
    let exec = ExecGrant {
        hosts: HostGroup::App,
        program: program.clone(),
        args: vec!["TOKEN".to_owned(), "-".to_owned()],
        env: vec!["TOKEN".to_owned()],
        directory: Vec::new(),
        input: true,
        as_root: false,
        read_only: false,
        interpreter: false,
    };
    let bound = vec![
        token(SecretTarget::Variable { program: program.clone(), variable: "TOKEN".to_owned() }),
        token(SecretTarget::Input { program: program.clone() }),
    ];
    let grants = Grants { exec: Some(vec![exec]), secrets: Some(bound), ..nothing() };
    let answer = backwards(&said(deed(&stage, "run-with-secrets", &program, true, grants.clone()).await));
    let told = "out: \"TOKEN|-|<***>|input ***\", errors: \"<***>\\n\"";
    assert!(answer.contains(told), "{answer}");
    let none = Grants { secrets: Some(Vec::new()), ..grants };
    let answer = deed(&stage, "run-with-secrets", &program, false, none).await;
    let denied: Vec<&str> = answer.denials.iter().map(|denied| denied.grant.as_str()).collect();
    assert_eq!(
        denied,
        [
            format!("secrets = [{{ name = \"token\", exec = \"{program}\", env = \"TOKEN\" }}]"),
            format!("secrets = [{{ name = \"token\", exec = \"{program}\", input = true }}]"),
        ]
    );
}

#[tokio::test]
async fn signatures_are_made_within_the_grant() {
    let stage = Stage::new();
    let chain = vec!["{date}".to_owned(), "eu-west-1".to_owned()];
    let bound = token(SecretTarget::Hmac { prefix: "AWS4".to_owned(), chain });
    let grants = || Grants { secrets: Some(vec![bound.clone()]), ..nothing() };
    let today = today_in_utc();
    let answer = said(deed(&stage, "sign", &format!("AWS4/{today}/eu-west-1"), false, grants()).await);
    let secret = cutover::secret::Secret::new(SECRET.to_owned()).unwrap();
    let signature = secret.hmac_sha256("AWS4", &[today.clone(), "eu-west-1".to_owned()], b"data");
    assert_eq!(answer, format!("Ok(\"{}\")", cutover_host::bytes::hex(&signature)));

    let answer = deed(&stage, "sign", &format!("AWS4/{today}/us-east-1"), false, grants()).await;
    assert_eq!(
        answer.denials[0].grant,
        "secrets = [{ name = \"token\", hmac = { prefix = \"AWS4\", chain = [\"{date}\", \"us-east-1\"] } }]"
    );
    let answer = deed(&stage, "sign", "AWS4/20010101/eu-west-1", false, grants()).await;
    assert_eq!(answer.denials[0].reason, "not granted");
}

fn today_in_utc() -> String {
    let out = std::process::Command::new("date").args(["-u", "+%Y%m%d"]).output().unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn what_is_revealed_is_masked_wherever_it_turns_up() {
    let stage = Stage::new();
    let denied = deed(&stage, "reveal", "token", false, nothing()).await;
    assert_eq!(denied.denials[0].to_string(), "see secret `token`: not granted");
    assert_eq!(denied.denials[0].grant, "secrets = [{ name = \"token\", reveal = true }]");

    let reveal = |name: &str| SecretGrant { name: HostName::new(name).unwrap(), to: SecretTarget::Reveal };
    let all = || Some(vec![reveal("token"), reveal("absent"), reveal("asked")]);
    let grants = || Grants { secrets: all(), ..nothing() };
    let seen = said(deed(&stage, "reveal", "token", true, grants()).await);
    assert_eq!(backwards(&seen), format!("Ok({SECRET:?})"), "it is seen");
    assert_eq!(said(deed(&stage, "reveal", "token", false, grants()).await), "Ok(\"***\")");

    let read = PathGrant { hosts: HostGroup::App, path: "/tmp/none".to_owned() };
    let grants = Grants { read: Some(vec![read]), ..grants() };
    let leaked = deed(&stage, "leak-secret", "", false, grants.clone()).await;
    let heard = stage.heard();
    let all = format!("{leaked:?}\n{heard:#?}");
    assert!(!all.contains("hunter2") && !all.contains("horse"), "{all}");
    assert!(all.contains("it is ***") && all.contains("1/2 ***") && all.contains("printed ***"), "{all}");
    assert!(all.contains("read `/***` on `web1`"), "{all}");
    assert!(all.contains("the secret is ***"), "{all}");

    // What can't be had is told to hook and operator alike. No program is run for it in the middle of a call.
    for (name, reason) in [
        ("absent", "secret `absent`: the variable `ABSENT` is not set"),
        (
            "asked",
            "secret `asked`: `false` gives it, and this command starts no program of the configuration",
        ),
    ] {
        let code = if name == "absent" { "secret/not-set" } else { "secret/not-asked" };
        let answer = said(deed(&stage, "reveal", name, false, grants.clone()).await);
        assert_eq!(answer, format!("Err(SecretError::Other((\"{code}\", \"{reason}\")))"));
        assert_eq!(stage.heard().last(), Some(&format!("stranger Warn: {reason}")));
    }
}
