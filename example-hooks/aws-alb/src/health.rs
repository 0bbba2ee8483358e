//! What the load balancer itself holds of a colour's targets. Pure.

use cutover_hooks::{Call, Color, HookError};

use crate::actions::name;
use crate::xml::Element;

/// A registered target.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    /// An address, or the id of a machine.
    id: String,
    port: String,
    state: String,
    /// Why, in the balancer's words.
    reason: String,
}

impl Target {
    fn new(element: &Element) -> Self {
        let none = Element::default();
        let (target, health) =
            (element.child("Target").unwrap_or(&none), element.child("TargetHealth").unwrap_or(&none));
        let words = [health.text_of("Reason"), health.text_of("Description")];
        let said: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        Self {
            id: target.text_of("Id").to_owned(),
            port: target.text_of("Port").to_owned(),
            state: health.text_of("State").to_owned(),
            reason: said.join(": "),
        }
    }

    fn is(&self, address: &str, port: u16) -> bool {
        self.id == address && self.port == port.to_string()
    }
}

/// Whether a colour can get requests: its targets are healthy, but for as many as its hosts were left out, and none of them is the other
/// colour's.
///
/// # Errors
/// When it can't; temporary, where the balancer may find otherwise.
pub(crate) fn judge(call: &Call, color: Color, group: &str, targets: &[Element]) -> Result<(), HookError> {
    let targets: Vec<Target> = targets.iter().map(Target::new).collect();
    let group = name(group);
    let is_of = |target: &Target, color: Color| {
        let mut own = call.instances.iter().filter(|instance| instance.color == color);
        own.any(|instance| target.is(&instance.address, instance.port))
    };
    let other = if color == Color::Blue { Color::Green } else { Color::Blue };
    if let Some(target) = targets.iter().find(|target| is_of(target, other) && !is_of(target, color)) {
        let text = format!(
            "{color}'s target group `{group}` has `{}:{}`, which is {other}'s",
            target.id, target.port
        );
        return Err(
            HookError::failed(text).hint("are `blue` and `green` of the settings the wrong way round?")
        );
    }
    // Those that leave get no new requests.
    let staying: Vec<&Target> = targets.iter().filter(|target| target.state != "draining").collect();
    if staying.is_empty() {
        let text = format!("{color}'s target group `{group}` has no targets");
        return Err(HookError::failed(text).hint(format!("register the instances of {color} in it, once")));
    }
    let sick: Vec<&&Target> = staying.iter().filter(|target| target.state != "healthy").collect();
    let left_out = call.instances.iter().filter(|instance| instance.color == color && instance.is_left_out());
    if sick.len() <= left_out.count() && sick.len() < staying.len() {
        return Ok(());
    }
    let told: Vec<String> = sick.iter().take(3).map(|target| target.to_string()).collect();
    let more = if sick.len() > told.len() { " …" } else { "" };
    let text = format!(
        "not healthy in {color}'s target group `{group}`, {} of {} targets: {}{more}",
        sick.len(),
        staying.len(),
        told.join(", ")
    );
    Err(HookError::temporary(text).hint(
        "the balancer goes by the target group's own health check; where that takes its time, give `router` a longer `timeout`",
    ))
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, port, state, reason } = self;
        write!(f, "`{id}:{port}` is {state}")?;
        if reason.is_empty() { Ok(()) } else { write!(f, " ({reason})") }
    }
}

#[cfg(test)]
mod tests {
    use cutover_hooks::fake;

    use super::*;
    use crate::xml;

    fn targets(list: &[(&str, u16, &str)]) -> Vec<Element> {
        let target = |(id, port, health): &(&str, u16, &str)| {
            let (state, reason) = health.split_once(' ').unwrap_or((health, ""));
            let (id, port) = (format!("<Id>{id}</Id>"), format!("<Port>{port}</Port>"));
            format!(
                "<member><HealthCheckPort>1</HealthCheckPort><Target>{id}{port}</Target>\
                 <TargetHealth><State>{state}</State><Reason>{reason}</Reason></TargetHealth></member>"
            )
        };
        let list: String = list.iter().map(target).collect();
        xml::read(&format!("<A>{list}</A>")).expect("XML").children
    }

    fn call(left_out: usize) -> Call {
        let mut instances = Vec::new();
        for color in [Color::Blue, Color::Green] {
            for host in ["web1", "web2"] {
                instances.push(fake::instance(host, color, &format!("10.0.0.1{}", &host[3..])));
            }
        }
        for instance in instances.iter_mut().filter(|instance| instance.color == Color::Green).take(left_out)
        {
            instance.labels.push(("left-out".to_owned(), String::new()));
        }
        fake::call("{}", instances)
    }

    fn judged(left_out: usize, list: &[(&str, u16, &str)]) -> Result<(), HookError> {
        let group = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-green/7";
        judge(&call(left_out), Color::Green, group, &targets(list))
    }

    #[test]
    fn healthy_targets_are_fine_whatever_they_are_called() {
        assert_eq!(judged(0, &[("10.0.0.11", 4002, "healthy"), ("10.0.0.12", 4002, "healthy")]), Ok(()));
        assert_eq!(judged(0, &[("i-1", 80, "healthy"), ("10.9.9.9", 4001, "draining")]), Ok(()));
        let one_sick = [("i-1", 80, "healthy"), ("i-2", 80, "unhealthy")];
        assert_eq!(judged(1, &one_sick), Ok(()), "a host that was left out has nothing to be healthy");
        assert!(judged(0, &one_sick).is_err());
        assert!(judged(2, &[("i-2", 80, "unhealthy")]).is_err(), "one at least has to serve");
    }

    #[test]
    fn what_is_not_healthy_is_told_with_the_balancers_reason() {
        let sick = |error: Result<(), HookError>| error.expect_err("an error");
        let hint = "\nhint: the balancer goes by the target group's own health check; where that takes its time, \
                    give `router` a longer `timeout`";
        let text = "not healthy in green's target group `shop-green`, 1 of 2 targets: \
                    `10.0.0.12:4002` is initial (Elb.RegistrationInProgress)";
        let one = [("10.0.0.11", 4002, "healthy"), ("10.0.0.12", 4002, "initial Elb.RegistrationInProgress")];
        assert_eq!(sick(judged(0, &one)), HookError::temporary(format!("{text}{hint}")));
        let four = ["i-1", "i-2", "i-3", "i-4"].map(|id| (id, 80, "unused"));
        let text = "not healthy in green's target group `shop-green`, 4 of 4 targets: \
                    `i-1:80` is unused, `i-2:80` is unused, `i-3:80` is unused …";
        assert_eq!(sick(judged(0, &four)), HookError::temporary(format!("{text}{hint}")));
        let text = "green's target group `shop-green` has no targets\nhint: register the instances of green in it, once";
        assert_eq!(sick(judged(0, &[])), HookError::failed(text));
        assert_eq!(sick(judged(0, &[("i-1", 80, "draining")])), HookError::failed(text));
    }

    #[test]
    fn colours_that_were_mixed_up_are_found() {
        let text = "green's target group `shop-green` has `10.0.0.12:4001`, which is blue's\n\
                    hint: are `blue` and `green` of the settings the wrong way round?";
        let mixed = [("10.0.0.11", 4002, "healthy"), ("10.0.0.12", 4001, "healthy")];
        assert_eq!(judged(0, &mixed), Err(HookError::failed(text)));
    }
}
