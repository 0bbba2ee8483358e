//! Every rule of the grants, one row a case.

use super::super::fixture::AUTHORITY;
use super::*;
use crate::model::grant::fixture::Fleet;
use crate::model::grant::{ConnectGrant, HostGroup, LinkGrant, Origin, Url, split_socket};
use crate::model::{Color, Instance};

fn name(text: &str) -> HostName {
    HostName::new(text).expect("a name")
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn instance(host: &str, listen: &str, address: &str) -> Instance {
    Instance {
        host: name(host),
        color: Color::Green,
        listen: listen.to_owned(),
        address: address.to_owned(),
        port: 4002,
        labels: Vec::new(),
    }
}

/// Two application hosts, one router, a builder; `allowed` or the reason.
fn verdict(grants: &Grants, mode: Mode, request: &Request<'_>) -> String {
    let fleet = Fleet::new(
        &["web1", "web2"],
        &[
            ("web1", "127.0.0.1", "10.0.0.11"),
            ("web2", "::1", "Web2.example.com"),
            ("web3", "0.0.0.0", "10.0.0.13"),
            ("web4", "::", "10.0.0.14"),
        ],
    );
    let scope = fleet.scope(mode, &[("{checkout}", "/w/checkout"), ("{output}", "/w/output")]);
    match grants.check(request, &scope) {
        Ok(allowed) => match allowed {
            Allowed::Host { host, beneath: None } => format!("on {host}"),
            Allowed::Host { host, beneath: Some(beneath) } => format!("on {host} beneath {beneath}"),
            Allowed::Http { via, addresses, authorities } => {
                let own = if authorities.is_some() { ", by an own authority" } else { "" };
                match via {
                    Some(host) => format!("via {host} {addresses:?}{own}"),
                    None => format!("here {addresses:?}{own}"),
                }
            }
            Allowed::Secret => "secret".to_owned(),
        },
        Err(denied) => denied.reason,
    }
}

fn exec(hosts: HostGroup, program: &str, args: &[&str]) -> ExecGrant {
    ExecGrant::for_tests(hosts, program, args)
}

/// A program with everything that can come with it.
#[derive(Clone, Default)]
struct Wish<'a> {
    host: &'a str,
    program: &'a str,
    args: &'a [&'a str],
    env: &'a [&'a str],
    directory: Option<&'a str>,
    input: bool,
    as_root: bool,
}

fn exec_verdict(grant: &ExecGrant, mode: Mode, wish: &Wish<'_>) -> String {
    let grants = Grants { exec: Some(vec![grant.clone()]), ..Grants::default() };
    let args = texts(wish.args);
    let request = Request::Exec {
        host: wish.host,
        program: wish.program,
        args: &args,
        env: wish.env.to_vec(),
        directory: wish.directory,
        input: wish.input,
        as_root: wish.as_root,
    };
    verdict(&grants, mode, &request)
}

const NO: &str = "not granted";

#[test]
fn programs_arguments_and_hosts() {
    let grant = exec(HostGroup::Routers, "/usr/sbin/haproxy", &["-c", "*"]);
    let wish = Wish { host: "lb1", program: "/usr/sbin/haproxy", args: &["-c", "x"], ..Wish::default() };
    let verdict = |wish: Wish<'_>| exec_verdict(&grant, Mode::Changing, &wish);
    assert_eq!(verdict(wish.clone()), "on lb1");
    assert_eq!(verdict(Wish { host: "web1", ..wish.clone() }), NO);
    assert_eq!(verdict(Wish { host: "LB1", ..wish.clone() }), "is no name of a host");
    assert_eq!(verdict(Wish { host: "", ..wish.clone() }), "is no name of a host");
    assert_eq!(verdict(Wish { program: "haproxy", ..wish.clone() }), NO);
    assert_eq!(verdict(Wish { program: "/usr/sbin/../sbin/haproxy", ..wish.clone() }), NO);
    assert_eq!(verdict(Wish { args: &["-c", "-x"], ..wish.clone() }), NO);
    assert_eq!(verdict(Wish { args: &["-c"], ..wish.clone() }), NO);
    assert_eq!(verdict(Wish { args: &["-c", "x", "y"], ..wish.clone() }), NO);
    assert_eq!(verdict(Wish { env: &["TZ"], ..wish.clone() }), NO);
    assert_eq!(verdict(Wish { directory: Some("/tmp"), ..wish.clone() }), NO);
    assert_eq!(verdict(Wish { input: true, ..wish.clone() }), NO);
    assert_eq!(verdict(Wish { as_root: true, ..wish }), NO);
}

