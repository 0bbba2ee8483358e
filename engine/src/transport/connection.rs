//! One connection to a host's side: many calls at once over one pair of byte streams (see [`cutover_host::frame`]).

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover_host::frame::{self, HEADER, Header, Kind, MAX_CALLS, MAX_PAYLOAD, MIN_COST, WINDOW};
use cutover_host::operation::{Answer, Call};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::AbortHandle;

use super::calls::{Calls, Item, Sink, held};
use super::halt::{Moment, Passage};
use super::{Chunk, Failure, Flow};
use crate::model::{HostName, one_line};

/// How long a host may take to say hello once its side runs.
const HELLO_TIMEOUT: Duration = Duration::from_secs(15);
/// How much later than its deadline an answer may come.
const DEADLINE_SLACK: Duration = Duration::from_secs(15);
/// Chunks that fit into a window.
pub(super) const MAX_CHUNKS: usize = (WINDOW / MIN_COST) as usize;

/// Words about a connection that broke, as far as the other side said any.
pub(super) type LastWords = Arc<Mutex<String>>;

/// A live connection.
pub(super) struct Connection {
    host: HostName,
    control: mpsc::UnboundedSender<Vec<u8>>,
    data: mpsc::Sender<Vec<u8>>,
    calls: Arc<Calls>,
    permits: Arc<Semaphore>,
    reader: AbortHandle,
    /// What must live as long as the connection: a session, a process.
    _keep: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Connection {
    /// Waits for the hello, which must name `digest`, and takes up work.
    ///
    /// # Errors
    /// When no such hello comes; then nothing was done on the host.
    pub(super) async fn start(
        host: HostName,
        input: impl AsyncRead + Send + Unpin + 'static,
        output: impl AsyncWrite + Send + Unpin + 'static,
        digest: &str,
        last_words: LastWords,
        keep: Box<dyn Any + Send + Sync>,
    ) -> Result<Arc<Self>, Failure> {
        let mut input = BufReader::with_capacity(128 << 10, input);
        let hello = tokio::time::timeout(HELLO_TIMEOUT, read_frame(&mut input)).await;
        let expected = format!("cutover-host 1 {digest}");
        match hello {
            Ok(Ok(Some((header, payload))))
                if header.kind == Kind::Hello && payload == expected.as_bytes() => {}
            Ok(Ok(Some(_)) | Err(ReadFault::Nonsense(_))) => {
                return Err(Failure::Unreachable(format!(
                    "host `{host}` answered what cutover does not understand"
                )));
            }
            Ok(Ok(None) | Err(ReadFault::Io(_))) => {
                let words = one_line(&held(&last_words));
                let words = if words.is_empty() { "it said nothing".to_owned() } else { words };
                return Err(Failure::Unreachable(format!(
                    "cutover's helper ended at once on host `{host}`: {words}"
                )));
            }
            Err(_) => {
                let seconds = HELLO_TIMEOUT.as_secs();
                return Err(Failure::Unreachable(format!("host `{host}` said nothing for {seconds} s")));
            }
        }
        let (control, control_queue) = mpsc::unbounded_channel();
        let (data, data_queue) = mpsc::channel(4);
        let calls = Arc::new(Calls::new(host.clone()));
        let (table, words) = (Arc::clone(&calls), Arc::clone(&last_words));
        let reader = tokio::spawn(async move {
            let failure = read_frames(&mut input, &table, &words).await;
            table.fail(failure);
        });
        let table = Arc::clone(&calls);
        tokio::spawn(async move {
            if let Err(error) = write_frames(output, control_queue, data_queue).await {
                let failure =
                    Failure::Broken(format!("the connection to host `{}` broke: {error}", table.host));
                // The reader usually knows more of why; it gets a moment to say so.
                tokio::time::sleep(Duration::from_millis(200)).await;
                table.fail(failure);
            }
        });
        Ok(Arc::new(Self {
            host,
            control,
            data,
            calls,
            permits: Arc::new(Semaphore::new(MAX_CALLS)),
            reader: reader.abort_handle(),
            _keep: keep,
        }))
    }

    pub(super) fn is_broken(&self) -> bool {
        self.calls.is_broken()
    }

    /// Performs an operation without streams. Dropping the future gives the operation up.
    pub(super) async fn perform(self: Arc<Self>, call: Call) -> Result<Answer, Failure> {
        let limit = call.deadline_ms.map(|ms| Duration::from_millis(ms).saturating_add(DEADLINE_SLACK));
        let (sender, answer) = oneshot::channel();
        let passage = Passage::of(&call);
        passage.reach(Moment::Before).await;
        let giving_up = self.send(call, Sink::Answer(sender)).await?;
        passage.reach(Moment::Sent).await;
        let answered = match limit {
            Some(limit) => tokio::time::timeout(limit, answer).await.map_err(|_| {
                let seconds = limit.as_secs();
                Failure::Broken(format!("host `{}` did not answer within {seconds} s", self.host))
            })?,
            None => answer.await,
        };
        passage.reach(Moment::Answered).await;
        giving_up.disarm();
        answered.unwrap_or_else(|_| Err(self.calls.broken()))
    }

    /// Begins an operation with streams.
    pub(super) async fn open(self: Arc<Self>, call: Call) -> Result<Flow, Failure> {
        let (items, queue) = mpsc::channel(MAX_CHUNKS + 1);
        let window = Arc::new(Semaphore::new(WINDOW as usize));
        let outstanding = Arc::new(AtomicU32::new(0));
        let sink = Sink::Stream { items, window: Arc::clone(&window), outstanding: Arc::clone(&outstanding) };
        let passage = Passage::of(&call);
        passage.reach(Moment::Before).await;
        let giving_up = self.send(call, sink).await?;
        passage.reach(Moment::Sent).await;
        let (upload, uploaded) = mpsc::channel(4);
        let (downloaded, download) = mpsc::channel(4);
        let (answered, answer) = oneshot::channel();
        let uploading = tokio::spawn(send_upload(giving_up.id, uploaded, window, self.data.clone()));
        let pump = Download {
            queue,
            downloaded,
            answered,
            outstanding,
            giving_up,
            uploading: uploading.abort_handle(),
        };
        tokio::spawn(pump.run());
        Ok(Flow { upload, download, answer })
    }

    async fn send(self: &Arc<Self>, mut call: Call, sink: Sink) -> Result<GiveUp, Failure> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| self.calls.broken())?;
        let has_streams = matches!(sink, Sink::Stream { .. });
        call.id = self.calls.register(sink, permit)?;
        let nonsense =
            |error: serde_json::Error| Failure::Unreachable(format!("the call can't be sent: {error}"));
        let text = serde_json::to_vec(&call).map_err(nonsense)?;
        // Whatever follows must not overtake the call: one that data follow waits its turn among the data, and so does all that is its. That
        // control is looked at before data is not enough: between the two looks both may come.
        let urgent = text.len() <= MAX_PAYLOAD && !has_streams;
        let giving_up = GiveUp { connection: Arc::clone(self), id: call.id, urgent, armed: true };
        for frame in frame::split(call.id, Kind::CallPart, Kind::Call, &text) {
            if urgent {
                let _ = self.control.send(frame);
            } else {
                let _ = self.data.send(frame).await;
            }
        }
        Ok(giving_up)
    }
}

