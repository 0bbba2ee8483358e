//! The actions of a rule: which weights its target groups have, and the same actions with others. Pure.
//!
//! A change replaces the whole list, so all of it is sent back as it was told, but for two numbers: stickiness, groups of others and
//! actions before the forward one stay.

use cutover_hooks::{Color, HookError, Routing};

use crate::settings::Settings;
use crate::xml::Element;

/// The actions of a rule, one of which forwards requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Actions {
    list: Vec<Element>,
    groups: Vec<Group>,
    /// Seconds for which a client stays with its group, where it does.
    sticky: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    arn: String,
    weight: u32,
}

impl Actions {
    /// Takes a list of actions apart. `place` names it.
    ///
    /// # Errors
    /// When the list does not share requests between the two target groups, and no others.
    pub(crate) fn new(settings: &Settings, place: &str, list: &[Element]) -> Result<Self, HookError> {
        let Some(forward) = list.iter().find(|action| forwards(action)) else {
            let kind = list.last().map_or("none", |action| action.text_of("Type"));
            let text = format!("{place} does not forward requests: its action is `{kind}`");
            return Err(HookError::failed(text).hint(give_both(settings)));
        };
        let groups = groups(place, forward)?;
        for color in [Color::Blue, Color::Green] {
            let arn = settings.group(color);
            if !groups.iter().any(|group| group.arn == arn) {
                let text = format!("{place} does not name {color}'s target group `{}`", name(arn));
                return Err(HookError::failed(text).hint(give_both(settings)));
            }
        }
        let is_other =
            |group: &&Group| group.weight > 0 && ![&settings.blue, &settings.green].contains(&&group.arn);
        if let Some(other) = groups.iter().find(is_other) {
            let text = format!("{place} sends requests to target group `{}` too", name(&other.arn));
            return Err(HookError::failed(text).hint("give it the weight 0, or take it out"));
        }
        let config = forward.child("ForwardConfig");
        let sticky = config.and_then(|config| config.child("TargetGroupStickinessConfig"));
        let sticky = sticky.filter(|sticky| sticky.text_of("Enabled") == "true");
        let sticky = sticky.map(|sticky| sticky.text_of("DurationSeconds").parse().unwrap_or_default());
        Ok(Self { list: list.to_vec(), groups, sticky })
    }

    /// What the weights amount to.
    pub(crate) fn routing(&self, settings: &Settings) -> Routing {
        let weight = |color| {
            let own = self.groups.iter().filter(|group| group.arn == settings.group(color));
            own.map(|group| group.weight).sum::<u32>()
        };
        let (blue, green) = (weight(Color::Blue), weight(Color::Green));
        let share = match (blue, green) {
            (0, 0) => return Routing::to(None),
            (_, 0) => 100,
            (0, _) => 0,
            // Who gets something does not get nothing.
            _ => ((200 * blue + blue + green) / (2 * (blue + green))).clamp(1, 99),
        };
        Routing { blue: share, green: 100 - share, out: Vec::new() }
    }

    /// Seconds for which a client stays with its colour, whatever the weights say meanwhile.
    pub(crate) const fn sticky(&self) -> Option<u32> {
        self.sticky
    }

    /// The parameters of a change, `Actions.member.1…`: all that was told, with other weights.
    pub(crate) fn parameters(
        &self,
        list: &str,
        settings: &Settings,
        want: &Routing,
    ) -> Vec<(String, String)> {
        let weight = |arn: &str| match arn {
            _ if arn == settings.blue => Some(want.blue),
            _ if arn == settings.green => Some(want.green),
            _ => None,
        };
        let mut parameters = Vec::new();
        for (index, action) in self.list.iter().enumerate() {
            let action =
                if forwards(action) { weighted(action, weight) } else { keeping_secret(action.clone()) };
            flatten(&format!("{list}.member.{}", index + 1), &action, &mut parameters);
        }
        parameters
    }
}

fn forwards(action: &Element) -> bool {
    action.text_of("Type") == "forward"
}

/// The target groups of a forward action. A single one may stand outside the list.
fn groups(place: &str, forward: &Element) -> Result<Vec<Group>, HookError> {
    let list = forward.child("ForwardConfig").map_or(&[][..], |config| config.list("TargetGroups"));
    if list.is_empty() {
        return Ok(vec![Group { arn: forward.text_of("TargetGroupArn").to_owned(), weight: 1 }]);
    }
    let group = |group: &Element| {
        let (arn, weight) = (group.text_of("TargetGroupArn"), group.text_of("Weight"));
        // A sum of these fits its type with room to spare.
        let weight =
            if weight.is_empty() { Some(1) } else { weight.parse().ok().filter(|weight| *weight < 1000) };
        let arn = arn.to_owned();
        weight.map(|weight| Group { arn, weight }).ok_or_else(|| {
            let text = group.text_of("Weight");
            HookError::failed(format!("{place} has a target group with the weight `{text}`: want 0 to 999"))
        })
    };
    list.iter().map(group).collect()
}

/// The same action with other weights. What names a single group is left out: it is refused beside several.
fn weighted(action: &Element, weight: impl Fn(&str) -> Option<u32>) -> Element {
    let mut action = action.clone();
    action.children.retain(|child| child.name != "TargetGroupArn");
    let configs = action.children.iter_mut().filter(|child| child.name == "ForwardConfig");
    let lists = configs.flat_map(|config| &mut config.children).filter(|child| child.name == "TargetGroups");
    for group in lists.flat_map(|list| &mut list.children) {
        if let Some(weight) = weight(group.text_of("TargetGroupArn")) {
            group.children.retain(|child| child.name != "Weight");
            group.children.push(Element::leaf("Weight", weight.to_string()));
        }
    }
    action
}