#[test]
fn groups_and_names() {
    for (hosts, host, expected) in [
        (HostGroup::App, "web2", "on web2"),
        (HostGroup::App, "lb1", NO),
        (HostGroup::Builder, "builder", "on desk"),
        (HostGroup::Builder, "desk", "on desk"),
        (HostGroup::Builder, "web1", NO),
        (HostGroup::Named(vec![name("web2")]), "web2", "on web2"),
        (HostGroup::Named(vec![name("web2")]), "web1", NO),
        (HostGroup::Named(Vec::new()), "web1", NO),
    ] {
        let wish = Wish { host, program: "/bin/true", ..Wish::default() };
        assert_eq!(exec_verdict(&exec(hosts, "/bin/true", &[]), Mode::Changing, &wish), expected, "{host}");
    }
}

#[test]
fn variables_directories_and_inputs_are_granted_one_by_one() {
    let grant = ExecGrant {
        env: texts(&["MODE", "NODE_ENV", "LD_PRELOAD", "GIT_DIR", "MAKEFLAGS"]),
        directory: texts(&["{checkout}", "/srv/*"]),
        input: true,
        ..exec(HostGroup::Builder, "{checkout}/gradlew", &["--out={output}"])
    };
    let wish = Wish {
        host: "builder",
        program: "/w/checkout/gradlew",
        args: &["--out=/w/output"],
        ..Wish::default()
    };
    let verdict = |wish: Wish<'_>| exec_verdict(&grant, Mode::Changing, &wish);
    let fine =
        Wish { env: &["MODE", "MAKEFLAGS"], directory: Some("/w/checkout"), input: true, ..wish.clone() };
    assert_eq!(verdict(fine), "on desk");
    assert_eq!(verdict(Wish { directory: Some("/srv/a"), ..wish.clone() }), "on desk");
    for directory in ["/srv/a/b", "/srv/.a", "/srv/a/..", "/w/checkout/", "/w", "srv/a"] {
        assert_eq!(verdict(Wish { directory: Some(directory), ..wish.clone() }), NO, "{directory}");
    }
    assert_eq!(verdict(Wish { env: &["OTHER"], ..wish.clone() }), NO);
    for env in ["LD_PRELOAD", "PATH", "HOME", "BASH_ENV", "IFS", "A B", "A=B", ""] {
        let reason = format!(
            "variable `{env}` has a fixed value or decides what a program loads: it can't be granted"
        );
        assert_eq!(verdict(Wish { env: &[env], ..wish.clone() }), reason);
    }
    assert_eq!(verdict(Wish { program: "gradlew", ..wish }), NO);
}

/// In which everything may be asked, and nothing is there but the builder.
fn scope(builder: &HostName) -> Scope<'_> {
    Scope {
        mode: Mode::Changing,
        app: &[],
        routers: &[],
        builder,
        instances: &[],
        places: &[],
        bare_programs: false,
    }
}

#[test]
fn variables_that_choose_code_are_for_builds_alone() {
    let make =
        ExecGrant { env: texts(&["MAKEFLAGS", "MODE"]), ..exec(HostGroup::Builder, "/usr/bin/make", &[]) };
    let grants = Grants { exec: Some(vec![make]), ..Grants::default() };
    let builder = name("desk");
    let verdict = |env, places| {
        let scope = Scope { places, ..scope(&builder) };
        let (host, program) = ("builder", "/usr/bin/make");
        let env = vec![env];
        let request =
            Request::Exec { host, program, args: &[], env, directory: None, input: false, as_root: false };
        grants.check(&request, &scope).map(drop).map_err(|denied| denied.reason)
    };
    assert_eq!(verdict("MAKEFLAGS", &[("{checkout}", "/w")]), Ok(()));
    assert_eq!(verdict("MODE", &[]), Ok(()));
    let reason =
        "variable `MAKEFLAGS` has a fixed value or decides what a program loads: it can't be granted";
    assert_eq!(verdict("MAKEFLAGS", &[]), Err(reason.to_owned()));
}

