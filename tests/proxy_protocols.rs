//! What cutover's own proxy speaks: HTTP/2 with and without TLS, several applications, and what it says of clients.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use serde_json::json;
use test_support::{Behaviour, CutoverProxy, Port, Test, eventually, get, skip};

use crate::local;
use crate::proxy::{behind_proxy, with_v1};

/// An instance that says what it was asked, and with which headers.
fn echo() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut lines = BufReader::new(client.try_clone().unwrap()).lines().map_while(Result::ok);
            let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            let body = head.join("\n");
            let length = body.len();
            let _ = write!(client, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
        }
    });
    port
}

/// Gives an application of the proxy, new there, to one instance.
fn route(proxy: &CutoverProxy, name: &str, host_names: &[&str], port: u16) {
    let side = |percent| json!({ "percent": percent, "upstreams": [{ "host": "web1", "address": format!("127.0.0.1:{port}") }] });
    let route = json!({ "host-names": host_names, "blue": side(100), "green": side(0) });
    let said = proxy.ask(&format!("set {name} 0 {route}")).unwrap();
    assert!(said.starts_with("{\"version\":"), "{said}");
}

/// What comes back for these bytes, up to the end of the connection.
fn raw(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn is_curl_here() -> bool {
    let output = Command::new("curl").arg("--version").output();
    let is_here = output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("HTTP2"));
    if !is_here {
        skip("`curl` with HTTP/2 is not installed: `cargo xtask test` does that");
    }
    is_here
}

/// A page, and the version of HTTP in which it came.
fn curl(words: &[&str]) -> (String, String) {
    let words = ["-sS", "--max-time", "10", "-w", "\n%{http_version} %{response_code}"].iter().chain(words);
    let output = Command::new("curl").args(words).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, version) = text.rsplit_once('\n').unwrap();
    (body.to_owned(), version.to_owned())
}

