//! The front door while both colours get requests: every answer has to be right for one of them, and it is counted whose each was.
//!
//! That the old colour answers proves nothing wrong there, and that the new one did not yet, little: a router may bind each client to one
//! colour. So it is asked until the new one was seen, within reason, and told what was seen.

use tokio::time::{Instant as Moment, sleep};

use super::front_door::IN_A_ROW;
use crate::model::{Color, Note, Plan, Release, Timestamp};
use crate::run::execute::performed::{Performed, Summary};
use crate::run::world::front_doors::{ASK_AGAIN, PATIENCE};
use crate::run::world::performer::{Performer, Result};
use crate::run::world::probe::{Either, Probe, Proof, Wrong, probes};
use crate::run::world::switching::Whose;

/// Answers after which a colour was seen that gets one in a hundred of them at random, with 98 in 100 chances. One that gets more needs
/// so much less.
const TO_SEE_A_HUNDREDTH: u64 = 400;

/// Wrong answers that are not taken for an accident.
const NO_ACCIDENT: u64 = 3;

/// Answers while both colours get requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shares {
    /// Right ones.
    answers: u64,
    /// Those of the new colour among them.
    new: u64,
    /// Wrong ones.
    wrong: u64,
    /// Whether any answer could not tell whose it is.
    unproven: bool,
}

impl Shares {
    /// Nobody was asked yet.
    pub(super) const NONE: Self = Self { answers: 0, new: 0, wrong: 0, unproven: false };

    pub(super) fn add(&mut self, answer: Either) {
        self.answers += 1;
        self.new += u64::from(answer != Either::Other);
        self.unproven |= answer == Either::Wanted(Proof::Answered);
    }

    pub(super) const fn add_wrong(&mut self) {
        self.wrong += 1;
    }

    /// Whether as much is wrong as if the new colour, with this weight, answered wrong every second time or more often. Whose a wrong answer
    /// was can seldom be told.
    pub(super) const fn is_sick(self, weight: u32) -> bool {
        self.wrong >= NO_ACCIDENT && self.wrong * 200 >= (self.answers + self.wrong) * weight as u64
    }

    /// Whether enough was asked to tell what a colour of this weight has.
    fn is_enough(self, weight: u32) -> bool {
        let seen = self.new > 0 || self.answers >= TO_SEE_A_HUNDREDTH / u64::from(weight.max(1));
        self.answers >= IN_A_ROW && seen
    }

    pub(super) fn and(self, other: Self) -> Self {
        let unproven = self.unproven || other.unproven;
        Self {
            answers: self.answers + other.answers,
            new: self.new + other.new,
            wrong: self.wrong + other.wrong,
            unproven,
        }
    }

    /// `20 of 20 probes answer, 43 in 3 of them`: of all that were asked, those that were right.
    pub(super) fn words(self, release: u64) -> String {
        let Self { answers, new, wrong, unproven } = self;
        let total = answers + wrong;
        if unproven {
            return format!("{answers} of {total} probes answer; not proven: no release marker");
        }
        let new = if new == 0 { "none".to_owned() } else { new.to_string() };
        format!("{answers} of {total} probes answer, {release} in {new} of them")
    }
}

impl Performer {
    /// Proves that the front doors answer rightly while the new colour has a share of the requests.
    pub(super) async fn prove_share(&self, plan: &Plan, color: Color, weight: u32) -> Result<Performed> {
        let probes = probes(&self.deployment);
        if probes.is_empty() {
            let text = format!("{color} {weight} %; not proven: no front door");
            return Ok(Performed::done(Summary::Text(text)));
        }
        let (mut seen, mut notes) = (Shares::NONE, Vec::new());
        for probe in &probes {
            match self.shares_at(probe, plan, weight).await? {
                Ok(shares) => seen = seen.and(shares),
                Err(silent) => notes.push(silent),
            }
        }
        let says = seen.words(plan.release.number);
        Ok(Performed::done(Summary::Text(format!("{color} {weight} %; {says}"))).with(notes))
    }

