//! Hooks from registries: what is pulled, what is refused, and who is sent a login.

use std::fs;

use cutover::bundled;
use serde_json::{Value, json};
use test_support::{
    Access, BASIC, Behaviour, Ended, PASSWORD, Registry, Scripted, Test, USER, assert_golden, digest,
    manifest,
};

use crate::local;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
const LAYER: &str = "application/wasm";

/// A component, by the name of the bundled hook that it is.
fn component(name: &str) -> &'static [u8] {
    bundled::hook(name).unwrap().wasm
}

fn project() -> Option<Test> {
    let test = local()?;
    test.repository.push("v1", Behaviour::Sound);
    Some(test)
}

/// A project, and a registry.
fn with_registry(access: Access) -> Option<(Test, Registry)> {
    let test = project()?;
    let registry = Registry::start(test.scratch(), access)?;
    Some((test, registry))
}

/// Runs commands and collects what a person reads of them, wherever servers listen.
struct Told {
    text: String,
    /// What stands for something else.
    words: Vec<(String, String)>,
}

impl Told {
    fn new(ports: &[(u16, &str)]) -> Self {
        let words = ports.iter().map(|(port, word)| (port.to_string(), (*word).to_owned())).collect();
        Self { text: String::new(), words }
    }

    fn run(&mut self, test: &Test, words: &[&str], status: i32) -> Ended {
        let ended = test.cutover(words).expect(status);
        let told = format!("$ cutover {}\n{}{}", words.join(" "), ended.stdout, ended.stderr);
        let mut told = test.normalise(&told);
        for (from, to) in &self.words {
            told = told.replace(from, to);
        }
        self.text.push_str(&told);
        ended
    }
}

/// Writes what `docker login` would.
fn log_in(test: &Test, config: &Value) {
    let directory = test.desk.outside("/root/.docker");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("config.json"), config.to_string()).unwrap();
}

fn lock(test: &Test) -> String {
    fs::read_to_string(test.directory().join("cutover.lock")).unwrap_or_default()
}

fn forget_downloads(test: &Test) {
    fs::remove_dir_all(test.desk.outside("/root/.cache/cutover/hooks")).unwrap();
}

#[test]
fn a_tag_is_looked_at_by_add_and_update_alone() {
    let Some((mut test, registry)) = with_registry(Access::Open) else { return };
    let first = registry.push("hooks/smoke", "1", component("http-smoke"));
    let mut told = Told::new(&[(registry.port(), "PORT")]);
    let reference = registry.reference("hooks/smoke:1");
    told.run(&test, &["hook", "inspect", &reference], 0);
    assert_eq!(lock(&test), "");
    told.run(&test, &["hook", "add", &reference], 0);
    test.configure(
        "hook = \"builtin:http-smoke\"\n",
        &format!("hook = \"{reference}\"\ngrants = {{ http = [{{ to = \"instances\" }}] }}\n"),
    );
    let locked = lock(&test);
    assert!(locked.contains("source = \"oci\""), "{locked}");
    assert!(
        locked.contains(&format!("resolved = \"{}\"", registry.reference(&format!("hooks/smoke@{first}")))),
        "{locked}"
    );
    told.run(&test, &["hook", "update", "--locked"], 0);
    told.run(&test, &["check", "--locked"], 0);

    // Its owner gives the tag to another component: what is locked stays what it is, on new machines too.
    let second = registry.push("hooks/smoke", "1", component("nginx"));
    forget_downloads(&test);
    told.run(&test, &["check"], 11);
    told.run(&test, &["hook", "fetch", "--offline"], 11);
    told.run(&test, &["hook", "fetch"], 0);
    told.run(&test, &["check", "--locked"], 0);
    told.run(&test, &["hook", "update", "--offline"], 0);
    told.run(&test, &["hook", "update", "--locked"], 50);
    assert_eq!(lock(&test), locked);
    told.run(&test, &["hook", "update"], 0);
    assert!(lock(&test).contains(&second));
    // What it asks for now is not granted.
    told.run(&test, &["check"], 50);

    // The first one again, by another manifest.
    let annotated = {
        let layer = registry.blob("hooks/smoke", LAYER, component("http-smoke"));
        let mut text = manifest(&registry.blob("hooks/smoke", CONFIG, b"{}"), &[layer]);
        text["annotations"] = json!({ "org.opencontainers.image.version": "1" });
        registry.manifest("hooks/smoke", "1", MANIFEST, &text)
    };
    told.run(&test, &["hook", "update"], 0);
    assert!(lock(&test).contains(&annotated));

    // A copy in the project needs no registry.
    told.run(&test, &["hook", "vendor"], 0);
    forget_downloads(&test);
    let copied = lock(&test);
    drop(registry);
    told.run(&test, &["check", "--locked"], 0);
    told.run(&test, &["hook", "fetch"], 0);
    told.run(&test, &["hook", "vendor"], 0);
    assert_eq!(lock(&test), copied);
    let copies = test.directory().join("hooks/vendor");
    fs::write(fs::read_dir(copies).unwrap().next().unwrap().unwrap().path(), component("nginx")).unwrap();
    told.run(&test, &["check"], 60);
    // Beginnings of digests are in names of files.
    let shown: String = told.text.lines().map(|line| without_digits(line) + "\n").collect();
    assert_golden("registry-tag.txt", &shown);
}

