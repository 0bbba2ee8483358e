//! The smoke test in TypeScript of `example-hooks/json-api`, on the real engine, at an API that keeps notes; and what was recorded of that.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::config::write_case;
use cutover::hook::{Access, Between, Recorder};
use cutover::model::case::{Asked, HookCase};
use cutover::model::grant::{Grants, HttpGrant, HttpTarget};
use cutover::model::{HookKind, SettingFault};
use serde_json::{Value, json};
use test_support::toolchain;

use super::stage::{Stage, call, hook, instance};

const EXAMPLE: &str = "../example-hooks/json-api";

/// Its component, as the page beside it says. None, with a word why, where it can't be built.
fn built(place: &Path) -> Option<Vec<u8>> {
    let cutover = |directory: &Path, words: &[&str]| {
        let ended = Command::new(env!("CARGO_BIN_EXE_cutover"))
            .args(words)
            .current_dir(directory)
            .env("HOME", place)
            .output();
        let ended = ended.unwrap();
        assert!(ended.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ended.stderr));
    };
    cutover(place, &["hook", "new", "json-api", "--kind", "smoke-test", "--lang", "ts"]);
    let directory = place.join("json-api");
    toolchain("ts", &directory)?;
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(EXAMPLE).join("hook.ts"), directory.join("hook.ts"))
        .unwrap();
    cutover(&directory, &["hook", "build"]);
    Some(fs::read(directory.join("json-api.wasm")).unwrap())
}

/// What an API does wrong.
#[derive(Clone, Copy, PartialEq)]
enum Sin {
    None,
    Forgets,
    Keeps,
}

/// An API that keeps notes; its port.
fn api(sin: Sin) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let notes = Arc::<Mutex<BTreeMap<String, Value>>>::default();
    std::thread::spawn(move || listener.incoming().for_each(|stream| serve(stream.unwrap(), &notes, sin)));
    port
}

fn serve(mut stream: TcpStream, notes: &Mutex<BTreeMap<String, Value>>, sin: Sin) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    while reader.read_line(&mut head).unwrap() > 2 {
        let last = head.lines().last().unwrap_or_default().to_ascii_lowercase();
        length = last.strip_prefix("content-length: ").map_or(length, |text| text.parse().unwrap());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let asked: Vec<&str> = head.lines().next().unwrap().split(' ').take(2).collect();
    let mut notes = notes.lock().unwrap();
    let (status, answer) = match asked.as_slice() {
        ["GET", "/api/products"] => {
            (200, json!({ "items": [{ "price": 12.5, "currency": "EUR", "tags": [] }] }))
        }
        ["POST", "/api/notes"] => {
            let mut note: Value = serde_json::from_slice(&body).unwrap();
            note["id"] = json!("n 1");
            if sin != Sin::Forgets {
                notes.insert("/api/notes/n%201".to_owned(), note.clone());
            }
            (201, note)
        }
        ["DELETE", place] if sin != Sin::Keeps => {
            (if notes.remove(*place).is_some() { 204 } else { 404 }, Value::Null)
        }
        ["DELETE", _] => (204, Value::Null),
        ["GET", place] => notes.get(*place).map_or((404, Value::Null), |note| (200, note.clone())),
        _ => (405, Value::Null),
    };
    let text = if answer.is_null() { String::new() } else { answer.to_string() };
    let answer =
        format!("HTTP/1.1 {status} So\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len());
    stream.write_all(answer.as_bytes()).unwrap();
}

fn settings() -> Value {
    json!({
        "budget-ms": 5000,
        "checks": [{
            "name": "catalogue",
            "path": "/api/products",
            "equals": { "items.0.currency": "EUR" },
            "types": { "items.0.price": "number", "items.0.tags": "array" },
        }],
        "write": { "path": "/api/notes", "body": { "text": "für immer?", "to": { "all": true } } },
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_is_held_against_its_settings_and_nothing_is_left() {
    let stage = Stage::new();
    let Some(wasm) = built(stage.place.path()) else { return };
    let http = HttpGrant { to: HttpTarget::Instances, private: false, via: None, authorities: None };
    let grants = Grants { http: Some(vec![http]), ..Grants::default() };
    let load = async |settings: Value| {
        let hook = hook(settings, grants.clone(), Duration::from_secs(60));
        stage.try_load(&hook, HookKind::SmokeTest, wasm.clone()).await.unwrap()
    };
    let run = async |settings: Value, port: u16| {
        let cases =
            load(settings).await.smoke(&call(vec![instance(port)]), stage.access()).await.result.unwrap();
        let case = |case: cutover::model::Case| {
            format!("{}: {:?}", case.name.trim_end_matches(" on web1"), case.outcome)
        };
        cases.into_iter().map(case).collect::<Vec<_>>()
    };

    let hook = load(settings()).await;
    let (port, recorder) = (api(Sin::None), Recorder::default());
    let call = call(vec![instance(port)]);
    let access = Access { between: Some(Between::Recorder(&recorder)), ..stage.access() };
    let answered = hook.ask_for(&Asked::Smoke, &call, access).await.result.unwrap();
    let heard = recorder.into_heard().calls.into_iter().map(|(call, _)| call).collect();
    let case = HookCase::kept(&hook.put(&call, &Asked::Smoke), heard, BTreeMap::new(), answered);
    let text = write_case(&case).unwrap().replace(&port.to_string(), "4001");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join(EXAMPLE).join("cases/notes.toml");
    if std::env::var_os("CUTOVER_UPDATE").is_some() {
        fs::write(&kept, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(&kept).unwrap(), text);
    let replayed = Command::new(env!("CARGO_BIN_EXE_cutover"))
        .args(["hook", "test", "json-api/json-api.wasm"])
        .arg(kept.canonicalize().unwrap())
        .current_dir(stage.place.path())
        .env("HOME", stage.place.path())
        .output()
        .unwrap();
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stdout));

    let passed = ["catalogue: Passed", "write: Passed", "read back: Passed", "clean-up: Passed"];
    assert_eq!(run(settings(), port).await, passed);
    let mut wrong = settings();
    wrong["checks"][0]["equals"] = json!({ "items.0.price": 13, "items.1": {} });
    assert_eq!(run(wrong, port).await[0], "catalogue: Failed(\"`items.0.price` is `12.5` instead of `13`\")");
    let forgets = run(settings(), api(Sin::Forgets)).await;
    assert_eq!(
        forgets[2..],
        [
            "read back: Failed(\"answers 404 instead of 200\")",
            "clean-up: Failed(\"DELETE is answered with 404: `/api/notes/n%201` is left\")"
        ]
    );
    let keeps = run(settings(), api(Sin::Keeps)).await;
    assert_eq!(keeps[3], "clean-up: Failed(\"`/api/notes/n%201` answers 200 after DELETE\")");

    let faults = load(json!({ "shade": 1, "checks": [{ "path": "up", "types": { "a": "text" } }], "write": { "path": "/x" } })).await;
    let fault = |key: &str, reason: &str| SettingFault { key: key.to_owned(), reason: reason.to_owned() };
    assert_eq!(
        faults.validate(stage.access()).await.result,
        Ok(vec![
            fault("shade", "there is no such key: `budget-ms`, `checks`, `write` are accepted"),
            fault("checks[0]", "`path` does not begin with `/`: `up`"),
            fault("checks[0]", "lacks `name`: what people call it"),
            fault("checks[0].types.a", "`text` is none of null, boolean, number, string, array, object"),
            fault("write", "lacks `body`: the table that is sent"),
        ])
    );
}
