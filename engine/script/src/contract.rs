//! What the engine asks before anything else (`../src/hook/script.wit`).

#![expect(unsafe_code, reason = "what the generated macro expands to")]

use crate::bindings::script::exports::cutover::script::script::{Description, Guest};
use crate::script::Script;

struct Describer;

impl Guest for Describer {
    fn describe() -> Result<Description, String> {
        let script = Script::given().map_err(|fault| format!("it is no text: {fault}"))?;
        script
            .describe()
            .map(|described| Description { imports: described.imports, exports: described.exports })
    }
}

crate::bindings::script::export!(Describer with_types_in crate::bindings::script);
