//! Both styles against an nginx that is scripted on the fake host.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use cutover_hooks::fake::{self, World};
use cutover_hooks::{Call, Color, HookError, Instance, Observation, Router, Routing};

use crate::{Nginx, Settings};

const BLUE: Routing = Routing::to(Some(Color::Blue));
const GREEN: Routing = Routing::to(Some(Color::Green));
const NONE: Routing = Routing::to(None);

fn instances() -> Vec<Instance> {
    [Color::Blue, Color::Green].map(|color| fake::instance("web1", color, "10.0.0.11")).into()
}

fn call(settings: &str) -> (Settings, Call) {
    (serde_json::from_str(settings).expect("settings"), fake::call(settings, instances()))
}

/// The question of `observe`, with a switch still to be begun.
fn observe_ahead(world: &World, settings: &str) -> Result<Observation, HookError> {
    let (settings, mut call) = call(settings);
    call.facts.push(("switch-ahead".to_owned(), "yes".to_owned()));
    world.reading(|| Nginx::observe(&settings, &call, "lb1"))
}

/// What nginx says of another site, and what is told of it.
const BROKEN: &str = "nginx: [emerg] unknown directive \"lissen\" in /etc/nginx/sites-enabled/blog:2\n\
                      nginx: configuration file /etc/nginx/nginx.conf test failed";

fn broken() -> HookError {
    HookError::failed(format!(
        "failed to check nginx's configuration as it is: `/usr/sbin/nginx -t` on `lb1` ended with status 1\n{BROKEN}\n\
         hint: nginx goes on with what it has read, and a switch has it read everything anew: mend that first"
    ))
}

fn observed(routing: Routing, settled: bool, labels: &[(&str, &str)]) -> Observation {
    let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Observation { routing: Some(routing), settled, labels }
}

/// `ss` on the router, which is asked for the instance on this port and answers with so many connections.
fn sockets(world: &World, port: u16, count: usize) {
    world.program("lb1", "/usr/bin/ss", move |command| {
        let wanted = format!("dst 10.0.0.11:{port}");
        assert_eq!(command.args, ["-Htn", "state", "established", wanted.as_str()]);
        fake::exit(0, &format!("0      0      10.0.0.9:53012 10.0.0.11:{port}\n").repeat(count))
    });
}

fn connections(world: &World, settings: &str, color: Color) -> Result<Option<u32>, HookError> {
    let (settings, call) = call(settings);
    world.reading(|| Nginx::connections(&settings, &call, "lb1", color))
}

mod file_test {
    use super::*;

    const DIRECTORY: &str = "/var/lib/cutover-nginx/shop";

    /// nginx with the generated include, whose workers see the flags or don't.
    struct Fake {
        world: World,
        sees: Rc<Cell<bool>>,
        green_at: Rc<RefCell<String>>,
    }

    fn nginx() -> Fake {
        let world = World::install(["lb1"]);
        world.directory("lb1", DIRECTORY);
        let sees = Rc::new(Cell::new(true));
        let green_at = Rc::new(RefCell::new("10.0.0.11:4002".to_owned()));
        let (files, eyes, green) = (world.clone(), Rc::clone(&sees), Rc::clone(&green_at));
        world.http(move |request| {
            assert_eq!(request.url, "http://cutover-shop:8099/");
            assert_eq!(request.connect_to.as_deref(), Some("127.0.0.1:8099"));
            assert_eq!(request.via.as_deref(), Some("lb1"));
            let there =
                |name: &str| eyes.get() && files.text("lb1", &format!("{DIRECTORY}/{name}")).is_some();
            let color = match (there("green"), there("blue")) {
                (true, _) => "green",
                (false, true) => "blue",
                (false, false) => "none",
            };
            let probe = if there("probe") { "yes" } else { "no" };
            let green = green.borrow();
            let text =
                format!("cutover 1 shop\ncolor {color}\nprobe {probe}\nblue 10.0.0.11:4001\ngreen {green}\n");
            fake::response(200, &[], &text)
        });
        Fake { world, sees, green_at }
    }

    fn observe(fake: &Fake) -> Result<Observation, HookError> {
        let (settings, call) = call("{}");
        fake.world.reading(|| Nginx::observe(&settings, &call, "lb1"))
    }

    fn apply(want: &Routing) -> Result<(), HookError> {
        let (settings, call) = call("{}");
        Nginx::apply(&settings, &call, "lb1", want)
    }

