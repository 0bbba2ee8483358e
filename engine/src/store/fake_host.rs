//! A host in memory, stricter than a real one, whose connections break and whose operations fail when told to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use cutover_host::epoch::{self, Refusal};
use cutover_host::operation::{
    Answer, Call, Facts, Fault, FaultKind, Guard, Lock, LockHolder, Operation, Room,
};

use crate::model::HostName;
use crate::transport::{Failure, Flow, Link, LinkFuture};

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// The host refuses; nothing happens.
    Refused(FaultKind),
    /// The connection can't be made; nothing happens.
    Unreachable,
    /// The connection breaks before the host has heard.
    BreaksBefore,
    /// The connection breaks before we have heard; it happened.
    BreaksAfter,
    /// The connection breaks, and it happens when the host gets so many more calls.
    BreaksLate(usize),
    /// The connection breaks and the host goes down in the middle of an append (else as `BreaksAfter`).
    Torn,
    /// We die before the call.
    DiesBefore,
    /// We die after it.
    DiesAfter,
    /// We die and the host goes down in the middle of an append (else as `DiesAfter`).
    DiesTorn,
}

/// Everything that can go wrong with a call.
pub(crate) const MISHAPS: [Mishap; 11] = [
    Mishap::Refused(FaultKind::NoSpace),
    Mishap::Refused(FaultKind::TimedOut),
    Mishap::Unreachable,
    Mishap::BreaksBefore,
    Mishap::BreaksAfter,
    Mishap::BreaksLate(1),
    Mishap::BreaksLate(2),
    Mishap::Torn,
    Mishap::DiesBefore,
    Mishap::DiesAfter,
    Mishap::DiesTorn,
];

/// The host's disk, and what is still under way there.
#[derive(Debug, Default, Clone)]
pub(crate) struct Disk {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    directories: BTreeSet<String>,
    /// By state directory.
    pub(crate) fences: BTreeMap<String, u64>,
    /// By state directory.
    pub(crate) locks: BTreeMap<String, Lock>,
    late: Vec<(usize, Call)>,
}

/// A host with one disk; [`FakeHost::link`] gives each of its clients a connection.
#[derive(Debug, Clone)]
pub(crate) struct FakeHost {
    name: HostName,
    /// Whether `/var/lib/cutover` can be written.
    system: bool,
    disk: Arc<Mutex<Disk>>,
}

/// One client's connection.
#[derive(Debug)]
pub(crate) struct FakeLink {
    host: FakeHost,
    /// Which call goes wrong, from 0, and how.
    mishap: Option<(usize, Mishap)>,
    calls: Mutex<usize>,
}

impl FakeHost {
    pub(crate) fn new(name: &str, system: bool) -> Self {
        let name = HostName::new(name).expect("a name");
        Self { name, system, disk: Arc::default() }
    }

    /// The same host with a copy of this disk.
    pub(crate) fn fork(&self) -> Self {
        let disk = self.disk().clone();
        Self { disk: Arc::new(Mutex::new(disk)), ..self.clone() }
    }

    pub(crate) fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().expect("no test panicked")
    }

    pub(crate) fn link(&self, mishap: Option<(usize, Mishap)>) -> Arc<FakeLink> {
        Arc::new(FakeLink { host: self.clone(), mishap, calls: Mutex::new(0) })
    }
}

impl FakeLink {
    /// Calls made so far.
    pub(crate) fn calls(&self) -> usize {
        *self.calls.lock().expect("no test panicked")
    }

