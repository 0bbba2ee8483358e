//! cutover: a blue/green deploy engine whose points of difference are sandboxed WebAssembly components.

pub mod config;
pub mod model;
pub mod transport;
