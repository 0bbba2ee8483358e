//! What `cutover hook` shows: components, and the entries of `cutover.lock`.

use serde::Serialize;

/// A component as far as its bytes tell, or a script as far as the interpreter reads it without running it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ComponentView {
    /// As it was asked for: a path, `script:checks/cart.js`, `builtin:nginx`, a URL.
    pub source: String,
    /// What it can be used as.
    pub kinds: Vec<ComponentKind>,
    /// `sha256:` and 64 hexadecimal digits.
    pub sha256: String,
    /// Bytes of the file.
    pub size: u64,
    /// Bytes of memory that it begins with; none of a script.
    pub memory: Option<u64>,
    /// Bytes of memory that it may grow to by itself; none where it names no maximum, and of a script.
    pub memory_most: Option<u64>,
    /// Languages that it says it was written in, with versions where it has them; `JavaScript` of a script.
    pub languages: Vec<String>,
    /// What it asks for, sorted.
    pub imports: Vec<ImportView>,
    /// A `grants` table under which it loads and which allows nothing; none for a bundled hook, which needs no table.
    pub grants: Option<String>,
}

/// A kind of hook that a component or script can be used as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ComponentKind {
    /// `build`, `health-check`, `smoke-test` or `router`.
    pub kind: String,
    /// Version of the contract that it was built for.
    pub contract: String,
    /// Whether this program speaks that version.
    pub usable: bool,
}

/// An interface that a component or script asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportView {
    /// `cutover:hook/hosts@0.1.0`.
    pub name: String,
    /// The keys of `grants` that rule it; of which one at least must be written.
    pub keys: Vec<String>,
    /// What it means, in the words of grants.
    pub means: String,
}

/// What became of `cutover.lock`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockView {
    /// The file, as it may be opened.
    pub file: String,
    /// How many hooks are in it.
    pub hooks: usize,
    /// Entries that differ from before.
    pub changes: Vec<LockChangeView>,
}

/// An entry that differs from before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockChangeView {
    /// What the configuration names.
    pub requested: String,
    /// The digest that was; none for a new entry.
    pub before: Option<String>,
    /// The digest that is; none where the entry is gone.
    pub after: Option<String>,
    /// The copy in the project that is used now.
    pub copy: Option<String>,
    /// The manifest that an `oci://` reference leads to.
    pub manifest: Option<String>,
    /// What it asks for now and did not before.
    pub gained: Vec<ImportView>,
    /// What it asked for before and does not now.
    pub lost: Vec<ImportView>,
}

/// What `cutover hook add` has noted, and what is still to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddedView {
    /// The component.
    pub component: ComponentView,
    /// What became of `cutover.lock`.
    pub lock: LockView,
    /// Lines for the configuration.
    pub lines: String,
}

/// What `cutover hook build` has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BuiltView {
    /// The component.
    pub component: ComponentView,
    /// Lines for the configuration.
    pub lines: String,
}

/// What `cutover hook fetch` found or brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FetchView {
    /// Each component that has a URL.
    pub hooks: Vec<FetchedView>,
}

/// A component that has a URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FetchedView {
    /// The URL.
    pub requested: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub sha256: String,
    /// How it comes to be here.
    pub how: Fetched,
}

/// How a component comes to be on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fetched {
    /// It was brought now.
    Now,
    /// It was here already.
    Before,
    /// The project has a copy of it.
    Vendored,
}
