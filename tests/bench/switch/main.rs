//! What a switch costs those who are served meanwhile: real routers, moved by cutover's hooks and by the scripts that people write, under the same
//! load. `cargo xtask bench switch` builds and runs it.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement ends, loudly, at what it can't measure"
)]

mod contender;
mod figures;
mod hook;
mod load;
mod script;

use std::thread::sleep;
use std::time::{Duration, Instant};

use contender::{Contender, Subject};
use figures::{Figures, Machine, Switch};
use load::Load;
use test_support::{eventually, get};

/// Every way of moving the requests that is measured.
const CONTENDERS: [Contender; 12] = [
    Contender::hook("nginx", "file-test", true, hook::nginx_file_test),
    Contender::hook("nginx", "upstream", false, hook::nginx_upstream),
    Contender::hook("nginx", "symlink", false, hook::nginx_symlink),
    Contender::hook("haproxy", "map", true, hook::haproxy_map),
    Contender::hook("haproxy", "servers", false, hook::haproxy_servers),
    Contender::hook("apache", "balancer", true, hook::apache),
    Contender::hook("caddy", "file", true, hook::caddy),
    Contender::hook("proxy", "weights", true, hook::proxy),
    Contender::script("nginx", "symlink, reload", script::nginx_reload),
    Contender::script("nginx", "symlink, reload, stop", script::nginx_reload_and_stop),
    Contender::script("haproxy", "map, stop", script::haproxy_map_and_stop),
    Contender::script("haproxy", "map, kill -9", script::haproxy_map_and_kill),
];

/// How often each is switched, unless `--switches N` says otherwise.
const SWITCHES: usize = 40;

/// After each switch: so long it is looked for answers that should not come any more.
const REST: Duration = Duration::from_millis(1500);

/// A router may take so long to serve, once it was moved for the first time.
const SETTLED: Duration = Duration::from_secs(10);

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let as_json = words.iter().any(|word| word == "--json");
    let after = |option: &str| {
        let at = words.iter().position(|word| word == option)?;
        words.get(at + 1)
    };
    let switches = after("--switches").map_or(SWITCHES, |number| number.parse().expect("a number"));
    let only = after("--only");
    let before = Machine::now();
    if !as_json {
        print!("{}", Figures::heading());
    }
    for contender in &CONTENDERS {
        if only.is_some_and(|only| !contender.title().contains(only.as_str())) {
            continue;
        }
        eprintln!("measuring {}", contender.title());
        let Some(figures) = measure(contender, switches) else { continue };
        if as_json {
            println!("{}", figures.json(contender));
        } else {
            print!("{}", figures.row(contender));
        }
    }
    eprintln!("{}", before.words(&Machine::now()));
}

/// None where its router is not installed, which is said.
fn measure(contender: &Contender, switches: usize) -> Option<Figures> {
    let mut subject = contender.make()?;
    // The first ones compile hooks and fill caches.
    for turn in 0..2 {
        let _ = switch(subject.as_mut(), turn);
    }
    // What does not work can be measured, too, and would be.
    let serves =
        || get("127.0.0.1", subject.port(), "/up").is_ok_and(|page| page.status == 200).then_some(());
    eventually(&format!("{} serves", contender.title()), SETTLED, serves);
    let load = Load::start(subject.port());
    sleep(REST);
    let mut made = Vec::new();
    for turn in 0..switches {
        made.push(switch(subject.as_mut(), turn));
        sleep(REST);
    }
    let seen = load.finish();
    for reason in &seen.reasons {
        eprintln!("  {reason}");
    }
    Some(Figures::new(&seen, &made))
}

/// One switch, to blue first.
fn switch(subject: &mut dyn Subject, turn: usize) -> Switch {
    let to = if turn.is_multiple_of(2) { "blue" } else { "green" };
    subject.make_ready(to);
    let asked = Instant::now();
    subject.switch(to);
    Switch { to, asked, returned: Instant::now() }
}
