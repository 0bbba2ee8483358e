//! cutover: a blue/green deploy engine whose points of difference are sandboxed WebAssembly components.

pub mod driver;
pub mod model;
pub mod run;
pub mod source;
pub mod transport;
