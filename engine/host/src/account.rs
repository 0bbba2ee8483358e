//! The user that we are on the host.

use serde::{Deserialize, Serialize};

/// Name, number and home directory of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Login name; the number when it has none.
    pub user: String,
    /// Number.
    pub uid: u32,
    /// Home directory, absolute.
    pub home: String,
}

impl Account {
    /// The user of this process: the name by `/etc/passwd`, else the given value of `USER`, else the number; the home directory by the given
    /// value of `HOME`, else by `/etc/passwd`, else `/`.
    #[must_use]
    pub fn of_process(home: Option<String>, user: Option<String>) -> Self {
        let uid = rustix::process::geteuid().as_raw();
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let entry = passwd
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|fields| fields.len() >= 6 && fields[2].parse() == Ok(uid));
        let field = |index: usize| entry.as_ref().map(|fields| fields[index].to_owned());
        Self {
            // The password file knows better than the environment, but not every user is in it.
            user: field(0).or(user).unwrap_or_else(|| uid.to_string()),
            uid,
            home: home
                .filter(|home| home.starts_with('/'))
                .or_else(|| field(5))
                .unwrap_or_else(|| "/".to_owned()),
        }
    }
}
