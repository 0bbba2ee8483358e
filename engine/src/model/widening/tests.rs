//! Each field by itself: what widens is named, what narrows or says the same in another way is not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::model::grant::fixture::AUTHORITY;
use crate::model::grant::{
    Authorities, ConnectGrant, ExecGrant, Grants, HostGroup, HttpGrant, HttpTarget, LinkGrant, PathGrant,
    SecretGrant, SecretTarget,
};
use crate::model::{
    Driver, EnvValue, FrontDoor, HookSource, Host, Limit, Locked, LockedHook, Name, Reach, SecretSource,
    SmokeTest, SystemdScope,
};

type Change = fn(&mut Deployment);

type GrantsChange = fn(&mut Grants);

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn digest(digit: &str) -> ComponentDigest {
    ComponentDigest::parse(&digit.repeat(64)).expect("a digest")
}

fn ssh(name_text: &str, destination: &str) -> Host {
    Host {
        name: name(name_text),
        reach: Reach::Ssh {
            destination: destination.to_owned(),
            identity_file: None,
            helper_directory: "~/.cache/cutover".to_owned(),
        },
        address: "10.0.0.1".to_owned(),
    }
}

/// Two application hosts, a router, and a smoke test in a locked file.
fn deployment() -> Deployment {
    let mut deployment = Deployment::for_tests(&[name("web1"), name("web2")], &[name("lb1")]);
    deployment.hosts.insert(name("web1"), ssh("web1", "deploy@web1"));
    deployment.application.user = Some("shop".to_owned());
    deployment.confirm = true;
    deployment.secrets.insert(name("db"), SecretSource::Env("DB".to_owned()));
    let mut hook = deployment.router.hook.clone();
    hook.title = "vendor".to_owned();
    hook.source = HookSource::File("/project/hooks/vendor.wasm".into());
    hook.locked = Some(Locked { sha256: digest("1"), copy: None });
    deployment.smoke_tests.push(SmokeTest { name: name("vendor"), hook, per_instance: false });
    deployment
}

fn locked(digit: &str, imports: &[&str]) -> LockFile {
    let hook = LockedHook {
        resolved: "hooks/vendor.wasm".to_owned(),
        sha256: digest(digit),
        size: 1,
        exports: Vec::new(),
        imports: imports.iter().map(|import| (*import).to_owned()).collect(),
    };
    LockFile { hooks: BTreeMap::from([("hooks/vendor.wasm".to_owned(), hook)]) }
}

fn posture(change: Change) -> Posture {
    let mut deployment = deployment();
    change(&mut deployment);
    let keys = BTreeSet::from(["ssh-ed25519 SHA256:one".to_owned()]);
    Posture {
        environments: vec![deployment],
        lock: locked("1", &["engine"]),
        host_keys: BTreeMap::from([("web1".to_owned(), keys)]),
        ..Posture::default()
    }
}

/// What is told, a line each: `KIND TEXT (BEFORE)`.
fn told(old: &Posture, new: &Posture) -> Vec<String> {
    let line = |found: &Widening| {
        let before = found.before.as_ref().map(|before| format!(" (before: {before})")).unwrap_or_default();
        format!("{:?}: {}{before}", found.kind, found.text)
    };
    widened(old, new).iter().map(line).collect()
}

fn of(old: Change, new: Change) -> Vec<String> {
    told(&posture(old), &posture(new))
}

#[test]
fn the_same_is_no_wider() {
    assert_eq!(of(|_| {}, |_| {}), [""; 0]);
}

