//! What a watch after a switch makes of each look, and comes to at its end. Pure.
//!
//! A host that can't be reached speaks for neither colour: what runs there may be as well as before. So a look that did not get there
//! counts neither for nor against, and all else goes on being watched. What answers, and answers wrong so many times in a row, turns
//! the deployment back as ever. When the time is over and something is still out of reach, the watch holds if everything else was
//! well at its last look, and there is something else: a front door that names the new release, an instance on another host. Where
//! nothing could be seen, nothing is proven, and the deployment turns back.

/// What one look at an instance, or one question to a front door, found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Glance {
    /// It is as it should be.
    Well,
    /// It answers, or does not where something should, and this is wrong with it.
    Wrong(String),
    /// The host that it is looked at from can't be reached, for this reason.
    Unreached(String),
}

/// An instance or front door that is looked at again and again.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    /// Wrong looks in a row that fail the watch.
    limit: u32,
    wrong_in_a_row: u32,
    last: Option<Glance>,
}

impl Watched {
    /// Nothing was seen yet; so many wrong looks in a row fail the watch.
    pub(crate) const fn new(limit: u32) -> Self {
        Self { limit, wrong_in_a_row: 0, last: None }
    }

    /// Takes note of a look. Answers with what is wrong, when it has been so for too long.
    pub(crate) fn note(&mut self, glance: Glance) -> Option<&str> {
        match &glance {
            Glance::Well => self.wrong_in_a_row = 0,
            Glance::Wrong(_) => self.wrong_in_a_row += 1,
            Glance::Unreached(_) => {}
        }
        self.last = Some(glance);
        match &self.last {
            Some(Glance::Wrong(reason)) if self.wrong_in_a_row >= self.limit => Some(reason),
            _ => None,
        }
    }

    /// Whether the last look was wrong, and it takes another one to tell what that means: no watch ends in between.
    pub(crate) const fn is_undecided(&self) -> bool {
        matches!(self.last, Some(Glance::Wrong(_))) && self.wrong_in_a_row < self.limit
    }

    /// Whether the last look did not get there.
    pub(crate) const fn is_out_of_reach(&self) -> bool {
        matches!(self.last, Some(Glance::Unreached(_)))
    }
}

/// What a watch comes to when its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict<'a> {
    /// It holds: everything could be seen.
    Holds,
    /// It holds as far as could be seen: something is out of reach, and all else is well.
    HoldsAsSeen,
    /// Something is out of reach, and this is wrong with something else.
    Wrong(&'a str),
    /// Nothing is within reach: this is why.
    Blind(&'a str),
}

/// Concludes a watch in which nothing was wrong for too long.
pub(crate) fn conclude<'a>(watched: impl Iterator<Item = &'a Watched>) -> Verdict<'a> {
    let (mut unreached, mut wrong, mut well) = (None, None, false);
    for last in watched.filter_map(|watched| watched.last.as_ref()) {
        match last {
            Glance::Well => well = true,
            Glance::Wrong(reason) => wrong = wrong.or(Some(reason.as_str())),
            Glance::Unreached(reason) => unreached = unreached.or(Some(reason.as_str())),
        }
    }
    match (unreached, wrong) {
        (None, _) => Verdict::Holds,
        (Some(_), Some(reason)) => Verdict::Wrong(reason),
        (Some(_), None) if well => Verdict::HoldsAsSeen,
        (Some(reason), None) => Verdict::Blind(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_watch_ends_between_the_first_wrong_look_and_what_comes_of_it() {
        let undecided = |looks| watched(looks).expect("not wrong for too long").is_undecided();
        assert!(undecided("-") && undecided("+--") && undecided("--+-"));
        assert!(!undecided("") && !undecided("+") && !undecided("--+") && !undecided("--?"));
    }

    /// `+` well, `-` wrong, `?` out of reach.
    fn watched(looks: &str) -> Result<Watched, usize> {
        let mut watched = Watched::new(3);
        for (index, look) in looks.chars().enumerate() {
            let glance = match look {
                '+' => Glance::Well,
                '-' => Glance::Wrong("answers 500".to_owned()),
                _ => Glance::Unreached("no route".to_owned()),
            };
            if watched.note(glance).is_some() {
                return Err(index + 1);
            }
        }
        Ok(watched)
    }

    #[test]
    fn only_what_answers_wrong_again_and_again_fails_the_watch() {
        for holds in ["++++", "+--+--+", "????????", "--?+--", "+?-?-?"] {
            assert!(watched(holds).is_ok(), "{holds}");
        }
        for (fails, at) in [("---", 3), ("+--+---", 7), ("-?-?-", 5), ("????---", 7)] {
            assert_eq!(watched(fails).expect_err("it fails"), at, "{fails}");
        }
    }

    #[test]
    fn who_can_not_be_reached_is_judged_by_the_others() {
        let concluded = |all: &[&str]| {
            let all: Vec<Watched> = all.iter().map(|looks| watched(looks).expect("it holds")).collect();
            match conclude(all.iter()) {
                Verdict::Holds => "holds",
                Verdict::HoldsAsSeen => "holds as seen",
                Verdict::Wrong(_) => "wrong",
                Verdict::Blind(_) => "blind",
            }
        };
        assert_eq!(concluded(&["++", "++"]), "holds");
        assert_eq!(concluded(&["++", "+-"]), "holds", "one wrong look is none");
        assert_eq!(concluded(&["+?+", "++"]), "holds", "it came back");
        assert_eq!(concluded(&["++", "+?"]), "holds as seen");
        assert_eq!(concluded(&["+?", "+?", "++"]), "holds as seen");
        assert_eq!(concluded(&["+?", "+-"]), "wrong", "there is nobody to say that it passes");
        assert_eq!(concluded(&["++?", "?"]), "blind");
        assert_eq!(concluded(&["+?", ""]), "blind", "never looked at");
        assert_eq!(concluded(&[""]), "holds", "a watch of no time");
    }
}
