//! What to do with a change to maintenance, or back from it, that did not end.

use super::{ABANDONED, Ask, Decision, Sight, cut_off, moved, person, sick};
use crate::model::{Maintenance, Plan, Progress, Routing, Trouble};

/// Decides of a change to maintenance, or back from it. No release is new in it, so that what was asked for is finished where that is safe: to send
/// requests to nobody always is.
pub(super) fn decide_on(progress: &Progress, sight: &Sight, ask: Ask, wanted: Maintenance) -> Decision {
    let (plan, old) = (progress.plan(), progress.plan().live.as_ref().map(|(color, _)| *color));
    let (from, to) = (old, plan.target());
    let shows = |routing: &Routing| !routing.is_shared() && [from, to].contains(&routing.only());
    let mut routings = sight.observed.routers.iter().filter_map(|(_, seen)| seen.routing.as_ref());
    if !routings.all(shows) {
        return moved("the routers show what they neither showed before nor were to show");
    }
    match (ask, wanted) {
        (Ask::Resume | Ask::ResumeForward, Maintenance::On) => Decision::Forward,
        (Ask::Resume | Ask::ResumeForward, Maintenance::Off) if sight.new_healthy => Decision::Forward,
        (Ask::Resume | Ask::ResumeForward, Maintenance::Off) => {
            let message = format!("it was cut off, and {} is not healthy: it gets no requests", plan.color);
            Decision::Back { why: Trouble::new(ABANDONED, message) }
        }
        (Ask::Abort, Maintenance::On) if progress.switch_begun() && !sight.old_healthy => sick(sight, old),
        (Ask::Abort, _) => cut_off(),
    }
}

