//! Hosts over SSH: one session of the user's own `ssh`, and in it one channel to the helper program.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cutover_host::bytes::hex;
use cutover_host::operation::Program;
use cutover_host::{MAX_CONSOLE_WORD, console_word};
use openssh::{Child, ChildStdin, ChildStdout, ControlPersist, KnownHosts, Session, SessionBuilder, Stdio};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::{OnceCell, Semaphore};

use super::client_config::{Pin, client_config};
use super::connection::{Connection, LastWords};
use super::console::Console;
use super::helper::{Found, Helper, Helpers, MARKER, is_plain_directory, read_verdict};
use super::host_link::Connect;
use super::pinned_keys::PinnedKeys;
use super::ssh_words::{explain, tell_of_a_cut, words};
use super::{Failure, LinkFuture};
use crate::model::{Destination, HostName, one_line};

/// Bytes that login files may print before the helper's marker comes.
const MAX_NOISE: u64 = 64 << 10;
/// Until a session is there; `ssh` itself gives up earlier unless it has to jump.
const SESSION_TIMEOUT: Duration = Duration::from_secs(60);
/// Before a connection that was cut while it was being made is tried again.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];
/// Until the host's shell has looked for the helper.
const FIND_TIMEOUT: Duration = Duration::from_secs(30);
/// Until the helper has been uploaded.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(180);
/// The master connection ends by itself when it was not used for so long: a killed engine leaves none for ever.
const IDLE_SECONDS: NonZeroUsize = NonZeroUsize::new(60).expect("60 is not 0");
/// Of what a host says on standard error, so much is kept.
const MAX_WORDS: usize = 2048;

/// How this machine reaches hosts over SSH.
#[derive(Debug, Clone)]
pub struct SshSettings {
    /// The user's own client configuration (`~/.ssh/config`), which comes after ours.
    pub user_config: PathBuf,
    /// The system's client configuration (`/etc/ssh/ssh_config`), which comes last.
    pub system_config: PathBuf,
    /// Private directory for control sockets. Their paths may have about 100 bytes, so it must be a short one.
    pub control_directory: PathBuf,
    /// Keys of hosts that the project pins.
    pub pinned: Arc<PinnedKeys>,
}

/// Connects to one host.
#[derive(Debug)]
pub(super) struct SshConnector {
    pub(super) name: HostName,
    pub(super) destination: String,
    pub(super) identity_file: Option<PathBuf>,
    pub(super) helper_directory: String,
    pub(super) settings: SshSettings,
    pub(super) helpers: Arc<Helpers>,
    /// Connects that may go on at once, of all hosts: sshd drops some beyond its `MaxStartups`.
    pub(super) turns: Arc<Semaphore>,
    pub(super) config: OnceCell<PathBuf>,
    pub(super) session: Mutex<Option<Arc<Session>>>,
}

impl Connect for SshConnector {
    fn connect(&self) -> LinkFuture<'_, Arc<Connection>> {
        Box::pin(async move {
            let _turn = self.turns.acquire().await;
            let mut pauses = PAUSES.into_iter();
            loop {
                match (self.attempt().await, pauses.next()) {
                    (Err(NoConnection { was_cut: true, .. }), Some(pause)) => tokio::time::sleep(pause).await,
                    (result, _) => return result.map_err(|none| none.failure),
                }
            }
        })
    }
}

/// Why there is no connection.
struct NoConnection {
    failure: Failure,
    /// Somebody cut it while it was being made: the next one may stay.
    was_cut: bool,
}

/// A command under way on the host.
struct Channel {
    child: Child<Arc<Session>>,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    words: LastWords,
}

impl From<Failure> for NoConnection {
    fn from(failure: Failure) -> Self {
        Self { failure, was_cut: false }
    }
}

impl SshConnector {
    /// A program at a terminal, over the live session.
    pub(super) async fn console(&self, program: &Program) -> Result<Console, Failure> {
        let word = console_word(program);
        if word.len() > MAX_CONSOLE_WORD {
            return Err(self.unreachable("the command is too long for a terminal"));
        }
        let config = self.config_file().await?;
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let session = session.ok_or_else(|| self.unreachable("there is no session"))?;
        let login = self.destination()?.login();
        let mut command = Command::new("ssh");
        command.arg("-F").arg(config).arg("-S").arg(session.control_socket());
        // Without its words about the end of the shared connection: it ends after the program, as always.
        command.args(["-o", "LogLevel=ERROR", "-tt", "--"]).arg(login);
        command.arg(self.helpers.console_command(&self.helper_directory, &word));
        Ok(Console::over_ssh(self.name.clone(), command, session))
    }

