//! Paths that no hook comes near: cutover's own files, and programs that the hook itself could write.

use crate::model::grant::run_matches;

/// Directories of cutover's own in an application's directory: releases, environments with their secrets, and what starts processes.
const OWN: [&str; 3] = ["releases", "env", "run"];
/// Links of cutover's own there; each leads to a release.
const LINKS: [&str; 3] = ["current", "blue", "green"];
/// Cutover's own directories elsewhere: state, and the helper.
const ELSEWHERE: [&str; 3] = ["/var/lib/cutover", "~/.cache/cutover", "~/.local/state/cutover"];

/// Whether a granted pattern reaches into (or is) one of cutover's own directories. `directory` is the application's.
pub(super) fn reaches_own_files(pattern: &str, directory: &str) -> bool {
    let above = pattern.rsplit_once('/').map_or("", |(above, _)| above);
    OWN.iter().any(|name| reaches(pattern, &format!("{directory}/{name}")))
        || LINKS.iter().any(|link| reaches(above, &format!("{directory}/{link}")))
        || ELSEWHERE.iter().any(|place| reaches(pattern, place))
}

/// Whether a pattern may change one of the application's links `current`, `blue`, `green`.
pub(super) fn is_own_link(pattern: &str, directory: &str) -> bool {
    LINKS.iter().any(|link| covers(pattern, &format!("{directory}/{link}")))
}

/// Whether a pattern matches a path: `*` is any run of characters within one part.
pub(super) fn covers(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (parts(merged(pattern)), parts(merged(path)));
    match path.split_first() {
        Some((&"~", rest)) => {
            pattern.len() > rest.len() && matches(&pattern[pattern.len() - rest.len()..], rest)
        }
        _ => pattern.len() == path.len() && matches(&pattern, &path),
    }
}

/// Whether what a pattern matches can be `place` or lie below it. Whose home `~` is can't be told, so it is any directory.
fn reaches(pattern: &str, place: &str) -> bool {
    let (pattern, place) = (parts(pattern), parts(place));
    match place.split_first() {
        Some((&"~", rest)) => pattern.windows(rest.len()).any(|window| matches(window, rest)),
        _ => pattern.len() >= place.len() && matches(&pattern[..place.len()], &place),
    }
}

/// `/usr/bin/x` as `/bin/x`: most hosts have the one directory under both names.
fn merged(path: &str) -> &str {
    let merges = ["/bin/", "/sbin/", "/lib/", "/lib64/"];
    path.strip_prefix("/usr").filter(|rest| merges.iter().any(|top| rest.starts_with(top))).unwrap_or(path)
}

fn parts(path: &str) -> Vec<&str> {
    path.split('/').collect()
}

/// Part by part; a wildcard at a beginning takes no dot.
fn matches(pattern: &[&str], path: &[&str]) -> bool {
    pattern.iter().zip(path).all(|(pattern, part)| {
        !(pattern.starts_with('*') && part.starts_with('.')) && run_matches(pattern, part)
    })
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
            "/root/.c*/cut*/helper",
            "/home/deploy/.local/*/cutover/shop/default/live.json",
            "/srv/shop/env/*",
            "/srv/*/*/*",
            "/srv/shop/run/blue.sh",
            "/srv/shop/current/config/key",
            "/srv/shop/blue/*",
        ] {
            assert!(reaches_own_files(pattern, directory), "{pattern}");
        }
        for pattern in [
            "/srv/shop/shared/x",
            "/srv/shop",
            "/srv/shop/releases.txt",
            "/srv/shop/log/*",
            "/srv/shop/blue",
            "/etc/nginx/*",
            "/var/lib/x",
            "/var/lib/cutover-nginx/shop/live",
            "/a/*/cutover/x",
        ] {
            assert!(!reaches_own_files(pattern, directory), "{pattern}");
        }
        assert!(is_own_link("/srv/shop/*", directory) && is_own_link("/srv/shop/blue", directory));
        assert!(!is_own_link("/srv/shop/flags/blue", directory));
        let home = "~/apps/shop";
        for pattern in ["/home/deploy/apps/shop/env/*", "/home/*/apps/*/releases/x", "/root/apps/shop/blue/x"]
        {
            assert!(reaches_own_files(pattern, home), "{pattern}");
        }
        assert!(!reaches_own_files("/home/deploy/apps/shop/shared/x", home));
        assert!(is_own_link("/home/deploy/apps/shop/blue", home) && is_own_link("/home/*/apps/shop/*", home));
        assert!(!is_own_link("/home/deploy/apps/shop/blue/x", home));
        assert!(covers("/usr/bin/x", "/bin/x") && covers("/sbin/*", "/usr/sbin/x"));
        assert!(!covers("/usr/local/bin/x", "/bin/x"));
        assert!(covers("/opt/*/bin/*", "/opt/shop/bin/run") && !covers("/opt/*", "/opt/shop/bin"));
    }
}
