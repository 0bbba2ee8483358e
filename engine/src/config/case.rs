//! A case of `cutover hook test`: read by its types, its faults at their places.

use super::case_grants::case_grants;
use super::fault::{Fault, Faults};
use super::node::Node;
use super::setting::nearest;
use super::source::Source;
use crate::model::SettingFault;
use crate::model::case::{Asked, HookCase};
use crate::model::grant::Grants;

/// A case without faults.
#[derive(Debug, Clone)]
pub struct ReadCase {
    /// The file, as the user named it.
    pub file: String,
    /// What it says.
    pub case: HookCase,
    /// What it asks.
    pub asked: Asked,
    /// What the hook may do; none: whatever the case answers.
    pub grants: Option<Grants>,
    /// Line of each entry of `outside`.
    pub lines: Vec<usize>,
}

/// Reads a case; `file` is what it is called in errors.
///
/// # Errors
/// With all faults of its syntax; else with the first of its keys and types; else with all of its sense.
pub fn read_case(file: &str, text: &str) -> Result<ReadCase, Faults> {
    let source = Source::new(file, text);
    read(&source).map_err(|faults| {
        Faults::new(file, faults).unwrap_or_else(|| unreachable!("what can't be read has faults"))
    })
}

fn read(source: &Source) -> Result<ReadCase, Vec<Fault>> {
    let tree = Node::parse(source)?;
    let case: HookCase = toml::from_str(&source.text).map_err(|error| vec![misfit(source, &error)])?;
    let mut faults: Vec<Fault> = case.faults().iter().map(|fault| placed(source, &tree, fault)).collect();
    let grants = tree.get("grants").map(|table| case_grants(source, table, case.kind));
    let grants = grants.transpose().unwrap_or_else(|found| {
        faults.extend(found);
        None
    });
    let outside = tree.get("outside").map(Node::items).unwrap_or_default();
    let lines = outside.iter().map(|entry| source.location(entry.span.start).line).collect();
    match case.asked() {
        Some(asked) if faults.is_empty() => {
            Ok(ReadCase { file: source.name.clone(), case, asked, grants, lines })
        }
        _ => {
            if faults.is_empty() {
                faults.push(source.fault(&(0..0), CODE, "it does not say what is asked"));
            }
            Err(faults)
        }
    }
}

/// A case as a file has it.
///
/// # Errors
/// When there is something in it that TOML has no word for.
pub fn write_case(case: &HookCase) -> Result<String, String> {
    let text = toml::to_string_pretty(case).map_err(|error| error.to_string())?;
    Ok(format!(
        "# `cutover hook test HOOK FILE` asks this again, and compares only what is written here.\n{text}"
    ))
}

const CODE: &str = "case/invalid";

/// What is written does not fit the type of its key, or there is no such key.
fn misfit(source: &Source, error: &toml::de::Error) -> Fault {
    let span = error.span().unwrap_or(0..0);
    let (message, choices) = choices(error.message());
    let unknown =
        ["unknown field ", "unknown variant "].into_iter().find_map(|head| message.strip_prefix(head));
    let Some(name) = unknown else { return source.fault(&span, CODE, message) };
    let written = name.trim_matches('`');
    let message = if message.starts_with("unknown field") {
        format!("unknown key {name}")
    } else {
        format!("{name} is none of what is valid here")
    };
    source.fault(&span, CODE, message).choices("valid", choices).did_you_mean(written)
}

/// The message of a deserializer, and what it says that it would take.
fn choices(message: &str) -> (&str, Vec<&str>) {
    match message.split_once(", expected ") {
        Some((message, choices)) if message.starts_with("unknown ") => {
            (message, choices.split('`').skip(1).step_by(2).collect())
        }
        _ => (message, Vec::new()),
    }
}

