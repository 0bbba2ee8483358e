//! One test's world: machines, nginx, a repository, a configuration, and the program under test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::first_config::{DOOR, first_config};
use crate::nginx::ITSELF;
use crate::skipped::skip;
use crate::told_at_once::tell_failures_at_once;
use crate::{
    Behaviour, Ended, Load, Machine, Nginx, Page, Port, Relay, Repository, Running, Scratch, Sshd, Terminal,
    get, normalise,
};

/// A world with an application `shop` that has not been deployed yet. All of it ends with the value.
#[derive(Debug)]
pub struct Test {
    program: PathBuf,
    /// The machine on which cutover is run.
    pub desk: Machine,
    /// The machines of the configuration, when they are not the desk itself.
    pub hosts: Vec<(Machine, Sshd)>,
    /// The router.
    pub nginx: Nginx,
    /// The second one, where there are two.
    pub second_nginx: Option<Nginx>,
    /// Where the source comes from.
    pub repository: Repository,
    /// Text of `cutover.toml`; written before each run.
    pub config: String,
    /// Variables that the program's environment has beside those of the desk.
    pub variables: Vec<(String, String)>,
    ports: [Port; 2],
    /// The port of the front door, where another router than nginx has it.
    door: Option<u16>,
    // Last: everything else has ended when it goes.
    scratch: Scratch,
}

impl Test {
    /// Everything on one machine, without SSH. None, with a message, where machines can't be simulated.
    #[must_use]
    pub fn local(program: &str) -> Option<Self> {
        let scratch = can_run()?;
        let desk = desk(&scratch, program);
        let nginx = Nginx::new(&scratch, &desk);
        Some(Self::new(scratch, desk, Vec::new(), nginx, None))
    }

    /// Two machines for the application and one for the router, reached over SSH.
    #[must_use]
    pub fn fleet(program: &str) -> Option<Self> {
        Self::fleet_as(program, "root")
    }

    /// The same with another user to log in as, made on each machine.
    #[must_use]
    pub fn fleet_as(program: &str, user: &str) -> Option<Self> {
        Self::fleet_of(program, user, 2)
    }

    /// The same with so many machines for the application: 100 at most.
    #[must_use]
    pub fn fleet_of(program: &str, user: &str, count: u8) -> Option<Self> {
        Self::over_ssh(program, user, |scratch| isolated(scratch, &crowd(count)))
    }

    /// The same behind one SSH server, which all connections go to, as root.
    #[must_use]
    pub fn crowd(program: &str, count: u8) -> Option<Self> {
        let scratch = can_run()?;
        let desk = desk(&scratch, program);
        let machines = isolated(&scratch, &crowd(count));
        let ssh = desk.outside("/root/.ssh");
        fs::create_dir_all(&ssh).unwrap();
        let servers = Sshd::start_for_all(&scratch, &machines, &ssh);
        fs::write(ssh.join("known_hosts"), servers[0].known_hosts_line()).unwrap();
        let hosts: Vec<(Machine, Sshd)> = machines.into_iter().zip(servers).collect();
        let nginx = Nginx::new(&scratch, &hosts[hosts.len() - 1].0);
        Some(Self::new(scratch, desk, hosts, nginx, None))
    }

    /// One machine for the application whose init is systemd, and one for the router; both with this user to log in as. None, with a
    /// message, where that can't be.
    #[must_use]
    pub fn on_systemd(program: &str, user: &str) -> Option<Self> {
        if let Err(reason) = crate::Systemd::can_boot() {
            skip(&reason);
            return None;
        }
        Self::over_ssh(program, user, |scratch| {
            let booted = Machine::booted("web1", "127.0.0.11", &scratch.directory("web1"), scratch.path());
            std::iter::once(booted).chain(isolated(scratch, &[("lb1", 13)])).collect()
        })
    }

    /// The last machine is the router's.
    fn over_ssh(program: &str, user: &str, machines: impl Fn(&Scratch) -> Vec<Machine>) -> Option<Self> {
        let scratch = can_run()?;
        let desk = desk(&scratch, program);
        let hosts = reached(&scratch, &desk, machines(&scratch), user);
        let nginx = Nginx::new(&scratch, &hosts[hosts.len() - 1].0);
        Some(Self::new(scratch, desk, hosts, nginx, None))
    }

