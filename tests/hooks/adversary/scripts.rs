//! Modes of a hook that is a script: what it has of a component's reach, and what only a language with values of its own can try.

use cutover::model::Limit;
use cutover::model::grant::{Grants, HostGroup, PathGrant};

use super::super::stage::nothing;
use super::components::Component;
use super::mode::{Mode, Question};

const HOSTS: &str = "import * as hosts from \"cutover:hook/hosts@0.1.0\";";
const HTTP: &str = "import { send } from \"cutover:hook/http-client@0.1.0\";";
const ENGINE: &str = "import { log } from \"cutover:hook/engine@0.1.0\";";

/// A health check with this body, whose last value is told.
fn script(name: &'static str, head: &str, body: &str) -> Mode {
    let text = format!(
        "{head}\nconst say = (what) => ({{ tag: \"starting\", val: String(what) }});\n\
         export const healthCheck = {{ validate() {{ return [] }}, check(call, instance) {{\n{body}\n}} }};\n"
    );
    Mode::new(name, Component::Script(text))
}

fn writes(path: &str) -> Grants {
    Grants { write: Some(vec![PathGrant { hosts: HostGroup::App, path: path.to_owned() }]), ..nothing() }
}

pub(super) fn all() -> Vec<Mode> {
    [reach(), limits(), values()].into_iter().flatten().collect()
}

#[rustfmt::skip]
fn reach() -> Vec<Mode> {
    let told = "try { return say(ASK) } catch (error) { return say(error.payload.tag + \": \" + error.message.split(\"\\n\")[0]) }";
    let asks = |name, head: &str, ask: &str| script(name, head, &told.replace("ASK", ask));
    vec![
        asks("script-reads-a-file", HOSTS, "hosts.readText(\"web1\", \"/etc/passwd\")")
            .ends("answered denied: read `/etc/passwd` on `web1`: not granted | denied read `/etc/passwd` on `web1`: not granted"),
        asks("script-starts-a-program", HOSTS,
            "hosts.exec(\"web1\", { program: \"/bin/sh\", args: [\"-c\", \"id\"], env: [], secretEnv: [], asRoot: true })")
            .ends("answered denied: exec `/bin/sh -c id` on `web1` as root: not granted | denied exec `/bin/sh -c id` on `web1` as root: not granted"),
        asks("script-connects", HTTP,
            "send({ method: \"GET\", url: \"http://169.254.169.254/\", headers: [], secretHeaders: [], binary: false }).status")
            .ends("answered denied: GET http://169.254.169.254: not granted | denied GET http://169.254.169.254: not granted"),
        script("script-imports-later", "", "let end = \"nothing\"; import(\"cutover:hook/hosts@0.1.0\").then(() => { end = \"hosts\" }); return say(end)")
            .ends("answered nothing"),
        Mode::new("script-imports-files", Component::Script("import \"/etc/passwd\";".to_owned()))
            .ends("refused hook/not-a-script: hook `stranger` can't be read: /hooks/stranger.js: TypeError: a script is one file, and can't \
                   import `/etc/passwd`: bundle them"),
        script("script-environment", "", "return say([typeof process, typeof require, typeof fetch, typeof Deno, typeof std, typeof os])")
            .ends("answered undefined,undefined,undefined,undefined,undefined,undefined"),
        script("script-clock", "", "const now = Date.now(); return say(now > 1.6e12 && new Date().getTimezoneOffset() === 0)").ends("answered true"),
        script("script-keeps-nothing", "globalThis.count = (globalThis.count ?? 0) + 1;", "return say(globalThis.count)").ends("answered 1"),
        script("script-evaluates", "", "return say(typeof new Function(\"return this\")().hosts)").ends("answered undefined"),
    ]
}

