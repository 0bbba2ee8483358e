//! The scripted world.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::hosts::{Command, HostError, Output};
use crate::http::{HttpError, Request, Response};

type Program = Rc<dyn Fn(&Command) -> Result<Output, HostError>>;
type Http = Rc<dyn Fn(&Request) -> Result<Response, HttpError>>;
type Socket = Rc<dyn Fn(&str) -> Result<String, HostError>>;

thread_local! {
    static INSTALLED: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Hosts with files, links, programs, sockets and one answer for HTTP. Clones are the same world, so that scripted answers may look
/// into it.
#[derive(Clone)]
pub struct World(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    hosts: BTreeMap<String, Machine>,
    http: Option<Http>,
    secrets: BTreeMap<String, String>,
    calls: Vec<String>,
    elapsed_ms: u32,
    reading: bool,
}

#[derive(Default)]
struct Machine {
    directories: BTreeSet<String>,
    nodes: BTreeMap<String, Node>,
    programs: BTreeMap<String, Program>,
    sockets: BTreeMap<String, Socket>,
}

enum Node {
    File(Vec<u8>),
    Link(String),
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("calls", &self.calls()).finish_non_exhaustive()
    }
}

impl World {
    /// A world with these hosts, answering the imports of this thread from now on.
    pub fn install<'a>(hosts: impl IntoIterator<Item = &'a str>) -> Self {
        let hosts = hosts.into_iter().map(|name| (name.to_owned(), Machine::default())).collect();
        let world = Self(Rc::new(RefCell::new(State { hosts, ..State::default() })));
        INSTALLED.with_borrow_mut(|installed| *installed = Some(world.clone()));
        world
    }

    /// The world of this thread.
    ///
    /// # Panics
    /// When there is none.
    pub(super) fn installed() -> Self {
        INSTALLED.with_borrow(|world| {
            world.clone().expect("a test that reaches an import begins with `fake::World::install`")
        })
    }

    /// Makes a directory.
    ///
    /// # Panics
    /// When there is no such host; likewise in all that follow.
    pub fn directory(&self, host: &str, path: &str) {
        self.script(host, |machine| machine.add_directory(path));
    }

    /// Makes a file, with its directory.
    pub fn file(&self, host: &str, path: &str, text: &str) {
        self.node(host, path, Node::File(text.as_bytes().to_vec()));
    }

    /// Makes a link, with its directory.
    pub fn link(&self, host: &str, path: &str, to: &str) {
        self.node(host, path, Node::Link(to.to_owned()));
    }

    /// Answers a program by its path.
    pub fn program(
        &self,
        host: &str,
        path: &str,
        answer: impl Fn(&Command) -> Result<Output, HostError> + 'static,
    ) {
        self.script(host, |machine| machine.programs.insert(path.to_owned(), Rc::new(answer)));
    }

    /// Answers a socket by the name that `exchange` takes.
    pub fn socket(
        &self,
        host: &str,
        socket: &str,
        answer: impl Fn(&str) -> Result<String, HostError> + 'static,
    ) {
        self.script(host, |machine| machine.sockets.insert(socket.to_owned(), Rc::new(answer)));
    }

    /// Answers all HTTP requests. Without it, every connection is refused.
    pub fn http(&self, answer: impl Fn(&Request) -> Result<Response, HttpError> + 'static) {
        self.0.borrow_mut().http = Some(Rc::new(answer));
    }

    /// A secret, for `secrets` and `secret-text` alike.
    pub fn secret(&self, name: &str, value: &str) {
        self.0.borrow_mut().secrets.insert(name.to_owned(), value.to_owned());
    }

    /// Text of a file; none when there is no such file.
    #[must_use]
    pub fn text(&self, host: &str, path: &str) -> Option<String> {
        match self.0.borrow().hosts.get(host)?.nodes.get(path)? {
            Node::File(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Node::Link(_) => None,
        }
    }

    /// Target of a link; none when there is no such link.
    #[must_use]
    pub fn target(&self, host: &str, path: &str) -> Option<String> {
        match self.0.borrow().hosts.get(host)?.nodes.get(path)? {
            Node::Link(target) => Some(target.clone()),
            Node::File(_) => None,
        }
    }

    /// Everything that was asked so far, one line a call; forgotten when read.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.0.borrow_mut().calls)
    }

    /// Runs `ask` as the engine does `observe`: what would change something is denied.
    pub fn reading<T>(&self, ask: impl FnOnce() -> T) -> T {
        self.0.borrow_mut().reading = true;
        let answer = ask();
        self.0.borrow_mut().reading = false;
        answer
    }

    fn node(&self, host: &str, path: &str, node: Node) {
        self.script(host, |machine| {
            machine.add_directory(parent(path));
            machine.nodes.insert(path.to_owned(), node);
        });
    }

    fn script<T>(&self, host: &str, change: impl FnOnce(&mut Machine) -> T) {
        change(self.0.borrow_mut().hosts.get_mut(host).expect("a host named in `install`"));
    }

    pub(super) fn note(&self, call: String) {
        self.0.borrow_mut().calls.push(call);
    }

    pub(super) fn elapsed_ms(&self) -> u32 {
        self.0.borrow().elapsed_ms
    }

    pub(super) fn pass(&self, ms: u32) {
        self.0.borrow_mut().elapsed_ms += ms;
    }

    pub(super) fn reveal(&self, name: &str) -> Option<String> {
        self.0.borrow().secrets.get(name).cloned()
    }

    pub(super) fn exec(&self, host: &str, command: &Command) -> Result<Output, HostError> {
        self.note(format!("exec {host} {}", command.display()));
        let program = self.with(host, |machine| machine.programs.get(&command.program).cloned())?;
        match program {
            // Called without a borrow: it may look into the world.
            Some(program) => program(command),
            None => Err(HostError::NotFound(format!("no program `{}`", command.program))),
        }
    }

    pub(super) fn send(&self, request: &Request) -> Result<Response, HttpError> {
        self.note(format!("http {} {}", request.method, request.url));
        if self.0.borrow().reading && !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Err(HttpError::Denied(format!("`{}` in a call that only reads", request.method)));
        }
        let answer = self.0.borrow().http.clone();
        match answer {
            Some(answer) => answer(request),
            None => Err(HttpError::Connect(format!("{}: connection refused", dialled(request)))),
        }
    }

    pub(super) fn exchange(&self, host: &str, socket: &str, content: &str) -> Result<String, HostError> {
        self.note(format!("exchange {host} {socket} {content}"));
        match self.with(host, |machine| machine.sockets.get(socket).cloned())? {
            Some(answer) => answer(content),
            None => Err(HostError::NotFound(format!("nothing listens on `{socket}`"))),
        }
    }

    pub(super) fn read(&self, host: &str, path: &str) -> Result<Vec<u8>, HostError> {
        self.note(format!("read {host} {path}"));
        self.with(host, |machine| match machine.nodes.get(path) {
            Some(Node::File(bytes)) => Ok(bytes.clone()),
            Some(Node::Link(_)) => Err(HostError::Failed(format!("`{path}` is no regular file"))),
            None => Err(HostError::NotFound(format!("no file `{path}`"))),
        })?
    }

    pub(super) fn read_link(&self, host: &str, path: &str) -> Result<String, HostError> {
        self.note(format!("read-link {host} {path}"));
        self.with(host, |machine| match machine.nodes.get(path) {
            Some(Node::Link(to)) => Ok(to.clone()),
            Some(Node::File(_)) => Err(HostError::Failed(format!("`{path}` is no link"))),
            None => Err(HostError::NotFound(format!("no link `{path}`"))),
        })?
    }

    pub(super) fn list(&self, host: &str, path: &str) -> Result<Vec<String>, HostError> {
        self.note(format!("list {host} {path}"));
        self.with(host, |machine| {
            if !machine.directories.contains(path) {
                return Err(HostError::NotFound(format!("no directory `{path}`")));
            }
            let entries = machine.nodes.keys().chain(&machine.directories);
            Ok(entries
                .filter(|entry| parent(entry) == path)
                .map(|entry| entry[path.len()..].trim_start_matches('/').to_owned())
                .collect())
        })?
    }

    pub(super) fn write(&self, host: &str, path: &str, content: &[u8]) -> Result<(), HostError> {
        self.note(format!("write {host} {path}"));
        self.change(host, path, |machine| match machine.nodes.get(path) {
            Some(Node::Link(_)) => Err(HostError::Failed(format!("`{path}` is no regular file"))),
            _ => {
                machine.nodes.insert(path.to_owned(), Node::File(content.to_vec()));
                Ok(())
            }
        })
    }

    pub(super) fn write_link(&self, host: &str, path: &str, target: &str) -> Result<(), HostError> {
        self.note(format!("link {host} {path} {target}"));
        self.change(host, path, |machine| match machine.nodes.get(path) {
            Some(Node::File(_)) => Err(HostError::Failed(format!("`{path}` is no link"))),
            _ => {
                machine.nodes.insert(path.to_owned(), Node::Link(target.to_owned()));
                Ok(())
            }
        })
    }

    pub(super) fn remove(&self, host: &str, path: &str) -> Result<(), HostError> {
        self.note(format!("remove {host} {path}"));
        self.change(host, path, |machine| {
            machine.nodes.remove(path);
            Ok(())
        })
    }

    fn change(
        &self,
        host: &str,
        path: &str,
        change: impl FnOnce(&mut Machine) -> Result<(), HostError>,
    ) -> Result<(), HostError> {
        if self.0.borrow().reading {
            return Err(HostError::Denied(format!("a change of `{path}` in a call that only reads")));
        }
        self.with(host, |machine| {
            if !path.starts_with('/') {
                return Err(HostError::Denied(format!("`{path}` is not absolute")));
            }
            if !machine.directories.contains(parent(path)) {
                return Err(HostError::NotFound(format!("no directory `{}`", parent(path))));
            }
            change(machine)
        })?
    }

    fn with<T>(&self, host: &str, ask: impl FnOnce(&mut Machine) -> T) -> Result<T, HostError> {
        match self.0.borrow_mut().hosts.get_mut(host) {
            Some(machine) => Ok(ask(machine)),
            None => Err(HostError::Unreachable(format!("no host `{host}`"))),
        }
    }
}

impl Machine {
    fn add_directory(&mut self, path: &str) {
        let mut path = path;
        while self.directories.insert(path.to_owned()) && path != "/" {
            path = parent(path);
        }
    }
}

/// Where a request's connection goes.
fn dialled(request: &Request) -> &str {
    let url = request.url.split_once("://").map_or(request.url.as_str(), |(_, rest)| rest);
    request.connect_to.as_deref().unwrap_or_else(|| url.split('/').next().unwrap_or(url))
}

fn parent(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(at) => &path[..at],
    }
}
