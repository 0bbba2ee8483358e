//! Whether the routers can do what the strategy wants of them, or maintenance: it is asked before anything is begun.

use super::judge::finding;
use crate::bundled::BundledHook;
use crate::model::view::{Finding, Verdict};
use crate::model::{Deployment, HookCall, HookSource, Strategy, Trouble};
use crate::run::world::hooks::Hooks;
use crate::run::world::insist::insist;
use crate::run::world::observe::observing_call;

/// Something that not every router can.
struct Feature {
    /// What a router's hook calls it.
    name: &'static str,
    /// Code of the error that it is missing.
    code: &'static str,
    /// What the strategy does.
    does: &'static str,
    /// What a router with it can.
    can: &'static str,
    /// What to do with any other router.
    plain: &'static str,
    /// What to do with a hook of ours.
    hint: fn(&BundledHook, &str, &serde_json::Value) -> Option<String>,
}

const WEIGHTS: Feature = Feature {
    name: "weights",
    code: "config/weights",
    does: "shares the requests between the colours",
    can: "can share requests between the colours",
    plain: "`strategy = \"blue-green\"` moves all at once",
    hint: BundledHook::weights_hint,
};

const HOSTS: Feature = Feature {
    name: "hosts",
    code: "config/hosts",
    does: "takes hosts out",
    can: "can take hosts out",
    plain: "`builtin:apache` and `builtin:proxy` can, and `builtin:haproxy` with `style = \"servers\"`",
    hint: BundledHook::hosts_hint,
};

/// What a router's hook calls it to send requests to nobody.
pub(crate) const MAINTENANCE: &str = "maintenance";

const fn wanted(strategy: &Strategy) -> Option<Feature> {
    match strategy {
        Strategy::BlueGreen => None,
        Strategy::Canary(_) => Some(WEIGHTS),
        Strategy::Rolling { .. } => Some(HOSTS),
    }
}

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

/// What keeps a deployment by this strategy from being begun.
pub(crate) async fn feature_obstacle(deployment: &Deployment, hooks: &Hooks) -> Option<Trouble> {
    let wanted = wanted(&deployment.pipeline.strategy)?;
    match router_features(deployment, hooks).await {
        Ok(features) => judge(deployment, &wanted, &features),
        Err(trouble) => Some(trouble),
    }
}

/// What keeps maintenance from being begun.
pub(crate) async fn maintenance_obstacle(deployment: &Deployment, hooks: &Hooks) -> Option<Trouble> {
    match router_features(deployment, hooks).await {
        Ok(features) => judge_maintenance(deployment, &features),
        Err(trouble) => Some(trouble),
    }
}

/// The same for a check, where the strategy wants something.
pub(crate) async fn feature_finding(deployment: &Deployment, hooks: &Hooks) -> Option<Finding> {
    let wanted = wanted(&deployment.pipeline.strategy)?;
    Some(match feature_obstacle(deployment, hooks).await {
        Some(trouble) => {
            Finding { fix: trouble.hint, ..finding("router", Verdict::Missing, trouble.message) }
        }
        None => finding("router", Verdict::Ok, wanted.can),
    })
}

fn judge(deployment: &Deployment, wanted: &Feature, features: &[String]) -> Option<Trouble> {
    let Feature { name, code, does, plain, .. } = *wanted;
    let message = lacking(deployment, &format!("`pipeline.strategy` {does}"), name, features)?;
    let hook = &deployment.router.hook;
    let other = match &hook.source {
        HookSource::Builtin(name) => crate::bundled::hook(name)
            .and_then(|bundled| (wanted.hint)(bundled, &deployment.name_for_hooks(), &hook.settings)),
        HookSource::File(_) | HookSource::Script(_) | HookSource::Https(_) | HookSource::Oci(_) => None,
    };
    let hint = other.map_or_else(|| plain.to_owned(), |other| format!("{other}; {plain}"));
    Some(Trouble::new(code, message).hint(hint))
}

