//! `cutover schema`.

use clap::Args;

use super::invocation::Invocation;
use super::{DONE, Ended};
use crate::bundled::{BundledHook, HOOKS};
use crate::config;

/// Print the JSON Schema of cutover.toml, for editors
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  cutover schema > cutover.schema.json  then `#:schema ./cutover.schema.json` atop cutover.toml")]
pub(super) struct Arguments {}

impl Arguments {
    pub(super) fn run(self, invocation: &Invocation) -> Ended {
        let settings = |hook: &BundledHook| (hook.name, hook.kind, hook.settings_schema());
        let hooks: Vec<_> = HOOKS.iter().map(settings).collect();
        invocation.output.data(&format!("{:#}\n", config::schema(&hooks)));
        Ok(DONE)
    }
}
