//! Bugs on purpose, switched on one at a time, to show that the proof finds them.
//!
//! `planted!(Name)` is the constant `false` in every build but that of this crate's own unit tests: neither the switches nor their
//! names are in a program that anyone runs. A rule of the engine that can be taken out here without a test failing is a rule that
//! nothing proves.

#[cfg(test)]
mod bug;

#[cfg(test)]
pub(crate) use bug::Bug;

/// Whether a bug is switched on.
#[cfg(test)]
macro_rules! planted {
    ($bug:ident) => {
        $crate::planted::Bug::$bug.is_on()
    };
}

/// No bug is.
#[cfg(not(test))]
macro_rules! planted {
    ($bug:ident) => {
        false
    };
}
