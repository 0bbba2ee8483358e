//! What nginx includes for requests that choose their colour (`testers`): a pure function of the setting and the servers.
//!
//! The application's `location` passes requests to what a variable names, and a map sets that variable anew for each request. The map is there
//! whatever is live, so that nothing but its lines comes and goes with a canary.

use cutover_hooks::Color;
use cutover_hooks::setup::fill;
use cutover_hooks::testers::{ALWAYS, NEVER, Testers};

/// The servers of both colours, while requests are shared.
#[derive(Debug)]
pub(crate) struct Choice {
    /// Of those that say `always`.
    pub(crate) color: Color,
    pub(crate) blue: Vec<String>,
    pub(crate) green: Vec<String>,
}

/// What `proxy_pass` names behind `http://`.
pub(crate) fn pass(testers: Option<&Testers>, name: &str) -> String {
    match testers {
        Some(_) => format!("${}", variable(name)),
        None => format!("cutover-{name}"),
    }
}

/// What the status port says while no request can choose.
pub(crate) const NOBODY: &str = "none";

/// What nginx runs of it, for its status port.
pub(crate) fn status(testers: Option<&Testers>, choice: Option<&Choice>) -> String {
    match (testers, choice) {
        (Some(testers), Some(choice)) => format!("{testers} {}", choice.color),
        _ => NOBODY.to_owned(),
    }
}

/// The map, and what its lines name.
pub(crate) fn include(testers: Option<&Testers>, name: &str, choice: Option<&Choice>) -> String {
    let Some(testers) = testers else { return String::new() };
    let mut lines = format!("    default cutover-{name};\n");
    let mut upstreams = String::new();
    if let Some(Choice { color, blue, green }) = choice {
        for (word, color) in [(ALWAYS, *color), (NEVER, color.other())] {
            lines.push_str(&format!("    {word} {};\n", upstream(name, color)));
        }
        for (color, servers) in [(Color::Blue, blue), (Color::Green, green)] {
            let values = [("upstream", upstream(name, color)), ("servers", servers.join(";\n    server "))];
            let values = values.each_ref().map(|(key, value)| (*key, value.as_str()));
            upstreams.push_str(&fill(include_str!("template/testers.conf"), &values));
        }
    }
    format!("\nmap {} ${} {{\n{lines}}}\n{upstreams}", source(testers), variable(name))
}

/// Whether a line of the file says where those go that say so.
pub(crate) fn is_word(line: &str) -> bool {
    let word = line.trim_start().split_once(' ').map(|(word, _)| word);
    line.starts_with("    ") && matches!(word, Some(ALWAYS | NEVER))
}

/// Where nginx finds what a request says.
fn source(testers: &Testers) -> String {
    match (&testers.header, &testers.cookie) {
        (Some(header), _) => format!("$http_{}", header.to_ascii_lowercase().replace('-', "_")),
        (None, cookie) => format!("$cookie_{}", cookie.as_deref().unwrap_or_default()),
    }
}

/// A name has no dot: no application has an upstream of that name.
fn upstream(name: &str, color: Color) -> String {
    format!("cutover-{name}.{color}")
}

/// Variables have no `-`. No two names make the same one.
pub(crate) fn variable(name: &str) -> String {
    format!("cutover_{}", name.replace('_', "_0").replace('-', "__"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_names_make_the_same_variable() {
        assert_eq!(variable("shop-production"), "cutover_shop__production");
        let names = ["a-b", "a_b", "a--b", "a__b", "a-_b", "a_-b", "a-0b", "a_0b", "a0b", "ab"];
        let mut variables: Vec<String> = names.iter().map(|name| variable(name)).collect();
        variables.sort();
        variables.dedup();
        assert_eq!(variables.len(), names.len(), "{variables:?}");
    }
}
