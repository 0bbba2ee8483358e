//! The client against servers that behave, and others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use cutover_host::operation::{Answer, Call, Operation};
use cutover_host::{Account, Host};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use super::*;
use crate::model::grant::{Addresses, Url};
use crate::model::{HostName, Limit, Limits};
use crate::transport::{Failure, Flow, Link, LinkFuture, local_link};

/// A server that takes one connection, reads one request, says `answer`, and closes; what it read is returned.
async fn server(answer: Vec<u8>) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") && !request.ends_with(b"body") {
            let mut piece = [0; 4096];
            match stream.read(&mut piece).await {
                Ok(length @ 1..) => request.extend_from_slice(&piece[..length]),
                Ok(_) | Err(_) => break,
            }
            // TLS begins with this, and waits for an answer.
            if request.starts_with(&[0x16]) {
                break;
            }
        }
        // A client that has heard enough may be gone.
        let _ = stream.write_all(&answer).await;
        String::from_utf8_lossy(&request).into_owned()
    });
    (port, task)
}

fn link() -> Arc<dyn Link> {
    let name = HostName::new("web1").expect("a name");
    local_link(name, Arc::new(Host::new(Vec::new(), Account::of_process(None, None))))
}

/// A link whose first connections break, after the operation was sent.
#[derive(Debug)]
struct Breaking {
    link: Arc<dyn Link>,
    left: AtomicUsize,
}

impl Link for Breaking {
    fn name(&self) -> &HostName {
        self.link.name()
    }

    fn perform(&self, call: Call) -> LinkFuture<'_, Answer> {
        self.link.perform(call)
    }

    fn open(&self, call: Call) -> LinkFuture<'_, Flow> {
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err() {
            return self.link.open(call);
        }
        Box::pin(async {
            let (upload, _) = mpsc::channel(4);
            let (_, download) = mpsc::channel(4);
            let (sender, answer) = oneshot::channel();
            let _ = sender.send(Err(Failure::Broken("the connection to host `web1` broke".to_owned())));
            Ok(Flow { upload, download, answer })
        })
    }
}

/// A host whose names lead outside when they are asked for first, and inside from then on; nobody is reached from it.
#[derive(Debug)]
struct Rebinding {
    name: HostName,
    resolved: AtomicUsize,
    dialled: Mutex<Vec<String>>,
}

impl Link for Rebinding {
    fn name(&self) -> &HostName {
        &self.name
    }

    fn perform(&self, _: Call) -> LinkFuture<'_, Answer> {
        let first = self.resolved.fetch_add(1, Ordering::Relaxed) == 0;
        let address = if first { "93.184.215.14" } else { "169.254.169.254" };
        Box::pin(async move { Ok(Answer::Names(vec![address.to_owned()])) })
    }

    fn open(&self, call: Call) -> LinkFuture<'_, Flow> {
        if let Operation::Relay { address, port, .. } = call.operation {
            self.dialled.lock().expect("no panic").push(format!("{address}:{port}"));
        }
        Box::pin(async { Err(Failure::Unreachable("nobody is reached".to_owned())) })
    }
}

#[tokio::test]
async fn the_address_that_was_checked_is_dialled_whatever_the_name_leads_to_by_then() {
    let name = HostName::new("web1").expect("a name");
    let link = Arc::new(Rebinding { name, resolved: AtomicUsize::new(0), dialled: Mutex::default() });
    let target = url("http://rebinding.example/");
    let ask = async || {
        let via: Arc<dyn Link> = link.clone();
        let fetch = Fetch { addresses: Addresses::Public, via: Some(via), ..get(&target) };
        HttpClient::new().fetch(fetch).await
    };
    assert_eq!(ask().await, Err(HttpFailure::Connect("nobody is reached".to_owned())));
    let inside = "`rebinding.example` leads to 169.254.169.254, which is no public address";
    assert_eq!(ask().await, Err(HttpFailure::Denied(inside.to_owned())));
    assert_eq!(link.resolved.load(Ordering::Relaxed), 2, "once a request");
    assert_eq!(*link.dialled.lock().expect("no panic"), ["93.184.215.14:80"]);
}

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

/// Limits with a short body.
static SMALL: LazyLock<Limits> = LazyLock::new(|| Limits::default().with(Limit::HttpBody, 1000));

fn get(url: &Url) -> Fetch<'_> {
    Fetch {
        method: "GET",
        url,
        connect_to: None,
        via: None,
        guard: None,
        headers: &[],
        body: Vec::new(),
        limits: &SMALL,
        timeout: Duration::from_secs(10),
        addresses: Addresses::Any,
        authorities: None,
    }
}

async fn answered(answer: &[u8]) -> Result<Fetched, HttpFailure> {
    let (port, _) = server(answer.to_vec()).await;
    HttpClient::new().fetch(get(&url(&format!("http://127.0.0.1:{port}/")))).await
}

#[tokio::test]
async fn the_name_of_the_url_goes_to_the_address_that_was_said() {
    for via in [None, Some(link())] {
        let (port, task) =
            server(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\n".to_vec())
                .await;
        let url = url("http://Shop.example.com:8080/up?x=1");
        let headers = [("X-Probe".to_owned(), "1".to_owned())];
        let connect_to = Some(("127.0.0.1", port));
        let fetch =
            Fetch { connect_to, via, headers: &headers, body: b"body".to_vec(), method: "POST", ..get(&url) };
        let answer = HttpClient::new().fetch(fetch).await.expect("an answer");
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            answer,
            Fetched {
                status: 302,
                headers: vec![header("location", "/x"), header("set-cookie", "a"), header("set-cookie", "b")],
                body: Vec::new(),
                truncated: false,
            }
        );
        let agent = concat!("cutover/", env!("CARGO_PKG_VERSION"));
        assert_eq!(
            task.await.expect("a request"),
            format!(
                "POST /up?x=1 HTTP/1.1\r\nuser-agent: {agent}\r\nx-probe: 1\r\nhost: shop.example.com:8080\r\ncontent-length: 4\r\n\r\nbody"
            )
        );
    }
}