#[test]
fn as_root_everything_is_exact() {
    let grant =
        ExecGrant { as_root: true, ..exec(HostGroup::Routers, "/usr/bin/systemctl", &["reload", "*"]) };
    let wish = Wish { host: "lb1", program: "/usr/bin/systemctl", as_root: true, ..Wish::default() };
    let verdict = |wish: Wish<'_>| exec_verdict(&grant, Mode::Changing, &wish);
    assert_eq!(verdict(Wish { args: &["reload", "nginx"], ..wish.clone() }), NO);
    assert_eq!(verdict(Wish { args: &["reload", "*"], ..wish.clone() }), "on lb1");
    assert_eq!(verdict(Wish { args: &["reload", "*"], as_root: false, ..wish.clone() }), NO);
    assert_eq!(
        verdict(Wish { args: &["reload", "*"], env: &["MODE"], ..wish }),
        "a program that runs as root gets no variables"
    );
}

#[test]
fn interpreters_need_a_louder_word() {
    for program in [
        "/bin/sh",
        "/usr/bin/python3.12",
        "/usr/bin/env",
        "/usr/bin/node",
        "/opt/x/bash",
        "/usr/bin/sed",
        "/usr/bin/m4",
        "/usr/bin/linux32",
        "/lib64/ld-linux-x86-64.so.2",
    ] {
        let wish = Wish { host: "web1", program, ..Wish::default() };
        let grant = exec(HostGroup::App, program, &[]);
        let reason = "it runs whatever it is given: the entry must say `interpreter = true` as well";
        assert_eq!(exec_verdict(&grant, Mode::Changing, &wish), reason, "{program}");
        let grant = ExecGrant { interpreter: true, ..grant };
        assert_eq!(exec_verdict(&grant, Mode::Changing, &wish), "on web1");
    }
    // Some of them only by their input.
    assert!(is_interpreter("/usr/bin/psql", true) && !is_interpreter("/usr/bin/psql", false));
}

#[test]
fn bare_names_are_for_the_command_build_alone() {
    let grants = Grants { exec: Some(vec![exec(HostGroup::Builder, "make", &[])]), ..Grants::default() };
    let request = Request::Exec {
        host: "builder",
        program: "make",
        args: &[],
        env: Vec::new(),
        directory: None,
        input: false,
        as_root: false,
    };
    let builder = name("desk");
    for (bare_programs, allowed) in [(false, false), (true, true)] {
        let scope = Scope { bare_programs, ..scope(&builder) };
        assert_eq!(grants.check(&request, &scope).is_ok(), allowed);
    }
}

