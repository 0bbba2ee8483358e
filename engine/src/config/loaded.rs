//! The way from text to a deployment: parse, check, choose the environment, resolve.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::check::Check;
use super::environment::{self, Chosen};
use super::fault::{Fault, Faults};
use super::node::Node;
use super::origins::{self, Setting};
use super::resolve::Resolver;
use super::root;
use super::setting;
use super::shape::Shape;
use super::sharing;
use super::source::{Source, Span};
use super::spare;
use crate::model::{Deployment, Hook, Name, SettingFault};

/// A configuration file and what was asked of it.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// As the user named it, for messages.
    pub file: &'a str,
    /// Its content.
    pub text: &'a str,
    /// Its directory, absolute.
    pub root: &'a Utf8Path,
    /// Environment that was asked for.
    pub environment: Option<&'a str>,
}

/// What the configuration must know of the world around it.
pub trait Surroundings {
    /// Whether a file is there (an absolute path).
    fn is_file(&self, path: &Utf8Path) -> bool;

    /// Names of the hooks that ship with the program, without `builtin:`.
    fn builtins(&self) -> &[&str];

    /// The `grants` table that a bundled hook gets for these settings, as TOML text. `title` is the application's name, with
    /// `-ENVIRONMENT` where there are environments.
    ///
    /// # Errors
    /// A setting that can't become part of a grant, or not without widening it.
    fn bundled_grants(
        &self,
        name: &str,
        title: &str,
        settings: &serde_json::Value,
    ) -> Result<String, SettingFault>;

    /// The JSON Schema of a bundled hook's settings; none where it has none.
    fn settings_schema(&self, name: &str) -> Option<serde_json::Value>;
}

/// A configuration without faults.
#[derive(Debug)]
pub struct Loaded {
    /// What the user wants.
    pub deployment: Deployment,
    /// What is odd, but stands in nobody's way.
    pub warnings: Vec<Fault>,
    /// What a look goes on without, and why; none where the whole file was read.
    pub set_aside: Option<Faults>,
    /// Every setting with its origin, in the order of the file's documentation.
    pub settings: Vec<Setting>,
    source: Source,
    tree: Node,
    hook_tables: BTreeMap<String, Span>,
}

/// Reads a configuration.
///
/// # Errors
/// All faults that can be told from the file, in its order.
pub fn load(input: Input<'_>, surroundings: &dyn Surroundings) -> Result<Loaded, Faults> {
    let source = Source::new(input.file, input.text);
    match read(input, &source, surroundings) {
        Ok(loaded) => Ok(loaded),
        Err(faults) => {
            Err(Faults::new(input.file, faults).unwrap_or_else(|| unreachable!("errors have faults")))
        }
    }
}

/// Reads a configuration to look at what is there. Where it has faults, and all of them lie in parts that this does not need, it is
/// read without those parts. `needed` are tables that count although they can be spared otherwise.
///
/// # Errors
/// As [`load`].
pub fn load_to_look(
    input: Input<'_>,
    surroundings: &dyn Surroundings,
    needed: &[&str],
) -> Result<Loaded, Faults> {
    let faults = match load(input, surroundings) {
        Ok(loaded) => return Ok(loaded),
        Err(faults) => faults,
    };
    let source = Source::new(input.file, input.text);
    // What is no TOML says nothing.
    let Ok(file) = Node::parse(&source) else { return Err(faults) };
    let spares = spare::spares(&file, input.environment, needed);
    match spare::faulty(&file, &spares, |file| read_tree(input, &source, surroundings, file)) {
        Some((loaded, parts)) => Ok(Loaded { set_aside: Some(faults.set_aside(parts)), ..loaded }),
        None => Err(faults),
    }
}

static FILE: Shape = Shape::Table(&root::KEYS);

fn read(input: Input<'_>, source: &Source, surroundings: &dyn Surroundings) -> Result<Loaded, Vec<Fault>> {
    read_tree(input, source, surroundings, &Node::parse(source)?)
}

fn read_tree(
    input: Input<'_>,
    source: &Source,
    surroundings: &dyn Surroundings,
    file: &Node,
) -> Result<Loaded, Vec<Fault>> {
    let mut faults = Vec::new();
    Check { source, faults: &mut faults }.value(file, &FILE, "");
    let Chosen { tree, name: environment, confirm } =
        match environment::choose(source, file, input.environment) {
            Ok(chosen) => chosen,
            Err(more) => {
                faults.extend(more);
                return Err(faults);
            }
        };
    Check { source, faults: &mut faults }.required(&tree, &FILE, &(0..0), "");
    faults.extend(sharing::faults(source, file, &tree, environment.as_ref()));
    // A name that is missing or none has been reported; the rest is read all the same.
    let app = tree.get("name").and_then(Node::text).and_then(|name| Name::new(name).ok());
    let Some(app) = app.or_else(|| Name::new("app").ok()) else { return Err(faults) };
    let root = input.root.to_owned();
    let mut resolver = Resolver::new(source.clone(), surroundings, root, app, environment, faults);
    let deployment = resolver.deployment(&tree, confirm);
    if !resolver.faults.is_empty() {
        return Err(resolver.faults);
    }
    let mut warnings = resolver.warnings;
    warnings.sort_by_key(|warning| (warning.location.line, warning.location.column));
    let settings = origins::settings(source, &tree, &resolver.computed);
    Ok(Loaded {
        deployment,
        warnings,
        set_aside: None,
        settings,
        source: source.clone(),
        tree,
        hook_tables: resolver.hook_tables,
    })
}

impl Loaded {
    /// The file, as the user named it.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.source.name
    }

    /// A fault that a hook found in its settings, at its place in the file. `key` is the path inside the settings, such as `cases[2].path`;
    /// a path that is not there is placed at the nearest value that is.
    #[must_use]
    pub fn setting_fault(&self, hook: &Hook, fault: &SettingFault) -> Fault {
        let table = self.hook_tables.get(&hook.title).cloned().unwrap_or_default();
        setting::place(&self.source, self.settings_of(hook), &table, &hook.title, fault)
    }

    /// The faults that hooks found, together.
    #[must_use]
    pub fn faults(&self, faults: Vec<Fault>) -> Option<Faults> {
        Faults::new(self.source.name.clone(), faults)
    }

    /// The settings of a hook, as merged.
    fn settings_of(&self, hook: &Hook) -> Option<&Node> {
        let table = match hook.title.as_str() {
            title @ ("build" | "health-check" | "router") => self.tree.get(title)?,
            title => {
                let named = |test: &&Node| test.get("name").and_then(Node::text) == Some(title);
                self.tree.get("smoke-test")?.items().iter().find(named)?
            }
        };
        table.get("settings")
    }
}
