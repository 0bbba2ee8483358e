//! The end of a log file, and what is appended to it.

use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::time::Duration;

use rustix::fs::OFlags;

use crate::account::Account;
use crate::fault::{self, not_allowed};
use crate::operation::Fault;
use crate::place::absolute;
use crate::scope::Scope;
use crate::stream::{Flag, Lane};

/// How far back lines are looked for.
const MAX_BACK: u64 = 16 << 20;
/// How often a followed file is looked at.
const INTERVAL: Duration = Duration::from_millis(200);

/// See [`crate::operation::Operation::Tail`].
pub(crate) fn tail(
    account: &Account,
    path: &str,
    lines: u32,
    follow: bool,
    scope: &Scope<'_>,
) -> Result<(), Fault> {
    let path = absolute(account, path)?;
    let fails = |error| fault::io("read", &path, error);
    let mut open = open(&path)?;
    if let Some((file, _)) = &mut open {
        let start = start_of_last(file, lines).map_err(fails)?;
        file.seek(SeekFrom::Start(start)).map_err(fails)?;
        send_rest(file, scope, &path)?;
    }
    if !follow {
        return Ok(());
    }
    let closed = Flag::new().map_err(fails)?;
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while scope.stream.receive().is_some() {}
            closed.raise();
        });
        let followed = follow_file(open, &path, &closed, scope);
        scope.stream.end_receiving();
        followed
    })
}

fn follow_file(
    mut open_file: Option<(File, Metadata)>,
    path: &str,
    closed: &Flag,
    scope: &Scope<'_>,
) -> Result<(), Fault> {
    let fails = |error| fault::io("read", path, error);
    while !closed.is_raised() {
        if let Some((file, _)) = &mut open_file {
            send_rest(file, scope, path)?;
            let at = file.stream_position().map_err(fails)?;
            if file.metadata().map_err(fails)?.len() < at {
                // Emptied in place: what is in it now is new.
                file.seek(SeekFrom::Start(0)).map_err(fails)?;
            }
        }
        let identity = |found: &Metadata| (found.dev(), found.ino());
        let current = open(path)?;
        match (&mut open_file, current) {
            (Some((_, old)), Some((_, new))) if identity(old) == identity(&new) => {}
            (was, Some(new)) => {
                if let Some((old, _)) = was {
                    // The last lines before the file was moved away.
                    send_rest(old, scope, path)?;
                }
                *was = Some(new);
                continue;
            }
            (_, None) => {}
        }
        let mut fds = [rustix::event::PollFd::new(closed, rustix::event::PollFlags::IN)];
        scope.wait(&mut fds, Some(INTERVAL))?;
    }
    Ok(())
}

fn open(path: &str) -> Result<Option<(File, Metadata)>, Fault> {
    match File::options().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path) {
        Ok(file) => {
            let found = file.metadata().map_err(|error| fault::io("look at", path, error))?;
            if !found.is_file() {
                return Err(not_allowed(format!("`{path}` is not a regular file")));
            }
            Ok(Some((file, found)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fault::io("open", path, error)),
    }
}

/// Where the last `lines` lines begin.
fn start_of_last(file: &File, lines: u32) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let floor = length.saturating_sub(MAX_BACK);
    let (mut end, mut missing) = (length, u64::from(lines));
    if missing == 0 {
        return Ok(length);
    }
    let mut block = vec![0; 64 << 10];
    while end > floor {
        let begin = end.saturating_sub(block.len() as u64).max(floor);
        let block = &mut block[..usize::try_from(end - begin).unwrap_or_default()];
        file.read_exact_at(block, begin)?;
        for (index, byte) in block.iter().enumerate().rev() {
            let at = begin + index as u64;
            // The line break at the very end ends the last line, it does not begin one.
            if *byte == b'\n' && at + 1 < length {
                missing -= 1;
                if missing == 0 {
                    return Ok(at + 1);
                }
            }
        }
        end = begin;
    }
    Ok(floor)
}

fn send_rest(file: &mut File, scope: &Scope<'_>, path: &str) -> Result<(), Fault> {
    let mut buffer = [0; 32 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => scope.stream.send(Lane::Out, &buffer[..length])?,
            Err(error) => return Err(fault::io("read", path, error)),
        }
        scope.left()?;
    }
}