#[test]
fn each_field_of_a_deployment_that_reaches_further_is_named_and_the_way_back_where_it_does() {
    let cases: [(Change, &[&str], &[&str]); 30] = [
        (
            |it| it.confirm = false,
            &["Environment: nobody is asked to confirm a deployment (before: `confirm = true`)"],
            &[],
        ),
        (
            |it| it.app = name("billing"),
            &["Place: locks, state and units are those of `billing` (before: `shop`)"],
            &["Place: locks, state and units are those of `shop` (before: `billing`)"],
        ),
        (
            |it| drop(it.hosts.insert(name("spare"), ssh("spare", "root@spare"))),
            &["Host: host `spare` is new: reached as `root@spare`"],
            &[],
        ),
        (
            |it| {
                drop(
                    it.hosts.insert(
                        name("web2"),
                        Host { address: "::2".into(), ..it.hosts[&name("web2")].clone() },
                    ),
                );
            },
            &["Host: host `web2` is `::2` to the other hosts (before: `127.0.0.1`)"],
            &["Host: host `web2` is `127.0.0.1` to the other hosts (before: `::2`)"],
        ),
        (
            |it| drop(it.hosts.insert(name("web2"), ssh("web2", "deploy@web2"))),
            &[
                "Host: host `web2` is reached as `deploy@web2` (before: the machine that cutover runs on)",
                "Host: host `web2` is `10.0.0.1` to the other hosts (before: `127.0.0.1`)",
            ],
            &[
                "Host: host `web2` is the machine that cutover runs on (before: reached as `deploy@web2`)",
                "Host: host `web2` is `127.0.0.1` to the other hosts (before: `10.0.0.1`)",
            ],
        ),
        (
            |it| {
                if let Reach::Ssh { identity_file, helper_directory, .. } =
                    &mut it.hosts.get_mut(&name("web1")).expect("there").reach
                {
                    *identity_file = Some("/keys/other".into());
                    *helper_directory = "/opt".to_owned();
                }
            },
            &[
                "Host: host `web1` is logged in to with the key `/keys/other` (before: none)",
                "Host: host `web1` keeps the helper program in `/opt` (before: `~/.cache/cutover`)",
            ],
            &[
                "Host: host `web1` is logged in to with any key of whoever deploys (before: `/keys/other`)",
                "Host: host `web1` keeps the helper program in `~/.cache/cutover` (before: `/opt`)",
            ],
        ),
        (
            |it| it.build.repository = Some("https://me:secret@example.com/shop".to_owned()),
            &[
                "Source: what goes live comes from `https://me@example.com/shop` (before: the remote of the checkout)",
            ],
            &[
                "Source: what goes live comes from the remote of the checkout (before: `https://me@example.com/shop`)",
            ],
        ),
        (|it| it.build.branch = "*".to_owned(), &["Source: every branch may go live (before: `main`)"], &[]),
        (
            |it| it.build.branch = "trial".to_owned(),
            &["Source: branch `trial` goes live (before: `main`)"],
            &["Source: branch `main` goes live (before: `trial`)"],
        ),
        (
            |it| it.build.builder = name("web2"),
            &["Source: host `web2` builds, and grants for \"builder\" are for it (before: `web1`)"],
            &["Source: host `web1` builds, and grants for \"builder\" are for it (before: `web2`)"],
        ),
        (
            |it| it.application.hosts.push(name("lb1")),
            &["Process: the application runs on host `lb1`, and grants for \"app\" are for it too"],
            &[],
        ),
        (
            |it| it.application.blue.hosts = vec![name("web1"), name("lb1")],
            &["Process: the application runs on host `lb1`, and grants for \"app\" are for it too"],
            &[],
        ),
        (|it| it.application.hosts.reverse(), &[], &[]),
        (
            |it| it.application.directory = "/srv/other".to_owned(),
            &["Place: releases lie in `/srv/other` (before: `/srv/shop`)"],
            &["Place: releases lie in `/srv/shop` (before: `/srv/other`)"],
        ),
        (
            |it| it.application.user = Some("root".to_owned()),
            &["Process: processes run as `root` (before: `shop`)"],
            &["Process: processes run as `shop` (before: `root`)"],
        ),
        (
            |it| it.application.user = None,
            &["Process: processes run as the user that cutover logs in as (before: `shop`)"],
            &["Process: processes run as `shop` (before: the user that cutover logs in as)"],
        ),
        (
            |it| it.application.start.push("--admin".to_owned()),
            &["Process: processes are started by `bin/shop --admin` (before: `bin/shop`)"],
            &["Process: processes are started by `bin/shop` (before: `bin/shop --admin`)"],
        ),
        (|it| it.application.migrate = None, &[], &["Process: migrations are done by `bin/shop migrate`"]),
        (
            |it| it.application.listen = "{address}".to_owned(),
            &["Process: instances listen on `{address}` (before: `127.0.0.1`)"],
            &[],
        ),
        (
            |it| it.application.env_files = vec!["shared/.env".to_owned()],
            &["Process: processes get the variables of `shared/.env`"],
            &[],
        ),
        (
            |it| {
                it.application.driver =
                    Driver::Systemd { scope: SystemdScope::System, unit: vec!["User=root".to_owned()] };
            },
            &[
                "Process: processes are units of the system's systemd",
                "Process: units have the line `User=root`",
            ],
            &["Process: units do not have the line `User=root` any more"],
        ),
        (
            |it| it.application.green.port = 9,
            &[
                "Process: green instances are at port 9, and grants for \"instances\" are for it (before: 4002)",
            ],
            &[
                "Process: green instances are at port 4002, and grants for \"instances\" are for it (before: 9)",
            ],
        ),
        (
            |it| it.application.start.push("two words".to_owned()),
            &["Process: processes are started by `bin/shop \"two words\"` (before: `bin/shop`)"],
            &["Process: processes are started by `bin/shop` (before: `bin/shop \"two words\"`)"],
        ),
        (
            |it| it.application.driver = Driver::Systemd { scope: SystemdScope::User, unit: Vec::new() },
            &[],
            &[],
        ),
        (
            |it| {
                let one = |word: &str| vec![word.to_owned()];
                it.application.driver =
                    Driver::Command { start: one("/up"), stop: one("/down"), status: one("/is") };
            },
            &[
                "Process: processes are started by the driver's `/up`",
                "Process: processes are stopped by the driver's `/down`",
                "Process: processes are looked for by the driver's `/is`",
            ],
            &[],
        ),
        (
            |it| {
                let env =
                    [("DB", EnvValue::Secret(name("db"))), ("LD_PRELOAD", EnvValue::Text("/x".to_owned()))];
                it.application.env = env.map(|(name, value)| (name.to_owned(), value)).into();
                it.application.blue.env.insert("COLOR".to_owned(), EnvValue::Text("blue".to_owned()));
            },
            &[
                "Process: processes get the secret `db` as `DB`",
                "Process: processes run with `LD_PRELOAD=/x`",
            ],
            &[],
        ),
        (
            |it| it.router.names.push(name("web2")),
            &["Routing: host `web2` routes, and grants for \"routers\" are for it too"],
            &[],
        ),
        (|it| it.router.names.push(name("cloud")), &["Routing: router `cloud` is switched"], &[]),
        (
            |it| {
                let door = |url: &str, via: Option<&str>| FrontDoor {
                    url: url.to_owned(),
                    via: via.map(name),
                    body: None,
                    each_router: crate::model::EachRouter::default(),
                };
                it.router.front_doors =
                    vec![door("https://a.example/x", None), door("http://10.0.0.9/", Some("lb1"))];
            },
            &[
                "Routing: `https://a.example` is asked from cutover's own machine",
                "Routing: `http://10.0.0.9` is asked from host `lb1`",
            ],
            &[],
        ),
        (
            |it| drop(it.secrets.insert(name("db"), SecretSource::Command(vec!["pass".into(), "db".into()]))),
            &[
                "Secret: secret `db` comes from the program `pass db` on this machine (before: the variable `DB`)",
            ],
            &[
                "Secret: secret `db` comes from the variable `DB` (before: the program `pass db` on this machine)",
            ],
        ),
    ];
    for (index, (change, forth, back)) in cases.into_iter().enumerate() {
        assert_eq!(of(|_| {}, change), forth, "case {index}");
        assert_eq!(of(change, |_| {}), back, "case {index}, back");
    }
}

