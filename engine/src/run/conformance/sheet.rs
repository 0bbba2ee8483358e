//! What was found, rule by rule.

use crate::model::RouterRule;
use crate::model::view::RuleView;

/// Ways in which one rule was broken that are told.
const TOLD: usize = 5;

/// Every rule with what was found.
#[derive(Debug)]
pub(super) struct Sheet(Vec<RuleView>);

impl Sheet {
    pub(super) fn new() -> Self {
        Self(RouterRule::ALL.into_iter().map(RuleView::new).collect())
    }

    /// Notes that a rule was put to the test, and how it was broken when it was.
    pub(super) fn note(&mut self, rule: RouterRule, broken: Option<String>) {
        let Some(view) = self.0.get_mut(rule as usize) else { return };
        view.tried += 1;
        if let Some(how) = broken {
            view.times += 1;
            if view.broken.len() < TOLD && !view.broken.contains(&how) {
                view.broken.push(how);
            }
        }
    }

    /// Notes why a rule is not put to the test.
    pub(super) fn leave(&mut self, rule: RouterRule, why: &str) {
        if let Some(view) = self.0.get_mut(rule as usize) {
            view.untried = Some(why.to_owned());
        }
    }

    /// The rules; of those that nothing put to the test, why.
    pub(super) fn into_rules(mut self) -> Vec<RuleView> {
        for view in self.0.iter_mut().filter(|view| view.tried == 0 && view.untried.is_none()) {
            view.untried = Some("the hook does not come that far".to_owned());
        }
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_keeps_its_own_count() {
        let mut sheet = Sheet::new();
        for number in 0..8 {
            sheet.note(RouterRule::Honest, (number % 2 == 0).then(|| format!("try {number}")));
        }
        for _ in 0..9 {
            sheet.note(RouterRule::Mends, Some("the same".to_owned()));
        }
        sheet.leave(RouterRule::FrontDoor, "no front door");
        let rules = sheet.into_rules();
        assert_eq!(
            rules.iter().map(|rule| rule.rule).collect::<Vec<_>>(),
            RouterRule::ALL.map(RouterRule::name)
        );
        let found = |rule: RouterRule| rules.iter().find(|view| view.rule == rule.name()).expect("there");
        let honest = found(RouterRule::Honest);
        assert_eq!((honest.tried, honest.times, honest.broken.len()), (8, 4, 4));
        let mends = found(RouterRule::Mends);
        assert_eq!((mends.tried, mends.times, mends.broken.as_slice()), (9, 9, &["the same".to_owned()][..]));
        assert_eq!(found(RouterRule::FrontDoor).untried.as_deref(), Some("no front door"));
        assert_eq!(found(RouterRule::Again).untried.as_deref(), Some("the hook does not come that far"));
    }
}
