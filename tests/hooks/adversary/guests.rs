//! Modes of a guest that runs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use cutover::model::Limit;
use cutover::model::grant::{ExecGrant, Grants, HostGroup, HttpGrant, HttpTarget, PathGrant};
use cutover_host::bytes::Bytes;
use cutover_host::operation::Answer;

use super::super::stage::nothing;
use super::components::Component;
use super::mode::{Mode, Question};
use super::servers::{self, server};

fn http(origin: &str, private: bool) -> Grants {
    let to = HttpTarget::Origin(origin.to_owned());
    Grants { http: Some(vec![HttpGrant { to, private, via: None, authorities: None }]), ..nothing() }
}

fn exec(program: &str, args: &[&str]) -> Grants {
    let grant = ExecGrant {
        hosts: HostGroup::App,
        program: program.to_owned(),
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        env: Vec::new(),
        directory: Vec::new(),
        input: false,
        as_root: false,
        read_only: false,
        interpreter: false,
    };
    Grants { exec: Some(vec![grant]), ..nothing() }
}

fn paths(path: &str) -> Option<Vec<PathGrant>> {
    Some(vec![PathGrant { hosts: HostGroup::App, path: path.to_owned() }])
}

fn reads(path: &str) -> Grants {
    Grants { read: paths(path), ..nothing() }
}

fn writes(path: &str) -> Grants {
    Grants { write: paths(path), ..nothing() }
}

/// `mounts` where this process may mount, for itself alone.
pub(super) fn all(place: &Path, mounts: bool) -> Vec<Mode> {
    let open = place.join("open");
    fs::create_dir(&open).unwrap();
    fs::write(place.join("secret"), "hidden").unwrap();
    fs::write(open.join("file"), "shown").unwrap();
    symlink("../secret", open.join("link")).unwrap();
    symlink("..", open.join("out")).unwrap();
    fs::hard_link(place.join("secret"), open.join("other-name")).unwrap();
    let mounted = if mounts { other_mounts(place) } else { Vec::new() };
    let place = place.to_str().unwrap();
    [floods(), endings(), network(), programs(), files(place), mounted].into_iter().flatten().collect()
}

/// What lies beneath the granted root and is of another file system: a directory, and a single file.
fn other_mounts(place: &Path) -> Vec<Mode> {
    let at = |name: &str| place.join(name).to_str().unwrap().to_owned();
    fs::create_dir(place.join("elsewhere")).unwrap();
    fs::create_dir(place.join("open/mounted")).unwrap();
    fs::write(place.join("open/pinned"), "").unwrap();
    for (what, here) in [("elsewhere", "open/mounted"), ("secret", "open/pinned")] {
        let bound = Command::new("mount").args(["--bind", &at(what), &at(here)]).status();
        assert!(bound.unwrap().success(), "{what}");
    }
    let write = |name, to: &str, granted: &str| {
        Mode::deed(name, "write", &at(to)).granted(writes(&at(granted))).asked(Question::Prepare)
    };
    let read = |name, from: &str| Mode::deed(name, "read", &at(from)).granted(reads(&at(from)));
    vec![
        write("rename-beneath-mount", "open/mounted/file", "open/*/file").ends("answered Ok(())"),
        read("renamed-beneath-mount", "elsewhere/file").ends("answered Ok(\"content\")"),
        write("rename-onto-mount", "open/pinned", "open/*").ends(
            "answered Err(HostError::Failed(\"failed to write `DIR/open/pinned`: device or resource busy\"))",
        ),
        read("kept-beneath-mount", "secret").ends("answered Ok(\"hidden\")"),
    ]
}

/// That a request was denied, with the entry that would allow it, to the guest as to the operator.
fn denied(wrapped: (&str, &str), request: &str, reason: &str, entry: &str) -> String {
    let hint =
        if entry.is_empty() { String::new() } else { format!("\\nhint: add to the hook's grants: {entry}") };
    let hint = hint.replace('"', "\\\"");
    let (before, after) = wrapped;
    format!("answered {before}(\"{request}: {reason}{hint}\"{after} | denied {request}: {reason}")
}

const BY_HOST: (&str, &str) = ("Err(HostError::Denied", "))");
const BY_HTTP: (&str, &str) = ("HttpError::Denied", ")");
const NOT_GRANTED: &str = "not granted";
const READING: &str = "this question may only read";

