//! Elastic Load Balancing v2 (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html>).

use super::super::params::Params;
use super::Demand;
use crate::model::World;

pub(super) fn demands(world: &World, operation: &str, params: &Params) -> Vec<Demand> {
    let action = format!("elasticloadbalancing:{operation}");
    let on = |field: &str| {
        let arn = params.get(field).unwrap_or_default();
        Demand::new(&action, arn).tagged(world.elb_tags(arn).unwrap_or_default())
    };
    match operation {
        "ModifyRule" => [on("RuleArn")].into_iter().chain(user_pools(params)).collect(),
        "ModifyListener" => [on("ListenerArn")]
            .into_iter()
            .chain(user_pools(params))
            .collect(),
        "RegisterTargets" | "DeregisterTargets" => vec![on("TargetGroupArn")],
        // Reading knows no resources.
        _ => vec![Demand::new(&action, "*")],
    }
}

/// The load balancer looks at the client of each user pool in the name of whoever writes such an action: "Authenticate
/// users", section "Prepare to use Amazon Cognito"
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html>).
fn user_pools(params: &Params) -> Vec<Demand> {
    let mut actions = params.structures("Actions");
    actions.extend(params.structures("DefaultActions"));
    let pools = actions.iter().filter_map(|action| {
        let config = action.below("AuthenticateCognitoConfig");
        config.get("UserPoolArn").map(str::to_owned)
    });
    pools
        .map(|pool| Demand::new("cognito-idp:DescribeUserPoolClient", pool).with("aws:ViaAWSService", "true"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Config;

    fn of(operation: &str, form: &str) -> Vec<Demand> {
        let world = World::new(Config::default());
        demands(&world, operation, &Params::parse(form.as_bytes()))
    }

    #[test]
    fn changes_demand_what_they_change_and_reads_do_not() {
        let target = of(
            "DeregisterTargets",
            "TargetGroupArn=arn:tg&Targets.member.1.Id=10.0.0.1",
        );
        assert_eq!(
            target,
            [Demand::new("elasticloadbalancing:DeregisterTargets", "arn:tg")]
        );
        let read = of("DescribeTargetHealth", "TargetGroupArn=arn:tg");
        assert_eq!(
            read,
            [Demand::new("elasticloadbalancing:DescribeTargetHealth", "*")]
        );
    }

    #[test]
    fn a_rule_that_asks_to_sign_in_with_cognito_demands_a_look_at_the_user_pool() {
        let rule = of(
            "ModifyRule",
            "RuleArn=arn:rule&Actions.member.1.Type=authenticate-cognito\
             &Actions.member.1.AuthenticateCognitoConfig.UserPoolArn=arn:pool&Actions.member.2.Type=forward",
        );
        let pool = Demand::new("cognito-idp:DescribeUserPoolClient", "arn:pool");
        assert_eq!(
            rule,
            [
                Demand::new("elasticloadbalancing:ModifyRule", "arn:rule"),
                pool.with("aws:ViaAWSService", "true"),
            ]
        );
    }
}
