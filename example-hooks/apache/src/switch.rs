//! From one routing to another: first what is new comes on and is seen to be well, then what is old goes off.

use std::time::Duration;

use cutover_hooks::engine::{self, Level};
use cutover_hooks::{Call, Color, HookError, Routing};

use crate::balancer_manager::Seen;
use crate::seats::{Goal, Seat, goals, is_met, may_begin_with, shown};
use crate::settings::Site;
use crate::word;

/// How often a change is sent until it shows: Apache may have been restarted between the look and the change.
const TRIES: usize = 3;

/// How long members that have just been turned on may be in error. Where requests come in, Apache tries them again each second.
const PATIENCE: Duration = Duration::from_secs(3);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

impl Site {
    /// What would change, for people; all that can be wrong is found without a change.
    pub(crate) fn plan(&self, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        let seats = self.look(call, router)?.seats;
        let goals = goals(&seats, want)?;
        let comes = |(seat, goal): &(&Seat, &Goal)| goal.on && !seat.member.is_on();
        let sick: Vec<String> = seats
            .iter()
            .zip(&goals)
            .filter(comes)
            .filter(|(seat, _)| seat.member.is_in_error())
            .map(|(seat, _)| format!("`{}` ({} on {})", seat.member.url, seat.color, seat.host))
            .collect();
        if !sick.is_empty() {
            let text = format!("Apache on `{router}` holds {} to be in error", sick.join(" and "));
            // The next request to the balancer clears it, unless it is so.
            return Err(HookError::temporary(text).hint(format!(
                "can {router} reach that address? Apache looks anew when something is asked at the front door"
            )));
        }
        self.check_files(router)?;
        let begins = self.begins_with(router)?;
        let will = self.choose(call, want, begins);
        let (now, then) = (told(&seats, &shown(&seats), begins), told(&seats, want, will));
        if now == then && seats.iter().zip(&goals).all(|(seat, goal)| is_met(seat, *goal)) {
            return Ok(String::new());
        }
        let mut text =
            format!("--- {router}: balancer {}, now\n+++ {router}: balancer {0}, then\n", self.balancer());
        for (sign, lines) in [('-', now), ('+', then)] {
            for line in lines {
                text.push_str(&format!("{sign}{line}\n"));
            }
        }
        Ok(text)
    }

    /// The colour with which Apache is to begin: what the files name, where that is as good as another.
    fn choose(&self, call: &Call, want: &Routing, begins: Option<Color>) -> Option<Color> {
        let may = may_begin_with(want);
        let other = may.iter().find(|color| **color != Some(call.color));
        if may.contains(&begins) { begins } else { other.or(may.first()).copied().flatten() }
    }

    /// Makes it so.
    pub(crate) fn switch(&self, call: &Call, router: &str, want: &Routing) -> Result<(), HookError> {
        let turn = Turn { site: self, call, router, want };
        let seen = self.look(call, router)?;
        let news = news(&seen.seats, &goals(&seen.seats, want)?, call.color);
        // Who shares learns that before another one comes, so that nobody gets more than is asked for on the way.
        let seen = turn.change(seen, |seat, goal| goal.on && seat.member.is_on() && !is_met(seat, goal))?;
        let seen = turn.change(seen, |seat, goal| goal.on && !is_met(seat, goal))?;
        turn.see_well(seen, &news)?;
        let begins = self.begins_with(router)?;
        let will = self.choose(call, want, begins);
        if begins != will {
            self.begin_with(router, will)?;
        }
        let seen = turn.look()?;
        turn.change(seen, |seat, goal| !is_met(seat, goal)).map(drop)
    }
}

/// One switch that has begun.
struct Turn<'a> {
    site: &'a Site,
    call: &'a Call,
    router: &'a str,
    want: &'a Routing,
}

