//! All that the parts of a running proxy share.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use http::HeaderMap;
use tokio::sync::watch;

use super::Log;
use super::route::Upstream;
use super::state_file::{Saved, StateFault, StateFile};
use super::table::Table;
use super::traffic::{AllOpen, Open, OpenCounts, Traffics};
use crate::model::Name;

/// The proxy as requests and its control socket see it.
pub(super) struct Site {
    table: RwLock<Arc<Table>>,
    file: StateFile,
    traffics: Traffics,
    /// What processes before this one still have open.
    former: Mutex<AllOpen>,
    connections: AtomicU64,
    /// Whether no connection is taken any more.
    leaving: watch::Sender<bool>,
    /// Instances that could not be reached, and when that was said last.
    shunned: Mutex<BTreeMap<String, Shunned>>,
    pub(super) response_timeout: Duration,
    log: Log,
}

struct Shunned {
    since: Instant,
    said: Instant,
}

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum Admission {
    /// No application has its host name.
    Unknown,
    /// Its application has no colour just now, or no instance that is in.
    Closed,
    /// To the first of these that can be reached.
    To(Vec<Upstream>, Open),
}

/// How long an instance that could not be reached is asked after all others.
const SHUNNED: Duration = Duration::from_secs(1);

/// How often the same is said of an instance.
const SAID: Duration = Duration::from_secs(10);

/// A connection of a client, or a socket on which more may come, as long as the value.
pub(super) struct Held(Arc<Site>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Site {
    /// Goes on with what lies in the directory.
    pub(super) fn load(directory: &Path, response_timeout: Duration, log: Log) -> Result<Self, StateFault> {
        let file = StateFile::of(directory);
        Ok(Self {
            table: RwLock::new(Arc::new(file.load()?)),
            file,
            traffics: Traffics::default(),
            former: Mutex::default(),
            connections: AtomicU64::new(0),
            leaving: watch::Sender::new(false),
            shunned: Mutex::default(),
            response_timeout,
            log,
        })
    }

    pub(super) fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes it the table of the next request of every connection, once it is on disk. An error means that it is what it was.
    pub(super) fn replace(&self, table: Table) -> io::Result<Saved> {
        let saved = self.file.save(&table)?;
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
        Ok(saved)
    }

    /// Decides on a request and counts it.
    pub(super) fn admit(&self, host: &str, headers: &HeaderMap) -> Result<Admission, StateFault> {
        if self.is_leaving() {
            // Another process changes them by now.
            return Ok(self.admit_by(&self.file.load()?, host, headers));
        }
        // Counted before anybody can be told that another table is in effect.
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        Ok(self.admit_by(&table, host, headers))
    }

    fn admit_by(&self, table: &Table, host: &str, headers: &HeaderMap) -> Admission {
        let Some((name, route)) = table.of_host(host) else { return Admission::Unknown };
        let traffic = self.traffics.of(name);
        let number = traffic.number.fetch_add(1, Ordering::Relaxed);
        let Some(color) = route.chosen(headers).or_else(|| route.color(number)) else {
            return Admission::Closed;
        };
        // Another pace than that of the colours, so that every instance gets some of each share.
        let upstreams: Vec<Upstream> = route.upstreams(color, number / 100 + number).cloned().collect();
        if upstreams.is_empty() {
            return Admission::Closed;
        }
        let open = traffic.open(color, upstreams.iter().map(|upstream| &upstream.host));
        Admission::To(self.reached_first(upstreams), open)
    }

    /// The same, those last that could not be reached just now.
    fn reached_first(&self, upstreams: Vec<Upstream>) -> Vec<Upstream> {
        let shunned = self.shunned.lock().unwrap_or_else(PoisonError::into_inner);
        if shunned.is_empty() {
            return upstreams;
        }
        let is_shunned = |upstream: &Upstream| {
            shunned.get(&upstream.address).is_some_and(|shunned| shunned.since.elapsed() < SHUNNED)
        };
        let (last, mut first): (Vec<_>, Vec<_>) = upstreams.into_iter().partition(is_shunned);
        first.extend(last);
        first
    }

    /// An instance could not be reached, or broke off.
    pub(super) fn failed(&self, address: &str, what: &str) {
        let now = Instant::now();
        let mut all = self.shunned.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, shunned| shunned.said.elapsed() < SAID);
        let found = all.get_mut(address);
        let is_new = found.is_none();
        match found {
            Some(shunned) => shunned.since = now,
            None => drop(all.insert(address.to_owned(), Shunned { since: now, said: now })),
        }
        drop(all);
        if is_new {
            self.say(&format!("{what} `{address}`"));
        }
    }

    pub(super) fn say(&self, text: &str) {
        (self.log)(text);
    }

    /// Requests of an application that are open, also with processes before this one.
    pub(super) fn open(&self, name: &Name) -> OpenCounts {
        self.all_open().remove(name).unwrap_or_default()
    }

    /// The same of all applications.
    pub(super) fn all_open(&self) -> AllOpen {
        let mut all = self.traffics.open();
        for (name, counts) in self.former.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            all.entry(name.clone()).or_default().add(counts);
        }
        all
    }

    pub(super) fn set_former(&self, counts: AllOpen) {
        *self.former.lock().unwrap_or_else(PoisonError::into_inner) = counts;
    }

    /// Counts it.
    pub(super) fn hold(self: &Arc<Self>) -> Held {
        self.connections.fetch_add(1, Ordering::SeqCst);
        Held(Arc::clone(self))
    }

    /// Whether nobody waits for anything any more.
    pub(super) fn is_empty(&self) -> bool {
        let open: u64 = self.all_open().values().map(|counts| counts.total()).sum();
        open == 0 && self.connections.load(Ordering::SeqCst) == 0
    }

    /// Takes no connection from now on, and asks those that are there to end.
    pub(super) fn leave(&self) {
        self.leaving.send_replace(true);
    }

    pub(super) fn is_leaving(&self) -> bool {
        *self.leaving.borrow()
    }

    /// Tells when it begins to leave.
    pub(super) fn leaving(&self) -> watch::Receiver<bool> {
        self.leaving.subscribe()
    }
}
