//! Scripts on a fake world of hosts.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod contract;
mod strict;
mod surroundings;

use cutover_hooks::{Health, HookError, Outcome, TestCase, fake};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::answers::{JsHealth, JsTestCase};
use crate::kinds::script_faults;
use crate::script::Script;

fn script(text: &str) -> Script {
    Script { name: "checks/login.js".to_owned(), text: text.to_owned() }
}

/// What `answers.run` of a script returns or throws.
fn run<T: DeserializeOwned>(text: &str) -> Result<T, HookError> {
    script(text).ask("answers", "run", &[json!({ "app": "shop", "previous": null })])
}

/// The same of a body of that function.
fn body<T: DeserializeOwned>(text: &str) -> Result<T, HookError> {
    run(&format!(
        "import * as hosts from 'cutover:hook/hosts@0.1.0';\nexport const answers = {{ run(call) {{\n{text}\n}} }};\n"
    ))
}

fn failed(text: &str) -> HookError {
    HookError::Failed(text.to_owned())
}

#[test]
fn what_a_script_names_is_what_it_has() {
    let text = "import { send } from 'cutover:hook/http-client@0.1.0';\n\
                import { log } from 'cutover:hook/engine@0.1.7';\n\
                throw new Error('nobody runs this');\n\
                export const smokeTest = {};\nexport function healthCheck() {}\nexport const other = 1;\n";
    let described = script(text).describe().unwrap();
    assert_eq!(described.imports, ["cutover:hook/engine@0.1.0", "cutover:hook/http-client@0.1.0"]);
    assert_eq!(described.exports, ["cutover:hook/health-check@0.1.0", "cutover:hook/smoke-test@0.1.0"]);
}

#[test]
fn what_is_no_script_is_told_with_its_place() {
    for (text, expected) in [
        (
            "export const smokeTest = {\n  run(call) {\n    return [;\n  },\n};\n",
            "checks/login.js:3:13: SyntaxError: unexpected token ';', primary expression",
        ),
        (
            "import { send } from 'cutover:hook/http@0.1.0';\n",
            "checks/login.js: TypeError: there is no `cutover:hook/http@0.1.0` to import; there are `cutover:hook/engine@0.1.0`, `cutover:hook/hook-types@0.1.0`, `cutover:hook/hosts@0.1.0`, `cutover:hook/http-client@0.1.0`, \
             `cutover:hook/secret-text@0.1.0`, `cutover:hook/secrets@0.1.0`",
        ),
        (
            "import { sent } from 'cutover:hook/http-client@0.1.0';\n",
            "checks/login.js: SyntaxError: could not find export `sent`",
        ),
        (
            "import send from 'cutover:hook/http-client@0.1.0';\n",
            "checks/login.js: SyntaxError: an interface exports nothing by `default`: `import { … } from`",
        ),
        (
            "export default { run() { return [] } };\n",
            "checks/login.js: it exports by `default`, which says no kind: write `export const smokeTest = …`, or `build`, \
             `healthCheck`, `router`",
        ),
        (
            "import { x } from './lib.js';\n",
            "checks/login.js: TypeError: a script is one file, and can't import `./lib.js`: bundle them",
        ),
        (
            "import fs from 'node:fs';\n",
            "checks/login.js: TypeError: there is no `node:fs` to import; there are `cutover:hook/engine@0.1.0`, `cutover:hook/hook-types@0.1.0`, `cutover:hook/hosts@0.1.0`, `cutover:hook/http-client@0.1.0`, \
             `cutover:hook/secret-text@0.1.0`, `cutover:hook/secrets@0.1.0`",
        ),
    ] {
        assert_eq!(script(text).describe().unwrap_err(), expected);
    }
}

#[test]
fn what_nobody_catches_is_told_with_its_place() {
    for (text, expected) in [
        (
            "let user;\nreturn user.name;",
            failed("checks/login.js:4:13: TypeError: cannot convert 'null' or 'undefined' to object"),
        ),
        ("throw new Error('no cart')", failed("checks/login.js:3:7: no cart")),
        ("throw 'a text'", failed("checks/login.js:3:7: \"a text\"")),
        ("throw { tag: 'temporary', val: 'again' }", HookError::Temporary("again".to_owned())),
        (
            "throw Object.assign(new Error('x'), { payload: { tag: 'other', val: ['E7', 'seven'] } })",
            HookError::Other(("E7".to_owned(), "seven".to_owned())),
        ),
        ("hosts.readText('web1', '/none')", failed("no file `/none`")),
        (
            "hosts.exec('web1', { program: '/bin/true' })",
            failed("checks/login.js:3:11: TypeError: `command`: missing field `args`"),
        ),
        (
            "return new Promise(() => {})",
            failed("checks/login.js: `answers.run` returns a promise: write it without `async` and `await`"),
        ),
    ] {
        let _world = fake::World::install(["web1"]);
        assert_eq!(body::<Value>(text).unwrap_err(), expected, "{text}");
    }
    let later = "let found = 'nothing'; import('cutover:hook/hosts@0.1.0').catch((error) => { found = error.message });\n\
                 export const answers = { run() { return found } };";
    let told = "`cutover:hook/hosts@0.1.0` can be imported at the top alone, by `import … from`";
    assert_eq!(run(later), Ok(json!(told)));
    assert_eq!(
        run::<Value>("export const answers = { walk() {} };").unwrap_err(),
        failed("checks/login.js: `answers` has no function `run`")
    );
    assert_eq!(
        run::<Value>("export const other = 1;").unwrap_err(),
        failed("checks/login.js: it exports no `answers` that is an object")
    );
}

