//! `cutover check --hosts`: whether each host has what `setup` prints, and room, ports and a clock to deploy with. Changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::readiness::host_readiness;
use crate::model::view::{Finding, HostCheck, HostChecks, Verdict};
use crate::model::{Deployment, HostName, without_hint};
use crate::run::execute::reporter::Clock;
use crate::transport::Link;

/// Asks every host of the deployment at once.
pub async fn check_hosts(
    deployment: &Arc<Deployment>,
    links: &BTreeMap<HostName, Arc<dyn Link>>,
    clock: &Arc<dyn Clock>,
) -> HostChecks {
    let mut questions = JoinSet::new();
    for (name, link) in links {
        let (deployment, name, link) = (Arc::clone(deployment), name.clone(), Arc::clone(link));
        let clock = Arc::clone(clock);
        questions.spawn(async move {
            let check = check_host(&deployment, &name, &link, clock.as_ref()).await;
            (name, check)
        });
    }
    let mut checks = BTreeMap::new();
    while let Some(done) = questions.join_next().await {
        if let Ok((name, check)) = done {
            checks.insert(name, check);
        }
    }
    // Whoever is not heard of is not ready.
    let check = |name| checks.remove(name).unwrap_or_else(|| broken_off(name));
    links.keys().map(check).collect()
}

/// A host whose questions ended without an answer, which is a fault of ours.
fn broken_off(host: &HostName) -> HostCheck {
    out_of_reach(host, "its check broke off")
}

/// A host that could not be asked, with a hint where the words for it end with one.
fn out_of_reach(host: &HostName, problem: &str) -> HostCheck {
    let (text, hint) = without_hint(problem);
    let fix = hint.map(str::to_owned);
    let finding = Finding { what: "reach".to_owned(), verdict: Verdict::Missing, text, fix };
    HostCheck { host: host.to_string(), facts: None, findings: vec![finding] }
}

async fn check_host(
    deployment: &Deployment,
    host: &HostName,
    link: &Arc<dyn Link>,
    clock: &dyn Clock,
) -> HostCheck {
    match host_readiness(deployment, host, link, clock).await {
        Ok(ready) => HostCheck {
            host: host.to_string(),
            facts: Some(ready.facts.clone()),
            findings: ready.into_findings(),
        },
        Err(problem) => out_of_reach(host, &problem),
    }
}

#[cfg(test)]
mod tests {
    use cutover_host::operation::{Answer, Call};
    use cutover_host::{Account, Host};

    use super::*;
    use crate::driver::sample;
    use crate::model::Driver;
    use crate::run::execute::reporter::SystemClock;
    use crate::transport::{Flow, LinkFuture, local_link};

    fn text(finding: &Finding) -> String {
        let fix = finding.fix.as_ref().map_or_else(String::new, |fix| format!(" -> {fix}"));
        format!("{:?} {}: {}{fix}", finding.verdict, finding.what, finding.text)
    }

    /// A host whose answer is more than we can bear.
    #[derive(Debug)]
    struct Fatal(HostName);

    impl Link for Fatal {
        fn name(&self) -> &HostName {
            &self.0
        }

        fn perform(&self, _call: Call) -> LinkFuture<'_, Answer> {
            panic!("this host is fatal")
        }

        fn open(&self, _call: Call) -> LinkFuture<'_, Flow> {
            panic!("this host is fatal")
        }
    }

    #[tokio::test]
    async fn a_check_that_breaks_off_is_told() {
        let name = sample::name("web1");
        let link: Arc<dyn Link> = Arc::new(Fatal(name.clone()));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let deployment = Arc::new(sample::deployment(Driver::Detached));
        let checks = check_hosts(&deployment, &BTreeMap::from([(name, link)]), &clock).await;
        let told: Vec<String> = checks.iter().flat_map(|check| &check.findings).map(text).collect();
        assert_eq!(told, ["Missing reach: its check broke off"]);
    }

    #[test]
    fn what_can_be_done_about_a_host_out_of_reach_is_told_apart() {
        let told = |problem: &str| text(&out_of_reach(&sample::name("web1"), problem).findings[0]);
        assert_eq!(
            told("its key is not known\nhint: ask for it"),
            "Missing reach: its key is not known -> ask for it"
        );
        assert_eq!(told("no answer"), "Missing reach: no answer");
    }

    #[tokio::test]
    async fn this_machine_is_asked_and_one_out_of_reach_is_told() {
        let scratch = tempfile::tempdir().expect("a directory");
        let home = scratch.path().to_str().expect("UTF-8").to_owned();
        let mut deployment = sample::deployment(Driver::Detached);
        deployment.application.directory = "~/app".to_owned();
        deployment.application.blue.port = 1;
        deployment.application.green.port = 2;
        let account = Account { user: "me".to_owned(), uid: 1000, home: home.clone() };
        let host = sample::name("web1");
        let link = local_link(host.clone(), Arc::new(Host::new(vec!["/nonexistent".into()], account)));
        let links = [(host, link)].into_iter().collect();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let checks = check_hosts(&Arc::new(deployment), &links, &clock).await;
        let findings: Vec<String> =
            checks[0].findings.iter().map(text).filter(|text| !text.contains(" room: ")).collect();
        assert_eq!(
            findings,
            [
                "Ok clock: agrees with this machine".to_owned(),
                format!("Ok directory: `{home}/app` can be made"),
                format!(
                    "Missing file: `{home}/app/shared/.env` is not there -> put yours there: no release has it"
                ),
                "Ok ports: 1 is free for blue".to_owned(),
                "Ok ports: 2 is free for green".to_owned(),
                "Ok builder: has git".to_owned(),
            ]
        );
        assert!(checks[0].facts.as_ref().is_some_and(|facts| facts.starts_with("me, ")), "{checks:?}");
    }
}
