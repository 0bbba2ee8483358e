//! Whether the routers can share requests between the colours, where the strategy wants it: it is asked before anything is begun.

use super::judge::finding;
use crate::model::view::{Finding, Verdict};
use crate::model::{Deployment, HookCall, HookSource, Strategy, Trouble};
use crate::run::world::hooks::Hooks;
use crate::run::world::insist::insist;
use crate::run::world::observe::observing_call;

/// What a router's hook calls it.
const WEIGHTS: &str = "weights";

/// What its hook says that a router can do beyond sending everything to one colour.
///
/// # Errors
/// When it does not say.
pub(crate) async fn router_features(deployment: &Deployment, hooks: &Hooks) -> Result<Vec<String>, Trouble> {
    let call = observing_call(deployment, None);
    let ask = |attempt| {
        let call = HookCall { attempt, ..call.clone() };
        async move { hooks.features(&call).await }
    };
    insist(deployment.router.hook.timeout, ask).await.map_err(|failure| failure.trouble)
}

/// What keeps a deployment in shares from being begun.
pub(crate) async fn weights_obstacle(deployment: &Deployment, hooks: &Hooks) -> Option<Trouble> {
    match router_features(deployment, hooks).await {
        Ok(features) => judge(deployment, &features),
        Err(trouble) => Some(trouble),
    }
}

/// The same for a check, where the configuration wants shares.
pub(crate) async fn weights_finding(deployment: &Deployment, hooks: &Hooks) -> Option<Finding> {
    if deployment.pipeline.strategy == Strategy::BlueGreen {
        return None;
    }
    Some(match weights_obstacle(deployment, hooks).await {
        Some(trouble) => {
            Finding { fix: trouble.hint, ..finding("router", Verdict::Missing, trouble.message) }
        }
        None => finding("router", Verdict::Ok, "can share requests between the colours"),
    })
}

fn judge(deployment: &Deployment, features: &[String]) -> Option<Trouble> {
    if features.iter().any(|feature| feature == WEIGHTS) {
        return None;
    }
    let hook = &deployment.router.hook;
    let names: Vec<&str> = deployment.router.names.iter().map(|name| name.as_str()).collect();
    let said =
        if features.is_empty() { "nothing".to_owned() } else { format!("`{}`", features.join("`, `")) };
    let message = format!(
        "`pipeline.strategy` shares the requests between the colours, which hook `{}` ({}) can't do on {}: of its features it names {said}, not \
         `{WEIGHTS}`",
        hook.title,
        hook.source,
        names.join(" "),
    );
    let other = match &hook.source {
        HookSource::Builtin(name) => crate::bundled::hook(name)
            .and_then(|bundled| bundled.weights_hint(&deployment.name_for_hooks(), &hook.settings)),
        HookSource::File(_) | HookSource::Https(_) | HookSource::Oci(_) => None,
    };
    let plain = "`strategy = \"blue-green\"` moves all at once";
    let hint = other.map_or_else(|| plain.to_owned(), |other| format!("{other}; {plain}"));
    Some(Trouble::new("config/weights", message).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{HostName, Name};

    #[test]
    fn a_router_that_can_not_share_is_told_with_what_can() {
        let name = |text: &str| -> HostName { Name::new(text).expect("a name") };
        let mut deployment = Deployment::for_tests(&[name("web1")], &[name("lb1"), name("lb2")]);
        let told = |deployment: &Deployment, features: &[&str]| {
            let features: Vec<String> = features.iter().map(|feature| (*feature).to_owned()).collect();
            judge(deployment, &features).map(|trouble| (trouble.message, trouble.hint.unwrap_or_default()))
        };
        assert_eq!(told(&deployment, &["maintenance", "weights"]), None);
        let (message, hint) = told(&deployment, &["maintenance"]).expect("an obstacle");
        assert_eq!(
            message,
            "`pipeline.strategy` shares the requests between the colours, which hook `router` (builtin:nginx) can't do on lb1 lb2: of its features \
             it names `maintenance`, not `weights`"
        );
        assert_eq!(
            hint,
            "`style = \"upstream\"` in the settings of the router can; `strategy = \"blue-green\"` moves all at once"
        );
        deployment.router.hook.source = HookSource::File("hooks/own.wasm".into());
        let (message, hint) = told(&deployment, &[]).expect("an obstacle");
        assert!(message.ends_with("of its features it names nothing, not `weights`"), "{message}");
        assert_eq!(hint, "`strategy = \"blue-green\"` moves all at once");
    }
}
