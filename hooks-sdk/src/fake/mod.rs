//! A scripted world of hosts that answers the imports in ordinary tests.
//!
//! ```
//! use cutover_hooks::{fake, hosts};
//!
//! let world = fake::World::install(["lb1"]);
//! world.file("lb1", "/etc/app/color", "blue\n");
//! world.program("lb1", "/usr/sbin/nginx", |command| fake::exit(0, &command.args.join(" ")));
//!
//! assert_eq!(hosts::read_text("lb1", "/etc/app/color").unwrap(), "blue\n");
//! assert_eq!(world.calls(), ["read lb1 /etc/app/color"]);
//! ```
//!
//! It is stricter than a real host where a hook could rely on luck: paths must be absolute, directories must be there, a link replaces
//! nothing but a link.

mod answers;
pub(crate) mod wire;
mod world;

pub use answers::{call, exit, instance, response};
pub use world::World;
