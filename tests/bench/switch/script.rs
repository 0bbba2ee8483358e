//! Routers that a script moves, as people write it: the change, and what follows at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use test_support::{Haproxy, Machine, Nginx, Port, Process, SYSTEM_PATH, Scratch, demo_program, get};

use crate::contender::Subject;

/// How long a colour may take to answer, and to end.
const START: Duration = Duration::from_secs(10);
const STOP: Duration = Duration::from_secs(2);

/// The same application as cutover's, started by hand.
struct Scripted {
    router: Router,
    /// What it does with the colour that was live, once the router was told.
    ends: Option<Signal>,
    instances: [Option<Process>; 2],
    /// Those that were told to end.
    ending: [bool; 2],
    ports: [Port; 2],
    machine: Machine,
    program: PathBuf,
    // Last: everything else has ended when it goes.
    scratch: Scratch,
}

enum Router {
    /// A link that chooses between two sites, and a reload.
    Nginx(Nginx),
    /// A map, told on the admin socket.
    Haproxy(Haproxy),
}

pub(crate) fn nginx_reload() -> Option<Box<dyn Subject>> {
    Scripted::behind_nginx(None)
}

pub(crate) fn nginx_reload_and_stop() -> Option<Box<dyn Subject>> {
    Scripted::behind_nginx(Some(Signal::TERM))
}

pub(crate) fn haproxy_map_and_stop() -> Option<Box<dyn Subject>> {
    Scripted::behind_haproxy(Some(Signal::TERM))
}

pub(crate) fn haproxy_map_and_kill() -> Option<Box<dyn Subject>> {
    Scripted::behind_haproxy(Some(Signal::KILL))
}

const fn place(color: &str) -> usize {
    // The two differ in length.
    color.len() - 4
}

impl Scripted {
    fn new(ends: Option<Signal>, router: impl FnOnce(&Scratch, &Machine, [&Port; 2]) -> Router) -> Self {
        let scratch = Scratch::new();
        let machine = Machine::this(&scratch.directory("machine"), SYSTEM_PATH);
        let program = scratch.directory("bin").join("shop");
        fs::copy(demo_program(), &program).expect("the program");
        let ports = [Port::take(), Port::take()];
        let router = router(&scratch, &machine, [&ports[0], &ports[1]]);
        Self { router, ends, instances: [None, None], ending: [false; 2], ports, machine, program, scratch }
    }

    fn behind_nginx(ends: Option<Signal>) -> Option<Box<dyn Subject>> {
        let mut scripted = Self::new(ends, |scratch, machine, [blue, green]| {
            let nginx = Nginx::new(scratch, machine);
            let _ = nginx.write_sites("127.0.0.1", (blue.number(), green.number()));
            Router::Nginx(nginx)
        });
        scripted.make_ready("green");
        if let Router::Nginx(nginx) = &mut scripted.router {
            point(nginx, "green");
            nginx.start(&scripted.machine);
        }
        Some(Box::new(scripted))
    }

    fn behind_haproxy(ends: Option<Signal>) -> Option<Box<dyn Subject>> {
        let mut scripted = Self::new(ends, |scratch, machine, ports| {
            let haproxy = Haproxy::new(scratch, machine);
            write_config(&haproxy, ports);
            Router::Haproxy(haproxy)
        });
        scripted.make_ready("green");
        if let Router::Haproxy(haproxy) = &mut scripted.router {
            haproxy.start(&scripted.machine);
        }
        Some(Box::new(scripted))
    }
}

/// A map, with green in it, chooses the backend.
fn write_config(haproxy: &Haproxy, [blue, green]: [&Port; 2]) {
    let map = haproxy.map();
    fs::create_dir_all(map.parent().expect("a directory")).expect("a directory");
    fs::write(&map, "shop green\n").expect("written");
    let socket = haproxy.config().with_file_name("admin.sock");
    let config = format!(
        "global\n    user haproxy\n    group haproxy\n    stats socket {} level admin\ndefaults\n    mode http\n    \
         timeout connect 2s\n    timeout client 30s\n    timeout server 30s\n    timeout tunnel 1h\nfrontend door\n    \
         bind 127.0.0.1:{}\n    use_backend shop-%[str(shop),map({})]\nbackend shop-blue\n    server one 127.0.0.1:{blue}\n\
         backend shop-green\n    server one 127.0.0.1:{green}\n",
        socket.display(),
        haproxy.port(),
        map.display(),
    );
    fs::write(haproxy.config(), config).expect("written");
}

/// `ln -s` and `mv -T`.
fn point(nginx: &Nginx, color: &str) {
    let live = nginx.link();
    let next = live.with_file_name("next");
    fs::create_dir_all(live.parent().expect("a directory")).expect("a directory");
    std::os::unix::fs::symlink(nginx.site(color), &next).expect("a link");
    fs::rename(next, live).expect("renamed");
}

impl Subject for Scripted {
    fn port(&self) -> u16 {
        match &self.router {
            Router::Nginx(nginx) => nginx.port(),
            Router::Haproxy(haproxy) => haproxy.port(),
        }
    }

    fn make_ready(&mut self, color: &str) {
        let port = self.ports[place(color)].number();
        let instance = &mut self.instances[place(color)];
        if std::mem::take(&mut self.ending[place(color)])
            && let Some(mut process) = instance.take()
        {
            // Then it is killed, as by whoever has stopped it, whatever is still open there.
            let begun = Instant::now();
            while process.ended().is_none() && begun.elapsed() < STOP {
                sleep(Duration::from_millis(10));
            }
        }
        if instance.is_none() {
            let mut command = self.machine.command(&self.program, Path::new("/"));
            command.args(["--port", &port.to_string()]).env("CUTOVER_COLOR", color);
            *instance = Some(Process::start(command, &self.scratch.join(format!("{color}.log"))));
        }
        test_support::eventually(&format!("{color} answers"), START, || {
            get("127.0.0.1", port, "/up").is_ok_and(|page| page.status == 200).then_some(())
        });
    }

    fn switch(&mut self, color: &str) {
        match &self.router {
            Router::Nginx(nginx) => {
                point(nginx, color);
                nginx.reload(&self.machine);
            }
            Router::Haproxy(haproxy) => {
                let line = format!("set map {} shop {color}", haproxy.map().display());
                assert_eq!(haproxy.ask(&line).expect("an answer"), "\n");
            }
        }
        let other = 1 - place(color);
        if let (Some(signal), Some(process)) = (self.ends, &self.instances[other]) {
            process.signal(signal);
            self.ending[other] = true;
        }
    }
}
