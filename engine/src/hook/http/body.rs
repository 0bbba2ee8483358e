//! A body up to a limit.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::HttpFailure;
use super::client::broken;
use crate::model::{Limit, Limits};

/// The body, and whether it was longer than its limit and was cut.
pub(super) async fn collect(mut body: Incoming, limits: &Limits) -> Result<(Vec<u8>, bool), HttpFailure> {
    let mut bytes = Vec::new();
    loop {
        let frame = timeout(limits.time(Limit::HttpIdle), body.frame()).await;
        let frame = frame.map_err(|_| HttpFailure::Exceeded(limits.breach(Limit::HttpIdle)))?;
        let Some(frame) = frame else { return Ok((bytes, false)) };
        let Ok(data) = frame.map_err(|error| broken(&error, limits))?.into_data() else { continue };
        let room = limits.size(Limit::HttpBody) - bytes.len();
        bytes.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return Ok((bytes, true));
        }
    }
}
