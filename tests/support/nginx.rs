//! A real nginx with prefix, configuration, port and process identifier file in the scratch directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::{Machine, Port, Process, Scratch, eventually};

/// The name under which each of several alike routers knows itself.
pub(crate) const ITSELF: &str = "router.itself";

/// An nginx; it ends with the value.
#[derive(Debug)]
pub struct Nginx {
    /// As we see it.
    directory: PathBuf,
    /// As its machine sees it.
    own: PathBuf,
    /// Where the front door listens: at each address of the machine, or at its own.
    address: Option<String>,
    port: Arc<Port>,
    status_port: Port,
    process: Option<Process>,
}

impl Nginx {
    /// Writes the configuration of one for `machine`, with a front door that leaves the choice of the colour to the file that
    /// `cutover setup` writes; nothing runs yet.
    #[must_use]
    pub fn new(scratch: &Scratch, machine: &Machine) -> Self {
        let directory = scratch.directory(format!("{}-nginx", machine.name()));
        Self::at(directory.clone(), directory, None, Arc::new(Port::take()))
    }

    /// One for each of these machines, alike in everything, paths and port too, but for the address of its front door.
    #[must_use]
    pub fn alike(machines: &[&Machine]) -> Vec<Self> {
        let port = Arc::new(Port::take());
        let one = |machine: &&Machine| {
            let own = "/var/lib/router";
            let directory = machine.outside(own);
            fs::create_dir_all(&directory).unwrap();
            Self::at(directory, own.into(), Some(machine.address().to_owned()), Arc::clone(&port))
        };
        machines.iter().map(one).collect()
    }

    fn at(directory: PathBuf, own: PathBuf, address: Option<String>, port: Arc<Port>) -> Self {
        let status_port = Port::take();
        let nginx = Self { directory, own, address, port, status_port, process: None };
        nginx.write_config();
        nginx
    }

    fn write_config(&self) {
        let own = self.own.display();
        // Started by root, workers are another user, as on any real machine.
        let user = if rustix::process::getuid().is_root() { "user www-data;\n" } else { "" };
        let config = format!(
            "{user}daemon off;\nworker_processes 2;\npid {own}/nginx.pid;\nerror_log {own}/error.log;\n\
             events {{ worker_connections 512; }}\n\
             http {{\n  access_log off;\n  client_body_temp_path {own}/body;\n  proxy_temp_path {own}/proxy;\n  \
             fastcgi_temp_path {own}/fastcgi;\n  uwsgi_temp_path {own}/uwsgi;\n  scgi_temp_path {own}/scgi;\n  \
             include {own}/http.conf;\n  \
             server {{\n    listen {listen};\n    location / {{ include {own}/shop.location; }}\n  }}\n}}\n",
            listen = self.listen(),
        );
        fs::write(self.directory.join("nginx.conf"), config).unwrap();
    }

    /// What its servers listen on.
    fn listen(&self) -> String {
        match &self.address {
            Some(address) => format!("{address}:{}", self.port),
            None => self.port.to_string(),
        }
    }

    /// The address of its front door.
    #[must_use]
    pub fn address(&self) -> &str {
        self.address.as_deref().unwrap_or("127.0.0.1")
    }