    fn answer(&self, mut call: Call) -> Result<Answer, Failure> {
        let number = {
            let mut calls = self.calls.lock().expect("no test panicked");
            *calls += 1;
            *calls - 1
        };
        let mut disk = self.host.disk();
        let broken = || Failure::Broken("the connection broke".to_owned());
        let gone = || Failure::Unreachable("no route to host".to_owned());
        let dead = matches!(
            self.mishap,
            Some((at, Mishap::DiesBefore | Mishap::DiesAfter | Mishap::DiesTorn)) if at < number
        );
        if dead {
            return Err(gone());
        }
        disk.catch_up();
        let mishap = self.mishap.filter(|(at, _)| *at == number).map(|(_, mishap)| mishap);
        match mishap {
            None => disk.perform(&call, &self.host).map_err(Failure::Fault),
            Some(Mishap::Refused(kind)) => Err(Failure::Fault(Fault::new(kind, "refused"))),
            Some(Mishap::Unreachable | Mishap::DiesBefore) => Err(gone()),
            Some(Mishap::BreaksBefore) => Err(broken()),
            Some(Mishap::BreaksLate(calls)) => {
                disk.late.push((calls, call));
                Err(broken())
            }
            Some(mishap @ (Mishap::BreaksAfter | Mishap::DiesAfter | Mishap::Torn | Mishap::DiesTorn)) => {
                if let (Mishap::Torn | Mishap::DiesTorn, Operation::Append { content, .. }) =
                    (mishap, &mut call.operation)
                {
                    let half = content.0.len() / 2;
                    content.0.truncate(half);
                }
                let _answer_lost = disk.perform(&call, &self.host);
                Err(broken())
            }
        }
    }
}

impl Link for FakeLink {
    fn name(&self) -> &HostName {
        &self.host.name
    }

    fn perform(&self, call: Call) -> LinkFuture<'_, Answer> {
        Box::pin(async move { self.answer(call) })
    }

    fn open(&self, call: Call) -> LinkFuture<'_, Flow> {
        panic!("the store has no use for streams: {call:?}")
    }
}

