//! The front door: proof of the switch, asked as users ask, and of each router where one name stands for several.

use tokio::time::{Instant as Moment, sleep};

use super::shares::silent;
use crate::model::{Color, HostName, Note, Plan, Release, ReleaseId, Routing, Trouble, WHOLE};
use crate::run::execute::performed::{Performed, Summary};
use crate::run::world::front_doors::{ASK_AGAIN, FrontDoors, PATIENCE, hint};
use crate::run::world::performer::{Performer, Result};
use crate::run::world::probe::{Probe, Proof, Speaker, Wrong, probes};
use crate::run::world::switching::{Switching, Whose};

/// Right answers in a row, each on a fresh connection: one good answer proves nothing (6,048 old ones were measured after one).
pub(super) const IN_A_ROW: u64 = 20;

/// What a probe has come to.
enum Proved {
    /// Right answers in a row, and they tell whose they are.
    Proven,
    /// Right answers in a row.
    Answered,
    /// This router does not speak for the URL by itself.
    Silent(String),
}

/// What the probes of one deployment have come to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally<'a> {
    /// Right answers where the name leads, of all front doors.
    doors: u64,
    /// Right answers of each router that was asked by itself, in the order of the switch.
    routers: Vec<(&'a HostName, u64)>,
    /// Whether any answer could not tell whose it is.
    unproven: bool,
    /// Routers that do not speak for a front door by themselves, with what they said.
    silent: Vec<Note>,
}

impl<'a> Tally<'a> {
    fn add(&mut self, probe: &Probe<'a>, proved: Proved) {
        let answers = match proved {
            Proved::Proven => IN_A_ROW,
            Proved::Answered => {
                self.unproven = true;
                IN_A_ROW
            }
            Proved::Silent(reason) => return self.silent.push(silent(probe, &reason)),
        };
        let Some(router) = probe.router else {
            self.doors += answers;
            return;
        };
        match self.routers.iter_mut().find(|(name, _)| *name == router) {
            Some((_, count)) => *count += answers,
            None => self.routers.push((router, answers)),
        }
    }

    /// `20 of 20 probes say 43; lb1 20 of 20, lb2 20 of 20`.
    fn words(&self, release: u64) -> String {
        let total = self.doors;
        let mut words = if self.unproven {
            format!("{total} of {total} probes answer; not proven: no release marker")
        } else {
            format!("{total} of {total} probes say {release}")
        };
        let routers: Vec<String> =
            self.routers.iter().map(|(name, count)| format!("{name} {count} of {count}")).collect();
        if !routers.is_empty() {
            words = format!("{words}; {}", routers.join(", "));
        }
        words
    }
}

impl Performer {
    /// Proves that the colour answers at every front door: alone, where it has all of the requests.
    pub(crate) async fn prove(
        &self,
        plan: &Plan,
        color: Color,
        release: &ReleaseId,
        weight: u32,
    ) -> Result<Performed> {
        if weight < WHOLE {
            return self.prove_share(plan, color, weight).await;
        }
        let rested = self.live.as_ref().is_some_and(|record| record.maintenance.is_some());
        let nothing = if rested { "no colour" } else { "nothing" };
        let from = plan.live.as_ref().map_or_else(|| nothing.to_owned(), |(old, _)| old.to_string());
        let there = color == plan.color;
        let turns = plan.is_rolling() || self.deployment.has_turns();
        let probes = probes(&self.deployment);
        if probes.is_empty() {
            let what = if turns { String::new() } else { format!("{from} → {color}; ") };
            let text = format!("{what}not proven: no front door");
            return Ok(Performed::done(Summary::Text(text)));
        }
        // On the way back another release is asked for than the plan's own.
        let wanted = match &self.live {
            Some(record) if record.live.release.id == *release => &record.live.release,
            _ => &plan.release,
        };
        let mut tally = Tally::default();
        for probe in &probes {
            let proved = self.prove_at(probe, color, wanted).await?;
            tally.add(probe, proved);
        }
        let says = tally.words(wanted.number);
        let text = if there && !turns { format!("{from} → {color}; {says}") } else { says };
        let mut notes = if there { tally.silent } else { Vec::new() };
        if there && tally.unproven {
            let text = "set `app.release-marker`: how an answer names its release";
            notes.push(Note::new("to prove it", text));
        }
        Ok(Performed::done(Summary::Text(text)).with(notes))
    }