    fn prepare(want: &Routing) -> Result<String, HookError> {
        let (settings, call) = call("{}");
        Nginx::prepare(&settings, &call, "lb1", want)
    }

    #[test]
    fn every_way_leads_where_it_should_and_twice_does_no_harm() {
        let fake = nginx();
        assert_eq!(observe(&fake), Ok(observed(NONE, true, &[("flag", "none")])));
        for want in [BLUE, GREEN, NONE, GREEN, BLUE, GREEN, BLUE, NONE, BLUE] {
            for _ in 0..2 {
                assert_eq!(apply(&want), Ok(()));
                assert_eq!(observe(&fake).expect("an observation").routing, Some(want.clone()));
            }
        }
    }

    #[test]
    fn nginx_is_asked_for_no_check_since_nothing_is_read_anew() {
        let fake = nginx();
        assert_eq!(observe_ahead(&fake.world, "{}"), observe(&fake));
        assert!(!fake.world.calls().iter().any(|call| call.contains("/usr/sbin/nginx")));
    }

    #[test]
    fn a_switch_is_one_change_that_nginx_sees() {
        let fake = nginx();
        apply(&BLUE).expect("blue");
        fake.world.calls();
        apply(&GREEN).expect("green");
        assert_eq!(fake.world.calls(), [format!("write lb1 {DIRECTORY}/green")]);
        apply(&BLUE).expect("blue again");
        // Blue is there already, so that only the second change has an effect.
        assert_eq!(
            fake.world.calls(),
            [format!("write lb1 {DIRECTORY}/blue"), format!("remove lb1 {DIRECTORY}/green")]
        );
    }

    #[test]
    fn prepare_shows_the_change_and_leaves_nothing_behind() {
        let fake = nginx();
        apply(&BLUE).expect("blue");
        assert_eq!(
            prepare(&GREEN).as_deref(),
            Ok("--- lb1, now\n+++ lb1, then\n-blue: 10.0.0.11:4001\n+green: 10.0.0.11:4002\n")
        );
        assert_eq!(prepare(&BLUE).as_deref(), Ok(""));
        assert_eq!(fake.world.text("lb1", &format!("{DIRECTORY}/probe")), None);
        assert_eq!(observe(&fake), Ok(observed(BLUE, true, &[("flag", "blue")])));
    }

    #[test]
    fn workers_that_can_not_see_the_flags_are_found_before_the_switch() {
        let fake = nginx();
        apply(&BLUE).expect("blue");
        fake.sees.set(false);
        assert_eq!(
            prepare(&GREEN),
            Err(HookError::failed(
                "nginx's workers on `lb1` can't see the files in `/var/lib/cutover-nginx/shop`\n\
                 hint: each directory on the way to it must be `chmod o+x`"
            ))
        );
        assert_eq!(fake.world.text("lb1", &format!("{DIRECTORY}/probe")), None);
        assert_eq!(observe(&fake), Ok(observed(NONE, false, &[("flag", "blue"), ("nginx-sees", "none")])));
    }

    #[test]
    fn an_include_for_other_instances_is_found_by_observe() {
        let fake = nginx();
        *fake.green_at.borrow_mut() = "10.0.0.99:4002".to_owned();
        assert_eq!(
            observe(&fake),
            Err(HookError::failed(
                "nginx on `lb1` sends green to 10.0.0.99:4002, cutover.toml says 10.0.0.11:4002\n\
                 hint: install what `cutover setup` prints for this host, and reload nginx"
            ))
        );
    }

    #[test]
    fn an_nginx_that_knows_nothing_of_it_is_told_apart_from_none() {
        let world = World::install(["lb1"]);
        let (settings, call) = call("{}");
        let observe = || Nginx::observe(&settings, &call, "lb1").map_err(|error| error.text().to_owned());
        assert_eq!(
            observe(),
            Err("nginx on `lb1` does not answer: 127.0.0.1:8099: connection refused\n\
                 hint: start nginx; where it runs, install what `cutover setup` prints for this host, and reload nginx"
                .to_owned())
        );
        world.http(|_| fake::response(404, &[], "<html>"));
        assert_eq!(
            observe(),
            Err("nginx on `lb1` does not know `shop`: 127.0.0.1:8099 answered 404: <html>\n\
                 hint: install what `cutover setup` prints for this host, and reload nginx"
                .to_owned())
        );
    }

