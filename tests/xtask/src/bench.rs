//! `cargo xtask bench hook`: what a call of a hook costs.

/// Measures.
pub(crate) fn run(_as_json: bool) -> Result<(), String> {
    Err("not yet".to_owned())
}
