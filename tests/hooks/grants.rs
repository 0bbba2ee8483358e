//! What is not granted does not happen, and is shown even when the guest keeps quiet about it.

use cutover::model::HookKind;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use cutover::hook::Hosts as _;
use cutover::model::grant::{ExecGrant, Grants, HostGroup, HttpGrant, HttpTarget, PathGrant};
use cutover::model::{Health, HostName, Routing};
use cutover_host::operation::{Answer, Guard, Operation};

use super::stage::{Stage, call, instance, nothing};

const LONG: Duration = Duration::from_secs(30);

/// Answers one request and ends.
fn server() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).unwrap();
        let line = String::from_utf8_lossy(&request[..length]).lines().next().unwrap_or_default().to_owned();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{line}", line.len());
        stream.write_all(answer.as_bytes()).unwrap();
    });
    port
}

#[tokio::test]
async fn instances_are_reached_over_their_own_host() {
    let stage = Stage::new();
    let http = HttpGrant { to: HttpTarget::Instances, private: false, via: None, authorities: None };
    let grants = Grants { http: Some(vec![http]), ..nothing() };
    let hook = stage.load(HookKind::HealthCheck, "fetch", "", grants.clone(), LONG).await;
    let at = instance(server());
    let answer = hook.check_health(&call(vec![at.clone()]), &at, stage.access()).await;
    assert_eq!(answer.result, Ok(Health::Starting("200 GET /up HTTP/1.1".to_owned())));

    let free = instance(1);
    let answer = hook.check_health(&call(vec![free.clone()]), &free, stage.access()).await;
    match answer.result {
        Ok(Health::Starting(text)) => assert!(text.to_ascii_lowercase().contains("connect("), "{text}"),
        other => panic!("{other:?}"),
    }

    let answer = hook.check_health(&call(vec![free]), &at, stage.access()).await;
    assert_eq!(answer.denials.len(), 1, "not an instance of the call: {:?}", answer.result);
}

