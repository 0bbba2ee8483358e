//! User and password of a repository, on their way to git.

use crate::secret::Secret;

/// What git must say to one server to be let in. It reaches git by its environment, which no other user of the machine can read, as they
/// can its arguments; and it is in no file that a build finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    origin: String,
    header: Secret,
}

impl Credentials {
    /// Takes user and password out of an https address: what is left of it, and they. None when it has no password: who the user
    /// is, is no secret then, and git's own helpers need to know.
    pub(super) fn split(url: &str) -> Option<(String, Self)> {
        let rest = url.strip_prefix("https://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (login, host) = rest[..end].rsplit_once('@')?;
        let (user, password) = login.split_once(':')?;
        let mut plain = decoded(user);
        plain.push(b':');
        plain.extend(decoded(password));
        let header = Secret::new(format!("Authorization: Basic {}", base64(&plain)))?;
        let origin = format!("https://{host}/");
        Some((format!("https://{host}{}", &rest[end..]), Self { origin, header }))
    }

    /// The setting that tells git of it, for requests to this server alone.
    pub(super) fn setting(&self) -> (String, String) {
        (format!("http.{}.extraHeader", self.origin), self.header.expose().to_owned())
    }
}

/// A part of an address with its `%XX` as the bytes that they stand for.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.filter(|digits| *first == b'%' && !digits.starts_with('+'));
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for index in 0..4 {
            let letter = LETTERS[((bits >> (18 - 6 * index)) & 63) as usize];
            text.push(if index <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_the_standard_says() {
        for (plain, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), text, "{plain}");
        }
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn user_and_password_leave_the_address() {
        let split = |url| Credentials::split(url).map(|(url, credentials)| (url, credentials.setting()));
        let setting = ("http.https://example.com:8443/.extraHeader", "Authorization: Basic Y2k6c0BjcmV0");
        assert_eq!(
            split("https://ci:s%40cret@example.com:8443/shop@2.git"),
            Some((
                "https://example.com:8443/shop@2.git".to_owned(),
                (setting.0.to_owned(), setting.1.to_owned())
            ))
        );
        for url in [
            "https://example.com/shop",
            "https://me@example.com/shop",
            "https://example.com/a:b@c",
            "ssh://git@example.com/shop",
            "git@example.com:shop",
        ] {
            assert_eq!(split(url), None, "{url}");
        }
    }
}
