//! What Caddy itself says on its status port. A reload replaces its whole configuration at once, so what answers here is what routes.

use cutover_hooks::http::{HttpError, Request, Response};
use cutover_hooks::{Call, Color, HookError};

use crate::include::{VERSION, upstreams};
use crate::settings::Site;

/// An answer of the status port.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Status {
    /// The colour that the next request would get.
    pub(crate) color: Option<Color>,
    /// Whether Caddy sees the file `probe`.
    pub(crate) probe: bool,
}

const HINT: &str = "install what `cutover setup` prints for this host, and reload Caddy";

impl Site {
    /// Asks the running Caddy.
    pub(crate) fn ask(&self, call: &Call, router: &str) -> Result<Status, HookError> {
        let address = format!("127.0.0.1:{}", self.status_port);
        // Tells the applications on one status port apart.
        let request = Request::new("GET", format!("http://cutover-{}:{}/", self.name, self.status_port));
        match request.connect_to(&address).via(router).send() {
            Ok(response) => self.read(call, router, &response),
            Err(HttpError::Connect(reason)) => {
                let text = format!("Caddy on `{router}` does not answer: {reason}");
                Err(HookError::failed(text).hint(format!("start Caddy; where it runs, {HINT}")))
            }
            Err(HttpError::TimedOut(reason) | HttpError::Broken(reason)) => {
                let text = format!("Caddy on `{router}` did not answer to its end: {reason}");
                Err(HookError::temporary(text).hint("its log may tell why"))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the answer apart, and makes sure that it is about these very instances.
    fn read(&self, call: &Call, router: &str, response: &Response) -> Result<Status, HookError> {
        let mut lines = response.text.lines();
        if response.status != 200 || lines.next() != Some(format!("cutover {VERSION} {}", self.name).as_str())
        {
            let text = format!(
                "Caddy on `{router}` does not know `{}`: 127.0.0.1:{} answered {}",
                self.name,
                self.status_port,
                response.summary()
            );
            return Err(HookError::failed(text).hint(HINT));
        }
        let value = |key: &str| {
            let mut values = lines.clone().filter_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
            values.next().unwrap_or_default()
        };
        for color in [Color::Blue, Color::Green] {
            let (wanted, found) = (upstreams(call, router, color)?, value(color.as_str()));
            if wanted != found {
                let text =
                    format!("Caddy on `{router}` sends {color} to `{found}`, cutover.toml says `{wanted}`");
                return Err(HookError::failed(text).hint(HINT));
            }
        }
        let color = match value("color") {
            "blue" => Some(Color::Blue),
            "green" => Some(Color::Green),
            "none" => None,
            other => {
                let text =
                    format!("Caddy on `{router}` names the colour `{other}`: want blue, green or none");
                return Err(HookError::failed(text).hint(HINT));
            }
        };
        Ok(Status { color, probe: value("probe") == "yes" })
    }
}
