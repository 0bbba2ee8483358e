//! The files that name the colour.

use cutover_hooks::{Call, Color, Context, HookError, flags, hosts};

use crate::settings::Site;
use crate::word;

impl Site {
    fn probe(&self) -> String {
        format!("{}/probe", self.directory)
    }

    /// The colour that the files name.
    pub(crate) fn flagged(&self, router: &str) -> Result<Option<Color>, HookError> {
        flags::read(router, &self.directory)
    }

    /// Whether Caddy sees a file that appears among the flags: a directory that it can't enter would silently look empty.
    pub(crate) fn check_view(&self, call: &Call, router: &str) -> Result<(), HookError> {
        let probe = self.probe();
        hosts::write_text(router, &probe, "", Some(0o644))
            .context(format!("write in `{}` on `{router}`", self.directory))
            .map_err(|error| {
                error.hint("the directory is made once, for the deploy user: `cutover setup` prints how")
            })?;
        let seen = self.ask(call, router);
        hosts::remove(router, &probe)?;
        if seen?.probe {
            return Ok(());
        }
        Err(self.unseen(router))
    }

    /// There are files that Caddy does not find.
    pub(crate) fn unseen(&self, router: &str) -> HookError {
        let text = format!("Caddy on `{router}` can't see the files in `{}`", self.directory);
        HookError::failed(text).hint(
            "each directory on the way to it must be `chmod o+x`, and Caddy's configuration name that one",
        )
    }

    /// Names a colour.
    pub(crate) fn switch(&self, router: &str, want: Option<Color>) -> Result<(), HookError> {
        let text = "Requests go to this colour while the file is here; green goes before blue.\n";
        let done = flags::write(router, &self.directory, want, text);
        done.context(format!("switch `{router}` to {}", word(want)))
    }

    /// Removes what a check has left.
    pub(crate) fn discard(&self, router: &str) -> Result<(), HookError> {
        Ok(hosts::remove(router, &self.probe())?)
    }
}