fn judge_maintenance(deployment: &Deployment, features: &[String]) -> Option<Trouble> {
    let message = lacking(deployment, "maintenance sends requests to neither colour", MAINTENANCE, features)?;
    let hint = "the routers that come with cutover can, in each style, but for the load balancer of AWS; a hook of your own has to take both \
                colours at 0 %, and to name it";
    Some(Trouble::new("config/maintenance", message).hint(hint))
}

/// That a feature is not named which something `wants`, where it is not.
fn lacking(deployment: &Deployment, wants: &str, feature: &str, features: &[String]) -> Option<String> {
    if features.iter().any(|named| named == feature) {
        return None;
    }
    let hook = &deployment.router.hook;
    let names: Vec<&str> = deployment.router.names.iter().map(|name| name.as_str()).collect();
    let said =
        if features.is_empty() { "nothing".to_owned() } else { format!("`{}`", features.join("`, `")) };
    Some(format!(
        "{wants}, which hook `{}` ({}) can't do on {}: of its features it names {said}, not `{feature}`",
        hook.title,
        hook.source,
        names.join(" "),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{HostName, Name};

    #[test]
    fn a_router_that_can_not_do_it_is_told_with_what_can() {
        let name = |text: &str| -> HostName { Name::new(text).expect("a name") };
        let mut deployment = Deployment::for_tests(&[name("web1")], &[name("lb1"), name("lb2")]);
        let told_of = |wanted: Feature, deployment: &Deployment, features: &[&str]| {
            let features: Vec<String> = features.iter().map(|feature| (*feature).to_owned()).collect();
            judge(deployment, &wanted, &features)
                .map(|trouble| (trouble.message, trouble.hint.unwrap_or_default()))
        };
        let told = |deployment: &Deployment, features: &[&str]| told_of(WEIGHTS, deployment, features);
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

        let name = |text: &str| HookSource::Builtin(text.to_owned());
        deployment.router.hook.source = name("haproxy");
        assert_eq!(told_of(HOSTS, &deployment, &["hosts"]), None);
        let (message, hint) = told_of(HOSTS, &deployment, &["weights", "maintenance"]).expect("an obstacle");
        assert_eq!(
            message,
            "`pipeline.strategy` takes hosts out, which hook `router` (builtin:haproxy) can't do on lb1 lb2: of its features it names `weights`, \
             `maintenance`, not `hosts`"
        );
        let plain =
            "`builtin:apache` and `builtin:proxy` can, and `builtin:haproxy` with `style = \"servers\"`";
        assert_eq!(hint, format!("`style = \"servers\"` in the settings of the router can; {plain}"));
        deployment.router.hook.source = name("nginx");
        let (_, hint) = told_of(HOSTS, &deployment, &["weights"]).expect("an obstacle");
        assert_eq!(hint, plain);
    }

    #[test]
    fn a_router_that_can_not_send_requests_to_nobody_is_told() {
        let name = |text: &str| -> HostName { Name::new(text).expect("a name") };
        let mut deployment = Deployment::for_tests(&[name("web1")], &[name("lb1"), name("lb2")]);
        deployment.router.hook.source = HookSource::File("hooks/own.wasm".into());
        assert_eq!(judge_maintenance(&deployment, &["maintenance".to_owned()]), None);
        let told = judge_maintenance(&deployment, &["weights".to_owned()]).expect("an obstacle");
        assert_eq!(told.code, "config/maintenance");
        assert_eq!(
            told.message,
            "maintenance sends requests to neither colour, which hook `router` (hooks/own.wasm) can't do on lb1 lb2: of its features it names \
             `weights`, not `maintenance`"
        );
        assert_eq!(
            told.hint.as_deref(),
            Some(
                "the routers that come with cutover can, in each style, but for the load balancer of AWS; a hook of your own has to take both \
                 colours at 0 %, and to name it"
            )
        );
    }
}
