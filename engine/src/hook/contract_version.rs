//! Versions of the contract: the one that this program speaks, and those that components say they were built for.

use std::fmt;

/// The version of `wit/`: what was built for it, or for an earlier patch of it, fits.
pub(super) const SPOKEN: ContractVersion = ContractVersion { major: 0, minor: 1, patch: 0 };

/// `0.1.0` of `cutover:hook/router@0.1.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContractVersion {
    major: u32,
    minor: u32,
    patch: u32,
}

impl ContractVersion {
    /// The interface and the version of a name that is one of the contract's: `router` and `0.1.0`.
    #[must_use]
    pub fn of(name: &str) -> Option<(&str, Self)> {
        let (interface, version) = name.strip_prefix("cutover:hook/")?.split_once('@')?;
        let mut parts = version.split('.').map(|part| part.parse().ok());
        let version = Self { major: parts.next()??, minor: parts.next()??, patch: parts.next()?? };
        parts.next().is_none().then_some((interface, version))
    }

    /// The newest that any of these names has.
    pub(super) fn newest<'a>(names: impl IntoIterator<Item = &'a String>) -> Option<Self> {
        names.into_iter().filter_map(|name| Self::of(name)).map(|(_, version)| version).max()
    }

    /// Whether this program speaks it.
    #[must_use]
    pub const fn is_spoken(self) -> bool {
        self.major == SPOKEN.major && self.minor == SPOKEN.minor
    }

    /// Whether a later version of this program may have what this one lacks.
    #[must_use]
    pub fn is_newer(self) -> bool {
        self > SPOKEN
    }

    /// What all that fit each other have in common: `0.1`.
    #[must_use]
    pub fn series(self) -> String {
        format!("{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for ContractVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_speaks_what_the_contract_says() {
        let first = include_str!("../../wit/types.wit").lines().next();
        assert_eq!(first, Some(format!("package cutover:hook@{SPOKEN};").as_str()));
    }

    #[test]
    fn a_name_has_a_version_or_is_none_of_the_contract() {
        let of = |name: &str| {
            let (interface, version) = ContractVersion::of(name)?;
            Some(format!("{interface} {version} {} {}", version.is_spoken(), version.is_newer()))
        };
        for (name, expected) in [
            ("cutover:hook/router@0.1.0", Some("router 0.1.0 true false")),
            ("cutover:hook/router@0.1.12", Some("router 0.1.12 true true")),
            ("cutover:hook/router@0.2.0", Some("router 0.2.0 false true")),
            ("cutover:hook/router@1.0.0", Some("router 1.0.0 false true")),
            ("cutover:hook/router@0.0.9", Some("router 0.0.9 false false")),
            ("cutover:hook/router@0.1", None),
            ("cutover:hook/router@0.1.0-rc.1", None),
            ("cutover:hook/router@0.1.0.0", None),
            ("cutover:hook/router", None),
            ("wasi:io/poll@0.1.0", None),
        ] {
            assert_eq!(of(name).as_deref(), expected, "{name}");
        }
    }
}
