//! `[app]`.

use std::collections::BTreeMap;

use super::driver;
use super::format;
use super::node::{Entry, Node, quoted};
use super::reader::Reader;
use super::resolve::{Resolver, name_list};
use super::shape::{Key, Keys, Shape};
use crate::model::{
    Application, Color, ColorSettings, Driver, EnvValue, HostName, Reach, ReleaseMarker, SystemdScope,
};

const COMMAND: Shape = Shape::NonEmpty(&Shape::Text(&format::COMMAND_WORD));
const HOST_LIST: Shape = Shape::NonEmpty(&Shape::Text(&format::NAME));
const ENVIRONMENT: Shape = Shape::Map(
    &format::APP_VARIABLE,
    &Shape::Either(&[Shape::Text(&format::COMMAND_WORD), Shape::Table(&SECRET_VALUE)]),
);
pub(super) const COLOR_HINT: &str = "a TCP port for each colour: { port = 4001 }";

/// The table.
pub(super) static KEYS: Keys = Keys {
    doc: "What runs, where, and how it is started.",
    keys: &[
        Key::optional(
            "hosts",
            HOST_LIST,
            "Hosts that run it. Default: the only host, where the file declares one (or none: then this machine).",
        ),
        Key::optional(
            "directory",
            Shape::Text(&format::DIRECTORY),
            "Directory on each host. Default: /srv/NAME, with environments /srv/NAME/ENVIRONMENT; on this machine alone ~/.local/share/cutover/apps/… .",
        ),
        Key::optional(
            "linked-dirs",
            Shape::List(&Shape::Text(&format::RELATIVE)),
            "Directories of `shared/` that are linked into every release.",
        ),
        Key::optional(
            "linked-files",
            Shape::List(&Shape::Text(&format::RELATIVE)),
            "Files of `shared/` that are linked into every release.",
        ),
        Key::integer(
            "keep-releases",
            Shape::Integer(2, 1000),
            5,
            "Releases kept on each host, those in use included. Of those that never went live only the newest is kept, beside them.",
        ),
        Key::optional(
            "driver",
            Shape::Either(&[Shape::Choice(&["systemd", "detached"]), Shape::OneOf(&driver::KEYS)]),
            "What starts and stops processes. Default: systemd; detached where every host is this machine.",
        ),
        Key::required(
            "start",
            COMMAND,
            "Command of one instance. Placeholders: {port} {listen} {color} {release} {directory}.",
            "start = [\"bin/shop\", \"--port\", \"{port}\"]",
        ),
        Key::optional("migrate", COMMAND, "Run once, on one host, from the new release, in its environment."),
        Key::optional(
            "user",
            Shape::Text(&format::USER),
            "User of the processes. Default: the one that cutover logs in as.",
        ),
        Key::text("stop-timeout", Shape::Text(&format::DURATION), "30s", "From SIGTERM to SIGKILL."),
        Key::text(
            "listen",
            Shape::Text(&format::LISTEN),
            "127.0.0.1",
            "Address to listen on; {address} is the host's own.",
        ),
        Key::optional("env", ENVIRONMENT, "Environment of every process. Placeholders as in `start`."),
        Key::optional(
            "env-file",
            Shape::OneOrMore(&Shape::Text(&format::RELATIVE)),
            "Files on the host, below `directory`, read before `env`.",
        ),
        Key::optional(
            "blue",
            Shape::Table(&COLOR),
            "What differs for blue. Needed, unless the strategy is rolling.",
        ),
        Key::optional(
            "green",
            Shape::Table(&COLOR),
            "What differs for green. Needed, unless the strategy is rolling.",
        ),
        Key::optional(
            "port",
            Shape::Integer(1, 65_535),
            "TCP port of each instance, where the strategy is rolling: there are no colours then.",
        ),
        Key::optional("release-marker", Shape::OneOf(&RELEASE_MARKER), RELEASE_MARKER.doc),
    ],
    advice: &[
        ("command", "`start` is the command of one instance"),
        (
            "container",
            "containers are not among the drivers; `driver` can be systemd, detached or a command of your own",
        ),
    ],
};

static COLOR: Keys = Keys::new(
    "What differs for one colour.",
    &[
        Key::required("port", Shape::Integer(1, 65_535), "TCP port of each instance.", "port = 4001"),
        Key::optional("hosts", HOST_LIST, "Hosts of this colour alone. Default: those of the application."),
        Key::optional("env", ENVIRONMENT, "Added to the application's environment."),
    ],
);

static SECRET_VALUE: Keys = Keys::new(
    "The value of a secret.",
    &[Key::required("secret", Shape::Text(&format::NAME), "Its name in [secrets].", "{ secret = \"db\" }")],
);

static RELEASE_MARKER: Keys = Keys::new(
    "How an answer of the application says what its variable CUTOVER_RELEASE holds: makes health checks and the switch provable.",
    &[
        Key::optional("header", Shape::Text(&format::HEADER), "Name of a header."),
        Key::optional("json", Shape::Text(&format::POINTER), "JSON pointer into the body."),
    ],
);

