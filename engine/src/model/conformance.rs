//! What is held against a router hook: the rules of its contract, and whether a try kept them.

use std::fmt;

use super::{Mishap, Routing};

/// A rule for router hooks. Where it comes from: the comments of `wit/kinds.wit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RouterRule {
    /// `prepare` with the fact `setup` answers out of the call alone.
    Setup,
    /// `features`, `observe` and `connections` ask for nothing that could change something.
    Looks,
    /// `prepare` and `discard` have no effect on traffic, and can be asked again.
    Prepares,
    /// `prepare` says nothing where nothing would change.
    NothingToDo,
    /// `apply` makes it so, there and back, and `observe` says when it is.
    Switches,
    /// `apply` succeeds when it is so already.
    Again,
    /// What `features` names can be done.
    Features,
    /// Front doors answer as `observe` says.
    FrontDoor,
    /// `apply` says yes only when it is so.
    Honest,
    /// Whatever goes wrong in `apply`, requests find a colour afterwards, and `observe` says which.
    NeverDark,
    /// After whatever went wrong, `apply` makes it so: forward, and back.
    Mends,
    /// After whatever went wrong in `prepare`, traffic is where it was, and `discard` and `prepare` work.
    Harmless,
    /// `observe` that could not ask does not make something up.
    NoGuess,
    /// What somebody else does after `prepare`, or in the middle of `apply`, is seen, and the next `apply` makes it so all the same.
    Meanwhile,
}

impl RouterRule {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 14] = [
        Self::Setup,
        Self::Looks,
        Self::Prepares,
        Self::NothingToDo,
        Self::Switches,
        Self::Again,
        Self::Features,
        Self::FrontDoor,
        Self::Honest,
        Self::NeverDark,
        Self::Mends,
        Self::Harmless,
        Self::NoGuess,
        Self::Meanwhile,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Looks => "looks",
            Self::Prepares => "prepares",
            Self::NothingToDo => "nothing-to-do",
            Self::Switches => "switches",
            Self::Again => "again",
            Self::Features => "features",
            Self::FrontDoor => "front-door",
            Self::Honest => "honest",
            Self::NeverDark => "never-dark",
            Self::Mends => "mends",
            Self::Harmless => "harmless",
            Self::NoGuess => "no-guess",
            Self::Meanwhile => "meanwhile",
        }
    }

    /// What it asks of a hook.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Setup => "`prepare` says what to install out of the call alone",
            Self::Looks => "`features`, `observe` and `connections` ask for nothing that changes something",
            Self::Prepares => "`prepare` and `discard` leave traffic alone, also when asked again",
            Self::NothingToDo => "`prepare` says nothing where nothing would change",
            Self::Switches => "`apply` makes it so, there and back, and `observe` says when",
            Self::Again => "`apply` succeeds when it is so already",
            Self::Features => "what `features` names can be done, and undone",
            Self::FrontDoor => "front doors answer as `observe` says",
            Self::Honest => "`apply` says yes only when it is so",
            Self::NeverDark => {
                "whatever goes wrong in `apply`, requests find a colour, and `observe` says which"
            }
            Self::Mends => "after it, `apply` works: forward, and back",
            Self::Harmless => "whatever goes wrong in `prepare`, traffic stays where it was",
            Self::NoGuess => "`observe` that could not ask does not make something up",
            Self::Meanwhile => {
                "who moves it by hand in between is seen, and the next `apply` works all the same"
            }
        }
    }
}

/// What a router showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// None where the router does not know the application; an error where it did not say.
    pub routing: Result<Option<Routing>, String>,
    /// Whether all of it acts so.
    pub settled: bool,
}

impl Shown {
    /// Whether it is this, and all of it.
    #[must_use]
    pub fn is(&self, want: &Routing) -> bool {
        self.settled && matches!(&self.routing, Ok(Some(routing)) if routing == want)
    }

    /// Whether requests find a colour, on every host.
    fn is_lit(&self) -> bool {
        let lit = |routing: &Routing| routing.blue + routing.green == 100 && routing.out.is_empty();
        matches!(&self.routing, Ok(Some(routing)) if lit(routing))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.routing {
            Ok(routing) => f.write_str(&Routing::shown(routing.as_ref()))?,
            Err(reason) => return write!(f, "nothing: {reason}"),
        }
        if self.settled { Ok(()) } else { f.write_str(", not settled") }
    }
}

