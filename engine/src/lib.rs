//! cutover: a blue/green deploy engine whose points of difference are sandboxed WebAssembly components.

pub mod bundled;
pub mod cli;
pub mod config;
pub mod driver;
pub mod hook;
pub mod model;
pub mod report;
pub mod run;
pub mod secret;
pub mod source;
pub mod store;
pub mod transport;
