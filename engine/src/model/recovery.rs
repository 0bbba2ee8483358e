//! What to do with a deployment that did not end: the resume table, as a pure function over journal, world and clock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Color, HostName, Maintenance, Observation, Observed, Plan, Progress, Routing, Timestamp, Trouble, WHOLE,
};

mod maintenance;
mod rolling;

use maintenance::{decide_on, too_late};

/// Within this time after it was planned, a switch that was not watched to its end is taken back without asking. Later, the new version
/// may have written what the old one can't read.
const FRESH: Duration = Duration::from_mins(15);

/// Code of the error that a deployment was cut off, and nothing else was wrong.
pub const ABANDONED: &str = "deploy/abandoned";

/// What a person asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// `cutover resume`: what the table says.
    Resume,
    /// `cutover resume --forward`: forward where the table offers the choice.
    ResumeForward,
    /// `cutover abort`: always back.
    Abort,
}

/// What recovery does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "go", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Decision {
    /// Undo all that was done.
    Back {
        /// What is said to people.
        why: Trouble,
    },
    /// Go on where it stopped.
    Forward,
    /// Touch nothing.
    Person {
        /// What is said to people.
        why: Trouble,
    },
}

/// What recovery looks at beside the journal: the world, never inferred from the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// Hosts and routers as they are.
    pub observed: Observed,
    /// Whether every instance of the new colour is healthy now.
    pub new_healthy: bool,
    /// Whether every instance of the old colour is healthy now.
    pub old_healthy: bool,
    /// The clock.
    pub now: Timestamp,
}

/// Decides what to do with a deployment that has not ended.
#[must_use]
pub fn decide(progress: &Progress, sight: &Sight, ask: Ask) -> Decision {
    let plan = progress.plan();
    if plan.is_rolling() {
        return rolling::decide(progress, sight, ask);
    }
    let (new, old) = (plan.color, plan.live.as_ref().map(|(color, _)| *color));
    let mut shown = sight.observed.live_color();
    if planted!(JournalBelieved) {
        shown = Ok(if progress.switch_begun() { Some(new) } else { old });
    }
    if progress.is_pivoted() {
        return match (ask, shown) {
            (Ask::Abort, _) => too_late(plan),
            (_, Ok(shown)) if shown == plan.target() => Decision::Forward,
            _ => {
                let target = plan.target().map_or_else(|| "no colour".to_owned(), |color| color.to_string());
                moved(&format!(
                    "the deployment had switched to {target}, and the routers show something else now"
                ))
            }
        };
    }
    if progress.turned_back().is_some() {
        return back_again(progress);
    }
    if let Some(wanted) = Maintenance::of(&plan.command) {
        return decide_on(progress, sight, ask, wanted);
    }
    let back = cut_off;
    let Ok(shown) = shown else {
        let goes_on = sight.new_healthy && shares_as_planned(progress, &sight.observed);
        return match ask {
            Ask::ResumeForward if goes_on => Decision::Forward,
            Ask::Resume | Ask::ResumeForward | Ask::Abort if old.is_none() || sight.old_healthy => back(),
            Ask::Resume | Ask::ResumeForward | Ask::Abort => sick(sight, old),
        };
    };
    if shown != Some(new) {
        // The routers show the old colour or none: no traffic is on the new one.
        return match ask {
            Ask::ResumeForward => Decision::Forward,
            Ask::Resume | Ask::Abort => back(),
        };
    }
    // What it gets by the deployment is less, also where all of it was begun once: shares that routers did not show any more were begun anew.
    let next = progress.next_weight(shown_share(plan, &sight.observed));
    if (!progress.whole_switch_begun() || next < WHOLE) && !planted!(MoveNotSeen) {
        // To go on would take from what has the traffic, or stop it, and so would going back.
        return moved(&format!("the deployment had not switched to {new} yet, and the routers show it"));
    }
    match (sight.new_healthy, old.is_none() || sight.old_healthy) {
        (false, false) => sick(sight, old),
        (false, true) => back(),
        (true, false) if ask != Ask::ResumeForward => sick(sight, old),
        (true, _) if ask == Ask::ResumeForward => Decision::Forward,
        (true, _) if ask == Ask::Abort || sight.now.since(plan.made) < FRESH => back(),
        (true, _) => old_switch(&format!("{new} has had the traffic for a while: its release")),
    }
}

