//! A host, performing operations.

use std::ffi::OsString;
use std::process::Command;

use crate::account::Account;
use crate::bytes::Bytes;
use crate::console::console_command;
use crate::fence::{self, Leave};
use crate::operation::{Answer, Call, Fault, Operation, Program};
use crate::scope::Scope;
use crate::stream::Stream;
use crate::{
    detached, facts, files, held, launch, links, lock, port, process, program, release, sending, socket,
    staging, tail,
};

/// The machine that this process runs on.
#[derive(Debug, Clone)]
pub struct Host {
    pub(crate) account: Account,
    pub(crate) supervisor: Vec<OsString>,
}

impl Host {
    /// `supervisor` is the command, absolute program first, that ends up in [`crate::supervise`] with the words after it.
    #[must_use]
    pub fn new(supervisor: Vec<OsString>, account: Account) -> Self {
        Self { account, supervisor }
    }

    /// The command of a program at a terminal: with its whole environment, and with the streams of whoever starts it. `terminal` is the
    /// kind of terminal, as in `TERM`.
    ///
    /// # Errors
    /// When a file of its environment or its directory is not there.
    pub fn console(&self, program: &Program, terminal: Option<&str>) -> Result<Command, Fault> {
        console_command(&self.account, program, terminal)
    }

    /// Performs one operation to its end.
    ///
    /// # Errors
    /// When it was not done, and why.
    pub fn perform(&self, call: &Call, stream: &dyn Stream) -> Result<Answer, Fault> {
        let scope = Scope::new(call.deadline_ms, stream);
        let account = &self.account;
        // What may take long holds the mutex for moments alone: the lock's holder renews it, and writes its journal, under the same one.
        let leave = || Leave::take(account, call.guard.as_ref(), &scope);
        let done = |result: Result<(), Fault>| result.map(|()| Answer::Done);
        let takes_it_itself = matches!(
            call.operation,
            Operation::StageFinish { .. }
                | Operation::RemoveRelease { .. }
                | Operation::RemovePartials { .. }
                | Operation::StopProcess { .. }
                | Operation::Run { .. }
                | Operation::Relay { .. }
        );
        let _leave = if takes_it_itself { None } else { Some(leave()?) };
        match &call.operation {
            Operation::StageFinish { directory, release, token, record, linked_dirs, linked_files } => {
                let staged = staging::Finish { directory, release, token, record, linked_dirs, linked_files };
                done(staging::finish(account, &staged, &scope, leave))
            }
            Operation::RemoveRelease { directory, release } => {
                done(release::remove(account, directory, release, leave))
            }
            Operation::StopProcess { directory, grace_ms } => {
                process::stop(account, directory, *grace_ms, &scope, leave).map(Answer::Process)
            }
            Operation::Facts { paths } => facts::gather(account, paths).map(Answer::Facts),
            Operation::Read { path, beneath, limit } => {
                files::read(account, path, beneath.as_ref(), *limit).map(Bytes).map(Answer::Content)
            }
            Operation::Write { path, beneath, content, mode } => {
                done(files::write(account, path, beneath.as_ref(), &content.0, *mode))
            }
            Operation::Append { path, at, content } => done(files::append(account, path, *at, &content.0)),
            Operation::WriteLink { path, beneath, target } => {
                done(links::write(account, path, beneath.as_ref(), target))
            }
            Operation::ReadLink { path, beneath } => {
                links::read(account, path, beneath.as_ref()).map(Answer::Text)
            }
            Operation::ListNames { path, beneath } => {
                files::list_names(account, path, beneath.as_ref()).map(Answer::Names)
            }
            Operation::Remove { path, beneath } => done(files::remove(account, path, beneath.as_ref())),
            Operation::SetAside { path, name } => done(files::set_aside(account, path, name)),
            Operation::MakeDirectory { path, mode } => done(files::make_directory(account, path, *mode)),
            Operation::Run { program } => {
                program::run(account, program, &scope, || leave()?.stay(&scope)).map(Answer::Exited)
            }
            Operation::Stream { program } => program::stream(account, program, &scope).map(Answer::Exited),
            Operation::Begin { state, operation, program } => {
                let epoch = call.guard.as_ref().map_or(0, |guard| guard.epoch);
                detached::begin(self, state, operation, program, epoch).map(Answer::Operation)
            }
            Operation::Outcome { state, operation, wait_ms } => {
                detached::outcome(account, state, operation, *wait_ms, &scope).map(Answer::Operation)
            }
            Operation::End { state, operation } => {
                detached::end(account, state, operation, &scope).map(Answer::Operation)
            }
            Operation::Reap { state, epoch } => {
                detached::reap(account, state, *epoch, &scope).map(Answer::Names)
            }
            Operation::ForgetOperations { state, spare, newest } => {
                done(detached::forget(account, state, spare, *newest))
            }
            Operation::InspectApplication { directory } => {
                release::inspect(account, directory).map(Answer::Application)
            }
            Operation::StageBegin { directory, release, token, twin } => {
                let begin = staging::Begin { directory, release, token, twin: twin.as_deref() };
                staging::begin(account, &begin, &scope).map(Answer::Staging)
            }
            Operation::StageFill { directory, token } => {
                staging::fill(account, directory, token, &scope).map(Answer::Staging)
            }
            Operation::SendTree { path, beneath } => {
                sending::send(account, path, beneath, &scope).map(Answer::Staging)
            }
            Operation::HoldDirectory { directory, token } => {
                done(held::hold(account, directory, token, &scope))
            }
            Operation::RemovePartials { directory } => {
                done(release::remove_partials(account, directory, leave))
            }
            Operation::StartProcess { process } => process::start(self, process).map(Answer::Process),
            Operation::WriteLaunch { path, program, announce, mode } => {
                done(launch::write(account, path, program, announce, *mode))
            }
            Operation::ProcessStatus { directory } => {
                process::status(account, directory).map(Answer::Process)
            }
            Operation::Port { address, port } => port::look(address, *port).map(Answer::Port),
            Operation::Tail { path, lines, follow } => {
                done(tail::tail(account, path, *lines, *follow, &scope))
            }
            Operation::Exchange { socket, content, limit } => {
                socket::exchange(account, socket, &content.0, *limit, &scope).map(Bytes).map(Answer::Content)
            }
            Operation::Resolve { name } => socket::resolve(account, name, &scope).map(Answer::Names),
            Operation::Relay { address, port, connect_ms } => {
                done(socket::relay(address, *port, *connect_ms, &scope, || leave()?.stay(&scope)))
            }
            Operation::TakeLock { state, holder, steal } => {
                lock::take(account, state, holder, *steal, &scope).map(Answer::Lock)
            }
            Operation::FreeLock { state, epoch } => {
                lock::free(account, state, *epoch, &scope).map(Answer::Lock)
            }
            Operation::RenewLock { state, epoch, step } => {
                lock::renew(account, state, *epoch, step, &scope).map(Answer::Lock)
            }
            Operation::ReadLock { state } => lock::read(account, state).map(Answer::Lock),
            Operation::Fence { state, epoch } => done(fence::fence(account, state, *epoch, &scope)),
        }
    }
}
