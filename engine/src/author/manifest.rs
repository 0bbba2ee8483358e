//! `hook.toml`: what `cutover hook build` has to know of a directory.

use serde::{Deserialize, Serialize};

use super::{HookName, Language};
use crate::model::HookKind;

/// Name of the file.
pub const MANIFEST: &str = "hook.toml";

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The component is `NAME.wasm`.
    pub name: HookName,
    /// Which export it has to have.
    pub kind: HookKind,
    /// What it is written in.
    pub language: Language,
}

/// Why a text is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ManifestFault {
    /// In the words of the parser, with the place.
    pub text: String,
}

impl Manifest {
    /// Reads a text.
    ///
    /// # Errors
    /// When it is no TOML, or says something else than these keys.
    pub fn read(text: &str) -> Result<Self, ManifestFault> {
        toml::from_str(text).map_err(|error| ManifestFault { text: error.to_string().trim_end().to_owned() })
    }

    /// As it is written for a new hook.
    #[must_use]
    pub(super) fn text(&self) -> String {
        format!(
            "# What `cutover hook build` goes by.\nname = \"{}\"\nkind = \"{}\"\nlanguage = \"{}\"\n",
            self.name, self.kind, self.language
        )
    }

    /// The component's file, in the hook's directory.
    #[must_use]
    pub fn component(&self) -> String {
        format!("{}.wasm", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let name = HookName::new("ready").expect("a name");
        for kind in HookKind::ALL {
            for language in Language::ALL {
                let manifest = Manifest { name: name.clone(), kind, language };
                assert_eq!(Manifest::read(&manifest.text()), Ok(manifest));
            }
        }
    }

    #[test]
    fn another_key_or_word_is_named_with_what_there_is() {
        let told = |text: &str| Manifest::read(text).expect_err("a fault").to_string();
        let good = "name = \"ready\"\nkind = \"router\"\n";
        assert_eq!(
            told(&format!("{good}language = \"rust\"\noutput = \"x.wasm\"\n")),
            "TOML parse error at line 4, column 1\n  |\n4 | output = \"x.wasm\"\n  | ^^^^^^\nunknown field `output`, expected one of \
             `name`, `kind`, `language`"
        );
        let unknown = told(&format!("{good}language = \"cobol\"\n"));
        assert!(
            unknown.ends_with(
                "unknown variant `cobol`, expected one of `rust`, `js`, `ts`, `python`, `c`, `go`"
            ),
            "{unknown}"
        );
        let absent = told(good);
        assert!(absent.ends_with("missing field `language`"), "{absent}");
        let upward = told("name = \"../x\"\nkind = \"router\"\nlanguage = \"js\"\n");
        assert!(upward.contains("`../x` is not the name of a hook"), "{upward}");
    }
}
