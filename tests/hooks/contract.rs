//! Components that were built for a contract that was released go on answering; one that was built for another contract is told what to do.
//!
//! `hooks-sdk/generate/released` has a component for each, with all that there was, kept when it was released.

use std::fs;
use std::path::Path;
use std::time::Duration;

use cutover::model::{Artifact, Color, Health, HookKind, HostName, Observation, Routing, Source};
use serde_json::json;

use super::stage::{Stage, call, hook, instance, nothing};

const LONG: Duration = Duration::from_secs(30);

/// Versions, with the components that were built for them.
fn released() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hooks-sdk/generate/released");
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = folders
        .map(|place| {
            let version = place.file_name().unwrap().to_str().unwrap().to_owned();
            (version, fs::read(place.join("guest.wasm")).unwrap())
        })
        .collect();
    all.sort();
    all
}

/// The first of them with other words in it, each as long as the one before.
fn with(changes: &[(&str, &str)]) -> Vec<u8> {
    let (_, mut wasm) = released().swap_remove(0);
    for (from, to) in changes {
        assert_eq!(from.len(), to.len());
        let places: Vec<usize> =
            (0..=wasm.len() - from.len()).filter(|at| wasm[*at..].starts_with(from.as_bytes())).collect();
        assert!(!places.is_empty(), "`{from}` is not in the component");
        for at in places {
            wasm[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
    }
    wasm
}

/// Asks all that a component of every kind can be asked. It answers zeros.
async fn ask_everything(stage: &Stage, wasm: &[u8]) {
    let hook = hook(json!({}), nothing(), LONG);
    let load = async |kind| {
        let loaded = stage.try_load(&hook, kind, wasm.to_vec()).await.unwrap();
        assert_eq!(loaded.validate(stage.access()).await.result, Ok(Vec::new()));
        loaded
    };
    let (call, access) = (call(vec![instance(4002)]), stage.access());
    let source = Source {
        revision: "9f3c2a1b".to_owned(),
        branch: "main".to_owned(),
        checkout: "/build/checkout".to_owned(),
        output: "/build/output".to_owned(),
    };
    let nowhere = Artifact { path: String::new(), version: None, labels: Vec::new() };
    assert_eq!(load(HookKind::Build).await.build(&call, &source, access).await.result, Ok(nowhere));
    let health = load(HookKind::HealthCheck).await.check_health(&call, &instance(4002), access).await;
    assert_eq!(health.result, Ok(Health::Healthy(None)));
    assert_eq!(load(HookKind::SmokeTest).await.smoke(&call, access).await.result, Ok(Vec::new()));

    let router = load(HookKind::Router).await;
    let (name, want) = (
        HostName::new("lb1").unwrap(),
        Routing { blue: 0, green: 100, out: vec![HostName::new("web1").unwrap()] },
    );
    let unknown = Observation { routing: None, settled: false, labels: Vec::new() };
    assert_eq!(router.features(&call, access).await.result, Ok(Vec::new()));
    assert_eq!(router.observe(&call, &name, access).await.result, Ok(unknown));
    assert_eq!(router.prepare(&call, &name, &want, access).await.result, Ok(String::new()));
    assert_eq!(router.apply(&call, &name, &want, access).await.result, Ok(()));
    assert_eq!(router.discard(&call, &name, access).await.result, Ok(()));
    assert_eq!(router.connections(&call, &name, Color::Blue, access).await.result, Ok(None));
}

#[tokio::test]
async fn what_was_built_for_a_released_contract_answers() {
    let stage = Stage::new();
    let released = released();
    assert_eq!(released[0].0, "0.1.0");
    for (_, wasm) in released {
        assert!(wasm.len() < 100 << 10);
        ask_everything(&stage, &wasm).await;
    }
}

#[tokio::test]
async fn what_was_built_for_a_later_patch_and_uses_nothing_new_answers() {
    ask_everything(&Stage::new(), &with(&[("@0.1.0", "@0.1.9")])).await;
}

/// Why the component of the first one is not loaded, with these changes.
async fn told(stage: &Stage, changes: &[(&str, &str)]) -> String {
    let hook = hook(json!({}), nothing(), LONG);
    let fault = stage.try_load(&hook, HookKind::Router, with(changes)).await.unwrap_err();
    format!("{}: {fault}\nhint: {}", fault.code(), fault.hint().unwrap())
}

#[tokio::test]
async fn what_was_built_for_another_contract_is_told_what_to_do() {
    let stage = Stage::new();
    for version in ["0.2.0", "1.0.0"] {
        assert_eq!(
            told(&stage, &[("@0.1.0", &format!("@{version}"))]).await,
            format!(
                "hook/other-contract: hook `stranger` was built for the contract cutover:hook@{version}, and this version of cutover \
                 speaks cutover:hook@0.1\nhint: upgrade cutover, or take an earlier build of the hook, for cutover:hook@0.1; its author \
                 makes one with what `cutover help wit` prints"
            )
        );
    }
    assert_eq!(
        told(&stage, &[("@0.1.0", "@0.0.7")]).await,
        "hook/other-contract: hook `stranger` was built for the contract cutover:hook@0.0.7, and this version of cutover speaks \
         cutover:hook@0.1\nhint: take a newer build of the hook, for cutover:hook@0.1; its author makes one with what `cutover help wit` \
         prints"
    );
    let later = "hint: it was built for cutover:hook@0.1.9, and this version of cutover speaks 0.1.0: upgrade cutover, or build it against \
                 the contract of this version of cutover: `cutover help wit` prints it";
    // An interface, and a function, that this version has not.
    assert_eq!(
        told(&stage, &[("@0.1.0", "@0.1.9"), ("hook/secret-text", "hook/secret-word")]).await,
        format!(
            "hook/unknown-import: hook `stranger` imports what this version of cutover does not offer: \
             `cutover:hook/secret-word@0.1.9`\n{later}"
        )
    );
    assert_eq!(
        told(&stage, &[("@0.1.0", "@0.1.9"), ("sleep-ms", "sleep-us")]).await,
        format!(
            "hook/unfit: hook `stranger` does not fit the contract cutover:hook@0.1: component imports instance \
             `cutover:hook/engine@0.1.9`, but a matching implementation was not found in the linker: instance export `sleep-us` has \
             the wrong type: function implementation is missing\n{later}"
        )
    );
}
