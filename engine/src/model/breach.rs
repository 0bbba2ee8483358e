//! That a hook wanted more than it may have.

use std::fmt;

use super::Limit;

/// A limit that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breach {
    /// Which.
    pub limit: Limit,
    /// What it was set to: bytes, things or milliseconds.
    pub amount: u64,
}

impl Breach {
    /// `hook/limit-…`: for tools.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.limit.spec().code
    }

    /// What to do: which key to change, and how far.
    #[must_use]
    pub fn hint(self) -> String {
        let spec = self.limit.spec();
        if self.amount >= spec.most {
            return format!("`limits.{}` of the hook is at its highest already", spec.key);
        }
        let most = self.limit.text(spec.most);
        format!("if the hook needs more, raise `limits.{}` in its table: at most {most}", spec.key)
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.limit.spec().broken.replace("{}", &self.limit.text(self.amount)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breach_names_its_limit_and_the_key() {
        let breach = Breach { limit: Limit::Memory, amount: 256 << 20 };
        assert_eq!(breach.to_string(), "its memory would be larger than 256 MiB");
        assert_eq!(breach.code(), "hook/limit-memory");
        assert_eq!(
            breach.hint(),
            "if the hook needs more, raise `limits.memory` in its table: at most 2 GiB"
        );
        let highest = Breach { limit: Limit::Stack, amount: 8 << 20 };
        assert_eq!(highest.hint(), "`limits.stack` of the hook is at its highest already");
    }
}