/// Tells the host that nobody waits for a call any more, when it is dropped before the answer came.
struct GiveUp {
    connection: Arc<Connection>,
    id: u64,
    urgent: bool,
    armed: bool,
}

impl GiveUp {
    fn disarm(mut self) {
        self.armed = false;
    }
}

impl Drop for GiveUp {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        let frame = frame::encode(self.id, Kind::Cancel, &[]);
        if self.urgent {
            let _ = self.connection.control.send(frame);
        } else if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let data = self.connection.data.clone();
            runtime.spawn(async move { data.send(frame).await });
        }
    }
}

/// Passes a stream's pieces to whoever holds the [`Flow`], and credit back.
struct Download {
    queue: mpsc::Receiver<Item>,
    downloaded: mpsc::Sender<Chunk>,
    answered: oneshot::Sender<Result<Answer, Failure>>,
    outstanding: Arc<AtomicU32>,
    giving_up: GiveUp,
    uploading: AbortHandle,
}

impl Download {
    async fn run(self) {
        let Self { mut queue, downloaded, mut answered, outstanding, giving_up, uploading } = self;
        loop {
            let item = tokio::select! {
                item = queue.recv() => item,
                () = answered.closed() => break,
            };
            match item {
                Some(Item::Chunk(chunk, cost)) => {
                    tokio::select! {
                        // Nobody need listen; the operation goes on as long as its answer is waited for.
                        _ = downloaded.send(chunk) => {}
                        () = answered.closed() => break,
                    }
                    outstanding.fetch_sub(cost, Ordering::Relaxed);
                    let credit = frame::encode(giving_up.id, Kind::Credit, &cost.to_be_bytes());
                    let _ = giving_up.connection.control.send(credit);
                }
                Some(Item::Answer(answer)) => {
                    giving_up.disarm();
                    uploading.abort();
                    drop(downloaded);
                    let _ = answered.send(answer);
                    return;
                }
                None => {
                    let _ = answered.send(Err(giving_up.connection.calls.broken()));
                    break;
                }
            }
        }
        uploading.abort();
    }
}

