//! cutover: a blue/green deploy engine whose points of difference are sandboxed WebAssembly components.

pub mod hook;
pub mod model;
pub mod transport;