#[test]
fn lines_of_a_unit_have_an_order() {
    fn units(lines: &[&str]) -> Driver {
        let unit = lines.iter().map(|line| (*line).to_owned()).collect();
        Driver::Systemd { scope: SystemdScope::User, unit }
    }
    let one: Change = |it| it.application.driver = units(&["A=1", "B=1"]);
    let other: Change = |it| it.application.driver = units(&["B=1", "A=1"]);
    assert_eq!(of(one, other), ["Process: units have their lines in another order"]);
    let longer: Change = |it| it.application.driver = units(&["A=1", "C=1", "B=1"]);
    assert_eq!(of(one, longer), ["Process: units have the line `C=1`"]);
}

#[test]
fn what_reaches_no_further_is_not_named() {
    let changes: [Change; 6] = [
        |it| it.application.linked_dirs = vec!["log".to_owned()],
        |it| it.application.keep_releases = 9,
        |it| it.application.stop_timeout = Duration::from_hours(1),
        |it| it.pipeline.timeout = Duration::from_hours(1),
        |it| it.health_check.healthy_after = 1,
        |it| it.router.hook.settings = serde_json::json!({ "style": "map" }),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        assert_eq!(of(|_| {}, change), [""; 0], "case {index}");
        assert_eq!(of(change, |_| {}), [""; 0], "case {index}, back");
    }
}

