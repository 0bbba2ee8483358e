//! Second pass: a tree that has its final form becomes a [`Deployment`]; what one value alone can't tell is checked here.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use super::Surroundings;
use super::fault::Fault;
use super::node::{Node, quoted};
use super::reader::Reader;
use super::root;
use super::source::{Source, Span};
use crate::model::{BUCKET_NAME, BucketUrl, Deployment, Host, HostName, Name};

/// What is known and found while the tables are read.
pub(super) struct Resolver<'a> {
    pub(super) source: Source,
    pub(super) surroundings: &'a dyn Surroundings,
    pub(super) root: Utf8PathBuf,
    pub(super) app: Name,
    pub(super) environment: Option<Name>,
    pub(super) faults: Vec<Fault>,
    pub(super) warnings: Vec<Fault>,
    /// Every machine; this one is added when something needs it.
    pub(super) hosts: BTreeMap<HostName, Host>,
    /// Where each host is declared.
    pub(super) spans: BTreeMap<HostName, Span>,
    pub(super) used_hosts: BTreeSet<HostName>,
    /// Hosts that run the application, in any color.
    pub(super) app_hosts: BTreeSet<HostName>,
    /// The application's directory.
    pub(super) directory: String,
    /// Routers that are hosts.
    pub(super) router_hosts: BTreeSet<HostName>,
    /// Where each secret is declared.
    pub(super) secrets: BTreeMap<Name, Span>,
    pub(super) used_secrets: BTreeSet<Name>,
    /// Table of each hook, by its title.
    pub(super) hook_tables: BTreeMap<String, Span>,
    /// Defaults that depend on the rest of the file: path of the key, value as TOML.
    pub(super) computed: Vec<(String, String)>,
}

impl<'a> Resolver<'a> {
    /// Nothing is known yet but these.
    pub(super) const fn new(
        source: Source,
        surroundings: &'a dyn Surroundings,
        root: Utf8PathBuf,
        app: Name,
        environment: Option<Name>,
        faults: Vec<Fault>,
    ) -> Self {
        Self {
            source,
            surroundings,
            root,
            app,
            environment,
            faults,
            warnings: Vec::new(),
            hosts: BTreeMap::new(),
            spans: BTreeMap::new(),
            used_hosts: BTreeSet::new(),
            app_hosts: BTreeSet::new(),
            directory: String::new(),
            router_hosts: BTreeSet::new(),
            secrets: BTreeMap::new(),
            used_secrets: BTreeSet::new(),
            hook_tables: BTreeMap::new(),
            computed: Vec::new(),
        }
    }
}

impl Resolver<'_> {
    /// Reads everything. The result is whole only when no faults were found.
    pub(super) fn deployment(&mut self, tree: &Node, confirm: bool) -> Deployment {
        let table = Reader::new(Some(tree), &root::KEYS, 0..0);
        let state = table.text("state").and_then(|url| BucketUrl::parse(url).ok());
        self.hosts(&table);
        if state.is_some() && self.hosts.keys().any(|name| name.as_str() == BUCKET_NAME) {
            let message =
                format!("no host can be called `{BUCKET_NAME}` beside `state`: messages call that so");
            self.fault(&table.span("hosts"), "config/value", message, |fault| fault);
        }
        let secrets = self.secrets(&table);
        let application = self.application(&table);
        let router = self.router(&table, &application.hosts);
        let build = self.build(&table);
        let health_check = self.health_check(&table);
        let smoke_tests = self.smoke_tests(&table);
        let pipeline = self.pipeline(&table);
        self.fit(&table, &application, &health_check, &pipeline);
        self.unreachable(&table, &application.listen);
        self.unused();
        Deployment {
            app: self.app.clone(),
            environment: self.environment.clone(),
            confirm,
            root: self.root.clone(),
            state,
            hosts: std::mem::take(&mut self.hosts),
            build,
            application,
            health_check,
            smoke_tests,
            router,
            pipeline,
            secrets,
        }
    }

    /// Adds an error.
    pub(super) fn fault(
        &mut self,
        span: &Span,
        code: &'static str,
        message: String,
        more: impl FnOnce(Fault) -> Fault,
    ) {
        self.faults.push(more(self.source.fault(span, code, message)));
    }

    /// Adds a warning.
    pub(super) fn warn(&mut self, span: &Span, code: &'static str, message: impl Into<String>) {
        self.warnings.push(self.source.warning(span, code, message));
    }

    /// Notes a default that depends on the rest of the file.
    pub(super) fn computed(&mut self, path: &str, value: String) {
        self.computed.push((path.to_owned(), value));
    }

    /// A command: its first word is a program.
    pub(super) fn command(&mut self, table: &Reader<'_>, key: &str) -> Vec<String> {
        let words = table.strings(key);
        if words.first().is_some_and(String::is_empty) {
            self.fault(
                &table.span(key),
                "config/value",
                format!("the program of `{key}` is empty"),
                |fault| fault,
            );
        }
        let listed = table.text(key).is_none();
        if let Some(program) = words.first().filter(|program| listed && program.contains(char::is_whitespace))
        {
            let split: Vec<String> = program.split_whitespace().map(quoted).collect();
            self.fault(
                &table.span(key),
                "config/value",
                format!("`{program}` is one word: no shell takes it apart"),
                |fault| fault.hint(format!("program and arguments one by one: [{}]", split.join(", "))),
            );
        }
        words
    }

    /// A router on another machine can't reach what listens on loopback.
    fn unreachable(&mut self, root: &Reader<'_>, listen: &str) {
        let elsewhere =
            self.router_hosts.iter().find(|router| self.app_hosts.iter().any(|app| app != *router));
        let loopback = listen.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if let (Some(router), true) = (elsewhere, loopback) {
            let message =
                format!("router `{router}` can't reach instances on other hosts that listen on {listen}");
            let span = root.table("app", &super::app::KEYS).span("listen");
            let hint = "listen = \"{address}\" listens on each host's own address";
            self.warnings.push(self.source.warning(&span, "config/unreachable", message).hint(hint));
        }
    }

    /// Whether a declaration may stay unused: one of the base may be meant for another environment.
    pub(super) fn is_spare(&self, node: &Node) -> bool {
        self.environment.is_some() && node.environment.is_none()
    }

    fn unused(&mut self) {
        for (name, span) in std::mem::take(&mut self.spans) {
            if !self.used_hosts.contains(&name) {
                self.warn(&span, "config/unused-host", format!("host `{name}` is not used"));
            }
        }
        for (name, span) in std::mem::take(&mut self.secrets) {
            if !self.used_secrets.contains(&name) {
                self.warn(&span, "config/unused-secret", format!("secret `{name}` is not used"));
            }
        }
    }
}

/// An array of names, as TOML.
pub(super) fn name_list(names: &[HostName]) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(name.as_str())).collect();
    format!("[{}]", names.join(", "))
}
