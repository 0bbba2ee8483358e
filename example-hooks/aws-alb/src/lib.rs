//! `builtin:aws-alb`: switches the target groups of an AWS Application Load Balancer, by their weights in the forward action of a rule.

mod actions;
mod api;
mod health;
mod settings;
mod setup;
mod signature;
#[cfg(test)]
mod tests;
mod xml;

use cutover_hooks::engine::{self, Level};
use cutover_hooks::{Call, Color, HookError, Observation, Router, Routing, SettingFault};

use actions::{Actions, name};
use api::Api;
use settings::Place;
pub use settings::Settings;

/// The hook.
#[derive(Debug)]
pub struct AwsAlb;

cutover_hooks::export!(router: AwsAlb);

impl Router for AwsAlb {
    type Settings = Settings;

    fn faults(settings: &Settings) -> Vec<SettingFault> {
        settings.faults()
    }

    // No `maintenance`: what clients get where all weights are 0 is nowhere told.
    fn features(_settings: &Settings, _call: &Call) -> Result<Vec<String>, HookError> {
        Ok(vec!["weights".to_owned()])
    }

    fn observe(settings: &Settings, call: &Call, _router: &str) -> Result<Observation, HookError> {
        let actions = settings.look()?;
        let mut labels = vec![("place".to_owned(), settings.place().to_string())];
        if let Some(seconds) = actions.sticky() {
            labels.push(("sticky-seconds".to_owned(), seconds.to_string()));
            // A deployment has been told before it began.
            if call.deployment.is_empty() {
                engine::log(Level::Warn, sticks(settings, seconds));
            }
        }
        Ok(Observation { routing: Some(actions.routing(settings)), settled: true, labels })
    }

    fn prepare(settings: &Settings, call: &Call, router: &str, want: &Routing) -> Result<String, HookError> {
        if call.fact("setup").is_some() {
            return Ok(settings.setup());
        }
        let actions = settings.look()?;
        let now = actions.routing(settings);
        all_hosts(want)?;
        for color in
            [Color::Blue, Color::Green].into_iter().filter(|color| want.share(*color) > now.share(*color))
        {
            let group = settings.group(color);
            let parameters = vec![("TargetGroupArn".to_owned(), group.to_owned())];
            let answer = Api::new(settings).ask("DescribeTargetHealth", &parameters)?;
            health::judge(call, color, group, answer.list("TargetHealthDescriptions"))?;
        }
        if now == *want {
            return Ok(String::new());
        }
        let mut text = format!("--- {router}: {}, now\n+++ {router}: {0}, then\n", settings.place());
        for (sign, routing) in [('-', &now), ('+', want)] {
            for color in [Color::Blue, Color::Green] {
                text.push_str(&format!(
                    "{sign}{color} {} %: {}\n",
                    routing.share(color),
                    name(settings.group(color))
                ));
            }
        }
        Ok(text)
    }

    fn apply(settings: &Settings, _call: &Call, _router: &str, want: &Routing) -> Result<(), HookError> {
        all_hosts(want)?;
        // Read anew: what somebody has changed beside the weights stays.
        let actions = settings.look()?;
        if actions.routing(settings) == *want {
            return Ok(());
        }
        let (action, key, arn, list) = match settings.place() {
            Place::Rule(arn) => ("ModifyRule", "RuleArn", arn, "Actions"),
            Place::Listener(arn) => ("ModifyListener", "ListenerArn", arn, "DefaultActions"),
        };
        let mut parameters = vec![(key.to_owned(), arn.to_owned())];
        parameters.extend(actions.parameters(list, settings, want));
        Api::new(settings).tell(action, &parameters).map(drop)
    }
}

impl Settings {
    /// Asks for the actions as they are.
    fn look(&self) -> Result<Actions, HookError> {
        let (action, key, arn, list, actions) = match self.place() {
            Place::Rule(arn) => ("DescribeRules", "RuleArns.member.1", arn, "Rules", "Actions"),
            Place::Listener(arn) => {
                ("DescribeListeners", "ListenerArns.member.1", arn, "Listeners", "DefaultActions")
            }
        };
        let answer = Api::new(self).ask(action, &vec![(key.to_owned(), arn.to_owned())])?;
        let place = self.place();
        let [only] = answer.list(list) else {
            return Err(HookError::failed(format!("the API told nothing of {place}")));
        };
        if only.text_of("IsDefault") == "true" {
            let text = format!("{place} is its listener's default rule, which can't be changed as a rule");
            return Err(HookError::failed(text).hint("write `listener = \"ARN\"` instead of `rule`"));
        }
        Actions::new(self, &place.to_string(), only.list(actions))
    }
}

/// `rule shop/9683b2d02a6cabee`: the load balancer's name and the last part of the ARN.
impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (word, arn) = match self {
            Self::Rule(arn) => ("rule", arn),
            Self::Listener(arn) => ("listener", arn),
        };
        let (balancer, id) =
            (arn.split('/').nth(2).unwrap_or_default(), arn.rsplit('/').next().unwrap_or_default());
        write!(f, "{word} {balancer}/{id}")
    }
}

fn sticks(settings: &Settings, seconds: u32) -> String {
    format!(
        "{} has group stickiness: for {seconds} s a client stays with the colour that it was given, whatever its share",
        settings.place()
    )
}

/// # Errors
/// When single hosts are to be out.
fn all_hosts(want: &Routing) -> Result<(), HookError> {
    if want.out.is_empty() {
        return Ok(());
    }
    Err(HookError::failed("builtin:aws-alb can't take single hosts out"))
}