#[test]
fn files_and_links() {
    let path = |path: &str| Some(vec![PathGrant { hosts: HostGroup::Routers, path: path.to_owned() }]);
    let grants = Grants {
        read: path("/etc/haproxy/*.map"),
        write: path("/etc/haproxy/cutover/*"),
        link: Some(vec![LinkGrant {
            hosts: HostGroup::Routers,
            path: "/etc/haproxy/live".to_owned(),
            targets: texts(&["/etc/haproxy/blue", "green"]),
        }]),
        ..Grants::default()
    };
    let plain = "a path must be absolute, without `.`, `..` or empty parts";
    let (host, away) = ("lb1", "web1");
    for (request, expected) in [
        (Request::Read { host, path: "/etc/haproxy/a.map" }, "on lb1 beneath /etc/haproxy"),
        (Request::Read { host: away, path: "/etc/haproxy/a.map" }, NO),
        (Request::Read { host, path: "/etc/haproxy/.a.map" }, NO),
        (Request::Read { host, path: "/etc/haproxy/cutover/a" }, NO),
        (Request::Read { host, path: "/etc/haproxy/../shadow.map" }, plain),
        (Request::Read { host, path: "etc/haproxy/a.map" }, plain),
        (Request::Write { host, path: "/etc/haproxy/cutover/a" }, "on lb1 beneath /etc/haproxy/cutover"),
        (Request::Write { host, path: "/etc/haproxy/a.map" }, NO),
        (Request::Write { host, path: "/etc/haproxy/cutover/x/../../a" }, plain),
        (Request::Link { host, path: "/etc/haproxy/live", target: "green" }, "on lb1 beneath /etc/haproxy"),
        (Request::Link { host, path: "/etc/haproxy/live", target: "/etc/haproxy/green" }, NO),
        (Request::Link { host, path: "/etc/haproxy/other", target: "green" }, NO),
    ] {
        assert_eq!(verdict(&grants, Mode::Changing, &request), expected, "{request}");
    }
}

#[test]
fn keys_of_ssh_are_never_granted() {
    for path in ["/home/deploy/.ssh/authorized_keys", "/home/deploy/.ssh"] {
        let entry = || Some(vec![PathGrant { hosts: HostGroup::App, path: path.to_owned() }]);
        let link = LinkGrant { hosts: HostGroup::App, path: path.to_owned(), targets: texts(&["x"]) };
        let grants = Grants { read: entry(), write: entry(), link: Some(vec![link]), ..Grants::default() };
        for request in [
            Request::Read { host: "web1", path },
            Request::Write { host: "web1", path },
            Request::Link { host: "web1", path, target: "x" },
        ] {
            let reason = "keys of SSH are never a hook's";
            assert_eq!(verdict(&grants, Mode::Changing, &request), reason, "{request}");
        }
    }
}

#[test]
fn sockets_take_the_lines_that_were_granted() {
    let entry = |send: &[&str], read_only| ConnectGrant {
        hosts: HostGroup::Routers,
        to: "unix:/run/admin.sock".to_owned(),
        send: texts(send),
        read_only,
    };
    let grants = Grants {
        connect: Some(vec![entry(&["show *"], true), entry(&["set map *"], false)]),
        ..Grants::default()
    };
    let reading = "this question may only read, and no entry says `read-only = true`";
    let to = "unix:/run/admin.sock";
    for (to, content, changing, observing) in [
        (to, "show stat\n", "on lb1", "on lb1"),
        (to, "set map x y\n", "on lb1", reading),
        (to, "show stat; set map x y\n", NO, NO),
        (to, "shutdown sessions\n", NO, NO),
        ("unix:/run/other.sock", "show stat\n", NO, NO),
    ] {
        let request = Request::Connect { host: "lb1", to, content };
        assert_eq!(verdict(&grants, Mode::Changing, &request), changing, "{request}");
        assert_eq!(verdict(&grants, Mode::Reading, &request), observing, "{request}");
    }
}

