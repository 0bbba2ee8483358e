//! Grants of a bundled hook whose table has none: those that the program lists beside it.

use super::check::Check;
use super::grants::{KEYS, Rules};
use super::node::Node;
use super::reader::Reader;
use super::resolve::Resolver;
use super::shape::Shape;
use super::source::Source;
use crate::model::grant::Grants;

impl Resolver<'_> {
    /// Reads them as if they were written in the file. Nothing is granted while the settings are such that the program can't tell them: the
    /// hook itself says what is wrong with its settings.
    pub(super) fn bundled_grants(
        &mut self,
        table: &Reader<'_>,
        name: &str,
        settings: &serde_json::Value,
    ) -> Grants {
        let application = match &self.environment {
            Some(environment) => format!("{}-{environment}", self.app),
            None => self.app.to_string(),
        };
        let text = self.surroundings.bundled_grants(name, &application, settings);
        let Some(text) = text else { return Grants::default() };
        let own = std::mem::replace(&mut self.source, Source::new(format!("builtin:{name}"), text));
        let before = self.faults.len();
        let grants = self.listed_grants(&Rules { bare_programs: name == "command-build" });
        self.source = own;
        for fault in self.faults.split_off(before) {
            let message =
                format!("with these settings builtin:{name} can't have its grants: {}", fault.message);
            self.fault(&table.span("settings"), "config/setting", message, |fault| {
                fault.hint("a table `grants` beside the settings says exactly what the hook may do")
            });
        }
        grants
    }

    fn listed_grants(&mut self, rules: &Rules) -> Grants {
        let tree = match Node::parse(&self.source) {
            Ok(tree) => tree,
            Err(faults) => {
                self.faults.extend(faults);
                return Grants::default();
            }
        };
        let mut check = Check { source: &self.source, faults: &mut self.faults };
        check.value(&tree, &Shape::Table(&KEYS), "grants");
        check.required(&tree, &Shape::Table(&KEYS), &(0..0), "grants");
        self.grants(&Reader::new(Some(&tree), &KEYS, 0..0), rules)
    }
}
