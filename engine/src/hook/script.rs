//! A hook that is a script: text for the interpreter inside the program.

use super::HookFault;
use crate::model::{HookKind, Limit};

/// Bytes of the largest script. One that is larger is slow to read for each question, and takes a compiler as well as a component.
const LARGEST: usize = 8 << 20;

/// A script, on its way into sandboxes.
#[derive(Debug, Clone)]
pub(super) struct Script {
    input: Vec<u8>,
}

impl Script {
    /// `title` is the hook's, `name` what the script's errors call its file: one line.
    ///
    /// # Errors
    /// When it is too large.
    pub(super) fn new(title: &str, name: &str, text: &[u8]) -> Result<Self, HookFault> {
        if text.len() > LARGEST {
            let largest = Limit::File.text(LARGEST as u64);
            let reason = format!("{name} is larger than {largest}, the most that a script may be");
            return Err(HookFault::NotAScript { hook: title.to_owned(), reason });
        }
        let name = name.replace('\n', " ");
        Ok(Self { input: [name.as_bytes(), b"\n", text].concat() })
    }

    /// The standard input of the interpreter (`script.wit`).
    pub(super) fn input(&self) -> &[u8] {
        &self.input
    }
}

/// What a script exports for a kind: its name in camelCase.
pub(super) fn script_export(kind: HookKind) -> String {
    let mut words = kind.as_str().split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        name + &initial.to_uppercase() + rest
    })
}

/// What a script exports to be a hook: one of these, or more.
#[must_use]
pub fn script_exports() -> String {
    let names = HookKind::ALL.map(|kind| format!("`{}`", script_export(kind)));
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_exported_in_camel_case() {
        assert_eq!(script_exports(), "`build`, `healthCheck`, `smokeTest`, `router`");
    }

    #[test]
    fn a_script_has_a_largest_size() {
        let of = |size| Script::new("cart", "checks/cart.js", &vec![b' '; size]);
        assert_eq!(of(LARGEST).map(|script| script.input.len()), Ok(LARGEST + 15));
        let fault = of(LARGEST + 1).err();
        assert_eq!(
            fault.map(|fault| fault.to_string()).as_deref(),
            Some(
                "hook `cart` can't be read: checks/cart.js is larger than 8 MiB, the most that a script may be"
            )
        );
    }
}