/// The client secret of a log-in is never told, and has to be asked for again by this word.
fn keeping_secret(mut action: Element) -> Element {
    for config in action.children.iter_mut().filter(|child| child.name == "AuthenticateOidcConfig") {
        config.children.retain(|child| child.name != "ClientSecret");
        config.children.push(Element::leaf("UseExistingClientSecret", "true"));
    }
    action
}

/// As the API wants in a request what it tells in an answer: lists and maps are numbered.
fn flatten(prefix: &str, element: &Element, parameters: &mut Vec<(String, String)>) {
    if element.children.is_empty() {
        if !element.text.is_empty() {
            parameters.push((prefix.to_owned(), element.text.clone()));
        }
        return;
    }
    for (index, child) in element.children.iter().enumerate() {
        let name = match child.name.as_str() {
            numbered @ ("member" | "entry") => format!("{prefix}.{numbered}.{}", index + 1),
            name => format!("{prefix}.{name}"),
        };
        flatten(&name, child, parameters);
    }
}

/// `NAME` of `…:targetgroup/NAME/ID`.
pub(crate) fn name(arn: &str) -> &str {
    arn.split('/').nth(1).unwrap_or(arn)
}

fn give_both(settings: &Settings) -> String {
    let (blue, green) = (name(&settings.blue), name(&settings.green));
    format!(
        "give it one forward action with `{blue}` and `{green}`, once: both with weight 0, or 1 for a colour that is live"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml;

    fn settings() -> Settings {
        let arn = |name| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{name}/7");
        let table = serde_json::json!({"region": "eu-west-1", "rule": "r", "blue": arn("blue"), "green": arn("green")});
        serde_json::from_value(table).expect("settings")
    }

    fn group(name: &str, weight: &str) -> String {
        format!(
            "<member><TargetGroupArn>arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{name}/7</TargetGroupArn>{weight}</member>"
        )
    }

    fn forward(groups: &str, rest: &str) -> String {
        format!(
            "<member><Type>forward</Type><ForwardConfig><TargetGroups>{groups}</TargetGroups>{rest}</ForwardConfig></member>"
        )
    }

    fn actions(list: &str) -> Result<Actions, HookError> {
        let list = xml::read(&format!("<Actions>{list}</Actions>")).expect("XML");
        Actions::new(&settings(), "rule 3", &list.children)
    }

    fn of_weights(blue: u32, green: u32) -> Routing {
        let [blue, green] = [("blue", blue), ("green", green)]
            .map(|(name, weight)| group(name, &format!("<Weight>{weight}</Weight>")));
        actions(&forward(&(blue + &green), "")).expect("actions").routing(&settings())
    }

    #[test]
    fn weights_amount_to_shares() {
        for (weights, shares) in [
            ((100, 0), (100, 0)),
            ((0, 1), (0, 100)),
            ((0, 0), (0, 0)),
            ((1, 1), (50, 50)),
            ((1, 2), (33, 67)),
            ((2, 1), (67, 33)),
            ((999, 1), (99, 1)),
            ((1, 999), (1, 99)),
            ((90, 10), (90, 10)),
            ((999, 999), (50, 50)),
        ] {
            let routing = of_weights(weights.0, weights.1);
            assert_eq!((routing.blue, routing.green), shares, "{weights:?}");
        }
        for blue in 0..=100 {
            assert_eq!(of_weights(blue, 100 - blue).blue, blue, "what is written is what is read");
        }
    }

    #[test]
    fn all_but_the_weights_is_sent_back_as_it_was_told() {
        let oidc = "<member><Type>authenticate-oidc</Type><Order>1</Order><AuthenticateOidcConfig><Issuer>https://id/</Issuer>\
                    <ClientSecret></ClientSecret><AuthenticationRequestExtraParams><entry><key>display</key><value>page</value></entry>\
                    </AuthenticationRequestExtraParams></AuthenticateOidcConfig></member>";
        let sticky = "<TargetGroupStickinessConfig><Enabled>true</Enabled><DurationSeconds>3600</DurationSeconds></TargetGroupStickinessConfig>";
        let groups = group("blue", "<Weight>100</Weight>")
            + &group("old", "<Weight>0</Weight>")
            + &group("green", "<Weight>0</Weight>");
        let actions = actions(&(oidc.to_owned() + &forward(&groups, sticky))).expect("actions");
        assert_eq!(actions.sticky(), Some(3600));
        let want = Routing { blue: 90, green: 10, out: Vec::new() };
        let parameters = actions.parameters("Actions", &settings(), &want);
        let text: String = parameters.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
        assert_eq!(text, include_str!("../golden/parameters.txt"));
    }

    #[test]
    fn a_rule_that_is_another_says_what_it_is() {
        let blue = |weight: &str| group("blue", weight);
        let both = blue("") + &group("green", "<Weight>0</Weight>");
        let mut said = String::new();
        for list in [
            String::new(),
            "<member><Type>fixed-response</Type></member>".to_owned(),
            forward(&blue(""), ""),
            "<member><Type>forward</Type><TargetGroupArn>arn:aws:elasticloadbalancing:x:1:targetgroup/old/7</TargetGroupArn></member>".to_owned(),
            forward(&(both.clone() + &group("old", "<Weight>5</Weight>")), ""),
            forward(&(both + &group("old", "<Weight>many</Weight>")), ""),
        ] {
            said.push_str(actions(&list).expect_err("an error").text());
            said.push('\n');
        }
        assert_eq!(said, include_str!("../golden/other-actions.txt"));
    }
}