/// One `apply` in which something went wrong, and what the router showed then.
#[derive(Debug, Clone)]
pub struct Disturbed<'a> {
    /// How it went wrong.
    pub mishap: Mishap,
    /// What was asked for.
    pub want: &'a Routing,
    /// What `apply` said: yes, or its error.
    pub said: &'a Result<(), String>,
    /// What `observe` said then: after a yes, once it had settled, or had had the time for it.
    pub shown: &'a Shown,
}

impl Disturbed<'_> {
    /// The rules that were put to the test, each with how it was broken when it was.
    #[must_use]
    pub fn judged(&self) -> Vec<(RouterRule, Option<String>)> {
        let Self { mishap, want, said, shown } = self;
        if *mishap == Mishap::Overtaken {
            // What two at once come to, is neither's: it is told, and mended by whoever comes next.
            let told = matches!(shown.routing, Ok(Some(_)));
            return vec![(RouterRule::Meanwhile, (!told).then(|| format!("it shows {shown}")))];
        }
        let mut judged = Vec::new();
        if !mishap.deceives() {
            let lied = said.is_ok() && !shown.is(want);
            judged
                .push((RouterRule::Honest, lied.then(|| format!("`apply` said yes, and it shows {shown}"))));
        }
        judged.push((RouterRule::NeverDark, (!shown.is_lit()).then(|| format!("it shows {shown}"))));
        judged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Color;

    fn judged(
        mishap: Mishap,
        want: &Routing,
        said: &Result<(), String>,
        shown: &Shown,
    ) -> Vec<(RouterRule, Option<String>)> {
        Disturbed { mishap, want, said, shown }.judged()
    }

    #[test]
    fn a_yes_is_held_against_what_is_shown() {
        let [blue, green] = Color::ALL.map(Routing::all_to);
        let mixed = Routing { blue: 50, green: 50, out: Vec::new() };
        let out = Routing { out: vec![crate::model::Name::new("web1").expect("a name")], ..green.clone() };
        let no = || Err("refused".to_owned());
        let lied = Some("`apply` said yes, and it shows blue 100 %");
        let half = Some("`apply` said yes, and it shows green 100 %, not settled");
        let table = [
            (Ok(()), Ok(Some(green.clone())), true, [None, None]),
            (Ok(()), Ok(Some(green.clone())), false, [half, None]),
            (no(), Ok(Some(green.clone())), false, [None, None]),
            (no(), Ok(Some(blue.clone())), true, [None, None]),
            (no(), Ok(Some(mixed)), false, [None, None]),
            (Ok(()), Ok(Some(blue)), true, [lied, None]),
            (no(), Ok(Some(out)), true, [None, Some("it shows green 100 %, out: web1")]),
            (no(), Ok(Some(Routing::none())), true, [None, Some("it shows no colour")]),
            (no(), Ok(None), true, [None, Some("it shows nothing of this application")]),
            (no(), Err("refused".to_owned()), true, [None, Some("it shows nothing: refused")]),
        ];
        for (said, routing, settled, expected) in table {
            let shown = Shown { routing, settled };
            let judged = judged(Mishap::Lost, &green, &said, &shown);
            assert_eq!(
                judged.iter().map(|(rule, _)| *rule).collect::<Vec<_>>(),
                [RouterRule::Honest, RouterRule::NeverDark]
            );
            let found: Vec<Option<&str>> = judged.iter().map(|(_, broken)| broken.as_deref()).collect();
            assert_eq!(found, expected, "{said:?} {shown:?}");
        }
    }

    #[test]
    fn who_was_deceived_may_say_yes() {
        let [blue, green] = Color::ALL.map(Routing::all_to);
        let shown = Shown { routing: Ok(Some(blue)), settled: true };
        let judged = judged(Mishap::Outdated, &green, &Ok(()), &shown);
        assert_eq!(judged, [(RouterRule::NeverDark, None)]);
    }

    #[test]
    fn what_two_at_once_come_to_has_to_be_told() {
        let [blue, green] = Color::ALL.map(Routing::all_to);
        for (routing, broken) in [
            (Ok(Some(blue)), None),
            (Ok(Some(Routing::none())), None),
            (Ok(None), Some("it shows nothing of this application")),
            (Err("refused".to_owned()), Some("it shows nothing: refused")),
        ] {
            let shown = Shown { routing, settled: true };
            let judged = judged(Mishap::Overtaken, &green, &Ok(()), &shown);
            assert_eq!(judged, [(RouterRule::Meanwhile, broken.map(str::to_owned))]);
        }
    }
}