#[test]
fn reading_questions_only_read() {
    let path = || Some(vec![PathGrant { hosts: HostGroup::App, path: "/a".to_owned() }]);
    let link = LinkGrant { hosts: HostGroup::App, path: "/a".to_owned(), targets: texts(&["b"]) };
    let http = HttpGrant {
        to: HttpTarget::Origin("https://a.example".to_owned()),
        private: false,
        via: None,
        authorities: None,
    };
    let grants = Grants {
        read: path(),
        write: path(),
        link: Some(vec![link]),
        http: Some(vec![http]),
        secrets: None,
        exec: Some(vec![
            exec(HostGroup::App, "/bin/a", &[]),
            ExecGrant { read_only: true, ..exec(HostGroup::App, "/bin/b", &[]) },
        ]),
        connect: None,
    };
    let origin = Origin::parse("https://a.example").expect("an origin");
    let http = |method| Request::Http(HttpRequest { method, origin: &origin, connect_to: None, via: None });
    let program = |program| Request::Exec {
        host: "web1",
        program,
        args: &[],
        env: Vec::new(),
        directory: None,
        input: false,
        as_root: false,
    };
    let only = "this question may only read";
    let marked = "this question may only read, and no entry says `read-only = true`";
    let methods = "this question may only read: GET and HEAD";
    let closed = "this question is answered out of what it tells, without asking for anything";
    for (request, changing, reading) in [
        (Request::Read { host: "web1", path: "/a" }, "on web1 beneath /", "on web1 beneath /"),
        (Request::Write { host: "web1", path: "/a" }, "on web1 beneath /", only),
        (Request::Link { host: "web1", path: "/a", target: "b" }, "on web1 beneath /", only),
        (program("/bin/a"), "on web1", marked),
        (program("/bin/b"), "on web1", "on web1"),
        (program("/bin/c"), NO, NO),
        (http("GET"), "here Public", "here Public"),
        (http("HEAD"), "here Public", "here Public"),
        (http("get"), "here Public", methods),
        (http("POST"), "here Public", methods),
    ] {
        assert_eq!(verdict(&grants, Mode::Changing, &request), changing, "{request}");
        assert_eq!(verdict(&grants, Mode::Reading, &request), reading, "{request}");
        let writes = matches!(request, Request::Write { .. } | Request::Link { .. });
        let looking = if writes { reading } else { changing };
        assert_eq!(verdict(&grants, Mode::Looking, &request), looking, "{request}");
        assert_eq!(verdict(&grants, Mode::Closed, &request), closed, "{request}");
        assert_eq!(verdict(&Grants::default(), Mode::Changing, &request), NO, "{request}");
    }
}

fn http_verdict(grants: &[HttpGrant], url: &str, connect_to: &str, via: &str) -> String {
    let grants = Grants { http: Some(grants.to_vec()), ..Grants::default() };
    let url = Url::parse(url).expect("a URL");
    let socket = split_socket(connect_to);
    let connect_to = socket.as_ref().map(|(host, port)| (host.as_str(), *port));
    let via = (!via.is_empty()).then_some(via);
    let request = Request::Http(HttpRequest { method: "POST", origin: &url.origin, connect_to, via });
    verdict(&grants, Mode::Changing, &request)
}

#[test]
fn instances_are_exactly_host_address_and_port() {
    let grants = [HttpGrant { to: HttpTarget::Instances, private: false, via: None, authorities: None }];
    for (url, connect_to, via, expected) in [
        ("http://127.0.0.1:4002/up", "", "web1", "via web1 Any"),
        ("http://10.0.0.11:4002/up", "", "web1", "via web1 Any"),
        ("http://10.0.0.11:4002/up", "", "", "here Any"),
        ("https://shop.example.com/up", "127.0.0.1:4002", "web1", "via web1 Any"),
        ("http://[::1]:4002/", "", "web2", "via web2 Any"),
        ("http://web2.EXAMPLE.com:4002/", "", "", "here Any"),
        // What listens on every address is asked at loopback, or at the address that others know.
        ("http://127.0.0.1:4002/up", "", "web3", "via web3 Any"),
        ("http://10.0.0.13:4002/up", "", "web3", "via web3 Any"),
        ("http://[::1]:4002/up", "", "web4", "via web4 Any"),
        ("http://127.0.0.2:4002/up", "", "web3", NO),
        ("http://0.0.0.0:4002/up", "", "web3", NO),
        ("http://127.0.0.1:4003/up", "", "web3", NO),
        ("http://127.0.0.1:4002/up", "", "web4", NO),
        // Another port, address or host.
        ("http://127.0.0.1:4001/up", "", "web1", NO),
        ("http://127.0.0.1:4002/up", "", "", NO),
        ("http://127.0.0.1:4002/up", "", "web2", NO),
        ("http://127.0.0.1:4002/up", "", "lb1", NO),
        ("http://10.0.0.11:4002/up", "", "lb1", NO),
        ("http://10.0.0.11:4002/up", "", "web2", NO),
        ("http://10.0.0.12:4002/up", "", "", NO),
        ("http://localhost:4002/up", "", "web1", NO),
        ("http://127.0.0.1:4002/up", "169.254.169.254:80", "web1", NO),
        ("http://127.0.0.1:4002/up", "", "Web1", "`via` is no name of a host"),
    ] {
        assert_eq!(http_verdict(&grants, url, connect_to, via), expected, "{url} {connect_to} {via}");
    }
}

