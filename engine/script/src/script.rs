//! One script: read, described, and asked.

use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use boa_engine::builtins::promise::PromiseState;
use boa_engine::object::builtins::JsPromise;
use boa_engine::{Context, JsError, JsObject, JsResult, JsString, JsValue, Module, Source};
use cutover_hooks::HookError;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::imports::Contract;
use crate::kinds::KINDS;
use crate::{answers, globals, thrown};

/// A script as the engine gives it.
#[derive(Debug)]
pub(crate) struct Script {
    /// What people call it: its path in the project.
    pub(crate) name: String,
    /// JavaScript.
    pub(crate) text: String,
}

/// What a script imports and exports, in the words of the contract.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) imports: Vec<String>,
    pub(crate) exports: Vec<String>,
}

/// Of a script that exports nothing by a name.
const BY_DEFAULT: &str = "it exports by `default`, which says no kind: write `export const smokeTest = …`, or `build`, `healthCheck`, \
                          `router`";

impl Script {
    /// The one that is standard input.
    ///
    /// # Errors
    /// When it is no text.
    pub(crate) fn given() -> io::Result<Self> {
        let mut given = String::new();
        io::stdin().read_to_string(&mut given)?;
        let (name, text) = given.split_once('\n').unwrap_or(("script", &given));
        Ok(Self { name: name.to_owned(), text: text.to_owned() })
    }

    /// What it imports and exports. Nothing of it is run.
    ///
    /// # Errors
    /// With file, line and column, when it is no JavaScript, or imports what there is not.
    pub(crate) fn describe(&self) -> Result<Described, String> {
        let (contract, mut context) = self.world().map_err(|error| thrown::text(&error, &self.name))?;
        let module = self.linked(&mut context).map_err(|error| thrown::text(&error, &self.name))?;
        let namespace = module.namespace(&mut context);
        let mut has =
            |name: &str| namespace.has_property(JsString::from(name), &mut context).unwrap_or(false);
        let exports: Vec<String> = KINDS
            .into_iter()
            .filter(|(_, name, _)| has(name))
            .map(|(kind, ..)| format!("cutover:hook/{kind}@0.1.0"))
            .collect();
        if exports.is_empty() && has("default") {
            return Err(format!("{}: {BY_DEFAULT}", self.name));
        }
        Ok(Described { imports: contract.named(), exports })
    }

    /// Asks a function of what it exports for a kind.
    ///
    /// # Errors
    /// With what the script throws, and when its answer is none of the contract.
    pub(crate) fn ask<T: DeserializeOwned>(
        &self,
        kind: &str,
        function: &str,
        arguments: &[Value],
    ) -> Result<T, HookError> {
        let (contract, mut context) = self.world().map_err(|error| thrown::failed(&error, &self.name))?;
        let module = self.linked(&mut context);
        contract.seal();
        let answer = module.and_then(|module| call(&module, kind, function, arguments, &mut context));
        let answer = answer.map_err(|error| {
            if let Some(text) = thrown::out_of_memory(&error, &self.name) {
                run_out_of_memory(&text);
            }
            thrown::hook_error(&error, &self.name, &mut context)
        })?;
        answers::read(&answer, &format!("{}: `{kind}.{function}`", self.name), &mut context)
    }

    fn world(&self) -> JsResult<(Rc<Contract>, Context)> {
        let contract = Rc::new(Contract::default());
        let mut context = Context::builder().module_loader(Rc::clone(&contract)).build()?;
        globals::add(&mut context)?;
        Ok((contract, context))
    }

    /// The module with what it imports.
    fn linked(&self, context: &mut Context) -> JsResult<Module> {
        let source = Source::from_bytes(&self.text).with_path(Path::new(&self.name));
        let module = Module::parse(source, None, context)?;
        let loaded = module.load(context);
        settled(&loaded, context)?;
        module.link(context)?;
        Ok(module)
    }
}

/// Ends as every component does that is given no more memory: the engine tells of its limit, and what is printed where that was.
fn run_out_of_memory(text: &str) -> ! {
    eprintln!("{text}");
    std::process::abort()
}

fn call(
    module: &Module,
    kind: &str,
    function: &str,
    arguments: &[Value],
    context: &mut Context,
) -> JsResult<JsValue> {
    let evaluated = module.evaluate(context)?;
    settled(&evaluated, context)?;
    let exported = module.get_value(JsString::from(kind), context)?;
    let object = exported.as_object();
    let object = object.ok_or_else(|| thrown::error(&format!("it exports no `{kind}` that is an object")))?;
    // Whatever is asked first tells of each that is lacking, before anything is moved.
    let known = KINDS.iter().find(|(_, name, _)| *name == kind);
    let functions = known.map_or(&[][..], |(_, _, functions)| functions);
    for name in functions {
        callable(&object, kind, name, context)?;
    }
    let callable = callable(&object, kind, function, context)?;
    let arguments: JsResult<Vec<JsValue>> =
        arguments.iter().map(|argument| JsValue::from_json(argument, context)).collect();
    let answer = callable.call(&JsValue::undefined(), &arguments?, context)?;
    if let Some(object) = answer.as_object()
        && JsPromise::from_object(object).is_ok()
    {
        let text = format!("`{kind}.{function}` returns a promise: write it without `async` and `await`");
        return Err(thrown::error(&text));
    }
    Ok(answer)
}

fn callable(object: &JsObject, kind: &str, name: &str, context: &mut Context) -> JsResult<JsObject> {
    let member = object.get(JsString::from(name), context)?;
    member.as_callable().ok_or_else(|| thrown::error(&format!("`{kind}` has no function `{name}`")))
}

/// Lets a promise of the module system come to its end, which needs nothing from outside.
fn settled(promise: &JsPromise, context: &mut Context) -> JsResult<()> {
    context.run_jobs()?;
    match promise.state() {
        PromiseState::Fulfilled(_) => Ok(()),
        PromiseState::Rejected(reason) => Err(JsError::from_opaque(reason)),
        PromiseState::Pending => {
            Err(thrown::error("a script may not wait at its top level: nothing would wake it"))
        }
    }
}
