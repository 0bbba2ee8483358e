//! What a script has around it, and what is told where it reaches for what there is not.

use cutover_hooks::fake;
use serde_json::{Value, json};

use super::{body, failed};

#[test]
fn text_becomes_bytes_and_back() {
    let answer = body::<Value>(
        "const bytes = new TextEncoder().encode('Grüße');\n\
         return { bytes: [...bytes], text: new TextDecoder().decode(bytes), ascii: atob(btoa('user:pass')), basic: btoa('user:pass') }",
    );
    assert_eq!(
        answer,
        Ok(json!({
            "bytes": [71, 114, 195, 188, 195, 159, 101], "text": "Grüße", "ascii": "user:pass", "basic": "dXNlcjpwYXNz"
        }))
    );
}

#[test]
fn the_console_is_the_log() {
    let world = fake::World::install(["web1"]);
    let said = "console.log('two\\nlines', 7, { a: [1] }); console.debug('d'); console.info('i'); console.warn('w'); console.error('e')";
    assert_eq!(body(said), Ok(Value::Null));
    assert_eq!(
        world.calls(),
        [
            "log Level::Info two",
            "log Level::Info lines 7 {",
            "log Level::Info     a: Array(1)",
            "log Level::Info }",
            "log Level::Debug d",
            "log Level::Info i",
            "log Level::Warn w",
            "log Level::Error e"
        ]
    );
}

#[test]
fn what_there_is_not_is_told_with_what_there_is() {
    for (text, told) in [
        (
            "fetch('http://a/')",
            "2:36: ReferenceError: fetch is not defined\nhint: requests are sent by `import { send } from \"cutover:hook/http-client@0.1.0\"`",
        ),
        (
            "setTimeout(() => {}, 1)",
            "2:36: ReferenceError: setTimeout is not defined\nhint: a script waits by `import { sleepMs } from \"cutover:hook/engine@0.1.0\"`: \
             nothing goes on after its answer",
        ),
        (
            "require('fs')",
            "2:36: ReferenceError: require is not defined\nhint: a script is one file, and nothing of Node.js is there: bundle what it needs",
        ),
        (
            "crypto.subtle",
            "3:8: ReferenceError: crypto is not defined\nhint: what is signed with a secret is signed by \
             `import { hmacSha256 } from \"cutover:hook/secrets@0.1.0\"`",
        ),
        (
            "new URL('http://a/')",
            "2:36: ReferenceError: URL is not defined\nhint: `cutover help scripts` tells what there is",
        ),
        ("missing()", "2:36: ReferenceError: missing is not defined"),
    ] {
        assert_eq!(body::<Value>(text).unwrap_err(), failed(&format!("checks/login.js:{told}")), "{text}");
    }
    assert_eq!(
        body("return typeof fetch + typeof require + typeof setTimeout"),
        Ok(json!("undefinedundefinedundefined"))
    );
}

#[test]
fn limits_of_the_interpreter_are_told() {
    for (text, told) in [
        (
            "(function again() { again() })()",
            "3:26: it calls itself too deeply: a script may be 512 calls deep",
        ),
        (
            "((...all) => all.length)(...Array.from({ length: 20000 }, () => 1))",
            "3:25: its calls hold too many values at once: hand over an array instead of spreading a long one",
        ),
    ] {
        assert_eq!(body::<Value>(text).unwrap_err(), failed(&format!("checks/login.js:{told}")), "{text}");
    }
}
