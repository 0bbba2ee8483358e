//! What is to be done once in the account, as a script: a pure function of the settings.

use crate::settings::{Place, Settings};

impl Settings {
    /// Names both target groups in the forward action, and what the credentials have to be allowed.
    pub(crate) fn setup(&self) -> String {
        let Self { region, blue, green, .. } = self;
        let (words, change, look) = match self.place() {
            Place::Rule(arn) => {
                (format!("modify-rule --rule-arn {arn} --actions"), "ModifyRule", "DescribeRules")
            }
            Place::Listener(arn) => (
                format!("modify-listener --listener-arn {arn} --default-actions"),
                "ModifyListener",
                "DescribeListeners",
            ),
        };
        format!(
            "# The credentials have to be allowed elasticloadbalancing:{look} and elasticloadbalancing:DescribeTargetHealth on *,\n\
             # and elasticloadbalancing:{change} on the ARN below.\n\
             # Both target groups stand in the forward action, so that the balancer checks the health of both. A colour that is live already\n\
             # gets the weight 1. Where there are other actions, or stickiness, they stand there too.\n\
             aws elbv2 --region {region} {words} \\\n  \
               'Type=forward,ForwardConfig={{TargetGroups=[{{TargetGroupArn={blue},Weight=0}},{{TargetGroupArn={green},Weight=0}}]}}'\n"
        )
    }
}
