//! What each format accepts, and what not.

use super::network::{ADDRESS, BRANCH, DESTINATION, REPOSITORY, URL};
use super::*;

fn sort(format: &Format, good: &[&str], bad: &[&str]) {
    for text in good {
        assert_eq!((format.check)(text), Ok(()), "{}: {text}", format.is);
    }
    for text in bad {
        assert!((format.check)(text).is_err(), "{}: {text}", format.is);
    }
}

#[test]
fn what_reaches_a_command_line_is_harmless() {
    sort(
        &DESTINATION,
        &["web1", "deploy@web1.example.com", "deploy@web1:2222", "u@[::1]:22", "::1", "[fe80::1%eth0]"],
        &[
            "",
            "-oProxyCommand=x",
            "u@-x",
            "-u@x",
            "@x",
            "u@",
            "a b",
            "x:",
            "x:0",
            "x:99999",
            "x:22:y;",
            "ssh://x",
            "x;y",
            "[::1",
        ],
    );
    sort(
        &REPOSITORY,
        &["git@example.com:shop.git", "https://example.com/x", "../shop", "/srv/git/shop", "file:///x"],
        &["", "-x", "ext::sh -c x", "git://x", "http://x", "ssh://-x", "a b"],
    );
    sort(
        &BRANCH,
        &["main", "*", "release/1.2"],
        &["", "-x", "a b", "a..b", "feature/*", "a/", "x.lock", "a@{1}"],
    );
    sort(&ADDRESS, &["10.0.0.1", "web1.example.com", "::1"], &["", "-x", "a:80", "http://a", "a/b"]);
}

#[test]
fn paths_stay_where_they_are_said_to_be() {
    sort(
        &DIRECTORY,
        &["/srv/shop", "~/apps/shop", "/srv/shop/"],
        &["", "/", "~", "~/", "srv", "/srv/../etc", "/a//b", "/./a"],
    );
    sort(&RELATIVE, &["log", "config/master.key"], &["", "/etc", "../x", "a/../b", "~/x", "-x", "a//b", "."]);
}

#[test]
fn other_formats() {
    sort(
        &URL,
        &["https://shop.example.com/up", "http://127.0.0.1:8080", "http://[::1]:80/x?y"],
        &[
            "",
            "shop.example.com",
            "ftp://x",
            "https://",
            "http://u@x/",
            "http://x:y/",
            "http://x/#f",
            "http://x y",
        ],
    );
    sort(&COMMAND_WORD, &["", "--port={port}", "{\"a\":1}", "{{word}}"], &["{prot}", "{address}"]);
    sort(&LISTEN, &["127.0.0.1", "{address}", "::"], &["", "localhost", "{listen}", "1.2.3.4:80"]);
    sort(
        &UNIT_LINE,
        &["LimitNOFILE=65536"],
        &["", "x", "[Install]", "ExecStart=/x", "A=1\nExecStart=/x", "User=root"],
    );
    sort(&APP_VARIABLE, &["RUST_LOG", "_x"], &["", "1A", "A-B", "PORT", "CUTOVER_COLOR"]);
    sort(&POINTER, &["/release"], &["release", ""]);
}

#[test]
fn grants_are_exact_where_they_must_be() {
    sort(
        &PROGRAM,
        &["/usr/sbin/nginx", "cargo"],
        &["", "*", "/usr/bin/*", "-x", "/bin/", "/a/../b", "/usr/bin/sudo"],
    );
    sort(&GRANTED_VARIABLE, &["TOKEN", "MAKEFLAGS"], &["LD_PRELOAD", "BASH_ENV", "PATH", "LANG", "a b", ""]);
    sort(
        &GRANTED_PATH,
        &["/etc/nginx/*", "{checkout}", "{checkout}/VERSION", "{output}/*"],
        &[
            "",
            "x",
            "/",
            "/*",
            "/**",
            "/a/../b",
            "/root/.ssh/id",
            "/a//b",
            "{checkout}x",
            "{checkout}/../x",
            "{x}/y",
        ],
    );
    sort(
        &SOCKET,
        &["unix:/run/x.sock", "tcp:127.0.0.1:80", "tcp:[::1]:80"],
        &["", "/run/x", "unix:x", "tcp:host:80", "tcp:127.0.0.1:0", "unix:/run/*"],
    );
    sort(
        &ORIGIN,
        &["instances", "https://api.example.com", "http://10.0.0.1:8080"],
        &["", "*", "https://*", "https://x/", "https://u@x", "x"],
    );
}