/// A line with words for the beginning of a digest in a file's name.
fn without_digits(line: &str) -> String {
    match line.split_once("vendor/smoke-") {
        Some((before, after)) => format!("{before}vendor/smoke-DIGITS{}", &after[12..]),
        None => line.to_owned(),
    }
}

#[test]
fn what_a_registry_may_have() {
    let Some((test, registry)) = with_registry(Access::Open) else { return };
    let mut told = Told::new(&[(registry.port(), "PORT")]);
    let (smoke, nginx) = (component("http-smoke"), component("nginx"));
    let sound = registry.push("lb", "sound", smoke);
    let config = registry.blob("lb", CONFIG, b"{}");
    let layer = registry.blob("lb", LAYER, smoke);
    let push = |tag: &str, config: &Value, layers: &[Value]| {
        registry.manifest("lb", tag, MANIFEST, &manifest(config, layers))
    };
    push(
        "image",
        &registry.blob("lb", "application/vnd.oci.image.config.v1+json", b"{}"),
        std::slice::from_ref(&layer),
    );
    push("two", &config, &[layer.clone(), layer.clone()]);
    push("tar", &config, &[registry.blob("lb", "application/vnd.oci.image.layer.v1.tar+gzip", smoke)]);
    for (tag, content) in [
        ("native", &b"\x7fELF\x02\x01\x01"[..]),
        ("module", b"\0asm\x01\0\0\0"),
        ("page", b"<!DOCTYPE html><title>404</title>"),
        ("cut", &smoke[..10_000]),
    ] {
        push(tag, &config, &[registry.blob("lb", LAYER, content)]);
    }
    let index = "application/vnd.oci.image.index.v1+json";
    let entry = json!({ "mediaType": MANIFEST, "digest": sound, "size": manifest(&config, &[layer]).to_string().len() });
    registry.manifest(
        "lb",
        "index",
        index,
        &json!({ "schemaVersion": 2, "mediaType": index, "manifests": [entry] }),
    );

    for (rest, status) in [
        ("lb:none", 11),
        ("none/of/it:1", 11),
        ("lb", 2),
        (&format!("lb@{}", digest(b"no manifest")), 11),
        ("lb:index", 50),
        ("lb:image", 50),
        ("lb:two", 50),
        ("lb:tar", 50),
        ("lb:native", 50),
        ("lb:module", 50),
        ("lb:page", 50),
        ("lb:cut", 50),
    ] {
        told.run(&test, &["hook", "add", &registry.reference(rest)], status);
        assert_eq!(lock(&test), "");
    }
    told.run(&test, &["hook", "add", &registry.reference(&format!("lb@{sound}"))], 0);

    // Who can write to the registry's disk puts another component there, or less of it.
    registry.tamper(smoke, nginx);
    let pinned = registry.reference(&format!("lb@{sound}"));
    told.run(&test, &["hook", "inspect", &registry.reference("lb:sound")], 60);
    let mut same_size = smoke.to_vec();
    *same_size.last_mut().unwrap() ^= 1;
    registry.tamper(smoke, &same_size);
    told.run(&test, &["hook", "inspect", &registry.reference("lb:sound")], 60);
    registry.tamper(smoke, &smoke[..10_000]);
    told.run(&test, &["hook", "inspect", &pinned], 60);
    // And who is asked for one that is locked.
    let mut test = test;
    test.configure(
        "hook = \"builtin:http-smoke\"\n",
        &format!("hook = \"{pinned}\"\ngrants = {{ http = [{{ to = \"instances\" }}] }}\n"),
    );
    told.run(&test, &["hook", "fetch"], 0);
    forget_downloads(&test);
    told.run(&test, &["hook", "fetch"], 60);
    told.run(&test, &["deploy"], 11);
    // That of a hook that comes with the program changes with it.
    let sized = |line: &str| match line.split_once("at least ") {
        Some((before, after)) => format!("{before}at least N{}", after.trim_start_matches(char::is_numeric)),
        None => line.to_owned(),
    };
    let words: Vec<_> = told
        .text
        .lines()
        .map(|line| sized(line).replace(&digest(b"no manifest"), "sha256:DIGEST") + "\n")
        .collect();
    assert_golden("registry-answers.txt", &words.concat());
}