#[test]
fn a_hook_is_named_when_it_is_another_component_or_may_be_any() {
    let one = "`hooks/vendor.wasm`, sha256:".to_owned() + &"1".repeat(64);
    let two = "`hooks/vendor.wasm`, sha256:".to_owned() + &"2".repeat(64);
    let mut swapped =
        posture(|it| it.smoke_tests[0].hook.locked = Some(Locked { sha256: digest("2"), copy: None }));
    swapped.lock = locked("2", &["engine", "hosts", "secret-text"]);
    assert_eq!(
        told(&posture(|_| {}), &swapped),
        [
            format!("Hook: hook `vendor` is another component: {two} (before: {one})"),
            "Import: hook `vendor` asks for hosts, secret-text".to_owned(),
        ]
    );
    // The way back asks for less, and is another component all the same.
    assert_eq!(
        told(&swapped, &posture(|_| {})),
        [format!("Hook: hook `vendor` is another component: {one} (before: {two})")]
    );
    // The same bytes that nothing pins any more, and then others.
    let mut open = posture(|it| it.smoke_tests[0].hook.locked = None);
    open.lock = LockFile::default();
    open.files.insert("hooks/vendor.wasm".to_owned(), digest("1"));
    assert_eq!(
        told(&posture(|_| {}), &open),
        [format!(
            "Hook: hook `vendor` is whatever `hooks/vendor.wasm` holds: nothing pins it (before: {one})"
        )]
    );
    assert_eq!(told(&open, &posture(|_| {})), [""; 0]);
    let mut other = open.clone();
    other.files.insert("hooks/vendor.wasm".to_owned(), digest("2"));
    assert_eq!(
        told(&open, &other),
        [format!(
            "Hook: hook `vendor` is another component: {two}, which nothing pins (before: {one}, which nothing pins)"
        )]
    );
    assert_eq!(
        of(|_| {}, |it| it.router.hook.source = HookSource::Builtin("haproxy".to_owned())),
        ["Hook: hook `router` is another component: `builtin:haproxy` (before: `builtin:nginx`)"]
    );
    // The same component, elsewhere and pinned by the table.
    let moved: Change = |it| {
        let hook = &mut it.smoke_tests[0].hook;
        (hook.source, hook.sha256, hook.locked) =
            (HookSource::Https("https://example.com/v.wasm".to_owned()), Some(digest("1")), None);
    };
    assert_eq!(of(|_| {}, moved), [""; 0]);
    assert_eq!(
        of(|it| it.smoke_tests.clear(), |_| {}),
        [format!("Hook: hook `vendor` is new: {one}"), "Import: hook `vendor` asks for engine".to_owned(),]
    );
    assert_eq!(of(|_| {}, |it| it.smoke_tests.clear()), [""; 0]);
}

#[test]
fn limits_and_time_are_named_when_they_are_raised() {
    let raise: Change = |it| {
        let hook = &mut it.router.hook;
        hook.limits = hook.limits.clone().with(Limit::Memory, 1 << 30).with(Limit::ExecCalls, 10);
        hook.timeout = Duration::from_secs(90);
    };
    assert_eq!(
        of(|_| {}, raise),
        [
            "Limit: hook `router`: `memory` is 1 GiB (before: 256 MiB)",
            "Limit: hook `router`: `timeout` is 90s (before: 5s)",
        ]
    );
    assert_eq!(of(raise, |_| {}), ["Limit: hook `router`: `exec-calls` is 1000 (before: 10)"]);
}

