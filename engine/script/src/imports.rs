//! The interfaces of the contract as modules that a script imports.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use boa_engine::module::{ModuleLoader, ModuleRequest, Referrer, SyntheticModuleInitializer};
use boa_engine::object::FunctionObjectBuilder;
use boa_engine::{Context, JsResult, JsString, Module, NativeFunction};

use crate::interfaces::{Function, INTERFACES};
use crate::thrown;

/// Brings what a script imports, and notes what that was.
#[derive(Debug, Default)]
pub(crate) struct Contract {
    named: RefCell<BTreeSet<&'static str>>,
    sealed: Cell<bool>,
}

impl Contract {
    /// What was imported so far: `cutover:hook/http-client@0.1.0`.
    pub(crate) fn named(&self) -> Vec<String> {
        self.named.borrow().iter().map(|interface| format!("cutover:hook/{interface}@0.1.0")).collect()
    }

    /// Brings nothing from now on: what a script asks for is what it names before any of it runs.
    pub(crate) fn seal(&self) {
        self.sealed.set(true);
    }

    fn bring(&self, specifier: &str, context: &mut Context) -> JsResult<Module> {
        if self.sealed.get() {
            let text = format!("`{specifier}` can be imported at the top alone, by `import … from`");
            return Err(thrown::type_error(&text));
        }
        let known =
            interface(specifier).and_then(|wanted| INTERFACES.iter().find(|(name, _)| *name == wanted));
        let Some((name, functions)) = known else { return Err(thrown::type_error(&not_there(specifier))) };
        self.named.borrow_mut().insert(name);
        Ok(module(functions, context))
    }
}

impl ModuleLoader for Contract {
    async fn load_imported_module(
        self: Rc<Self>,
        _referrer: Referrer,
        request: ModuleRequest,
        context: &RefCell<&mut Context>,
    ) -> JsResult<Module> {
        self.bring(&request.specifier().to_std_string_escaped(), &mut context.borrow_mut())
    }
}

/// `http-client`, of `cutover:hook/http-client@0.1.0` in any patch of the version.
fn interface(specifier: &str) -> Option<&str> {
    let (interface, version) = specifier.strip_prefix("cutover:hook/")?.split_once('@')?;
    version.strip_prefix("0.1.")?.parse::<u32>().ok().map(|_| interface)
}

fn not_there(specifier: &str) -> String {
    if specifier.starts_with('.') || specifier.starts_with('/') {
        return format!("a script is one file, and can't import `{specifier}`: bundle them");
    }
    let names: Vec<String> =
        INTERFACES.iter().map(|(name, _)| format!("`cutover:hook/{name}@0.1.0`")).collect();
    format!("there is no `{specifier}` to import; there are {}", names.join(", "))
}

fn module(functions: &'static [Function], context: &mut Context) -> Module {
    let names: Vec<JsString> = functions.iter().map(|function| JsString::from(function.name)).collect();
    let initialise = SyntheticModuleInitializer::from_copy_closure(move |module, context| {
        for function in functions {
            let native = NativeFunction::from_fn_ptr(function.run);
            let name = JsString::from(function.name);
            let built = FunctionObjectBuilder::new(context.realm(), native)
                .name(name.clone())
                .length(function.arguments)
                .constructor(false)
                .build();
            module.set_export(&name, built.into())?;
        }
        Ok(())
    });
    Module::synthetic(&names, initialise, None, None, context)
}