#[test]
fn an_instance_is_told_of_its_client_by_the_proxy_alone() {
    let Some(world) = behind_proxy(local()) else { return };
    route(&world.proxy, "echo", &[], echo());
    let port = world.proxy.port();
    let answer = raw(
        port,
        "GET /a?b=%2F HTTP/1.1\r\nHost: Shop.example:80\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n\
         X-Forwarded-Host: evil\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX-Own: kept\r\n\
         Connection: close, X-Forwarded-For, X-Hop\r\nX-Hop: gone\r\nKeep-Alive: 3\r\n\r\n",
    );
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let mut lines: Vec<&str> = body.lines().collect();
    lines[1..].sort_unstable();
    assert_eq!(
        lines,
        [
            "GET /a?b=%2F HTTP/1.1",
            "forwarded: for=127.0.0.1;host=\"Shop.example:80\";proto=http",
            "host: Shop.example:80",
            "x-forwarded-for: 127.0.0.1",
            "x-forwarded-host: Shop.example:80",
            "x-forwarded-proto: http",
            "x-own: kept",
        ]
    );
    // What is no plain request gets no further.
    for (request, status) in [
        ("CONNECT other:443 HTTP/1.1\r\nHost: other\r\n\r\n", "400"),
        ("OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "400"),
        ("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "400"),
        ("GET /\u{1} HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
        ("nonsense\r\n\r\n", "400"),
    ] {
        let answer = raw(port, &request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
        assert_eq!(answer.split(' ').nth(1), Some(status), "{request:?}: {answer:?}");
    }
    let mut long = "GET / HTTP/1.1\r\nHost: x\r\nX-Long: ".to_owned();
    long.push_str(&"a".repeat(80 << 10));
    assert_eq!(raw(port, &(long + "\r\n\r\n")).split(' ').nth(1), Some("431"));
}

#[test]
fn an_instance_that_can_not_be_reached_is_passed_over() {
    let Some(world) = behind_proxy(local()) else { return };
    let (closed, open) = (Port::take(), echo());
    let upstreams = json!([
        { "host": "web1", "address": format!("127.0.0.1:{closed}") },
        { "host": "web2", "address": format!("127.0.0.1:{open}") },
    ]);
    let route = json!({ "blue": { "percent": 100, "upstreams": upstreams }, "green": { "percent": 0, "upstreams": [] } });
    let _ = world.proxy.ask(&format!("set echo 0 {route}")).unwrap();
    for _ in 0..20 {
        assert_eq!(get("127.0.0.1", world.proxy.port(), "/").unwrap().status, 200);
    }
    let said = world.proxy.log().replace(&closed.to_string(), "CLOSED");
    assert_eq!(
        said,
        "cutover proxy: can't connect (Connection refused (os error 111)) to `127.0.0.1:CLOSED`\n"
    );
    // None is left.
    let nobody = route.to_string().replace(&format!(":{open}"), &format!(":{closed}"));
    let _ = world.proxy.ask(&format!("set echo 1 {nobody}")).unwrap();
    let page = get("127.0.0.1", world.proxy.port(), "/").unwrap();
    assert_eq!((page.status, page.body.as_str()), (502, "no instance can be reached\n"));
    // Out of their turn by the route, too.
    let mut out = route.clone();
    out["out"] = json!(["web1", "web2"]);
    let _ = world.proxy.ask(&format!("set echo 2 {out}")).unwrap();
    assert_eq!(get("127.0.0.1", world.proxy.port(), "/").unwrap().status, 503);
}

#[test]
fn two_applications_share_one_proxy() {
    let Some(mut world) = behind_proxy(local()) else { return };
    let port = world.proxy.port();
    let own = world.proxy.settings();
    let named = |names: &str| own.replace("{ directory", &format!("{{ host-names = [{names}], directory"));
    world.test.configure(&own, &named("\"shop.example\", \"127.0.0.1\""));
    let _ = world.test.deploy("v1", Behaviour::Sound).expect(0);
    route(&world.proxy, "blog", &["blog.example"], echo());
    assert_eq!(world.test.live(), "v1 blue");
    let of = |host: &str| raw(port, &format!("GET /x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
    assert!(of("Blog.example:80").contains("\r\n\r\nGET /x HTTP/1.1\n"));
    let nobody = of("other.example");
    assert!(nobody.starts_with("HTTP/1.1 404 ") && nobody.ends_with("no application has this host name\n"));

    // A name that is taken is found before anything is switched.
    world
        .test
        .configure("\"shop.example\", \"127.0.0.1\"", "\"shop.example\", \"127.0.0.1\", \"blog.example\"");
    let refused = world.test.deploy("v2", Behaviour::Sound).expect(10);
    let text = "the proxy on `local` refuses it: `blog` has the host name `blog.example` already";
    assert!((refused.stdout + &refused.stderr).contains(text));
    assert_eq!(world.test.live(), "v1 blue");

    let directory = world.proxy.directory().display().to_string();
    let listed = world.test.cutover(&["proxy", "list", "--directory", &directory]).expect(0);
    let (blue, green) = world.test.ports();
    let line = |color: &str, percent: u32, port: u16| {
        format!("  {color:<6}{percent:>4} %  0 open  127.0.0.1:{port}\n")
    };
    let shop =
        format!("shop  shop.example, 127.0.0.1\n{}{}", line("blue", 100, blue), line("green", 0, green));
    assert!(listed.stdout.ends_with(&shop), "{}", listed.stdout);
    let remove = |name: &str| world.test.cutover(&["proxy", "remove", name, "--directory", &directory]);
    assert_eq!(remove("blog").expect(0).stdout, "removed blog\n");
    assert_eq!(
        remove("blog").expect(11).stderr,
        "error[proxy/unknown]: the proxy has no application `blog`\n  hint: `cutover proxy list` names them\n"
    );
    assert!(of("blog.example").starts_with("HTTP/1.1 404 "));
    assert_eq!(world.test.live(), "v1 blue");
}

#[test]
fn one_connection_of_http_2_is_switched_without_an_end() {
    let Some(world) = with_v1(local()) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (door, uri) = (world.test.door(), format!("http://127.0.0.1:{}/", world.test.door()));
    let mut client = runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", door)).await.unwrap();
        let executor = hyper_util::rt::TokioExecutor::new();
        let stream = hyper_util::rt::TokioIo::new(stream);
        let (client, connection) = hyper::client::conn::http2::handshake(executor, stream).await.unwrap();
        tokio::spawn(connection);
        client
    });
    // Twenty at once.
    let mut colors = || {
        runtime.block_on(async {
            let ask = |_| client.send_request(http::Request::get(&uri).body(String::new()).unwrap());
            let answers = futures_util::future::join_all((0..20).map(ask)).await;
            let color = |answer: Result<http::Response<_>, hyper::Error>| {
                let answer = answer.unwrap();
                assert_eq!(
                    (answer.status(), answer.version()),
                    (http::StatusCode::OK, http::Version::HTTP_2)
                );
                answer.headers()["x-color"].to_str().unwrap().to_owned()
            };
            answers.into_iter().map(color).collect::<std::collections::BTreeSet<_>>()
        })
    };
    assert_eq!(colors(), ["blue".to_owned()].into());
    let _ = world.test.deploy("v2", Behaviour::Sound).expect(0);
    assert_eq!(colors(), ["green".to_owned()].into());
    // Who does not open another one is told so, and has had all its answers.
    world.proxy.upgrade();
    eventually("the connection ends", std::time::Duration::from_secs(5), || client.is_closed().then_some(()));
    world.proxy.wait_for_processes(1);
}

#[test]
fn tls_brings_http_2() {
    let Some(mut world) = behind_proxy(local()) else { return };
    if !is_curl_here() {
        return;
    }
    let scratch = world.test.scratch().path().to_owned();
    let (key, own) = (scratch.join("key.pem"), scratch.join("own.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=shop.example", "-addext", "subjectAltName=DNS:shop.example", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&own)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    route(&world.proxy, "echo", &[], echo());
    world.proxy.crash();
    let port = Port::take();
    let (listen, key, own) =
        (format!("127.0.0.1:{port}"), key.display().to_string(), own.display().to_string());
    let words = ["--listen-tls", &listen, "--certificate", &own, "--key", &key];
    world.proxy.start_with(world.test.router(), &words);
    let (url, resolve) = (format!("https://shop.example:{port}/"), format!("shop.example:{port}:127.0.0.1"));
    // Ten pages on one connection.
    let urls: Vec<&str> = std::iter::repeat_n(url.as_str(), 9).collect();
    let (_, version) =
        curl(&[&["--cacert", &own, "--resolve", &resolve, "--http2"], &urls[..], &[&url]].concat());
    assert_eq!(version, "2 200");
    let ask = |version: &str| curl(&["--cacert", &own, "--resolve", &resolve, version, &url]);
    for _ in 0..2 {
        let (body, version) = ask("--http2");
        assert_eq!(version, "2 200");
        assert!(
            body.contains("\nx-forwarded-proto: https")
                && body.contains(&format!("\nhost: shop.example:{port}")),
            "{body}"
        );
        assert_eq!(ask("--http1.1").1, "1.1 200");
        // The same of the process that follows.
        world.proxy.upgrade();
    }
    eventually("those before have gone", std::time::Duration::from_secs(15), || {
        (world.proxy.ids().len() == 1).then_some(())
    });
}

#[test]
fn what_it_does_not_begin_with_is_told() {
    let Some(test) = local() else { return };
    let told = |text: &str| text.replace(&test.scratch().path().display().to_string(), "SCRATCH");
    let said = |words: &[&str]| {
        let ended = test.cutover(&[&["proxy", "run"], words].concat());
        (ended.status, told(&ended.stderr))
    };
    let directory = test.scratch().join("proxy").display().to_string();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (status, text) = said(&["--listen", &address, "--directory", &directory]);
    assert_eq!(
        (status, text.replace(&address, "ADDRESS")),
        (
            11,
            "error[proxy/begin]: can't listen on `ADDRESS`: Address already in use (os error 98)\n  hint: something else \
             listens there: `ss -ltnp` tells what\n"
                .to_owned()
        )
    );
    let file = test.scratch().write("file", "x").display().to_string();
    let (status, text) = said(&["--listen", "127.0.0.1:0", "--directory", &file]);
    assert_eq!(
        (status, text.as_str()),
        (11, "error[proxy/begin]: can't make `SCRATCH/file`: File exists (os error 17)\n")
    );
    let pair =
        ["--listen-tls", "127.0.0.1:0", "--directory", &directory, "--certificate", &file, "--key", &file];
    let (status, text) = said(&pair);
    assert_eq!((status, text.as_str()), (11, "error[proxy/begin]: `SCRATCH/file` has no certificate\n"));
    let (status, text) = said(&["--listen", "nowhere"]);
    assert_eq!(
        (status, text.as_str()),
        (
            2,
            "error: invalid value 'nowhere' for '--listen <ADDRESS:PORT>': invalid socket address syntax\n\n\
             For more information, try '--help'.\n"
        )
    );
    let list = |words: &[&str]| {
        let ended = test.cutover(&[&["proxy", "list"], words].concat());
        (ended.status, told(&ended.stderr))
    };
    assert_eq!(
        list(&["--directory", &directory]),
        (
            11,
            "error[proxy/control]: no proxy answers on `SCRATCH/proxy/control.sock`: Connection refused (os error 111)\n  \
             hint: does `cutover proxy run` run on this machine, with this --directory, and as this user?\n"
                .to_owned()
        )
    );
    twice(&test, &directory);
}

/// A second one in the same directory.
fn twice(test: &Test, directory: &str) {
    let mut proxy = CutoverProxy::new(test.scratch(), test.router(), test.program());
    proxy.start(test.router());
    let own = proxy.directory().display().to_string();
    assert_ne!(own, directory);
    let second = test.cutover(&["proxy", "run", "--listen", "127.0.0.1:0", "--directory", &own]).expect(11);
    assert_eq!(
        second.stderr.replace(&own, "DIRECTORY"),
        "error[proxy/begin]: a proxy runs in `DIRECTORY` already\n  hint: SIGHUP has that one start this \
         program anew, without losing a connection\n"
    );
    assert_eq!(
        test.cutover(&["proxy", "list", "--directory", &own]).expect(0).stdout,
        "no application yet: the first deployment of each brings it here\n"
    );
}
