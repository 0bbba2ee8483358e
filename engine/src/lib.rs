//! cutover: a blue/green deploy engine whose points of difference are sandboxed WebAssembly components.

pub mod bundled;
pub mod driver;
pub mod hook;
pub mod model;
pub mod report;
pub mod run;
pub mod store;
pub mod transport;