impl Turn<'_> {
    /// Looks, if need be again and again: Apache may be on its way through a restart.
    fn look(&self) -> Result<Seen, HookError> {
        let begun = engine::elapsed();
        loop {
            match self.site.look(self.call, self.router) {
                Err(HookError::Failed(_)) if engine::elapsed() < begun + PATIENCE => engine::sleep(PAUSE),
                seen => return seen,
            }
        }
    }

    /// Changes the members that `is_due` names, until that shows.
    fn change(&self, mut seen: Seen, is_due: impl Fn(&Seat, Goal) -> bool) -> Result<Seen, HookError> {
        let (site, router) = (self.site, self.router);
        let mut refusal = None;
        for tried in 0..=TRIES {
            let goals = goals(&seen.seats, self.want)?;
            let mut due = seen.seats.iter().zip(goals).filter(|(seat, goal)| is_due(seat, *goal)).peekable();
            let Some((first, _)) = due.peek() else { return Ok(seen) };
            if tried == TRIES {
                let url = &first.member.url;
                let text = format!("Apache on `{router}` does not take changes of its member `{url}`");
                let untaken = HookError::temporary(text).hint("its error log may tell why");
                return Err(refusal.unwrap_or(untaken));
            }
            for (seat, goal) in due {
                // What comes next may stand on this.
                if let Err(error) = site.change(&seen, router, &seat.member.url, &changes(seat, goal)) {
                    refusal.get_or_insert(error);
                    break;
                }
            }
            seen = self.look()?;
        }
        Ok(seen)
    }

    /// Waits until the members that have come on are not in error. One that is well will do for a colour: requests don't go to the others,
    /// and a way back must not fail for them.
    fn see_well(&self, mut seen: Seen, news: &[String]) -> Result<(), HookError> {
        let begun = engine::elapsed();
        loop {
            let is_sick = |seat: &&Seat| news.contains(&seat.member.url) && seat.member.is_in_error();
            let sick: Vec<String> =
                seen.seats.iter().filter(is_sick).map(|seat| format!("`{}`", seat.member.url)).collect();
            if sick.is_empty() {
                return Ok(());
            }
            if engine::elapsed() < begun + PATIENCE {
                engine::sleep(PAUSE);
                seen = self.look()?;
                continue;
            }
            let text = format!("Apache on `{}` holds {} to be in error", self.router, sick.join(" and "));
            let is_well = |color: Color| {
                let serves =
                    |seat: &Seat| seat.color == color && seat.member.is_on() && !seat.member.is_in_error();
                self.want.share(color) == 0 || seen.seats.iter().any(serves)
            };
            if is_well(Color::Blue) && is_well(Color::Green) {
                engine::log(Level::Warn, text);
                return Ok(());
            }
            return Err(HookError::temporary(text).hint(format!("can {} reach that address?", self.router)));
        }
    }
}

/// The members that have to be seen well before others go: those that come on, and, while a well one is to go, those of the colour that the
/// deployment is about which are on and in error. An attempt before may have turned them on, and not have seen them well.
fn news(seats: &[Seat], goals: &[Goal], color: Color) -> Vec<String> {
    let serves = |seat: &Seat| seat.member.is_on() && !seat.member.is_in_error();
    let well_goes = seats.iter().zip(goals).any(|(seat, goal)| !goal.on && serves(seat));
    let is_new = |(seat, goal): &(&Seat, &Goal)| {
        let is_left_sick = well_goes && seat.color == color && seat.member.is_in_error();
        goal.on && (!seat.member.is_on() || is_left_sick)
    };
    seats.iter().zip(goals).filter(is_new).map(|(seat, _)| seat.member.url.clone()).collect()
}

/// What the manager is told of one member.
fn changes(seat: &Seat, goal: Goal) -> Vec<(String, String)> {
    let flag = |letter: char, on: bool| (format!("w_status_{letter}"), u8::from(on).to_string());
    let mut changes: Vec<(String, String)> = match (goal.on, seat.member.is_on()) {
        (true, _) => seat.member.off().into_iter().map(|letter| flag(letter, false)).collect(),
        (false, true) => vec![flag('D', true)],
        (false, false) => Vec::new(),
    };
    if let Some(factor) = goal.factor {
        changes.push(("w_lf".to_owned(), format!("{factor:.2}")));
    }
    changes
}

/// A routing in lines: who gets requests, and with what Apache would begin.
fn told(seats: &[Seat], routing: &Routing, begins: Option<Color>) -> Vec<String> {
    let mut lines = Vec::new();
    for color in [Color::Blue, Color::Green].into_iter().filter(|color| routing.share(*color) > 0) {
        let serves =
            |seat: &&Seat| seat.color == color && !seat.left_out && !routing.out.contains(&seat.host);
        let urls: Vec<&str> = seats.iter().filter(serves).map(|seat| seat.member.url.as_str()).collect();
        lines.push(format!("{color} {} %: {}", routing.share(color), urls.join(" ")));
    }
    if lines.is_empty() {
        lines.push("no colour: 503".to_owned());
    }
    if !routing.out.is_empty() {
        lines.push(format!("out: {}", routing.out.join(" ")));
    }
    lines.push(format!("after a restart: {}", word(begins)));
    lines
}
