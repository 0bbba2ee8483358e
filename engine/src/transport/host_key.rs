//! A public key by which an SSH server proves who it is.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

/// Bytes of the longest key that is read; RSA with 16384 bits has about 2100.
const LONGEST: usize = 8 << 10;

/// A public key, as a line of `known_hosts` has it (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostKey {
    kind: String,
    blob: Vec<u8>,
}

impl HostKey {
    /// Takes the two words of a line; none when they are no key: the type must be the one that the key itself begins with.
    pub(super) fn parse(kind: &str, encoded: &str) -> Option<Self> {
        let blob = STANDARD.decode(encoded).ok().filter(|blob| blob.len() <= LONGEST)?;
        let (length, rest) = blob.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let fine = !kind.is_empty() && rest.len() > length && &rest[..length] == kind.as_bytes();
        fine.then(|| Self { kind: kind.to_owned(), blob })
    }

    /// `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa` and the like.
    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// As `ssh-keygen -l` prints it: `SHA256:` and the digest in base64.
    pub(super) fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&self.blob)))
    }

    /// The two words of a line.
    pub(super) fn words(&self) -> String {
        format!("{} {}", self.kind, STANDARD.encode(&self.blob))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_told_apart() {
        // Made by `ssh-keygen -t ed25519`; the fingerprint is what `ssh-keygen -l` says of it.
        let encoded = "AAAAC3NzaC1lZDI1NTE5AAAAIIXMv6TkMovmVq23J17yoaodlfWjoExOvGoZplHba2Hs";
        let key = HostKey::parse("ssh-ed25519", encoded).expect("a key");
        assert_eq!(key.words(), format!("ssh-ed25519 {encoded}"));
        assert_eq!(key.kind(), "ssh-ed25519");
        assert_eq!(key.fingerprint(), "SHA256:0u1eePecNdvDY+/BSgcJANrh4GVQnYRXqTX/dQy6qUc");
        for (kind, encoded) in
            [("ssh-rsa", encoded), ("", encoded), ("ssh-ed25519", "AAAA"), ("ssh-ed25519", "no base64!")]
        {
            assert_eq!(HostKey::parse(kind, encoded), None, "{kind} {encoded}");
        }
        assert_eq!(HostKey::parse("ssh-ed25519", &STANDARD.encode([0xff; 64])), None);
    }
}