    /// One machine for the application and two routers behind one name, each with a site for each colour. nginx runs on both.
    #[must_use]
    pub fn two_routers(program: &str) -> Option<Self> {
        let scratch = can_run()?;
        let desk = desk(&scratch, program);
        let machines = isolated(&scratch, &[("web1", 11), ("lb1", 12), ("lb2", 13)]);
        let hosts = reached(&scratch, &desk, machines, "root");
        let mut all = Nginx::alike(&[&hosts[1].0, &hosts[2].0]).into_iter();
        let nginx = all.next().unwrap();
        let mut names = String::new();
        for (machine, _) in &hosts[1..] {
            names.push_str(&format!("{} {DOOR}\n", machine.address()));
            let itself = format!("{} {ITSELF}\n", machine.address());
            fs::write(machine.outside("/etc/hosts"), itself).unwrap();
        }
        fs::write(desk.outside("/etc/hosts"), names).unwrap();
        let mut test = Self::new(scratch, desk, hosts, nginx, all.next());
        let app = test.hosts[0].0.address();
        let sites = test.nginx.write_sites(app, test.ports());
        let second = test.second_nginx.as_ref().unwrap();
        assert_eq!(second.write_sites(app, test.ports()), sites, "both have the same settings");
        let flags = test.nginx.settings();
        test.configure(&flags, &sites);
        test.start_nginx();
        Some(test)
    }

    fn new(
        scratch: Scratch,
        desk: Machine,
        hosts: Vec<(Machine, Sshd)>,
        nginx: Nginx,
        second_nginx: Option<Nginx>,
    ) -> Self {
        let repository = Repository::new(&scratch, false);
        let ports = [Port::take(), Port::take()];
        let mut test = Self {
            program: scratch.join("desk/shown/cutover"),
            desk,
            hosts,
            nginx,
            second_nginx,
            repository,
            config: String::new(),
            variables: Vec::new(),
            ports,
            door: None,
            scratch,
        };
        test.config = first_config(&test);
        test
    }

    /// Adds a machine that is reached over SSH as root, a host of the configuration that nothing names yet.
    pub fn add_host(&mut self, name: &str, last: u8) {
        let ssh = self.desk.outside("/root/.ssh");
        let key = fs::read_to_string(ssh.join("id_ed25519.pub")).unwrap();
        let machine = isolated(&self.scratch, &[(name, last)]).remove(0);
        let (machine, sshd) = open(&self.scratch, machine, key.trim(), "root");
        let known = fs::read_to_string(ssh.join("known_hosts")).unwrap();
        fs::write(ssh.join("known_hosts"), known + &sshd.known_hosts_line()).unwrap();
        self.configure("[hosts]\n", &format!("[hosts]\n{name} = {{ ssh = \"{}\" }}\n", sshd.destination()));
        // The router's machine stays the last one.
        self.hosts.insert(self.hosts.len() - 1, (machine, sshd));
    }

    /// Puts another text in place of one in the configuration.
    ///
    /// # Panics
    /// When `from` is not in it.
    pub fn configure(&mut self, from: &str, to: &str) -> &mut Self {
        assert!(self.config.contains(from), "`{from}` is not in:\n{}", self.config);
        self.config = self.config.replace(from, to);
        self
    }

    /// Routes by another hook than nginx's: `settings` is an inline table, `door` the port of the router's front door, at the same
    /// address. nginx is not started any more.
    pub fn route_by(&mut self, hook: &str, settings: &str, door: u16) -> &mut Self {
        let (own, ours) = (self.nginx.settings(), self.nginx.port());
        self.configure(&format!("settings = {own}"), &format!("hook = \"{hook}\"\nsettings = {settings}"));
        self.configure(&format!(":{ours}/"), &format!(":{door}/"));
        self.door = Some(door);
        self
    }

    /// The port of the front door.
    #[must_use]
    pub fn door(&self) -> u16 {
        self.door.unwrap_or_else(|| self.nginx.port())
    }