    pub(super) fn destination(&self) -> Result<Destination<'_>, Failure> {
        Destination::parse(&self.destination)
            .ok_or_else(|| self.unreachable(format!("`{}` is not a destination", self.destination)))
    }

    async fn attempt(&self) -> Result<Arc<Connection>, NoConnection> {
        let session = self.make_session().await?;
        let started = self.start_helper(&session).await;
        let connection = match started {
            Ok(connection) => connection,
            Err(failure) => {
                // The channel ends before its session does.
                tokio::time::sleep(Duration::from_millis(50)).await;
                return Err(NoConnection { failure, was_cut: session.check().await.is_err() });
            }
        };
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
        Ok(connection)
    }

    async fn make_session(&self) -> Result<Arc<Session>, NoConnection> {
        let destination = self.destination()?;
        let mut builder = SessionBuilder::default();
        builder
            .known_hosts_check(KnownHosts::Strict)
            .control_persist(ControlPersist::IdleFor(IDLE_SECONDS))
            .control_directory(&self.settings.control_directory)
            .config_file(self.config_file().await?);
        if let Some(port) = destination.port {
            builder.port(port);
        }
        match tokio::time::timeout(SESSION_TIMEOUT, builder.connect_mux(destination.login())).await {
            Ok(Ok(session)) => Ok(Arc::new(session)),
            Ok(Err(error)) => {
                let said = words(&error);
                Err(NoConnection { failure: self.explain(&said), was_cut: tell_of_a_cut(&said) })
            }
            Err(_) => {
                let seconds = SESSION_TIMEOUT.as_secs();
                Err(self.unreachable(format!("no session within {seconds} s")).into())
            }
        }
    }

    /// Our own client configuration, written once.
    pub(super) async fn config_file(&self) -> Result<&Path, Failure> {
        let write = || async {
            let SshSettings { user_config, system_config, control_directory, pinned } = &self.settings;
            let destination = self.destination()?;
            let place = destination.place();
            let pin =
                self.is_pinned().then(|| Pin { host: destination.host, place: &place, file: pinned.path() });
            let text = client_config(self.identity_file.as_deref(), pin.as_ref(), user_config, system_config)
                .ok_or_else(|| {
                    self.unreachable("a path has characters that no SSH configuration can hold")
                })?;
            let path = control_directory.join(file_name(&text));
            keep(control_directory, &path, &text).map_err(|error| {
                self.unreachable(format!("`{}` can't be written: {error}", path.display()))
            })?;
            Ok(path)
        };
        self.config.get_or_try_init(write).await.map(PathBuf::as_path)
    }

    /// Starts the helper, bringing it first when it is not there.
    async fn start_helper(&self, session: &Arc<Session>) -> Result<Arc<Connection>, Failure> {
        let directory = &self.helper_directory;
        if !is_plain_directory(directory) {
            let words = "must begin with `/` or `~/`, and be of letters, digits, blanks and `._-+@`";
            return Err(self.unreachable(format!("its `helper-directory`, `{directory}`, {words}")));
        }
        let mut brought = false;
        loop {
            let (found, channel) = self.find_helper(session).await?;
            match found {
                Found::Started(machine) => return self.greet(channel, &machine).await,
                Found::Missing(machine) if !brought => {
                    drop(channel);
                    let helper = self.helpers.for_machine(&machine).ok_or_else(|| self.foreign(&machine))?;
                    self.upload(session, helper).await?;
                    brought = true;
                }
                Found::Missing(_) => {
                    return Err(self.unreachable(format!(
                        "cutover's helper was brought to `{directory}`, but is not there with mode 0700 in a directory \
                         of mode 0700\nhint: set `helper-directory` to one on a file system that keeps modes"
                    )));
                }
                Found::NoExec => return Err(self.no_exec()),
                Found::Foreign(system) => return Err(self.foreign(&system)),
            }
        }
    }

    async fn find_helper(&self, session: &Arc<Session>) -> Result<(Found, Channel), Failure> {
        let mut channel = self.run(session, &self.helpers.find_command(&self.helper_directory)).await?;
        let mut seen = Vec::new();
        let read = read_lines(&mut channel.output, &mut seen);
        let lines = match tokio::time::timeout(FIND_TIMEOUT, read).await {
            Ok(lines) => lines.map_err(|error| self.unreachable(error.to_string()))?,
            Err(_) => {
                let seconds = FIND_TIMEOUT.as_secs();
                return Err(self.unreachable(format!("its shell did not answer within {seconds} s")));
            }
        };
        let found = lines.as_ref().and_then(|[system, verdict]| read_verdict(system, verdict));
        match found {
            Some(found) => Ok((found, channel)),
            None => {
                // What standard error says comes a moment later.
                tokio::time::sleep(Duration::from_millis(50)).await;
                let words = channel.words.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let said = if seen.is_empty() { words } else { String::from_utf8_lossy(&seen).into_owned() };
                Err(self.nonsense(&said))
            }
        }
    }

    async fn greet(&self, channel: Channel, machine: &str) -> Result<Arc<Connection>, Failure> {
        let helper = self.helpers.for_machine(machine).ok_or_else(|| self.foreign(machine))?;
        let Channel { child, input, output, words } = channel;
        let digest = format!("sha256:{}", helper.digest);
        let keep = Box::new(Mutex::new(child));
        let started =
            Connection::start(self.name.clone(), output, input, &digest, Arc::clone(&words), keep).await;
        started.map_err(|failure| {
            let said = words.lock().unwrap_or_else(PoisonError::into_inner).to_lowercase();
            if said.contains("permission denied") || said.contains("cannot execute") {
                self.no_exec()
            } else {
                failure
            }
        })
    }

    async fn upload(&self, session: &Arc<Session>, helper: &Helper) -> Result<(), Failure> {
        let channel = self.run(session, &helper.upload_command(&self.helper_directory)).await?;
        let Channel { child, mut input, output: _output, words } = channel;
        let send = async {
            // A host that takes only a part of it says why on standard error.
            let _ = input.write_all(helper.program).await;
            let _ = input.shutdown().await;
            drop(input);
            child.wait().await
        };
        match tokio::time::timeout(UPLOAD_TIMEOUT, send).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(_) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                let said = one_line(&words.lock().unwrap_or_else(PoisonError::into_inner));
                let directory = &self.helper_directory;
                let hint = "hint: set `helper-directory` to a directory of the user's own with 2 MB of room";
                Err(self.unreachable(format!(
                    "cutover's helper can't be brought to `{directory}`: {said}\n{hint}"
                )))
            }
            Err(_) => {
                Err(self.unreachable(format!("the upload took longer than {} s", UPLOAD_TIMEOUT.as_secs())))
            }
        }
    }

    async fn run(&self, session: &Arc<Session>, command: &str) -> Result<Channel, Failure> {
        let mut command = Arc::clone(session).arc_raw_command(command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().await.map_err(|error| self.explain(&words(&error)))?;
        let pipes = (child.stdin().take(), child.stdout().take(), child.stderr().take());
        let (Some(input), Some(output), Some(mut errors)) = pipes else {
            return Err(self.unreachable("the session gave no streams"));
        };
        let words = LastWords::default();
        let heard = Arc::clone(&words);
        tokio::spawn(async move {
            let mut buffer = [0; 1024];
            while let Ok(length @ 1..) = errors.read(&mut buffer).await {
                let mut words = heard.lock().unwrap_or_else(PoisonError::into_inner);
                words.push_str(&String::from_utf8_lossy(&buffer[..length]));
                let surplus = words.len().saturating_sub(MAX_WORDS);
                let cut = words.ceil_char_boundary(surplus);
                words.drain(..cut);
            }
        });
        Ok(Channel { child, input, output: BufReader::new(output), words })
    }

    /// Whether the project pins the host's key, so that the user's own file does not count.
    fn is_pinned(&self) -> bool {
        self.destination().is_ok_and(|destination| !self.settings.pinned.of(&destination).is_empty())
    }

    /// Makes sense of what `ssh` said when it could not connect.
    pub(super) fn explain(&self, text: &str) -> Failure {
        explain(&self.name, &self.destination, self.is_pinned(), text)
    }

    pub(super) fn unreachable(&self, why: impl std::fmt::Display) -> Failure {
        Failure::Unreachable(format!("host `{}` can't be reached: {why}", self.name))
    }

    fn nonsense(&self, said: &str) -> Failure {
        let short: String = said.trim().chars().take(200).collect();
        let short =
            if short.is_empty() { "nothing".to_owned() } else { format!("`{}`", short.escape_debug()) };
        let hint = "hint: its login must lead to a shell that runs commands";
        self.unreachable(format!("instead of what cutover asked for it answered {short}\n{hint}"))
    }

    fn no_exec(&self) -> Failure {
        let directory = &self.helper_directory;
        self.unreachable(format!(
            "`{directory}` is on a file system that forbids to run programs\n\
             hint: set `helper-directory` of this host to a directory elsewhere"
        ))
    }

    fn foreign(&self, system: &str) -> Failure {
        let carried = self.helpers.carried().join(", ");
        self.unreachable(format!(
            "it is of an architecture that cutover has no helper for: `{system}` (it has Linux on {carried})"
        ))
    }
}

/// Other projects of the same user keep theirs in the same directory, under names of hosts that may be the same.
fn file_name(text: &str) -> String {
    format!("config-{}", hex(&Sha256::digest(text.as_bytes())[..12]))
}

/// Writes a small file that whoever reads it sees as a whole.
fn keep(directory: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// The two lines after the marker; none when the output ends before. What was read is left in `seen`.
async fn read_lines(
    output: &mut BufReader<ChildStdout>,
    seen: &mut Vec<u8>,
) -> std::io::Result<Option<[String; 2]>> {
    let mut after_marker: Vec<String> = Vec::new();
    let mut marked = false;
    loop {
        let start = seen.len();
        let left = MAX_NOISE.saturating_sub(start as u64);
        if (&mut *output).take(left).read_until(b'\n', seen).await? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&seen[start..]).trim_end().to_owned();
        if marked {
            after_marker.push(line);
        } else {
            marked = line == MARKER;
        }
        if let Ok(lines) = <[String; 2]>::try_from(after_marker.clone()) {
            return Ok(Some(lines));
        }
    }
}
