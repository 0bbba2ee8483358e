//! Paths that no hook comes near: cutover's own files, and programs that the hook itself could write.

use crate::model::grant::run_matches;

/// Whether a granted pattern reaches into (or is) one of cutover's own directories: releases and state, and the helper's.
///
/// `directory` is the application's; what lies in a home directory is known by its last parts.
pub(super) fn reaches_own_files(pattern: &str, directory: &str) -> bool {
    let releases = format!("{directory}/releases");
    let below = |place: &str| place.starts_with('/') && begins(pattern, place);
    let parts: Vec<&str> = pattern.split('/').collect();
    let home = |place: &[&str]| parts.windows(place.len()).any(|window| window == place);
    below(&releases)
        || below("/var/lib/cutover")
        || home(&[".cache", "cutover"])
        || home(&[".local", "state", "cutover"])
}

/// Whether a pattern may change one of the application's links `current`, `blue`, `green`.
pub(super) fn is_own_link(pattern: &str, directory: &str) -> bool {
    ["current", "blue", "green"].iter().any(|link| covers(pattern, &format!("{directory}/{link}")))
}

/// Whether a pattern matches a path: `*` is any run of characters within one part.
pub(super) fn covers(pattern: &str, path: &str) -> bool {
    pattern.split('/').count() == path.split('/').count() && begins(pattern, path)
}

/// Whether what a pattern matches can be `place` or lie below it.
fn begins(pattern: &str, place: &str) -> bool {
    let (pattern, place): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), place.split('/').collect());
    pattern.len() >= place.len()
        && pattern.iter().zip(&place).all(|(pattern, part)| run_matches(pattern, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_files_are_found_behind_wildcards() {
        let directory = "/srv/shop";
        for pattern in [
            "/srv/shop/releases/x/y",
            "/srv/*/releases/*",
            "/srv/shop/rel*/x",
            "/var/lib/cutover/shop/live.json",
            "/home/deploy/.cache/cutover/helper",
            "/home/*/.local/state/cutover/x",
        ] {
            assert!(reaches_own_files(pattern, directory), "{pattern}");
        }
        for pattern in
            ["/srv/shop/shared/x", "/srv/shop", "/srv/shop/releases.txt", "/etc/nginx/*", "/var/lib/x"]
        {
            assert!(!reaches_own_files(pattern, directory), "{pattern}");
        }
        assert!(is_own_link("/srv/shop/*", directory) && is_own_link("/srv/shop/blue", directory));
        assert!(!is_own_link("/srv/shop/flags/blue", directory));
        assert!(covers("/opt/*/bin/*", "/opt/shop/bin/run") && !covers("/opt/*", "/opt/shop/bin"));
    }
}
