//! What starts and stops the processes of one colour on one host: systemd, programs of the operator's, or the helper's supervisor.
//!
//! A [`Slot`] is the place of one colour on one host, where at most one process runs. Each driver is a handful of pure functions
//! from a slot to operations and from answers back to meaning; the asynchronous functions here send the ones and read the others.
//!
//! # What runs in a slot is written down before it starts
//! `run/COLOR.release` in the application's directory names the release that the slot was last started from, and has the words that it was
//! started by. It changes only while nothing runs there, so it also tells what runs, whatever the driver (`detached` has the supervisor's
//! own record of the release), and by what words that is to be stopped.
//!
//! # How a release starts is kept with it
//! `env/RELEASE-COLOR.json` beside the release's environment has the words that it was deployed with, so that a way back and a rollback start
//! what was proven then, whatever `cutover.toml` says now. See [`Launch`]. A deployment of that release by other words replaces them when
//! it starts them, and puts them back when it fails. See [`Renewal`].
//!
//! # Why the unit's instance is the colour alone
//! A unit named by colour *and* release would need a wildcard in the sudoers file, and there `*` matches blanks and slashes:
//! `systemctl start cutover-shop@blue-*.service` also allows `systemctl start cutover-shop@blue-x ssh.service`. Regular expressions
//! came with sudo 1.9.10, which several supported distributions do not have. With the colour as instance each line is exact, two
//! processes for one port are impossible, and what a reboot brings up is one link. The release is in `run/COLOR.release`.
//!
//! # Why the unit runs a script of ours instead of reading an environment file
//! The template belongs to root and is made once, but `start` and the environment change with each release. systemd reads
//! `EnvironmentFile=` as root and follows links, so in a directory of the deploy user's it is a way to read other people's files (or to stop
//! the init process with a named pipe). `run/COLOR.sh` is opened and run as the application's user instead: root reads and
//! runs nothing that the deploy user can write.

mod command;
mod detached;
mod drive;
mod errand;
mod failure;
mod launch;
mod log;
mod noted;
mod renewal;
#[cfg(test)]
pub(crate) mod sample;
mod slot;
mod state;
mod systemd;
#[cfg(test)]
mod tests;
mod unit;

pub use drive::{disable, enable, start, state, stop};
pub use failure::DriverFailure;
pub use launch::Launch;
pub use log::{LogLine, LogReader, log_tail, open_log};
pub use noted::Noted;
pub use renewal::{Renewal, spare_launches};
pub use slot::Slot;
pub use state::InstanceState;
pub use systemd::{privileged_commands, unit_path};
pub use unit::unit_file;