fn cut_off() -> Decision {
    Decision::Back { why: Trouble::new(ABANDONED, "the deployment was cut off before its end") }
}

fn old_switch(whose: &str) -> Decision {
    person(
        "resume/old-switch",
        format!("{whose} may have written what the old one can't read"),
        "`cutover resume --forward` keeps it and watches again, `cutover abort` switches back",
    )
}

/// The share of the new colour that every router shows at least, where a plan moves it in shares: what a journal says of more was undone since, or
/// never was.
#[must_use]
pub fn shown_share(plan: &Plan, observed: &Observed) -> Option<u32> {
    plan.shares().next().filter(|_| !planted!(SharesBelieved))?;
    let share = |routing: &Routing| routing.share(plan.color);
    observed.routers.iter().map(|(_, seen)| seen.routing.as_ref().map_or(0, share)).min()
}

/// Hosts that an earlier run went back without, and that have no part in what follows although they are not among the `lost` of now: what runs
/// there is whatever their turn came to, routers leave them out, and other turns are put back first, which would let them in.
#[must_use]
pub fn kept_out(
    progress: &Progress,
    observed: &Observed,
    lost: &BTreeMap<HostName, Trouble>,
) -> BTreeSet<HostName> {
    let is_out = |host: &HostName| {
        let shows = |seen: &Observation| seen.routing.as_ref().is_none_or(|it| it.out.contains(host));
        !planted!(LostTrusted) && observed.routers.iter().any(|(_, seen)| shows(seen))
    };
    let given_up = progress.lost_in_turn().into_iter();
    given_up
        .filter(|host| !lost.contains_key(host) && is_out(host) && progress.has_others_before(host))
        .collect()
}

/// Whether routers share the traffic as the plan does, and to go on would take nothing from the new colour: then it is the same deployment
/// that goes on. A share of someone else's is not taken for it.
fn shares_as_planned(progress: &Progress, observed: &Observed) -> bool {
    let (plan, next) = (progress.plan(), progress.next_weight(shown_share(progress.plan(), observed)));
    let routings = || observed.routers.iter().filter_map(|(_, seen)| seen.routing.as_ref());
    let is_step =
        |routing: &Routing| plan.shares().any(|weight| *routing == Routing::shared(plan.color, weight));
    routings().any(Routing::is_shared)
        && routings().all(|routing| !routing.is_shared() || is_step(routing))
        && routings().all(|routing| routing.share(plan.color) <= next)
}

/// What a person types to end a deployment that has not ended, for a hint.
#[must_use]
pub fn ways_on(progress: &Progress) -> &'static str {
    if progress.is_pivoted() {
        "`cutover resume` finishes it; what is live stays so"
    } else if progress.turned_back().is_some() {
        "`cutover resume` goes on putting everything back"
    } else if Maintenance::of(&progress.plan().command).is_some() {
        "`cutover resume` goes on with it, `cutover abort` puts everything back"
    } else {
        "`cutover resume --forward` goes on with it, `cutover abort` puts everything back"
    }
}

fn back_again(progress: &Progress) -> Decision {
    let why = progress.first_error().cloned().unwrap_or_default();
    Decision::Back { why }
}

fn moved(what: &str) -> Decision {
    person(
        "resume/moved",
        format!("{what}: someone moved them"),
        "look at `cutover status`, put the routers where they should be, then `cutover resume`",
    )
}

fn sick(sight: &Sight, old: Option<Color>) -> Decision {
    let health = match (sight.new_healthy, old) {
        (true, Some(old)) => format!("{old} is not healthy and can't take the traffic back"),
        _ => "no colour is healthy".to_owned(),
    };
    person(
        "resume/no-way",
        format!("{health}, so the traffic stays where it is"),
        "mend one colour (`cutover logs`, `cutover exec`), then `cutover abort` or `cutover resume --forward`",
    )
}

