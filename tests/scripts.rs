//! Hooks that are scripts: one file, run in the sandbox of every hook.

use std::fs;

use cutover::bundled;
use test_support::{Behaviour, Ended, Test, assert_golden};

use crate::local;

const PAGES: &str = include_str!("../example-hooks/scripts/pages.js");

/// What a person reads.
fn told(test: &Test, ended: Ended) -> String {
    test.normalise(&(ended.stdout + &ended.stderr))
}

fn write(test: &Test, text: &str) {
    fs::create_dir_all(test.directory().join("checks")).unwrap();
    fs::write(test.directory().join("checks/pages.js"), text).unwrap();
}

/// A project whose smoke test is the script of the examples.
fn with_pages() -> Option<Test> {
    let mut test = local()?;
    test.repository.push("v1", Behaviour::Sound);
    write(&test, PAGES);
    test.configure(
        "hook = \"builtin:http-smoke\"\nsettings = { requests = [{ name = \"cart-is-there\", path = \"/checkout\" }, { name = \"start-page\", path = \"/\" }] }\n",
        "hook = \"script:checks/pages.js\"\nsettings = { pages = [{ path = \"/checkout\" }, { path = \"/\" }] }\n\
         grants = { http = [{ to = \"instances\" }] }\n",
    );
    Some(test)
}

#[test]
fn a_script_tests_the_idle_color_before_it_gets_traffic() {
    let Some(mut test) = with_pages() else { return };
    test.set_up();
    let deployed = test.cutover(&["deploy", "-v"]).expect(0);
    assert_golden("script-deployed.txt", &told(&test, deployed));
    assert_eq!(test.live(), "v1 blue");
    let failed = test.deploy("v2", Behaviour::FailsSmokeTest).expect(10);
    assert_golden("script-failed.txt", &told(&test, failed));
    assert_eq!(test.live(), "v1 blue");
}

/// What stands between two lines of a page, without its indent.
fn shown(page: &str, from: &str, to: &str) -> String {
    let (_, rest) = page.split_once(from).unwrap();
    let (block, _) = rest.split_once(to).unwrap();
    block.trim().lines().map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line))).collect()
}

#[test]
fn the_example_of_the_help_runs_as_it_stands() {
    let Some(mut test) = local() else { return };
    test.repository.push("v1", Behaviour::Sound);
    let page = test.cutover(&["help", "scripts"]).expect(0).stdout;
    let table = shown(&page, "installed.\n", "\nchecks/cart.js:");
    fs::create_dir_all(test.directory().join("checks")).unwrap();
    let script = shown(&page, "\nchecks/cart.js:", "\nWhat it exports");
    fs::write(test.directory().join("checks/cart.js"), script).unwrap();
    test.configure("[router]\n", &format!("{table}\n[router]\n"));
    test.set_up();
    let deployed = test.cutover(&["deploy"]).expect(0);
    let told = told(&test, deployed);
    assert!(told.contains("\nsmoke  checkout cart  ok  3 passed\n"), "{told}");
}

#[test]
fn a_script_is_told_and_locked_as_a_component_is() {
    let Some(test) = with_pages() else { return };
    let mut text = String::new();
    let mut run = |words: &[&str]| {
        text.push_str(&format!("$ cutover {}\n", words.join(" ")));
        text.push_str(&told(&test, test.cutover(words)));
    };
    run(&["hook", "inspect", "script:checks/pages.js"]);
    run(&["check"]);
    run(&["hook", "update"]);
    run(&["check", "--locked"]);
    write(&test, &PAGES.replace("Tries pages", "Tries all pages"));
    run(&["check"]);
    write(&test, "export const pages = 1;\n");
    run(&["hook", "inspect", "script:checks/pages.js"]);
    run(&["hook", "update"]);
    run(&["hook", "add", "script:checks/none.js"]);
    run(&["hook", "inspect", "checks/pages.js"]);
    run(&["hook", "add", "checks/pages.js"]);
    assert_golden("script-told.txt", &text);
    let lock = fs::read_to_string(test.directory().join("cutover.lock")).unwrap();
    assert!(lock.contains("requested = \"script:checks/pages.js\"\nsource = \"script\"\n"), "{lock}");
    assert!(lock.contains("\"cutover:hook/http-client@0.1.0\""), "{lock}");
}

#[test]
fn a_script_becomes_a_component_and_a_script_again() {
    let Some(mut test) = with_pages() else { return };
    let mut text = String::new();
    let mut run = |test: &Test, words: &[&str]| {
        text.push_str(&format!("$ cutover {}\n", words.join(" ")));
        text.push_str(&told(test, test.cutover(words)));
    };
    run(&test, &["hook", "update", "checkout"]);
    fs::create_dir_all(test.directory().join("hooks")).unwrap();
    let wasm = bundled::hook("http-smoke").unwrap().wasm;
    fs::write(test.directory().join("hooks/pages.wasm"), wasm).unwrap();
    test.configure("script:checks/pages.js", "hooks/pages.wasm");
    test.configure("pages = [{ path", "requests = [{ path");
    run(&test, &["check", "--locked"]);
    run(&test, &["hook", "update"]);
    run(&test, &["check", "--locked"]);
    test.configure("hooks/pages.wasm", "script:checks/pages.js");
    test.configure("requests = [{ path", "pages = [{ path");
    run(&test, &["check", "--locked"]);
    run(&test, &["hook", "update"]);
    run(&test, &["check", "--locked"]);
    assert_golden("script-and-component.txt", &text);
}

