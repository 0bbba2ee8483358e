//! Bindings that `cutover hook new` writes for languages whose compilers know nothing of components: of each kind, with every import there is.
//! What a hook does not call, its linker leaves out.

use anyhow::{Context, Result};
use wit_bindgen_core::wit_parser::{Resolve, WorldId};
use wit_bindgen_core::{Files, WorldGenerator};

use crate::contract::Contract;

/// What begins the part of `contract.c` that asks for the object file.
const OBJECT_FILE: &str = "// Ensure that the *_component_type.o object is linked in";

/// What begins the names of packages of Go.
const PACKAGE: &str = "cutover_hook_";

/// The files of all kinds, by their paths below the templates.
pub(crate) fn bindings(contract: &Contract) -> Result<Vec<(String, String)>> {
    let mut bindings = Vec::new();
    for kind in contract.kinds()? {
        let files = c(contract, &kind)?.into_iter();
        bindings.extend(files.map(|(name, text)| (format!("c/{kind}/{name}"), text)));
        for file in go(contract, &kind)? {
            // What all kinds have alike comes again with each.
            if !bindings.contains(&file) {
                bindings.push(file);
            }
        }
    }
    Ok(bindings)
}

/// `contract.h` and `contract.c` of a kind.
fn c(contract: &Contract, kind: &str) -> Result<Vec<(String, String)>> {
    let (mut resolve, world) = contract.hook(kind)?;
    let keys = resolve.worlds[world].imports.keys().chain(resolve.worlds[world].exports.keys());
    let names = keys.map(|key| resolve.name_world_key(key));
    // `http_client_send` for `cutover_hook_http_client_send`.
    let rename = |name: String| {
        let (_, short) = name.split_once('/')?;
        let short = short.split('@').next()?.replace('-', "_");
        Some((name, short))
    };
    let options = wit_bindgen_c::Opts {
        // Whoever has the module puts its world into it.
        no_object_file: true,
        // A call has a memory of its own: what is not freed in it is gone with it.
        no_helpers: true,
        rename: names.filter_map(rename).collect(),
        rename_world: Some("contract".to_owned()),
        ..wit_bindgen_c::Opts::default()
    };
    let mut files = written(options.build(), &mut resolve, world)?;
    let (_, source) = files.iter_mut().find(|(name, _)| name == "contract.c").context("no `contract.c`")?;
    // What the object file would be found by stands at the end all the same.
    let end = source.find(OBJECT_FILE).context("`contract.c` has another end")?;
    source.truncate(end);
    source.truncate(source.trim_end().len() + 1);
    Ok(files)
}

/// `main.go` and the package of a kind, and those of the imports.
fn go(contract: &Contract, kind: &str) -> Result<Vec<(String, String)>> {
    let (mut resolve, world) = contract.hook(kind)?;
    let options =
        wit_bindgen_go::Opts { format: wit_bindgen_go::Format::False, ..wit_bindgen_go::Opts::default() };
    let files = written(options.build(), &mut resolve, world)?;
    let own = kind.replace('-', "_");
    let place = |name: &str| match name.strip_suffix("/wit_bindings.go") {
        None => (name == "wit_exports.go").then(|| format!("go/{kind}/main.go")),
        Some(package) if package.strip_prefix(PACKAGE) == Some(own.as_str()) => {
            Some(format!("go/{kind}/contract.go"))
        }
        Some(package) => Some(format!("go/contract/{}.go", package.trim_start_matches(PACKAGE))),
    };
    let placed = files.into_iter().filter_map(|(name, text)| Some((place(&name)?, in_module(&text, &own))));
    Ok(placed.collect())
}

/// Puts packages where they are in the module of a hook, under shorter names; what the kind exports is in the module itself.
fn in_module(text: &str, kind: &str) -> String {
    let exported = format!("export_{PACKAGE}{kind}");
    text.replace(&format!("\"wit_component/{exported}\""), &format!("{exported} \"local/@NAME@\""))
        .replace("\"wit_component/", "\"local/@NAME@/contract/")
        .replace(PACKAGE, "")
}

fn written(
    mut generator: Box<dyn WorldGenerator>,
    resolve: &mut Resolve,
    world: WorldId,
) -> Result<Vec<(String, String)>> {
    let mut files = Files::default();
    generator.generate(resolve, world, &mut files)?;
    let text = |(name, text): (&str, &[u8])| {
        let text = String::from_utf8(text.to_vec()).with_context(|| format!("`{name}` is no text"))?;
        Ok((name.to_owned(), text))
    };
    files.iter().map(text).collect()
}
