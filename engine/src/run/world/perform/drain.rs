//! Draining: what is open to a colour that gets no requests any more.

use std::time::Duration;

use tokio::time::{Instant as Moment, sleep};

use crate::model::{
    Action, Color, ConnectionPolicy, EventKind, HostName, Level, Maintenance, Note, Plan, Retire, Trouble,
};
use crate::run::execute::performed::{Performed, Summary};
use crate::run::execute::runner::Way;
use crate::run::world::counts::Counts;
use crate::run::world::hooks::HookTrouble;
use crate::run::world::insist::insist;
use crate::run::world::performer::{Performer, Result};

/// Between two counts of connections.
const COUNT_AGAIN: Duration = Duration::from_millis(250);

/// How long the new colour, switched away from, may finish its requests where its router can't count them. What is
/// open longer is ended by the stop's own grace.
const UNCOUNTED: Duration = Duration::from_secs(2);

impl Performer {
    /// Waits until the routers have no connections to the colour, or to these hosts where some are named; at most as long as the policy
    /// gives.
    pub(crate) async fn drain(
        &self,
        plan: &Plan,
        color: Color,
        hosts: &[HostName],
        way: Way,
    ) -> Result<Performed> {
        let pipeline = &self.deployment.pipeline;
        let began = Moment::now();
        let limit = if pipeline.connections == ConnectionPolicy::Cut {
            Duration::ZERO
        } else {
            pipeline.drain_timeout
        };
        let caps = pipeline.connections == ConnectionPolicy::Cap && Maintenance::of(&plan.command).is_none();
        let stops = way == Way::Back || pipeline.retire == Retire::Stop || caps || !hosts.is_empty();
        let uncounted = match (stops, way) {
            (false, _) => Duration::ZERO,
            (true, Way::Back) => UNCOUNTED.min(limit),
            (true, Way::There | Way::Retire) => limit,
        };
        let mut counts = Counts::default();
        loop {
            for router in &self.deployment.router.names {
                let count = self.count(plan, router, color, hosts).await;
                if let Some(why) = counts.take(router, count) {
                    let (source, level) = (format!("{router} connections"), Level::Warn);
                    self.reporter.tell(EventKind::Log { source, level, message: why });
                }
            }
            let time = match (counts.open(), counts.is_whole()) {
                (0, true) => return Ok(Performed::done(Summary::Text("0 connections left".into()))),
                (0, false) => uncounted,
                (_, _) => limit,
            };
            let left = time.saturating_sub(began.elapsed());
            if !left.is_zero() {
                sleep(if counts.may_tell_more() { COUNT_AGAIN.min(left) } else { left }).await;
                continue;
            }
            let open = counts.open();
            if open > 0 {
                let place = Action::Drain { color, hosts: hosts.to_vec() }.place();
                return self.drained(plan, &place, open, way);
            }
            return Ok(Performed::done(Summary::Text("connections not counted by the router".into())));
        }
    }

    /// Connections of a router to the colour; none when it can't tell.
    async fn count(
        &self,
        plan: &Plan,
        router: &HostName,
        color: Color,
        hosts: &[HostName],
    ) -> std::result::Result<Option<u32>, HookTrouble> {
        let ask = |attempt| async move {
            let mut call = self.router_call(plan, attempt);
            let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
            call.facts.extend((!names.is_empty()).then(|| ("hosts".to_owned(), names.join(" "))));
            self.hooks.connections(&call, router, color).await
        };
        insist(self.patience(), ask).await
    }

    fn drained(&self, plan: &Plan, place: &str, open: u32, way: Way) -> Result<Performed> {
        let one = open == 1;
        let text = format!("{open} {} left", if one { "connection" } else { "connections" });
        let stays = Maintenance::of(&plan.command).is_some();
        let waits = self.deployment.pipeline.connections == ConnectionPolicy::Wait && way == Way::Retire;
        let keeps = waits || stays;
        if waits && !stays && self.deployment.pipeline.retire == Retire::Stop {
            let trouble =
                Trouble::new("drain/left", format!("{place} still has {text}, so it goes on running")).hint(
                    "`pipeline.drain.connections` says what becomes of them: \"wait\", \"cap\" or \"cut\"",
                );
            return Ok(Performed::failed(trouble).saying(Summary::Text(text)));
        }
        let end = match (keeps, one) {
            (true, true) => "it goes on",
            (true, false) => "they go on",
            (false, true) => "it is cut",
            (false, false) => "they are cut",
        };
        let note = Note::new(place, format!("{text}; {end}"));
        Ok(Performed::done(Summary::Text(text)).with(vec![note]))
    }
}
