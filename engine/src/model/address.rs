//! Addresses of repositories, for people.

/// The address without the password that may be in it.
#[must_use]
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}{}", &rest[end..])
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("https://me:s3cret@example.com/x@y", "https://me@example.com/x@y"),
            ("https://me@example.com/x", "https://me@example.com/x"),
            ("https://example.com/x", "https://example.com/x"),
            ("git@example.com:x", "git@example.com:x"),
            ("../x.git", "../x.git"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
