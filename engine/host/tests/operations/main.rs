//! Every operation on a real host: this one, in directories of its own, with the real program as the supervisor.

mod detached;
mod files;
mod locks;
mod processes;
mod programs;
mod sockets;
mod stage;
mod staging;
mod tails;
mod volume;