#[tokio::test]
async fn bodies_are_cut_at_the_limit() {
    let exact = answered(format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1000)).as_bytes()).await;
    assert_eq!(exact.map(|answer| (answer.body.len(), answer.truncated)), Ok((1000, false)));
    let longer = answered(format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1001)).as_bytes()).await;
    assert_eq!(longer.map(|answer| (answer.body.len(), answer.truncated)), Ok((1000, true)));
}

#[tokio::test]
async fn what_is_no_answer_is_broken() {
    for answer in [
        &b""[..],
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Length: 11\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX",
    ] {
        let outcome = answered(answer).await;
        assert!(matches!(outcome, Err(HttpFailure::Broken(_))), "{:?}", outcome.map(|answer| answer.status));
    }
    let flood = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(100_000));
    let flooded = HttpFailure::Exceeded(SMALL.breach(Limit::HttpHeaders));
    assert_eq!(answered(flood.as_bytes()).await, Err(flooded));
}

#[tokio::test]
async fn nobody_there_means_nothing_was_sent() {
    let free =
        TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address").port();
    let target = url(&format!("http://127.0.0.1:{free}/"));
    assert_eq!(
        HttpClient::new().fetch(get(&target)).await,
        Err(HttpFailure::Connect(format!("127.0.0.1:{free}: connection refused")))
    );
    let over_there = HttpClient::new().fetch(Fetch { via: Some(link()), ..get(&target) }).await;
    match over_there {
        Err(HttpFailure::Connect(text)) => assert!(text.contains(&free.to_string()), "{text}"),
        other => panic!("{other:?}"),
    }
    let nameless = HttpClient::new().fetch(get(&url("http://nothing.invalid/"))).await;
    assert!(matches!(nameless, Err(HttpFailure::Unresolved(_))), "{nameless:?}");
    let (port, _) = server(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).await;
    let plain = HttpClient::new().fetch(get(&url(&format!("https://127.0.0.1:{port}/")))).await;
    assert!(matches!(plain, Err(HttpFailure::Tls(_))), "{plain:?}");
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_unless_it_was_meant() {
    for via in [None, Some(link())] {
        let target = url("http://localhost:1/");
        let fetch = Fetch { addresses: Addresses::Public, via, ..get(&target) };
        let outcome = HttpClient::new().fetch(fetch).await;
        assert!(
            matches!(&outcome, Err(HttpFailure::Denied(text)) if text.starts_with("`localhost` leads to ")),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn silence_ends_with_the_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let target = url(&format!("http://{}/", listener.local_addr().expect("an address")));
    let timeout = Duration::from_millis(200);
    assert_eq!(
        HttpClient::new().fetch(Fetch { timeout, ..get(&target) }).await,
        Err(HttpFailure::TimedOut("no whole answer within 0.2 s".to_owned()))
    );
}

#[tokio::test]
async fn requests_that_rule_the_connection_are_not_sent() {
    let target = url("http://127.0.0.1:1/");
    for (method, name, value, reason) in [
        ("CONNECT", "x", "y", "`CONNECT` is no method that can be sent"),
        ("GET /\r\n", "x", "y", "`GET /\r\n` is no method that can be sent"),
        ("GET", "Host", "y", "the engine itself sends header `Host`"),
        ("GET", "Transfer-Encoding", "chunked", "the engine itself sends header `Transfer-Encoding`"),
        ("GET", "a b", "y", "header `a b` can't be sent"),
        ("GET", "a", "y\r\nb: c", "header `a` can't be sent"),
    ] {
        let headers = [(name.to_owned(), value.to_owned())];
        let outcome = HttpClient::new().fetch(Fetch { method, headers: &headers, ..get(&target) }).await;
        assert_eq!(outcome, Err(HttpFailure::Invalid(reason.to_owned())));
    }
    let headers = [("a".to_owned(), "y".repeat(70_000))];
    let outcome = HttpClient::new().fetch(Fetch { headers: &headers, ..get(&target) }).await;
    assert_eq!(outcome, Err(HttpFailure::Exceeded(SMALL.breach(Limit::HttpHeaders))));
}

#[tokio::test]
async fn what_only_reads_is_asked_again_when_the_way_to_its_host_breaks() {
    let ask = async |method: &str, breaks: usize| {
        let (port, _task) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()).await;
        let url = url(&format!("http://127.0.0.1:{port}/"));
        let via: Arc<dyn Link> = Arc::new(Breaking { link: link(), left: AtomicUsize::new(breaks) });
        let answer = HttpClient::new().fetch(Fetch { method, via: Some(via), ..get(&url) }).await;
        answer
            .map(|answer| answer.status)
            .map_err(|failure| failure.to_string().replace(&port.to_string(), "PORT"))
    };
    let broke = Err("127.0.0.1:PORT from `web1`: the connection to host `web1` broke".to_owned());
    assert_eq!(ask("GET", 2).await, Ok(200));
    assert_eq!(ask("GET", 3).await, broke);
    assert_eq!(ask("POST", 1).await, broke);
    assert_eq!(ask("POST", 0).await, Ok(200));
}
