//! cutover: a blue/green deploy engine whose points of difference are sandboxed WebAssembly components.

pub mod bundled;
pub mod model;
pub mod transport;
