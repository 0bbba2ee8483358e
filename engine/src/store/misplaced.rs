//! Why the host that the configuration names as the home can't be used as one.

use crate::model::{BUCKET_NAME, HostName};

/// Why the host that the configuration names as the home can't be used as one. Each would let two deployments run at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    /// Another host keeps the state.
    #[error("the state is kept on `{kept_on}`, and this configuration looks for it on `{home}`")]
    Elsewhere {
        /// The home by the configuration.
        home: HostName,
        /// The home by what hosts say.
        kept_on: HostName,
    },
    /// The state was moved away from here.
    #[error("the state was moved from `{host}` to `{to}`")]
    Moved {
        /// The home by the configuration.
        host: HostName,
        /// Where it is now.
        to: HostName,
    },
    /// The same, said by the host as we took the lock: it happened since we looked.
    #[error("`{host}`: {message}")]
    Gone {
        /// The home by the configuration.
        host: HostName,
        /// Its words.
        message: String,
    },
    /// The state was taken away from one host and did not arrive at the other.
    #[error("the state is on its way from `{from}` to `{to}`: moving it was cut off")]
    UnderWay {
        /// Where it was.
        from: HostName,
        /// The home by the configuration.
        to: HostName,
    },
    /// Two hosts keep a state of one line.
    #[error("`{home}` and `{other}` both keep a state of this application")]
    Second {
        /// The home by the configuration.
        home: HostName,
        /// The other one.
        other: HostName,
        /// The other one's state directory.
        path: String,
    },
    /// Hosts are members of a line, the home by the configuration perhaps among them, and none of those that were asked keeps its
    /// state.
    #[error("{} to lineage `{lineage}`, and the home `{home}` does not keep its state", belong(members))]
    Lost {
        /// The home by the configuration.
        home: HostName,
        /// The members.
        members: Vec<HostName>,
        /// What their files say.
        lineage: String,
    },
}

fn belong(members: &[HostName]) -> String {
    match members {
        [one] => format!("`{one}` belongs"),
        [first, rest @ ..] if rest.len() > 2 => format!("`{first}` and {} other hosts belong", rest.len()),
        several => {
            let names: Vec<&str> = several.iter().map(HostName::as_str).collect();
            format!("`{}` belong", names.join("`, `"))
        }
    }
}

impl Misplaced {
    /// Stable name of the fault.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Elsewhere { .. } => "state/elsewhere",
            Self::Moved { .. } | Self::Gone { .. } => "state/moved",
            Self::UnderWay { .. } => "state/under-way",
            Self::Second { .. } => "state/second-home",
            Self::Lost { .. } => "state/lost",
        }
    }

    /// What to do about it.
    pub(super) fn hint(&self) -> String {
        match self {
            Self::Elsewhere { home, kept_on } if home.as_str() == BUCKET_NAME => {
                format!(
                    "bring it there: `cutover state move`; or leave `state` out, as long as `{kept_on}` has it"
                )
            }
            Self::Elsewhere { home, kept_on } => format!(
                "bring it to `{home}`: `cutover state move`; or name `{kept_on}` first in `router.hosts` again"
            ),
            Self::Moved { to, .. } if to.as_str() == BUCKET_NAME => {
                "use the configuration that names the object store by `state`; or bring it back: \
                 `cutover state move --from URL`"
                    .to_owned()
            }
            Self::Moved { to, .. } => {
                format!("use the configuration that names `{to}` first in `router.hosts`")
            }
            Self::Gone { .. } => "look again: `cutover state show`".to_owned(),
            Self::UnderWay { .. } => "finish it: `cutover state move`".to_owned(),
            Self::Second { home, other, path } => format!(
                "compare them: `cutover state show`; if `{home}` is right, move `{path}` on `{other}` away"
            ),
            Self::Lost { home, .. } => {
                let before = match home.as_str() {
                    BUCKET_NAME => "was another object store named by `state`? name it there again",
                    _ => "was another host the first in `router.hosts`? name it there again",
                };
                format!("{before}; if the state is gone for good: `cutover state recover`")
            }
        }
    }
}