#[rustfmt::skip]
fn limits() -> Vec<Mode> {
    let memory = "hook/limit-memory: its memory would be larger than 256 MiB";
    vec![
        script("script-endless-loop", "", "for (;;) {}").within(300).ends("hook/timed-out: no answer within 0.3 s"),
        script("script-endless-top", "for (;;) {}", "return say(1)").within(300).ends("hook/timed-out: no answer within 0.3 s"),
        script("script-endless-pattern", "", "return say(/^(a+)+$/.test(\"a\".repeat(40) + \"!\"))").within(300)
            .ends("hook/timed-out: no answer within 0.3 s"),
        script("script-memory-bomb", "", "const all = []; for (;;) all.push(new Uint8Array(1 << 20))").ends(memory),
        script("script-object-bomb", "", "const all = []; for (;;) all.push({ all })").ends(memory),
        script("script-text-bomb", "", "let text = \"x\"; for (;;) text += text").ends(memory),
        script("script-shared-arrays", "", "let all = [0]; for (let i = 0; i < 12; i++) all = Array(9).fill(all); return all").ends(memory),
        script("script-recursion", "", "(function again() { again() })()")
            .ends("hook/failed: /hooks/stranger.js:4:26: it calls itself too deeply: a script may be 512 calls deep"),
        script("script-native-recursion", "", "const again = () => [1].map(again); again()")
            .ends("hook/failed: /hooks/stranger.js:4:28: it calls itself too deeply: a script may be 512 calls deep"),
        Mode::new("script-deep-text", Component::Script(format!("export const healthCheck = {}1", "(".repeat(200_000))))
            .ends("refused hook/not-a-script: hook `stranger` can't be read: what reads it fails, as it does where parts are nested too deeply: the \
                   hook reached outside of its memory (or recursed too deeply)"),
        script("script-log-flood", ENGINE, "for (let i = 0; i < 10001; i++) log(\"debug\", \"x\"); return say(\"logged\")")
            .ends("answered logged | told it logs more than 10000 lines: the rest is not shown: `limits.log-lines`"),
        script("script-console-flood", "", "for (let i = 0; i < 10001; i++) console.debug(\"x\"); return say(\"logged\")")
            .ends("answered logged | told it logs more than 10000 lines: the rest is not shown: `limits.log-lines`"),
        script("script-huge-answer", "", "return say(\"x\".repeat(6000000))").ends("hook/limit-answer: its answer is longer than 4 MiB"),
        script("script-asks-often", HOSTS, "for (;;) try { hosts.readText(\"web1\", \"/\") } catch {}").limit(Limit::Imports, 10)
            .ends("hook/limit-imports: it calls imports more than 10 times | denied read `/` on `web1`: a path must be absolute, without `.`, \
                   `..` or empty parts"),
        Mode::new("script-large-file", Component::Script(" ".repeat(2000))).limit(Limit::File, 1024)
            .ends("refused hook/limit-file: hook `stranger` can't be used: its file is larger than 1 KiB"),
    ]
}

#[rustfmt::skip]
fn values() -> Vec<Mode> {
    let returned = |fault: &str| format!("hook/failed: /hooks/stranger.js: `healthCheck.check` returned what the contract has not{fault}");
    let polluted = "for (const key of [\"asRoot\", \"tag\", \"val\", \"input\", \"mode\"]) Object.prototype[key] = true;";
    vec![
        script("script-pollutes-prototypes", &format!("{HOSTS}{polluted}"),
            "hosts.exec(\"web1\", { program: \"/bin/true\", args: [], env: [], secretEnv: [] })")
            .ends("hook/failed: /hooks/stranger.js:4:11: TypeError: `command`: missing field `asRoot`"),
        script("script-pollutes-answers", "Object.prototype.tag = \"healthy\"; Array.prototype.toJSON = () => 1;", "return {}")
            .ends(returned(": missing field `tag`")),
        script("script-getter", "", "return { get tag() { for (;;) {} } }").ends(returned(", at `tag`: a getter or setter, and no data")),
        script("script-getter-in-request", HOSTS,
            "hosts.exec(\"web1\", { program: \"/bin/true\", args: [], env: [], secretEnv: [], get asRoot() { for (;;) {} } })")
            .ends("hook/failed: /hooks/stranger.js:4:11: TypeError: `command.asRoot`: a getter or setter, and no data"),
        script("script-proxy", "", "return new Proxy({}, { get() { for (;;) {} }, ownKeys() { for (;;) {} } })")
            .ends(returned(": neither a plain object nor an array")),
        script("script-cycle", "", "const own = { tag: \"starting\" }; own.val = own; return own").ends(returned(", at `val`: it holds itself")),
        script("script-throws-a-getter", "", "throw { get tag() { for (;;) {} }, val: \"x\" }").ends("hook/failed: /hooks/stranger.js:4:7: {"),
        script("script-forges-an-error", "", "throw { tag: \"denied\", val: \"as if\" }").ends("hook/denied: as if"),
        script("script-odd-numbers", HOSTS, "hosts.writeText(\"web1\", \"/tmp/x\", \"\", 0o100644 + 0.5)").granted(writes("/tmp/x"))
            .ends("hook/failed: /hooks/stranger.js:4:16: TypeError: `mode`: `33188.5` is no whole number"),
        script("script-promises", "", "return Promise.resolve(say(1))")
            .ends("hook/failed: /hooks/stranger.js: `healthCheck.check` returns a promise: write it without `async` and `await`"),
        script("script-replaces-globals", "for (const name of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[name] } catch {}",
            "return { tag: \"starting\", val: \"bare\" }").ends("answered bare"),
        script("script-of-another-kind", "", "").asked(Question::Validate)
            .ends("refused hook/wrong-kind: hook `stranger` is not a router hook: the script does not export `router`"),
    ]
}
