//! What goes into a script that a person pastes as root, and into a router's configuration: for `prepare` with the fact `setup`.
//!
//! Nothing here may mean anything but itself to a shell, or to what reads the configuration.

use crate::{Call, Color, HookError, SettingFault};

/// Whether a path means itself wherever it is written: absolute, of letters, digits and `/._-`, without `..`.
#[must_use]
pub fn is_plain_path(path: &str) -> bool {
    path.starts_with('/')
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
        && !path.split('/').any(|part| part == "..")
}

/// A fault for each setting that is a path, and not a plain one.
#[must_use]
pub fn path_faults(settings: &[(&str, &Option<String>)]) -> Vec<SettingFault> {
    let given = settings.iter().filter_map(|(key, path)| Some((key, path.as_ref()?)));
    let odd = given.filter(|(_, path)| !is_plain_path(path));
    odd.map(|(key, path)| {
        let reason = format!(
            "`{path}` is no path that goes into a configuration: absolute, of letters, digits and `/._-`"
        );
        SettingFault::new(*key, reason)
    })
    .collect()
}

/// The directory of a path.
#[must_use]
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("/", |(parent, _)| parent)
}

/// A template with a value for each `@key@`.
#[must_use]
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let replace = |text: String, (key, value): &(&str, &str)| text.replace(&format!("@{key}@"), value);
    values.iter().fold(template.to_owned(), replace)
}

/// The line that makes a directory for the deploy user. One that is there already is not given away: it may be another's.
#[must_use]
pub fn own_directory(directory: &str, user: &str) -> String {
    format!("test -d {directory} || install -d -m 755 -o {user} {directory}\n")
}

/// What begins a line that the deploy user is to do: nothing where that is root, too.
#[must_use]
pub fn as_user(user: &str) -> String {
    if user == "root" { String::new() } else { format!("runuser -u {user} -- ") }
}

/// The line that makes a file, unless it is there, in a directory of the deploy user's: root would follow links that lie there.
#[must_use]
pub fn own_file(path: &str, user: &str, text: &str) -> String {
    let as_user = as_user(user);
    format!("{as_user}sh -c 'test -e {path} || cat > {path}' <<'CUTOVER'\n{text}CUTOVER\n")
}

/// `address:port` of each instance of a colour, as this router reaches it. `what` is what they become: `a server of HAProxy`.
///
/// # Errors
/// When there is none, or when an address would mean something else in a configuration.
pub fn addresses(call: &Call, router: &str, color: Color, what: &str) -> Result<Vec<String>, HookError> {
    let instances = call.instances.iter().filter(|instance| instance.color == color);
    let addresses: Vec<String> = instances.map(|instance| instance.authority_from(router)).collect();
    if addresses.is_empty() {
        return Err(HookError::failed(format!("{color} has no instances")));
    }
    let harmless = |c: char| c.is_ascii_alphanumeric() || ".:-[]".contains(c);
    match addresses.iter().find(|address| !address.chars().all(harmless)) {
        Some(address) => Err(HookError::failed(format!("`{address}` is no address for {what}"))),
        None => Ok(addresses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_plain_or_a_fault() {
        for path in ["/a", "/var/lib/x-1/y_2.conf", "/"] {
            assert!(is_plain_path(path), "{path}");
        }
        for path in ["", "a", "/a b", "/a;b", "/a/../b", "/é", "/a\nb", "/$a", "/a'b", "/*"] {
            assert!(!is_plain_path(path), "{path}");
        }
        let (good, bad) = (Some("/a".to_owned()), Some("b".to_owned()));
        let reason = "`b` is no path that goes into a configuration: absolute, of letters, digits and `/._-`";
        let faults = path_faults(&[("good", &good), ("none", &None), ("bad", &bad)]);
        assert_eq!(faults, [SettingFault::new("bad", reason)]);
    }

    #[test]
    fn a_template_is_filled() {
        assert_eq!(fill("@a@-@b@ @a@ @c@", &[("a", "1"), ("b", "2")]), "1-2 1 @c@");
        assert_eq!((parent("/a/b"), parent("/a"), parent("a")), ("/a", "", "/"));
    }

    #[test]
    fn nobody_is_given_what_is_there() {
        assert_eq!(own_directory("/d", "ann"), "test -d /d || install -d -m 755 -o ann /d\n");
        let text = "runuser -u ann -- sh -c 'test -e /d/f || cat > /d/f' <<'CUTOVER'\nx\nCUTOVER\n";
        assert_eq!(own_file("/d/f", "ann", "x\n"), text);
        assert_eq!(own_file("/d/f", "root", "x\n"), text["runuser -u ann -- ".len()..]);
    }
}
