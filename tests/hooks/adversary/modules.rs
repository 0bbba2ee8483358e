//! Modes that no compiler makes, or that are no component at all.

use cutover::model::{HookKind, Limit};

use super::components::Component;
use super::mode::Mode;

/// A core module whose start function has this body.
fn started(name: &'static str, body: &str) -> Mode {
    text(name, &format!("(core module $m {body} (start $f)) (core instance (instantiate $m))"))
}

fn text(name: &'static str, text: &str) -> Mode {
    Mode::new(name, Component::Text(text.to_owned()))
}

/// So many instances of a module.
fn instances(module: &str, count: usize) -> String {
    format!("(core module $m {module}) {}", "(core instance (instantiate $m)) ".repeat(count))
}

#[rustfmt::skip]
pub(super) fn all() -> Vec<Mode> {
    let crashed = |how: &str| format!("hook/trapped: the hook {how}");
    vec![
        started("spinning-start", "(func $f (loop (br 0)))").within(300)
            .ends("hook/timed-out: no answer within 0.3 s"),
        started("recursion", "(func $f (call $f))")
            .ends("hook/limit-stack: it recursed deeper than 2 MiB of stack reach"),
        text("large-memory", "(core module $m (memory 5000)) (core instance (instantiate $m))")
            .ends("hook/limit-memory: its memory would be larger than 256 MiB"),
        text("memory-together", &instances("(memory 1000)", 5))
            .ends("hook/limit-memory: its memory would be larger than 256 MiB"),
        text("many-memories", &instances("(memory 1)", 9))
            .ends("hook/limit-memories: it has more than 8 memories"),
        text("many-instances", &instances("", 101))
            .ends("hook/limit-instances: it has more than 100 core instances"),
        text("many-tables", &instances("(table 1 funcref)", 33))
            .ends("hook/limit-tables: it has more than 32 tables"),
        text("large-table", "(core module $m (table 200000 funcref)) (core instance (instantiate $m))")
            .ends("hook/limit-table-elements: its tables would have more than 100000 elements"),
        started("growing-table", "(table 1 funcref) (func $f (loop \
                (br_if 0 (i32.ge_s (table.grow (ref.null func) (i32.const 1000)) (i32.const 0)))) unreachable)")
            .ends("hook/limit-table-elements: its tables would have more than 100000 elements"),
        started("unreachable", "(func $f unreachable)")
            .ends(crashed("crashed (panic, abort or an exception that nobody caught)")),
        started("division", "(func $f (drop (i32.div_u (i32.const 1) (i32.const 0))))")
            .ends(crashed("trapped: wasm trap: integer divide by zero")),
        started("out-of-bounds", "(memory 1) (func $f (drop (i32.load (i32.const -1))))")
            .ends(crashed("reached outside of its memory (or recursed too deeply)")),
        started("wild-call", "(table 1 funcref) (type $t (func)) (func $f (call_indirect (type $t) (i32.const 0)))")
            .ends(crashed("trapped: wasm trap: uninitialized element")),
        text("random-flood", r#"
            (import "wasi:random/random@0.2.0" (instance $random (export "get-random-u64" (func (result u64)))))
            (core func $number (canon lower (func $random "get-random-u64")))
            (core module $m (import "" "number" (func $number (result i64)))
                (func $f (loop (drop (call $number)) (br 0))) (start $f))
            (core instance (instantiate $m (with "" (instance (export "number" (func $number))))))"#)
            .ends("hook/limit-random: it takes more than 1 MiB of random bytes"),
        text("many-handles", r#"
            (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
            (alias export $poll "pollable" (type $pollable))
            (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
                (alias outer 1 $pollable (type $outer)) (export "pollable" (type $own (eq $outer)))
                (export "subscribe-duration" (func (param "when" u64) (result (own $own))))))
            (core func $wait (canon lower (func $clock "subscribe-duration")))
            (core module $m (import "" "wait" (func $wait (param i64) (result i32)))
                (func $f (loop (drop (call $wait (i64.const 1))) (br 0))) (start $f))
            (core instance (instantiate $m (with "" (instance (export "wait" (func $wait))))))"#)
            .ends("hook/limit-handles: it holds more than 1000 resources at once"),
        Mode::new("slow-to-compile", Component::Heavy { functions: 16, lines: 20_000 }).limit(Limit::CompileTime, 1000)
            .ends("refused hook/limit-compile-time: hook `stranger` can't be used: it takes longer than 1s to compile"),
        Mode::new("large-to-compile", Component::Heavy { functions: 1, lines: 300_000 }).limit(Limit::CompileMemory, 96 << 20)
            .ends("refused hook/limit-compile-memory: hook `stranger` can't be used: it takes more than 96 MiB of memory to compile"),
        Mode::new("large-file", Component::Bytes(vec![0; 2000])).limit(Limit::File, 1024)
            .ends("refused hook/limit-file: hook `stranger` can't be used: its file is larger than 1 KiB"),
        Mode::new("native-program", Component::Bytes(std::fs::read("/proc/self/exe").unwrap_or_default()[..4096].to_vec()))
            .ends("refused hook/not-a-component: hook `stranger` is not a WebAssembly component: the file is a native program"),
        Mode::new("web-page", Component::Bytes(b"<!DOCTYPE html>".to_vec()))
            .ends("refused hook/not-a-component: hook `stranger` is not a WebAssembly component: the file is an HTML page: a download \
                   that was answered with an error or a login"),
        text("unknown-import", r#"(import "wasi:sockets/raw@0.9.0" (instance))"#)
            .ends("refused hook/unknown-import: hook `stranger` imports what this version of cutover does not offer: `wasi:sockets/raw@0.9.0`"),
        text("other-kind", "").of_kind(HookKind::SmokeTest)
            .ends("refused hook/wrong-kind: hook `stranger` is not a smoke-test hook: it exports `cutover:hook/health-check@0.1.0`"),
        text("no-functions", "")
            .ends("hook/unfit: it does not fit the contract cutover:hook@0.1: instance export `cutover:hook/health-check@0.1.0` does not \
                   have export `validate`"),
        Mode::new("lying-sandbox", Component::Sandbox(r"printf '\377\377\377\177\377\377\377\177' >&0; sleep 60"))
            .ends("refused hook/not-compiled: hook `stranger` can't be compiled: the sandbox stopped answering"),
        Mode::new("mute-sandbox", Component::Sandbox("exit 3"))
            .ends("refused hook/not-compiled: hook `stranger` can't be compiled: the sandbox ended with status 3"),
    ]
}
