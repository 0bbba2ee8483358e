//! What a component imports and exports, read from its bytes: known before it is compiled, which may take long.

use wasmparser::{ComponentExternalKind, ComponentTypeRef, Parser, Payload};

use crate::hook::wire::Description;

/// The interfaces at the border of the component itself, not of those inside it.
///
/// # Errors
/// When the bytes are no component, in the parser's words.
pub(super) fn describe(wasm: &[u8]) -> Result<Description, String> {
    read(wasm).map_err(|error| error.to_string())
}

fn read(wasm: &[u8]) -> wasmparser::Result<Description> {
    let mut description = Description::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(wasm) {
        #[expect(clippy::wildcard_enum_match_arm, reason = "no other section is about the border")]
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    let import = import?;
                    // Types stand there by themselves where a world names some; they belong to an interface beside them.
                    if matches!(import.ty, ComponentTypeRef::Instance(_)) {
                        description.imports.push(import.name.name.to_owned());
                    }
                }
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    let export = export?;
                    if export.kind == ComponentExternalKind::Instance {
                        description.exports.push(export.name.name.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(description)
}
