//! Formats of strings: what is accepted, and why a text is not.

mod command;
mod definition;
mod duration;
mod grant;
mod network;
mod path;
mod text;

pub(super) use command::{ANSWER, APP_VARIABLE, COMMAND_WORD, LISTEN, UNIT_LINE, VARIABLE};
pub(super) use definition::{Complaint, Format};
pub(crate) use duration::parse as parse_duration;
pub(super) use duration::{DURATION, DURATION_OR_ZERO, PATTERN as DURATION_PATTERN};
pub(super) use grant::{
    BARE_SECRET, EXACT, GRANTED_PATH, GRANTED_VARIABLE, LINK_OF_CHAIN, ORIGIN, PROGRAM, SECRET_ORIGIN,
    SOCKET, WHOLE_NETWORK, build_place,
};
pub(super) use network::{ADDRESS, AUTHORITIES, BRANCH, BUCKET, DESTINATION, REPOSITORY, URL, host_of};
pub(super) use path::{DIRECTORY, RELATIVE};
pub(super) use text::{HEADER, NAME, PERCENT, POINTER, TEXT, USER, WORD, parse_percent};

#[cfg(test)]
mod tests;
