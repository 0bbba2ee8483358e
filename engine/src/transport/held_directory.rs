//! A private directory on a host that is there for as long as it is held.

use std::time::Duration;

use cutover_host::operation::Operation;

use super::upload::{answered, nonsense};
use super::{Chunk, Failure, Flow, Link};
use crate::model::HostName;

/// For removing it: a large checkout has 100,000 files.
const REMOVAL: Duration = Duration::from_secs(60);

/// A path never has more bytes.
const LONGEST: usize = 1024;

/// A directory on a host, held. Dropping it lets go of it: the host removes it then, also when the connection breaks.
#[derive(Debug)]
pub struct HeldDirectory {
    host: HostName,
    path: String,
    flow: Flow,
}

impl HeldDirectory {
    /// Makes the directory `token` in `directory`.
    ///
    /// # Errors
    /// When the host can't be reached, or can't make it.
    pub async fn open(link: &dyn Link, directory: &str, token: &str) -> Result<Self, Failure> {
        let operation = Operation::HoldDirectory { directory: directory.to_owned(), token: token.to_owned() };
        let mut flow = link.open(operation.call()).await?;
        match flow.download.recv().await {
            Some(Chunk::Out(bytes)) => {
                let path = String::from_utf8(bytes).ok().filter(|path| is_plain(path, token));
                let path = path.ok_or_else(|| nonsense(link))?;
                Ok(Self { host: link.name().clone(), path, flow })
            }
            Some(Chunk::Errors(_)) => Err(nonsense(link)),
            None => Err(answered(link, flow.answer.await).err().unwrap_or_else(|| nonsense(link))),
        }
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> &HostName {
        &self.host
    }

    /// Absolute path on the host.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Has it removed, and waits for that.
    ///
    /// # Errors
    /// When the host could not remove all of it, or can't be asked: the next one that is made there removes what is left.
    pub async fn close(self) -> Result<(), Failure> {
        let Flow { upload, download, answer } = self.flow;
        drop((upload, download));
        match tokio::time::timeout(REMOVAL, answer).await {
            Ok(Ok(answer)) => answer.map(drop),
            Ok(Err(_)) => Err(Failure::Broken(format!("the connection to host `{}` broke", self.host))),
            Err(_) => {
                let seconds = REMOVAL.as_secs();
                Err(Failure::Broken(format!("host `{}` did not answer within {seconds} s", self.host)))
            }
        }
    }
}

/// Whether a path that a host tells can be one, and means nothing else where it is put into grants.
fn is_plain(path: &str, token: &str) -> bool {
    let fine = |c: char| !c.is_control() && !"*{}".contains(c);
    path.len() <= LONGEST
        && path.chars().all(fine)
        && path.rsplit_once('/').is_some_and(|(_, name)| name == token)
        && path
            .strip_prefix('/')
            .is_some_and(|rest| rest.split('/').all(|part| !part.is_empty() && part != "." && part != ".."))
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn a_host_tells_a_path_that_can_be_meant() {
        assert!(is_plain("/home/de ploy/.cache/cutover/builds/t1", "t1"));
        for path in [
            "",
            "t1",
            "builds/t1",
            "/builds/t2",
            "/builds/../t1",
            "//t1",
            "/b*/t1",
            "/{output}/t1",
            "/a\nb/t1",
        ] {
            assert!(!is_plain(path, "t1"), "{path:?}");
        }
        assert!(!is_plain(&format!("/{}/t1", "x".repeat(2000)), "t1"));
    }
}
