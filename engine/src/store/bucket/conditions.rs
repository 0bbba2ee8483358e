//! Whether a store keeps conditions. Some that speak S3 ignore them and overwrite; with those, two could hold the lock.

use cutover_host::operation::FaultKind;

use super::fault;
use super::objects::Objects;
use crate::transport::Failure;

/// Bytes of the object that is tried with.
const LIMIT: u64 = 1 << 10;

/// Tries both conditions on an object beside the state, under any holder of the lock or none.
///
/// # Errors
/// When the store ignores one of them or can't do it.
pub(super) async fn require(objects: &Objects, state: &str) -> Result<(), Failure> {
    let name = format!("{state}/conditions");
    let [there_is_none, it_is_as_seen] = objects.conditions();
    let ignored = |header: &str| {
        let message = format!(
            "`{}` ignores `{header}`: two deployments could hold one lock there; it can't keep the state",
            objects.url()
        );
        fault(FaultKind::NotAllowed, message)
    };
    // Another one may try at the same time: it is enough that a change is refused which must be.
    let first = match objects.get(&name, LIMIT).await? {
        Some(seen) => seen,
        None => {
            objects.put(&name, b"first".to_vec(), None).await?;
            match objects.get(&name, LIMIT).await? {
                Some(seen) => seen,
                None => return Err(ignored(there_is_none)),
            }
        }
    };
    if objects.put(&name, b"created over what is there".to_vec(), None).await? {
        return Err(ignored(there_is_none));
    }
    let next = if first.content == b"first" { &b"second"[..] } else { b"first" };
    if objects.put(&name, next.to_vec(), Some(first.version.clone())).await?
        && objects.put(&name, b"put over a version that is gone".to_vec(), Some(first.version)).await?
    {
        return Err(ignored(it_is_as_seen));
    }
    Ok(())
}
