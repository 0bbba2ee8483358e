//! Signatures with a secret, without a key in anybody's hands.

use ring::hmac::{HMAC_SHA256, Key, sign};

use super::Secret;

impl Secret {
    /// HMAC-SHA-256 (RFC 2104) of `data`. The first key is `prefix` and the secret; each text of `chain` makes the next key out of the one
    /// before, as in AWS Signature Version 4.
    #[must_use]
    pub fn hmac_sha256(&self, prefix: &str, chain: &[String], data: &[u8]) -> Vec<u8> {
        let first = Key::new(HMAC_SHA256, &[prefix.as_bytes(), self.expose().as_bytes()].concat());
        let next = |key: Key, text: &String| Key::new(HMAC_SHA256, sign(&key, text.as_bytes()).as_ref());
        let last = chain.iter().fold(first, next);
        sign(&last, data).as_ref().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use cutover_host::bytes::hex;

    use super::*;

    fn signed(secret: &str, prefix: &str, chain: &[&str], data: &[u8]) -> String {
        let secret = Secret::new(secret.to_owned()).expect("long enough");
        let chain: Vec<String> = chain.iter().map(|&text| text.to_owned()).collect();
        hex(&secret.hmac_sha256(prefix, &chain, data))
    }

    /// RFC 4231, test cases 1 and 2: those whose keys are text.
    #[test]
    fn signatures_are_those_of_the_standard() {
        for (key, data, expected) in [
            (
                "\u{b}".repeat(20),
                &b"Hi There"[..],
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                "Jefe".to_owned(),
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
        ] {
            assert_eq!(signed(&key, "", &[], data), expected);
        }
        assert_eq!(
            signed("efefe", "J", &[], b"what do ya want for nothing?"),
            signed("Jefefe", "", &[], b"what do ya want for nothing?")
        );
    }

    /// "Examples of how to derive a signing key", and the signature of the test suite's `get-vanilla` (AWS General Reference, Signature
    /// Version 4).
    #[test]
    fn the_chain_is_that_of_aws_signature_version_4() {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let string = "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\n\
                      bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63";
        let chain = ["20150830", "us-east-1", "service", "aws4_request"];
        assert_eq!(
            signed(secret, "AWS4", &chain, string.as_bytes()),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
        // The key itself is what the chain without its last link signs that link by.
        let iam = ["20150830", "us-east-1", "iam"];
        assert_eq!(
            signed(secret, "AWS4", &iam, b"aws4_request"),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
        );
    }
}
