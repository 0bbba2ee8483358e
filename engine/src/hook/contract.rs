//! Contract 0.1, as wasmtime binds it: the types of `wit/`, the traits that answer a guest's imports, and the exports that a guest is asked
//! through. The same types travel between engine and sandbox.

wasmtime::component::bindgen!({
    path: "wit",
    inline: "
        package cutover:engine;
        world everything {
            include cutover:hook/build-hook@0.1.0;
            include cutover:hook/health-check-hook@0.1.0;
            include cutover:hook/smoke-test-hook@0.1.0;
            include cutover:hook/router-hook@0.1.0;
            import cutover:hook/secret-text@0.1.0;
        }
    ",
    world: "cutover:engine/everything",
    imports: { default: trappable },
    additional_derives: [serde::Serialize, serde::Deserialize],
});

/// What the interpreter of scripts is asked beside that.
pub(super) mod script {
    wasmtime::component::bindgen!({ path: "src/hook/script.wit", world: "cutover:script/interpreter" });
}