fn placed(source: &Source, tree: &Node, fault: &SettingFault) -> Fault {
    source.fault(&nearest(tree, &fault.key), CODE, fault.reason.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "\
kind = \"health-check\"
[[call.instances]]
host = \"web1\"
port = 4001
[[outside]]
[outside.send]
method = \"GET\"
[outside.send.answer]
status = 200
[expect]
health = \"healthy\"
";

    fn told(text: &str) -> String {
        match read_case("case.toml", text) {
            Ok(_) => "fine".to_owned(),
            Err(faults) => faults.to_string(),
        }
    }

    #[test]
    fn a_case_is_read() {
        let read = read_case("case.toml", WHOLE).expect("a case");
        assert!(matches!(read.asked, Asked::Check(_)), "{:?}", read.asked);
        assert_eq!(read.lines, [5]);
    }

    #[test]
    fn grants_are_read_as_in_a_configuration() {
        let with = |grants: &str| WHOLE.replace("[[call", &format!("grants = {grants}\n[[call"));
        let read = |grants: &str| read_case("case.toml", &with(grants)).map(|read| read.grants);
        assert_eq!(read_case("case.toml", WHOLE).expect("a case").grants, None);
        let told = |grants: &str| told(&with(grants));
        assert_eq!(
            told("{ http = [\"*\"] }"),
            "error[config/value]: `*` would allow the whole network\n --> case.toml:2:20\n  |\n2 | grants = { http = [\"*\"] }\
             \n  |                    ^^^\n  hint: grant what it needs: [{ to = \"instances\" }] or \
             [{ to = \"https://name\" }]\n\n1 fault in case.toml; nothing was run"
        );
        assert_eq!(
            told("{ read = [{ hosts = [\"web1\", \"web7\"], path = \"/etc/x\" }], htp = [] }"),
            "error[config/unknown-key]: unknown key `htp` in `grants`\n --> case.toml:2:68\n  |\n2 | grants = { read = [{ hosts = \
             [\"web1\", \"web7\"], path = \"/etc/x\" }], htp = [] }\
             \n  |                                                                    ^^^\n  = valid keys: connect, exec, http, link, \
             read, secrets, write\n  hint: did you mean `http`?\n\n1 fault in case.toml; nothing was run"
        );
        let grants = read("{ link = [], secrets = [{ name = \"token\", reveal = true }] }")
            .expect("grants")
            .expect("some");
        assert_eq!(grants.link, Some(Vec::new()));
        assert_eq!(grants.secrets.map(|secrets| secrets.len()), Some(1));
        assert_eq!(grants.http, None);
    }

    /// Each mistake with all that is said of it.
    #[test]
    fn mistakes_are_told_at_their_places() {
        let router = "kind = \"router\"\nask = \"observe\"\nrouter = \"lb1\"\n";
        let table = [
            (WHOLE.to_owned(), "fine"),
            (
                WHOLE.replace("kind = ", "kind = = "),
                "error[config/syntax]: extra `=`, expected nothing\n --> case.toml:1:8\n  |\n\
                 1 | kind = = \"health-check\"\n  |        ^\n\n1 fault in case.toml; nothing was run",
            ),
            (
                WHOLE.replace("status", "statu"),
                "error[case/invalid]: unknown key `statu`\n --> case.toml:9:1\n  |\n9 | statu = 200\n  | ^^^^^\n  \
                 = valid: status, headers, text, base64, truncated, error\n  hint: did you mean `status`?\n\n\
                 1 fault in case.toml; nothing was run",
            ),
            (
                WHOLE.replace("outside.send", "outside.fetch"),
                "error[case/invalid]: `fetch` is none of what is valid here\n --> case.toml:6:10\n  |\n\
                 6 | [outside.fetch]\n  |          ^^^^^\n  = valid: exec, read, write, write-link, read-link, \
                 list-names, remove, exchange, send\n\n1 fault in case.toml; nothing was run",
            ),
            (
                WHOLE.replace("\"healthy\"", "\"fine\""),
                "error[case/invalid]: `fine` is none of what is valid here\n  --> case.toml:11:10\n   |\n\
                 11 | health = \"fine\"\n   |          ^^^^^^\n   = valid: healthy, starting, unhealthy\n\n\
                 1 fault in case.toml; nothing was run",
            ),
            (
                WHOLE.replace("4001", "\"4001\""),
                "error[case/invalid]: invalid type: string \"4001\", expected u16\n --> case.toml:4:8\n  |\n\
                 4 | port = \"4001\"\n  |        ^^^^^^\n\n1 fault in case.toml; nothing was run",
            ),
            (
                WHOLE.replace("health = ", "cases = []\n# "),
                "error[case/invalid]: `check` is answered by `health`, `release`, `reason`, `error`\n  --> \
                 case.toml:11:9\n   |\n11 | cases = []\n   |         ^^\n\n1 fault in case.toml; nothing was run",
            ),
            (
                WHOLE.replace("health = ", "# "),
                "error[case/invalid]: it expects nothing, so that every answer would do\n  --> case.toml:10:1\n   \
                 |\n10 | [expect]\n   | ^^^^^^^^\n\n1 fault in case.toml; nothing was run",
            ),
            (
                "kind = \"health-check\"\nexpect.health = \"healthy\"\nwant = { green = 100 }\n".to_owned(),
                "error[case/invalid]: `check` needs one instance in `call.instances`: the one that is asked about\n \
                 --> case.toml\n\nerror[case/invalid]: `check` has no `want`\n --> case.toml:3:8\n  |\n\
                 3 | want = { green = 100 }\n  |        ^^^^^^^^^^^^^^^\n\n2 faults in case.toml; nothing was run",
            ),
            (
                "kind = \"router\"\nexpect.done = true\n".to_owned(),
                "error[case/invalid]: a router hook is asked several things: `ask` says which, of `features`, \
                 `observe`, `prepare`, `apply`, `discard`, `connections`, `validate`\n --> case.toml:1:8\n  |\n\
                 1 | kind = \"router\"\n  |        ^^^^^^^^\n\n1 fault in case.toml; nothing was run",
            ),
            (
                "kind = \"build\"\nask = \"apply\"\nexpect.done = true\n".to_owned(),
                "error[case/invalid]: a build hook is not asked `apply`, but `run`, `validate`\n --> case.toml:2:7\n  \
                 |\n2 | ask = \"apply\"\n  |       ^^^^^^^\n\n1 fault in case.toml; nothing was run",
            ),
            (
                "kind = \"router\"\nask = \"apply\"\nrouter = \"lb1\"\nexpect.done = true\n".to_owned(),
                "error[case/invalid]: `apply` needs the key `want`\n --> case.toml:1:8\n  |\n1 | kind = \"router\"\n  \
                 |        ^^^^^^^^\n\n1 fault in case.toml; nothing was run",
            ),
            (
                format!("{router}expect.settled = true\n[[outside]]\nwrite.path = \"/x\"\n"),
                "error[case/invalid]: whatever is granted, this is denied while a hook is asked `observe`: answer it \
                 so, with `error = { kind = \"denied\" }`\n --> case.toml:5:1\n  |\n5 | [[outside]]\n  | ^^^^^^^^^^^\n\n\
                 1 fault in case.toml; nothing was run",
            ),
            (
                format!("{router}expect.settled = true\n[[outside]]\nread.answer.base64 = \"?\"\n"),
                "error[case/invalid]: `base64` is not base64: Invalid symbol 63, offset 0.\n --> case.toml:5:1\n  |\n\
                 5 | [[outside]]\n  | ^^^^^^^^^^^\n\n1 fault in case.toml; nothing was run",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(told(&text), expected, "{text}");
        }
    }
}
