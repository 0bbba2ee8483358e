//! Data for tests, in few words.

use crate::hosts::{HostError, Output};
use crate::http::{HttpError, Response};
use crate::{Call, Color, Instance, Release};

/// A program's end.
///
/// # Errors
/// None; the type fits [`super::World::program`].
pub fn exit(status: i32, text: &str) -> Result<Output, HostError> {
    let (out, errors) = if status == 0 { (text, "") } else { ("", text) };
    Ok(Output { status, out: out.to_owned(), errors: errors.to_owned(), truncated: false })
}

/// An answer over HTTP.
///
/// # Errors
/// None; the type fits [`super::World::http`].
pub fn response(status: u16, headers: &[(&str, &str)], text: &str) -> Result<Response, HttpError> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(Response { status, headers, text: text.to_owned(), bytes: Vec::new(), truncated: false })
}

/// An instance that listens on loopback: 4001 for blue, 4002 for green.
#[must_use]
pub fn instance(host: &str, color: Color, address: &str) -> Instance {
    Instance {
        host: host.to_owned(),
        color,
        listen: "127.0.0.1".to_owned(),
        address: address.to_owned(),
        port: if color == Color::Blue { 4001 } else { 4002 },
        labels: Vec::new(),
    }
}

/// A call about release `r2` of `shop`, going green.
#[must_use]
pub fn call(settings: &str, instances: Vec<Instance>) -> Call {
    Call {
        deployment: "d1".to_owned(),
        app: "shop".to_owned(),
        release: Release {
            id: "r2".to_owned(),
            revision: Some("9f3c2a1".to_owned()),
            version: None,
            digest: String::new(),
            labels: Vec::new(),
        },
        previous: None,
        color: Color::Green,
        attempt: 1,
        instances,
        settings: settings.to_owned(),
        facts: Vec::new(),
    }
}
