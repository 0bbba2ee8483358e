//! What nginx itself says on its status port, which several applications may share.

use cutover_hooks::HookError;
use cutover_hooks::http::{HttpError, Request};

use crate::include::VERSION;

pub(crate) const HINT: &str = "install what `cutover setup` prints for this host, and reload nginx";

/// An answer of the status port: a key and its value on each line.
#[derive(Debug)]
pub(crate) struct Answer(String);

impl Answer {
    /// The value of a key, when the answer has it.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        let mut values = self.0.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
        values.next()
    }
}

/// The name by which an application is asked for.
pub(crate) fn host(name: &str) -> String {
    format!("cutover-{name}")
}

/// Asks the running nginx.
pub(crate) fn ask(name: &str, port: u16, router: &str) -> Result<Answer, HookError> {
    let request = Request::new("GET", format!("http://{}:{port}/", host(name)));
    let response = match request.connect_to(format!("127.0.0.1:{port}")).via(router).send() {
        Ok(response) => response,
        Err(HttpError::Connect(reason)) => {
            let text = format!("nginx on `{router}` does not answer: {reason}");
            return Err(HookError::failed(text).hint(format!("start nginx; where it runs, {HINT}")));
        }
        Err(error) => return Err(unanswered(router, error)),
    };
    match response.text.split_once('\n') {
        Some((first, rest)) if first == format!("cutover {VERSION} {name}") => Ok(Answer(rest.to_owned())),
        _ => {
            let said = response.summary();
            let text =
                format!("nginx on `{router}` does not know `{name}`: 127.0.0.1:{port} answered {said}");
            Err(HookError::failed(text).hint(HINT))
        }
    }
}

/// For a request that nginx has taken, and has not answered.
pub(crate) fn unanswered(router: &str, error: HttpError) -> HookError {
    match error {
        HttpError::TimedOut(reason) | HttpError::Broken(reason) => {
            let text = format!("nginx on `{router}` did not answer to its end: {reason}");
            HookError::temporary(text).hint("its error log may tell why")
        }
        error @ (HttpError::Denied(_) | HttpError::Connect(_) | HttpError::Tls(_) | HttpError::Other(_)) => {
            error.into()
        }
    }
}

/// An nginx that says nothing of the application's shares.
pub(crate) fn unknown(name: &str, router: &str) -> HookError {
    HookError::failed(format!("nginx on `{router}` does not know `{name}`")).hint(HINT)
}
