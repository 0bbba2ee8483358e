//! A way of moving the requests of a router from one colour to the other.

/// What is measured.
pub(crate) struct Contender {
    pub(crate) router: &'static str,
    pub(crate) style: &'static str,
    /// Whether it is what cutover does at this router where nothing else is asked for.
    pub(crate) default: bool,
    pub(crate) by: By,
    make: fn() -> Option<Box<dyn Subject>>,
}

/// Who moves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// `cutover rollback`, with a hook that comes with it.
    Cutover,
    /// What people write.
    Script,
}

impl By {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Cutover => "cutover",
            Self::Script => "script",
        }
    }
}

/// An application in two colours behind a router, with green live.
pub(crate) trait Subject {
    /// The port of the front door.
    fn port(&self) -> u16;

    /// Sees to it that a colour runs and answers, before the time of its switch begins.
    fn make_ready(&mut self, color: &str);

    /// Moves all requests to a colour, and returns when whoever asked for that is told that it is done.
    fn switch(&mut self, color: &str);
}

impl Contender {
    pub(crate) const fn hook(
        router: &'static str,
        style: &'static str,
        default: bool,
        make: fn() -> Option<Box<dyn Subject>>,
    ) -> Self {
        Self { router, style, default, by: By::Cutover, make }
    }

    pub(crate) const fn script(
        router: &'static str,
        style: &'static str,
        make: fn() -> Option<Box<dyn Subject>>,
    ) -> Self {
        Self { router, style, default: false, by: By::Script, make }
    }

    /// `cutover: nginx file-test`.
    pub(crate) fn title(&self) -> String {
        format!("{}: {} {}", self.by.as_str(), self.router, self.style)
    }

    /// Sets it up; none where that can't be done, which is said.
    pub(crate) fn make(&self) -> Option<Box<dyn Subject>> {
        (self.make)()
    }
}
