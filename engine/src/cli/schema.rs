//! `cutover schema`.

use clap::Args;

use super::invocation::Invocation;
use super::{DONE, Ended};
use crate::config;

/// Print the JSON Schema of cutover.toml, for editors
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  cutover schema > cutover.schema.json  then `#:schema ./cutover.schema.json` atop cutover.toml")]
pub(super) struct Arguments {}

impl Arguments {
    pub(super) fn run(self, invocation: &Invocation) -> Ended {
        invocation.output.data(&format!("{:#}\n", config::schema()));
        Ok(DONE)
    }
}
