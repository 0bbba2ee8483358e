//! The files that say with which colour Apache begins: for restarts, which know nothing of what the balancer-manager was told.

use cutover_hooks::{Color, Context, HookError, flags, hosts};

use crate::settings::Site;
use crate::word;

impl Site {
    fn probe(&self) -> String {
        format!("{}/probe", self.directory)
    }

    /// The colour that the files name.
    pub(crate) fn begins_with(&self, router: &str) -> Result<Option<Color>, HookError> {
        flags::read(router, &self.directory)
    }

    /// Lets Apache begin with a colour from now on.
    pub(crate) fn begin_with(&self, router: &str, color: Option<Color>) -> Result<(), HookError> {
        let text = "Apache begins with this colour while the file is here; green goes before blue.\n";
        let done = flags::write(router, &self.directory, color, text);
        done.context(format!("let `{router}` begin with {}", word(color)))
    }

    /// Whether the files can be written when it comes to it.
    pub(crate) fn check_files(&self, router: &str) -> Result<(), HookError> {
        let probe = self.probe();
        hosts::write_text(router, &probe, "", Some(0o644))
            .context(format!("write in `{}` on `{router}`", self.directory))
            .map_err(|error| {
                error.hint("the directory is made once, for the deploy user: `cutover setup` prints how")
            })?;
        Ok(hosts::remove(router, &probe)?)
    }

    /// Removes what a check has left.
    pub(crate) fn discard(&self, router: &str) -> Result<(), HookError> {
        Ok(hosts::remove(router, &self.probe())?)
    }
}