#[rustfmt::skip]
fn endings() -> Vec<Mode> {
    let late = "hook/timed-out: no answer within 0.3 s";
    vec![
        Mode::deed("endless-loop", "spin", "").within(300).ends(late),
        Mode::deed("endless-sleep", "sleep", "").within(300).ends(late),
        Mode::deed("endless-sleep-in-wasi", "sleep-in-wasi", "").within(300).ends(late),
        Mode::deed("frozen-sandbox", "spin", "").made_of(Component::Frozen).within(3000)
            .ends("hook/timed-out: no answer within 3 s"),
        Mode::deed("panic", "panic", "x")
            .ends("hook/trapped: the hook crashed (panic, abort or an exception that nobody caught)"),
        Mode::deed("exit", "exit", "").ends("hook/trapped: the hook ended itself with failure instead of answering"),
        Mode::deed("memory-bomb", "allocate", "").ends("hook/limit-memory: its memory would be larger than 256 MiB"),
        Mode::deed("deep-recursion", "recurse", "").ends("hook/limit-stack: it recursed deeper than 2 MiB of stack reach"),
        Mode::deed("environment", "environment", "").ends("answered 0 0 Err(NotFound) Err(PermissionDenied)"),
        Mode::deed("raw-sockets-and-names", "network", "localhost:80")
            .ends("answered true Err(PermissionDenied) Err(PermissionDenied) Err(NotFound)"),
    ]
}

#[rustfmt::skip]
fn floods() -> Vec<Mode> {
    vec![
        Mode::deed("log-flood", "log", "")
            .ends("answered logged | told it logs more than 10000 lines: the rest is not shown: `limits.log-lines`"),
        Mode::deed("long-lines", "long-line", "")
            .ends("answered logged | told a line of its log is longer than 8 KiB: the rest is cut: `limits.log-line`"),
        Mode::deed("print-flood", "print", "")
            .ends("answered printed | told it printed more than 1 MiB: only the newest is kept: `limits.output`"),
        Mode::deed("long-answer", "long-answer", "6000000").ends("hook/limit-answer: its answer is longer than 4 MiB"),
        Mode::deed("huge-answer", "long-answer", "20000000")
            .ends("hook/limit-call-bytes: it passes more than 16 MiB at once"),
        Mode::deed("shared-lists", "shared-lists", "")
            .ends("hook/limit-call-bytes: it passes more than 16 MiB at once"),
        Mode::deed("long-request", "long-request", "/bin/true")
            .ends("hook/limit-request: what it asks for takes more than 4 MiB to say"),
        Mode::deed("long-content", "long-content", "/tmp/x")
            .ends("hook/limit-call-bytes: it passes more than 16 MiB at once"),
    ]
}

