//! The style `map`, where something is not as it should be: whole texts.

use cutover_hooks::hosts::HostError;
use cutover_hooks::{HookError, Router};

use super::map::{GREEN, HEAD, MAP, apply, call, haproxy, observe, prepare};
use crate::{Haproxy, Settings};

#[test]
fn a_socket_that_is_none() {
    let fake = haproxy();
    let text = |answer: Result<&str, HostError>| {
        fake.answer("show map", answer);
        let error = observe(&fake).expect_err("no socket");
        (matches!(error, HookError::Temporary(_)), error.text().to_owned())
    };
    let failed = |reason: &str| {
        Err(HostError::Failed(format!("failed to connect to `/run/haproxy/admin.sock`: {reason}")))
    };
    let told = |text: &str| (false, text.to_owned());
    assert_eq!(
        text(Err(HostError::NotFound("no such file".to_owned()))),
        told(
            "HAProxy has no admin socket `unix:/run/haproxy/admin.sock` on `lb1`\n\
             hint: start HAProxy; its `global` section needs the `stats socket` line that `cutover setup` prints, or name its \
             own by `socket` in `router.settings`"
        )
    );
    assert_eq!(
        text(failed("connection refused")),
        told(
            "HAProxy on `lb1` does not answer: failed to connect to `/run/haproxy/admin.sock`: connection refused\n\
             hint: start HAProxy: nothing listens on that socket"
        )
    );
    assert_eq!(
        text(failed("permission denied")),
        told(
            "HAProxy's admin socket on `lb1` lets nobody in: failed to connect to `/run/haproxy/admin.sock`: permission denied\n\
             hint: the deploy user has to be in the socket's group: `cutover setup` prints how"
        )
    );
    let late = "`unix:/run/haproxy/admin.sock`: no whole answer within 5 s";
    assert_eq!(
        text(Err(HostError::TimedOut(late.to_owned()))),
        (true, format!("HAProxy on `lb1` did not answer to its end: {late}\nhint: its log may tell why"))
    );
    let reset = "failed to talk to `unix:/run/haproxy/admin.sock`: connection reset by peer";
    assert_eq!(
        text(Err(HostError::Failed(reset.to_owned()))),
        (true, format!("HAProxy on `lb1` has hung up: {reset}"))
    );
    let nonsense = |shown: &str| {
        told(&format!(
            "`unix:/run/haproxy/admin.sock` on `lb1` does not answer \
             `show map /var/lib/cutover-haproxy/shop/green.map` as HAProxy does: {shown}\n\
             hint: `socket` in `router.settings` is what `stats socket` in haproxy.cfg names"
        ))
    };
    assert_eq!(
        text(Ok("HTTP/1.1 401 Unauthorized\r\n\r\n<h1>Log in</h1>")),
        nonsense("`HTTP/1.1 401 Unauthorized`")
    );
    assert_eq!(text(Ok("0x55\n")), nonsense("`0x55`"));
    assert_eq!(text(Ok(&"x".repeat(500))), nonsense(&format!("`{}`", "x".repeat(120))));
}

#[test]
fn a_backend_that_is_another() {
    let fake = haproxy();
    let text = |answer: &str| {
        fake.answer("show stat shop-green", Ok(answer));
        let error = observe(&fake).expect_err("another backend");
        assert_eq!(prepare(&GREEN).expect_err("the same").text(), error.text());
        error.text().to_owned()
    };
    let install = "hint: install what `cutover setup` prints for this host, and reload HAProxy";
    assert_eq!(
        text("No such proxy.\n\n"),
        format!("HAProxy on `lb1` has no backend `shop-green`\n{install}")
    );
    let stat = |servers: &str| format!("{HEAD}{servers}shop-green,BACKEND,0,UP,0,,,,,,\n\n");
    assert_eq!(
        text(&stat("shop-green,web1,0,UP,0,,,,,10.0.0.99:4002,\n")),
        format!(
            "HAProxy on `lb1` has 10.0.0.99:4002 in backend `shop-green`, cutover.toml has 10.0.0.11:4002 for green\n{install}"
        )
    );
    assert_eq!(
        text(&stat("")),
        format!(
            "HAProxy on `lb1` has nothing in backend `shop-green`, cutover.toml has 10.0.0.11:4002 for green\n{install}"
        )
    );
    assert_eq!(
        text(&stat("shop-green,web1,0,UP,0,,,,,,\n")),
        "`unix:/run/haproxy/admin.sock` on `lb1` does not tell the addresses of servers\n\
         hint: its `stats socket` line in haproxy.cfg needs `level admin`"
    );
    assert_eq!(
        text("\n"),
        "`unix:/run/haproxy/admin.sock` on `lb1` does not answer `show stat shop-green 6 -1` as HAProxy does: nothing\n\
         hint: `socket` in `router.settings` is what `stats socket` in haproxy.cfg names"
    );
}

#[test]
fn a_map_that_is_another() {
    let fake = haproxy();
    let text = |answer: &str| {
        fake.answer("show map", Ok(answer));
        observe(&fake).expect_err("another map").text().to_owned()
    };
    let map = "/var/lib/cutover-haproxy/shop/green.map";
    assert_eq!(
        text("Unknown map identifier. Please use #<id> or <file>.\n\n"),
        format!(
            "HAProxy on `lb1` has no map `{map}`\n\
             hint: install what `cutover setup` prints for this host, and reload HAProxy"
        )
    );
    let reload = "hint: reload HAProxy, which reads the file anew; there, one line begins with `shop `";
    assert_eq!(text("\n"), format!("HAProxy on `lb1` has no line for `shop` in its map `{map}`\n{reload}"));
    assert_eq!(
        text("0x1 shop 0\n0x2 shop 100\n\n"),
        format!("HAProxy on `lb1` has several lines for `shop` in its map `{map}`\n{reload}")
    );
    let values =
        "hint: it is the percentage of requests that green gets, 0 to 100, or -1 for no colour at all";
    assert_eq!(
        text("0x1 shop green\n\n"),
        format!("HAProxy on `lb1` has `green` for `shop` in its map `{map}`\n{values}")
    );
    fake.says.borrow_mut().clear();

    let text = |content: &str| {
        fake.world.file("lb1", MAP, content);
        let error = observe(&fake).expect_err("another file");
        assert_eq!(apply(&GREEN).expect_err("the same").text(), error.text());
        error.text().to_owned()
    };
    assert_eq!(text("shop 101\n"), format!("`{map}` on `lb1` has `101` for `shop`\n{values}"));
    assert_eq!(
        text("other 5\n"),
        format!(
            "`{map}` on `lb1` has no line for `shop`\n\
             hint: write `shop -1` into it, and reload HAProxy: no colour gets requests then"
        )
    );
}

#[test]
fn a_map_file_that_is_not_there() {
    let fake = haproxy();
    let settings: Settings = serde_json::from_str(r#"{"map": "/srv/green.map"}"#).expect("settings");
    fake.answer("show map /srv/green.map", Ok("0x1 shop 0\n\n"));
    let error = Haproxy::prepare(&settings, &call(), "lb1", &GREEN).expect_err("no file");
    assert_eq!(
        error.text(),
        "there is no map file `/srv/green.map` on `lb1`, though HAProxy has read it\n\
         hint: `cutover setup` prints how it is made for the deploy user"
    );
}