    #[test]
    fn a_missing_directory_is_found_before_the_switch() {
        let fake = nginx();
        let settings = r#"{"directory": "/elsewhere"}"#;
        let (parsed, call) = call(settings);
        let error = Nginx::prepare(&parsed, &call, "lb1", &GREEN).expect_err("no directory");
        assert_eq!(
            error.text(),
            "failed to write among the flags: no directory `/elsewhere`\n\
             hint: the directory is made once, for the deploy user: `cutover setup` prints how"
        );
        drop(fake);
    }

    #[test]
    fn connections_that_rest_are_not_told_from_others() {
        let fake = nginx();
        assert_eq!(connections(&fake.world, "{}", Color::Green), Ok(None));
    }

    #[test]
    fn shares_and_single_hosts_are_refused() {
        nginx();
        let half = Routing { blue: 50, green: 50, out: Vec::new() };
        let out = Routing { out: vec!["web1".to_owned()], ..BLUE };
        assert!(apply(&half).is_err() && prepare(&half).is_err());
        assert!(apply(&out).is_err() && prepare(&out).is_err());
    }

    #[test]
    fn setup_needs_no_host_at_all() {
        let world = World::install([]);
        let (settings, mut call) = call("{}");
        call.facts.push(("setup".to_owned(), "deploy".to_owned()));
        let text = Nginx::prepare(&settings, &call, "lb1", &NONE).expect("a script");
        let head = "# nginx on lb1: the colour of shop is a file in /var/lib/cutover-nginx/shop\n\
                    test -d /var/lib/cutover-nginx/shop || install -d -m 755 -o deploy /var/lib/cutover-nginx/shop\n\
                    mkdir -p /etc/nginx/cutover\n\
                    cat > /etc/nginx/conf.d/cutover-shop.conf <<'CUTOVER'\n";
        assert!(text.starts_with(head) && !text.contains("http block"), "{text}");

        let (settings, mut call) = super::call(r#"{"http-include": "/srv/nginx/shop.conf"}"#);
        call.facts.push(("setup".to_owned(), "deploy".to_owned()));
        let text = Nginx::prepare(&settings, &call, "lb1", &NONE).expect("a script");
        assert!(text.contains("mkdir -p /srv/nginx\ncat > /srv/nginx/shop.conf <<"), "{text}");
        let then = "# Then, in the http block of nginx.conf:\n#     include /srv/nginx/shop.conf;\n";
        assert!(text.contains(then), "{text}");
        assert_eq!(world.calls(), Vec::<String>::new());
    }
}

mod symlink {
    use cutover_hooks::http::HttpError;

    use super::*;

    const SETTINGS: &str =
        r#"{"style": "symlink", "link": "/n/live", "blue": "/n/blue", "green": "/n/green"}"#;

    /// nginx that reads the link when it is told to reload; the old workers go on for `slow` more looks.
    struct Fake {
        world: World,
        invalid: Rc<Cell<bool>>,
        slow: Rc<Cell<u32>>,
    }

