//! Hooks of others are those that were meant, to the byte: what `cutover hook` tells and writes, and what every load compares.

use std::fs;
use std::path::PathBuf;

use cutover::bundled;
use test_support::{Behaviour, Ended, Test, TlsFiles, assert_golden};

use crate::local;

/// What a person reads.
fn told(test: &Test, ended: Ended) -> String {
    test.normalise(&(ended.stdout + &ended.stderr))
}

/// A component, by the name of the bundled hook that it is.
fn component(name: &str) -> &'static [u8] {
    bundled::hook(name).unwrap().wasm
}

/// A project whose smoke test is a component of its own at `hooks/smoke.wasm`.
fn with_path() -> Option<Test> {
    let mut test = local()?;
    test.repository.push("v1", Behaviour::Sound);
    fs::create_dir_all(test.directory().join("hooks")).unwrap();
    fs::write(test.directory().join("hooks/smoke.wasm"), component("http-smoke")).unwrap();
    name_hook(&mut test, "hooks/smoke.wasm");
    Some(test)
}

fn name_hook(test: &mut Test, source: &str) {
    test.configure(
        "hook = \"builtin:http-smoke\"\n",
        &format!("hook = \"{source}\"\ngrants = {{ http = [{{ to = \"instances\" }}] }}\n"),
    );
}

/// A project whose smoke test lies on a web server.
fn with_url() -> Option<(Test, TlsFiles)> {
    let mut test = local()?;
    test.repository.push("v1", Behaviour::Sound);
    let server = TlsFiles::start(test.scratch())?;
    server.put("smoke.wasm", component("http-smoke"));
    name_hook(&mut test, &server.url("smoke.wasm"));
    test.variables = server.variables();
    Some((test, server))
}

/// What a person reads, wherever the server listens.
fn told_of(test: &Test, server: &TlsFiles, ended: Ended) -> String {
    told(test, ended).replace(&server.port().to_string(), "PORT")
}

fn lock(test: &Test) -> String {
    fs::read_to_string(test.directory().join("cutover.lock")).unwrap_or_default()
}

/// Where components lie that were fetched.
fn downloads(test: &Test) -> PathBuf {
    test.desk.outside("/root/.cache/cutover/hooks")
}

#[test]
fn a_component_is_told_in_the_words_of_grants() {
    let Some(test) = with_path() else { return };
    let mut text = String::new();
    for name in
        ["hooks/smoke.wasm", "checkout", "health-check", "builtin:nginx", "builtin:pigeon", "hooks/none.wasm"]
    {
        text.push_str(&format!("$ cutover hook inspect {name}\n"));
        text.push_str(&told(&test, test.cutover(&["hook", "inspect", name])));
    }
    assert_golden("hook-inspect.txt", &text);
    let view = test.cutover(&["hook", "inspect", "hooks/smoke.wasm", "--json"]).expect(0).last_event();
    assert_eq!(view["kinds"][0]["kind"], "smoke-test");
    assert_eq!(view["size"], component("http-smoke").len());
    assert_eq!(view["grants"], "http = []\n");
}

#[test]
fn what_is_no_component_is_named_for_what_it_is() {
    let Some(test) = with_path() else { return };
    let cut = &component("http-smoke")[..10_000];
    let files: [(&str, &[u8]); 5] = [
        ("page.wasm", b"<!DOCTYPE html><title>404</title>"),
        ("native.wasm", b"\x7fELF\x02\x01\x01"),
        ("module.wasm", b"\0asm\x01\0\0\0"),
        ("cut.wasm", cut),
        ("nothing.wasm", b"\0asm\x0d\0\x01\0"),
    ];
    let mut text = String::new();
    for (name, content) in files {
        fs::write(test.directory().join(name), content).unwrap();
        text.push_str(&format!("$ cutover hook add {name}\n"));
        text.push_str(&told(&test, test.cutover(&["hook", "add", name]).expect(50)));
    }
    let missing = text.split_once("at least ").unwrap().1.split(' ').next().unwrap().to_owned();
    assert_golden("hook-no-component.txt", &text.replace(&missing, "SOME"));
    assert_eq!(lock(&test), "");
}

#[test]
fn a_mistyped_source_is_told_as_one() {
    let Some(test) = with_path() else { return };
    let mut text = String::new();
    let sources = [
        "http://hooks.example.com/lb.wasm",
        "ftp://hooks.example.com/lb.wasm",
        "oci:registry.example.com/hooks/lb:1",
        "oci://registry.example.com/hooks/lb",
        "oci://registry.example.com/Hooks/lb:1",
        "https:/hooks.example.com/lb.wasm",
    ];
    for source in sources {
        for action in ["add", "inspect"] {
            text.push_str(&format!("$ cutover hook {action} {source}\n"));
            text.push_str(&told(&test, test.cutover(&["hook", action, source]).expect(2)));
        }
    }
    assert_golden("hook-mistyped.txt", &text);
    assert_eq!(lock(&test), "");
}

