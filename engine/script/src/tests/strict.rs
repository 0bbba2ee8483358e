//! What a script hands over is data of the contract, or told by its key.

use cutover_hooks::fake;
use serde_json::{Value, json};

use super::{body, failed, script};
use crate::answers::{JsHealth, JsObservation, Nothing};

#[test]
fn what_is_no_data_is_told_with_its_key() {
    let returned = "checks/login.js: `answers.run` returned what the contract has not";
    for (text, place, what) in [
        ("1.5", "", "`1.5` is no whole number"),
        ("NaN", "", "`NaN` is no whole number"),
        ("{ count: -1 / 0 }", "count", "`-Infinity` is no whole number"),
        ("{ all: [1, 2 ** 53] }", "all[1]", "`9007199254740992` is no whole number"),
        ("[1, undefined]", "[1]", "`undefined` in an array"),
        ("new Array(4294967295)", "[0]", "`undefined` in an array"),
        ("{ a: { b: [() => 1] } }", "a.b[0]", "a function"),
        ("{ id: 1n }", "id", "a bigint"),
        ("{ id: Symbol() }", "id", "a symbol"),
        ("{ get a() { throw new Error('run') } }", "a", "a getter or setter, and no data"),
        ("{ set a(value) {} }", "a", "a getter or setter, and no data"),
        ("Object.defineProperty([], 0, { get() { throw 1 } })", "[0]", "a getter or setter, and no data"),
        (
            "new Proxy({}, { ownKeys() { throw new Error('run') } })",
            "",
            "neither a plain object nor an array",
        ),
        ("{ at: new Date(0) }", "at", "neither a plain object nor an array"),
        ("{ seen: new Map([[1, 2]]) }", "seen", "neither a plain object nor an array"),
        ("{ bytes: new Uint8Array(2) }", "bytes", "neither a plain object nor an array"),
        ("{ why: new Error('x') }", "why", "neither a plain object nor an array"),
        ("(() => { const own = { all: [] }; own.all.push(own); return own })()", "all[0]", "it holds itself"),
        (
            "(() => { let deep = 1; for (let i = 0; i < 17; i++) deep = [deep]; return deep })()",
            "[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]",
            "it is nested too deeply",
        ),
    ] {
        let place = if place.is_empty() { String::new() } else { format!(", at `{place}`") };
        let told = body::<Value>(&format!("return {text}")).unwrap_err();
        assert_eq!(told, failed(&format!("{returned}{place}: {what}")), "{text}");
    }
}

#[test]
fn what_is_data_is_taken() {
    for (text, data) in [
        ("undefined", json!(null)),
        ("-0", json!(0)),
        ("{ a: undefined, b: null, 3: 6 / 2 }", json!({ "b": null, "3": 3 })),
        ("'half: \\ud83d'", json!("half: \u{fffd}")),
        ("Object.create({ inherited: 1 })", json!({})),
        ("new (class { own = 1; get other() { throw 1 } })()", json!({ "own": 1 })),
        ("Object.assign(Object.create(null), { [Symbol()]: 1, a: 1 })", json!({ "a": 1 })),
        ("(() => { const twice = [1]; return [twice, twice] })()", json!([[1], [1]])),
    ] {
        assert_eq!(body::<Value>(&format!("return {text}")), Ok(data), "{text}");
    }
}

#[test]
fn nothing_of_an_answer_is_passed_over() {
    let returned = "checks/login.js: `answers.run` returned what the contract has not";
    for (text, told) in [
        (
            "{ tag: 'healthy', value: '7' }",
            ", at `value`: invalid value: string \"value\", expected \"tag\" or \"val\"",
        ),
        ("{ tag: 'starting' }", ": missing field `val`"),
    ] {
        let error = body::<JsHealth>(&format!("return {text}")).map(drop).unwrap_err();
        assert_eq!(error, failed(&format!("{returned}{told}")), "{text}");
    }
    for (text, told) in [
        (
            "{ settled: true, labels: [], route: null }",
            ", at `route`: unknown field `route`, expected one of `routing`, `settled`, `labels`",
        ),
        (
            "{ routing: { blue: -1, green: 0, out: [] }, settled: true, labels: [] }",
            ", at `routing.blue`: invalid value: integer `-1`, expected u32",
        ),
        ("{ settled: 1, labels: [] }", ", at `settled`: invalid type: integer `1`, expected a boolean"),
        (
            "{ settled: true, labels: [['a']] }",
            ", at `labels[0]`: invalid length 1, expected a tuple of size 2",
        ),
    ] {
        let error = body::<JsObservation>(&format!("return {text}")).map(drop).unwrap_err();
        assert_eq!(error, failed(&format!("{returned}{told}")), "{text}");
    }
    assert!(body::<Nothing>("").is_ok() && body::<Nothing>("return null").is_ok());
    assert_eq!(
        body::<Nothing>("return { tag: 'failed', val: 'no' }").map(drop).unwrap_err(),
        failed(&format!("{returned}: invalid type: map, expected nothing: what fails is thrown"))
    );
    let applied = "export const router = { validate() {}, features() {}, observe() {}, prepare() {}, apply() { return false }, discard() {}, \
                   connections() {} };";
    assert_eq!(
        script(applied).ask::<Nothing>("router", "apply", &[]).map(drop).unwrap_err(),
        failed(
            "checks/login.js: `router.apply` returned what the contract has not: invalid type: boolean `false`, expected nothing: what fails is thrown"
        )
    );
}