    /// Lets cutover reach a machine over a wire of its own.
    ///
    /// # Panics
    /// When there is no such machine.
    #[must_use]
    pub fn wire(&mut self, name: &str) -> Relay {
        let (_, sshd) = self.hosts.iter().find(|(machine, _)| machine.name() == name).unwrap();
        let relay = Relay::start(&sshd.address().ip().to_string(), sshd.address());
        let known = self.desk.outside("/root/.ssh/known_hosts");
        let text = fs::read_to_string(&known).unwrap() + &sshd.known_hosts_line_at(relay.address());
        fs::write(known, text).unwrap();
        let (from, to) = (sshd.destination(), format!("{}@{}", sshd.user(), relay.address()));
        self.configure(&from, &to);
        relay
    }

    /// Ports of blue and green.
    #[must_use]
    pub const fn ports(&self) -> (u16, u16) {
        (self.ports[0].number(), self.ports[1].number())
    }

    /// The directory of `cutover.toml`.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        self.repository.checkout().to_owned()
    }

    /// The scratch directory.
    #[must_use]
    pub const fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// A machine by its name.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn machine(&self, name: &str) -> &Machine {
        let found = self.hosts.iter().map(|(machine, _)| machine).find(|machine| machine.name() == name);
        found.unwrap_or_else(|| panic!("no machine `{name}`"))
    }

    /// Does on each host, as root, what `cutover setup` tells to do, and starts nginx where it is the router.
    ///
    /// # Panics
    /// When a script fails.
    pub fn set_up(&mut self) {
        let told = self.cutover(&["setup", "--json"]).expect(0);
        for host in told.last_event()["hosts"].as_array().unwrap() {
            let name = host["host"].as_str().unwrap();
            let parts = host["parts"].as_array().unwrap();
            let script: String = parts.iter().map(|part| part["script"].as_str().unwrap()).collect();
            let file = self.scratch.write(format!("setup-{name}.sh"), script);
            // `local`, the host that builds, is the desk.
            let machine = if name == "local" { &self.desk } else { self.machine(name) };
            let ran = machine.command("sh", Path::new("/")).arg("-eux").arg(&file).output().unwrap();
            assert!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
            self.nginx.write_location(&self.setup_script(name));
        }
        if self.door.is_none() {
            self.start_nginx();
        }
    }

    /// Starts nginx on the router's machine.
    pub fn start_nginx(&mut self) {
        if let Some(second) = &mut self.second_nginx {
            self.nginx.start(&self.hosts[1].0);
            return second.start(&self.hosts[2].0);
        }
        let machine = self.hosts.last().map_or(&self.desk, |(machine, _)| machine);
        self.nginx.start(machine);
    }

    /// The machine that routes.
    #[must_use]
    pub fn router(&self) -> &Machine {
        self.hosts.last().map_or(&self.desk, |(machine, _)| machine)
    }

    /// What [`Test::set_up`] has done on a host, by its name in the configuration.
    ///
    /// # Panics
    /// When it has done nothing there.
    #[must_use]
    pub fn setup_script(&self, host: &str) -> String {
        fs::read_to_string(self.scratch.join(format!("setup-{host}.sh"))).unwrap()
    }

    /// The program under test, as seen on the desk.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// A run of the program, by hand.
    #[must_use]
    pub fn command(&self, args: &[&str]) -> Command {
        fs::write(self.directory().join("cutover.toml"), &self.config).unwrap();
        let mut command = self.desk.command(&self.program, &self.directory());
        command.args(args).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts the program.
    #[must_use]
    pub fn start(&self, args: &[&str]) -> Running {
        Running::start(&self.desk, self.command(args))
    }

    /// Starts the program at a terminal.
    ///
    /// # Panics
    /// When the configuration can't be written.
    #[must_use]
    pub fn at_terminal(&self, args: &[&str]) -> Terminal {
        fs::write(self.directory().join("cutover.toml"), &self.config).unwrap();
        let mut command = self.desk.terminal_command(&self.program, &self.directory());
        command.args(args);
        Terminal::start(command)
    }

    /// Runs the program to its end.
    #[must_use]
    pub fn cutover(&self, args: &[&str]) -> Ended {
        self.start(args).finish()
    }

    /// Pushes a version and deploys it.
    #[must_use]
    pub fn deploy(&self, version: &str, behaviour: Behaviour) -> Ended {
        self.repository.push(version, behaviour);
        self.cutover(&["deploy"])
    }

    /// A page through the front door.
    ///
    /// # Panics
    /// When there is no answer.
    #[must_use]
    pub fn front_door(&self, path: &str) -> Page {
        get(self.nginx.address(), self.door(), path).unwrap()
    }

    /// What the front door says of itself: `v1 blue`.
    #[must_use]
    pub fn live(&self) -> String {
        let page = self.front_door("/");
        let version = page.body.split(' ').next().unwrap_or("").to_owned();
        format!("{version} {}", page.header("x-color"))
    }

    /// Begins a load at the front door.
    #[must_use]
    pub fn load(&self) -> Load {
        let load = Load::start(self.door());
        load.wait_for(20);
        load
    }

    /// An output with placeholders for what differs from run to run.
    #[must_use]
    pub fn normalise(&self, text: &str) -> String {
        let ports = [
            (self.ports().0, "BLUE"),
            (self.ports().1, "GREEN"),
            (self.door(), "DOOR"),
            (self.nginx.status_port(), "STATUS"),
        ];
        let mut known: Vec<(String, String)> =
            ports.iter().map(|(port, name)| (port.to_string(), (*name).to_owned())).collect();
        for (machine, sshd) in &self.hosts {
            known.insert(0, (sshd.destination(), format!("USER@{}", machine.name())));
            known.push((format!("port {}", sshd.port()), "port SSH".to_owned()));
        }
        for revision in self.repository.git(&["log", "--format=%H"]).lines() {
            known.push((revision[..7].to_owned(), "REVISION".to_owned()));
        }
        known.push((self.scratch.path().display().to_string(), "SCRATCH".to_owned()));
        normalise(text, &known)
    }

    /// Waits until a colour's instance on the desk answers no more.
    pub fn wait_until_stopped(&self, port: u16) {
        crate::eventually("an instance ends", Duration::from_secs(10), || {
            get("127.0.0.1", port, "/up").is_err().then_some(())
        });
    }
}

