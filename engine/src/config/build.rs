//! `[build]`.

use super::format;
use super::hook;
use super::reader::Reader;
use super::resolve::Resolver;
use super::shape::{Key, Keys, Shape};
use crate::model::Build;

/// The table.
pub(super) static KEYS: Keys = Keys::new(
    "How a revision becomes a release.",
    &[
        hook::source("builtin:command-build"),
        hook::SETTINGS,
        hook::timeout("15m", "For the whole build."),
        hook::GRANTS,
        hook::LIMITS,
        Key::optional(
            "repository",
            Shape::Text(&format::REPOSITORY),
            "Where revisions come from. Default: the remote of the checkout that the file lies in.",
        ),
        Key::text(
            "branch",
            Shape::Text(&format::BRANCH),
            "main",
            "The only branch that may go live; `*` for any.",
        ),
        Key::text(
            "builder",
            Shape::Text(&format::NAME),
            "local",
            "Host that builds, of `[hosts]`; `local` is this machine. It gets a clean checkout and needs no git; what it makes is fetched.",
        ),
    ],
);

impl Resolver<'_> {
    /// Reads the table.
    pub(super) fn build(&mut self, root: &Reader<'_>) -> Build {
        let table = root.table("build", &KEYS);
        let builder = match table.text("builder") {
            Some("local") | None => self.this_machine(),
            Some(name) => {
                self.host_or(name, &table.span("builder"), &["local"]).unwrap_or_else(|| self.this_machine())
            }
        };
        self.used_hosts.insert(builder.clone());
        Build {
            hook: self.hook(&table, "build", "build"),
            repository: table.text("repository").map(str::to_owned),
            branch: table.string("branch"),
            builder,
        }
    }
}