impl Disk {
    /// Lets happen what is late.
    fn catch_up(&mut self) {
        for (left, _) in &mut self.late {
            *left -= 1;
        }
        let (due, late) = std::mem::take(&mut self.late).into_iter().partition(|(left, _)| *left == 0);
        self.late = late;
        let due: Vec<(usize, Call)> = due;
        for (_, call) in due {
            let nobody = FakeHost::new("late", false);
            let _answer_lost = self.perform(&call, &nobody);
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what the store does not use is a failed test")]
    fn perform(&mut self, call: &Call, host: &FakeHost) -> Result<Answer, Fault> {
        assert!(call.deadline_ms.is_some(), "every call has a deadline: {call:?}");
        if let Some(guard) = &call.guard {
            self.check(guard)?;
        }
        match &call.operation {
            Operation::Facts { paths } => Ok(Answer::Facts(facts(paths, host))),
            Operation::Read { path, .. } if path.ends_with("/fence") => {
                let fence = self.fences.get(path.trim_end_matches("/fence"));
                let epoch = fence.ok_or_else(|| Fault::new(FaultKind::NotFound, format!("no `{path}`")))?;
                Ok(Answer::Content(format!("{{\"version\":1,\"epoch\":{epoch}}}").into_bytes().into()))
            }
            Operation::Read { path, limit, .. } => match self.files.get(&absolute(path)) {
                None => Err(Fault::new(FaultKind::NotFound, format!("no `{path}`"))),
                Some(content) if content.len() as u64 > *limit => {
                    Err(Fault::new(FaultKind::TooLarge, "too large"))
                }
                Some(content) => Ok(Answer::Content(content.clone().into())),
            },
            Operation::Write { path, content, mode, .. } => {
                self.check_change(call, path);
                assert_eq!(*mode, Some(0o600), "{path}");
                self.files.insert(path.clone(), content.0.clone());
                Ok(Answer::Done)
            }
            Operation::Append { path, at, content } => {
                self.check_change(call, path);
                let file = self.files.entry(path.clone()).or_default();
                if file.len() as u64 != *at {
                    return Err(Fault::new(FaultKind::Conflict, "another length"));
                }
                file.extend_from_slice(&content.0);
                Ok(Answer::Done)
            }
            Operation::Remove { path, .. } => {
                self.check_change(call, path);
                self.files.remove(path);
                Ok(Answer::Done)
            }
            Operation::ListNames { path, .. } => {
                if !self.directories.contains(path) {
                    return Err(Fault::new(FaultKind::NotFound, format!("no `{path}`")));
                }
                let below = |file: &String| Some(file.strip_prefix(path)?.strip_prefix('/')?.to_owned());
                Ok(Answer::Names(self.files.keys().filter_map(below).collect()))
            }
            Operation::MakeDirectory { path, mode } => {
                self.check_change(call, path);
                assert_eq!(*mode, 0o700, "{path}");
                self.directories.insert(path.clone());
                Ok(Answer::Done)
            }
            Operation::TakeLock { state, holder, steal } => self.take(state, holder, *steal),
            Operation::FreeLock { state, epoch } => {
                let freed = epoch::free(&self.lock(state), self.fence(state), *epoch)
                    .map_err(|refusal| fault(&refusal))?;
                Ok(self.put(state, freed))
            }
            Operation::RenewLock { state, epoch, step } => {
                let renewed = epoch::renew(&self.lock(state), self.fence(state), *epoch, step, 0);
                Ok(self.put(state, renewed.map_err(|refusal| fault(&refusal))?))
            }
            Operation::ReadLock { state } => {
                Ok(Answer::Lock(self.locks.get(state).cloned().unwrap_or_default()))
            }
            Operation::Fence { state, epoch } => {
                let raised = epoch::raise(self.fence(state), *epoch).map_err(|refusal| fault(&refusal))?;
                self.fences.insert(state.clone(), raised);
                self.directories.insert(state.clone());
                Ok(Answer::Done)
            }
            other => panic!("the store has no use for {other:?}"),
        }
    }

    fn check(&self, guard: &Guard) -> Result<(), Fault> {
        epoch::admit(self.fence(&guard.state), guard.epoch).map_err(|refusal| fault(&refusal))
    }

    /// Changes are guarded, absolute, within the guard's directory and in a directory that is there.
    fn check_change(&self, call: &Call, path: &str) {
        // Settled before anybody holds anything.
        if call.guard.is_none() && path.contains("/.router") {
            let creates =
                matches!(call.operation, Operation::MakeDirectory { .. } | Operation::Append { at: 0, .. });
            assert!(creates, "it is never changed: {call:?}");
            return;
        }
        let guard = call.guard.as_ref().expect("changes are guarded");
        let below = path.strip_prefix(&guard.state).and_then(|rest| rest.strip_prefix('/'));
        assert!(below.is_some_and(|name| !name.is_empty() && !name.contains("..")), "{path}");
        let (parent, _) = path.rsplit_once('/').expect("absolute");
        assert!(self.directories.contains(parent), "no directory for {path}");
    }

    fn take(&mut self, state: &str, holder: &LockHolder, steal: Option<u64>) -> Result<Answer, Fault> {
        self.directories.insert(state.to_owned());
        let lineage = self.files.get(&format!("{state}/lineage"));
        if lineage.is_some_and(|file| String::from_utf8_lossy(file).contains("moved-to")) {
            return Err(Fault::new(FaultKind::Moved, "moved"));
        }
        let taken = epoch::take(&self.lock(state), self.fence(state), holder, steal, 0)
            .map_err(|refusal| fault(&refusal))?;
        Ok(self.put(state, taken))
    }

    fn lock(&self, state: &str) -> Lock {
        self.locks.get(state).cloned().unwrap_or_default()
    }

    fn fence(&self, state: &str) -> u64 {
        self.fences.get(state).copied().unwrap_or(0)
    }

    /// Keeps the lock, and the fence with it.
    fn put(&mut self, state: &str, lock: Lock) -> Answer {
        self.fences.insert(state.to_owned(), lock.epoch);
        self.locks.insert(state.to_owned(), lock.clone());
        Answer::Lock(lock)
    }
}

fn fault(refusal: &Refusal) -> Fault {
    let kind = if *refusal == Refusal::Held { FaultKind::Held } else { FaultKind::Fenced };
    Fault::new(kind, refusal.to_string())
}

fn absolute(path: &str) -> String {
    path.strip_prefix("~/").map_or_else(|| path.to_owned(), |rest| format!("/home/deploy/{rest}"))
}

fn facts(paths: &[String], host: &FakeHost) -> Facts {
    let room = paths.iter().map(|path| {
        let writable = host.system || !path.starts_with("/var/lib/");
        Room { path: path.clone(), writable, ..Room::default() }
    });
    Facts { home: "/home/deploy".to_owned(), room: room.collect(), ..Facts::default() }
}
