//! A body up to a limit.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::HttpFailure;
use super::client::broken;
use crate::hook::limits;

/// The body, and whether it was longer than `limit` bytes and was cut.
pub(super) async fn collect(mut body: Incoming, limit: usize) -> Result<(Vec<u8>, bool), HttpFailure> {
    let mut bytes = Vec::new();
    loop {
        let frame = timeout(limits::HTTP_IDLE, body.frame()).await.map_err(|_| {
            HttpFailure::TimedOut(format!("the answer stopped for {} s", limits::HTTP_IDLE.as_secs()))
        })?;
        let Some(frame) = frame else { return Ok((bytes, false)) };
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        let room = limit - bytes.len();
        bytes.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return Ok((bytes, true));
        }
    }
}
