//! More than anyone asked for.

use cutover_hooks::engine::{self, Level};
use cutover_hooks::hosts::{self, Command};
use cutover_hooks::http::Request;

use crate::told;

/// Times that are too many, unless somebody stops it.
const OFTEN: usize = 1000;

pub(crate) fn long_line() -> String {
    for _ in 0..100 {
        engine::log(Level::Info, "x".repeat(100_000));
    }
    "logged".to_owned()
}

/// Arguments of six million bytes.
pub(crate) fn long_request(program: &str) -> String {
    let args = vec!["x".repeat(10_000); 600];
    told(hosts::exec("web1", &Command::new(program).args(args)))
}

/// Content of twenty million bytes.
pub(crate) fn long_content(path: &str) -> String {
    told(hosts::write_bytes("web1", path, &vec![0; 20_000_000], None))
}

pub(crate) fn headers(url: &str) -> String {
    let request = Request::new("GET", url).header("x-flood", "y".repeat(70_000));
    request.send().map_or_else(|error| format!("{error:?}"), |answer| answer.status.to_string())
}

pub(crate) fn fetch_often(url: &str) -> String {
    often(|| told(Request::new("GET", url).send()))
}

pub(crate) fn often(deed: impl Fn() -> String) -> String {
    (0..OFTEN).map(|_| deed()).last().unwrap_or_default()
}
