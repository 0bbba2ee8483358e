//! For authors of hooks: one hook by itself, asked of the world as it is, or what a case says.

pub(super) mod call;
pub(super) mod replay;