#[test]
fn origins_are_exact_and_public_unless_said_otherwise() {
    let to = |to: &str, private, via| HttpGrant {
        to: HttpTarget::Origin(to.to_owned()),
        private,
        via,
        authorities: None,
    };
    let grants = [
        to("https://api.example.com", false, None),
        to("http://internal.example.com:8080", true, Some(HostGroup::Routers)),
        to("http://127.0.0.1:8099", false, Some(HostGroup::Routers)),
    ];
    for (url, connect_to, via, expected) in [
        ("https://api.example.com/v1?x", "", "", "here Public"),
        ("https://API.example.com:443/", "", "", "here Public"),
        ("http://api.example.com/", "", "", NO),
        ("https://api.example.com:8443/", "", "", NO),
        ("https://api.example.com.evil.example/", "", "", NO),
        ("https://sub.api.example.com/", "", "", NO),
        ("https://api.example.com/", "", "web1", NO),
        ("http://internal.example.com:8080/", "", "", "here Any"),
        ("http://internal.example.com:8080/", "", "lb1", "via lb1 Any"),
        ("http://internal.example.com:8080/", "", "web1", NO),
        ("http://127.0.0.1:8099/", "", "lb1", "via lb1 Any"),
        // What is dialled decides, whatever the URL is called.
        ("https://api.example.com/", "10.0.0.1:443", "", NO),
        ("http://shop.example.com/", "127.0.0.1:8099", "lb1", "via lb1 Any"),
        // A server of many names would pass on to any of them.
        ("https://api.example.com/", "api.example.com:443", "", "here Public"),
        ("https://evil.example.org/", "api.example.com:443", "", OTHER_NAME),
        ("http://evil.example.org:8080/", "internal.example.com:8080", "lb1", OTHER_NAME),
        ("https://evil.example.org/", "api.example.com:8443", "", NO),
    ] {
        assert_eq!(http_verdict(&grants, url, connect_to, via), expected, "{url} {connect_to} {via}");
    }
}

#[test]
fn an_authority_counts_for_the_origin_that_it_was_written_for() {
    let to = |to: &str, ca: Option<&str>| HttpGrant {
        to: HttpTarget::Origin(to.to_owned()),
        private: false,
        via: None,
        authorities: ca.map(|pem| Authorities::parse(pem).expect("a certificate")),
    };
    let grants = [to("https://k8s.example.com", Some(AUTHORITY)), to("https://api.example.com", None)];
    for (url, expected) in [
        ("https://k8s.example.com/api", "here Public, by an own authority"),
        ("https://api.example.com/v1", "here Public"),
    ] {
        assert_eq!(http_verdict(&grants, url, "", ""), expected, "{url}");
    }
}

