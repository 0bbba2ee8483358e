//! What is held against a router hook: the rules of its contract, and whether a try kept them.

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
}

impl RouterRule {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 13] = [
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
        }
    }
}

/// One `apply` in which something went wrong, and what the router showed once it had settled.
#[derive(Debug, Clone)]
pub struct Disturbed<'a> {
    /// How it went wrong.
    pub mishap: Mishap,
    /// What was asked for.
    pub want: &'a Routing,
    /// What `apply` said: yes, or its error.
    pub said: &'a Result<(), String>,
    /// What `observe` said afterwards: none where the router does not know the application.
    pub shown: &'a Result<Option<Routing>, String>,
}

impl Disturbed<'_> {
    /// The rules that were put to the test, each with how it was broken when it was.
    #[must_use]
    pub fn judged(&self) -> Vec<(RouterRule, Option<String>)> {
        let is_so = matches!(self.shown, Ok(Some(routing)) if routing == self.want);
        let shown = shown_words(self.shown);
        let mut judged = Vec::new();
        if !self.mishap.deceives() {
            let lied = self.said.is_ok() && !is_so;
            judged
                .push((RouterRule::Honest, lied.then(|| format!("`apply` said yes, and it shows {shown}"))));
        }
        let lit = matches!(self.shown, Ok(Some(routing)) if routing.blue + routing.green == 100 && routing.out.is_empty());
        judged.push((RouterRule::NeverDark, (!lit).then(|| format!("it shows {shown}"))));
        judged
    }
}

/// What a router shows, in words.
#[must_use]
pub fn shown_words(shown: &Result<Option<Routing>, String>) -> String {
    match shown {
        Ok(Some(routing)) => routing.to_string(),
        Ok(None) => "nothing of this application".to_owned(),
        Err(reason) => format!("nothing: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Color;

    #[test]
    fn a_yes_is_held_against_what_is_shown() {
        let [blue, green] = Color::ALL.map(Routing::all_to);
        let mixed = Routing { blue: 50, green: 50, out: Vec::new() };
        let no = || Err("refused".to_owned());
        let table = [
            (Mishap::Lost, Ok(()), Ok(Some(green.clone())), [None, None]),
            (Mishap::Lost, no(), Ok(Some(green.clone())), [None, None]),
            (Mishap::Refused, no(), Ok(Some(blue.clone())), [None, None]),
            (Mishap::Killed, no(), Ok(Some(mixed)), [None, None]),
            (
                Mishap::Refused,
                Ok(()),
                Ok(Some(blue.clone())),
                [Some("`apply` said yes, and it shows blue 100 %"), None],
            ),
            (Mishap::Killed, no(), Ok(Some(Routing::none())), [None, Some("it shows no colour")]),
            (Mishap::Silent, no(), Ok(None), [None, Some("it shows nothing of this application")]),
            (Mishap::Silent, no(), Err("refused".to_owned()), [None, Some("it shows nothing: refused")]),
        ];
        for (mishap, said, shown, expected) in table {
            let judged = Disturbed { mishap, want: &green, said: &said, shown: &shown }.judged();
            let found: Vec<Option<&str>> = judged.iter().map(|(_, broken)| broken.as_deref()).collect();
            assert_eq!(found, expected, "{mishap:?} {said:?} {shown:?}");
            assert_eq!(
                judged.iter().map(|(rule, _)| *rule).collect::<Vec<_>>(),
                [RouterRule::Honest, RouterRule::NeverDark]
            );
        }
    }

    #[test]
    fn who_was_deceived_may_say_yes() {
        let [blue, green] = Color::ALL.map(Routing::all_to);
        let shown = Ok(Some(blue));
        let judged =
            Disturbed { mishap: Mishap::Outdated, want: &green, said: &Ok(()), shown: &shown }.judged();
        assert_eq!(judged, [(RouterRule::NeverDark, None)]);
    }
}
