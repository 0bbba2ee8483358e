//! A real Apache with directory, configuration and ports of its own, whose balancer `cutover setup` writes.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::skipped::skip;
use crate::{Machine, Port, Process, Scratch, eventually, get};

const PROGRAM: &str = "/usr/sbin/apache2";
const MODULES: [&str; 10] = [
    "mpm_event",
    "authz_core",
    "authz_host",
    "headers",
    "proxy",
    "proxy_http",
    "proxy_balancer",
    "slotmem_shm",
    "lbmethod_byrequests",
    "proxy_hcheck",
];

/// An Apache; it ends with the value.
#[derive(Debug)]
pub struct Apache {
    directory: PathBuf,
    port: Port,
    manager_port: Port,
    process: Option<Process>,
}

impl Apache {
    /// Writes the configuration of one for `machine`; nothing runs yet. None, with a message, where Apache is not installed.
    #[must_use]
    pub fn new(scratch: &Scratch, machine: &Machine) -> Option<Self> {
        if !Path::new(PROGRAM).is_file() {
            skip(&format!("`{PROGRAM}` is not installed: `cargo xtask test` does that"));
            return None;
        }
        let directory = scratch.directory(format!("{}-apache", machine.name()));
        let apache = Self { directory, port: Port::take(), manager_port: Port::take(), process: None };
        apache.write_config(&format!("    Include {}\n", apache.site().display()));
        Some(apache)
    }

    /// The main configuration, with what the application's virtual host holds.
    fn write_config(&self, site: &str) {
        let own = self.directory.display();
        let load = |name: &str| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n");
        let modules: String = MODULES.into_iter().map(load).collect();
        let config = format!(
            "{modules}ServerRoot {own}\nServerName localhost\nPidFile {own}/pid\nDefaultRuntimeDir {own}\n\
             ErrorLog {own}/error.log\nUser www-data\nGroup www-data\nListen 127.0.0.1:{port}\n\
             IncludeOptional {own}/conf/*.conf\n<VirtualHost 127.0.0.1:{port}>\n{site}</VirtualHost>\n",
            port = self.port,
        );
        fs::write(self.directory.join("apache2.conf"), config).unwrap();
    }

    /// Settings of `builtin:apache`, as an inline table.
    #[must_use]
    pub fn settings(&self) -> String {
        let own = self.directory.display();
        format!(
            "{{ manager-port = {}, directory = \"{own}/begin\", server-include = \"{own}/conf/shop.conf\", \
             site-include = \"{}\" }}",
            self.manager_port,
            self.site().display(),
        )
    }

    fn site(&self) -> PathBuf {
        self.directory.join("sites/shop.conf")
    }

    /// The port of its front door.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The port of its balancer-manager.
    #[must_use]
    pub fn manager_port(&self) -> u16 {
        self.manager_port.number()
    }

    /// The file with the balancer.
    #[must_use]
    pub fn server_include(&self) -> PathBuf {
        self.directory.join("conf/shop.conf")
    }

    /// The file with the balancer-manager.
    #[must_use]
    pub fn manager_include(&self) -> PathBuf {
        self.directory.join(format!("conf/cutover-balancer-manager-{}.conf", self.manager_port))
    }

    /// Directory of the files that say with which colour it begins.
    #[must_use]
    pub fn begin(&self) -> PathBuf {
        self.directory.join("begin")
    }

    /// Starts it and waits until it answers: while it merely listens, it may still read its configuration.
    ///
    /// # Panics
    /// When it ends instead.
    pub fn start(&mut self, machine: &Machine) {
        let _ = fs::remove_file(self.directory.join("pid"));
        let mut command = self.command(machine);
        command.args(["-D", "FOREGROUND"]);
        let mut process = Process::start(command, &self.directory.join("log"));
        eventually("Apache answers", Duration::from_secs(10), || {
            assert!(process.ended().is_none(), "Apache ended: {}{}", process.log(), self.error_log());
            get("127.0.0.1", self.port(), "/up").is_ok().then_some(())
        });
        self.process = Some(process);
    }

    /// Lets it read its configuration again, as after a rotation of logs, and waits until nothing of before answers any more.
    ///
    /// # Panics
    /// When it can't.
    pub fn reload(&self, machine: &Machine) {
        let begun = self.error_log().matches("resuming normal operations").count();
        let former = self.processes();
        assert!(self.command(machine).args(["-k", "graceful"]).status().unwrap().success());
        eventually("Apache resumes", Duration::from_secs(10), || {
            (self.error_log().matches("resuming normal operations").count() > begun).then_some(())
        });
        eventually("Apache's former processes are gone", Duration::from_secs(10), || {
            let processes = self.processes();
            (former.iter().filter(|process| processes.contains(process)).count() <= 1).then_some(())
        });
        eventually("Apache answers", Duration::from_secs(10), || {
            get("127.0.0.1", self.port(), "/up").is_ok().then_some(())
        });
    }

    /// Its processes, of which one starts the others and stays when it reads its configuration again.
    fn processes(&self) -> Vec<String> {
        let directory = self.directory.to_str().unwrap();
        let numbers =
            fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let is_own = |number: &String| {
            fs::read_to_string(format!("/proc/{number}/cmdline")).is_ok_and(|words| {
                words.starts_with(PROGRAM) && words.split('\0').any(|word| word == directory)
            })
        };
        numbers.filter(is_own).collect()
    }

    fn command(&self, machine: &Machine) -> Command {
        let mut command = machine.command(PROGRAM, Path::new("/"));
        command.arg("-d").arg(&self.directory).args(["-f", "apache2.conf"]);
        command
    }

    /// Has all of it stand still, or go on: connections are taken meanwhile, and nobody answers.
    ///
    /// # Panics
    /// When it does not run.
    pub fn freeze(&self, still: bool) {
        self.process.as_ref().unwrap().freeze(still);
    }

    /// Ends it as a crash would, and waits until nothing of it is left.
    pub fn stop(&mut self) {
        self.process = None;
        eventually("Apache is gone", Duration::from_secs(10), || {
            TcpStream::connect(("127.0.0.1", self.port())).is_err().then_some(())
        });
    }

    /// Changes a member as a person does on the balancer-manager's page: `w_status_D=1` turns it off.
    ///
    /// # Panics
    /// When the page does not take it.
    pub fn by_hand(&self, member: &str, change: &str) {
        let page = self.page();
        let nonce = page.split("nonce=").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let answer = self.ask("POST", &format!("b=cutover-shop&w={member}&nonce={nonce}&{change}"));
        assert!(answer.contains(&format!("Edit worker settings for {member}")), "{answer}");
    }

    /// The balancer-manager's page.
    ///
    /// # Panics
    /// When nobody answers.
    #[must_use]
    pub fn page(&self) -> String {
        self.ask("GET", "")
    }

    fn ask(&self, method: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.manager_port())).unwrap();
        let place = format!("127.0.0.1:{}", self.manager_port);
        let request = format!(
            "{method} /balancer-manager HTTP/1.1\r\nhost: {place}\r\nreferer: http://{place}/balancer-manager\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn error_log(&self) -> String {
        fs::read_to_string(self.directory.join("error.log")).unwrap_or_default()
    }
}
