//! The style `file-test`: a file decides on each request. Nothing is reloaded, nothing that root reads is written.

use cutover_hooks::setup::{own_directory, parent};
use cutover_hooks::{Call, Color, Context, HookError, Observation, Routing, flags, hosts};

use crate::include::{QUIET, http_level};
use crate::{include, status, word};

/// Everything that the style needs to know.
#[derive(Debug)]
pub struct FileTest {
    pub(crate) name: String,
    pub(crate) directory: String,
    pub(crate) status_port: u16,
    pub(crate) http_include: String,
    pub(crate) location_include: String,
}

/// What nginx says of itself.
#[derive(Debug, PartialEq, Eq)]
struct Status {
    /// The colour that the next request would get.
    color: Option<Color>,
    /// Whether nginx sees the file `probe`.
    probe: bool,
}

impl FileTest {
    /// Asks the running nginx, and makes sure that it speaks of these very instances.
    fn ask(&self, call: &Call, router: &str) -> Result<Status, HookError> {
        let answer = status::ask(&self.name, self.status_port, router)?;
        for color in [Color::Blue, Color::Green] {
            let found = answer.value(color.as_str()).unwrap_or_default();
            let wanted = include::servers(call, router, color)?.join(" ");
            if wanted != found {
                let text =
                    format!("nginx on `{router}` sends {color} to {found}, cutover.toml says {wanted}");
                return Err(HookError::failed(text).hint(status::HINT));
            }
        }
        let color = match answer.value("color") {
            Some("blue") => Some(Color::Blue),
            Some("green") => Some(Color::Green),
            _ => None,
        };
        Ok(Status { color, probe: answer.value("probe") == Some("yes") })
    }

    fn probe(&self) -> String {
        format!("{}/probe", self.directory)
    }

    pub(crate) fn observe(&self, call: &Call, router: &str) -> Result<Observation, HookError> {
        let color = self.ask(call, router)?.color;
        let flagged = flags::read(router, &self.directory)?;
        let mut labels = vec![("flag".to_owned(), word(flagged).to_owned())];
        if flagged != color {
            // Either a switch came in between, or the workers don't see what we see.
            labels.push(("nginx-sees".to_owned(), word(color).to_owned()));
        }
        Ok(Observation { routing: Some(Routing::to(color)), settled: flagged == color, labels })
    }

    pub(crate) fn prepare(
        &self,
        call: &Call,
        router: &str,
        want: Option<Color>,
    ) -> Result<String, HookError> {
        let now = self.ask(call, router)?.color;
        self.check_view(call, router)?;
        if now == want {
            return Ok(String::new());
        }
        let line = |color: Option<Color>| match color {
            Some(color) => Ok(format!("{color}: {}", include::servers(call, router, color)?.join(" "))),
            None => Ok::<String, HookError>("no colour: 503".to_owned()),
        };
        Ok(format!("--- {router}, now\n+++ {router}, then\n-{}\n+{}\n", line(now)?, line(want)?))
    }

    /// Whether nginx's workers see a file that appears among the flags: a directory that they can't enter would silently look empty.
    fn check_view(&self, call: &Call, router: &str) -> Result<(), HookError> {
        let probe = self.probe();
        hosts::write_text(router, &probe, "", Some(0o644)).context("write among the flags").map_err(
            |error| error.hint("the directory is made once, for the deploy user: `cutover setup` prints how"),
        )?;
        let seen = self.ask(call, router);
        hosts::remove(router, &probe)?;
        if seen?.probe {
            return Ok(());
        }
        let text = format!("nginx's workers on `{router}` can't see the files in `{}`", self.directory);
        Err(HookError::failed(text).hint("each directory on the way to it must be `chmod o+x`"))
    }

    pub(crate) fn apply(&self, router: &str, want: Option<Color>) -> Result<(), HookError> {
        let text = "Requests go to this colour while the file is here; green goes before blue.\n";
        let done = flags::write(router, &self.directory, want, text);
        done.context(format!("switch `{router}` to {}", word(want)))
    }

    pub(crate) fn discard(&self, router: &str) -> Result<(), HookError> {
        Ok(hosts::remove(router, &self.probe())?)
    }

    /// What is to be done once on a router's host, as a script.
    pub(crate) fn setup(&self, call: &Call, router: &str, user: &str) -> Result<String, HookError> {
        let Self { name, directory, http_include, location_include, .. } = self;
        let (http, location) = (parent(http_include), parent(location_include));
        let (place, included) = http_level(http_include);
        let made = own_directory(directory, user);
        let mut parents = format!("mkdir -p {location}\n");
        if http != location {
            parents.push_str(&place);
        }
        Ok(format!(
            "# nginx on {router}: the colour of {name} is a file in {directory}\n\
             {made}\
             {parents}\
             cat > {http_include} <<'CUTOVER'\n{}CUTOVER\n\
             cat > {location_include} <<'CUTOVER'\n{}CUTOVER\n\
             {included}\
             # Then, in the server block of {name}:\n\
             #     location / {{ include {location_include}; }}\n\
             # and: nginx -t && nginx -s reload\n\
             {QUIET}",
            include::http(self, call, router)?,
            include::location(self),
        ))
    }
}
