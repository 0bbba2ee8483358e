//! The style `map`: HAProxy looks into a map for each request. A switch is one command, and the file keeps it for the next start.

use cutover_hooks::hosts::{self, IfFound};
use cutover_hooks::{Call, Color, Context, HookError, Observation, Routing};

use crate::admin_socket::{AdminSocket, INSTALL};
use crate::backend::Backend;
use crate::map_file;
use crate::setup;
use crate::share::Share;

/// Everything that the style needs to know.
#[derive(Debug)]
pub struct Map {
    pub(crate) name: String,
    pub(crate) socket: String,
    pub(crate) map: String,
    pub(crate) blue: String,
    pub(crate) green: String,
    pub(crate) config: String,
    pub(crate) check_path: Option<String>,
}

/// What a router has: in the file, and in its memory.
struct Found {
    text: String,
    file: Share,
    running: Share,
}

impl Map {
    pub(crate) fn observe(&self, call: &Call, router: &str) -> Result<Observation, HookError> {
        let socket = self.socket(router);
        let found = self.find(router)?;
        let mut labels = vec![("map".to_owned(), found.running.to_string())];
        if found.file != found.running {
            // A reload would make it so.
            labels.push(("map-file".to_owned(), found.file.to_string()));
        }
        for color in [Color::Blue, Color::Green] {
            let backend = Backend::ask(&socket, self.backend(color))?;
            backend.require_instances(call, color)?;
            labels.push((format!("{color}-servers"), backend.words()));
        }
        let settled = found.file == found.running;
        Ok(Observation { routing: Some(found.running.routing()), settled, labels })
    }

    pub(crate) fn prepare(&self, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        let want = Share::of(want)?;
        let socket = self.socket(router);
        let found = self.find(router)?;
        for color in [Color::Blue, Color::Green] {
            let backend = Backend::ask(&socket, self.backend(color))?;
            backend.require_instances(call, color)?;
            if want.colors().any(|(wanted, _)| wanted == color) {
                backend.require_all_up(call, color)?;
            }
        }
        // Both as they are: whether it can be done at all, without effect.
        self.write(router, &found.text)?;
        socket.change(&self.command(found.running))?;
        if found.running == want && found.file == want {
            return Ok(String::new());
        }
        let lines = |share: Share, sign: char| {
            let line = |(color, percent): (Color, u32)| {
                let servers = setup::servers(call, router, color)?.join(" ");
                let share = if percent == 100 { String::new() } else { format!(" {percent} %") };
                Ok(format!("{sign}{color}{share}: {servers}\n"))
            };
            let lines: Result<Vec<String>, HookError> = share.colors().map(line).collect();
            lines.map(
                |lines| if lines.is_empty() { format!("{sign}no colour: 503\n") } else { lines.concat() },
            )
        };
        let (now, then) = (lines(found.running, '-')?, lines(want, '+')?);
        Ok(format!("--- {router}, now\n+++ {router}, then\n{now}{then}"))
    }

    pub(crate) fn apply(&self, router: &str, want: &Routing) -> Result<(), HookError> {
        let want = Share::of(want)?;
        let found = self.find(router)?;
        // The file first: HAProxy reads it only when it starts, so where it can't be written, nothing has changed.
        if found.file != want {
            let text = map_file::with_value(&found.text, &self.name, &want.value());
            self.write(router, &text.ok_or_else(|| self.no_line(router))?)?;
        }
        if found.running == want {
            return Ok(());
        }
        let Err(error) = self.socket(router).change(&self.command(want)) else { return Ok(()) };
        if matches!(error, HookError::Temporary(_)) || found.file == want {
            // It is not known whether HAProxy did it, or the file was so before.
            return Err(error);
        }
        Err(match self.write(router, &found.text) {
            Ok(()) => error,
            Err(back) => {
                error.hint(format!("the map file could not be put back to `{}`: {}", found.file, back.text()))
            }
        })
    }

    pub(crate) fn connections(&self, router: &str, color: Color) -> Result<u32, HookError> {
        Ok(Backend::ask(&self.socket(router), self.backend(color))?.sessions())
    }

    /// What is to be done once on a router's host, as a script.
    pub(crate) fn setup(&self, call: &Call, router: &str, user: &str) -> Result<String, HookError> {
        setup::map_script(self, call, router, user)
    }

    /// Asks HAProxy, and reads the file.
    fn find(&self, router: &str) -> Result<Found, HookError> {
        let Self { name, map, .. } = self;
        let running = self.running(router)?;
        let Some(text) = hosts::read_text(router, map).if_found().context("read the map file")? else {
            let text = format!("there is no map file `{map}` on `{router}`, though HAProxy has read it");
            return Err(
                HookError::failed(text).hint("`cutover setup` prints how it is made for the deploy user")
            );
        };
        let Some(value) = map_file::value(&text, name) else { return Err(self.no_line(router)) };
        let Some(file) = Share::parse(value) else {
            let text = format!("`{map}` on `{router}` has `{value}` for `{name}`");
            return Err(HookError::failed(text).hint(VALUES));
        };
        Ok(Found { file, running, text })
    }

    /// What HAProxy has in its memory.
    fn running(&self, router: &str) -> Result<Share, HookError> {
        let Self { name, map, .. } = self;
        let socket = self.socket(router);
        let line = format!("show map {map}");
        let answer = socket.ask(&line)?;
        if answer.starts_with("Unknown map identifier") {
            let text = format!("HAProxy on `{router}` has no map `{map}`");
            return Err(HookError::failed(text).hint(INSTALL));
        }
        let mut shares = Vec::new();
        for entry in answer.lines().filter(|line| !line.is_empty()) {
            let mut words = entry.splitn(3, ' ');
            let address = words.next().and_then(|word| word.strip_prefix("0x"));
            match (address, words.next(), words.next()) {
                (Some(_), Some(key), Some(value)) if key == name => shares.push(value),
                (Some(_), Some(_), _) => {}
                _ => return Err(socket.nonsense(&line, &answer)),
            }
        }
        let [value] = shares[..] else {
            let count = if shares.is_empty() { "no line" } else { "several lines" };
            let text = format!("HAProxy on `{router}` has {count} for `{name}` in its map `{map}`");
            let hint =
                format!("reload HAProxy, which reads the file anew; there, one line begins with `{name} `");
            return Err(HookError::failed(text).hint(hint));
        };
        Share::parse(value).ok_or_else(|| {
            let text = format!("HAProxy on `{router}` has `{value}` for `{name}` in its map `{map}`");
            HookError::failed(text).hint(VALUES)
        })
    }

    fn write(&self, router: &str, text: &str) -> Result<(), HookError> {
        hosts::write_text(router, &self.map, text, None).context("write the map file").map_err(|error| {
            error.hint("it and its directory belong to the deploy user: `cutover setup` prints how")
        })
    }

    fn no_line(&self, router: &str) -> HookError {
        let Self { name, map, .. } = self;
        HookError::failed(format!("`{map}` on `{router}` has no line for `{name}`"))
            .hint(format!("write `{name} -1` into it, and reload HAProxy: no colour gets requests then"))
    }

    fn command(&self, share: Share) -> String {
        format!("set map {} {} {}", self.map, self.name, share.value())
    }

    fn socket<'a>(&'a self, router: &'a str) -> AdminSocket<'a> {
        AdminSocket { router, socket: &self.socket }
    }

    fn backend(&self, color: Color) -> &str {
        match color {
            Color::Blue => &self.blue,
            Color::Green => &self.green,
        }
    }
}

const VALUES: &str = "it is the percentage of requests that green gets, 0 to 100, or -1 for no colour at all";
