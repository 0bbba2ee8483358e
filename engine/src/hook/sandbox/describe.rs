//! What a component is, read from its bytes: known before it is compiled, which may take long.

use wasmparser::{ComponentExternalKind, ComponentTypeRef, KnownCustom, Parser, Payload};

use crate::hook::wire::Anatomy;
use crate::model::one_line;

/// Names of languages that are kept.
const LANGUAGES: usize = 8;

/// Bytes of a page of linear memory, unless the module says otherwise.
const PAGE_LOG2: u32 = 16;

/// The interfaces at the border of the component itself, not of those inside it; memory and language of what is inside.
///
/// # Errors
/// When the bytes are no component, in the parser's words.
pub(super) fn describe(wasm: &[u8]) -> Result<Anatomy, String> {
    read(wasm).map_err(|error| error.to_string())
}

fn read(wasm: &[u8]) -> wasmparser::Result<Anatomy> {
    let mut anatomy = Anatomy { memory: Some(0), memory_most: Some(0), ..Anatomy::default() };
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
                        anatomy.description.imports.push(import.name.name.to_owned());
                    }
                }
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    let export = export?;
                    if export.kind == ComponentExternalKind::Instance {
                        anatomy.description.exports.push(export.name.name.to_owned());
                    }
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories {
                    let memory = memory?;
                    let page =
                        1_u64.checked_shl(memory.page_size_log2.unwrap_or(PAGE_LOG2)).unwrap_or(u64::MAX);
                    let sum = |sum: Option<u64>, pages: Option<u64>| {
                        Some(sum?.saturating_add(pages?.saturating_mul(page)))
                    };
                    anatomy.memory = sum(anatomy.memory, Some(memory.initial));
                    anatomy.memory_most = sum(anatomy.memory_most, memory.maximum);
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Producers(fields) = section.as_known() {
                    for field in fields.into_iter().flatten().filter(|field| field.name == "language") {
                        for value in field.values.into_iter().flatten() {
                            note(&mut anatomy.languages, value.name, value.version);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Ok(anatomy)
}

/// What the author's tools say of themselves: nothing follows from it, so what can't be read is left out.
fn note(languages: &mut Vec<String>, name: &str, version: &str) {
    let text = one_line(format!("{name} {version}").trim());
    if !text.is_empty() && languages.len() < LANGUAGES && !languages.contains(&text) {
        languages.push(text);
    }
}