    /// Asks until the right answer has come so many times in a row.
    async fn prove_at(&self, probe: &Probe<'_>, color: Color, release: &Release) -> Result<Proved> {
        let deadline = Moment::now() + PATIENCE;
        let (mut in_a_row, mut proven) = (0, true);
        // Whoever has once answered as the application must go on to do so.
        let mut speaks = probe.required;
        while in_a_row < IN_A_ROW {
            match self.ask(probe, color, release).await {
                Ok(proof) => {
                    in_a_row += 1;
                    speaks = true;
                    proven &= proof == Proof::Proven;
                }
                Err(wrong) if !speaks && !wrong.is_ours() => return Ok(Proved::Silent(wrong.reason)),
                Err(wrong) if Moment::now() >= deadline => return Err(self.not_so(probe, &wrong).into()),
                Err(_) => {
                    in_a_row = 0;
                    speaks = true;
                    sleep(ASK_AGAIN).await;
                }
            }
        }
        Ok(if proven { Proved::Proven } else { Proved::Answered })
    }

    /// Every way to a front door that an answer can be expected from.
    pub(crate) async fn speaking_probes(&self, color: Color, release: &Release) -> Vec<Probe<'_>> {
        let mut speaking = Vec::new();
        for probe in probes(&self.deployment) {
            let speaks = probe.required
                || match self.ask(&probe, color, release).await {
                    Ok(_) => true,
                    Err(wrong) => wrong.is_ours(),
                };
            if speaks {
                speaking.push(probe);
            }
        }
        speaking
    }

    /// Asks one front door once.
    pub(crate) async fn ask(
        &self,
        probe: &Probe<'_>,
        color: Color,
        release: &Release,
    ) -> std::result::Result<Proof, Wrong> {
        let known = self.live.as_ref().map(|record| &record.live.release);
        let answer = self.front_doors().ask(probe, color, release, known).await;
        let whose = match &answer {
            Ok(Proof::Answered) => Whose::Untold,
            Err(wrong) if wrong.speaker == Speaker::OtherColor => Whose::Other,
            Ok(Proof::Proven) | Err(_) => Whose::Wanted,
        };
        self.note_switch(|switching, now| switching.answered(whose, now));
        answer
    }

    /// A run before this one has asked routers for all this.
    pub(crate) fn takes_up(&self, before: Vec<Routing>) {
        self.note_switch(|switching, _| *switching = Switching::after(before));
    }

    /// Takes note of what this run sees of a switch.
    pub(super) fn note_switch(&self, note: impl FnOnce(&mut Switching, Moment)) {
        if let Ok(mut switching) = self.switching.lock() {
            note(&mut switching, Moment::now());
        }
    }

    pub(super) fn front_doors(&self) -> FrontDoors<'_> {
        FrontDoors { deployment: &self.deployment, sites: &self.sites, hooks: &self.hooks }
    }

    /// What a probe that stays wrong means.
    pub(crate) fn not_so(&self, probe: &Probe<'_>, wrong: &Wrong) -> Trouble {
        not_so(probe, wrong, hint(&self.deployment, probe, wrong.speaker))
    }
}

/// A probe that stays wrong, as an error.
fn not_so(probe: &Probe<'_>, wrong: &Wrong, hint: Option<String>) -> Trouble {
    Trouble { hint, ..Trouble::new("switch/front-door", format!("{probe}: {}", wrong.reason)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EachRouter, FrontDoor, Name};
    use crate::run::world::probe::Speaker;

    #[test]
    fn each_router_is_told_of() {
        let (lb1, lb2) = (Name::new("lb1").expect("a name"), Name::new("lb2").expect("a name"));
        let url = "https://shop.example.com/up".to_owned();
        let door = FrontDoor { url, via: None, body: None, each_router: EachRouter::default() };
        let probe = |router| Probe { door: &door, router, required: router.is_none() };
        let mut tally = Tally::default();
        tally.add(&probe(Some(&lb1)), Proved::Proven);
        tally.add(&probe(Some(&lb2)), Proved::Silent("connection refused".to_owned()));
        tally.add(&probe(None), Proved::Proven);
        assert_eq!(tally.words(43), "20 of 20 probes say 43; lb1 20 of 20");
        let told = "does not answer for https://shop.example.com/up by itself: connection refused";
        assert_eq!(tally.silent, [Note::new("lb2", told)]);
        // A second front door.
        tally.add(&probe(Some(&lb1)), Proved::Proven);
        tally.add(&probe(Some(&lb2)), Proved::Proven);
        tally.add(&probe(None), Proved::Answered);
        let words = "40 of 40 probes answer; not proven: no release marker; lb1 40 of 40, lb2 20 of 20";
        assert_eq!(tally.words(43), words);
        let wrong =
            Wrong { reason: "says release `r1` instead of `r2`".to_owned(), speaker: Speaker::Application };
        let said = "lb2, asked by itself for https://shop.example.com/up: says release `r1` instead of `r2`";
        assert_eq!(not_so(&probe(Some(&lb2)), &wrong, None).message, said);
    }
}
