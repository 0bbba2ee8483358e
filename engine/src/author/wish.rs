//! A hook that is wished for, and the files that it begins with.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::templates::files_of;
use super::world::{OFFERED, USED, WORLD_FILE, world};
use super::{Language, MANIFEST, Manifest, Need, contract};
use crate::model::HookKind;

/// The name of a hook: of its directory, its component, and its package in every language. Lower-case letters, digits and single `-`
/// between them, beginning with a letter, at most 40 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HookName(String);

/// Why a text is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not the name of a hook: use lower-case letters, digits and `-`, beginning with a letter, at most 40 characters"
)]
pub struct HookNameFault {
    /// The text.
    pub text: String,
    /// The name that is nearest to it.
    pub near: Option<HookName>,
}

impl HookName {
    /// Checks a text.
    ///
    /// # Errors
    /// When it is empty, too long, or has other characters.
    pub fn new(text: impl Into<String>) -> Result<Self, HookNameFault> {
        let text = text.into();
        if is_name(&text) {
            return Ok(Self(text));
        }
        let near = near(&text);
        let near = is_name(&near).then_some(Self(near));
        Err(HookNameFault { text, near })
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let joined = !text.ends_with('-') && !text.contains("--");
    text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(inner)
        && joined
}

/// `MyCheck` → `my-check`, `my_check.js` → `my-check-js`.
fn near(text: &str) -> String {
    let mut near = String::new();
    let mut before = '-';
    for c in text.chars() {
        if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            near.push('-');
        }
        let plain = if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        if plain != '-' || !near.ends_with('-') {
            near.push(plain);
        }
        before = c;
    }
    near.trim_start_matches(|c: char| !c.is_ascii_lowercase()).trim_end_matches('-').to_owned()
}

impl fmt::Display for HookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl TryFrom<String> for HookName {
    type Error = HookNameFault;
    fn try_from(text: String) -> Result<Self, HookNameFault> {
        Self::new(text)
    }
}

impl From<HookName> for String {
    fn from(name: HookName) -> Self {
        name.0
    }
}

/// A hook that is wished for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Its name.
    pub name: HookName,
    /// What it is asked.
    pub kind: HookKind,
    /// What it is written in.
    pub language: Language,
    /// What it may ask of the engine beside what its kind's template uses. Of a language that keeps imports alone.
    pub needs: BTreeSet<Need>,
}

impl Wish {
    /// The files of its directory, by their paths in it, sorted.
    #[must_use]
    pub fn files(&self) -> Vec<(String, String)> {
        let manifest = Manifest { name: self.name.clone(), kind: self.kind, language: self.language };
        let mut files = vec![(MANIFEST.to_owned(), manifest.text())];
        if self.language.has_world() {
            files.push((WORLD_FILE.to_owned(), self.world()));
            files.push(("wit/deps/cutover-hook.wit".to_owned(), contract()));
        }
        files.extend(files_of(self));
        files.sort();
        files
    }

    fn world(&self) -> String {
        if self.language.keeps_imports() {
            let needs = self.needs.iter().copied().chain([Need::of(self.kind)]).collect();
            world(self.kind, USED, &needs)
        } else {
            world(self.kind, OFFERED, &Need::ALL.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(kind: HookKind, language: Language) -> Wish {
        Wish { name: HookName::new("ready").expect("a name"), kind, language, needs: BTreeSet::new() }
    }

    #[test]
    fn a_name_is_good_everywhere() {
        for good in ["a", "ready", "web-2-ready", &"a".repeat(40)] {
            assert!(HookName::new(good).is_ok(), "{good}");
        }
        for (bad, near) in [
            ("", None),
            ("--", None),
            ("2", None),
            ("a".repeat(41).as_str(), None),
            ("2nd", Some("nd")),
            ("Ready", Some("ready")),
            ("MyCheck2", Some("my-check2")),
            ("HTTPCheck", Some("httpcheck")),
            ("my_check.js", Some("my-check-js")),
            ("my--check-", Some("my-check")),
            ("-o", Some("o")),
            ("grün", Some("gr-n")),
        ] {
            let fault = HookName::new(bad).expect_err(bad);
            assert_eq!(fault.near.as_ref().map(HookName::as_str), near, "{bad}");
        }
    }

    #[test]
    fn each_language_has_what_it_needs_and_says_how_to_begin() {
        for language in Language::ALL {
            for kind in HookKind::ALL {
                let files = wish(kind, language).files();
                let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
                for part in [".gitignore", "README.md", MANIFEST] {
                    assert!(paths.contains(&part), "{language} {kind}: {part} is not in {paths:?}");
                }
                let test = |path: &&str| path.contains("test");
                let tested = paths.iter().any(test) || language == Language::Rust;
                assert!(tested, "{language} {kind}: {paths:?}");
                assert_eq!(paths.contains(&WORLD_FILE), language.has_world(), "{language}");
                let (_, readme) = &files[paths.iter().position(|path| *path == "README.md").expect("there")];
                for command in language.first_commands() {
                    assert!(readme.contains(&format!("\n$ {command}")), "{language}: {command}");
                }
                let mut unique = paths.clone();
                unique.dedup();
                assert_eq!(unique, paths);
            }
        }
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        for language in Language::ALL {
            for kind in HookKind::ALL {
                for (path, text) in wish(kind, language).files() {
                    // `@` and capital letters is how a template names what is put in.
                    let open = text.split('@').skip(1).find(|rest| {
                        let name =
                            rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_uppercase()).len();
                        name > 0 && text.contains(&format!("@{}@", &rest[..name]))
                    });
                    assert_eq!(open, None, "{language} {kind}: {path}");
                    assert!(text.ends_with('\n'), "{language} {kind}: {path}");
                }
            }
        }
    }

    #[test]
    fn what_is_needed_is_imported() {
        let needs = BTreeSet::from([Need::Secrets]);
        let wish = Wish { needs, ..wish(HookKind::HealthCheck, Language::Js) };
        let files = wish.files();
        let world = files.iter().find(|(path, _)| path == "wit/world.wit").expect("a world");
        assert!(
            world
                .1
                .contains("import cutover:hook/http-client@0.1.0;\n    import cutover:hook/secrets@0.1.0;\n")
        );
    }
}
