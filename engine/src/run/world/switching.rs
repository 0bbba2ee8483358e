//! What a run sees of a switch while it makes it: when each router followed, and whose answers came afterwards.

use std::collections::BTreeMap;

use tokio::time::Instant as Moment;

use crate::model::{HostName, Routing, Switched, WHOLE};

/// A switch that is under way, or was the last one.
#[derive(Debug, Default)]
pub(crate) struct Switching {
    /// What the routers are asked for; none: this run has asked none.
    want: Option<Routing>,
    began: Option<Moment>,
    /// When each router was first seen to act so.
    followed: BTreeMap<HostName, Moment>,
    requests: u64,
    late: u64,
    last_late: Option<Moment>,
    /// Whether an answer could not tell whose it is.
    untold: bool,
    /// What a run before, which did not come to its end, has asked routers for: how they followed is not known.
    before: Vec<Routing>,
}

/// Whose answer a request at a front door got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// That of the colour that is wanted, or one that is wrong in another way.
    Wanted,
    /// The other colour's.
    Other,
    /// It does not tell.
    Untold,
}

impl Switching {
    /// In a run that takes up a deployment in which routers were asked for all this.
    pub(crate) fn after(before: Vec<Routing>) -> Self {
        Self { before, ..Self::default() }
    }

    /// A router is about to be asked for this.
    pub(crate) fn asks(&mut self, want: &Routing, now: Moment) {
        if self.want.as_ref() != Some(want) {
            let before = std::mem::take(&mut self.before);
            *self = Self { want: Some(want.clone()), began: Some(now), before, ..Self::default() };
        }
    }

    /// A router acts as it was asked to.
    pub(crate) fn follows(&mut self, router: &HostName, now: Moment) {
        self.followed.entry(router.clone()).or_insert(now);
    }

    /// A front door was asked.
    pub(crate) fn answered(&mut self, whose: Whose, now: Moment) {
        self.requests += 1;
        match whose {
            Whose::Wanted => {}
            Whose::Untold => self.untold = true,
            Whose::Other => {
                self.late += 1;
                self.last_late = Some(now);
            }
        }
    }

    /// What it was like over these routers, once it is over, and begins anew. Late is an answer only where the new colour has `replaced` another.
    pub(crate) fn conclude(&mut self, routers: &[HostName], weight: u32, replaced: bool) -> Switched {
        let after = Self::after(self.before.clone());
        let Self { want, began, followed, requests, late, last_late, untold, before } =
            std::mem::replace(self, after);
        let all: Option<Vec<Moment>> = routers.iter().map(|router| followed.get(router).copied()).collect();
        let is_ours = want.is_some_and(|want| !before.contains(&want));
        let ends = all.as_deref().and_then(|all| all.iter().min().zip(all.iter().max())).filter(|_| is_ours);
        // Whoever has moved some of them before also knew when that began.
        let began = began.filter(|_| ends.is_some());
        let millis = |since: Moment, then: Moment| {
            u64::try_from(then.duration_since(since).as_millis()).unwrap_or(u64::MAX)
        };
        let is_told = weight == WHOLE && replaced && requests > 0 && !untold;
        Switched {
            weight,
            routers: u32::try_from(routers.len()).unwrap_or(u32::MAX),
            skew_ms: ends.map(|(first, last)| millis(*first, *last)),
            requests,
            late: Some(late).filter(|_| is_told),
            last_late_ms: began.zip(last_late).filter(|_| is_told).map(|(began, last)| millis(began, last)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Color, Name};

    fn routers() -> [HostName; 2] {
        ["lb1", "lb2"].map(|name| Name::new(name).expect("a name"))
    }

    #[test]
    fn a_switch_is_told_by_its_first_and_its_last_router() {
        let [lb1, lb2] = routers();
        let (mut switching, zero) = (Switching::default(), Moment::now());
        let at = |ms| zero + Duration::from_millis(ms);
        let want = Routing::all_to(Color::Green);
        switching.asks(&want, at(0));
        switching.follows(&lb1, at(40));
        switching.asks(&want, at(41));
        switching.follows(&lb2, at(300));
        // Looked at again, since its answer was lost.
        switching.follows(&lb2, at(900));
        for (whose, ms) in
            [(Whose::Wanted, 310), (Whose::Other, 320), (Whose::Other, 500), (Whose::Wanted, 600)]
        {
            switching.answered(whose, at(ms));
        }
        let told = switching.conclude(&routers(), WHOLE, true);
        let expected = Switched {
            weight: 100,
            routers: 2,
            skew_ms: Some(260),
            requests: 4,
            late: Some(2),
            last_late_ms: Some(500),
        };
        assert_eq!(told, expected);
        let nothing = Switched { skew_ms: None, requests: 0, late: None, last_late_ms: None, ..expected };
        assert_eq!(switching.conclude(&routers(), WHOLE, true), nothing, "each is told once");
    }

    #[test]
    fn what_another_run_did_is_not_known() {
        let [_, lb2] = routers();
        let (mut switching, now) = (Switching::default(), Moment::now());
        switching.asks(&Routing::all_to(Color::Green), now);
        switching.follows(&lb2, now);
        switching.answered(Whose::Other, now);
        let told = switching.conclude(&routers(), WHOLE, true);
        assert_eq!((told.skew_ms, told.late, told.last_late_ms), (None, Some(1), None));
        // Whoever asks again for what they were asked for before a break learns nothing of it.
        let [share, whole] = [50, WHOLE].map(|weight| Routing::shared(Color::Green, weight));
        let mut switching = Switching::after(vec![share.clone()]);
        for (want, weight, skew) in [(share, 50, None), (whole, WHOLE, Some(0))] {
            switching.asks(&want, now);
            routers().iter().for_each(|router| switching.follows(router, now));
            assert_eq!(switching.conclude(&routers(), weight, true).skew_ms, skew, "{want}");
        }
    }

    #[test]
    fn where_either_may_answer_or_no_answer_tells_nothing_is_late() {
        let late = |answers: &[Whose], weight, replaced| {
            let (mut switching, now) = (Switching::default(), Moment::now());
            switching.asks(&Routing::shared(Color::Green, weight), now);
            routers().iter().for_each(|router| switching.follows(router, now));
            answers.iter().for_each(|whose| switching.answered(*whose, now));
            let told = switching.conclude(&routers(), weight, replaced);
            (told.late, told.last_late_ms)
        };
        let answers = [Whose::Wanted, Whose::Other];
        assert_eq!(late(&answers, WHOLE, true), (Some(1), Some(0)));
        assert_eq!(late(&answers[..1], WHOLE, true), (Some(0), None));
        assert_eq!(late(&answers, 10, true), (None, None));
        assert_eq!(late(&answers, WHOLE, false), (None, None), "nothing was live before");
        assert_eq!(late(&[Whose::Wanted, Whose::Untold], WHOLE, true), (None, None));
        assert_eq!(late(&[], WHOLE, true), (None, None), "nobody was asked");
    }

    #[test]
    fn each_share_is_a_switch_of_its_own() {
        let [lb1, lb2] = routers();
        let (mut switching, zero) = (Switching::default(), Moment::now());
        let at = |ms| zero + Duration::from_millis(ms);
        switching.asks(&Routing::shared(Color::Green, 10), at(0));
        switching.follows(&lb1, at(1));
        switching.asks(&Routing::all_to(Color::Green), at(100));
        switching.follows(&lb1, at(110));
        switching.follows(&lb2, at(115));
        assert_eq!(switching.conclude(&routers(), WHOLE, true).skew_ms, Some(5));
    }
}