/// That nothing can be put back any more.
pub(super) fn too_late(plan: &Plan) -> Decision {
    let (what, hint) = match Maintenance::of(&plan.command) {
        None => (
            format!("release {} is live since the pivot", plan.release.number),
            "`cutover rollback` puts the release before it back, `cutover resume` finishes the clean-up",
        ),
        Some(Maintenance::On) => (
            "no colour gets requests since the pivot".to_owned(),
            "`cutover resume` finishes it, then `cutover maintenance off` ends it",
        ),
        Some(Maintenance::Off) => (
            format!("{} gets all requests since the pivot", plan.color),
            "`cutover resume` finishes it, then `cutover maintenance on` begins it again",
        ),
    };
    person("abort/too-late", format!("{what}, so there is nothing to abort"), hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Color, Deployment, End, HostName, Name, Next, Observation, Observed, Record, Release, ReleaseId,
        Timestamp, Wish, decide,
    };

    fn names(text: &str) -> Vec<HostName> {
        text.split(' ').map(|name| Name::new(name).expect("a name")).collect()
    }

    fn observed(shown: [&str; 2]) -> Observed {
        let routing = |shown: &str| match shown {
            "blue" => Routing::all_to(Color::Blue),
            "green" => Routing::all_to(Color::Green),
            "-" => Routing::none(),
            percent => Routing::shared(Color::Green, percent.parse().expect("percent")),
        };
        let seen = |shown| Observation { routing: Some(routing(shown)), settled: true, labels: Vec::new() };
        let routers = names("lb1 lb2").into_iter().zip(shown.map(seen)).collect();
        let recorded = Some((Color::Blue, ReleaseId::parse("r1").expect("an identifier")));
        Observed { routers, recorded, ..Observed::default() }
    }

    /// Blue is live; so many actions are done, the last of which may be the pivot.
    fn progress(wanted: Maintenance, done: usize) -> Progress {
        let deployment = Deployment::for_tests(&names("web1"), &names("lb1 lb2"));
        let mut world = observed(if wanted == Maintenance::On { ["blue", "blue"] } else { ["-", "-"] });
        world.maintenance = wanted == Maintenance::Off;
        let wish =
            Wish::new(wanted.command(), "d".into(), Release::for_tests("r1", 1), false, Timestamp(1_000));
        let mut progress = Progress::new(Plan::new(&deployment, &wish, &world).expect("a plan"));
        for _ in 0..done {
            match progress.next() {
                Next::Run(tasks) => {
                    progress.apply(&Record::Started { tasks: tasks.clone() }).expect("begins");
                    for task in tasks {
                        progress.apply(&Record::Ended { task, end: End::Done }).expect("ends");
                    }
                }
                Next::Pivot => progress.apply(&Record::Pivot).expect("the pivot"),
                next @ (Next::Ask(_) | Next::Undo(_) | Next::Close(_) | Next::Ended(_)) => panic!("{next:?}"),
            }
        }
        progress
    }

    /// For `resume`, `resume --forward` and `abort`, whatever the time.
    fn decisions(progress: &Progress, shown: [&str; 2], live_healthy: bool) -> [String; 3] {
        let is_off = Maintenance::of(&progress.plan().command) == Some(Maintenance::Off);
        let mut each = [0, 99].map(|minutes| {
            let now = Timestamp(1_000 + minutes * 60_000);
            let (new_healthy, old_healthy) = if is_off { (live_healthy, true) } else { (true, live_healthy) };
            let sight = Sight { observed: observed(shown), new_healthy, old_healthy, now };
            [Ask::Resume, Ask::ResumeForward, Ask::Abort].map(|ask| match decide(progress, &sight, ask) {
                Decision::Back { .. } => "back".to_owned(),
                Decision::Forward => "forward".to_owned(),
                Decision::Person { why } => why.code,
            })
        });
        assert_eq!(each[0], each[1]);
        std::mem::take(&mut each[0])
    }

    const HALF: [&str; 2] = ["-", "blue"];
    const BLUE: [&str; 2] = ["blue", "blue"];
    const NONE: [&str; 2] = ["-", "-"];

    #[test]
    fn to_send_requests_to_nobody_is_finished_whatever_is_sick() {
        // Prepared, one router moved, both, proven.
        for done in 0..=4 {
            let progress = progress(Maintenance::On, done);
            for shown in [BLUE, HALF, NONE] {
                assert_eq!(decisions(&progress, shown, true), ["forward", "forward", "back"], "{done}");
                let abort = if done < 2 { "back" } else { "resume/no-way" };
                assert_eq!(decisions(&progress, shown, false), ["forward", "forward", abort], "{done}");
            }
            for shown in [["green", "green"], ["33", "-"], ["33", "33"]] {
                assert_eq!(decisions(&progress, shown, true), ["resume/moved"; 3], "{done} {shown:?}");
            }
        }
    }

    #[test]
    fn requests_are_let_in_to_what_is_healthy_only() {
        for done in 0..=5 {
            let progress = progress(Maintenance::Off, done);
            for shown in [BLUE, HALF, NONE] {
                assert_eq!(decisions(&progress, shown, true), ["forward", "forward", "back"], "{done}");
                assert_eq!(decisions(&progress, shown, false), ["back"; 3], "{done}");
            }
            assert_eq!(decisions(&progress, ["green", "-"], true), ["resume/moved"; 3], "{done}");
        }
    }

    #[test]
    fn after_the_pivot_it_is_finished_unless_someone_moved_it() {
        for (wanted, done, there, elsewhere) in
            [(Maintenance::On, 5, NONE, BLUE), (Maintenance::Off, 6, BLUE, NONE)]
        {
            let progress = progress(wanted, done);
            assert!(progress.is_pivoted());
            let expected = ["forward", "forward", "abort/too-late"];
            assert_eq!(decisions(&progress, there, false), expected);
            let expected = ["resume/moved", "resume/moved", "abort/too-late"];
            assert_eq!(decisions(&progress, elsewhere, true), expected);
            assert_eq!(decisions(&progress, HALF, true), expected);
        }
    }

    #[test]
    fn what_can_not_be_put_back_is_told_with_what_can_be_done() {
        let told = |wanted, done| {
            let observed = observed(NONE);
            let sight = Sight { observed, new_healthy: true, old_healthy: true, now: Timestamp(0) };
            match decide(&progress(wanted, done), &sight, Ask::Abort) {
                Decision::Person { why } => format!("{}: {}", why.message, why.hint.unwrap_or_default()),
                other @ (Decision::Back { .. } | Decision::Forward) => panic!("{other:?}"),
            }
        };
        assert_eq!(
            told(Maintenance::On, 5),
            "no colour gets requests since the pivot, so there is nothing to abort: `cutover resume` finishes it, then `cutover maintenance \
             off` ends it"
        );
        assert_eq!(
            told(Maintenance::Off, 6),
            "blue gets all requests since the pivot, so there is nothing to abort: `cutover resume` finishes it, then `cutover maintenance on` \
             begins it again"
        );
    }
}