    fn nginx() -> Fake {
        let world = World::install(["lb1"]);
        for (path, text) in [("/n/blue", "server {}"), ("/n/green", "server {}"), ("/run/nginx.pid", "812\n")]
        {
            world.file("lb1", path, text);
        }
        world.link("lb1", "/n/live", "/n/blue");
        let runs = Rc::new(RefCell::new("/n/blue".to_owned()));
        let generation = Rc::new(Cell::new(1_u32));
        let (invalid, slow) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0_u32)));
        {
            let (files, runs, generation, invalid) =
                (world.clone(), Rc::clone(&runs), Rc::clone(&generation), Rc::clone(&invalid));
            world.program("lb1", "/usr/sbin/nginx", move |command| {
                assert!(command.as_root);
                if invalid.get() && files.target("lb1", "/n/live").as_deref() == Some("/n/green") {
                    return fake::exit(1, "nginx: [emerg] unknown directive \"sever\" in /n/green:1");
                }
                if command.args == ["-s", "reload"] {
                    *runs.borrow_mut() = files.target("lb1", "/n/live").unwrap_or_default();
                    generation.set(generation.get() + 1);
                }
                fake::exit(0, "")
            });
        }
        {
            let (generation, slow) = (Rc::clone(&generation), Rc::clone(&slow));
            world.program("lb1", "/usr/bin/ps", move |command| {
                assert_eq!(command.args, ["--ppid", "812", "-o", "pid=,etimes=,args="]);
                let now = generation.get();
                let mut lines = format!("{} 0 nginx: worker process\n", 900 + now);
                if now > 1 {
                    let doing = if slow.get() > 0 { "" } else { " is shutting down" };
                    slow.set(slow.get().saturating_sub(1));
                    lines += &format!("{} 700 nginx: worker process{doing}\n", 899 + now);
                }
                fake::exit(0, &lines)
            });
        }
        world.http(move |request| {
            assert_eq!(request.url, "http://127.0.0.1/deployment_id");
            match runs.borrow().as_str() {
                "/n/blue" => fake::response(200, &[], "blue"),
                "/n/green" => fake::response(200, &[], "green\n"),
                _ => fake::response(404, &[], "<html>404"),
            }
        });
        Fake { world, invalid, slow }
    }

    fn observe(fake: &Fake) -> Result<Observation, HookError> {
        let (settings, call) = call(SETTINGS);
        fake.world.reading(|| Nginx::observe(&settings, &call, "lb1"))
    }

    fn apply(want: &Routing) -> Result<(), HookError> {
        let (settings, call) = call(SETTINGS);
        Nginx::apply(&settings, &call, "lb1", want)
    }

    #[test]
    fn every_way_leads_where_it_should_and_twice_does_no_harm() {
        let fake = nginx();
        assert_eq!(observe(&fake), Ok(observed(BLUE, true, &[("link", "/n/blue")])));
        for want in [GREEN, BLUE, NONE, GREEN, NONE, BLUE] {
            for _ in 0..2 {
                assert_eq!(apply(&want), Ok(()));
                assert_eq!(observe(&fake).expect("an observation").routing, Some(want.clone()));
            }
        }
    }

    #[test]
    fn what_breaks_the_configuration_is_found_before_a_switch_and_hides_nothing_else() {
        let fake = nginx();
        assert_eq!(observe_ahead(&fake.world, SETTINGS), observe(&fake));
        fake.world.program("lb1", "/usr/sbin/nginx", |command| {
            assert_eq!(command.args, ["-t"]);
            fake::exit(1, BROKEN)
        });
        assert_eq!(observe_ahead(&fake.world, SETTINGS), Err(broken()));
        assert!(observe(&fake).is_ok());
        let (settings, call) = call(SETTINGS);
        let prepared = Nginx::prepare(&settings, &call, "lb1", &GREEN).expect_err("broken since");
        assert!(broken().text().starts_with(prepared.text()), "{prepared:?}");
        assert_eq!(fake.world.target("lb1", "/n/live").as_deref(), Some("/n/blue"));
    }

    #[test]
    fn an_nginx_that_does_not_run_is_not_asked_for_a_check() {
        let fake = nginx();
        fake.world.file("lb1", "/run/nginx.pid", "");
        fake.world.calls();
        let error = observe_ahead(&fake.world, SETTINGS).expect_err("no nginx");
        assert_eq!(error.text(), "`/run/nginx.pid` on `lb1` holds no pid");
        assert!(!fake.world.calls().iter().any(|call| call.contains("/usr/sbin/nginx")));
    }

    #[test]
    fn what_is_so_already_is_not_reloaded() {
        let fake = nginx();
        apply(&BLUE).expect("blue");
        assert!(!fake.world.calls().iter().any(|call| call.contains("reload")));
    }

    #[test]
    fn apply_returns_when_no_old_worker_accepts_any_more() {
        let fake = nginx();
        fake.slow.set(3);
        apply(&GREEN).expect("green");
        assert_eq!(fake.slow.get(), 0);
        fake.slow.set(u32::MAX);
        assert_eq!(
            apply(&BLUE),
            Err(HookError::temporary(
                "workers of the old configuration still accept on `lb1`\n\
                 hint: nginx's error log tells why it does not reload"
            ))
        );
        assert!(!observe(&fake).expect("an observation").settled);
    }

    #[test]
    fn an_invalid_site_is_put_back_before_nginx_reads_it() {
        let fake = nginx();
        fake.invalid.set(true);
        assert_eq!(
            apply(&GREEN),
            Err(HookError::failed(
                "failed to check nginx's new configuration: `/usr/sbin/nginx -t` on `lb1` ended with status 1\n\
                 nginx: [emerg] unknown directive \"sever\" in /n/green:1\n\
                 hint: the link points to `/n/blue` again"
            ))
        );
        assert_eq!(fake.world.target("lb1", "/n/live").as_deref(), Some("/n/blue"));
        assert!(!fake.world.calls().iter().any(|call| call.contains("reload")));
        assert_eq!(observe(&fake), Ok(observed(BLUE, true, &[("link", "/n/blue")])));
    }

    #[test]
    fn a_link_without_its_reload_is_unsettled_and_apply_finishes_it() {
        let fake = nginx();
        fake.world.link("lb1", "/n/live", "/n/green");
        assert_eq!(observe(&fake), Ok(observed(BLUE, false, &[("link", "/n/green")])));
        apply(&GREEN).expect("green");
        assert_eq!(observe(&fake), Ok(observed(GREEN, true, &[("link", "/n/green")])));
    }

    #[test]
    fn prepare_finds_what_is_wrong_and_changes_nothing() {
        let fake = nginx();
        let (settings, call) = call(SETTINGS);
        let prepare = || Nginx::prepare(&settings, &call, "lb1", &GREEN);
        assert_eq!(prepare().as_deref(), Ok("--- lb1:/n/live\n+++ lb1:/n/live\n-/n/blue\n+/n/green\n"));
        assert_eq!(fake.world.target("lb1", "/n/live").as_deref(), Some("/n/blue"));
        fake.world.link("lb1", "/n/live", "/elsewhere");
        assert_eq!(
            prepare(),
            Err(HookError::failed(
                "`/n/live` on `lb1` points to `/elsewhere`: want `/n/blue`, `/n/green` or `/dev/null`"
            ))
        );
    }

    #[test]
    fn what_old_workers_have_open_is_counted_and_none_of_it_believed_with_care() {
        let fake = nginx();
        let connections = |color| connections(&fake.world, SETTINGS, color);
        assert_eq!(connections(Color::Blue), Ok(None), "it has requests");
        sockets(&fake.world, 4002, 0);
        assert_eq!(connections(Color::Green), Ok(Some(0)), "no old worker is there");
        apply(&GREEN).expect("green");
        sockets(&fake.world, 4001, 2);
        assert_eq!(connections(Color::Blue), Ok(Some(2)));
        sockets(&fake.world, 4001, 0);
        assert_eq!(connections(Color::Blue), Ok(None), "what the old worker has may be at another address");
        fake.world.program("lb1", "/usr/bin/ps", |_| fake::exit(1, ""));
        assert_eq!(connections(Color::Blue), Ok(None), "there may be workers that this account may not see");
        fake.world.file("lb1", "/n/blue", "server { location / { proxy_pass http://10.0.0.11:4001; } }");
        assert_eq!(connections(Color::Blue), Ok(Some(0)), "it is another application's");
    }

    #[test]
    fn nobody_at_the_page_of_the_color_is_no_fault_of_a_site() {
        let fake = nginx();
        fake.world.http(|_| Err(HttpError::Connect("127.0.0.1:80: connection refused".to_owned())));
        let error = observe(&fake).expect_err("nobody");
        assert_eq!(
            error.text(),
            "nginx on `lb1` does not answer for `http://127.0.0.1/deployment_id`: 127.0.0.1:80: connection refused\n\
             hint: start nginx; where it runs, `color-url` in `router.settings` has to be a page of the sites"
        );
    }

    #[test]
    fn a_site_that_does_not_tell_its_color_is_a_fault() {
        let fake = nginx();
        fake.world.http(|_| fake::response(404, &[], "<html>"));
        let error = observe(&fake).expect_err("no colour");
        assert_eq!(
            error.text(),
            "`http://127.0.0.1/deployment_id` on `lb1`: want `blue` or `green`, got 404: <html>\n\
             hint: give each site `location = /deployment_id { return 200 \"blue\"; }` with its own colour"
        );
    }
}