/// Grants of every kind, each least.
fn grants() -> Grants {
    let routers = || HostGroup::Routers;
    Grants {
        exec: Some(vec![ExecGrant::for_tests(HostGroup::App, "/usr/bin/x", &["a"])]),
        read: Some(vec![PathGrant { hosts: routers(), path: "/r/a".to_owned() }]),
        write: Some(vec![PathGrant { hosts: routers(), path: "/w/a".to_owned() }]),
        link: Some(vec![LinkGrant {
            hosts: routers(),
            path: "/l".to_owned(),
            targets: vec!["/a".to_owned()],
        }]),
        connect: Some(vec![ConnectGrant {
            hosts: routers(),
            to: "unix:/s".to_owned(),
            send: vec!["show".to_owned()],
            read_only: true,
        }]),
        http: Some(vec![HttpGrant {
            to: HttpTarget::Origin("https://a.example".to_owned()),
            private: false,
            via: None,
            authorities: None,
        }]),
        secrets: Some(vec![SecretGrant {
            name: name("db"),
            to: SecretTarget::Body { origin: "https://a.example".to_owned() },
        }]),
    }
}

#[test]
fn each_grant_is_named_for_what_it_adds() {
    let base: Change = |it| it.router.hook.grants = grants();
    let changes: [(GrantsChange, &[&str]); 15] = [
        (
            |it| it.exec.as_mut().expect("list")[0].hosts = HostGroup::Named(vec![name("web1"), name("lb1")]),
            &["run `/usr/bin/x a` on lb1"],
        ),
        (|it| it.exec.as_mut().expect("list")[0].hosts = HostGroup::Named(vec![name("web1")]), &[]),
        (|it| it.exec.as_mut().expect("list")[0].hosts = HostGroup::Builder, &[]),
        (
            |it| it.exec.as_mut().expect("list")[0].hosts = HostGroup::Routers,
            &["run `/usr/bin/x a` on the routers"],
        ),
        (
            |it| {
                let entry = &mut it.exec.as_mut().expect("list")[0];
                entry.env = vec!["A".to_owned(), "B".to_owned()];
                entry.directory = vec!["/d".to_owned()];
                (entry.input, entry.read_only, entry.interpreter) = (true, true, true);
            },
            &[
                "run `/usr/bin/x a` on the application's hosts, with A, B of its choice, in /d, with an input, with code that it \
               brings, also for `plan` and `status`",
            ],
        ),
        (
            |it| it.exec.as_mut().expect("list")[0].as_root = true,
            &["run `/usr/bin/x a` on the application's hosts, as root"],
        ),
        (|it| it.read.as_mut().expect("list")[0].path = "/r/*".to_owned(), &["read /r/* on the routers"]),
        (|it| it.write = it.read.clone(), &["write /r/a on the routers"]),
        (
            |it| it.link.as_mut().expect("list")[0].targets.push("/b".to_owned()),
            &["point /l to /b on the routers"],
        ),
        (
            |it| it.connect.as_mut().expect("list")[0].send.push("set *".to_owned()),
            &["send set * to unix:/s on the routers, also for `plan` and `status`"],
        ),
        (
            |it| it.http.as_mut().expect("list")[0].via = Some(HostGroup::Routers),
            &["send HTTP requests to https://a.example, starting on the routers"],
        ),
        (
            |it| {
                let grant =
                    HttpGrant { to: HttpTarget::Instances, private: false, via: None, authorities: None };
                it.http.as_mut().expect("list").push(grant);
                it.http.as_mut().expect("list")[0].private = true;
            },
            &[
                "send HTTP requests to https://a.example, private addresses included",
                "send HTTP requests to the instances that it is asked about",
            ],
        ),
        (
            |it| {
                let own = Authorities::parse(AUTHORITY).expect("a certificate");
                it.http.as_mut().expect("list")[0].authorities = Some(own);
            },
            &["send HTTP requests to https://a.example, certified by its own `ca` alone"],
        ),
        (
            |it| it.secrets.as_mut().expect("list")[0].to = SecretTarget::Reveal,
            &["see the secret db as plain text"],
        ),
        (|it| *it = Grants { exec: Some(Vec::new()), ..Grants::default() }, &[]),
    ];
    for (index, (change, words)) in changes.into_iter().enumerate() {
        let mut new = posture(base);
        change(&mut new.environments[0].router.hook.grants);
        let want: Vec<String> =
            words.iter().map(|words| format!("Grant: hook `router` may {words}")).collect();
        assert_eq!(told(&posture(base), &new), want, "case {index}");
    }
    assert_eq!(of(|_| {}, base).len(), 7, "each of them is wider than nothing");
    assert_eq!(of(base, |_| {}), [""; 0]);
}

