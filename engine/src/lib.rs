//! cutover: a blue/green deploy engine whose points of difference are sandboxed WebAssembly components.

pub mod cli;
pub mod model;
pub mod report;
pub mod transport;
