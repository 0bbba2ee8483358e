//! Grants of a bundled hook whose table has none: those that the program lists beside it.

use super::check::Check;
use super::fault::Fault;
use super::grants::{KEYS, Rules};
use super::hook;
use super::node::{Entry, Node};
use super::reader::Reader;
use super::resolve::Resolver;
use super::setting;
use super::shape::Shape;
use super::source::Source;
use crate::model::SettingFault;
use crate::model::grant::Grants;

impl Resolver<'_> {
    /// Reads them as if they were written in the file. A table that was not written at all has no settings to complain about: what the
    /// hook misses is said when it is asked.
    pub(super) fn bundled_grants(
        &mut self,
        table: &Reader<'_>,
        title: &str,
        name: &str,
        rules: Rules,
    ) -> Grants {
        let app = match &self.environment {
            Some(environment) => format!("{}-{environment}", self.app),
            None => self.app.to_string(),
        };
        let text = match self.surroundings.bundled_grants(name, &app, &hook::settings(table)) {
            Ok(text) => text,
            Err(fault) => {
                if table.is_written() {
                    self.setting_fault(table, title, &fault);
                }
                return Grants::default();
            }
        };
        let own = std::mem::replace(&mut self.source, Source::new(format!("builtin:{name}"), text));
        let before = self.faults.len();
        let grants = self.listed_grants(rules);
        self.source = own;
        for fault in self.faults.split_off(before) {
            let fault = self.grant_fault(table, title, fault);
            self.faults.push(fault);
        }
        grants
    }

    /// A fault in a grant that the settings made, as one of the setting that was written so, where one was.
    fn grant_fault(&self, table: &Reader<'_>, title: &str, fault: Fault) -> Fault {
        let settings = table.node("settings");
        let blamed = |entry: &&Entry| {
            let line = entry.node.text().and_then(|text| text.lines().next());
            line.is_some_and(|line| fault.message.starts_with(&format!("`{line}` ")))
        };
        let at = |key: &str, reason| {
            let fault = SettingFault { key: key.to_owned(), reason };
            setting::place(&self.source, settings, &table.at, title, &fault)
        };
        match settings.and_then(|settings| settings.entries().iter().find(blamed)) {
            Some(entry) => {
                let Fault { message, choices, hint, .. } = fault;
                Fault { choices, hint, ..at(&entry.key, message) }
            }
            None => {
                let reason =
                    format!("they make a grant that can't be: {}; write a `grants` table", fault.message);
                at("", reason)
            }
        }
    }

    fn setting_fault(&mut self, table: &Reader<'_>, title: &str, fault: &SettingFault) {
        self.faults.push(setting::place(&self.source, table.node("settings"), &table.at, title, fault));
    }

    fn listed_grants(&mut self, rules: Rules) -> Grants {
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
