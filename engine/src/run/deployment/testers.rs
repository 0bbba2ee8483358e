//! Requests that choose their colour while it is shared, for who reads a plan.

use crate::model::{Deployment, HookSource, Note, Plan};

/// What a request has to say to get one colour or the other; none where nothing is shared, or nobody chooses. The settings of hooks that do not
/// come with the program are nobody's business but theirs.
pub(super) fn testers(deployment: &Deployment, plan: &Plan) -> Option<Note> {
    let HookSource::Builtin(_) = deployment.router.hook.source else { return None };
    plan.shares().next()?;
    let testers = deployment.router.hook.settings.get("testers")?;
    let named = |kind: &'static str| Some((kind, testers.get(kind)?.as_str()?));
    let (kind, name) = named("header").or_else(|| named("cookie"))?;
    let (new, old) = (plan.color, plan.color.other());
    let text =
        format!("while requests are shared, {kind} `{name}` chooses: `always` gets {new}, `never` {old}");
    Some(Note::new("testers", text))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::model::{
        CanaryStep, Color, Name, Observation, Observed, Release, ReleaseId, Routing, Strategy, Timestamp,
        Wish,
    };

    fn told(source: HookSource, settings: Value, shares: &[u32]) -> Option<String> {
        let name = |text: &str| Name::new(text).expect("a name");
        let mut deployment = Deployment::for_tests(&[name("web1")], &[name("lb1")]);
        deployment.router.hook.source = source;
        deployment.router.hook.settings = settings;
        let step = |weight: &u32| CanaryStep { weight: *weight, watch: Duration::from_secs(1) };
        deployment.pipeline.strategy = Strategy::Canary(shares.iter().map(step).collect());
        let routing = Some(Routing::all_to(Color::Blue));
        let observed = Observed {
            routers: vec![(name("lb1"), Observation { routing, settled: true, labels: Vec::new() })],
            recorded: Some((Color::Blue, ReleaseId::parse("r42").expect("an identifier"))),
            ..Observed::default()
        };
        let wish = Wish::new("deploy", "d1".into(), Release::for_tests("r43", 43), false, Timestamp(5));
        let plan = Plan::new(&deployment, &wish, &observed).expect("a plan");
        testers(&deployment, &plan).map(|note| format!("{}: {}", note.label, note.text))
    }

    #[test]
    fn who_chooses_is_told_where_there_is_a_choice() {
        let nginx = || HookSource::Builtin("nginx".to_owned());
        let by_header = || json!({"testers": {"header": "X-Canary"}});
        let header = "testers: while requests are shared, header `X-Canary` chooses: `always` gets green, `never` blue";
        assert_eq!(told(nginx(), by_header(), &[5, 50]).as_deref(), Some(header));
        let cookie = told(nginx(), json!({"testers": {"cookie": "canary"}}), &[5]);
        assert_eq!(cookie.as_deref(), Some(&*header.replace("header `X-Canary`", "cookie `canary`")));
        assert_eq!(told(nginx(), by_header(), &[]), None, "nothing is shared");
        assert_eq!(told(nginx(), json!({}), &[5]), None);
        assert_eq!(told(HookSource::File("hooks/lb.wasm".into()), by_header(), &[5]), None);
    }
}
