//! How a history came to where it is, for whoever has to understand a violation.

use std::fmt;
use std::rc::Rc;

use super::aftermath::Then;
use super::fault::Fault;
use super::happening::Happening;
use super::typed::Typed;

/// One choice.
#[derive(Debug, Clone)]
pub(super) enum Choice {
    /// An action went wrong.
    Fault(String, Fault),
    /// The engine died.
    Crash(String),
    /// The world changed and a person typed something.
    Recovery(Happening, Typed),
    /// A person mended the world.
    Mended,
    /// The host that was taken for dead is back, and nothing else was done.
    BroughtBack,
    /// The next deployment.
    Next(Then),
}

/// Choices, the last one first.
#[derive(Debug, Clone, Default)]
pub(super) struct Path(Option<Rc<(Choice, Path)>>);

impl Path {
    pub(super) fn then(&self, choice: Choice) -> Self {
        Self(Some(Rc::new((choice, self.clone()))))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((choice, before)) = self.0.as_deref() else { return Ok(()) };
        write!(f, "{before}; ")?;
        match choice {
            Choice::Fault(action, fault) => write!(f, "{fault:?} at `{action}`"),
            Choice::Crash(at) => write!(f, "crash {at}"),
            Choice::Recovery(happening, ask) => write!(f, "{happening:?}, {ask:?}"),
            Choice::Mended => f.write_str("mended"),
            Choice::BroughtBack => f.write_str("brought back"),
            Choice::Next(then) => write!(f, "the next deployment, {then:?}"),
        }
    }
}
