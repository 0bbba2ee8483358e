//! Which line of deployments a host belongs to.
//!
//! The first deployment writes one random identifier to the home and to every host. Later ones compare: a host of another
//! lineage is shared with another setup, and a home without one (while hosts have one) was lost, or is not the home that
//! the last deployment used. Both would let two deployments run at once, so neither is ever guessed over.

use std::fmt;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::{StateDirectory, StoreFault};

/// Identifier of a line of deployments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "File", into = "File")]
pub struct Lineage(Ulid);

#[derive(Serialize, Deserialize)]
struct File {
    lineage: String,
}

impl Lineage {
    /// For a first deployment: `id` is fresh and random.
    #[must_use]
    pub const fn new(id: Ulid) -> Self {
        Self(id)
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Lineage> for File {
    fn from(lineage: Lineage) -> Self {
        Self { lineage: lineage.to_string() }
    }
}

impl TryFrom<File> for Lineage {
    type Error = String;
    fn try_from(file: File) -> Result<Self, String> {
        let id = Ulid::from_string(&file.lineage);
        id.map(Self).map_err(|_| format!("`{}` is no lineage", file.lineage.escape_debug()))
    }
}

/// The lineage of a deployment: the home's; for a first deployment `fresh`. `hosts` are those that are not the home.
///
/// A host without one is new here and will join. The home is written first (see [`super::Home::settle_lineage`]), so a
/// first deployment that dies in between leaves hosts without a lineage, never a home without one.
///
/// # Errors
/// [`StoreFault::Lineage`] for the first host that belongs to another line, or to one that the home knows nothing of.
pub(super) fn agree(
    home: (&StateDirectory, Option<Lineage>),
    hosts: &[(StateDirectory, Option<Lineage>)],
    fresh: Lineage,
) -> Result<Lineage, StoreFault> {
    let (home, of_home) = home;
    for (directory, of_host) in hosts {
        if let Some(found) = of_host
            && Some(found) != of_home.as_ref()
        {
            return Err(directory.strange_lineage(found, home.host(), of_home.as_ref()));
        }
    }
    Ok(of_home.unwrap_or(fresh))
}
