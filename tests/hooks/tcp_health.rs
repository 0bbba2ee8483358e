//! The health check in C of `example-hooks/tcp-health`, on the real engine, at a server that speaks a line and no HTTP.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cutover::hook::HookFailure;
use cutover::model::grant::{ConnectGrant, Grants, HostGroup};
use cutover::model::{Health, HookKind, SettingFault};
use serde_json::{Value, json};

use super::languages::of_template;
use super::stage::{Stage, call, hook, instance};

/// The hook, once its own test has passed.
fn built(place: &Path) -> Option<Vec<u8>> {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../example-hooks/tcp-health");
    let files = ["hook.c", "test/hook_test.c"]
        .map(|file| (file, std::fs::read_to_string(example.join(file)).unwrap()));
    let wasm = of_template("c", HookKind::HealthCheck, "tcp-health", place, &[], &files)?;
    let tested = Command::new("make").arg("test").current_dir(place.join("tcp-health")).output().unwrap();
    assert!(tested.status.success(), "{}", String::from_utf8_lossy(&tested.stderr));
    Some(wasm)
}

/// Answers `PING` with one text after the other, and then with none.
fn server(answers: &'static [&'static str]) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = String::new();
            stream.read_to_string(&mut asked).unwrap();
            assert_eq!(asked, "PING\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_asks_a_line_and_says_what_came_back() {
    let stage = Stage::new();
    let Some(wasm) = built(stage.place.path()) else { return };
    let port = server(&["-LOADING the dataset\r\n", "+PONG\r\n", "-ERR max number of clients\r\n", ""]);
    let granted = |send: &[&str]| {
        let to = format!("tcp:127.0.0.1:{port}");
        let send = send.iter().map(|line| (*line).to_owned()).collect();
        let grant = ConnectGrant { hosts: HostGroup::App, to, send, read_only: true };
        Grants { connect: Some(vec![grant]), ..Grants::default() }
    };
    let settings = || json!({"send": "PING\r\n", "expect": "+PONG", "starting": "-LOADING"});
    let load = async |settings: Value, grants| {
        let hook = hook(settings, grants, Duration::from_secs(60));
        stage.try_load(&hook, HookKind::HealthCheck, wasm.clone()).await.unwrap()
    };
    let loaded = load(settings(), granted(&["PING"])).await;
    let mut found = Vec::new();
    for _ in 0..5 {
        let answered =
            loaded.check_health(&call(vec![instance(port)]), &instance(port), stage.access()).await;
        found.push(answered.result);
    }
    assert_eq!(
        found,
        [
            Ok(Health::Starting("answers `-LOADING the dataset`".to_owned())),
            Ok(Health::Healthy(None)),
            Ok(Health::Unhealthy("answers `-ERR max number of clients`".to_owned())),
            Ok(Health::Starting("answers ``".to_owned())),
            Ok(Health::Starting(format!("failed to connect to `127.0.0.1:{port}`: connection refused"))),
        ]
    );
    let denied = load(settings(), granted(&["INFO"])).await;
    let denied = denied.check_health(&call(vec![instance(port)]), &instance(port), stage.access()).await;
    assert!(matches!(denied.result, Err(HookFailure::Denied(_))), "{denied:?}");

    let faults = load(json!({"expect": 7, "port": 1}), granted(&[])).await;
    let fault = |key: &str, reason: &str| SettingFault { key: key.to_owned(), reason: reason.to_owned() };
    assert_eq!(
        faults.validate(stage.access()).await.result,
        Ok(vec![
            fault("expect", "is no text: 7"),
            fault("port", "there is no such key: `send`, `expect`, `starting` are accepted"),
        ])
    );
}
