//! The one macro.

/// Makes a type that implements a kind's trait the component's answer for that kind:
/// `export!(router: MyRouter)`, and likewise `build`, `health_check` and `smoke_test`.
///
/// A component may export several kinds. Outside WebAssembly the macro only checks that the trait is there.
#[macro_export]
macro_rules! export {
    (build: $hook:ty) => {
        $crate::export!(@ $hook, Build, build, __export_build);
    };
    (health_check: $hook:ty) => {
        $crate::export!(@ $hook, HealthCheck, health_check, __export_health_check);
    };
    (smoke_test: $hook:ty) => {
        $crate::export!(@ $hook, SmokeTest, smoke_test, __export_smoke_test);
    };
    (router: $hook:ty) => {
        $crate::export!(@ $hook, Router, router, __export_router);
    };
    (@ $hook:ty, $kind:ident, $module:ident, $export:ident) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Exported = $crate::exported::$kind<$hook>;
            $crate::bindings::$module::$export!(Exported with_types_in $crate::bindings::$module);
        };
        #[cfg(not(target_family = "wasm"))]
        const _: fn() = $crate::exported::$kind::<$hook>::check;
    };
}