#[test]
fn a_path_is_the_same_whichever_way_leads_there() {
    let Some(test) = with_path() else { return };
    fs::create_dir(test.directory().join("nested")).unwrap();
    let _ = test
        .cutover(&["hook", "add", "nested/..//hooks//smoke.wasm"])
        .expect(0)
        .expect_text("hook = \"hooks/smoke.wasm\"");
    let _ = test.cutover(&["check", "--locked"]).expect(0);
    let locked = lock(&test);
    let _ = test.cutover(&["hook", "add", "hooks/smoke.wasm"]).expect(0);
    assert_eq!(lock(&test), locked);
}

#[test]
fn a_path_is_locked_to_the_byte() {
    let Some(mut test) = with_path() else { return };
    let mut text = String::new();
    let mut run = |test: &Test, words: &[&str], status: i32| {
        text.push_str(&format!("$ cutover {}\n", words.join(" ")));
        text.push_str(&told(test, test.cutover(words).expect(status)));
    };
    run(&test, &["check"], 0);
    run(&test, &["check", "--locked"], 50);
    run(&test, &["deploy", "--locked"], 50);
    run(&test, &["hook", "update", "--locked"], 50);
    assert_eq!(lock(&test), "");
    run(&test, &["hook", "update"], 0);
    let first = lock(&test);
    run(&test, &["hook", "update", "--locked"], 0);
    run(&test, &["check", "--locked"], 0);

    // Another component in its place: nothing runs, whatever the command.
    fs::write(test.directory().join("hooks/smoke.wasm"), component("nginx")).unwrap();
    for words in [&["check"][..], &["plan"], &["deploy"], &["rollback"]] {
        run(&test, words, 60);
    }
    run(&test, &["hook", "update", "builtin:nginx"], 2);
    run(&test, &["hook", "update", "checkout"], 0);
    assert_ne!(lock(&test), first);
    // What it asks for now is not granted: that is told before it runs.
    run(&test, &["check"], 50);

    // One that a merge has left with both sides, and one of a later program.
    let marked = format!("<<<<<<< ours\n{first}=======\n");
    for content in [marked, first.replace("version = 1", "version = 2")] {
        fs::write(test.directory().join("cutover.lock"), content).unwrap();
        run(&test, &["check"], 50);
    }

    // The configuration says it itself, and says something else.
    fs::write(test.directory().join("cutover.lock"), &first).unwrap();
    test.configure(
        "hook = \"hooks/smoke.wasm\"\n",
        &format!("hook = \"hooks/smoke.wasm\"\nsha256 = \"{}\"\n", "0".repeat(64)),
    );
    run(&test, &["check"], 60);
    fs::remove_file(test.directory().join("cutover.lock")).unwrap();
    run(&test, &["check"], 60);
    run(&test, &["hook", "update"], 60);
    assert_golden("hook-path.txt", &text);
    let own = |key: &str| first.lines().find(|line| line.starts_with(key)).unwrap();
    let shown = first.replace(own("sha256 = "), "sha256 = \"…\"").replace(own("size = "), "size = …");
    assert_golden("hook-path.lock", &shown);
}