#[test]
fn what_is_asked_for_is_told_with_its_key_and_its_place() {
    let command = "program: '/bin/true', args: [], env: [], secretEnv: [], asRoot: false";
    let request = "method: 'GET', url: 'http://a/', headers: [], secretHeaders: [], binary: false";
    for (call, told) in [
        (
            format!("hosts.exec('web1', {{ {command}, timeoutMs: 1.5 }})"),
            "3:11: TypeError: `command.timeoutMs`: `1.5` is no whole number",
        ),
        (
            format!("hosts.exec('web1', {{ {command}, timeoutMs: -5 }})"),
            "3:11: TypeError: `command.timeoutMs`: invalid value: integer `-5`, expected u32",
        ),
        (
            format!("hosts.exec('web1', {{ {command}, timeout: 5 }})"),
            "3:11: TypeError: `command.timeout`: unknown field `timeout`, expected one of `program`, `args`, `env`, `secretEnv`, `directory`, `input`, `secretInput`, `asRoot`, `timeoutMs`",
        ),
        (
            format!("hosts.exec('web1', {{ {command}, get input() {{ throw new Error('run') }} }})"),
            "3:11: TypeError: `command.input`: a getter or setter, and no data",
        ),
        (
            "hosts.exec('web1')".to_owned(),
            "3:11: TypeError: `command`: invalid type: null, expected struct Command",
        ),
        (
            "hosts.readText('web1', ['/a', undefined])".to_owned(),
            "3:15: TypeError: `path[1]`: `undefined` in an array",
        ),
        (
            "hosts.writeText('web1', '/a', 'b', 420.5)".to_owned(),
            "3:16: TypeError: `mode`: `420.5` is no whole number",
        ),
        (
            "hosts.writeBytes('web1', '/a', [1], null)".to_owned(),
            "3:17: TypeError: `content` has to be a Uint8Array",
        ),
        (
            format!("send({{ {request}, body: 'text' }})"),
            "3:5: TypeError: `request.body` has to be a Uint8Array",
        ),
        (
            format!("send({{ {request}, get body() {{ throw new Error('run') }} }})"),
            "3:5: TypeError: `request.body`: a getter or setter, and no data",
        ),
        (
            format!("send({{ {request}, headers: [['a', 1]] }})"),
            "3:5: TypeError: `request.headers[0][1]`: invalid type: integer `1`, expected a string",
        ),
        (
            "send('http://a/')".to_owned(),
            "3:5: TypeError: `request`: invalid type: string \"http://a/\", expected struct Request",
        ),
    ] {
        let _world = fake::World::install(["web1"]);
        let text = format!(
            "import * as hosts from 'cutover:hook/hosts@0.1.0'; import {{ send }} from 'cutover:hook/http-client@0.1.0';\n\
             export const answers = {{ run() {{\n{call}\n}} }};\n"
        );
        let error = script(&text).ask::<Value>("answers", "run", &[]).unwrap_err();
        assert_eq!(error, failed(&format!("checks/login.js:{told}")), "{call}");
    }
}

#[test]
fn what_is_thrown_runs_nothing_more() {
    for (text, told) in [
        (
            "throw { get tag() { throw 1 }, val: 'x' }",
            "checks/login.js:3:7: {\n    tag: Getter & Setter,\n    val: \"x\"\n}",
        ),
        ("throw new Proxy({}, { get() { throw 1 } })", "checks/login.js:3:7: {\n\n}"),
        (
            "throw { tag: 'temporary', val: 7 }",
            "checks/login.js:3:7: {\n    tag: \"temporary\",\n    val: 7\n}",
        ),
    ] {
        assert_eq!(body::<Value>(text).unwrap_err(), failed(told), "{text}");
    }
}