/// Names and addresses of so many machines for the application, and of one for the router.
fn crowd(count: u8) -> Vec<(String, u8)> {
    let app = (1..=count).map(|number| (format!("web{number}"), 10 + number));
    app.chain([("lb1".to_owned(), 11 + count)]).collect()
}

/// Machines in namespaces of their own, by name and last part of their address.
fn isolated<N: AsRef<str>>(scratch: &Scratch, names: &[(N, u8)]) -> Vec<Machine> {
    let machine = |(name, last): &(N, u8)| {
        let name = name.as_ref();
        Machine::isolated(name, &format!("127.0.0.{last}"), &scratch.directory(name), &[])
    };
    names.iter().map(machine).collect()
}

/// Machines with an SSH server each that lets the desk in as `user`.
fn reached(scratch: &Scratch, desk: &Machine, machines: Vec<Machine>, user: &str) -> Vec<(Machine, Sshd)> {
    let ssh = desk.outside("/root/.ssh");
    fs::create_dir_all(&ssh).unwrap();
    let key = Sshd::make_key(&ssh.join("id_ed25519"));
    let hosts: Vec<(Machine, Sshd)> =
        machines.into_iter().map(|machine| open(scratch, machine, &key, user)).collect();
    let known: String = hosts.iter().map(|(_, sshd)| sshd.known_hosts_line()).collect();
    fs::write(ssh.join("known_hosts"), known).unwrap();
    hosts
}

/// A machine with an SSH server that lets the holder of `key` in as `user`.
fn open(scratch: &Scratch, machine: Machine, key: &str, user: &str) -> (Machine, Sshd) {
    if user != "root" {
        machine.add_user(user);
    }
    let sshd = Sshd::start(scratch, &machine, key, user);
    (machine, sshd)
}

fn desk(scratch: &Scratch, program: &str) -> Machine {
    Machine::isolated("desk", "127.0.0.1", &scratch.directory("desk"), &[Path::new(program)])
}

fn can_run() -> Option<Scratch> {
    tell_failures_at_once();
    if let Err(reason) = Machine::can_isolate() {
        skip(&reason);
        return None;
    }
    for program in ["/usr/sbin/sshd", "nginx"] {
        let found = Command::new(program).arg("-v").env("PATH", crate::machine::SYSTEM_PATH).output().is_ok();
        if !found {
            skip(&format!("`{program}` is not installed: `cargo xtask test` does that"));
            return None;
        }
    }
    Some(Scratch::new())
}