    /// Asks until enough right answers have come. Or says that a router does not speak for the URL by itself.
    async fn shares_at(
        &self,
        probe: &Probe<'_>,
        plan: &Plan,
        weight: u32,
    ) -> Result<std::result::Result<Shares, Note>> {
        let deadline = Moment::now() + PATIENCE;
        let mut seen = Shares::NONE;
        let mut speaks = probe.required;
        let is_over = |seen: Shares| seen.answers >= IN_A_ROW && Moment::now() >= deadline;
        while !seen.is_enough(weight) && !is_over(seen) {
            match self.ask_either(probe, plan).await {
                Ok(answer) => {
                    seen.add(answer);
                    speaks = true;
                }
                Err(wrong) if !speaks && !wrong.is_ours() => return Ok(Err(silent(probe, &wrong.reason))),
                Err(wrong) => {
                    seen.add_wrong();
                    speaks = true;
                    let is_sick = seen.answers + seen.wrong >= IN_A_ROW && seen.is_sick(weight);
                    if is_sick || Moment::now() >= deadline {
                        return Err(self.not_so(probe, &wrong).into());
                    }
                    sleep(ASK_AGAIN).await;
                }
            }
        }
        Ok(Ok(seen))
    }

    /// Asks one front door once, where either colour may answer.
    pub(super) async fn ask_either(
        &self,
        probe: &Probe<'_>,
        plan: &Plan,
    ) -> std::result::Result<Either, Wrong> {
        let other = self.other_release(plan);
        let answer = self.front_doors().ask_either(probe, plan.color, &plan.release, other.as_ref()).await;
        self.note_switch(|switching, now| switching.answered(Whose::Untold, now));
        answer
    }

    /// What the other colour runs, as far as it is known.
    fn other_release(&self, plan: &Plan) -> Option<Release> {
        let recorded = self.live.as_ref().map(|record| &record.live);
        if let Some(live) = recorded.filter(|live| live.color == plan.color.other()) {
            return Some(live.release.clone());
        }
        let id = plan.live.as_ref().and_then(|(_, id)| id.clone())?;
        Some(Release::new(id, 0, Timestamp(0)))
    }
}

/// A router that does not speak for a front door by itself, with what it said.
pub(super) fn silent(probe: &Probe<'_>, reason: &str) -> Note {
    let name = probe.router.map(ToString::to_string).unwrap_or_default();
    Note::new(name, format!("does not answer for {} by itself: {reason}", probe.door.url))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(new: u64, old: u64) -> Shares {
        Shares { answers: new + old, new, ..Shares::NONE }
    }

    #[test]
    fn a_share_that_answers_wrong_is_sick_however_small_it_is() {
        let sick = |weight, wrong, right| Shares { wrong, ..shares(0, right) }.is_sick(weight);
        // All that it answers is wrong.
        assert!(sick(10, 4, 36) && sick(5, 3, 57) && sick(50, 10, 10) && sick(1, 3, 297));
        // Every second time.
        assert!(sick(10, 5, 95) && !sick(10, 4, 95));
        // An accident or two, and a few over a long time.
        assert!(!sick(10, 2, 0) && !sick(50, 2, 2) && !sick(50, 3, 100) && !sick(10, 3, 200));
        assert!(sick(50, 3, 0) && !sick(50, 0, 0));
    }

    #[test]
    fn a_small_share_is_looked_for_longer() {
        assert!(!shares(1, 18).is_enough(50));
        assert!(shares(1, 19).is_enough(1), "it was seen");
        assert!(shares(0, 20).is_enough(50));
        assert!(!shares(0, 79).is_enough(5) && shares(0, 80).is_enough(5));
        assert!(!shares(0, 399).is_enough(1) && shares(0, 400).is_enough(1));
    }

    #[test]
    fn what_was_seen_is_told() {
        assert_eq!(shares(3, 17).words(43), "20 of 20 probes answer, 43 in 3 of them");
        let one_wrong = Shares { wrong: 1, ..shares(0, 80) };
        assert_eq!(one_wrong.words(43), "80 of 81 probes answer, 43 in none of them");
        let mut unproven = Shares::NONE;
        unproven.add(Either::Wanted(Proof::Answered));
        assert_eq!(unproven.words(43), "1 of 1 probes answer; not proven: no release marker");
        let mut both = Shares::NONE;
        [Either::Wanted(Proof::Proven), Either::Other, Either::Other]
            .into_iter()
            .for_each(|answer| both.add(answer));
        assert_eq!(both, shares(1, 2));
    }
}
