//! The files that say with which colour Apache begins: for restarts, which know nothing of what the balancer-manager was told.

use cutover_hooks::hosts::{self, IfFound};
use cutover_hooks::{Color, Context, HookError};

use crate::settings::Site;
use crate::word;

impl Site {
    fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.directory)
    }

    /// The colour that the files name.
    pub(crate) fn begins_with(&self, router: &str) -> Result<Option<Color>, HookError> {
        for color in [Color::Green, Color::Blue] {
            if hosts::read_text(router, &self.file(color.as_str())).if_found()?.is_some() {
                return Ok(Some(color));
            }
        }
        Ok(None)
    }

    /// Lets Apache begin with a colour from now on. In each case the last change is the one that counts, at once and as a whole.
    pub(crate) fn begin_with(&self, router: &str, color: Option<Color>) -> Result<(), HookError> {
        let raise = |color: Color| {
            let text = "Apache begins with this colour while the file is here; green goes before blue.\n";
            hosts::write_text(router, &self.file(color.as_str()), text, Some(0o644))
        };
        let lower = |color: Color| hosts::remove(router, &self.file(color.as_str()));
        let done = match color {
            Some(Color::Green) => raise(Color::Green),
            Some(Color::Blue) => raise(Color::Blue).and_then(|()| lower(Color::Green)),
            None => lower(Color::Blue).and_then(|()| lower(Color::Green)),
        };
        done.context(format!("let `{router}` begin with {}", word(color)))
    }

    /// Whether the files can be written when it comes to it.
    pub(crate) fn check_files(&self, router: &str) -> Result<(), HookError> {
        let probe = self.file("probe");
        hosts::write_text(router, &probe, "", Some(0o644))
            .context(format!("write in `{}` on `{router}`", self.directory))
            .map_err(|error| {
                error.hint("the directory is made once, for the deploy user: `cutover setup` prints how")
            })?;
        Ok(hosts::remove(router, &probe)?)
    }

    /// Removes what a check has left.
    pub(crate) fn discard(&self, router: &str) -> Result<(), HookError> {
        Ok(hosts::remove(router, &self.file("probe"))?)
    }
}