#[test]
fn a_login_is_taken_from_where_docker_keeps_it() {
    let Some((mut test, registry)) = with_registry(Access::Login) else { return };
    registry.push("team/lb", "1", component("http-smoke"));
    let mut told = Told::new(&[(registry.port(), "PORT")]);
    let (reference, name) = (registry.reference("team/lb:1"), format!("127.0.0.1:{}", registry.port()));
    let inspect = ["hook", "inspect", &reference];
    let known = json!({ "auth": BASIC });
    for config in [
        json!({}),
        json!({ "auths": { &name: {} }, "credsStore": "desktop" }),
        json!({ "credHelpers": { &name: "ecr-login" }, "auths": { &name: known } }),
        json!({ "auths": { &name: { "auth": BASIC, "identitytoken": PASSWORD } } }),
        json!({ "auths": { &name: { "username": USER, "password": "canary-of-another" } } }),
        json!({ "auths": { &name: { "auth": PASSWORD } } }),
        json!({ "auths": { &name: PASSWORD } }),
        // That of another registry is not sent to this one.
        json!({ "auths": { "registry.example.com": known, format!("{name}0"): known } }),
    ] {
        log_in(&test, &config);
        told.run(&test, &inspect, 11);
    }
    for config in [
        json!({ "auths": { &name: known } }),
        json!({ "auths": { format!("http://{name}/v2/"): { "username": USER, "password": PASSWORD } }, "credsStore": "desktop" }),
    ] {
        log_in(&test, &config);
        let _ = test.cutover(&inspect).expect(0);
    }
    told.run(&test, &["hook", "inspect", &registry.reference("team/none:1")], 11);

    let elsewhere = test.desk.outside("/root/logins");
    fs::create_dir_all(&elsewhere).unwrap();
    fs::rename(test.desk.outside("/root/.docker/config.json"), elsewhere.join("config.json")).unwrap();
    told.run(&test, &inspect, 11);
    test.variables = vec![("DOCKER_CONFIG".to_owned(), "/root/logins".to_owned())];
    told.run(&test, &["hook", "add", &reference], 0);
    for canary in [PASSWORD, BASIC, "canary-of-another"] {
        assert!(!told.text.contains(canary) && !lock(&test).contains(canary), "{}", told.text);
    }
    assert_golden("registry-login.txt", &told.text);
}