mod upstream {
    use super::*;

    const FILE: &str = "/var/lib/cutover-nginx/shop/upstream.conf";
    const SETTINGS: &str = r#"{"style": "upstream"}"#;

    fn shares(blue: u32, green: u32) -> Routing {
        Routing { blue, green, out: Vec::new() }
    }

    /// nginx that reads the file when it is told to reload, and answers by it.
    struct Fake {
        world: World,
        /// Whether it takes what has a weight for a mistake.
        invalid: Rc<Cell<bool>>,
        /// Whether a reload has no effect.
        stuck: Rc<Cell<bool>>,
    }

    /// What a file makes nginx answer on the status port.
    fn said(file: &str) -> String {
        let (_, rest) = file.split_once("return 200 \"").expect("a status port");
        rest.split_once('"').expect("its end").0.replace("\\n", "\n")
    }

    fn nginx() -> Fake {
        let world = World::install(["lb1"]);
        world.file("lb1", "/run/nginx.pid", "812\n");
        let file = include_str!("../golden/upstream.conf").replace("shop-production", "shop");
        let file = file.replace("blue 95 green 5", "blue 100 green 0").replace("shares 95 5", "shares 100 0");
        world.file("lb1", FILE, &file);
        let runs = Rc::new(RefCell::new(file));
        let generation = Rc::new(Cell::new(1_u32));
        let (invalid, stuck) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
        {
            let (files, runs, generation) = (world.clone(), Rc::clone(&runs), Rc::clone(&generation));
            let (invalid, stuck) = (Rc::clone(&invalid), Rc::clone(&stuck));
            world.program("lb1", "/usr/sbin/nginx", move |command| {
                assert!(command.as_root);
                let file = files.text("lb1", FILE).unwrap_or_default();
                if invalid.get() && file.contains("weight=") {
                    return fake::exit(1, "nginx: [emerg] invalid parameter \"weight=95\"");
                }
                if command.args == ["-s", "reload"] && !stuck.get() {
                    *runs.borrow_mut() = file;
                    generation.set(generation.get() + 1);
                }
                fake::exit(0, "")
            });
        }
        world.program("lb1", "/usr/bin/ps", move |_| {
            fake::exit(0, &format!("{} 0 nginx: worker process\n", 900 + generation.get()))
        });
        world.http(move |request| {
            assert_eq!(request.url, "http://cutover-shop:8099/");
            assert_eq!(request.connect_to.as_deref(), Some("127.0.0.1:8099"));
            fake::response(200, &[], &said(&runs.borrow()))
        });
        Fake { world, invalid, stuck }
    }