#[test]
fn a_url_is_fetched_by_nothing_but_hook_and_compared_by_all() {
    let Some((mut test, server)) = with_url() else { return };
    let mut text = String::new();
    let mut run = |test: &Test, words: &[&str], status: i32| {
        text.push_str(&format!("$ cutover {}\n", words.join(" ")));
        text.push_str(&told_of(test, &server, test.cutover(words).expect(status)));
    };
    run(&test, &["check"], 50);
    run(&test, &["hook", "fetch"], 50);
    run(&test, &["hook", "update", "--offline"], 11);
    run(&test, &["hook", "update"], 0);
    run(&test, &["check", "--locked"], 0);

    // Another machine has nothing of it yet.
    fs::remove_dir_all(downloads(&test)).unwrap();
    for words in [&["check"][..], &["deploy"], &["hook", "fetch", "--offline"]] {
        run(&test, words, 11);
    }
    run(&test, &["hook", "fetch"], 0);
    run(&test, &["hook", "fetch", "--offline"], 0);
    run(&test, &["check"], 0);

    // What lies here was changed; then what the server gives.
    let kept = fs::read_dir(downloads(&test)).unwrap().next().unwrap().unwrap().path();
    fs::write(&kept, component("nginx")).unwrap();
    run(&test, &["check"], 11);
    server.put("smoke.wasm", component("http-health"));
    run(&test, &["hook", "fetch"], 60);
    server.put("smoke.wasm", b"<!DOCTYPE html><title>Sign in</title>");
    run(&test, &["hook", "fetch"], 50);
    server.put("smoke.wasm", component("http-smoke"));
    run(&test, &["hook", "fetch"], 0);

    // A copy in the project.
    run(&test, &["hook", "vendor"], 0);
    fs::remove_dir_all(downloads(&test)).unwrap();
    run(&test, &["check", "--locked"], 0);
    run(&test, &["hook", "fetch"], 0);
    run(&test, &["hook", "vendor", "--offline"], 0);
    let copies = test.directory().join("hooks/vendor");
    let copy = fs::read_dir(copies).unwrap().next().unwrap().unwrap().path();
    fs::write(&copy, component("nginx")).unwrap();
    run(&test, &["check"], 60);
    run(&test, &["hook", "fetch"], 60);
    fs::remove_file(&copy).unwrap();
    run(&test, &["check"], 50);
    run(&test, &["hook", "vendor"], 0);

    // No table names it any more.
    test.configure(&server.url("smoke.wasm"), "builtin:http-smoke");
    run(&test, &["hook", "update"], 0);
    run(&test, &["hook", "fetch"], 0);
    // Beginnings of digests are in names of files.
    let text: String = text.lines().map(|line| without_digits(line) + "\n").collect();
    assert_golden("hook-url.txt", &text);
}

#[test]
fn a_deployment_says_what_is_not_locked_and_all_that_is_another() {
    let Some(mut test) = with_path() else { return };
    fs::write(test.directory().join("hooks/health.wasm"), component("http-health")).unwrap();
    test.configure(
        "[health-check]\n",
        "[health-check]\nhook = \"hooks/health.wasm\"\ngrants = { http = [{ to = \"instances\" }] }\n",
    );
    test.set_up();
    let warned = test.cutover(&["deploy"]).expect(0);
    for title in ["checkout", "health-check"] {
        let text = format!("hook `{title}` is not in `cutover.lock`: whatever");
        assert!(warned.stdout.contains(&text), "{}{}", warned.stdout, warned.stderr);
    }
    let _ = test.cutover(&["hook", "update"]).expect(0);
    test.repository.push("v2", Behaviour::Sound);
    let deployed = test.cutover(&["deploy", "--locked"]).expect(0);
    assert!(!deployed.stdout.contains("cutover.lock"), "{}", deployed.stdout);

    // Both are others now, while a release is live.
    fs::write(test.directory().join("hooks/health.wasm"), component("http-smoke")).unwrap();
    fs::write(test.directory().join("hooks/smoke.wasm"), component("http-health")).unwrap();
    let mut text = String::new();
    for words in [&["deploy", "--again"][..], &["rollback"], &["check"]] {
        text.push_str(&format!("$ cutover {}\n", words.join(" ")));
        text.push_str(&told(&test, test.cutover(words).expect(60)));
    }
    assert_golden("hook-others.txt", &text);
    assert_eq!(test.live(), "v2 green");
    // What only looks goes on without them, and says so.
    let _ = test.cutover(&["status"]).expect_text("is not the component that `cutover.lock` names");
}

/// A line with words for the beginning of a digest in a file's name.
fn without_digits(line: &str) -> String {
    match line.split_once("vendor/smoke-") {
        Some((before, after)) => format!("{before}vendor/smoke-DIGITS{}", &after[12..]),
        None => line.to_owned(),
    }
}

#[test]
fn what_a_server_may_answer() {
    let Some((test, server)) = with_url() else { return };
    server.put("page.html", b"<!DOCTYPE html><title>Welcome</title>");
    server.put("native", b"\x7fELF\x02\x01\x01");
    let mut text = String::new();
    for (path, status) in [
        ("none.wasm", 11),
        ("private", 11),
        ("plain/smoke.wasm", 11),
        ("round", 11),
        ("cut", 11),
        ("page.html", 50),
        ("native", 50),
        ("sent-on/smoke.wasm", 0),
    ] {
        let url = server.url(path);
        text.push_str(&format!("$ cutover hook add {url}\n").replace(&server.port().to_string(), "PORT"));
        text.push_str(&told_of(&test, &server, test.cutover(&["hook", "add", &url]).expect(status)));
    }
    let mut test = test;
    // Who trusts nobody fetches nothing.
    test.variables = vec![("SSL_CERT_FILE".to_owned(), "/dev/null".to_owned())];
    text.push_str("$ SSL_CERT_FILE=/dev/null cutover hook update\n");
    text.push_str(&told_of(&test, &server, test.cutover(&["hook", "update"]).expect(11)));
    assert_golden("hook-answers.txt", &text);
}