#[test]
fn a_group_with_another_host_is_told_once() {
    let base: Change = |it| it.router.hook.grants = grants();
    let more: Change = |it| {
        it.router.hook.grants = grants();
        it.router.names.push(name("web2"));
    };
    assert_eq!(of(base, more), ["Routing: host `web2` routes, and grants for \"routers\" are for it too"]);
}

#[test]
fn keys_of_hosts_are_named_when_others_are_believed() {
    let keys = |keys: &[&str]| {
        let mut posture = posture(|_| {});
        let keys: BTreeSet<String> = keys.iter().map(|key| format!("ssh-ed25519 SHA256:{key}")).collect();
        posture.host_keys =
            if keys.is_empty() { BTreeMap::new() } else { BTreeMap::from([("web1".to_owned(), keys)]) };
        posture
    };
    assert_eq!(
        told(&keys(&["one"]), &keys(&["two"])),
        ["HostKey: `web1` is known by the key ssh-ed25519 SHA256:two (before: ssh-ed25519 SHA256:one)",]
    );
    assert_eq!(told(&keys(&["one", "two"]), &keys(&["one"])), [""; 0]);
    assert_eq!(
        told(&keys(&["one"]), &keys(&[])),
        [
            "HostKey: `web1` is pinned by no key: the known_hosts of whoever deploys counts (before: ssh-ed25519 SHA256:one)",
        ]
    );
    // A key where the user's own file counted is one more that is believed.
    assert_eq!(
        told(&keys(&[]), &keys(&["one"])),
        ["HostKey: `web1` is known by the key ssh-ed25519 SHA256:one"]
    );
}

#[test]
fn environments_are_compared_by_name_and_the_same_is_told_once() {
    let named = |names: &[&str], change: Change| {
        let mut posture = posture(change);
        let deployment = posture.environments.remove(0);
        let of = |text: &&str| Deployment { environment: Some(name(text)), ..deployment.clone() };
        posture.environments = names.iter().map(of).collect();
        posture
    };
    let root: Change = |it| it.application.user = Some("root".to_owned());
    let found = widened(&named(&["a", "b"], |_| {}), &named(&["a", "b"], root));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].environments, ["a", "b"]);
    // Where there were none, all of them come of the whole.
    assert_eq!(told(&posture(|_| {}), &named(&["a", "b"], |_| {})), [""; 0]);
    let found = widened(&named(&["a"], |_| {}), &named(&["a", "b"], |_| {}));
    assert!(found.iter().all(|found| found.environments == ["b"]), "{found:?}");
    assert_eq!(found[0].text, "environment `b` is new");
    assert!(found.iter().any(|found| found.text == "hook `router` is new: `builtin:nginx`"), "{found:?}");
    assert!(found.iter().any(|found| found.text == "secret `db` comes from the variable `DB`"), "{found:?}");
    assert_eq!(told(&named(&["a", "b"], |_| {}), &named(&["a"], |_| {})), [""; 0]);
    let default = |text: &str| Posture { default: Some(name(text)), ..named(&["a", "b"], |_| {}) };
    let found = widened(&default("a"), &default("b"));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].environments, ["b"]);
    assert_eq!(
        told(&default("a"), &default("b")),
        ["Environment: `b` is meant where no environment is named (before: `a`)",]
    );
    assert_eq!(told(&default("a"), &named(&["a", "b"], |_| {})), [""; 0]);
    assert_eq!(told(&posture(|_| {}), &default("b")), [""; 0]);
}
