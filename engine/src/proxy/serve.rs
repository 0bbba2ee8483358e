//! The life of a proxy: from its sockets to its last request.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::FlockOperation;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{sleep, timeout};

use super::handover::{self, Line, MOST_LISTENERS, Sockets};
use super::site::Site;
use super::systemd_notice::tell;
use super::{CONTROL_SOCKET, Options, control, listener, tls};
use crate::model::view::{ExitCode, Problem};

/// How often it is looked whether all requests have ended.
const PAUSE: Duration = Duration::from_millis(20);

/// Why it goes on no longer.
enum End {
    /// Another process serves.
    Followed(Line),
    /// It was told to end.
    Told,
}

struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn watch() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn end(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Serves until it is told to end (SIGTERM, SIGINT), or another process follows it (SIGHUP); and then to the end of what is open, within
/// the time that is given to that. A second SIGTERM ends it at once.
///
/// # Errors
/// When it can't begin.
pub async fn serve(options: Options) -> Result<(), Problem> {
    let directory = &options.directory;
    // Before anybody knows how to send one.
    let mut signals = Signals::watch().map_err(|fault| not_begun(format!("no signals: {fault}")))?;
    raise_file_limit();
    let (sockets, line) = if options.follows {
        let (sockets, line) = handover::take_over(io::stdin())
            .map_err(|fault| not_begun(format!("can't take sockets over: {fault}")))?;
        (sockets, Some(line))
    } else {
        (open(&options)?, None)
    };
    // Read anew by each process: an upgrade takes over certificates that were renewed.
    let tls = options.certificate.as_ref().map(|(certificate, key)| tls::acceptor(certificate, key));
    let tls = tls.transpose().map_err(not_begun)?;
    let site = Site::load(directory, options.response_timeout, Arc::clone(&options.log));
    let site = Arc::new(site.map_err(|fault| {
        not_begun(fault.to_string())
            .hint("nothing is served rather than the wrong thing; where its routes are not needed, move the file away: the next deployment of each application writes its own")
    })?);
    let fault = |fault: io::Error| not_begun(format!("can't serve: {fault}"));
    for (index, listener) in sockets.listeners.iter().enumerate() {
        let listener = listener.try_clone().and_then(tokio_listener).map_err(fault)?;
        let tls = tls.clone().filter(|_| index >= options.listen.len());
        tokio::spawn(listener::accept(Arc::clone(&site), listener, tls));
    }
    let own = sockets.control.try_clone().map_err(fault)?;
    own.set_nonblocking(true).map_err(fault)?;
    let control = tokio::net::UnixListener::from_std(own).map_err(fault)?;
    if let Some(line) = line {
        handover::follow(line, Arc::clone(&site)).await.map_err(fault)?;
    }
    let notify = options.notify.as_deref();
    tell(notify, &format!("MAINPID={}\nREADY=1\n", std::process::id()));
    let end = attend(&site, &control, &sockets, &options, &mut signals).await;
    site.leave();
    // From here on the sockets are another's, or nobody's.
    drop((control, sockets));
    match end {
        End::Followed(line) => tokio::select! {
            followed = handover::report(line, &site) => {
                if followed.is_err() {
                    drain(&site, options.drain_timeout, &mut signals).await;
                }
            }
            () = signals.end() => drain(&site, options.drain_timeout, &mut signals).await,
        },
        End::Told => {
            tell(notify, "STOPPING=1\n");
            drain(&site, options.drain_timeout, &mut signals).await;
        }
    }
    Ok(())
}

/// Answers the control socket until something ends that.
async fn attend(
    site: &Site,
    control: &tokio::net::UnixListener,
    sockets: &Sockets,
    options: &Options,
    signals: &mut Signals,
) -> End {
    loop {
        tokio::select! {
            accepted = control.accept() => match accepted {
                // One after the other: two changes never meet, and none meets a handover.
                Ok((stream, _)) => control::answer(site, stream).await,
                Err(fault) => {
                    site.say(&format!("can't take a connection on `{CONTROL_SOCKET}`: {fault}"));
                    sleep(PAUSE).await;
                }
            },
            _ = signals.hangup.recv() => match handover::hand_over(sockets, options).await {
                Ok(line) => return End::Followed(line),
                Err(fault) => site.say(&format!("not upgraded, this process goes on: {fault}")),
            },
            _ = signals.terminate.recv() => return End::Told,
            _ = signals.interrupt.recv() => return End::Told,
        }
    }
}

/// Waits until nothing is open, no longer than this, and not after another signal.
async fn drain(site: &Site, longest: Duration, signals: &mut Signals) {
    let empty = async {
        while !site.is_empty() {
            sleep(PAUSE).await;
        }
    };
    tokio::select! {
        waited = timeout(longest, empty) => {
            if waited.is_err() {
                let open: u64 = site.all_open().values().map(|counts| counts.total()).sum();
                site.say(&format!("cut after {} s, requests that were still open: {open}", longest.as_secs()));
            }
        }
        () = signals.end() => {}
    }
}

/// Takes what it needs of the system for the first time.
fn open(options: &Options) -> Result<Sockets, Problem> {
    let directory = &options.directory;
    let shown = directory.display();
    if options.listen.len() + options.listen_tls.len() > MOST_LISTENERS {
        return Err(not_begun(format!("a proxy listens on at most {MOST_LISTENERS} addresses")));
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|fault| not_begun(format!("can't make `{shown}`: {fault}")))?;
    let lock = lock(directory)?;
    let control = control_socket(&directory.join(CONTROL_SOCKET))
        .map_err(|fault| not_begun(format!("can't listen on `{shown}/{CONTROL_SOCKET}`: {fault}")))?;
    let mut listeners = Vec::new();
    for address in options.listen.iter().chain(&options.listen_tls) {
        let listener = TcpListener::bind(address).map_err(|fault| {
            let problem = not_begun(format!("can't listen on `{address}`: {fault}"));
            if fault.kind() == ErrorKind::AddrInUse {
                return problem.hint("something else listens there: `ss -ltnp` tells what");
            }
            if fault.kind() == ErrorKind::PermissionDenied {
                return problem.hint(
                    "ports below 1024 want the capability CAP_NET_BIND_SERVICE: `cutover setup` prints a unit that has it",
                );
            }
            problem
        })?;
        listeners.push(listener);
    }
    Ok(Sockets { listeners, control, lock })
}

/// The mark that a proxy runs in a directory.
fn lock(directory: &Path) -> Result<File, Problem> {
    let path = directory.join("lock");
    let failed = |fault: io::Error| not_begun(format!("can't lock `{}`: {fault}", path.display()));
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path).map_err(failed)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(not_begun(format!("a proxy runs in `{}` already", directory.display()))
                .hint("SIGHUP has that one start this program anew, without losing a connection"))
        }
        Err(fault) => Err(failed(fault.into())),
    }
}

/// Under the lock: what lies there was left by a process that is gone.
fn control_socket(path: &Path) -> io::Result<UnixListener> {
    match fs::symlink_metadata(path) {
        Ok(_) if UnixStream::connect(path).is_ok() => return Err(ErrorKind::AddrInUse.into()),
        Ok(_) => fs::remove_file(path)?,
        Err(_) => {}
    }
    let control = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(control)
}

fn tokio_listener(listener: TcpListener) -> io::Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

/// A request takes two files, and the usual limit is that of a person's programs. What can't be raised is met by [`listener::accept`].
fn raise_file_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

fn not_begun(text: String) -> Problem {
    Problem::new("proxy/begin", text, ExitCode::NothingChanged)
}
