//! `--locked`.

use clap::Args;

use super::failure::Failure;
use crate::config::Loaded;
use crate::model::view::{ExitCode, Problem};
use crate::model::{Hook, HookSource};
use crate::run::lock_name;

/// Of the commands that load hooks, for those who deploy without a person at hand.
#[derive(Debug, Args)]
pub(super) struct LockFlag {
    /// Fail where a hook that does not come with cutover is not in cutover.lock
    #[arg(long)]
    locked: bool,
}

impl LockFlag {
    /// # Errors
    /// With every hook that the lock file does not name. Whether their components are the right ones is looked at wherever they are loaded.
    pub(super) fn demand(&self, loaded: &Loaded) -> Result<(), Failure> {
        let is_open = |hook: &&&Hook| {
            self.locked && hook.locked.is_none() && !matches!(hook.source, HookSource::Builtin(_))
        };
        let lock = lock_name(loaded.file());
        let hooks = loaded.deployment.hooks();
        let problems: Vec<Problem> = hooks
            .iter()
            .filter(is_open)
            .map(|hook| {
                let requested = hook.source.requested(&loaded.deployment.root);
                let text = format!("hook `{}`: `{requested}` is not in `{lock}`", hook.title);
                Problem::new("hook/not-locked", text, ExitCode::Configuration)
                    .hint(format!("`cutover hook update {}` writes it there", hook.title))
            })
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
    }
}
