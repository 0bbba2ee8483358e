//! What is wrong with a component is said before any of its code runs.

use cutover::model::HookKind;
use std::time::Duration;

use cutover::bundled;
use cutover::hook::CodeCache;
use cutover::model::grant::Grants;
use serde_json::json;

use super::stage::{Stage, hook, nothing, stranger};

async fn fault(wasm: Vec<u8>, kind: HookKind, grants: Grants) -> String {
    let hook = hook(json!({"do": "answer"}), grants, Duration::from_secs(5));
    match Stage::new().try_load(&hook, kind, wasm).await {
        Ok(loaded) => format!("loaded {loaded:?}"),
        Err(fault) => format!("{}: {fault}", fault.code()),
    }
}

#[tokio::test]
async fn files_that_are_no_usable_component() {
    assert_eq!(
        fault(b"<!DOCTYPE html>".to_vec(), HookKind::Router, nothing()).await,
        "hook/not-a-component: hook `stranger` is not a WebAssembly component: the file is an HTML page: a download that was \
         answered with an error or a login"
    );
    let mut cut = stranger();
    cut.truncate(cut.len() / 2);
    let text = fault(cut, HookKind::Router, nothing()).await;
    assert!(text.contains("is not a WebAssembly component: the file is cut off: at least "), "{text}");
    let mut wrong = stranger();
    let middle = wrong.len() / 2;
    wrong[middle..middle + 64].fill(0xff);
    let text = fault(wrong, HookKind::Router, nothing()).await;
    assert!(text.starts_with("hook/not-compiled: hook `stranger` can't be compiled: "), "{text}");
    assert_eq!(
        fault(stranger(), HookKind::SmokeTest, nothing()).await,
        "hook/wrong-kind: hook `stranger` is not a smoke-test hook: it exports `cutover:hook/health-check@0.1.0`, \
         `cutover:hook/router@0.1.0`"
    );
    assert_eq!(
        fault(stranger(), HookKind::Router, Grants { http: Some(Vec::new()), ..Grants::default() }).await,
        "hook/missing-grant: hook `stranger` needs what cutover.toml does not grant\n\
         it imports `cutover:hook/hosts@0.1.0`: grants.exec, grants.read, grants.write, grants.link or grants.connect\n\
         it imports `cutover:hook/secrets@0.1.0`: grants.secrets\n\
         it imports `cutover:hook/secret-text@0.1.0`: grants.secrets"
    );
}

#[tokio::test]
async fn the_bundled_hooks_fit_their_kinds() {
    let stage = Stage::new();
    for bundled in bundled::HOOKS {
        let kind = bundled.kind;
        let hook = hook(json!({"nonsense": 1}), nothing(), Duration::from_secs(5));
        let loaded = stage.try_load(&hook, kind, bundled.wasm.to_vec()).await;
        let answer = loaded.unwrap().validate(stage.access()).await;
        let faults = answer.result.unwrap();
        assert!(faults.iter().any(|fault| fault.key == "nonsense"), "{}: {faults:?}", bundled.name);
    }
}

#[tokio::test]
async fn the_cache_is_used_and_a_forged_entry_is_not() {
    let stage = Stage::new();
    let place = stage.place.path();
    let cache = || CodeCache::open(&place.join("cache"), &place.join("key")).unwrap();
    let hook = hook(json!({"do": "answer"}), nothing(), Duration::from_secs(5));
    let load = || async {
        stage.pool(Some(cache())).load(&hook, HookKind::Router, stranger(), &stage).await.unwrap()
    };
    load().await;
    let entry = std::fs::read_dir(place.join("cache")).unwrap().next().unwrap().unwrap().path();
    let kept = std::fs::read(&entry).unwrap();
    let written = || std::fs::metadata(&entry).unwrap().modified().unwrap();
    let first = written();
    load().await;
    assert_eq!(written(), first, "compiled again");
    let mut forged = kept.clone();
    let middle = forged.len() / 2;
    forged[middle] ^= 0xff;
    std::fs::write(&entry, forged).unwrap();
    load().await;
    assert_eq!(std::fs::read(&entry).unwrap(), kept);
}

/// What a hook says of settings, by the key of each fault.
async fn said(bundled: &bundled::BundledHook, settings: serde_json::Value) -> Vec<(String, String)> {
    let stage = Stage::new();
    let hook = hook(settings, nothing(), Duration::from_secs(5));
    let loaded = stage.try_load(&hook, bundled.kind, bundled.wasm.to_vec()).await.unwrap();
    let faults = loaded.validate(stage.access()).await.result.unwrap();
    faults.into_iter().map(|fault| (fault.key, fault.reason)).collect()
}

#[tokio::test]
async fn the_schema_of_settings_is_what_the_hook_takes() {
    for bundled in bundled::HOOKS {
        let schema = bundled.settings_schema();
        assert_eq!(said(bundled, schema["examples"][0].clone()).await, [], "{}", bundled.name);
        let mut tables = vec![(json!({"?": 1}), schema.clone())];
        if bundled.name == "http-smoke" {
            let request = &schema["properties"]["requests"]["items"];
            tables.push((json!({"requests": [{"path": "/", "?": 1}]}), request.clone()));
            let expected = json!({"requests": [{"path": "/", "expect": {"?": 1}}]});
            tables.push((expected, request["properties"]["expect"].clone()));
        }
        for (unknown, schema) in tables {
            let (_, reason) = said(bundled, unknown).await.remove(0);
            let mut keys: Vec<&str> = reason.split('`').skip(3).step_by(2).collect();
            keys.sort_unstable();
            let mut told: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
            told.sort();
            assert_eq!(keys, told, "{}: {reason}", bundled.name);
        }
        // Each default can be written.
        for (key, property) in schema["properties"].as_object().unwrap() {
            let Some(default) = property.get("default") else { continue };
            let mut settings = schema["examples"][0].clone();
            // `style`: what it is.
            let first = property["description"].as_str().unwrap().split('`').nth(1);
            let styles = schema["properties"]["style"]["enum"].as_array().into_iter().flatten();
            if let Some(style) = styles.into_iter().find(|style| style.as_str() == first) {
                settings = json!({"style": style});
            }
            settings[key] = serde_json::from_str(&default.to_string().replace("{name}", "shop")).unwrap();
            assert_eq!(said(bundled, settings).await, [], "{}: {key}", bundled.name);
        }
    }
}