#[test]
fn a_denial_names_the_line_that_would_allow_it() {
    let (app, routers, builder) = ([name("web1")], [name("lb1")], name("desk"));
    let scope = Scope { app: &app, routers: &routers, ..scope(&builder) };
    let args = texts(&["-c", "say \"hi\"\n"]);
    let url = Url::parse("https://api.example.com:8443/v1").expect("a URL");
    let http = HttpRequest { method: "GET", origin: &url.origin, connect_to: None, via: Some("web1") };
    for (request, text, grant) in [
        (
            Request::Exec {
                host: "lb1",
                program: "/usr/bin/x",
                args: &args,
                env: vec!["MODE"],
                directory: Some("/srv"),
                input: true,
                as_root: false,
            },
            "exec `/usr/bin/x -c say \"hi\"\n` on `lb1` in `/srv` with `MODE` with an input: not granted",
            r#"exec = [{ hosts = "routers", program = "/usr/bin/x", args = ["-c", "say \"hi\"\u000A"], env = ["MODE"], directory = ["/srv"], input = true }]"#,
        ),
        (
            Request::Write { host: "builder", path: "/a" },
            "write `/a` on `builder`: not granted",
            r#"write = [{ hosts = "builder", path = "/a" }]"#,
        ),
        (
            Request::Link { host: "db9", path: "/a", target: "b" },
            "link `/a` to `b` on `db9`: not granted",
            r#"link = [{ hosts = ["db9"], path = "/a", targets = ["b"] }]"#,
        ),
        (
            Request::Connect { host: "lb1", to: "unix:/a", content: "show x; show y\n" },
            "send `show x; show y` to `unix:/a` on `lb1`: not granted",
            r#"connect = [{ hosts = "routers", to = "unix:/a", send = ["show x", "show y"] }]"#,
        ),
        (
            Request::Http(http),
            "GET https://api.example.com:8443 via `web1`: not granted",
            r#"http = [{ to = "https://api.example.com:8443", via = "app" }]"#,
        ),
    ] {
        let denied = Grants::default().check(&request, &scope).expect_err("denied");
        assert_eq!((denied.to_string().as_str(), denied.grant.as_str()), (text, grant));
    }
}

#[test]
fn the_line_for_a_private_address_is_one_from_the_same_host() {
    let (app, builder) = ([name("web1")], name("desk"));
    let scope = Scope { app: &app, ..scope(&builder) };
    let origin = Origin::parse("http://internal.example.com:8080").expect("an origin");
    for (via, grant) in [
        (None, r#"http = [{ to = "http://internal.example.com:8080", private = true }]"#),
        (
            Some("web1"),
            r#"http = [{ to = "http://internal.example.com:8080", via = "app", private = true }]"#,
        ),
    ] {
        let http = HttpRequest { method: "GET", origin: &origin, connect_to: None, via };
        let denied = Denied::by_address(&Request::Http(http), &scope, "it leads to 10.0.0.1");
        assert_eq!((denied.reason.as_str(), denied.grant.as_str()), ("it leads to 10.0.0.1", grant));
    }
}

#[test]
fn the_line_to_add_still_fits_the_next_call() {
    let (app, routers, builder) = ([name("web1")], [name("desk")], name("desk"));
    let instances = [instance("web1", "127.0.0.1", "10.0.0.11")];
    let scope = Scope {
        mode: Mode::Reading,
        app: &app,
        routers: &routers,
        builder: &builder,
        instances: &instances,
        places: &[("{checkout}", "/w/01/checkout"), ("{output}", "/w/01/output")],
        bare_programs: false,
    };
    let args = texts(&["-R", "/w/01/checkout/app", "/w/01/output", "/w/01/outputs"]);
    let url = Url::parse("http://127.0.0.1:4002/up").expect("a URL");
    let http = |via| {
        let origin = &url.origin;
        Request::Http(HttpRequest { method: "GET", origin, connect_to: None, via })
    };
    for (request, grant) in [
        (
            Request::Exec {
                host: "builder",
                program: "/bin/cp",
                args: &args,
                env: Vec::new(),
                directory: Some("/w/01/checkout"),
                input: false,
                as_root: false,
            },
            r#"exec = [{ hosts = "builder", program = "/bin/cp", args = ["-R", "{checkout}/app", "{output}", "/w/01/outputs"], directory = ["{checkout}"], read-only = true }]"#,
        ),
        (
            Request::Connect { host: "desk", to: "unix:/a", content: "show" },
            r#"connect = [{ hosts = "routers", to = "unix:/a", send = ["show"], read-only = true }]"#,
        ),
        (http(Some("web1")), r#"http = [{ to = "instances" }]"#),
        (http(None), r#"http = [{ to = "http://127.0.0.1:4002" }]"#),
        (http(Some("desk")), r#"http = [{ to = "http://127.0.0.1:4002", via = "routers" }]"#),
    ] {
        let denied = Grants::default().check(&request, &scope).expect_err("denied");
        assert_eq!(denied.grant, grant);
    }
}
