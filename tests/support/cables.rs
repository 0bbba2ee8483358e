//! Cables between the desk and the hosts, which a test can pull out.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::{Port, Process, SYSTEM_PATH, Test, eventually, skip};

/// A network of the desk's own, with a cable to each host. What is sent over one that is out is lost, and nobody is told: real
/// interfaces, and the kernel's own TCP on both sides.
#[derive(Debug)]
pub struct Cables {
    // The network goes with it, and all cables with that.
    _desk: Process,
    cables: Vec<Cable>,
    /// The configuration of somebody who is not behind them.
    elsewhere: String,
    // Names and addresses are made of it, so that no two tests have the same.
    _port: Port,
}

#[derive(Debug)]
struct Cable {
    host: String,
    /// The interface at the host's end.
    plug: String,
}

/// Addresses that are nobody's: between a carrier and its customers (RFC 6598).
const FIRST: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 0);
/// Of a cable: the two ends, and the two that name the network and all in it.
const PER_CABLE: u32 = 4;
/// Of every host's end. The desk knows it by heart: what it sends over a cable that is out is lost like behind any router, while
/// somebody in the same network would be told, by the silence, that the address is nobody's.
const MAC: &str = "02:00:00:00:00:01";
/// No test has more hosts.
const MOST: u32 = 16;

impl Test {
    /// Lets cutover reach the hosts over cables, and in no other way. None, with a message, where there can be no such network.
    ///
    /// # Panics
    /// When a cable can't be laid though others could.
    #[must_use]
    pub fn cables(&mut self) -> Option<Cables> {
        let port = Port::take();
        let desk = network(&self.scratch().join("cables.log")).and_then(|desk| {
            lay(&plug(&port, MOST), "trial", desk.id())?;
            Ok(desk)
        });
        let desk = match desk {
            Ok(desk) => desk,
            Err(reason) => {
                skip(&format!("no network of one's own here: {}", reason.trim()));
                return None;
            }
        };
        let elsewhere = self.config.clone();
        let file = self.desk.outside("/root/.ssh/known_hosts");
        let mut keys = fs::read_to_string(&file).unwrap();
        let mut cables = Vec::new();
        for (number, (machine, sshd)) in (0..MOST).zip(&mut self.hosts) {
            let plug = plug(&port, number);
            let network = (u32::from(port.number()) * MOST + number) * PER_CABLE;
            let [host, desks] = [1, 2].map(|end| Ipv4Addr::from(u32::from(FIRST) + network + end));
            let inside = format!("to-{}", machine.name());
            lay(&plug, &inside, desk.id()).unwrap();
            ip(None, &["address", "add", &format!("{host}/30"), "dev", &plug]).unwrap();
            ip(None, &["link", "set", &plug, "up"]).unwrap();
            ip(Some(desk.id()), &["address", "add", &format!("{desks}/30"), "dev", &inside]).unwrap();
            ip(Some(desk.id()), &["link", "set", &inside, "up"]).unwrap();
            let known = ["neighbor", "add", &host.to_string(), "lladdr", MAC, "dev", &inside];
            ip(Some(desk.id()), &known).unwrap();
            let from = sshd.destination();
            let there = sshd.listen_also(host, machine);
            keys += &sshd.known_hosts_line_at(there);
            self.config = self.config.replace(&from, &format!("{}@{there}", sshd.user()));
            cables.push(Cable { host: machine.name().to_owned(), plug });
        }
        fs::write(file, keys).unwrap();
        self.desk.join_network(Some(desk.id()));
        Some(Cables { _desk: desk, cables, elsewhere, _port: port })
    }
}

impl Cables {
    /// Pulls out those of these hosts.
    ///
    /// # Panics
    /// When there is no such host.
    pub fn pull(&self, hosts: &[&str]) {
        self.set(hosts, "down");
    }

    /// Puts them in again.
    ///
    /// # Panics
    /// When there is no such host.
    pub fn plug(&self, hosts: &[&str]) {
        self.set(hosts, "up");
    }

    fn set(&self, hosts: &[&str], state: &str) {
        for host in hosts {
            let cable = self.cables.iter().find(|cable| cable.host == *host);
            let cable = cable.unwrap_or_else(|| panic!("no machine `{host}`"));
            ip(None, &["link", "set", &cable.plug, state]).unwrap();
        }
    }

    /// From now on cutover is run by somebody who reaches the hosts without them; what runs already stays behind them.
    pub fn go_elsewhere(&self, test: &mut Test) {
        test.config.clone_from(&self.elsewhere);
        test.desk.join_network(None);
    }
}

fn plug(port: &Port, number: u32) -> String {
    format!("cut{port}-{number}")
}

/// A network with nothing in it, as long as the process lives.
fn network(log: &Path) -> Result<Process, String> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare", "--net", "sh", "-c"]);
    command.arg("ip link set lo up && echo up && exec sleep infinity").env("PATH", SYSTEM_PATH);
    let mut process = Process::start(command, log);
    eventually("a network comes up", Duration::from_secs(10), || match process.log().as_str() {
        "up\n" => Some(Ok(())),
        _ => process.ended().map(|_| Err(process.log())),
    })?;
    Ok(process)
}

/// Lays a cable from this machine to the network that a process is in.
fn lay(plug: &str, inside: &str, process: u32) -> Result<(), String> {
    let process = process.to_string();
    let add = ["link", "add", plug, "address", MAC, "type", "veth"];
    ip(None, &[add.as_slice(), &["peer", "name", inside, "netns", &process]].concat())
}

/// Changes this machine's network, or the one that a process is in.
fn ip(process: Option<u32>, args: &[&str]) -> Result<(), String> {
    let mut command = match process {
        None => Command::new("ip"),
        Some(process) => {
            let mut command = Command::new("nsenter");
            command.arg("--target").arg(process.to_string()).args(["--net", "ip"]);
            command
        }
    };
    let ran = command.args(args).env("PATH", SYSTEM_PATH).current_dir(Path::new("/")).output();
    match ran {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("ip {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr))),
        Err(fault) => Err(format!("`ip` (iproute2) can't be run: {fault}")),
    }
}