#[rustfmt::skip]
fn network() -> Vec<Mode> {
    let to = |name, server: &str| Mode::deed(name, "fetch", server).granted(http(server, true));
    let late = |what: &str, key: &str| format!("answered HttpError::TimedOut(\"http://127.0.0.1:PORT: {what}\\nhint: if the hook needs \
        more, raise `limits.{key}` in its table: at most 30m\") | told {what}: `limits.{key}`");
    let headers = "the headers of an HTTP message are longer than 64 KiB";
    let flooded = format!("answered HttpError::Other((\"too-large\", \"http://127.0.0.1:PORT: {headers}\\nhint: if the hook needs more, raise \
        `limits.http-headers` in its table: at most 1 MiB\")) | told {headers}: `limits.http-headers`");
    let brief = server(servers::brief);
    let endless = server(servers::endless);
    let inside = |name, url: &str, origin: &str| {
        let entry = format!("http = [{{ to = \"{origin}\" }}]");
        Mode::deed(name, "fetch", url).granted(http(&brief, true)).ends(denied(BY_HTTP, &format!("GET {origin}"), NOT_GRANTED, &entry))
    };
    let invalid = |reason: &str| format!("answered HttpError::Other((\"invalid-request\", \"{reason}\"))");
    let private = "`localhost` leads to 127.0.0.1, which is no public address";
    vec![
        to("silent-server", &server(servers::silent)).limit(Limit::HttpFirstByte, 100)
            .ends(late("no answer begun within 100ms", "http-first-byte")),
        to("slow-drip", &server(servers::dripping)).limit(Limit::HttpTotal, 200)
            .ends(late("no whole answer within 200ms", "http-total")),
        to("stalling-server", &server(servers::stalling)).limit(Limit::HttpIdle, 100)
            .ends(late("the answer stopped for 100ms", "http-idle")),
        to("endless-body", &endless).limit(Limit::HttpBody, 4)
            .ends("answered 200 xxxx | told the body of an HTTP answer is longer than 4 B: the rest is cut: `limits.http-body`"),
        to("largest-body", &endless).ends("hook/limit-answer: its answer is longer than 4 MiB | told the body of an HTTP answer is longer \
            than 8 MiB: the rest is cut: `limits.http-body`"),
        to("header-flood", &server(servers::headers)).ends(flooded.clone()),
        Mode::deed("headers-sent", "headers", &brief).granted(http(&brief, true)).ends(flooded),
        Mode::deed("request-flood", "fetch-often", &brief).granted(http(&brief, true)).limit(Limit::HttpRequests, 5)
            .ends("hook/limit-http-requests: it sends more than 5 HTTP requests"),
        to("redirect-inside", &server(servers::redirecting)).ends("answered 302 over"),
        inside("metadata", "http://169.254.169.254/latest/meta-data", "http://169.254.169.254"),
        inside("loopback", "http://127.0.0.1:1/", "http://127.0.0.1:PORT"),
        inside("mapped-loopback", "http://[::ffff:127.0.0.1]:1/", "http://[::ffff:127.0.0.1]:1"),
        Mode::deed("private-by-name", "fetch", "http://localhost:1/").granted(http("http://localhost:1", false))
            .ends(denied(BY_HTTP, "GET http://localhost:1", private, "http = [{ to = \"http://localhost:1\", private = true }]")),
        Mode::deed("odd-address", "fetch", "http://2130706433/").granted(http("http://2130706433", false))
            .ends(invalid("`http://2130706433/` has no valid host and port")),
        Mode::deed("user-in-url", "fetch", &brief.replace("http://", "http://good.example@")).granted(http(&brief, true))
            .ends(invalid("`http://good.example@127.0.0.1:PORT` has a user name or password in it: send them in a header")),
    ]
}