    fn observe(fake: &Fake) -> Result<Observation, HookError> {
        let (settings, call) = call(SETTINGS);
        fake.world.reading(|| Nginx::observe(&settings, &call, "lb1"))
    }

    fn apply(want: &Routing) -> Result<(), HookError> {
        let (settings, call) = call(SETTINGS);
        Nginx::apply(&settings, &call, "lb1", want)
    }

    fn prepare(want: &Routing) -> Result<String, HookError> {
        let (settings, call) = call(SETTINGS);
        Nginx::prepare(&settings, &call, "lb1", want)
    }

    #[test]
    fn it_alone_names_weights() {
        for (text, weights) in [("{}", false), (r#"{"style": "symlink"}"#, false), (SETTINGS, true)] {
            let (settings, call) = call(text);
            let features = Nginx::features(&settings, &call).expect("features");
            assert!(features.contains(&"maintenance".to_owned()));
            assert_eq!(features.contains(&"weights".to_owned()), weights, "{text}");
        }
    }

    #[test]
    fn every_way_leads_where_it_should_and_twice_does_no_harm() {
        let fake = nginx();
        assert_eq!(observe(&fake).expect("an observation").routing, Some(BLUE));
        for want in [shares(95, 5), shares(50, 50), GREEN, BLUE, NONE, shares(1, 99), shares(95, 5), NONE] {
            for _ in 0..2 {
                assert_eq!(apply(&want), Ok(()));
                let seen = observe(&fake).expect("an observation");
                assert_eq!((seen.routing, seen.settled), (Some(want.clone()), true));
            }
        }
    }

    #[test]
    fn what_breaks_the_configuration_is_found_before_a_switch_and_hides_nothing_else() {
        let fake = nginx();
        assert_eq!(observe_ahead(&fake.world, SETTINGS), observe(&fake));
        fake.world.program("lb1", "/usr/sbin/nginx", |_| fake::exit(1, BROKEN));
        assert_eq!(observe_ahead(&fake.world, SETTINGS), Err(broken()));
        assert!(observe(&fake).is_ok());
        let before = fake.world.text("lb1", FILE);
        let prepared = prepare(&GREEN).expect_err("broken since");
        assert!(broken().text().starts_with(prepared.text()), "{prepared:?}");
        assert_eq!(fake.world.text("lb1", FILE), before);
    }

    #[test]
    fn what_is_so_already_is_not_reloaded() {
        let fake = nginx();
        apply(&shares(95, 5)).expect("shares");
        fake.world.calls();
        apply(&shares(95, 5)).expect("again");
        let changes = |call: &&String| call.contains("reload") || call.starts_with("write");
        assert_eq!(fake.world.calls().iter().find(changes), None);
        // The servers of before are not those of the call.
        let fake = nginx();
        apply(&BLUE).expect("blue");
        assert!(fake.world.calls().iter().any(|call| call.contains("reload")));
        assert_eq!(
            observe(&fake),
            Ok(observed(BLUE, true, &[("servers", "10.0.0.11:4001")])),
            "hosts that are gone get no requests"
        );
    }

    #[test]
    fn a_file_that_nginx_refuses_is_put_back_before_it_is_read() {
        let fake = nginx();
        let before = fake.world.text("lb1", FILE);
        fake.invalid.set(true);
        // What nginx runs has weights too, in this fake.
        apply(&BLUE).expect("blue");
        let plain = fake.world.text("lb1", FILE);
        assert_ne!(plain, before);
        assert_eq!(
            apply(&shares(95, 5)),
            Err(HookError::failed(
                "failed to check nginx's new configuration: `/usr/sbin/nginx -t` on `lb1` ended with status 1\n\
                 nginx: [emerg] invalid parameter \"weight=95\"\n\
                 hint: `/var/lib/cutover-nginx/shop/upstream.conf` is as it was"
            ))
        );
        assert_eq!(fake.world.text("lb1", FILE), plain);
        assert!(observe(&fake).expect("an observation").settled);
    }

    #[test]
    fn a_reload_that_has_no_effect_is_told_and_unsettled() {
        let fake = nginx();
        fake.stuck.set(true);
        assert_eq!(
            apply(&GREEN),
            Err(HookError::temporary(
                "workers of the old configuration still accept on `lb1`\n\
                 hint: nginx's error log tells why it does not reload"
            ))
        );
        let seen = observe(&fake).expect("an observation");
        assert_eq!((seen.routing, seen.settled), (Some(BLUE), false));
        fake.stuck.set(false);
        apply(&GREEN).expect("a later one takes effect");
        assert!(observe(&fake).expect("an observation").settled);
    }

    #[test]
    fn prepare_shows_the_servers_and_changes_nothing() {
        let fake = nginx();
        apply(&BLUE).expect("blue");
        let before = fake.world.text("lb1", FILE);
        assert_eq!(
            prepare(&shares(95, 5)).as_deref(),
            Ok("--- lb1:/var/lib/cutover-nginx/shop/upstream.conf\n\
                +++ lb1:/var/lib/cutover-nginx/shop/upstream.conf\n\
                -    server 10.0.0.11:4001;\n\
                +    server 10.0.0.11:4001 weight=95;\n\
                +    server 10.0.0.11:4002 weight=5;\n")
        );
        assert_eq!(prepare(&BLUE).as_deref(), Ok(""));
        assert_eq!(fake.world.text("lb1", FILE), before);
        let out = Routing { out: vec!["web1".to_owned()], ..BLUE };
        assert!(apply(&out).is_err() && prepare(&out).is_err());
    }

    #[test]
    fn testers_choose_while_requests_are_shared() {
        let fake = nginx();
        let (settings, mut call) = call(r#"{"style": "upstream", "testers": {"header": "x-canary"}}"#);
        let apply = |call: &Call, want: &Routing| Nginx::apply(&settings, call, "lb1", want);
        let labels = |call: &Call| {
            let seen = fake.world.reading(|| Nginx::observe(&settings, call, "lb1")).expect("an observation");
            assert!(seen.settled);
            seen.labels.into_iter().skip(1).collect::<Vec<_>>()
        };
        for (color, always, never) in [(Color::Blue, "blue", "green"), (Color::Green, "green", "blue")] {
            call.color = color;
            apply(&call, &BLUE).expect("blue");
            assert_eq!(labels(&call), []);
            assert_eq!(
                Nginx::prepare(&settings, &call, "lb1", &shares(95, 5)),
                Ok(format!(
                    "--- lb1:{FILE}\n\
                     +++ lb1:{FILE}\n\
                     -    server 10.0.0.11:4001;\n\
                     +    server 10.0.0.11:4001 weight=95;\n\
                     +    server 10.0.0.11:4002 weight=5;\n\
                     +    always cutover-shop.{always};\n\
                     +    never cutover-shop.{never};\n"
                ))
            );
            apply(&call, &shares(95, 5)).expect("shares");
            assert_eq!(labels(&call), [("testers".to_owned(), format!("header x-canary {color}"))]);
            fake.world.calls();
            apply(&call, &shares(95, 5)).expect("again");
            assert!(!fake.world.calls().iter().any(|call| call.contains("reload")));
        }
        // Shares of a time before there were testers are no shares with them.
        let (plain, _) = super::call(SETTINGS);
        Nginx::apply(&plain, &call, "lb1", &shares(95, 5)).expect("without");
        assert_eq!(labels(&call), []);
        apply(&call, &shares(95, 5)).expect("with");
        assert_eq!(labels(&call).len(), 1);
    }

    #[test]
    fn what_is_open_to_a_color_without_requests_is_counted() {
        let fake = nginx();
        for count in [2, 1, 0] {
            sockets(&fake.world, 4002, count);
            let found = connections(&fake.world, SETTINGS, Color::Green);
            assert_eq!(found, Ok(u32::try_from(count).ok()));
        }
        assert_eq!(connections(&fake.world, SETTINGS, Color::Blue), Ok(None));
        apply(&shares(95, 5)).expect("shares");
        assert_eq!(connections(&fake.world, SETTINGS, Color::Green), Ok(None), "some rest");
        apply(&BLUE).expect("blue");
        fake.world.program("lb1", "/usr/bin/ss", |_| fake::exit(1, "Cannot open netlink socket"));
        assert_eq!(
            connections(&fake.world, SETTINGS, Color::Green),
            Err(HookError::failed(
                "`/usr/bin/ss -Htn state established dst 10.0.0.11:4002` on `lb1` ended with status 1\n\
                 Cannot open netlink socket"
            ))
        );
    }

    #[test]
    fn a_file_that_is_not_there_or_not_ours_is_told() {
        let fake = nginx();
        fake.world.file("lb1", FILE, "upstream cutover-shop {}\n");
        assert_eq!(
            observe(&fake),
            Err(HookError::failed(
                "`/var/lib/cutover-nginx/shop/upstream.conf` on `lb1` was not written by cutover\n\
                 hint: take it away, and make it as `cutover setup` prints it"
            ))
        );
        let (settings, call) = call(r#"{"style": "upstream", "include": "/elsewhere.conf"}"#);
        let error = Nginx::observe(&settings, &call, "lb1").expect_err("no file");
        assert_eq!(
            error.text(),
            "there is no `/elsewhere.conf` on `lb1`\nhint: `cutover setup` prints how it is made once"
        );
    }

    #[test]
    fn setup_needs_no_host_at_all() {
        let world = World::install([]);
        let (settings, mut call) = call(SETTINGS);
        call.facts.push(("setup".to_owned(), "deploy".to_owned()));
        let text = Nginx::prepare(&settings, &call, "lb1", &NONE).expect("a script");
        assert!(
            text.contains(&format!(
                "runuser -u deploy -- sh -c 'test -e {FILE} || cat > {FILE}' <<'CUTOVER'\n# cutover: blue 0 green 0\n"
            ))
        );
        assert!(text.contains("    server 127.0.0.1:1 down;\n"), "{text}");
        assert!(text.ends_with(include_str!("../golden/upstream-setup.sh")), "{text}");

        let (settings, mut call) = super::call(r#"{"style": "upstream", "testers": {"cookie": "canary"}}"#);
        call.facts.push(("setup".to_owned(), "deploy".to_owned()));
        let text = Nginx::prepare(&settings, &call, "lb1", &NONE).expect("a script");
        let map = format!(
            "runuser -u deploy -- sh -c 'grep -qF \"\\$cutover_shop {{\" {FILE} || cat >> {FILE}' <<'CUTOVER'\n\
             \n\
             map $cookie_canary $cutover_shop {{\n    default cutover-shop;\n}}\n\
             CUTOVER\n"
        );
        assert!(text.contains(&map), "{text}");
        assert!(text.contains("#         proxy_pass http://$cutover_shop;\n"), "{text}");
        assert_eq!(world.calls(), Vec::<String>::new());
    }
}
