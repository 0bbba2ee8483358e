//! Pages that people follow word by word, and what tests follow in them.

use std::fs;
use std::path::Path;

/// A page of this repository, or a section of one.
#[derive(Debug, Clone)]
pub struct Manual(String);

/// What stands between two lines of three backticks.
#[derive(Debug, Clone)]
pub struct Block {
    /// What the first of these says.
    pub language: String,
    /// All lines.
    pub text: String,
}

/// A command that is to be typed.
#[derive(Debug, Clone)]
pub struct Step {
    /// Without its prompt.
    pub command: String,
    /// Lines of what it says.
    pub shown: Vec<String>,
}

impl Manual {
    /// The page at a path in this repository.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn read(path: &str) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
        Self(fs::read_to_string(&file).unwrap_or_else(|fault| panic!("{}: {fault}", file.display())))
    }

    /// All of it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What stands before a heading.
    ///
    /// # Panics
    /// When there is no such heading.
    #[must_use]
    pub fn before(&self, heading: &str) -> Self {
        Self(self.parts(heading).0.to_owned())
    }

    /// What stands below a heading, up to the next one.
    ///
    /// # Panics
    /// When there is no such heading.
    #[must_use]
    pub fn section(&self, heading: &str) -> Self {
        let mut is_block = false;
        let lines = self.parts(heading).1.lines().take_while(|line| {
            is_block ^= line.starts_with("```");
            is_block || !line.starts_with('#')
        });
        Self(lines.map(|line| format!("{line}\n")).collect())
    }

    fn parts(&self, heading: &str) -> (&str, &str) {
        let found = self.0.split_once(&format!("\n{heading}\n"));
        found.unwrap_or_else(|| panic!("there is no `{heading}`"))
    }

    /// All blocks, in order.
    #[must_use]
    pub fn blocks(&self) -> Vec<Block> {
        let block = |text: &str| {
            let (language, text) = text.split_once('\n').unwrap_or((text, ""));
            Block { language: language.to_owned(), text: text.to_owned() }
        };
        self.0.split("```").skip(1).step_by(2).map(block).collect()
    }

    /// The blocks of one language.
    #[must_use]
    pub fn blocks_of(&self, language: &str) -> Vec<String> {
        let of_it = self.blocks().into_iter().filter(|block| block.language == language);
        of_it.map(|block| block.text).collect()
    }
}

impl Block {
    /// What is typed in it, and what is said then.
    ///
    /// # Panics
    /// When it does not begin with a command.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for line in self.text.lines() {
            match line.strip_prefix("$ ") {
                Some(command) => steps.push(Step { command: command.to_owned(), shown: Vec::new() }),
                None => steps.last_mut().unwrap().shown.push(line.to_owned()),
            }
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_taken_apart() {
        let page = "# A\n\n## B\n\n```toml\n# b\n#c = 1\n```\n\n```console\n$ one\nsaid\n$ two three\n```\n\n### C\n\n```toml\nd\n```\n";
        let page = Manual(page.to_owned());
        assert_eq!(page.blocks_of("toml"), ["# b\n#c = 1\n", "d\n"]);
        assert_eq!(page.section("## B").blocks_of("toml"), ["# b\n#c = 1\n"]);
        assert_eq!(page.section("### C").blocks_of("toml"), ["d\n"]);
        assert!(page.before("## B").blocks().is_empty());
        let steps = page.blocks()[1].steps();
        let shown: Vec<_> = steps.iter().map(|step| (step.command.as_str(), step.shown.len())).collect();
        assert_eq!(shown, [("one", 1), ("two three", 0)]);
    }
}
