//! Fuzz targets: all that the engine reads and that others may have written. Each takes any bytes, and panics where a rule is broken.
//!
//! `tests/fuzz` gives them to libFuzzer; the tests here replay its corpus and mutations of it. They are in no other build.

pub use crate::config::fuzz::{configuration, grants, lock_file};
pub use crate::store::fuzz::{journal, state};
pub use crate::transport::fuzz::frames;

#[cfg(test)]
mod tests {
    use test_support::Corpus;

    #[test]
    fn journal() {
        Corpus::read("journal", &[]).replay(super::journal);
    }

    #[test]
    fn state() {
        Corpus::read("state", &[]).replay(super::state);
    }

    #[test]
    fn frames() {
        Corpus::read("frames", &[]).replay(super::frames);
    }

    #[test]
    fn configuration() {
        Corpus::read("configuration", &[("config", "toml")]).replay(super::configuration);
    }

    #[test]
    fn grants() {
        Corpus::read("grants", &[]).replay(super::grants);
    }

    #[test]
    fn lock_file() {
        Corpus::read("lock_file", &[("golden-e2e", "lock")]).replay(super::lock_file);
    }
}
