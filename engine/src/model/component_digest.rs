//! What tells one component from every other.

use std::fmt;

/// SHA-256 of a component's file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentDigest(String);

impl ComponentDigest {
    /// Takes 64 hexadecimal digits, also behind `sha256:` as this program prints them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        let valid = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        valid.then(|| Self(digits.to_ascii_lowercase()))
    }

    /// The digest itself.
    #[must_use]
    pub fn of_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The digits, in lower case.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.0
    }

    /// As many of them as tell files of one project apart, in names of files.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl fmt::Display for ComponentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_64_hexadecimal_digits() {
        let digits = "0123456789abcdef".repeat(4);
        let printed = |text: &str| ComponentDigest::parse(text).map(|digest| digest.to_string());
        assert_eq!(printed(&digits), Some(format!("sha256:{digits}")));
        assert_eq!(printed(&format!("sha256:{}", digits.to_uppercase())), Some(format!("sha256:{digits}")));
        for wrong in ["", &digits[1..], &format!("{digits}0"), &format!("sha512:{digits}"), &"é".repeat(32)]
        {
            assert_eq!(printed(wrong), None, "{wrong}");
        }
    }
}
