//! A component that imports all of a contract and exports all of it, and answers each question with zeros: no faults, healthy, no cases, done.

use anyhow::{Context, Result};
use wit_bindgen_core::wit_parser::abi::{AbiVariant, WasmType};
use wit_bindgen_core::wit_parser::{
    Function, LiftLowerAbi, ManglingAndAbi, Resolve, WasmExport, WasmExportKind, WasmImport, WorldId,
    WorldItem, WorldKey,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

/// How functions are called in the module.
const MANGLING: ManglingAndAbi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);

/// A page of zeros that answers point to, and from its end on what the engine hands over: it never takes any back.
const MEMORY: &str = r#"
(memory (export "memory") 17)
(global $next (mut i32) (i32.const 65536))
(func (export "cabi_realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
  (local $at i32)
  (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
  (global.set $next (i32.add (local.get $at) (local.get $size)))
  (local.get $at))
"#;

/// The component for a world.
pub(crate) fn component(resolve: &Resolve, world: WorldId) -> Result<Vec<u8>> {
    let mut module = wat::parse_str(module(resolve, world)).context("the guest is no WebAssembly")?;
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8, false)?;
    ComponentEncoder::default().validate(true).module(&module)?.encode()
}

fn module(resolve: &Resolve, world: WorldId) -> String {
    let mut text = String::from("(module\n");
    for (key, function) in functions(resolve, resolve.worlds[world].imports.iter()) {
        let interface = Some(key);
        let (module, name) =
            resolve.wasm_import_name(MANGLING, WasmImport::Func { interface, func: function });
        let signature = signature(resolve, AbiVariant::GuestImport, function).0;
        text.push_str(&format!("(import {module:?} {name:?} (func {signature}))\n"));
    }
    text.push_str(MEMORY);
    for (key, function) in functions(resolve, resolve.worlds[world].exports.iter()) {
        let (interface, kind) = (Some(key), WasmExportKind::Normal);
        let name = resolve.wasm_export_name(MANGLING, WasmExport::Func { interface, func: function, kind });
        let (signature, zeros) = signature(resolve, AbiVariant::GuestExport, function);
        text.push_str(&format!("(func (export {name:?}) {signature} {zeros})\n"));
    }
    text + ")"
}

/// The functions of the interfaces of a world.
fn functions<'a>(
    resolve: &'a Resolve,
    items: impl Iterator<Item = (&'a WorldKey, &'a WorldItem)>,
) -> impl Iterator<Item = (&'a WorldKey, &'a Function)> {
    items.flat_map(|(key, item)| {
        let interface = if let WorldItem::Interface { id, .. } = item { Some(*id) } else { None };
        let functions = interface.into_iter().flat_map(|id| resolve.interfaces[id].functions.values());
        functions.map(move |function| (key, function))
    })
}

/// How a function is called, and what it answers.
fn signature(resolve: &Resolve, variant: AbiVariant, function: &Function) -> (String, String) {
    let signature = resolve.wasm_signature(variant, function);
    let words = |types: &[WasmType]| types.iter().map(|ty| format!(" {}", name(*ty))).collect::<String>();
    let zeros = signature.results.iter().map(|ty| format!("({}.const 0) ", name(*ty))).collect();
    (format!("(param{}) (result{})", words(&signature.params), words(&signature.results)), zeros)
}

const fn name(ty: WasmType) -> &'static str {
    match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
    }
}
