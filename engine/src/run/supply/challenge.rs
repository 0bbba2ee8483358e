//! How a registry asks for credentials (RFC 9110, 11.6.1; the realm of `Bearer` as the registries of Docker and OCI mean it).

use http_auth::parse_challenges;

use crate::model::excerpt;
use crate::model::grant::Url;

/// What has to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password, to the registry itself.
    Basic,
    /// A token, which the realm gives out.
    Bearer {
        /// Where it is asked for.
        realm: Url,
        /// The name of the registry there.
        service: Option<String>,
    },
}

/// The challenge that is answered, of all that the `WWW-Authenticate` headers have. A token that only reads is more careful than a password.
///
/// # Errors
/// When there is none that is known.
pub(super) fn challenge<'a>(headers: impl IntoIterator<Item = &'a str>) -> Result<Challenge, String> {
    let mut basic = false;
    for challenge in headers.into_iter().filter_map(|text| parse_challenges(text).ok()).flatten() {
        if challenge.scheme.eq_ignore_ascii_case("bearer") {
            let value = |key: &str| {
                let found = challenge.params.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
                found.map(|(_, value)| value.to_unescaped())
            };
            let realm = value("realm").unwrap_or_default();
            let url = Url::parse(&realm);
            let realm =
                url.map_err(|_| format!("asks for a token of `{}`, which is no URL", excerpt(realm)))?;
            return Ok(Challenge::Bearer { realm, service: value("service") });
        }
        basic |= challenge.scheme.eq_ignore_ascii_case("basic");
    }
    if basic {
        return Ok(Challenge::Basic);
    }
    Err("asks for credentials in another way than `Bearer` and `Basic`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_preferred_and_what_is_unknown_passed_over() {
        let bearer = |service: Option<&str>| {
            let realm = Url::parse("https://auth.example.com/token?x=1").expect("a URL");
            Ok(Challenge::Bearer { realm, service: service.map(str::to_owned) })
        };
        for (headers, expected) in [
            (vec![r#"Basic realm="Registry Realm""#], Ok(Challenge::Basic)),
            (vec!["basic realm=x"], Ok(Challenge::Basic)),
            (
                vec![
                    r#"Bearer realm="https://auth.example.com/token?x=1",service="a, \"b\"",scope="repository:lb:pull,push""#,
                ],
                bearer(Some("a, \"b\"")),
            ),
            (
                vec![
                    r#"Digest realm="x", nonce="y", Basic realm="x", BEARER Realm="https://auth.example.com/token?x=1""#,
                ],
                bearer(None),
            ),
            (
                vec!["§", "Basic realm=x", r#"Bearer realm="https://auth.example.com/token?x=1""#],
                bearer(None),
            ),
        ] {
            assert_eq!(challenge(headers.iter().copied()), expected, "{headers:?}");
        }
        for (headers, expected) in [
            (vec![], "asks for credentials in another way than `Bearer` and `Basic`"),
            (vec!["Negotiate"], "asks for credentials in another way than `Bearer` and `Basic`"),
            (vec!["Bearer service=x"], "asks for a token of ``, which is no URL"),
            (vec!["Bearer realm=token"], "asks for a token of `token`, which is no URL"),
            (
                vec![r#"Bearer realm="https://me:pw@auth.example.com/""#],
                "asks for a token of `https://me:pw@auth.example.com/`, which is no URL",
            ),
            (
                vec![r#"Bearer realm="file:///etc/passwd""#],
                "asks for a token of `file:///etc/passwd`, which is no URL",
            ),
        ] {
            assert_eq!(challenge(headers.iter().copied()), Err(expected.to_owned()), "{headers:?}");
        }
    }
}