#[test]
fn the_place_is_where_it_went_wrong_and_not_who_called_it() {
    let text = "function inner() {\n  throw new Error('deep');\n}\nexport const answers = { run() {\n  inner();\n} };\n";
    assert_eq!(run::<Value>(text).unwrap_err(), failed("checks/login.js:2:9: deep"));
    let lacks = "export const router = { validate() { return [] }, features() {}, observe() {}, prepare() {}, apply() {} };";
    let asked = script(lacks).ask::<Value>("router", "validate", &[json!("{}")]);
    assert_eq!(asked.unwrap_err(), failed("checks/login.js: `router` has no function `discard`"));
}

#[test]
fn a_script_reaches_hosts_as_any_hook_does() {
    let world = fake::World::install(["lb1"]);
    world.file("lb1", "/etc/app/color", "blue\n");
    world.program("lb1", "/usr/sbin/nginx", |command| fake::exit(3, &command.args.join(" ")));
    let answer: Result<Value, _> = body(
        "const said = hosts.exec('lb1', { program: '/usr/sbin/nginx', args: ['-s', 'reload'], env: [], secretEnv: [], asRoot: false });\n\
         hosts.writeBytes('lb1', '/etc/app/copy', new Uint8Array([104, 105]), 0o644);\n\
         let missing;\n\
         try { hosts.readText('lb1', '/etc/app/none') } catch (error) { missing = error.payload.tag }\n\
         return { color: hosts.readText('lb1', '/etc/app/color').trim(), bytes: [...hosts.readBytes('lb1', '/etc/app/copy')],\n\
                  status: said.status, out: said.errors, missing, app: call.app, first: call.previous === null, half: 6 / 2 };",
    );
    assert_eq!(
        answer.unwrap(),
        json!({
            "color": "blue", "bytes": [104, 105], "status": 3, "out": "-s reload", "missing": "not-found", "app": "shop",
            "first": true, "half": 3,
        })
    );
}

#[test]
fn answers_are_taken_as_the_contract_has_them() {
    let case = |text: &str| {
        let script =
            script(&format!("export const smokeTest = {{ validate() {{}}, run() {{ return {text} }} }};"));
        let answer: Result<Vec<JsTestCase>, _> = script.ask("smokeTest", "run", &[]);
        answer.map(|cases| cases.into_iter().map(TestCase::from).collect::<Vec<_>>())
    };
    let taken =
        case("[{ name: 'a', outcome: { tag: 'failed', val: 'no' }, durationMs: 7.0, labels: [['k', 'v']] }]")
            .unwrap();
    assert_eq!(taken[0].outcome, Outcome::Failed("no".to_owned()));
    assert_eq!((taken[0].duration_ms, &taken[0].labels), (7, &vec![("k".to_owned(), "v".to_owned())]));
    assert_eq!(
        case("[{ name: 'a', outcome: { tag: 'passed' }, durationMs: 1.5, labels: [] }]").unwrap_err(),
        failed(
            "checks/login.js: `smokeTest.run` returned what the contract has not, at `[0].durationMs`: `1.5` is no whole number"
        )
    );
    assert_eq!(
        case("[{ name: 'a', outcome: { tag: 'passed' } }]").unwrap_err(),
        failed(
            "checks/login.js: `smokeTest.run` returned what the contract has not, at `[0]`: missing field `durationMs`"
        )
    );
    assert_eq!(
        case("undefined").unwrap_err(),
        failed(
            "checks/login.js: `smokeTest.run` returned what the contract has not: invalid type: null, expected a sequence"
        )
    );

    let health = |text: &str| body::<JsHealth>(&format!("return {text}")).map(Health::from);
    assert_eq!(health("{ tag: 'healthy', val: '7' }"), Ok(Health::Healthy(Some("7".to_owned()))));
    assert_eq!(health("{ tag: 'healthy', val: null }"), Ok(Health::Healthy(None)));
    assert_eq!(health("{ tag: 'healthy' }"), Ok(Health::Healthy(None)));
    assert_eq!(
        health("{ tag: 'well' }").unwrap_err(),
        failed(
            "checks/login.js: `answers.run` returned what the contract has not, at `tag`: unknown variant `well`, expected one of `healthy`, `starting`, `unhealthy`"
        )
    );
}

#[test]
fn a_script_finds_faults_in_its_settings() {
    let faults = |validate: &str| {
        let text = format!("export const smokeTest = {{ validate(settings) {{ {validate} }}, run() {{}} }};");
        let found = script_faults(&script(&text), "smokeTest", &json!({ "path": "cart" }));
        found.into_iter().map(|fault| (fault.key, fault.reason)).collect::<Vec<_>>()
    };
    assert_eq!(faults("return []"), []);
    let found = faults("return [{ key: 'path', reason: `not \\`${JSON.parse(settings).path}\\`` }]");
    assert_eq!(found, [("path".to_owned(), "not `cart`".to_owned())]);
    assert_eq!(
        faults("return true"),
        [(
            String::new(),
            "checks/login.js: `smokeTest.validate` returned what the contract has not: invalid type: boolean `true`, expected a sequence"
                .to_owned()
        )]
    );
}
