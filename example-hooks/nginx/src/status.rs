//! What nginx itself says on its status port.

use cutover_hooks::http::{HttpError, Request};
use cutover_hooks::{Call, Color, HookError};

use crate::file_test::FileTest;
use crate::include::{VERSION, servers};

/// An answer of the status port.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Status {
    /// The colour that the next request would get.
    pub(crate) color: Option<Color>,
    /// Whether nginx sees the file `probe`.
    pub(crate) probe: bool,
}

const HINT: &str = "install what `cutover setup` prints for this host, and reload nginx";

/// Asks the running nginx.
pub(crate) fn ask(style: &FileTest, call: &Call, router: &str) -> Result<Status, HookError> {
    let address = format!("127.0.0.1:{}", style.status_port);
    let request = Request::new("GET", format!("http://{}:{}/", style.status_host(), style.status_port));
    let response = match request.connect_to(&address).via(router).send() {
        Ok(response) => response,
        Err(HttpError::Connect(reason)) => {
            let text = format!("nginx on `{router}` does not answer: {reason}");
            return Err(HookError::failed(text).hint(format!("start nginx; where it runs, {HINT}")));
        }
        Err(error) => return Err(error.into()),
    };
    read(style, call, router, &response.text)
}

/// Takes the answer apart, and makes sure that it is about these very instances.
fn read(style: &FileTest, call: &Call, router: &str, text: &str) -> Result<Status, HookError> {
    let mut lines = text.lines();
    if lines.next() != Some(format!("cutover {VERSION} {}", style.name).as_str()) {
        let text = format!("nginx on `{router}` does not know `{}`", style.name);
        return Err(HookError::failed(text).hint(HINT));
    }
    let mut status = Status { color: None, probe: false };
    for line in lines {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match (key, value) {
            ("color", "blue") => status.color = Some(Color::Blue),
            ("color", "green") => status.color = Some(Color::Green),
            ("probe", value) => status.probe = value == "yes",
            ("blue", found) => check(call, router, Color::Blue, found)?,
            ("green", found) => check(call, router, Color::Green, found)?,
            _ => {}
        }
    }
    Ok(status)
}

fn check(call: &Call, router: &str, color: Color, found: &str) -> Result<(), HookError> {
    let wanted = servers(call, router, color)?.join(" ");
    if wanted == found {
        return Ok(());
    }
    let text = format!("nginx on `{router}` sends {color} to {found}, cutover.toml says {wanted}");
    Err(HookError::failed(text).hint(HINT))
}
