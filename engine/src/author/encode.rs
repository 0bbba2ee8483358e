//! A component out of the module that a compiler makes which knows nothing of components, without a tool beside this program.

use std::collections::BTreeSet;
use std::fmt::Display;

use camino::Utf8Path;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as WASI, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as ADAPTER,
};
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

use super::contract::INTERFACES;
use super::world::{WORLD, WORLD_FILE};

/// Why there is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeFault {
    /// The world of the hook can't be read.
    #[error("the world in `wit/` can't be read: {reason}")]
    World {
        /// In the words of the parser.
        reason: String,
    },
    /// The module calls an interface of the contract that its world does not import.
    #[error("the hook calls `{interface}`, which `{WORLD_FILE}` does not import")]
    NotImported {
        /// With its package and version.
        interface: String,
    },
    /// All else that can be wrong with a module.
    #[error("what the compiler has made fits no component of `{WORLD_FILE}`: {reason}")]
    Misfit {
        /// In the words of the encoder.
        reason: String,
    },
}

/// Makes a module a component of the world in this directory of WIT.
pub(super) fn encoded(mut module: Vec<u8>, wit: &Utf8Path) -> Result<Vec<u8>, EncodeFault> {
    let (resolve, world) = world_in(wit)?;
    let keys = resolve.worlds[world].imports.keys().map(|key| resolve.name_world_key(key));
    let imports: BTreeSet<String> = keys.collect();
    let called = called(&module).map_err(|fault| misfit(&fault))?;
    let mut of_contract = called.into_iter().filter(|name| name.starts_with(INTERFACES));
    if let Some(interface) = of_contract.find(|name| !imports.contains(name)) {
        return Err(EncodeFault::NotImported { interface });
    }
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .and_then(|()| ComponentEncoder::default().validate(true).module(&module))
        .and_then(|encoder| encoder.adapter(WASI, ADAPTER))
        .and_then(|mut encoder| encoder.encode())
        // What stands around the cause tells of the encoder, not of the hook.
        .map_err(|fault| misfit(&fault.root_cause()))
}

fn misfit(fault: &dyn Display) -> EncodeFault {
    EncodeFault::Misfit { reason: fault.to_string() }
}

fn world_in(wit: &Utf8Path) -> Result<(Resolve, WorldId), EncodeFault> {
    let mut resolve = Resolve::default();
    let read = resolve.push_dir(wit).and_then(|(package, _)| resolve.select_world(&[package], Some(WORLD)));
    let world = read.map_err(|fault| EncodeFault::World { reason: format!("{fault:#}") })?;
    Ok((resolve, world))
}

/// Names of the modules that a module imports from.
fn called(module: &[u8]) -> Result<BTreeSet<String>, wasmparser::BinaryReaderError> {
    let mut names = BTreeSet::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(imports) = payload? {
            for import in imports.into_imports() {
                names.insert(import?.module.to_owned());
            }
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::{HookName, Language, Wish};
    use crate::model::HookKind;

    /// What a compiler makes of a health check, with these functions beside what it has to have.
    fn module(more: &str, named: &str) -> Vec<u8> {
        let text = format!(
            "(module {more}
                (memory (export \"memory\") 1)
                (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) i32.const 1024)
                (func (export \"cutover:hook/health-check@0.1.0#validate\") (param i32 i32) (result i32) i32.const 0)
                (func (export \"cutover:hook/health-check@0.1.0#{named}\") (param i32) (result i32) i32.const 0))"
        );
        wat::parse_str(text).expect("a module")
    }

    const SEND: &str = "(import \"cutover:hook/http-client@0.1.0\" \"send\" (func (param i32 i32)))";
    const PRINT: &str =
        "(import \"wasi_snapshot_preview1\" \"fd_write\" (func (param i32 i32 i32 i32) (result i32)))";

    /// The WIT of a new hook in C, with one text in place of another.
    fn wit(from: &str, to: &str) -> (tempfile::TempDir, camino::Utf8PathBuf) {
        let place = tempfile::tempdir().expect("a directory");
        let root = Utf8Path::from_path(place.path()).expect("text").to_owned();
        let name = HookName::new("ready").expect("a name");
        let (kind, language) = (HookKind::HealthCheck, Language::C);
        let wish = Wish { name, kind, language, needs: BTreeSet::new() };
        for (path, text) in wish.files().into_iter().filter(|(path, _)| path.starts_with("wit/")) {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().expect("in a directory")).expect("made");
            std::fs::write(path, text.replace(from, to)).expect("written");
        }
        (place, root.join("wit"))
    }

    #[test]
    fn a_component_imports_what_its_module_calls() {
        let (_place, wit) = wit("", "");
        let made = encoded(module(&[SEND, PRINT].concat(), "check"), &wit).expect("a component");
        let decoded = wit_component::decode(&made).expect("what it imports");
        let wit_component::DecodedWasm::Component(resolve, world) = decoded else { panic!("no component") };
        let names = resolve.worlds[world].imports.keys().map(|key| resolve.name_world_key(key));
        let names: Vec<String> = names.filter(|name| name.starts_with(INTERFACES)).collect();
        assert_eq!(names, ["cutover:hook/hook-types@0.1.0", "cutover:hook/http-client@0.1.0"]);
    }

    #[test]
    fn what_stands_in_the_way_is_told() {
        let told = |(from, to): (&str, &str), module: Vec<u8>| {
            let (_place, wit) = wit(from, to);
            encoded(module, &wit).expect_err("a fault").to_string().replace(wit.as_str(), "wit")
        };
        let as_it_is = ("", "");
        let told = [
            told(("    import cutover:hook/http-client@0.1.0;\n", ""), module(SEND, "check")),
            told(as_it_is, module("", "checks")),
            told(as_it_is, module(&SEND.replace("send", "sent"), "check")),
            told(as_it_is, module(&SEND.replace("i32 i32", "i32"), "check")),
            told(as_it_is, module(&SEND.replace("cutover:hook/http-client@0.1.0", "env"), "check")),
            told(("world hook {", "world hok {"), module("", "check")),
            told(("    import", "    imports"), module("", "check")),
        ];
        let misfit = "what the compiler has made fits no component of `wit/world.wit`: ";
        let unread = "the world in `wit/` can't be read: ";
        assert_eq!(
            told.map(|text| text.replace(misfit, "MISFIT ").replace(unread, "UNREAD ")),
            [
                "the hook calls `cutover:hook/http-client@0.1.0`, which `wit/world.wit` does not import",
                "MISFIT failed to find export of interface `cutover:hook/health-check@0.1.0` function `check`",
                "MISFIT import interface `cutover:hook/http-client@0.1.0` is missing function `sent` that is required by the module",
                "MISFIT type mismatch for function `send`: expected `[I32, I32] -> []` but found `[I32] -> []`",
                "MISFIT module requires an import interface named `env`",
                "UNREAD World `hook` not found in package `local:hook`",
                "UNREAD failed to parse package: wit: expected `import`, `export`, `include`, `use`, or type definition, found an identifier",
            ]
        );
    }
}
