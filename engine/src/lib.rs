//! cutover: a blue/green deploy engine whose points of difference are sandboxed WebAssembly components.

pub mod driver;
pub mod model;
pub mod run;
pub mod store;
pub mod report;
pub mod transport;
