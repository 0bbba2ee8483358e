# The credentials have to be allowed elasticloadbalancing:DescribeRules and elasticloadbalancing:DescribeTargetHealth on *,
# and elasticloadbalancing:ModifyRule on the ARN below.
# Both target groups stand in the forward action, so that the balancer checks the health of both. A colour that is live already
# gets the weight 1. Where there are other actions, or stickiness, they stand there too.
aws elbv2 --region eu-west-1 modify-rule --rule-arn arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/shop/1/2/3 --actions \
  'Type=forward,ForwardConfig={TargetGroups=[{TargetGroupArn=arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-blue/7,Weight=0},{TargetGroupArn=arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-green/8,Weight=0}]}'
