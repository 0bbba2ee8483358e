//! The components that were built are hooks of their kind, and ask for no more than their kind needs.

use wasmtime::component::{Component, Linker, Val};
use wasmtime::{Config, Engine, Store};

use super::{HOOKS, hook};

fn compile(engine: &Engine, name: &str) -> Component {
    Component::new(engine, hook(name).expect("a bundled hook").wasm).expect("a component")
}

/// Names of the imports or exports of our package.
fn ours<'a, T>(names: impl Iterator<Item = (&'a str, T)>) -> Vec<String> {
    let mut names: Vec<String> =
        names.filter_map(|(name, _)| Some(name.strip_prefix("cutover:hook/")?.to_owned())).collect();
    names.sort();
    names
}

#[test]
fn each_exports_its_kind_and_imports_what_it_uses() {
    let engine = Engine::new(&Config::new()).expect("an engine");
    for hook in HOOKS {
        let component = compile(&engine, hook.name);
        let component = component.component_type();
        let imports = match hook.name {
            "command-build" | "haproxy" => vec!["engine@0.1.0", "hook-types@0.1.0", "hosts@0.1.0"],
            "aws-alb" => {
                vec![
                    "engine@0.1.0",
                    "hook-types@0.1.0",
                    "http-client@0.1.0",
                    "secret-text@0.1.0",
                    "secrets@0.1.0",
                ]
            }
            "caddy" => vec!["hook-types@0.1.0", "hosts@0.1.0", "http-client@0.1.0"],
            "http-health" | "kubernetes" => vec!["hook-types@0.1.0", "http-client@0.1.0"],
            "proxy" => vec!["hook-types@0.1.0", "hosts@0.1.0"],
            "http-smoke" | "cloud-foundry" => vec!["engine@0.1.0", "hook-types@0.1.0", "http-client@0.1.0"],
            _ => vec!["engine@0.1.0", "hook-types@0.1.0", "hosts@0.1.0", "http-client@0.1.0"],
        };
        assert_eq!(ours(component.imports(&engine)), imports, "{}", hook.name);
        assert_eq!(ours(component.exports(&engine)), [format!("{}@0.1.0", hook.kind)], "{}", hook.name);
    }
}

#[test]
fn validate_answers_without_any_import() {
    let engine = Engine::new(&Config::new()).expect("an engine");
    let component = compile(&engine, "http-smoke");
    let mut linker: Linker<()> = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component).expect("imports");
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component).expect("an instance");
    let interface =
        instance.get_export_index(&mut store, None, "cutover:hook/smoke-test@0.1.0").expect("the kind");
    let function = instance.get_export_index(&mut store, Some(&interface), "validate").expect("the question");
    let validate = instance.get_func(&mut store, function).expect("a function");
    let mut answer = [Val::Bool(false)];
    let settings = Val::String(r#"{"requests": [{"path": "/", "expct": {}}]}"#.to_owned());
    validate.call(&mut store, &[settings], &mut answer).expect("an answer");
    let fault = Val::Record(vec![
        ("key".to_owned(), Val::String("requests[0].expct".to_owned())),
        (
            "reason".to_owned(),
            Val::String(
                "unknown field `expct`, expected one of `name`, `method`, `path`, `host`, `headers`, `body`, \
                 `json`, `expect`"
                    .to_owned(),
            ),
        ),
    ]);
    assert_eq!(answer, [Val::List(vec![fault])]);
}

/// The properties of a schema and of those below it, by name.
fn properties(schema: &serde_json::Value) -> Vec<(String, serde_json::Value)> {
    let own = schema["properties"].as_object().into_iter().flatten();
    let found = own.flat_map(|(name, property)| {
        let below = [properties(property), properties(&property["items"])].concat();
        std::iter::once((name.clone(), property.clone())).chain(below)
    });
    found.collect()
}

#[test]
fn what_is_said_of_settings_agrees() {
    for hook in HOOKS {
        let schema = hook.settings_schema();
        let folder =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../example-hooks").join(hook.name);
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("is there");
        let (readme, template) = (read("README.md"), read("grants.toml"));
        let all = properties(&schema);
        assert!(!all.is_empty(), "{}", hook.name);
        for (name, property) in &all {
            assert!(property["description"].is_string(), "{}: {name}", hook.name);
            let ways = [
                format!("`{name}`"),
                format!(".{name}`"),
                format!("`{name}."),
                format!("`{name} ="),
                format!("settings.{name}]"),
            ];
            let told = ways.iter().any(|way| readme.contains(way));
            assert!(told, "{}: its README says nothing of `{name}`", hook.name);
        }
        let template: toml::Table = toml::from_str(&template).expect("TOML");
        for (name, value) in template.get("defaults").and_then(toml::Value::as_table).into_iter().flatten() {
            let own = &schema["properties"][name];
            let nothing = value.as_str() == Some("");
            let value = serde_json::to_value(value).expect("JSON");
            assert!(own["default"] == value || nothing, "{}: {name}: {own} {value}", hook.name);
        }
    }
}
