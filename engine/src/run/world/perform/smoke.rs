//! Smoke tests: against the idle colour only. No case is an error, no answer is a failure, skipped only is not a pass.

use std::time::Duration;

use tokio::time::sleep;

use crate::model::{Case, CaseOutcome, Color, HostName, Instance, Name, Note, Plan, Trouble};
use crate::run::execute::performed::{Performed, Summary};
use crate::run::world::performer::{Performer, Result};

/// For what an application has to say of a request to get into its log: the answer is faster.
const LOG_SETTLES: Duration = Duration::from_millis(200);

impl Performer {
    /// Runs one smoke test: on these hosts, or on all where none is named.
    pub(crate) async fn smoke(
        &self,
        plan: &Plan,
        name: &Name,
        color: Color,
        on: &[HostName],
    ) -> Result<Performed> {
        let Some(test) = self.deployment.smoke_tests.iter().find(|test| test.name == *name) else {
            return Err(Trouble::new(
                "smoke/unknown",
                format!("`{name}` is no smoke test of this configuration"),
            )
            .into());
        };
        let mut instances = self.serving(plan, color);
        instances.retain(|instance| on.is_empty() || on.contains(&instance.host));
        let rounds: Vec<Vec<Instance>> = if test.per_instance {
            instances.into_iter().map(|one| vec![one]).collect()
        } else {
            vec![instances]
        };
        let mut cases = Vec::new();
        for round in rounds {
            let call = self.call(plan, &plan.release, round, 1);
            cases.extend(self.hooks.smoke(name, &call).await?);
        }
        let verdict = verdict(name, &cases);
        let mut performed = match verdict {
            Ok(summary) => return Ok(Performed::done(summary)),
            Err((trouble, summary)) => Performed::failed(trouble).saying(summary),
        };
        let mut hosts = Vec::new();
        for case in cases.iter().filter(|case| matches!(case.outcome, CaseOutcome::Failed(_))) {
            performed.details.push(note(case));
            hosts.extend(label(case, "host").map(str::to_owned));
        }
        hosts.sort();
        hosts.dedup();
        if !hosts.is_empty() {
            sleep(LOG_SETTLES).await;
        }
        for host in self
            .deployment
            .color_hosts(color)
            .iter()
            .filter(|host| hosts.iter().any(|name| name == host.as_str()))
        {
            performed.details.extend(self.log_notes(plan, host, color).await);
        }
        Ok(performed)
    }
}

/// Whether the cases together are a pass, with the text of the last column.
fn verdict(test: &Name, cases: &[Case]) -> std::result::Result<Summary, (Trouble, Summary)> {
    let count =
        |matches: fn(&CaseOutcome) -> bool| cases.iter().filter(|case| matches(&case.outcome)).count() as u64;
    let passed = count(|outcome| *outcome == CaseOutcome::Passed);
    let failed = count(|outcome| matches!(outcome, CaseOutcome::Failed(_)));
    let total = cases.len() as u64;
    let fail = |code, message: String, summary| {
        let text = Summary::Text(summary);
        Err((Trouble::new(code, message), text))
    };
    if total == 0 {
        return fail(
            "smoke/no-cases",
            format!("smoke test `{test}` ran no case, so it tested nothing"),
            "no case ran".into(),
        );
    }
    if failed > 0 {
        return fail("smoke/failed", format!("smoke test `{test}` failed"), format!("{failed} of {total}"));
    }
    if passed == 0 {
        let message = format!("smoke test `{test}` skipped every case, so it tested nothing");
        return fail("smoke/skipped", message, format!("{total} skipped"));
    }
    let skipped = total - passed;
    Ok(match skipped {
        0 => Summary::Passed { passed, total, what: "passed".into() },
        _ => Summary::Text(format!("{passed} passed, {skipped} skipped")),
    })
}

fn note(case: &Case) -> Note {
    let place: Vec<String> = [label(case, "host"), label(case, "color")]
        .into_iter()
        .flatten()
        .map(str::to_owned)
        .chain(label(case, "port").map(|port| format!(":{port}")))
        .collect();
    let reason = match &case.outcome {
        CaseOutcome::Failed(reason) | CaseOutcome::Skipped(reason) => reason.as_str(),
        CaseOutcome::Passed => "passed",
    };
    let text = if place.is_empty() { reason.to_owned() } else { format!("{}  {reason}", place.join(" ")) };
    Note::new(case.name.clone(), text)
}

fn label<'a>(case: &'a Case, key: &str) -> Option<&'a str> {
    case.labels.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(outcome: CaseOutcome) -> Case {
        Case { name: "one".into(), outcome, duration_ms: 1, labels: Vec::new() }
    }

    #[test]
    fn only_a_case_that_passed_is_a_pass() {
        let name = Name::new("vendor").expect("a name");
        let code = |outcomes: Vec<CaseOutcome>| {
            let cases: Vec<Case> = outcomes.into_iter().map(case).collect();
            verdict(&name, &cases).map_err(|(trouble, _)| trouble.code)
        };
        let (passed, failed) = (|| CaseOutcome::Passed, || CaseOutcome::Failed("no".into()));
        let skipped = || CaseOutcome::Skipped("later".into());
        assert_eq!(code(vec![]), Err("smoke/no-cases".into()));
        assert_eq!(code(vec![skipped(), skipped()]), Err("smoke/skipped".into()));
        assert_eq!(code(vec![passed(), failed()]), Err("smoke/failed".into()));
        assert_eq!(code(vec![passed(), skipped()]), Ok(Summary::Text("1 passed, 1 skipped".into())));
        assert_eq!(code(vec![passed()]), Ok(Summary::Passed { passed: 1, total: 1, what: "passed".into() }));
    }
}