impl Resolver<'_> {
    /// Reads the table.
    pub(super) fn application(&mut self, root: &Reader<'_>) -> Application {
        let table = root.table("app", &KEYS);
        let rolls = Self::is_rolling(root);
        self.fit_places(&table, rolls);
        let (blue, green) = if rolls {
            (
                ColorSettings { port: table.integer("port"), ..ColorSettings::default() },
                ColorSettings::default(),
            )
        } else {
            (self.color(&table, "blue"), self.color(&table, "green"))
        };
        let hosts = self.app_hosts(&table, &blue, &green);
        self.app_hosts = hosts.iter().chain(&blue.hosts).chain(&green.hosts).cloned().collect();
        let driver = self.driver(&table);
        if table.has("user") && !matches!(driver, Driver::Systemd { scope: SystemdScope::System, .. }) {
            let message = "`app.user` needs the system's systemd as driver".to_owned();
            self.fault(&table.key_span("user"), "config/conflict", message, |fault| {
                fault.hint("write driver = \"systemd\", or leave `user` out: processes run as the user that cutover logs in as")
            });
        }
        let marker = table.table("release-marker", &RELEASE_MARKER);
        let marker = match (marker.text("header"), marker.text("json")) {
            (Some(header), _) => Some(ReleaseMarker::Header(header.to_ascii_lowercase())),
            (None, Some(pointer)) => Some(ReleaseMarker::Json(pointer.to_owned())),
            (None, None) => None,
        };
        let application = Application {
            directory: self.app_directory(&table),
            linked_dirs: self.links(&table, "linked-dirs", &[]),
            linked_files: self.links(&table, "linked-files", &table.strings("linked-dirs")),
            keep_releases: table.integer("keep-releases"),
            driver,
            start: self.command(&table, "start"),
            migrate: table.has("migrate").then(|| self.command(&table, "migrate")),
            user: table.text("user").map(str::to_owned),
            stop_timeout: table.duration("stop-timeout"),
            listen: table.string("listen"),
            env: self.environment_values(table.map("env")),
            env_files: table.strings("env-file"),
            hosts,
            blue,
            green,
            release_marker: marker,
        };
        self.directory.clone_from(&application.directory);
        if !rolls {
            self.duplicate_port(&table, &application);
        }
        application
    }

    fn color(&mut self, app: &Reader<'_>, name: &str) -> ColorSettings {
        let table = app.table(name, &COLOR);
        ColorSettings {
            port: table.integer("port"),
            hosts: self.host_list(&table.several("hosts")),
            env: self.environment_values(table.map("env")),
        }
    }

    fn app_hosts(
        &mut self,
        table: &Reader<'_>,
        blue: &ColorSettings,
        green: &ColorSettings,
    ) -> Vec<HostName> {
        if table.has("hosts") {
            return self.host_list(&table.several("hosts"));
        }
        if !blue.hosts.is_empty() && !green.hosts.is_empty() {
            let mut hosts = blue.hosts.clone();
            hosts.extend(green.hosts.iter().filter(|host| !blue.hosts.contains(host)).cloned());
            self.computed("app.hosts", name_list(&hosts));
            return hosts;
        }
        let declared: Vec<HostName> = self.hosts.keys().cloned().collect();
        if let [only] = &declared[..] {
            self.used_hosts.insert(only.clone());
            self.computed("app.hosts", name_list(&declared));
        } else if !declared.is_empty() {
            self.fault(&table.at, "config/missing-key", "`app.hosts` is missing".into(), |fault| {
                fault.choices("valid", &declared).hint("say which hosts run the application")
            });
            return Vec::new();
        }
        declared
    }

    fn app_directory(&mut self, table: &Reader<'_>) -> String {
        if let Some(directory) = table.text("directory") {
            return directory.trim_end_matches('/').to_owned();
        }
        let parent = if self.all_local() { "~/.local/share/cutover/apps" } else { "/srv" };
        let directory = match &self.environment {
            Some(environment) => format!("{parent}/{}/{environment}", self.app),
            None => format!("{parent}/{}", self.app),
        };
        if !table.has("directory") {
            self.computed("app.directory", quoted(&directory));
        }
        directory
    }

    /// Whether this machine is the only one that runs the application.
    pub(super) fn all_local(&self) -> bool {
        let mut hosts = self.app_hosts.iter().filter_map(|name| self.hosts.get(name));
        hosts.all(|host| host.reach == Reach::Local)
    }

    fn links(&mut self, table: &Reader<'_>, key: &str, others: &[String]) -> Vec<String> {
        let mut links: Vec<String> = Vec::new();
        for node in table.several(key) {
            let Some(text) = node.text() else { continue };
            let link = text.trim_end_matches('/').to_owned();
            let within =
                |a: &str, b: &str| a == b || a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
            let clash = links.iter().chain(others).find(|other| within(&link, other) || within(other, &link));
            if let Some(other) = clash {
                let message = format!("`{link}` and `{other}` can't both be linked: one holds the other");
                self.fault(&node.span, "config/conflict", message, |fault| fault);
            }
            links.push(link);
        }
        links
    }

    fn environment_values(&mut self, entries: &[Entry]) -> BTreeMap<String, EnvValue> {
        let value = |entry: &Entry| {
            let node: &Node = &entry.node;
            let value = match (node.text(), node.get("secret")) {
                (Some(text), _) => EnvValue::Text(text.to_owned()),
                (None, Some(secret)) => EnvValue::Secret(self.secret(secret.text()?, &secret.span)?),
                (None, None) => return None,
            };
            Some((entry.key.clone(), value))
        };
        entries.iter().filter_map(value).collect()
    }

    fn duplicate_port(&mut self, table: &Reader<'_>, application: &Application) {
        let hosts = |color: Color| {
            let own = &application.color(color).hosts;
            if own.is_empty() { &application.hosts } else { own }
        };
        let port = application.green.port;
        let shared = hosts(Color::Green).iter().find(|host| hosts(Color::Blue).contains(host));
        if let Some(host) = shared.filter(|_| port == application.blue.port && port != 0) {
            let message = format!("blue and green both want port {port} on `{host}`");
            let span = table.table("green", &COLOR).span("port");
            self.fault(&span, "config/duplicate-port", message, |fault| {
                fault.hint("both colours run side by side: give each a port of its own")
            });
        }
    }
}
