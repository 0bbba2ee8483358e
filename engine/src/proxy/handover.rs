//! From one process to the next, without a connection refused.
//!
//! On SIGHUP a process starts the program anew, with the words by which it was started itself, and gives it the sockets on which it listens,
//! over the new one's standard input. Once the new one serves, it says so, and the old one takes no connection any more. It answers what it has,
//! says how many requests it still has open (the new one's counts are the sum), and goes with the last of them. A new one that does not
//! come up changes nothing. Between the two calls nobody changes a route: the control socket is not answered meanwhile.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::time::{sleep, timeout};

use super::Options;
use super::site::Site;
use super::traffic::AllOpen;

/// What a process listens on, and what shows that the directory is its own.
pub(super) struct Sockets {
    pub(super) listeners: Vec<TcpListener>,
    pub(super) control: UnixListener,
    pub(super) lock: File,
}

/// The line between two processes.
pub(super) type Line = tokio::net::UnixStream;

/// More than anybody listens on; the system takes no more at once than 253.
pub(super) const MOST_LISTENERS: usize = 64;

/// What comes with the sockets.
const HERE: &[u8] = b"sockets\n";

/// What the new one says once it serves.
const SERVING: &str = "serving\n";

/// For a new process to come up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two reports of what is open.
const PAUSE: Duration = Duration::from_millis(100);

/// What one report has at most.
const LONGEST: u64 = 1 << 20;

/// Starts the successor and gives it the sockets; it serves when this returns. An error means that it does not, and has ended.
pub(super) async fn hand_over(sockets: &Sockets, options: &Options) -> Result<Line, String> {
    let (program, words) = &options.successor;
    let (ours, theirs) = UnixStream::pair().map_err(|fault| fault.to_string())?;
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::from(OwnedFd::from(theirs)));
    let mut child =
        command.spawn().map_err(|fault| format!("can't start `{}`: {fault}", program.display()))?;
    // Its end of the line is not to stay open here.
    drop(command);
    let line = introduce(sockets, ours).await;
    if line.is_err() {
        end(&mut child);
    }
    line
}

async fn introduce(sockets: &Sockets, ours: UnixStream) -> Result<Line, String> {
    send(sockets, &ours).map_err(|fault| format!("can't hand the sockets over: {fault}"))?;
    let mut line = ours
        .set_nonblocking(true)
        .and_then(|()| Line::from_std(ours))
        .map_err(|fault| format!("can't hand the sockets over: {fault}"))?;
    let mut said = [0; SERVING.len()];
    match timeout(PATIENCE, line.read_exact(&mut said)).await {
        Ok(Ok(_)) if said == SERVING.as_bytes() => Ok(line),
        Ok(Ok(_)) => Err("the new process says something else than that it serves".to_owned()),
        Ok(Err(_)) => Err("the new process has ended".to_owned()),
        Err(_) => Err(format!("the new process does not serve within {} s", PATIENCE.as_secs())),
    }
}

fn end(child: &mut Child) {
    // It may have ended already; then there is nothing but its status to take.
    let _ = child.kill();
    let _ = child.wait();
}

fn send(sockets: &Sockets, line: &UnixStream) -> io::Result<()> {
    let mut fds = vec![sockets.lock.as_fd(), sockets.control.as_fd()];
    fds.extend(sockets.listeners.iter().map(|listener| listener.as_fd()));
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_LISTENERS + 2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    sendmsg(line, &[IoSlice::new(HERE)], &mut control, SendFlags::empty())?;
    Ok(())
}

/// Takes what another process hands over on standard input.
pub(super) fn take_over(stdin: impl AsFd) -> io::Result<(Sockets, UnixStream)> {
    let line = UnixStream::from(rustix::io::fcntl_dupfd_cloexec(stdin, 3)?);
    line.set_read_timeout(Some(PATIENCE))?;
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_LISTENERS + 2))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut said = [0; HERE.len()];
    let read = recvmsg(&line, &mut [IoSliceMut::new(&mut said)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(given) = message {
            fds.extend(given);
        }
    }
    let mut fds = fds.into_iter();
    let (Some(lock), Some(control), true) = (fds.next(), fds.next(), said[..read.bytes] == *HERE) else {
        return Err(io::Error::other("nobody hands sockets over there"));
    };
    let (lock, control) = (File::from(lock), UnixListener::from(control));
    Ok((Sockets { listeners: fds.map(TcpListener::from).collect(), control, lock }, line))
}

/// Says that this process serves, and listens from then on to what the former one still has open.
pub(super) async fn follow(line: UnixStream, site: Arc<Site>) -> io::Result<()> {
    line.set_nonblocking(true)?;
    let mut line = Line::from_std(line)?;
    line.write_all(SERVING.as_bytes()).await?;
    tokio::spawn(async move {
        // Its other half stays open: the former one knows by it that it is followed.
        let (reading, _writing) = line.into_split();
        let mut reading = BufReader::new(reading);
        let mut text = String::new();
        loop {
            text.clear();
            match (&mut reading).take(LONGEST).read_line(&mut text).await {
                Ok(length) if length > 0 => {}
                Ok(_) | Err(_) => break,
            }
            match serde_json::from_str::<AllOpen>(&text) {
                Ok(counts) => site.set_former(counts),
                Err(_) => break,
            }
        }
        // It has gone, and with it what it had.
        site.set_former(AllOpen::new());
    });
    Ok(())
}

/// Tells the successor what is open here, until nothing is; an error when it has gone.
pub(super) async fn report(mut line: Line, site: &Site) -> io::Result<()> {
    let mut told = None;
    loop {
        let is_empty = site.is_empty();
        let open = site.all_open();
        if told.as_ref() != Some(&open) {
            let text = serde_json::to_string(&open)?;
            line.write_all(format!("{text}\n").as_bytes()).await?;
            told = Some(open);
        }
        if is_empty {
            return Ok(());
        }
        let mut nothing = [0; 1];
        tokio::select! {
            // It says nothing more: what can be read is its end.
            _ = line.read(&mut nothing) => return Err(io::ErrorKind::ConnectionReset.into()),
            () = sleep(PAUSE) => {}
        }
    }
}
