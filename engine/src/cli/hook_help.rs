//! `cutover help hooks` and `cutover help builtin:NAME`: what the hooks that come with the program do, and what can be set; `cutover help
//! scripts` and `cutover help wit`: for who writes others.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::bundled::{BundledHook, HOOKS, hook};
use crate::model::{HookKind, Limit};

/// Columns of a page.
const WIDTH: usize = 100;
/// Column at which the words about a setting begin.
const INDENT: usize = 22;
/// `cutover help scripts`.
pub(super) const SCRIPTS: &str = include_str!("scripts.txt");
/// What an entry of `grants.secrets` can be.
const SECRETS: &str = "
Secrets of [secrets], each entry of grants.secrets for one place; the hook names them in templates and has none:
  { name = \"token\", to = \"https://api.example.com\", header = \"authorization\" }  \"Bearer {token}\"
  { name = \"token\", to = \"https://api.example.com\", body = true }               encoded as JSON or form
  { name = \"token\", exec = \"/usr/bin/x\", env = \"TOKEN\" }                        a program that exec grants
  { name = \"token\", exec = \"/usr/bin/x\", input = true }
  { name = \"token\", reveal = true }                                             plain text, by secret-text
  { name = \"aws\", hmac = { prefix = \"AWS4\", chain = [\"{date}\", \"eu-west-1\", \"s3\", \"aws4_request\"] } }
";

/// An application, to show what grants look like.
const SAMPLE: &str = "shop";

/// All of them, a line each.
pub(super) fn overview() -> String {
    let mut text = "Hooks that come with cutover:\n".to_owned();
    for hook in HOOKS {
        let title = hook.settings_schema()["title"].as_str().unwrap_or_default().to_owned();
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {:<22} {:<14} {title}", name(hook), table(hook.kind));
    }
    text.push_str("\nSettings, defaults, grants and an example of one: cutover help builtin:nginx\n");
    text.push_str("Of your own, without a compiler: hook = \"script:checks/pages.js\", in JavaScript: cutover help scripts\n");
    text.push_str("Of your own: hook = \"path/of/component.wasm\", begun by cutover hook new; the contract: cutover help wit > hook.wit\n");
    text.push_str("From nothing to a router of your own, in each language: docs/authors.md of the crate cutover-hooks\n");
    text.push_str(
        "Of others: hook = \"https://…\" or \"oci://…\"; what one asks for, and which one it has to be: cutover help hook\n",
    );
    text.push_str(
        "\nLimits of a hook, in a table `limits` of its table; what wants more fails, and names the key:\n",
    );
    for limit in Limit::ALL {
        let spec = limit.spec();
        let (least, most) = (limit.text(spec.least), limit.text(spec.most));
        let words =
            format!("{} (default {}, from {least} to {most})", spec.doc.trim_end_matches('.'), spec.written);
        entry(&mut text, spec.key, &words);
    }
    text.push_str(SECRETS);
    text.push_str(
        "\nWhich hook, import, grant or limit a change adds or raises: cutover check --against origin/main\n",
    );
    text
}

/// The page of the hook `builtin:NAME`.
pub(super) fn page(topic: &str) -> Option<String> {
    let hook = hook(topic.strip_prefix("builtin:")?)?;
    let schema = hook.settings_schema();
    let title = schema["title"].as_str().unwrap_or_default();
    let mut text = format!("{}, for {}\n{title}\n\nExample:\n", name(hook), table(hook.kind));
    let example = &schema["examples"][0];
    if hook.kind == HookKind::SmokeTest {
        text.push_str("  [[smoke-test]]\n  name = \"start\"\n");
    } else {
        let _ = writeln!(text, "  {}", table(hook.kind));
    }
    let _ = writeln!(text, "  hook = \"{}\"\n  settings = {}\n\nSettings:", name(hook), toml(example));
    settings(&mut text, &schema, "");
    if let Some(words) = schema["description"].as_str() {
        paragraph(&mut text, words, 2);
    }
    if let Ok(grants) = hook.default_grants(SAMPLE, example) {
        let _ = writeln!(
            text,
            "\nGrants where its table has none, for an application `{SAMPLE}` and the example:"
        );
        let grants = [("grants", grants)];
        let placed = [(hook.kind.as_str(), grants.into_iter().collect::<BTreeMap<_, _>>())];
        let placed: BTreeMap<_, _> = placed.into_iter().collect();
        for line in toml::to_string(&placed).unwrap_or_default().lines() {
            let _ = writeln!(text, "{}", format!("  {line}").trim_end());
        }
    }
    Some(text)
}

fn name(hook: &BundledHook) -> String {
    format!("builtin:{}", hook.name)
}

/// The table that a kind of hook stands in.
const fn table(kind: HookKind) -> &'static str {
    match kind {
        HookKind::Build => "[build]",
        HookKind::HealthCheck => "[health-check]",
        HookKind::SmokeTest => "[[smoke-test]]",
        HookKind::Router => "[router]",
    }
}

/// The keys of a table, those that are needed first, and of the tables below it.
fn settings(text: &mut String, schema: &Value, path: &str) {
    let Some(properties) = schema["properties"].as_object() else { return };
    let is_needed =
        |key: &str| schema["required"].as_array().is_some_and(|keys| keys.iter().any(|needed| needed == key));
    let mut keys: Vec<(&String, &Value)> = properties.iter().collect();
    keys.sort_by_key(|(key, _)| !is_needed(key));
    for (key, setting) in keys {
        let mut words = setting["description"].as_str().unwrap_or_default().to_owned();
        if let Some(choices) = setting["enum"].as_array() {
            let choices: Vec<String> = choices.iter().map(toml).collect();
            let _ = write!(words, ": {}", choices.join(" or "));
        }
        match (is_needed(key), setting.get("default")) {
            (true, _) => words.push_str(" (needed)"),
            (false, Some(default)) => {
                let _ = write!(words, " (default {})", toml(default));
            }
            (false, None) => {}
        }
        entry(text, &format!("{path}{key}"), &words);
        settings(text, setting, &format!("{path}{key}."));
        settings(text, &setting["items"], &format!("{path}{key}."));
    }
}

/// A name, and words about it beside it.
fn entry(text: &mut String, name: &str, words: &str) {
    let name = format!("  {name}");
    let _ = write!(text, "{name:<width$}", width = INDENT - 1);
    if name.len() >= INDENT {
        text.push('\n');
        text.push_str(&" ".repeat(INDENT - 1));
    }
    text.push(' ');
    paragraph(text, words, INDENT);
}

/// Words from the current column on, in lines.
fn paragraph(text: &mut String, words: &str, indent: usize) {
    let start = text.rfind('\n').map_or(0, |at| at + 1);
    let mut column = text[start..].chars().count();
    if column < indent {
        text.push_str(&" ".repeat(indent - column));
        column = indent;
    }
    for (position, word) in words.split(' ').enumerate() {
        let width = word.chars().count();
        if position > 0 && column + 1 + width > WIDTH {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            column = indent;
        } else if position > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += width;
    }
    text.push('\n');
}

/// A value as it stands in the file.
fn toml(value: &Value) -> String {
    let key = |key: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if !key.is_empty() && key.chars().all(plain) { key.to_owned() } else { Value::from(key).to_string() }
    };
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Object(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(name, value)| format!("{} = {}", key(name), toml(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::golden::assert_golden;

    #[test]
    fn pages_tell_all_that_can_be_set() {
        let mut all = overview();
        for hook in HOOKS {
            let page = page(&name(hook)).expect("a page");
            let told = page.lines().filter(|line| !line.contains(" = "));
            assert!(told.into_iter().all(|line| line.chars().count() <= WIDTH), "{page}");
            all.push_str(&format!("\n──── {}\n{page}", name(hook)));
        }
        assert!(SCRIPTS.lines().all(|line| line.chars().count() <= WIDTH), "{SCRIPTS}");
        assert_golden("hooks.txt", &all);
        assert_eq!(page("builtin:pigeon"), None);
    }

    #[test]
    fn examples_can_be_pasted() {
        for hook in HOOKS {
            let example = hook.settings_schema()["examples"][0].clone();
            let read: Value = toml::from_str(&format!("settings = {}", toml(&example))).expect("TOML");
            assert_eq!(read["settings"], example);
        }
    }
}
