//! A journal: one object a line, named by the offset at which the line begins, so that the names give the order and each place is
//! taken once.

use cutover_host::operation::FaultKind;

use super::objects::Objects;
use super::{fault, not_found};
use crate::transport::Failure;

/// Whether a file is kept line by line.
pub(super) fn is_one(path: &str) -> bool {
    path.contains("/journal/")
}

/// All lines, whatever is missing between them: their own chain tells that.
pub(super) async fn read(objects: &Objects, path: &str, limit: u64) -> Result<Vec<u8>, Failure> {
    let listed = objects.list(path).await?;
    let size: u64 = listed.iter().map(|(_, size)| size).sum();
    let parts: Vec<String> = listed.into_iter().map(|(name, _)| name).collect();
    if parts.is_empty() {
        return Err(not_found(path));
    }
    if size > limit {
        let message = format!("`{path}` in `{}` is larger than {limit} bytes", objects.url());
        return Err(fault(FaultKind::TooLarge, message));
    }
    objects.concat(path, &parts, limit).await
}

/// Takes the place that begins `at`. Whoever was there before keeps it.
pub(super) async fn append(objects: &Objects, path: &str, at: u64, content: Vec<u8>) -> Result<(), Failure> {
    if objects.create(&format!("{path}/{}", part(at)), content).await? {
        return Ok(());
    }
    Err(fault(FaultKind::Conflict, format!("`{path}` goes on after {at} bytes already")))
}

/// Copies the lines as they are, whatever is missing between them. Whether we still `may` is asked before each.
pub(super) async fn copy<Asked>(
    objects: &Objects,
    path: &str,
    to: &str,
    may: impl Fn() -> Asked,
) -> Result<(), Failure>
where
    Asked: Future<Output = Result<(), Failure>>,
{
    for (name, size) in objects.list(path).await? {
        let line = objects.concat(path, std::slice::from_ref(&name), size).await?;
        may().await?;
        // There already from a copy that was broken off: no line is ever changed.
        objects.create(&format!("{to}/{name}"), line).await?;
    }
    Ok(())
}

/// Removes the lines, the last one first: what is left in between is the beginning of it. Nothing can be removed on a condition, so
/// whether we still `may` is asked before each.
pub(super) async fn remove<Asked>(
    objects: &Objects,
    path: &str,
    may: impl Fn() -> Asked,
) -> Result<(), Failure>
where
    Asked: Future<Output = Result<(), Failure>>,
{
    for (name, _) in objects.list(path).await?.into_iter().rev() {
        may().await?;
        objects.remove(&format!("{path}/{name}")).await?;
    }
    Ok(())
}

fn part(offset: u64) -> String {
    format!("{offset:020}")
}