#[rustfmt::skip]
fn programs() -> Vec<Mode> {
    let echo = || exec("/bin/echo", &["one", "*"]);
    let ran = |words: &str, entry: &str| {
        let entry = format!("exec = [{{ hosts = \"app\", {entry} }}]");
        denied(BY_HOST, &format!("exec {words}"), NOT_GRANTED, &entry)
    };
    vec![
        Mode::deed("injected-option", "exec", "/bin/echo").args(&["one", "--two"]).granted(echo())
            .ends(ran("`/bin/echo one --two` on `web1`", r#"program = "/bin/echo", args = ["one", "--two"]"#)),
        Mode::deed("further-argument", "exec", "/bin/echo").args(&["one", "two", "three"]).granted(echo())
            .ends(ran("`/bin/echo one two three` on `web1`", r#"program = "/bin/echo", args = ["one", "two", "three"]"#)),
        Mode::deed("as-root", "exec-as-root", "/bin/echo").granted(echo())
            .ends(ran("`/bin/echo one two` on `web1` as root", r#"program = "/bin/echo", args = ["one", "two"], as-root = true"#)),
        Mode::deed("other-program", "swallow", "/bin/sh").args(&["-c", "id"]).granted(echo())
            .ends("answered nothing happened | denied exec `/bin/sh -c id` on `web1`: not granted"),
        Mode::deed("program-by-name", "exec", "echo").granted(echo())
            .ends(ran("`echo one two` on `web1`", r#"program = "echo", args = ["one", "two"]"#)),
        Mode::deed("endless-program", "exec", "/bin/sleep").args(&["3600"]).granted(exec("/bin/sleep", &["*"])).within(1000)
            .ends(r#"answered Err(HostError::TimedOut("the deadline of the operation passed"))"#),
        Mode::deed("program-flood", "exec-often", "/bin/echo").granted(echo()).limit(Limit::ExecCalls, 3)
            .ends("hook/limit-exec-calls: it runs more than 3 programs"),
        Mode::deed("output-flood", "swallow", "/usr/bin/head").args(&["-c10000000", "/dev/zero"])
            .granted(exec("/usr/bin/head", &["-c10000000", "/dev/zero"])).limit(Limit::ExecOutput, 64 << 10)
            .ends("answered nothing happened | told an output of a program is longer than 64 KiB: the rest is cut: `limits.exec-output`"),
    ]
}

#[rustfmt::skip]
fn files(place: &str) -> Vec<Mode> {
    let at = |name: &str| format!("{place}/{name}");
    let open = || reads(&at("open/*"));
    let content = || Answer::Content(Bytes(vec![b'x'; 1 << 20]));
    let failed = |reason: &str| format!("answered Err(HostError::Failed(\"{reason}\"))");
    let broken = r#"answered Err(HostError::Broken("the host answered something else"))"#;
    let unread = |path: &str| {
        let entry = format!("read = [{{ hosts = \"app\", path = \"{path}\" }}]");
        denied(BY_HOST, &format!("read `{path}` on `web1`"), NOT_GRANTED, &entry)
    };
    vec![
        Mode::deed("path-traversal", "read", &at("open/../secret")).granted(open())
            .ends(denied(BY_HOST, "read `DIR/open/../secret` on `web1`", "a path must be absolute, without `.`, `..` or empty parts", "")),
        Mode::deed("link-out", "read", &at("open/link")).granted(open())
            .ends(failed("failed to open `DIR/open/link`: too many levels of symbolic links")),
        Mode::deed("directory-link-out", "read", &at("open/out/secret")).granted(reads(&at("open/*/secret")))
            .ends(failed("failed to open the directory of `DIR/open/out/secret`: too many levels of symbolic links")),
        Mode::deed("write-through-link", "write", &at("open/out/secret")).granted(writes(&at("open/*/secret"))).asked(Question::Prepare)
            .ends(failed("failed to open the directory of `DIR/open/out/secret`: too many levels of symbolic links")),
        Mode::deed("link-anywhere", "write-link", &at("open/own")).granted(writes(&at("open/*"))).asked(Question::Prepare)
            .ends(denied(BY_HOST, "link `DIR/open/own` to `/etc` on `web1`", NOT_GRANTED, r#"link = [{ hosts = "app", path = "DIR/open/own", targets = ["/etc"] }]"#)),
        Mode::deed("write-over-hard-link", "write", &at("open/other-name")).granted(writes(&at("open/*"))).asked(Question::Prepare)
            .ends("answered Ok(())"),
        Mode::deed("hard-link-kept", "read", &at("secret")).granted(reads(&at("secret"))).ends(r#"answered Ok("hidden")"#),
        Mode::deed("set-id", "write-set-id", &at("open/own")).granted(writes(&at("open/*"))).asked(Question::Prepare)
            .ends(failed("mode `4755` has more than permission bits")),
        Mode::deed("device", "read", "/dev/zero").granted(reads("/dev/zero"))
            .ends(failed("`/dev/zero` is not a regular file")),
        Mode::deed("listing-outside", "list-names", place).granted(open())
            .ends(unread("DIR")),
        Mode::deed("colluding-writer", "write", &at("open/drop")).granted(writes(&at("open/*"))).asked(Question::Prepare).ends("answered Ok(())"),
        Mode::deed("colluding-reader", "read", &at("open/drop"))
            .ends(unread("DIR/open/drop")),
        Mode::deed("read-flood", "read-often", &at("open/file")).granted(open()).limit(Limit::Imports, 10)
            .ends("hook/limit-imports: it calls imports more than 10 times"),
        Mode::deed("observe-writes", "write", &at("open/own")).granted(writes(&at("open/*"))).asked(Question::Observe)
            .ends(denied(BY_HOST, "write `DIR/open/own` on `web1`", READING, "")),
        Mode::deed("validate-asks", "read", &at("open/file")).granted(open()).asked(Question::Validate)
            .ends(denied(BY_HOST, "read `DIR/open/file` on `web1`", "this question is answered out of what it tells, without asking for anything", "")),
        Mode::deed("lying-host", "read", &at("open/file")).granted(open()).lied_to(Answer::Names(vec!["../../etc".to_owned(); 10_000]))
            .ends(broken),
        Mode::deed("lying-host-names", "list-names", &at("open")).granted(reads(&at("open"))).lied_to(Answer::Names(vec!["file".to_owned(), "../secret".to_owned()]))
            .ends(broken),
        Mode::deed("lying-host-flood", "read", &at("open/file")).granted(open()).lied_to(content()).limit(Limit::CallBytes, 64 << 10)
            .ends(broken),
    ]
}