#[test]
fn by_its_name_a_registry_is_spoken_to_over_tls_alone() {
    let Some((mut test, registry)) = with_registry(Access::Encrypted) else { return };
    let mut told = Told::new(&[(registry.port(), "PORT")]);
    let name = format!("localhost:{}", registry.port());
    log_in(&test, &json!({ "auths": { &name: { "auth": BASIC } } }));
    let reference = format!("oci://{name}/lb:1");
    // Nobody has told whom to trust.
    test.variables = vec![("SSL_CERT_FILE".to_owned(), "/dev/null".to_owned())];
    told.run(&test, &["hook", "inspect", &reference], 11);
    test.variables = registry.variables();
    // The login is sent: there is no such repository.
    told.run(&test, &["hook", "inspect", &reference], 11);
    let plain = Scripted::start(|_| (200, String::new(), Vec::new()));
    told.words.push((plain.port().to_string(), "PORT".to_owned()));
    told.run(&test, &["hook", "inspect", &format!("oci://localhost:{}/lb:1", plain.port())], 11);
    assert_eq!(plain.asked(), []);
    assert_golden("registry-tls.txt", &told.text);
}

/// A registry that has one component, `lb:1`, for who brings a token, and sends for it to `realm`.
fn behind_a_token(realm: String) -> Scripted {
    Scripted::start(move |asked| {
        let wasm = component("http-smoke");
        let descriptor = |media_type: &str, content: &[u8]| json!({ "mediaType": media_type, "digest": digest(content), "size": content.len() });
        let manifest = manifest(&descriptor(CONFIG, b"{}"), &[descriptor(LAYER, wasm)]).to_string();
        if asked.authorization != "Bearer token-of-the-realm" {
            let challenge = format!(
                "WWW-Authenticate: Bearer realm=\"{realm}\",service=\"lb & co\",scope=\"registry:*:*\"\r\n"
            );
            return (401, challenge, Vec::new());
        }
        match asked.target.as_str() {
            "/v2/lb/manifests/1" => (200, format!("Content-Type: {MANIFEST}\r\n"), manifest.into_bytes()),
            target if target == format!("/v2/lb/blobs/{}", digest(wasm)) => {
                (200, String::new(), wasm.to_vec())
            }
            _ => (404, String::new(), Vec::new()),
        }
    })
}