    /// The port of its front door.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Its main configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.directory.join("nginx.conf")
    }

    /// Settings of `builtin:nginx` in its style `file-test`, as an inline table.
    #[must_use]
    pub fn settings(&self) -> String {
        let own = self.own.display();
        format!(
            "{{ directory = \"{own}/flags\", status-port = {}, http-include = \"{own}/http.conf\", \
             location-include = \"{own}/shop.location\" }}",
            self.status_port
        )
    }

    /// Writes a site for each colour of the application at `app` and a link that chooses between them, as for the style `symlink`, and
    /// returns its settings.
    #[must_use]
    pub fn write_sites(&self, app: &str, (blue, green): (u16, u16)) -> String {
        let own = self.own.display();
        // As nginx documents it for sites with websockets.
        let http = format!(
            "map $http_upgrade $connection_upgrade {{\n  default upgrade;\n  '' close;\n}}\n\
             include {own}/choice/live;\ninclude {own}/extra*;\n"
        );
        fs::write(self.directory.join("http.conf"), http).unwrap();
        // Where no site is chosen, the server of the main configuration answers.
        fs::write(self.directory.join("shop.location"), "return 503;\n").unwrap();
        for (color, port) in [("blue", blue), ("green", green)] {
            let site = format!(
                "server {{\n  listen {};\n  location / {{\n    proxy_pass http://{app}:{port};\n    \
                 proxy_http_version 1.1;\n    proxy_set_header Upgrade $http_upgrade;\n    \
                 proxy_set_header Connection $connection_upgrade;\n  }}\n  location = /deployment_id {{ return 200 \"{color}\"; }}\n}}\n",
                self.listen()
            );
            fs::write(self.site(color), site).unwrap();
        }
        fs::create_dir_all(self.link().parent().unwrap()).unwrap();
        std::os::unix::fs::symlink("/dev/null", self.link()).unwrap();
        let host = if self.address.is_some() { ITSELF } else { "127.0.0.1" };
        let nginx =
            format!("\"{}\", \"-p\", \"{own}\", \"-c\", \"{own}/nginx.conf\"", nginx_program().display());
        format!(
            "{{ style = \"symlink\", link = \"{own}/choice/live\", blue = \"{own}/site-blue\", green = \"{own}/site-green\", \
             color-url = \"http://{host}:{}/deployment_id\", test = [{nginx}, \"-t\"], \
             reload = [{nginx}, \"-s\", \"reload\"], pid-file = \"{own}/nginx.pid\" }}",
            self.port
        )
    }

    /// Settings of `builtin:nginx` in its style `upstream`. The application's location is written by what `cutover setup` says.
    #[must_use]
    pub fn upstream_settings(&self) -> String {
        let own = self.own.display();
        let nginx =
            format!("\"{}\", \"-p\", \"{own}\", \"-c\", \"{own}/nginx.conf\"", nginx_program().display());
        format!(
            "{{ style = \"upstream\", include = \"{own}/upstream/shop.conf\", http-include = \"{own}/http.conf\", \
             status-port = {}, test = [{nginx}, \"-t\"], reload = [{nginx}, \"-s\", \"reload\"], \
             pid-file = \"{own}/nginx.pid\" }}",
            self.status_port
        )
    }

    /// Writes the application's location with the lines that a script of `cutover setup` tells a person to put into it, if there are any.
    pub(crate) fn write_location(&self, script: &str) {
        let Some((_, rest)) = script.split_once("#     location / {\n") else { return };
        let lines = rest.lines().map_while(|line| line.strip_prefix("#         "));
        let location: String = lines.map(|line| format!("{line}\n")).collect();
        fs::write(self.directory.join("shop.location"), location).unwrap();
    }

    /// Moves it by hand, as somebody who edits the file of the style `upstream` and reloads.
    ///
    /// # Panics
    /// When nginx does not take it.
    pub fn move_upstream(&self, machine: &Machine, changes: &[(&str, &str)]) {
        let file = self.upstream();
        let mut text = fs::read_to_string(&file).unwrap();
        for (from, to) in changes {
            assert!(text.contains(from), "`{from}` is not in:\n{text}");
            text = text.replace(from, to);
        }
        fs::write(&file, text).unwrap();
        self.reload(machine);
    }

    /// Lets it read its configuration, as somebody does by hand.
    ///
    /// # Panics
    /// When it does not run.
    pub fn reload(&self, machine: &Machine) {
        let master = fs::read_to_string(self.directory.join("nginx.pid")).unwrap();
        let reloaded =
            machine.command("kill", Path::new("/")).args(["-HUP", master.trim()]).status().unwrap();
        assert!(reloaded.success());
    }

    /// The site of a colour.
    #[must_use]
    pub fn site(&self, color: &str) -> PathBuf {
        self.directory.join(format!("site-{color}"))
    }

    /// The link that chooses between the sites.
    #[must_use]
    pub fn link(&self) -> PathBuf {
        self.directory.join("choice/live")
    }

    /// The file of the style `upstream`.
    #[must_use]
    pub fn upstream(&self) -> PathBuf {
        self.directory.join("upstream/shop.conf")
    }

    /// A file that is included too.
    #[must_use]
    pub fn extra(&self) -> PathBuf {
        self.directory.join("extra.conf")
    }

    /// Directory of the files that choose the colour.
    #[must_use]
    pub fn flags(&self) -> PathBuf {
        self.directory.join("flags")
    }

    /// The port on which it tells its colour.
    #[must_use]
    pub const fn status_port(&self) -> u16 {
        self.status_port.number()
    }

    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// When it ends instead.
    pub fn start(&mut self, machine: &Machine) {
        let mut command = machine.command(nginx_program(), Path::new("/"));
        command.arg("-p").arg(&self.own).arg("-c").arg(self.own.join("nginx.conf")).args(["-e", "stderr"]);
        let mut process = Process::start(command, &self.directory.join("log"));
        eventually("nginx listens", Duration::from_secs(10), || {
            assert!(process.ended().is_none(), "nginx ended: {}{}", process.log(), self.error_log());
            let up = self.directory.join("nginx.pid").exists();
            (up && std::net::TcpStream::connect((self.address(), self.port())).is_ok()).then_some(())
        });
        self.process = Some(process);
    }

    /// Has all of it stand still, or go on: connections are taken meanwhile, and nobody answers.
    ///
    /// # Panics
    /// When it does not run.
    pub fn freeze(&self, still: bool) {
        self.process.as_ref().unwrap().freeze(still);
    }

    /// Ends it.
    pub fn stop(&mut self) {
        self.process = None;
        let _ = fs::remove_file(self.directory.join("nginx.pid"));
    }

    /// What it has complained about.
    #[must_use]
    pub fn error_log(&self) -> String {
        fs::read_to_string(self.directory.join("error.log")).unwrap_or_default()
    }
}

/// Where the program is, on Debian and elsewhere.
#[must_use]
pub(crate) fn nginx_program() -> PathBuf {
    let places =
        ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/bin/nginx", "/opt/homebrew/bin/nginx"];
    let found = places.iter().map(PathBuf::from).find(|place| place.exists());
    found.unwrap_or_else(|| "nginx".into())
}

/// Whether nginx can be run here.
#[must_use]
pub fn nginx_is_installed() -> bool {
    Command::new(nginx_program()).arg("-v").output().is_ok_and(|output| output.status.success())
}