async fn send_upload(
    id: u64,
    mut uploaded: mpsc::Receiver<Vec<u8>>,
    window: Arc<Semaphore>,
    data: mpsc::Sender<Vec<u8>>,
) {
    while let Some(bytes) = uploaded.recv().await {
        for piece in bytes.chunks(MAX_PAYLOAD) {
            // It is closed when the answer has come.
            let Ok(permits) = window.acquire_many(frame::cost(piece.len())).await else { return };
            permits.forget();
            if data.send(frame::encode(id, Kind::Data, piece)).await.is_err() {
                return;
            }
        }
    }
    let _ = data.send(frame::encode(id, Kind::End, &[])).await;
}

pub(super) async fn read_frames(
    input: &mut (impl AsyncRead + Unpin),
    calls: &Calls,
    last_words: &LastWords,
) -> Failure {
    let host = &calls.host;
    loop {
        let frame = match read_frame(input).await {
            Ok(Some((header, payload))) => calls.take(header, payload).map_err(ReadFault::Nonsense),
            Ok(None) => {
                let words = one_line(&held(last_words));
                let words = if words.is_empty() { String::new() } else { format!(": {words}") };
                return Failure::Broken(format!("the connection to host `{host}` broke{words}"));
            }
            Err(fault) => Err(fault),
        };
        match frame {
            Ok(()) => {}
            Err(ReadFault::Nonsense(what)) => {
                return Failure::Nonsense(format!("host `{host}` answered what makes no sense: {what}"));
            }
            Err(ReadFault::Io(error)) => {
                return Failure::Broken(format!("the connection to host `{host}` broke: {error}"));
            }
        }
    }
}

enum ReadFault {
    Io(std::io::Error),
    Nonsense(&'static str),
}

async fn read_frame(input: &mut (impl AsyncRead + Unpin)) -> Result<Option<(Header, Vec<u8>)>, ReadFault> {
    let mut header = [0; HEADER];
    match input.read_exact(&mut header).await {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(ReadFault::Io(error)),
    }
    let header = Header::decode(header).ok_or(ReadFault::Nonsense("no frame"))?;
    let mut payload = vec![0; header.length];
    input.read_exact(&mut payload).await.map_err(ReadFault::Io)?;
    Ok(Some((header, payload)))
}

/// Writes what is queued, control before data. Ends, and closes the output, when nobody can queue any more.
async fn write_frames(
    mut output: impl AsyncWrite + Unpin,
    mut control: mpsc::UnboundedReceiver<Vec<u8>>,
    mut data: mpsc::Receiver<Vec<u8>>,
) -> std::io::Result<()> {
    loop {
        let frame = tokio::select! {
            biased;
            frame = control.recv() => frame,
            Some(frame) = data.recv() => Some(frame),
        };
        let Some(frame) = frame else { return output.shutdown().await };
        output.write_all(&frame).await?;
        output.flush().await?;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use cutover_host::operation::{Fault, Operation};
    use tokio::io::{duplex, split};

    use super::*;

    /// Answers each call when something came for it. Returns for how many something came before the call.
    async fn answer_all(
        input: impl AsyncRead + Unpin,
        mut output: impl AsyncWrite + Unpin,
    ) -> Result<usize, std::io::Error> {
        let mut input = BufReader::new(input);
        let answer = serde_json::to_vec(&Ok::<_, Fault>(Answer::Done))?;
        let (mut begun, mut early) = (HashSet::new(), HashSet::new());
        while let Ok(Some((header, _))) = read_frame(&mut input).await {
            if header.kind == Kind::Call {
                begun.insert(header.id);
            } else if header.kind == Kind::Data {
                if !begun.contains(&header.id) {
                    early.insert(header.id);
                }
                output.write_all(&frame::encode(header.id, Kind::Answer, &answer)).await?;
            }
        }
        Ok(early.len())
    }

    // Where something overtook its call, it was one in twenty thousand, on two busy processors.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn nothing_comes_before_the_call_that_it_is_for() {
        let (ours, theirs) = duplex(1 << 20);
        let (input, mut output) = split(theirs);
        let hello = frame::encode(frame::HELLO, Kind::Hello, b"cutover-host 1 digest");
        output.write_all(&hello).await.expect("taken");
        let peer = tokio::spawn(answer_all(input, output));
        let (input, output) = split(ours);
        let host = HostName::new("web1").expect("a name");
        let connection =
            Connection::start(host, input, output, "digest", LastWords::default(), Box::new(())).await;
        let connection = connection.expect("starts");
        let clients = (0..4).map(|_| {
            let connection = Arc::clone(&connection);
            tokio::spawn(async move {
                for _ in 0..5000 {
                    let relay = Operation::Relay { address: "::1".to_owned(), port: 1, connect_ms: 1 };
                    let flow = Arc::clone(&connection).open(relay.call()).await.expect("opens");
                    flow.upload.send(b"GET /".to_vec()).await.expect("taken");
                    assert_eq!(flow.answer.await.expect("comes"), Ok(Answer::Done));
                }
            })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.expect("joins");
        }
        drop(connection);
        assert_eq!(peer.await.expect("joins").expect("is spoken to"), 0);
    }
}