fn person(code: &str, message: String, hint: &str) -> Decision {
    Decision::Person { why: Trouble::new(code, message).hint(hint) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{
        Action, CanaryStep, Deployment, End, HostName, Name, Next, Observation, Origin, Plan, Record,
        Release, ReleaseId, Step, Strategy, Wish,
    };

    const MADE: Timestamp = Timestamp(1_000_000);

    fn names(text: &str) -> Vec<HostName> {
        text.split(' ').map(|name| Name::new(name).expect("a name")).collect()
    }

    fn id(text: &str) -> ReleaseId {
        ReleaseId::parse(text).expect("an identifier")
    }

    /// What two routers show: `blue`, `green`, percent of green, `-` for neither.
    fn observed(shown: [&str; 2]) -> Observed {
        let routing = |shown: &str| match shown {
            "blue" => Routing::all_to(Color::Blue),
            "green" => Routing::all_to(Color::Green),
            "-" => Routing::none(),
            percent => Routing::shared(Color::Green, percent.parse().expect("percent")),
        };
        let seen = |shown| Observation { routing: Some(routing(shown)), settled: true, labels: Vec::new() };
        let routers = names("lb1 lb2").into_iter().zip(shown.map(seen)).collect();
        Observed { routers, ..Observed::default() }
    }

    /// Blue is live and green is filled, or blue is filled for the first time; all has been done before the first task of a step.
    fn progress(first: bool, until: Step) -> Progress {
        let deployment = Deployment::for_tests(&names("web1"), &names("lb1 lb2"));
        progress_until(&deployment, first, |step, _| {
            step == until || until > Step::Watch && step > Step::Watch
        })
    }

    /// Green gets 5 %, 50 % and all; it has come up to the watch at this weight.
    fn sharing(weight: u32) -> Progress {
        let mut deployment = Deployment::for_tests(&names("web1"), &names("lb1 lb2"));
        let step = |weight| CanaryStep { weight, watch: Duration::from_secs(1) };
        deployment.pipeline.strategy = Strategy::Canary([5, 50].map(step).into());
        progress_until(
            &deployment,
            false,
            |_, action| matches!(action, Action::Watch { weight: at, .. } if *at == weight),
        )
    }

    fn progress_until(
        deployment: &Deployment,
        first: bool,
        is_over: impl Fn(Step, &Action) -> bool,
    ) -> Progress {
        let mut world = observed(if first { ["-", "-"] } else { ["blue", "blue"] });
        world.recorded = (!first).then(|| (Color::Blue, id("r1")));
        let release = Release::for_tests("r2", 2);
        let wish = Wish {
            deployment: "d".into(),
            command: "deploy".into(),
            release,
            migrate: true,
            reuse_warm: false,
            kept: false,
            adopt: false,
            now: MADE,
        };
        let mut progress = Progress::new(Plan::new(deployment, &wish, &world).expect("a plan"));
        loop {
            let tasks = match progress.next() {
                Next::Run(tasks) => tasks,
                Next::Pivot => {
                    progress.apply(&Record::Pivot).expect("the pivot");
                    continue;
                }
                Next::Ask(_) | Next::Undo(_) | Next::Close(_) | Next::Ended(_) => {
                    return progress;
                }
            };
            let step = progress.plan().stage(tasks[0]).expect("a stage").step;
            if is_over(step, &progress.plan().task(tasks[0]).expect("a task").action) {
                return progress;
            }
            progress.apply(&Record::Started { tasks: tasks.clone() }).expect("begins");
            for task in tasks {
                progress.apply(&Record::Ended { task, end: End::Done }).expect("ends");
            }
        }
    }

    /// `back`, `forward`, or the code of why a person is needed, for `resume`, `resume --forward` and `abort`.
    fn decisions(
        progress: &Progress,
        shown: [&str; 2],
        [new_healthy, old_healthy]: [bool; 2],
        minutes: u64,
    ) -> [String; 3] {
        let now = Timestamp(MADE.0 + minutes * 60_000);
        let sight = Sight { observed: observed(shown), new_healthy, old_healthy, now };
        [Ask::Resume, Ask::ResumeForward, Ask::Abort].map(|ask| match decide(progress, &sight, ask) {
            Decision::Back { .. } => "back".to_owned(),
            Decision::Forward => "forward".to_owned(),
            Decision::Person { why } => why.code,
        })
    }

    const OLD: [&str; 2] = ["blue", "blue"];
    const NEW: [&str; 2] = ["green", "green"];
    const BOTH_WELL: [bool; 2] = [true, true];

    #[test]
    fn no_traffic_on_the_new_color() {
        for step in [Step::Stage, Step::Migrate, Step::Start, Step::Health, Step::Switch] {
            let progress = progress(false, step);
            assert_eq!(decisions(&progress, OLD, [false, true], 0), ["back", "forward", "back"], "{step}");
            assert_eq!(decisions(&progress, OLD, [false, false], 99), ["back", "forward", "back"], "{step}");
            assert_eq!(decisions(&progress, ["-", "-"], [false, true], 0), ["back", "forward", "back"]);
        }
        assert_eq!(
            decisions(&progress(true, Step::Start), ["-", "-"], [false; 2], 0),
            ["back", "forward", "back"]
        );
    }

    #[test]
    fn traffic_on_a_color_that_nobody_switched_to() {
        for step in [Step::Stage, Step::Start, Step::Health, Step::Switch] {
            assert_eq!(decisions(&progress(false, step), NEW, BOTH_WELL, 0), ["resume/moved"; 3], "{step}");
        }
    }

    #[test]
    fn traffic_on_the_new_color_and_no_pivot() {
        let progress = progress(false, Step::Watch);
        assert_eq!(decisions(&progress, NEW, BOTH_WELL, 14), ["back", "forward", "back"]);
        assert_eq!(decisions(&progress, NEW, BOTH_WELL, 15), ["resume/old-switch", "forward", "back"]);
        for minutes in [0, 99] {
            assert_eq!(decisions(&progress, NEW, [false, true], minutes), ["back"; 3]);
            assert_eq!(decisions(&progress, NEW, [false, false], minutes), ["resume/no-way"; 3]);
            assert_eq!(
                decisions(&progress, NEW, [true, false], minutes),
                ["resume/no-way", "forward", "resume/no-way"]
            );
        }
    }

    #[test]
    fn a_first_deployment_has_no_old_color_to_wait_for() {
        let progress = progress(true, Step::Watch);
        assert_eq!(decisions(&progress, ["blue", "blue"], [true, false], 1), ["back", "forward", "back"]);
        assert_eq!(decisions(&progress, ["blue", "blue"], [false, false], 1), ["back"; 3]);
    }

    #[test]
    fn routers_that_disagree_go_to_the_old_color_or_stay() {
        let progress = progress(false, Step::Watch);
        assert_eq!(decisions(&progress, ["green", "blue"], BOTH_WELL, 99), ["back"; 3]);
        assert_eq!(decisions(&progress, ["green", "blue"], [true, false], 0), ["resume/no-way"; 3]);
        assert_eq!(decisions(&progress, ["green", "blue"], [false, false], 0), ["resume/no-way"; 3]);
    }

    #[test]
    fn a_share_of_the_traffic_goes_back_and_on_only_where_it_takes_nothing_from_the_new_color() {
        let second = sharing(50);
        assert_eq!(second.next_weight(None), 50);
        for shown in [["50", "50"], ["50", "5"], ["5", "5"], ["5", "blue"]] {
            // However long ago it was.
            assert_eq!(decisions(&second, shown, BOTH_WELL, 99), ["back", "forward", "back"], "{shown:?}");
            assert_eq!(decisions(&second, shown, [false, true], 0), ["back"; 3], "{shown:?}");
            let no_way_back = ["resume/no-way", "forward", "resume/no-way"];
            assert_eq!(decisions(&second, shown, [true, false], 0), no_way_back, "{shown:?}");
            assert_eq!(decisions(&second, shown, [false, false], 0), ["resume/no-way"; 3], "{shown:?}");
        }
        // Someone else's share, and more than it would get.
        for shown in [["33", "33"], ["50", "33"], ["50", "green"], ["50", "-"]] {
            assert_eq!(decisions(&second, shown, BOTH_WELL, 0), ["back"; 3], "{shown:?}");
        }
        assert_eq!(
            decisions(&sharing(5), ["50", "5"], BOTH_WELL, 0),
            ["back"; 3],
            "to go on would take it away"
        );
        assert_eq!(decisions(&second, OLD, BOTH_WELL, 0), ["back", "forward", "back"]);
        // It was not to have all of it yet.
        assert_eq!(decisions(&second, NEW, BOTH_WELL, 0), ["resume/moved"; 3]);
        let last = sharing(100);
        assert_eq!(decisions(&last, NEW, BOTH_WELL, 0), ["back", "forward", "back"]);
        assert_eq!(decisions(&last, ["green", "50"], BOTH_WELL, 0), ["back", "forward", "back"]);
    }

    /// A journal that was forged, or is older than what somebody did to the routers, names more than they show.
    #[test]
    fn what_was_watched_counts_as_far_as_routers_show_it() {
        let again = |shown: [&str; 2]| {
            let mut last = sharing(100);
            let share = shown_share(last.plan(), &observed(shown));
            let (decision, origin, lost) = (Decision::Forward, Origin::default(), BTreeMap::new());
            let kept_out = BTreeSet::new();
            last.apply(&Record::Recovered { decision, origin, lost, kept_out, share }).expect("it goes on");
            last
        };
        let begins = |shown: [&str; 2]| again(shown).next_weight(None);
        assert_eq!(begins(["50", "50"]), 100);
        assert_eq!(begins(NEW), 100);
        assert_eq!(begins(["50", "5"]), 50);
        assert_eq!(begins(["5", "5"]), 50);
        assert_eq!(begins(OLD), 5);
        assert_eq!(begins(["-", "-"]), 5);
        assert_eq!(shown_share(progress(false, Step::Watch).plan(), &observed(NEW)), None);
        // What it would get next is less than what someone has given it since.
        assert_eq!(decisions(&again(OLD), NEW, BOTH_WELL, 0), ["resume/moved"; 3]);
        assert_eq!(decisions(&again(NEW), NEW, BOTH_WELL, 0), ["back", "forward", "back"]);
    }

    #[test]
    fn after_the_pivot_only_forward_and_only_if_nobody_moved_it() {
        let progress = progress(false, Step::Drain);
        assert!(progress.is_pivoted());
        assert_eq!(decisions(&progress, NEW, [false, false], 99), ["forward", "forward", "abort/too-late"]);
        for shown in [OLD, ["-", "-"], ["green", "blue"]] {
            let expected = ["resume/moved", "resume/moved", "abort/too-late"];
            assert_eq!(decisions(&progress, shown, BOTH_WELL, 0), expected, "{shown:?}");
        }
    }

    #[test]
    fn a_hint_says_what_is_done_then() {
        let mut began = progress(false, Step::Watch);
        assert!(ways_on(&began).starts_with("`cutover resume --forward` goes on"));
        began.apply(&Record::TurnedBack { why: Trouble::default() }).expect("turns back");
        assert_eq!(ways_on(&began), "`cutover resume` goes on putting everything back");
        assert!(ways_on(&progress(false, Step::Drain)).starts_with("`cutover resume` finishes it"));
    }

    #[test]
    fn what_went_backward_goes_on_backward() {
        let mut progress = progress(false, Step::Watch);
        let why = Trouble::new("watch/sick", "green became sick");
        progress.apply(&Record::TurnedBack { why: why.clone() }).expect("turns back");
        for shown in [OLD, NEW, ["green", "blue"]] {
            assert_eq!(decisions(&progress, shown, [false, false], 99), ["back"; 3]);
        }
        // A decision that can't stand there changes nothing.
        let before = progress.clone();
        let record = |decision| Record::Recovered {
            decision,
            origin: Origin::default(),
            lost: BTreeMap::new(),
            kept_out: BTreeSet::new(),
            share: None,
        };
        assert!(progress.apply(&record(Decision::Forward)).is_err());
        assert!(progress.apply(&record(Decision::Person { why })).is_err());
        assert_eq!(progress, before);
    }
}