#[test]
fn a_login_goes_to_the_origin_that_it_is_for() {
    let Some(test) = project() else { return };
    let realm = Scripted::start(|asked| match asked.authorization.as_str() {
        "Basic d3Jvbmc6cGFzc3dvcmQ=" => (401, String::new(), Vec::new()),
        "" if asked.target.contains("private") => (403, String::new(), Vec::new()),
        _ => (200, String::new(), br#"{ "token": "token-of-the-realm", "expires_in": 300 }"#.to_vec()),
    });
    let registry = behind_a_token(format!("http://127.0.0.1:{}/token?x=y", realm.port()));
    let mut told = Told::new(&[(registry.port(), "PORT"), (realm.port(), "REALM")]);
    let reference = format!("oci://127.0.0.1:{}/lb:1", registry.port());
    let inspect = ["hook", "inspect", &reference];
    let (own, other) = (format!("127.0.0.1:{}", registry.port()), format!("127.0.0.1:{}", realm.port()));
    let (known, wrong) = (json!({ "auth": BASIC }), json!({ "auth": "d3Jvbmc6cGFzc3dvcmQ=" }));

    // Nobody has one: the token is asked for without.
    told.run(&test, &inspect, 0);
    let asked = realm.asked();
    let target = "/token?x=y&service=lb+%26+co&scope=repository%3Alb%3Apull";
    assert_eq!((asked[0].target.as_str(), asked[0].authorization.as_str(), asked.len()), (target, "", 1));
    let _ = registry.asked();

    // One for the registry: it goes to no other origin, unless the operator has it for that one too.
    log_in(&test, &json!({ "auths": { &own: known } }));
    told.run(&test, &inspect, 11);
    assert_eq!(realm.asked(), []);
    log_in(&test, &json!({ "auths": { &own: known, &other: wrong } }));
    told.run(&test, &inspect, 11);
    assert_eq!(realm.asked(), []);
    log_in(&test, &json!({ "auths": { &own: known, &other: known } }));
    told.run(&test, &inspect, 0);
    assert_eq!(realm.asked()[0].authorization, format!("Basic {BASIC}"));
    log_in(&test, &json!({ "auths": { &own: wrong, &other: wrong } }));
    told.run(&test, &inspect, 11);
    let _ = realm.asked();

    // One for the realm alone: a stranger's registry gets no token by it.
    log_in(&test, &json!({ "auths": { &other: known } }));
    told.run(&test, &inspect, 0);
    assert_eq!(realm.asked()[0].authorization, "");
    told.run(&test, &["hook", "inspect", &reference.replace("lb:1", "private:1")], 11);
    for asked in registry.asked() {
        assert!(matches!(asked.authorization.as_str(), "" | "Bearer token-of-the-realm"), "{asked:?}");
    }

    // A realm that others could listen to.
    let open = behind_a_token("http://auth.example.com/token".to_owned());
    told.words.push((open.port().to_string(), "PORT".to_owned()));
    log_in(&test, &json!({ "auths": { format!("127.0.0.1:{}", open.port()): known } }));
    told.run(&test, &["hook", "inspect", &format!("oci://127.0.0.1:{}/lb:1", open.port())], 11);
    assert_golden("registry-realm.txt", &told.text);
}

#[test]
fn a_registry_gets_no_more_than_it_may_and_shows_nothing_of_what_it_got() {
    let Some(test) = project() else { return };
    let blobs = Scripted::start(|_| (200, String::new(), component("http-smoke").to_vec()));
    let place = blobs.port();
    let registry = Scripted::start(move |asked| {
        let wasm = component("http-smoke");
        let descriptor = |media_type: &str, content: &[u8]| json!({ "mediaType": media_type, "digest": digest(content), "size": content.len() });
        if asked.authorization.is_empty() {
            return (401, "WWW-Authenticate: Basic realm=\"x\"\r\n".to_owned(), Vec::new());
        }
        let manifest = |config: &str| {
            manifest(&descriptor(config, b"{}"), &[descriptor(LAYER, wasm)]).to_string().into_bytes()
        };
        let typed = format!("Content-Type: {MANIFEST}\r\n");
        let to = |place: &str| (307, format!("Location: {place}\r\n"), Vec::new());
        match asked.target.as_str() {
            "/v2/lb/manifests/1" => (200, typed, manifest(CONFIG)),
            "/v2/lb/manifests/echo" => {
                (200, typed, manifest(&format!("text/{PASSWORD}; {}", asked.authorization)))
            }
            "/v2/lb/manifests/flood" => (200, typed, vec![b' '; 5 << 20]),
            "/v2/lb/manifests/round" => to("/v2/lb/manifests/round"),
            "/v2/lb/manifests/plain" => to(&format!("http://registry.example.com/{PASSWORD}")),
            "/v2/lb/manifests/nowhere" => to(PASSWORD),
            "/v2/lb/manifests/broken" => (500, String::new(), asked.authorization.clone().into_bytes()),
            _ => to(&format!("http://127.0.0.1:{place}/somewhere")),
        }
    });
    log_in(&test, &json!({ "auths": { format!("127.0.0.1:{}", registry.port()): { "auth": BASIC } } }));
    let mut told = Told::new(&[(registry.port(), "PORT"), (place, "BLOBS")]);
    for (tag, status) in
        [("1", 0), ("echo", 50), ("flood", 11), ("round", 11), ("plain", 11), ("nowhere", 11), ("broken", 11)]
    {
        told.run(
            &test,
            &["hook", "inspect", &format!("oci://127.0.0.1:{}/lb:{tag}", registry.port())],
            status,
        );
    }
    // Where blobs really are, nobody is told who asks.
    let asked = blobs.asked();
    assert_eq!(
        (asked[0].target.as_str(), asked[0].authorization.as_str(), asked.len()),
        ("/somewhere", "", 1)
    );
    for canary in [PASSWORD, BASIC] {
        assert!(!told.text.contains(canary), "{}", told.text);
    }
    drop(registry);
    assert_golden("registry-bounds.txt", &told.text);
}
