//! One file for each kind of action.

mod closed;
mod drain;
mod finish;
mod front_door;
mod health;
mod migrate;
mod process;
mod reach;
mod route;
mod shares;
mod silence;
mod smoke;
mod stage;
mod watch;