#[tokio::test]
async fn a_denial_that_the_guest_swallows_is_shown_with_the_line_to_add() {
    let stage = Stage::new();
    let hook = stage.load(HookKind::HealthCheck, "exec", "/usr/bin/id", nothing(), LONG).await;
    let answer = hook.check_health(&call(Vec::new()), &instance(1), stage.access()).await;
    assert!(answer.result.is_ok());
    let [denied] = &answer.denials[..] else { panic!("{:?}", answer.denials) };
    assert_eq!(denied.to_string(), "exec `/usr/bin/id one two` on `web1`: not granted");
    assert_eq!(denied.grant, r#"exec = [{ hosts = "app", program = "/usr/bin/id", args = ["one", "two"] }]"#);
    assert_eq!(stage.heard(), [format!("stranger denied {denied}")]);
}

#[tokio::test]
async fn reading_questions_read_and_validation_does_nothing() {
    let stage = Stage::new();
    let file = stage.place.path().join("flag").to_str().unwrap().to_owned();
    let path = || vec![PathGrant { hosts: HostGroup::App, path: file.clone() }];
    let grants = Grants { read: Some(path()), write: Some(path()), ..nothing() };
    let router = HostName::new("lb1").unwrap();
    let blue = Routing { blue: 100, green: 0, out: Vec::new() };

    let hook = stage.load(HookKind::Router, "write", &file, grants.clone(), LONG).await;
    let observed = hook.observe(&call(Vec::new()), &router, stage.access()).await;
    assert_eq!(observed.denials[0].reason, "this question may only read");
    assert!(!std::path::Path::new(&file).exists());
    let validated = hook.validate(stage.access()).await;
    let closed = "this question is answered out of what it tells, without asking for anything";
    assert_eq!(validated.denials[0].reason, closed);
    let mut setup = call(Vec::new());
    setup.facts.push(("setup".to_owned(), "deploy".to_owned()));
    let script = hook.prepare(&setup, &router, &blue, stage.access()).await;
    assert_eq!(script.denials[0].reason, closed);
    assert!(!std::path::Path::new(&file).exists());
    let applied = hook.apply(&call(Vec::new()), &router, &blue, stage.access()).await;
    assert_eq!((applied.result, applied.denials), (Ok(()), Vec::new()));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "content");

    let hook = stage.load(HookKind::Router, "read", &file, grants, LONG).await;
    let read = hook.features(&call(Vec::new()), stage.access()).await;
    assert_eq!(read.result, Ok(vec![r#"Ok("content")"#.to_owned()]));
    assert_eq!(stage.heard().last(), Some(&format!("stranger asks read `{file}` on `web1`")));
}

#[tokio::test]
async fn a_write_replaces_a_name_and_not_what_else_has_its_content() {
    let stage = Stage::new();
    let [outside, granted] = ["outside", "open/flag"].map(|name| stage.place.path().join(name));
    std::fs::create_dir(stage.place.path().join("open")).unwrap();
    std::fs::write(&outside, "hidden").unwrap();
    std::fs::hard_link(&outside, &granted).unwrap();
    let path = PathGrant { hosts: HostGroup::App, path: granted.to_str().unwrap().to_owned() };
    let grants = Grants { write: Some(vec![path.clone()]), ..nothing() };
    let hook = stage.load(HookKind::Router, "write", &path.path, grants, LONG).await;
    let (router, blue) = (HostName::new("lb1").unwrap(), Routing { blue: 100, green: 0, out: Vec::new() });
    let applied = hook.apply(&call(Vec::new()), &router, &blue, stage.access()).await;
    assert_eq!((applied.result, applied.denials), (Ok(()), Vec::new()));
    assert_eq!(std::fs::read_to_string(&granted).unwrap(), "content");
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "hidden");
}

#[tokio::test]
async fn without_a_lock_no_host_is_changed() {
    let stage = Stage::built_elsewhere();
    let file = stage.place.path().join("flag").to_str().unwrap().to_owned();
    let path = PathGrant { hosts: HostGroup::App, path: file.clone() };
    let grants = Grants { write: Some(vec![path]), ..nothing() };
    let (router, blue) = (HostName::new("lb1").unwrap(), Routing { blue: 100, green: 0, out: Vec::new() });
    let hook = stage.load(HookKind::Router, "write", &file, grants.clone(), LONG).await;
    let applied = hook.apply(&call(Vec::new()), &router, &blue, stage.access()).await;
    assert_eq!(applied.denials[0].reason, "no host is changed before the lock is held");
    let hook = stage.load(HookKind::HealthCheck, "write", &file, grants, LONG).await;
    let looked = hook.check_health(&call(Vec::new()), &instance(1), stage.access()).await;
    assert_eq!(looked.denials[0].reason, "this question may only read");
    assert!(!std::path::Path::new(&file).exists());
}

#[tokio::test]
async fn who_has_lost_the_lock_asks_over_http_and_changes_nothing() {
    let mut stage = Stage::new();
    let state = stage.place.path().join("state").to_str().unwrap().to_owned();
    let web1 = stage.link(&HostName::new("web1").unwrap()).unwrap();
    let raised = web1.perform(Operation::Fence { state: state.clone(), epoch: 2 }.call()).await;
    assert_eq!(raised, Ok(Answer::Done));
    let http = HttpGrant { to: HttpTarget::Instances, private: false, via: None, authorities: None };
    let grants = Grants { http: Some(vec![http]), ..nothing() };
    for (epoch, method, expected) in [
        (2, "POST", "200 POST /up HTTP/1.1".to_owned()),
        (1, "", "200 GET /up HTTP/1.1".to_owned()),
        (1, "POST", format!("`{state}` is fenced: epoch 2 holds it, not 1")),
    ] {
        stage.guard = Some(Guard { state: state.clone(), epoch, turn: None });
        let hook = stage.load(HookKind::HealthCheck, "fetch", method, grants.clone(), LONG).await;
        let at = instance(server());
        let answer = hook.check_health(&call(vec![at.clone()]), &at, stage.access()).await;
        assert!(
            matches!(&answer.result, Ok(Health::Starting(text)) if text.contains(&expected)),
            "{expected}: {:?}",
            answer.result
        );
    }
}

#[tokio::test]
async fn a_granted_program_runs() {
    let stage = Stage::new();
    let exec = ExecGrant {
        hosts: HostGroup::App,
        program: "/bin/echo".to_owned(),
        args: vec!["one".to_owned(), "*".to_owned()],
        env: Vec::new(),
        directory: Vec::new(),
        input: false,
        as_root: false,
        read_only: false,
        interpreter: false,
    };
    let grants = Grants { exec: Some(vec![exec]), ..nothing() };
    let hook = stage.load(HookKind::HealthCheck, "exec", "/bin/echo", grants, LONG).await;
    let answer = hook.check_health(&call(Vec::new()), &instance(1), stage.access()).await;
    match answer.result {
        Ok(Health::Starting(text)) => assert!(text.contains("status: 0, out: \"one two\\n\""), "{text}"),
        other => panic!("{other:?}"),
    }
}