#[test]
fn a_script_that_can_not_be_used_is_told_before_anything_is_touched() {
    let Some(mut test) = with_pages() else { return };
    let mut text = String::new();
    let mut check = |test: &Test, title: &str| {
        let ended = test.cutover(&["check"]);
        let status = ended.status;
        text.push_str(&format!("# {title}\n{}exit code {status}\n", told(test, ended)));
    };
    write(&test, "export const smokeTest = {\n  run(call) {\n    return [;\n  },\n};\n");
    check(&test, "no JavaScript");
    write(&test, "import { readFileSync } from \"node:fs\";\nexport const smokeTest = {};\n");
    check(&test, "what it imports is not there");
    write(&test, "export const smokeTest = { run() { return [] } };\n");
    check(&test, "it lacks a function");
    write(&test, "export const healthCheck = {};\n");
    check(&test, "it is of another kind");
    write(&test, "export default { validate() { return [] }, run() { return [] } };\n");
    check(&test, "it exports by default");
    write(&test, "import send from \"cutover:hook/http-client@0.1.0\";\nexport const smokeTest = {};\n");
    check(&test, "it imports by default");
    write(&test, &format!("export const smokeTest = {}1;\n", "(".repeat(200_000)));
    check(&test, "it is nested too deeply");
    write(&test, &format!("export const all = [{}];\n", "{ a: 1 }, ".repeat(400_000)));
    test.configure("grants = {", "limits = { memory = \"16 MiB\" }\ngrants = {");
    check(&test, "reading it takes more than it may");
    test.configure("limits = { memory = \"16 MiB\" }\ngrants = {", "grants = {");
    write(&test, &" ".repeat((8 << 20) + 1));
    check(&test, "it is too large");
    write(
        &test,
        "for (;;) {}\nexport const smokeTest = { validate() { return [] }, run() { return [] } };\n",
    );
    test.configure("grants = {", "timeout = \"1s\"\ngrants = {");
    check(&test, "it never gets to an answer");
    write(
        &test,
        "const all = []; for (;;) all.push(new Uint8Array(1 << 24));\nexport const smokeTest = { validate() { return [] }, run() { return [] } };\n",
    );
    check(&test, "it takes all memory before it answers");
    test.configure("timeout = \"1s\"\ngrants = {", "grants = {");
    write(
        &test,
        "export const smokeTest = { validate() { return [{ key: 7, reason: \"odd\" }] }, run() {} };\n",
    );
    check(&test, "its answer is another");
    write(
        &test,
        "const limit = undefined;\nexport const smokeTest = { validate() { return limit.most }, run() {} };\n",
    );
    check(&test, "it throws");
    write(&test, PAGES);
    test.configure("path = \"/checkout\" }", "path = \"checkout\" }");
    check(&test, "its settings have a fault");
    test.configure("grants = { http = [{ to = \"instances\" }] }\n", "");
    check(&test, "nothing is granted");
    test.configure("script:checks/pages.js", "checks/pages.js");
    check(&test, "it is named as a component");
    test.configure("\"checks/pages.js\"", "\"script:checks/none.js\"");
    check(&test, "it is not there");
    assert_golden("script-refused.txt", &text);
}

#[test]
fn what_a_script_does_wrong_is_told_with_its_place() {
    let Some(mut test) = with_pages() else { return };
    test.set_up();
    let mut text = String::new();
    let scripts = [
        ("it throws", "throw new Error('no cart')"),
        (
            "it asks for what is not granted",
            "send({ method: 'GET', url: 'http://192.0.2.1/', headers: [], secretHeaders: [], binary: false })",
        ),
        ("it forgets a key", "send({ method: 'GET', url: 'http://192.0.2.1/' })"),
        ("it answers something else", "return [{ name: 'cart', outcome: 'passed' }]"),
        ("it waits", "return Promise.resolve([])"),
        ("it never ends", "for (;;) {}"),
        ("it takes all memory", "const all = []; for (;;) all.push(new Uint8Array(1 << 24))"),
        ("it calls itself", "(function again() { again() })()"),
        (
            "it answers with a fraction",
            "return [{ name: 'cart', outcome: { tag: 'passed' }, durationMs: 0 / 0, labels: [] }]",
        ),
    ];
    test.configure(
        "hook = \"script:checks/pages.js\"\n",
        "hook = \"script:checks/pages.js\"\ntimeout = \"2s\"\n",
    );
    for (title, body) in scripts {
        write(
            &test,
            &format!(
                "import {{ send }} from \"cutover:hook/http-client@0.1.0\";\n\
                 export const smokeTest = {{\n  validate() {{ return [] }},\n  run(call) {{\n    {body};\n  }},\n}};\n"
            ),
        );
        let told = told(&test, test.cutover(&["deploy"]).expect(10));
        let error = told
            .lines()
            .skip_while(|line| !line.starts_with("error["))
            .take_while(|line| !line.starts_with("  end"));
        text.push_str(&format!("# {title}\n{}\n", error.collect::<Vec<_>>().join("\n")));
    }
    assert_golden("script-wrong.txt", &text);
}
