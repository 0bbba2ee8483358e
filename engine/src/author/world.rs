//! The world of a hook: what it imports and what it is.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Need;
use super::contract::VERSION;
use crate::model::HookKind;

/// Name of the world in every hook's directory.
pub(super) const WORLD: &str = "hook";

/// Where it is there.
pub(super) const WORLD_FILE: &str = "wit/world.wit";

/// Of a component that keeps all imports of its world.
pub(super) const USED: &str = "What this hook asks for, and what it is. All imports but `engine` need a grant of whoever deploys with it: name \
                               here what the code uses, and no more.";

/// Of a component that imports what its code calls.
pub(super) const OFFERED: &str = "What this hook may ask for, and what it is. The component imports what the code calls, and all of that but \
                                  `engine` needs a grant of whoever deploys with it.";

/// Text of its file, with a word on the imports.
pub(super) fn world(kind: HookKind, imports: &str, needs: &BTreeSet<Need>) -> String {
    let mut text = format!(
        "package local:{WORLD};\n\n\
         // {imports}\n\
         world {WORLD} {{\n    import cutover:hook/engine@{VERSION};\n"
    );
    for need in needs {
        // Writing to a string does not fail.
        let _ = writeln!(text, "    import cutover:hook/{need}@{VERSION};");
    }
    let _ = write!(text, "    export cutover:hook/{kind}@{VERSION};\n}}\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::contract;

    #[test]
    fn a_world_names_what_is_needed_and_no_more() {
        let needs = BTreeSet::from([Need::SecretText, Need::Hosts]);
        let text = world(HookKind::SmokeTest, USED, &needs);
        let (_, world) = text.split_once("world hook {\n").expect("a world");
        assert_eq!(
            world,
            "    import cutover:hook/engine@0.1.0;\n    import cutover:hook/hosts@0.1.0;\n    \
             import cutover:hook/secret-text@0.1.0;\n    export cutover:hook/smoke-test@0.1.0;\n}\n"
        );
    }

    #[test]
    fn what_a_world_names_is_in_the_contract() {
        let contract = contract();
        assert!(contract.starts_with(&format!("package cutover:hook@{VERSION};\n")));
        let kinds = HookKind::ALL.map(HookKind::as_str);
        for name in Need::ALL.map(Need::as_str).into_iter().chain(kinds).chain(["engine"]) {
            assert!(contract.contains(&format!("\ninterface {name} {{\n")), "{name}");
        }
    }
}
