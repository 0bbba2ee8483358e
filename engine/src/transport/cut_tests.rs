//! Connections over SSH that somebody cuts while they are made.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};

use super::Link;
use super::ssh_tests::{facts, link, unreachable};
use super::sshd::Sshd;

/// A wire in front of a server: its first connections are cut after so many bytes of the server, all others pass.
struct Wire {
    port: u16,
    connections: Arc<AtomicUsize>,
    limits: Arc<Mutex<Vec<u64>>>,
}

impl Wire {
    async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("has one").port();
        let (connections, limits) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<u64>>>::default());
        let (count, cuts) = (Arc::clone(&connections), Arc::clone(&limits));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                let limit = cuts.lock().expect("not poisoned").pop();
                tokio::spawn(pass(client, server, limit.unwrap_or(u64::MAX)));
            }
        });
        Self { port, connections, limits }
    }

    /// Cuts the next connections, each after so many bytes.
    fn cut(&self, limits: &[u64]) {
        limits.clone_into(&mut self.limits.lock().expect("not poisoned"));
        self.connections.store(0, Ordering::Relaxed);
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn pass(client: TcpStream, server: u16, limit: u64) {
    let server = TcpStream::connect(("127.0.0.1", server)).await.expect("sshd listens");
    let (mut from_client, mut to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    let asking = tokio::spawn(async move { copy(&mut from_client, &mut to_server).await });
    let _ = copy(&mut from_server.take(limit), &mut to_client).await;
    let _ = to_client.shutdown().await;
    asking.abort();
}

async fn wired(sshd: &mut Sshd) -> (Wire, Arc<dyn Link>) {
    let wire = Wire::to(sshd.port).await;
    sshd.port = wire.port;
    sshd.trust("host_key.pub");
    (wire, link(sshd))
}

#[tokio::test]
async fn a_connection_that_is_cut_while_it_is_made_is_made_again() {
    let mut sshd = Sshd::start(None);
    let (wire, _) = wired(&mut sshd).await;
    // In the greeting, the exchange of keys, the login, the start of the helper.
    for limit in [0, 20, 300, 1500, 2500, 3500] {
        wire.cut(&[limit]);
        let answer = facts(&link(&sshd)).await;
        assert!(answer.is_ok(), "after {limit} bytes: {answer:?}");
        assert_eq!(wire.connections(), 2, "after {limit} bytes");
    }
}

#[tokio::test]
async fn one_that_is_cut_each_time_is_given_up() {
    let mut sshd = Sshd::start(None);
    let (wire, link) = wired(&mut sshd).await;
    wire.cut(&[20; 9]);
    let said = unreachable(&link).await;
    let place = format!("host `web1` (`127.0.0.1:{}`) can't be reached: ", wire.port);
    assert!(said.starts_with(&place), "{said}");
    assert_eq!(wire.connections(), 3, "{said}");
}
